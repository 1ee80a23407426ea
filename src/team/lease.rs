//! Which clusters are watched here: leases in a bucket of the team, one a cluster.
//!
//! A lease lives for two intervals after it was renewed last. Others judge that by their own clock
//! that never jumps, from when they saw the renewal; its holder, who counts from before it asked for
//! it, stops a quarter of an interval early. So nobody's clock has to be right, and a cluster has
//! never two watchers that can hear the bus. Who hears it no longer stops, unless it was alone: then
//! nobody else is there to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::publish::words;
use crate::clock;
use crate::config::Team;
use crate::model::news::token;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::bucket::{Bucket, News, Shape, Value, Written};
use crate::source::nats::session::Session;

mod table;

pub use table::Lease;
use table::{Beat, Mine, Table};

/// Renewals under way at a time.
const AT_ONCE: usize = 32;
/// Keys that nobody renews go after this.
const AGE: Duration = Duration::from_secs(3600);
const BYTES: u32 = 64 << 20;
const VALUE_BYTES: u32 = 4 << 10;
/// How long the leases may take to be given back at the end.
const GOODBYE: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(15);

/// What is to be done about a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Watch(Arc<str>),
    /// [`Leases::stopped`] is awaited.
    Stop(Arc<str>),
}

/// How the sharing goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The bucket is heard; false without a team.
    pub ready: bool,
    pub fault: Option<Arc<str>>,
    /// Live replicas, this one included.
    pub replicas: usize,
    /// Clusters taken and given up since the start.
    pub taken: u64,
    pub given_up: u64,
}

/// Clusters that are watched here, and until when that is sure.
#[derive(Debug, Default)]
struct Held {
    until: BTreeMap<Arc<str>, Instant>,
    /// Another replica was live when the bucket was heard last.
    others: bool,
    /// The bucket was heard once.
    met: bool,
}

/// The handle of the tasks.
pub struct Leases {
    figures: watch::Receiver<Figures>,
    stopped: mpsc::UnboundedSender<Arc<str>>,
    ending: CancellationToken,
    task: JoinHandle<()>,
    guard: JoinHandle<()>,
}

impl Leases {
    /// `name`: of this replica. Orders come through what is returned with it.
    pub fn start(
        team: &Team,
        name: &str,
        interval: Duration,
        clusters: Vec<Arc<str>>,
    ) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (stopped, stops) = mpsc::unbounded_channel();
        let (sender, figures) = watch::channel(Figures::default());
        let ending = CancellationToken::new();
        let held = Arc::new(watch::Sender::new(Held::default()));
        let keeper = Keeper {
            bus: Bus::of_team(team),
            team: team.clone(),
            interval,
            table: Table::new(name, interval, clusters.clone()),
            held: Arc::clone(&held),
            orders: orders.clone(),
            figures: sender,
            releasing: BTreeSet::new(),
        };
        let guard = tokio::spawn(guard(held, orders, interval, clusters));
        let task = tokio::spawn(keeper.run(stops, ending.clone()));
        let leases = Self {
            figures,
            stopped,
            ending,
            task,
            guard,
        };
        (leases, ordered)
    }

    pub fn figures(&self) -> watch::Receiver<Figures> {
        self.figures.clone()
    }

    /// Nothing of this cluster is asked or told here any more.
    pub fn stopped(&self, cluster: Arc<str>) {
        // The task ends with us.
        let _ = self.stopped.send(cluster);
    }

    /// Gives everything back. Nothing may be watched any more.
    pub async fn end(self) {
        self.guard.abort();
        self.ending.cancel();
        let _ = self.task.await;
    }
}

/// Stops what is no longer ours for sure, whatever the bus does meanwhile.
async fn guard(
    held: Arc<watch::Sender<Held>>,
    orders: mpsc::UnboundedSender<Order>,
    interval: Duration,
    clusters: Vec<Arc<str>>,
) {
    let begin = clock::instant();
    loop {
        tokio::time::sleep(interval / 10).await;
        let now = clock::instant();
        held.send_if_modified(|held| {
            if !held.met && held.until.is_empty() && now - begin > interval * 3 {
                tracing::warn!("nobody is heard on the team's bus: all clusters are watched here");
                for cluster in &clusters {
                    held.until.insert(cluster.clone(), now);
                    let _ = orders.send(Order::Watch(cluster.clone()));
                }
            }
            if !held.others {
                return false;
            }
            held.until.retain(|cluster, until| {
                let sure = *until > now;
                if !sure {
                    tracing::warn!(%cluster, "the lease could not be renewed: no longer watched here");
                    let _ = orders.send(Order::Stop(cluster.clone()));
                }
                sure
            });
            false
        });
    }
}

struct Keeper {
    bus: Arc<Bus>,
    team: Team,
    interval: Duration,
    table: Table,
    held: Arc<watch::Sender<Held>>,
    orders: mpsc::UnboundedSender<Order>,
    figures: watch::Sender<Figures>,
    /// Given up, and not stopped yet.
    releasing: BTreeSet<Arc<str>>,
}

impl Keeper {
    async fn run(
        mut self,
        mut stops: mpsc::UnboundedReceiver<Arc<str>>,
        ending: CancellationToken,
    ) {
        let mut wait = Duration::from_millis(250);
        loop {
            let begin = clock::instant();
            // Who is connected says goodbye first.
            let late = async {
                ending.cancelled().await;
                tokio::time::sleep(GOODBYE).await;
            };
            let error = tokio::select! { biased;
                error = self.attend(&mut stops, &ending) => error,
                () = late => return,
            };
            let Err(error) = error else { return };
            self.fail(&error);
            if clock::instant() - begin > self.interval * 2 {
                wait = Duration::from_millis(250);
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = ending.cancelled() => return,
            }
            wait = (wait * 2).min(LONGEST).min(self.interval);
        }
    }

    fn fail(&self, error: &SourceError) {
        let told: Arc<str> = words(error).into();
        self.figures.send_modify(|figures| {
            if figures.fault.as_ref() != Some(&told) {
                tracing::warn!(fault = %told, "the leases are not heard");
            }
            figures.ready = false;
            figures.fault = Some(told);
        });
    }

    /// Works with one connection until it ends. `Ok`: we go.
    async fn attend(
        &mut self,
        stops: &mut mpsc::UnboundedReceiver<Arc<str>>,
        ending: &CancellationToken,
    ) -> Result<(), SourceError> {
        let session = self.bus.open("farwatch leases").await?;
        let bucket = Bucket::open(&session, &shape(&self.team), self.team.create).await?;
        let mut news = bucket.watch().await?;
        let own = self.beat(&session, &bucket).await?;
        // All that stood there has come once our own word comes back.
        while !self.hear(news.next().await?, own) {}
        let mut beat_due = clock::instant() + self.interval;
        // Who comes with us shall be known before anything is taken.
        tokio::time::sleep(self.interval / 2).await;
        let mut look = tokio::time::interval(self.interval / 10);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! { biased;
                () = ending.cancelled() => {
                    let goodbye = self.goodbye(&bucket);
                    let _ = tokio::time::timeout(GOODBYE / 2, goodbye).await;
                    return Ok(());
                }
                Some(cluster) = stops.recv() => self.release(&bucket, cluster).await?,
                heard = news.next() => { self.hear(heard?, 0); }
                _ = look.tick() => {}
            }
            self.drain(&mut news);
            if clock::instant() >= beat_due {
                beat_due = clock::instant() + self.interval;
                self.beat(&session, &bucket).await?;
            }
            self.step(&session, &bucket).await?;
        }
    }

    /// What is there already beside what was waited for.
    fn drain(&mut self, news: &mut News<'_>) {
        use futures::FutureExt;
        while let Some(Ok(values)) = news.next().now_or_never() {
            self.hear(values, 0);
        }
    }

    /// True once the value of this revision came.
    fn hear(&mut self, values: Vec<Value>, until: u64) -> bool {
        let now = clock::instant();
        let mut found = false;
        for value in values {
            found |= value.revision >= until && until > 0;
            self.table
                .hear(&value.key, value.bytes.as_deref(), value.revision, now);
        }
        found
    }

    /// Says that we are there; the revision of that.
    async fn beat(&self, session: &Session, bucket: &Bucket<'_>) -> Result<u64, SourceError> {
        let beat = Beat {
            replica: self.table.name.clone(),
            instance: self.table.instance.clone(),
            at: clock::now(),
        };
        let body = packed(session, &beat)?;
        let key = self.table.own_key();
        self.in_time(session, bucket.put(&key, body)).await
    }

    /// An answer that takes longer than an interval is none.
    async fn in_time<T>(
        &self,
        session: &Session,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let within = self.interval.min(self.team.nats.timeout);
        match tokio::time::timeout(within, work).await {
            Ok(done) => done,
            Err(_) => Err(session.error(Cause::Timeout(within))),
        }
    }

    /// Takes, renews and gives up what is due.
    async fn step(&mut self, session: &Session, bucket: &Bucket<'_>) -> Result<(), SourceError> {
        let now = clock::instant();
        let replicas = self.table.live(now);
        let mut mine: BTreeMap<Arc<str>, Mine> = BTreeMap::new();
        for (cluster, mine_of) in self.table.look(now) {
            mine.insert(cluster, mine_of);
        }
        self.held.send_modify(|held| {
            held.met = true;
            held.others = replicas > 1;
            held.until.retain(|cluster, _| {
                let keep = match mine.get(cluster) {
                    Some(Mine::Due(_) | Mine::Held) => true,
                    Some(Mine::GiveUp) => {
                        self.releasing.insert(cluster.clone());
                        false
                    }
                    Some(Mine::Theirs) | None => false,
                };
                if !keep {
                    let _ = self.orders.send(Order::Stop(cluster.clone()));
                }
                keep
            });
        });
        let due = mine.iter().filter_map(|(cluster, mine)| match mine {
            Mine::Due(revision) => Some((cluster.clone(), *revision)),
            _ => None,
        });
        let due: Vec<(Arc<str>, u64)> = due.collect();
        let asked = due.into_iter().map(|(cluster, revision)| {
            let lease = self.table.lease(&cluster, clock::now());
            let key = table::lease_key(&cluster);
            async move {
                let sent = clock::instant();
                let body = packed(session, &lease)?;
                let written = bucket.set(&key, body, revision).await?;
                Ok::<_, SourceError>((cluster, lease, sent, written))
            }
        });
        let asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let asked = asked.collect::<Vec<_>>();
        let done = self.in_time(session, async { Ok(asked.await) }).await?;
        for one in done {
            let (cluster, lease, sent, written) = one?;
            match written {
                Written::Yes(revision) => self.hold(cluster, lease, revision, sent),
                // The watch tells who was first.
                Written::Outrun => {}
                Written::Refused(why) => return Err(session.error(Cause::Query(why))),
            }
        }
        self.figures.send_if_modified(|figures| {
            let news = !figures.ready || figures.replicas != replicas || figures.fault.is_some();
            (figures.ready, figures.replicas, figures.fault) = (true, replicas, None);
            news
        });
        Ok(())
    }

    fn hold(&mut self, cluster: Arc<str>, lease: Lease, revision: u64, sent: Instant) {
        self.table.renewed(&cluster, lease, revision, sent);
        let until = sent + self.table.sure();
        let mut new = false;
        self.held.send_modify(|held| {
            new = held.until.insert(cluster.clone(), until).is_none();
            if new {
                let _ = self.orders.send(Order::Watch(cluster.clone()));
            }
        });
        if new {
            tracing::info!(%cluster, "watched here");
            self.figures.send_modify(|figures| figures.taken += 1);
        }
    }

    /// Lets others have it, once nothing of it goes on here.
    async fn release(&mut self, bucket: &Bucket<'_>, cluster: Arc<str>) -> Result<(), SourceError> {
        if !self.releasing.remove(&cluster) {
            return Ok(());
        }
        self.figures.send_modify(|figures| figures.given_up += 1);
        tracing::info!(%cluster, "given up for another watcher");
        self.free(bucket, &cluster).await
    }

    async fn free(&mut self, bucket: &Bucket<'_>, cluster: &Arc<str>) -> Result<(), SourceError> {
        let Some(revision) = self.table.ours(cluster) else {
            return Ok(());
        };
        let free = Lease::free(cluster.clone(), clock::now());
        let Ok(body) = rmp_serde::to_vec_named(&free) else {
            return Ok(());
        };
        bucket
            .set(&table::lease_key(cluster), body, revision)
            .await?;
        self.table.forget(cluster);
        Ok(())
    }

    async fn goodbye(&mut self, bucket: &Bucket<'_>) -> Result<(), SourceError> {
        bucket.delete(&self.table.own_key()).await?;
        for cluster in self.table.all_ours() {
            self.free(bucket, &cluster).await?;
        }
        Ok(())
    }
}

/// The bucket of the leases.
pub(super) fn shape(team: &Team) -> Shape {
    Shape {
        name: format!("{}-leases", team.name),
        description: "who watches which cluster (farwatch)",
        history: 8,
        max_age: AGE,
        max_bytes: BYTES,
        max_value_bytes: VALUE_BYTES,
        replicas: team.replicas,
        fleeting: false,
    }
}

fn packed<T: serde::Serialize>(session: &Session, value: &T) -> Result<Vec<u8>, SourceError> {
    rmp_serde::to_vec_named(value).map_err(|e| session.error(Cause::Bug(e.to_string())))
}

/// A name that a key can bear.
pub fn replica_name(given: &str) -> String {
    let mut name = token(given);
    name.truncate(60);
    name
}
