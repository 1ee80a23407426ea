//! One connection with a bus, from its making to its end. Who wants another makes another.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{broadcast, watch};
use tokio_util::bytes::Bytes;

use super::fault::{self, Denied};
use crate::model::bus::Server;
use crate::model::text;
use crate::source::error::{Cause, SourceError};

/// News of missing permissions kept for a listener that is late.
const NEWS: usize = 64;
/// Bytes that may wait in all between the connection and whoever follows a subject.
const BACKLOG_BYTES: u64 = 512 << 20;
/// Fewest and most messages that may wait there.
const BACKLOG: (u64, u64) = (1, 4_096);
/// Bytes read at a time: few enough that what came finds room before more is read.
const READ_BYTES: u16 = 16 * 1024;
/// How long the server may be silent before it is asked for a sign of life; two are awaited.
const PING: Duration = Duration::from_secs(15);
const NAME: usize = 120;
/// Letters of an id that are shown.
const ID: usize = 8;

/// Who we say we are. Values are resolved; they are held no longer than the settings.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    #[default]
    None,
    Token(SecretString),
    User {
        user: String,
        password: SecretString,
    },
    /// The seed of an nkey.
    Nkey(SecretString),
    /// The text of a creds file: token and seed.
    Creds(SecretString),
}

/// How a bus is reached.
#[derive(Clone)]
pub struct Settings {
    /// Name of the cluster, for errors.
    pub cluster: String,
    /// `nats://HOST:PORT` or `tls://HOST:PORT`, without user and password; tried in this order. No
    /// other server is contacted, whatever these tell of their neighbours.
    pub urls: Vec<String>,
    /// Used where the URL or the server wants TLS.
    pub tls: Option<rustls::ClientConfig>,
    /// TLS whatever the server says.
    pub tls_required: bool,
    /// TLS before the server's greeting.
    pub tls_first: bool,
    pub auth: Auth,
    /// What the server is told of us.
    pub name: String,
    /// Where answers come, if not under `_INBOX`.
    pub inbox_prefix: Option<String>,
    /// JetStream domain, if not the server's own.
    pub domain: Option<String>,
    /// For a connection, and for an answer.
    pub timeout: Duration,
}

impl Settings {
    /// The addresses as they are shown.
    pub fn endpoint(&self) -> String {
        self.urls.join(",")
    }

    pub(super) fn error(&self, cause: Cause) -> SourceError {
        SourceError::new(&self.cluster, &self.endpoint(), cause)
    }

    /// A JetStream request's subject: `$JS.API.INFO`.
    pub(super) fn api(&self, what: &str) -> String {
        match &self.domain {
            Some(domain) => format!("$JS.{domain}.API.{what}"),
            None => format!("$JS.API.{what}"),
        }
    }
}

/// An open connection. Dropping it closes it.
pub struct Session {
    pub(super) settings: Settings,
    pub(super) client: Client,
    /// Messages that may wait for one subscription.
    pub room: usize,
    ended: watch::Receiver<Option<Cause>>,
    denied: broadcast::Sender<Denied>,
    lame: watch::Receiver<bool>,
    /// No answer can reach us.
    deaf: watch::Receiver<Option<Denied>>,
    /// Messages came faster than they were taken, and were lost.
    behind: watch::Receiver<bool>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    Denied(Denied),
    /// Nobody listens there.
    Nobody,
    Late,
    /// The connection is gone.
    Ended(Cause),
}

impl Session {
    /// Connects with the first server that lets us in. `max_payload`: the largest message that is
    /// expected, bytes, times the subscriptions where these are several; it decides how many may wait
    /// for each of them.
    pub async fn open(settings: Settings, max_payload: u64) -> Result<Self, SourceError> {
        let (ended_tx, ended) = watch::channel(None);
        let (lame_tx, lame) = watch::channel(false);
        let (deaf_tx, deaf) = watch::channel(None);
        let (behind_tx, behind) = watch::channel(false);
        let (denied, _) = broadcast::channel(NEWS);
        let told = Told {
            ended: ended_tx,
            denied: denied.clone(),
            lame: lame_tx,
            deaf: deaf_tx,
            behind: behind_tx,
            inbox: settings.inbox_prefix.clone().unwrap_or("_INBOX".into()),
        };
        let options = options(&settings, max_payload)
            .map_err(|cause| settings.error(cause))?
            .event_callback(move |event| {
                told.heed(event);
                std::future::ready(())
            });
        let client = options
            .connect(settings.urls.as_slice())
            .await
            .map_err(|e| settings.error(fault::of_connect(&e, settings.timeout)))?;
        Ok(Self {
            settings,
            client,
            room: room(max_payload),
            ended,
            denied,
            lame,
            deaf,
            behind,
        })
    }

    /// Waits until the connection is lost.
    pub async fn ended(&self) -> SourceError {
        let cause = once_told(self.ended.clone()).await;
        let lost = || Cause::Unreachable("the connection ended".into());
        self.settings.error(cause.unwrap_or_else(lost))
    }

    /// What the server says of itself.
    pub fn server(&self) -> Server {
        let info = self.client.server_info();
        Server {
            name: called(&info.server_name, &info.server_id),
            version: text::shared(&info.version, NAME),
            max_payload: info.max_payload as u64,
            lame_duck: *self.lame.borrow() || info.lame_duck_mode,
        }
    }

    /// Whether the server has others beside it that could hold copies.
    pub fn is_clustered(&self) -> bool {
        self.client.server_info().cluster.is_some()
    }

    /// A JetStream request's subject, in the domain that is configured: `$JS.API.INFO`.
    pub fn api(&self, what: &str) -> String {
        self.settings.api(what)
    }

    /// Messages were lost since the beginning, because they came faster than they were taken.
    pub(super) fn fell_behind(&self) -> bool {
        *self.behind.borrow()
    }

    /// Does this, unless the connection ends or a permission turns out to be missing meanwhile.
    pub async fn permitted<T>(&self, work: impl Future<Output = T>) -> Result<T, SourceError> {
        let mut denials = self.denials();
        tokio::select! {
            biased;
            Ok(denied) = denials.recv() => {
                Err(self.settings.error(Cause::Unpermitted(denied.to_string())))
            }
            end = self.ended() => Err(end),
            done = work => Ok(done),
        }
    }

    /// Its JetStream, within our time limit.
    pub fn jetstream(&self) -> async_nats::jetstream::Context {
        super::history::context(self)
    }

    /// For a connection, and for an answer.
    pub fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// This cause, on this bus.
    pub fn error(&self, cause: Cause) -> SourceError {
        self.settings.error(cause)
    }

    /// Why JetStream did not do what it was asked, on this bus.
    pub fn odd(&self, error: &(dyn std::error::Error + 'static)) -> SourceError {
        self.settings.error(fault::of_jetstream(error))
    }

    /// Permissions that turn out to be missing from now on.
    pub(super) fn denials(&self) -> broadcast::Receiver<Denied> {
        self.denied.subscribe()
    }

    /// Asks and waits; a missing permission is told at once, not after the time is up.
    pub(super) async fn ask(&self, subject: String, body: Bytes) -> Result<Bytes, Unanswered> {
        use async_nats::client::{Request, RequestErrorKind};
        let mut denials = self.denials();
        let denied = async {
            loop {
                match denials.recv().await {
                    Ok(denied) if denied.publish && denied.subject == subject => break denied,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let deaf = async {
            match once_told(self.deaf.clone()).await {
                Some(inbox) => inbox,
                None => std::future::pending().await,
            }
        };
        let request = Request::new()
            .payload(body)
            .timeout(Some(self.settings.timeout));
        tokio::select! {
            biased;
            denied = denied => Err(Unanswered::Denied(denied)),
            inbox = deaf => Err(Unanswered::Denied(inbox)),
            answer = self.client.send_request(subject.clone(), request) => match answer {
                Ok(message) => Ok(message.payload),
                Err(error) => Err(match error.kind() {
                    RequestErrorKind::NoResponders => Unanswered::Nobody,
                    _ => Unanswered::Late,
                }),
            },
            end = self.ended() => Err(Unanswered::Ended(end.cause)),
        }
    }
}

/// A server without a name of its own bears its id, of which the beginning says enough.
fn called(name: &str, id: &str) -> Arc<str> {
    match name.get(..ID) {
        Some(start) if name == id => text::shared(&format!("{start}…"), NAME),
        _ => text::shared(name, NAME),
    }
}

/// Waits for the value; `None`: nobody will tell it any more.
async fn once_told<T: Clone>(mut value: watch::Receiver<Option<T>>) -> Option<T> {
    let told = value.wait_for(Option::is_some).await;
    told.ok().and_then(|value| value.clone())
}

/// Where the library's news go.
struct Told {
    ended: watch::Sender<Option<Cause>>,
    denied: broadcast::Sender<Denied>,
    lame: watch::Sender<bool>,
    deaf: watch::Sender<Option<Denied>>,
    behind: watch::Sender<bool>,
    inbox: String,
}

impl Told {
    /// Passes on what the library tells; it tells on a task of its own.
    fn heed(&self, event: Event) {
        match event {
            Event::Disconnected | Event::Closed => {
                self.end(Cause::Unreachable("the connection ended".into()));
            }
            Event::LameDuckMode => {
                let _ = self.lame.send(true);
            }
            Event::ServerError(error) => match fault::denied(&error) {
                Some(denied) => {
                    if !denied.publish && denied.subject.starts_with(&self.inbox) {
                        let _ = self.deaf.send(Some(denied.clone()));
                    }
                    let _ = self.denied.send(denied);
                }
                None => self.end(fault::of_server(&error)),
            },
            // How many is counted where they are missed.
            Event::SlowConsumer(_) => {
                let _ = self.behind.send(true);
            }
            Event::Connected | Event::Draining | Event::ClientError(_) => {}
        }
    }

    fn end(&self, cause: Cause) {
        self.ended.send_if_modified(|now| {
            let first = now.is_none();
            if first {
                *now = Some(cause);
            }
            first
        });
    }
}

/// How many messages of so many bytes may wait.
pub(super) fn room(bytes: u64) -> usize {
    let room = (BACKLOG_BYTES / bytes.max(1)).clamp(BACKLOG.0, BACKLOG.1);
    usize::try_from(room).unwrap_or(1)
}

fn options(settings: &Settings, max_payload: u64) -> Result<ConnectOptions, Cause> {
    let servers = settings.urls.len();
    let wants_tls = settings.tls_required || settings.urls.iter().any(|u| u.starts_with("tls://"));
    let mut options = ConnectOptions::new()
        .name(&settings.name)
        .ignore_discovered_servers()
        .retain_servers_order()
        .connection_timeout(settings.timeout)
        .request_timeout(Some(settings.timeout))
        .ping_interval(PING)
        .read_buffer_capacity(READ_BYTES)
        .subscription_capacity(room(max_payload))
        // A lost connection ends the session: how often and when to try again is decided by the
        // supervisor alone.
        .max_reconnects(servers)
        .reconnect_delay_callback(move |attempts| {
            Duration::from_secs(if attempts <= servers { 0 } else { 1 })
        });
    if let Some(prefix) = &settings.inbox_prefix {
        options = options.custom_inbox_prefix(prefix);
    }
    if let Some(tls) = &settings.tls {
        options = options.tls_client_config(tls.clone());
    }
    if wants_tls {
        options = options.require_tls(true);
    }
    if settings.tls_first {
        options = options.tls_first();
    }
    sign(options, &settings.auth)
}

fn sign(options: ConnectOptions, auth: &Auth) -> Result<ConnectOptions, Cause> {
    Ok(match auth {
        Auth::None => options,
        Auth::Token(token) => options.token(token.expose_secret().to_owned()),
        Auth::User { user, password } => {
            options.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
        Auth::Nkey(seed) => options.nkey(seed.expose_secret().trim().to_owned()),
        Auth::Creds(text) => options
            .credentials(text.expose_secret())
            // What the library says of it may quote it.
            .map_err(|_| Cause::Config("the creds file holds no user token and seed".into()))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_bytes_however_large_and_many() {
        for mebibytes in [1, 2, 8, 64] {
            for subscriptions in 1..=8 {
                let bytes = subscriptions * (mebibytes << 20);
                let waiting = room(bytes) as u64 * bytes;
                assert!(waiting <= BACKLOG_BYTES, "{mebibytes} MiB, {subscriptions}");
            }
        }
        assert_eq!(room(1), 4_096);
    }
}
