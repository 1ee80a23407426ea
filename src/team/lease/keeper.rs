//! The task that takes, renews and gives up leases, for as long as the bus is heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::table::{self, Beat, Lease, Mine, Table};
use super::{AGE, Figures, Held, Order, shape};
use crate::clock;
use crate::config::Team;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::bucket::{Bucket, News, Value, Written};
use crate::source::nats::session::Session;
use crate::team::publish::words;

/// Renewals under way at a time.
const AT_ONCE: usize = 32;
/// How long the leases may take to be given back at the end.
const GOODBYE: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(15);

pub(super) struct Keeper {
    pub(super) bus: Arc<Bus>,
    pub(super) team: Team,
    pub(super) interval: Duration,
    pub(super) table: Table,
    pub(super) held: Arc<watch::Sender<Held>>,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) figures: watch::Sender<Figures>,
    /// Given up, and not stopped yet.
    pub(super) releasing: BTreeSet<Arc<str>>,
}

impl Keeper {
    pub(super) async fn run(
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
        self.tell_duty(&session, &bucket).await?;
        let own = self.beat(&session, &bucket).await?;
        self.table.meet(own);
        // All that stood there has come once our own word comes back.
        loop {
            let heard = news.next().await?;
            let all = heard.iter().any(|value| value.revision >= own);
            self.hear(&heard);
            if all {
                break;
            }
        }
        let mut beat_due = clock::instant() + self.interval;
        let mut duty_due = clock::instant() + AGE / 3;
        // Who comes with us shall be known before anything is taken.
        tokio::time::sleep(self.interval / 2).await;
        let mut look = tokio::time::interval(self.interval / 10);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut due = true;
            tokio::select! { biased;
                () = ending.cancelled() => {
                    let goodbye = self.goodbye(&bucket);
                    let _ = tokio::time::timeout(GOODBYE / 2, goodbye).await;
                    return Ok(());
                }
                Some(cluster) = stops.recv() => self.release(&bucket, cluster).await?,
                _ = look.tick() => {}
                heard = news.next() => due = self.hear(&heard?),
            }
            due |= self.drain(&mut news);
            if clock::instant() >= beat_due {
                beat_due = clock::instant() + self.interval;
                self.beat(&session, &bucket).await?;
            }
            if clock::instant() >= duty_due {
                duty_due = clock::instant() + AGE / 3;
                self.tell_duty(&session, &bucket).await?;
            }
            // Most of what is heard are renewals of others, from which nothing follows.
            if due {
                self.step(&session, &bucket).await?;
            }
        }
    }

    /// What is there already beside what was waited for.
    fn drain(&mut self, news: &mut News<'_>) -> bool {
        use futures::FutureExt;
        let mut due = false;
        while let Some(Ok(values)) = news.next().now_or_never() {
            due |= self.hear(&values);
        }
        due
    }

    /// True where something may have to be done.
    fn hear(&mut self, values: &[Value]) -> bool {
        let now = clock::instant();
        let mut due = false;
        for value in values {
            let (key, body) = (&value.key, value.bytes.as_deref());
            due |= self.table.hear(key, body, value.revision, now);
        }
        due
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

    /// Says what could be watched here.
    async fn tell_duty(&self, session: &Session, bucket: &Bucket<'_>) -> Result<u64, SourceError> {
        let body = packed(session, self.table.duty())?;
        let key = self.table.duty_key();
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
        let mine = self.table.look(now);
        self.held.send_modify(|held| {
            held.met = true;
            held.shared.clone_from(self.table.shared());
            held.until.retain(|cluster, _| {
                let keep = match mine.get(cluster) {
                    Some(Mine::Due(_) | Mine::Held | Mine::Awaited) => true,
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
        self.renew(session, bucket, &mine).await?;
        self.figures.send_if_modified(|figures| {
            let news = !figures.ready || figures.replicas != replicas || figures.fault.is_some();
            (figures.ready, figures.replicas, figures.fault) = (true, replicas, None);
            figures.settled = true;
            news
        });
        Ok(())
    }

    /// Writes what is due, all at a time.
    async fn renew(
        &mut self,
        session: &Session,
        bucket: &Bucket<'_>,
        mine: &BTreeMap<Arc<str>, Mine>,
    ) -> Result<(), SourceError> {
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
        bucket.delete(&self.table.duty_key()).await?;
        for cluster in self.table.all_ours() {
            self.free(bucket, &cluster).await?;
        }
        Ok(())
    }
}

fn packed<T: serde::Serialize>(session: &Session, value: &T) -> Result<Vec<u8>, SourceError> {
    rmp_serde::to_vec_named(value).map_err(|e| session.error(Cause::Bug(e.to_string())))
}
