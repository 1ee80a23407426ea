//! What is told goes to the disk, then to whoever listens here, then to the bus, in this order.
//!
//! One task owns the spool. It never holds up the watcher: without a bus what is told waits in the
//! spool, and the cause stands in the figures and, once, in the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::spool::{Message, Spool};
use super::stream;
use crate::clock;
use crate::config::Team;
use crate::model::news::Change;
use crate::source::error::SourceError;
use crate::source::nats::Bus;

mod send;

use send::{Open, Sent};

/// Deliveries that may wait for the disk; who tells more waits with them.
const WAITING: usize = 64;
/// Messages under way at a time, and their bytes.
const BATCH: usize = 32;
const BATCH_BYTES: usize = 1 << 20;
/// How long what waits is still given up at the end.
const FLUSH: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);
/// A subject that is not permitted is tried again after this.
const BARRED: Duration = Duration::from_secs(15);

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
    /// Messages of which something was left out, as they were too large.
    pub cut: u64,
    /// Subjects on which we may not publish: their messages wait, all others go on.
    pub barred: usize,
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
            open: None,
            idle: false,
            barred: BTreeMap::new(),
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
    Opened(Arc<Open>),
    Sent(Sent),
    Lost(SourceError),
    Rested,
    /// A subject that was not permitted is to be tried again.
    Due,
}

struct Task {
    link: Option<Link>,
    open: Option<Arc<Open>>,
    /// Nothing is under way but the wait for the session's end.
    idle: bool,
    /// Subjects on which we may not publish, and until when that is taken for granted.
    barred: BTreeMap<String, Instant>,
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
            // What is not permitted now will not be so in some seconds.
            let done = self.link.is_none() || self.spool.pending().0 == 0 || self.idle;
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
        let (dropped, cut, fault) = match told {
            Ok(told) => (told.dropped, told.cut, None),
            Err(error) => (0, 0, Some(Arc::from(error.to_string()))),
        };
        self.figures.send_modify(|figures| {
            figures.dropped += dropped;
            figures.cut += cut;
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
        async move {
            match Open::new(&link.bus, &link.team, since).await {
                Ok(open) => Step::Opened(Arc::new(open)),
                Err(error) => Step::Lost(error),
            }
        }
        .boxed()
    }

    fn go_on(&mut self, step: Step) -> BoxFuture<'static, Step> {
        match step {
            Step::Opened(open) => {
                self.open = Some(open);
                // Permissions of another connection may be others.
                let now = clock::instant();
                self.barred.values_mut().for_each(|until| *until = now);
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
            Step::Lost(error) => self.rest(&error),
            Step::Rested => self.connect(),
            Step::Due => self.next(),
        }
    }

    fn sent(&mut self, sent: &Sent) {
        if !sent.done.is_empty() {
            let written = tokio::task::block_in_place(|| self.spool.acknowledged(&sent.done));
            if let Err(error) = written {
                tracing::error!(%error, "the spool is not written");
            }
        }
        for subject in &sent.taken {
            if self.barred.remove(subject).is_some() {
                tracing::info!(%subject, "the team's bus takes it now");
            }
        }
        let until = clock::instant() + BARRED;
        for (subject, error) in &sent.barred {
            if self.barred.insert(subject.clone(), until).is_none() {
                tracing::warn!(%subject, fault = %words(error), "what is told there waits");
            }
        }
        self.figures.send_modify(|figures| {
            figures.published += sent.published;
            figures.dropped += sent.refused;
            figures.cut += sent.cut;
            figures.barred = self.barred.len();
        });
        self.count();
    }

    /// The next messages, or the wait for some.
    fn next(&mut self) -> BoxFuture<'static, Step> {
        let Some(open) = self.open.clone() else {
            return self.connect();
        };
        let now = clock::instant();
        let barred = |m: &&Message| self.barred.get(&m.subject).is_some_and(|end| *end > now);
        let mut free = self.spool.waiting().filter(|m| !barred(m));
        let mut bytes = 0;
        let small = |message: &&Message| {
            bytes += message.body.len();
            bytes <= BATCH_BYTES
        };
        let first = free.next();
        let more = free.take_while(small);
        let batch = first.into_iter().chain(more).take(BATCH);
        let batch: Vec<Message> = batch.cloned().collect();
        self.idle = batch.is_empty();
        if !self.idle {
            return async move { Step::Sent(open.send(batch).await) }.boxed();
        }
        let waiting = &self.spool;
        self.barred
            .retain(|subject, _| waiting.waiting().any(|m| m.subject == *subject));
        let again = self.barred.values().min().copied();
        async move {
            let again = async {
                match again {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                error = open.session.ended() => Step::Lost(error),
                () = again => Step::Due,
            }
        }
        .boxed()
    }

    fn rest(&mut self, error: &SourceError) -> BoxFuture<'static, Step> {
        self.open = None;
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
