//! NATS: what streams and consumers do, and what passes on the subjects; a guest that changes
//! nothing.
//!
//! Two connections: one looks at the streams now and then, the other follows subjects while
//! somebody wants that, so that a flood of messages never hides the state of the bus.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::clock;
use crate::config::{Cluster, Endpoint, Nats, NatsAuth, Team};
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::bus::{Following, Pattern, Tail};
use crate::model::telemetry::Body;
use crate::source::door::{client_config, read_secret};
use crate::source::error::{Cause, SourceError, TEAM};
use crate::source::report::Report;
use crate::source::supervisor::{Heard, Line, Source};
use crate::source::{Lookup, Told, addressed};

pub mod bucket;
pub mod chat;
pub mod decode;
mod fault;
pub mod follower;
pub mod history;
pub mod put;
pub mod rights;
mod sample;
pub mod session;
pub mod stream;
pub mod survey;
pub mod tail;
mod wire;
mod words;

pub use words::Words;

use session::{Auth, Session, Settings};

/// Largest message that is expected where the server was not asked yet, bytes.
const USUAL_MESSAGE: u64 = 1 << 20;

/// The bus of one cluster, as configured, and what is followed there.
#[derive(Debug)]
pub struct Bus {
    cluster: String,
    nats: Nats,
    interval: Duration,
    following: watch::Sender<Following>,
}

impl Bus {
    pub fn new(cluster: &Cluster, nats: &Nats) -> Arc<Self> {
        Arc::new(Self {
            cluster: cluster.name.clone(),
            nats: nats.clone(),
            interval: nats.interval.unwrap_or(cluster.kind.interval()),
            following: watch::Sender::new(configured(nats)),
        })
    }

    /// The bus that the team shares. Nothing is followed there, and no stream is looked at.
    pub fn of_team(team: &Team) -> Arc<Self> {
        Arc::new(Self {
            cluster: TEAM.into(),
            nats: team.nats.clone(),
            interval: team.nats.interval.unwrap_or(team.nats.timeout),
            following: watch::Sender::new(Following::default()),
        })
    }

    /// A bus that belongs to no cluster.
    pub fn apart(nats: &Nats) -> Arc<Self> {
        Arc::new(Self {
            cluster: String::new(),
            nats: nats.clone(),
            interval: nats.interval.unwrap_or_default(),
            following: watch::Sender::default(),
        })
    }

    /// For a connection, and for an answer.
    pub fn timeout(&self) -> Duration {
        self.nats.timeout
    }

    /// The addresses as they are shown.
    pub fn shown(&self) -> String {
        self.nats.urls.join(",")
    }

    /// `None`: what the configuration says.
    pub fn follow(&self, wanted: Option<Following>) {
        let wanted = wanted.unwrap_or_else(|| configured(&self.nats));
        self.following.send_if_modified(|now| {
            let news = *now != wanted;
            *now = wanted;
            news
        });
    }

    /// Opens a connection; secrets are read for it. `purpose` is told to the server.
    pub async fn open(&self, purpose: &str) -> Result<Session, SourceError> {
        self.open_expecting(purpose, USUAL_MESSAGE).await
    }

    /// The same for messages of so many bytes: of smaller ones more may wait.
    pub async fn open_expecting(&self, purpose: &str, bytes: u64) -> Result<Session, SourceError> {
        let settings = self.settings(purpose).await;
        let settings =
            settings.map_err(|cause| SourceError::new(&self.cluster, &self.shown(), cause))?;
        Session::open(settings, bytes).await
    }

    /// Opens a connection to follow these: what waits there is bounded in bytes, however large the
    /// messages that this server takes.
    pub async fn open_to_follow(&self, patterns: &[Pattern]) -> Result<Session, SourceError> {
        const PURPOSE: &str = "farwatch tail";
        let subscriptions = tail::subscriptions(patterns).max(1) as u64;
        let session = self
            .open_expecting(PURPOSE, USUAL_MESSAGE * subscriptions)
            .await?;
        let largest = session.server().max_payload;
        if largest <= USUAL_MESSAGE {
            return Ok(session);
        }
        // The room of a connection is given before its server says what it takes.
        drop(session);
        self.open_expecting(PURPOSE, largest.saturating_mul(subscriptions))
            .await
    }

    async fn settings(&self, purpose: &str) -> Result<Settings, Cause> {
        let nats = &self.nats;
        let files = Endpoint {
            ca_file: nats.ca_file.clone(),
            client_cert_file: nats.client_cert_file.clone(),
            client_key_file: nats.client_key_file.clone(),
            ..Endpoint::default()
        };
        Ok(Settings {
            cluster: self.cluster.clone(),
            urls: nats.urls.clone(),
            tls: Some(client_config(&files, Vec::new()).map_err(Cause::Config)?),
            tls_required: nats.tls,
            tls_first: nats.tls_first,
            auth: signed(&nats.auth).await.map_err(Cause::Config)?,
            name: purpose.into(),
            inbox_prefix: nats.inbox_prefix.clone(),
            domain: nats.domain.clone(),
            timeout: nats.timeout,
        })
    }
}

fn configured(nats: &Nats) -> Following {
    Following {
        patterns: nats.follow.clone(),
        words: String::new(),
    }
}

async fn signed(auth: &NatsAuth) -> Result<Auth, String> {
    Ok(match auth {
        NatsAuth::None => Auth::None,
        NatsAuth::Creds(path) => Auth::Creds(read_secret(path).await?),
        NatsAuth::Nkey(path) => Auth::Nkey(read_secret(path).await?),
        NatsAuth::Token(path) => Auth::Token(read_secret(path).await?),
        NatsAuth::User {
            user,
            password_file,
        } => Auth::User {
            user: user.clone(),
            password: read_secret(password_file).await?,
        },
    })
}

/// Looks at streams and consumers, and says whether the bus is there.
pub struct NatsSource {
    bus: Arc<Bus>,
}

impl NatsSource {
    pub fn new(bus: Arc<Bus>) -> Self {
        Self { bus }
    }

    async fn look(&self, session: &Session, line: &Line) -> Result<bool, SourceError> {
        let found = tokio::select! {
            found = survey::survey(session) => found?,
            end = session.ended() => return Err(end),
        };
        line.heard(Heard {
            latency_ms: found.latency_ms,
            skew_ms: found.skew_ms,
            bytes: found.bytes,
            via: None,
        })
        .await;
        Ok(line.send(Body::Bus(Box::new(found.survey))).await)
    }
}

impl Source for NatsSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            line.interval(self.bus.interval);
            let session = self.bus.open("farwatch").await?;
            line.version(&session.server().version);
            loop {
                let next = clock::instant() + self.bus.interval;
                if !self.look(&session, line).await? {
                    return Ok(());
                }
                tokio::select! {
                    _ = line.rest(next) => {}
                    end = session.ended() => return Err(end),
                }
            }
        }
        .boxed()
    }
}

/// Follows what is wanted until the loop is gone; the source beside it speaks of the health.
pub async fn tail(bus: Arc<Bus>, mut report: Report) {
    let mut wanted = bus.following.subscribe();
    let mut gap = false;
    loop {
        let following = wanted.borrow_and_update().clone();
        if following.patterns.is_empty() {
            say(&report, Tail::default());
            gap = false;
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        }
        let began = clock::instant();
        let error = tokio::select! {
            error = follow(&bus, &following, gap, &report) => error,
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                gap = false;
                continue;
            }
        };
        tracing::info!(fault = %error, "bus tail ended");
        gap = true;
        report.waits.lasted(began.elapsed());
        say(
            &report,
            Tail {
                patterns: Pattern::reduced(&following.patterns),
                words: following.words.into(),
                fault: Some(error.cause.to_string().into()),
                ..Tail::default()
            },
        );
        let Some(delay) = report.failed(error.fault(), error.retry_after()).await else {
            return;
        };
        tokio::select! {
            () = report.waits.rest(delay) => {}
            // Asked for something else: that is tried at once.
            Ok(()) = wanted.changed() => gap = false,
        }
    }
}

async fn follow(bus: &Bus, following: &Following, gap: bool, report: &Report) -> SourceError {
    let session = match bus.open_to_follow(&following.patterns).await {
        Ok(session) => session,
        Err(error) => return error,
    };
    let wanted = tail::Wanted {
        patterns: following.patterns.clone(),
        words: following.words.clone(),
        gap,
    };
    let give = |tail| {
        let telemetry = report.wrap(Body::BusTail(tail));
        report
            .outlet
            .hand(telemetry)
            .map_err(|back| match back.body {
                Body::BusTail(tail) => tail,
                _ => Box::default(),
            })
    };
    tail::follow(&session, &wanted, give).await
}

/// Told if there is room; the next delivery says it again.
fn say(report: &Report, tail: Tail) {
    let telemetry = report.wrap(Body::BusTail(Box::new(tail)));
    let _ = report.outlet.hand(telemetry);
}

impl Lookup for Bus {
    fn ask(&self, question: Question) -> BoxFuture<'_, Answered> {
        async move {
            let started = clock::instant();
            let found = self.find(&question.ask).await;
            addressed(question, &self.shown(), started, found)
        }
        .boxed()
    }
}

impl Bus {
    async fn find(&self, ask: &Ask) -> Result<Told, SourceError> {
        let Ask::Messages {
            stream,
            start,
            filter,
            limit,
        } = ask
        else {
            let what = "this question does not go to a bus".to_owned();
            return Err(SourceError::new(
                &self.cluster,
                &self.shown(),
                Cause::Bug(what),
            ));
        };
        let session = self.open("farwatch history").await?;
        let most = usize::try_from(*limit).unwrap_or(history::MOST);
        let read = history::read(&session, stream, *start, filter.as_ref(), most).await?;
        Ok(Told {
            cut_from: read.more.then_some(read.messages.len()),
            answer: Answer::Messages(read.messages),
            warnings: Vec::new(),
            latency_ms: None,
        })
    }
}
