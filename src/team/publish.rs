//! What is told goes to the disk, then to whoever listens here, then to the bus, in this order.
//!
//! One task owns the spool. It never holds up the watcher: without a bus what is told waits in the
//! spool, and the cause stands in the figures and, once, in the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::spool::{Message, Spool};
use super::{read, stream};
use crate::clock;
use crate::config::Team;
use crate::model::news::Change;
use crate::model::time::Timestamp;
use crate::source::error::SourceError;
use crate::source::nats::Bus;
use crate::source::nats::session::Session;

/// Deliveries that may wait for the disk; who tells more waits with them.
const WAITING: usize = 64;
/// Messages under way at a time, and their bytes.
const BATCH: usize = 32;
const BATCH_BYTES: usize = 1 << 20;
/// How long what waits is still given up at the end.
const FLUSH: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);
/// The server's number for a message that is larger than the stream takes.
const TOO_LARGE: u64 = 10_054;

/// What becomes of what is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// A team is configured.
    pub wanted: bool,
    /// Connected, and the stream is there.
    pub ready: bool,
    /// Why it is not, with what to do about it.
    pub fault: Option<Arc<str>>,
    /// Messages that the bus acknowledged.
    pub published: u64,
    /// Messages and bytes that wait in the spool.
    pub pending: u64,
    pub pending_bytes: u64,
    /// Messages that gave way in a full spool, or that no stream takes.
    pub dropped: u64,
    /// The spool cannot be written: what is told now would not survive the end of this process.
    pub unsafe_spool: Option<Arc<str>>,
}

/// Hears what is on the disk already.
pub type Heard = Box<dyn Fn(&[Change]) + Send>;

/// The handle of the task.
pub struct Publisher {
    told: mpsc::Sender<Vec<Change>>,
    figures: watch::Receiver<Figures>,
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Needs a runtime of several threads: the disk is waited for.
    pub fn start(team: Option<&Team>, spool: Spool, heard: Heard) -> Self {
        let (told, inbox) = mpsc::channel(WAITING);
        let first = Figures {
            wanted: team.is_some(),
            ..Figures::default()
        };
        let (sender, figures) = watch::channel(first);
        let ending = CancellationToken::new();
        let task = Task {
            link: team.map(|team| Link {
                bus: Bus::of_team(team),
                team: team.clone(),
            }),
            session: None,
            idle: false,
            present: BTreeSet::new(),
            inherited: spool.waiting().last().map_or(0, |m| m.number),
            spool,
            heard,
            figures: sender,
            waits: waits(),
        };
        Self {
            told,
            figures,
            ending: ending.clone(),
            task: tokio::spawn(task.run(inbox, ending)),
        }
    }

    /// Where changes are told. Waits for the disk, not for the bus.
    pub fn door(&self) -> mpsc::Sender<Vec<Change>> {
        self.told.clone()
    }

    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.clone()
    }

    /// Once nobody tells any more: gives up what waits, for some seconds; the rest stays on disk.
    pub async fn end(self) {
        drop(self.told);
        self.ending.cancel();
        let _ = self.task.await;
    }
}

#[derive(Clone)]
struct Link {
    bus: Arc<Bus>,
    team: Team,
}

/// What came of what was under way.
enum Step {
    Opened(Result<(Arc<Session>, BTreeSet<String>), SourceError>),
    Sent(Sent),
    Lost(SourceError),
    Rested,
}

#[derive(Default)]
struct Sent {
    /// All up to this number are there.
    until: Option<u64>,
    published: u64,
    /// Will never be taken.
    refused: u64,
    error: Option<SourceError>,
}

struct Task {
    link: Option<Link>,
    session: Option<Arc<Session>>,
    /// Nothing is under way but the wait for the session's end.
    idle: bool,
    /// Of an earlier run, and on the bus already.
    present: BTreeSet<String>,
    /// Up to this number an earlier run told it.
    inherited: u64,
    spool: Spool,
    heard: Heard,
    figures: watch::Sender<Figures>,
    waits: ExponentialBackoff,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::Receiver<Vec<Change>>, ending: CancellationToken) {
        let mut open = true;
        let mut last: Option<Instant> = None;
        let mut work = self.connect();
        self.count();
        loop {
            let until = last.unwrap_or_else(|| clock::instant() + Duration::from_secs(3600));
            tokio::select! { biased;
                told = inbox.recv(), if open => match told {
                    Some(changes) => self.take(&changes),
                    None => open = false,
                },
                () = ending.cancelled(), if last.is_none() => last = Some(clock::instant() + FLUSH),
                step = &mut work => work = self.go_on(step),
                () = tokio::time::sleep_until(until.into()), if last.is_some() => break,
            }
            if self.idle && self.spool.pending().0 > 0 {
                work = self.next();
            }
            let done = self.link.is_none() || self.spool.pending().0 == 0;
            if last.is_some() && !open && done {
                break;
            }
        }
        let (messages, bytes) = self.spool.pending();
        if messages > 0 {
            tracing::warn!(messages, bytes, "not on the bus yet: it waits in the spool");
        }
    }

    fn take(&mut self, changes: &[Change]) {
        let waits = self.link.is_some();
        let told = tokio::task::block_in_place(|| self.spool.tell(changes, waits));
        let (dropped, fault) = match told {
            Ok(told) => (told.dropped, None),
            Err(error) => (0, Some(Arc::from(error.to_string()))),
        };
        self.figures.send_modify(|figures| {
            figures.dropped += dropped;
            if let Some(fault) = fault.as_ref().filter(|_| figures.unsafe_spool.is_none()) {
                tracing::error!(%fault, "the spool is not written");
            }
            figures.unsafe_spool = fault;
        });
        (self.heard)(changes);
        self.count();
    }

    fn count(&self) {
        let (pending, pending_bytes) = self.spool.pending();
        self.figures.send_modify(|figures| {
            (figures.pending, figures.pending_bytes) = (pending, pending_bytes);
        });
    }

    fn connect(&mut self) -> BoxFuture<'static, Step> {
        self.idle = false;
        let Some(link) = self.link.clone() else {
            return std::future::pending().boxed();
        };
        // What the stream forgot to know again by its id may be there all the same.
        let old = self.spool.waiting().next();
        let old = old.filter(|m| m.number <= self.inherited && is_old(m));
        let since = old.map(|m| m.at.plus_ms(-60_000));
        async move { Step::Opened(open(&link, since).await) }.boxed()
    }

    fn go_on(&mut self, step: Step) -> BoxFuture<'static, Step> {
        match step {
            Step::Opened(Ok((session, present))) => {
                self.session = Some(session);
                self.present = present;
                self.waits = waits();
                self.fault(None);
                self.next()
            }
            Step::Sent(sent) => {
                self.sent(&sent);
                match sent.error {
                    None => self.next(),
                    Some(error) => self.rest(&error),
                }
            }
            Step::Opened(Err(error)) | Step::Lost(error) => self.rest(&error),
            Step::Rested => self.connect(),
        }
    }

    fn sent(&mut self, sent: &Sent) {
        if let Some(number) = sent.until {
            let written = tokio::task::block_in_place(|| self.spool.acknowledged(number));
            if let Err(error) = written {
                tracing::error!(%error, "the spool is not written");
            }
        }
        self.figures.send_modify(|figures| {
            figures.published += sent.published;
            figures.dropped += sent.refused;
        });
        self.count();
    }

    /// The next messages, or the wait for some.
    fn next(&mut self) -> BoxFuture<'static, Step> {
        let Some(session) = self.session.clone() else {
            return self.connect();
        };
        let mut bytes = 0;
        let small = |message: &&Message| {
            bytes += message.body.len();
            bytes <= BATCH_BYTES
        };
        let first = self.spool.waiting().take(1);
        let more = self.spool.waiting().skip(1).take_while(small);
        let batch: Vec<Message> = first.chain(more).take(BATCH).cloned().collect();
        self.idle = batch.is_empty();
        if self.idle {
            return async move { Step::Lost(session.ended().await) }.boxed();
        }
        let known: BTreeSet<String> = match self.present.is_empty() {
            true => BTreeSet::new(),
            false => batch
                .iter()
                .filter(|m| self.present.contains(&m.id))
                .map(|m| m.id.clone())
                .collect(),
        };
        async move { Step::Sent(send(&session, batch, &known).await) }.boxed()
    }

    fn rest(&mut self, error: &SourceError) -> BoxFuture<'static, Step> {
        self.session = None;
        self.idle = false;
        self.fault(Some(error));
        let wait = self.waits.next().unwrap_or(LONGEST);
        async move {
            tokio::time::sleep(wait).await;
            Step::Rested
        }
        .boxed()
    }

    fn fault(&self, error: Option<&SourceError>) {
        let told = error.map(|e| Arc::from(words(e)));
        self.figures.send_modify(|figures| {
            match &told {
                Some(fault) if figures.fault != told => {
                    tracing::warn!(%fault, "the team's bus takes nothing: what is told waits");
                }
                None if figures.fault.is_some() => tracing::info!("the team's bus takes it again"),
                _ => {}
            }
            figures.ready = told.is_none();
            figures.fault = told;
        });
    }
}

/// The cause and what to do about it.
pub fn words(error: &SourceError) -> String {
    match error.hint() {
        "" => error.to_string(),
        hint => format!("{error}; {hint}"),
    }
}

/// Between two attempts to reach the bus.
pub(super) fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

fn is_old(message: &Message) -> bool {
    let age = clock::now().age_since_ms(message.at);
    u128::from(age) * 2 > stream::DUPLICATES.as_millis()
}

async fn open(
    link: &Link,
    since: Option<Timestamp>,
) -> Result<(Arc<Session>, BTreeSet<String>), SourceError> {
    let session = link.bus.open("farwatch watch").await?;
    stream::ready(&session, &link.team).await?;
    let present = match since {
        Some(since) => read::ids(&session, &link.team, since).await?,
        None => BTreeSet::new(),
    };
    Ok((Arc::new(session), present))
}

/// Gives them all, then awaits each promise in turn.
async fn send(session: &Session, batch: Vec<Message>, known: &BTreeSet<String>) -> Sent {
    let mut sent = Sent::default();
    let done = session.permitted(give(session, batch, known, &mut sent));
    if let Err(error) = done.await {
        sent.error = Some(error);
    }
    sent
}

async fn give(session: &Session, batch: Vec<Message>, known: &BTreeSet<String>, sent: &mut Sent) {
    let context = session.jetstream();
    let mut under_way = Vec::with_capacity(batch.len());
    for message in batch {
        if known.contains(&message.id) {
            under_way.push((message.number, None));
            continue;
        }
        let given = PublishMessage::build()
            .message_id(&message.id)
            .payload(message.body);
        let given = context.send_publish(message.subject, given).await;
        under_way.push((message.number, Some(given)));
    }
    for (number, given) in under_way {
        let promised = match given {
            None => Ok(()),
            Some(Ok(promise)) => promise.await.map(|_| sent.published += 1),
            Some(Err(error)) => Err(error),
        };
        match promised {
            Ok(()) => {}
            Err(error) if is_refused(&error) => {
                tracing::error!(%error, number, "a message is larger than the bus takes: it is dropped");
                sent.refused += 1;
            }
            Err(error) => {
                sent.error = Some(stream::odd(session, &error));
                return;
            }
        }
        sent.until = Some(number);
    }
}

/// It would be refused each time.
fn is_refused(error: &PublishError) -> bool {
    use std::error::Error;
    let source = error.source();
    let server = source.and_then(|e| e.downcast_ref::<async_nats::jetstream::Error>());
    error.kind() == PublishErrorKind::MaxPayloadExceeded
        || server.is_some_and(|e| e.error_code().0 == TOO_LARGE)
}
