//! The watcher as a whole: takes clusters up and lets them go as the leases say, and carries what
//! they tell to disk, bus and archive.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Gauges;
use super::log::Taken;
use super::outlets::Outlets;
use super::told::Told;
use super::ward::{self, Book, Site, Turn};
use crate::archive::desk::Desk;
use crate::clock;
use crate::config::{Config, Samples};
use crate::model::archive::{Keep, Recalled};
use crate::model::news::Change;
use crate::team::lease::{Leases, Order};
use crate::team::publish::Publisher;
use crate::team::spool::{Spool, SpoolError};

/// Figures are made so often.
const MEASURE: Duration = Duration::from_secs(1);
/// Deliveries that may wait for the loop.
const WAITING: usize = 256;
/// A look at a cluster that is older tells nothing of now.
const FRESH: Duration = Duration::from_secs(15);
/// Incidents of the book; over it those that ended go.
const BOOK: usize = 20_000;

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(
        "no folder is known for what the bus does not have yet; name one: [watch] spool = \"PATH\""
    )]
    NoSpool,
    #[error("{0}")]
    Spool(#[from] SpoolError),
    #[error("{0}")]
    Outlet(String),
    #[error("signals cannot be heard: {0}")]
    Signals(std::io::Error),
}

/// Watches until a signal ends it. Needs a runtime of several threads.
pub async fn run(config: Arc<Config>, replica: Arc<str>, taken: Taken) -> Result<(), WatchError> {
    let mut ends = ends().map_err(WatchError::Signals)?;
    let outlets = Outlets::start(&config.watch, taken).await;
    let outlets = outlets.map_err(WatchError::Outlet)?;
    let mut watcher = Watcher::begin(config, replica, outlets)?;
    loop {
        tokio::select! { biased;
            () = ended(&mut ends) => break,
            () = watcher.next() => {}
        }
    }
    tracing::info!("end");
    watcher.end().await;
    Ok(())
}

fn ends() -> std::io::Result<[Signal; 3]> {
    Ok([
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ])
}

async fn ended(signals: &mut [Signal; 3]) {
    let [a, b, c] = signals;
    tokio::select! {
        _ = a.recv() => {}
        _ = b.recv() => {}
        _ = c.recv() => {}
    }
}

/// A cluster that is watched, or being let go.
struct Held {
    stop: CancellationToken,
    /// It is to be watched again once it has ended.
    again: bool,
    turn: Option<Turn>,
}

struct Watcher {
    site: Arc<Site>,
    outlets: Outlets,
    publisher: Publisher,
    leases: Option<Leases>,
    orders: mpsc::UnboundedReceiver<Order>,
    kept: mpsc::Receiver<Vec<Keep>>,
    turns: mpsc::Receiver<Turn>,
    desk: Option<Desk>,
    wards: JoinSet<()>,
    names: HashMap<Id, Arc<str>>,
    held: BTreeMap<Arc<str>, Held>,
    /// Batches lost by clusters that are no longer watched.
    lost: u64,
    told: watch::Receiver<u64>,
    measure: tokio::time::Interval,
}

impl Watcher {
    fn begin(config: Arc<Config>, replica: Arc<str>, outlets: Outlets) -> Result<Self, WatchError> {
        let now = clock::now();
        let folder = config.watch.spool.clone().ok_or(WatchError::NoSpool)?;
        let (spool, known) = Spool::open(&folder, config.watch.spool_size_bytes, now)?;
        if spool.broken > 0 {
            tracing::warn!(
                bytes = spool.broken,
                "the end of the spool was broken: left out"
            );
        }
        let book: Book = Arc::default();
        note(&book, &known);
        let (count, told) = watch::channel(0);
        let noted = Arc::clone(&book);
        let heard = Box::new(move |changes: &[Change]| {
            note(&noted, changes);
            count.send_modify(|count| *count += changes.len() as u64);
        });
        let publisher = Publisher::start(config.team.as_ref(), spool, heard);
        let names: Vec<Arc<str>> = config
            .clusters
            .iter()
            .map(|c| c.name.as_str().into())
            .collect();
        tracing::info!("watching {} clusters as {replica}", names.len());
        let (leases, orders) = shared(&config, &replica, names);
        let (kept, keeps) = mpsc::channel(WAITING);
        let (turned, turns) = mpsc::channel(WAITING);
        let desk = desk(&config);
        let site = Arc::new(Site {
            config,
            replica,
            book,
            told: publisher.door(),
            kept,
            turns: turned,
        });
        Ok(Self {
            site,
            outlets,
            publisher,
            leases,
            orders,
            kept: keeps,
            turns,
            desk,
            wards: JoinSet::new(),
            names: HashMap::new(),
            held: BTreeMap::new(),
            lost: 0,
            told,
            measure: tokio::time::interval(MEASURE),
        })
    }

    /// Does what is next. May be dropped while it waits.
    async fn next(&mut self) {
        tokio::select! { biased;
            Some(order) = self.orders.recv() => self.obey(order),
            Some(ended) = self.wards.join_next_with_id() => self.ended(ended),
            _ = self.measure.tick() => self.measure(),
            Some(turn) = self.turns.recv() => self.turned(turn),
            Some(what) = self.kept.recv() => self.keep(what),
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Watch(name) => match self.held.get_mut(&name) {
                Some(held) => held.again = held.stop.is_cancelled(),
                None => self.watch(name),
            },
            Order::Stop(name) => match self.held.get_mut(&name) {
                Some(held) => {
                    held.again = false;
                    held.stop.cancel();
                }
                None => self.stopped(name),
            },
        }
    }

    fn watch(&mut self, name: Arc<str>) {
        let clusters = &self.site.config.clusters;
        let Some(place) = clusters.iter().position(|c| c.name == *name) else {
            return;
        };
        let stop = CancellationToken::new();
        let ward = ward::watch(Arc::clone(&self.site), place, stop.clone());
        let id = self.wards.spawn(ward).id();
        self.names.insert(id, name.clone());
        let held = Held {
            stop,
            again: false,
            turn: None,
        };
        self.held.insert(name, held);
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let (id, broken) = match &ended {
            Ok((id, ())) => (*id, false),
            Err(error) => (error.id(), true),
        };
        let Some(name) = self.names.remove(&id) else {
            return;
        };
        let held = self.held.remove(&name);
        let again = held
            .as_ref()
            .is_some_and(|h| h.again || !h.stop.is_cancelled());
        self.lost += held.and_then(|h| h.turn).map_or(0, |turn| turn.lost);
        if broken {
            tracing::error!(cluster = %name, "a mistake of farwatch itself: begun anew");
        }
        match again {
            true => self.watch(name),
            false => self.stopped(name),
        }
    }

    fn stopped(&self, name: Arc<str>) {
        if let Some(leases) = &self.leases {
            leases.stopped(name);
        }
    }

    fn turned(&mut self, turn: Turn) {
        if let Some(held) = self.held.get_mut(&turn.cluster) {
            held.turn = Some(turn);
        }
    }

    fn keep(&mut self, what: Vec<Keep>) {
        if let Some(desk) = &mut self.desk {
            desk.keep(what);
        }
    }

    fn measure(&self) {
        let turns = || self.held.values().filter_map(|held| held.turn.as_ref());
        let leases = self
            .leases
            .as_ref()
            .map(|leases| leases.figures().borrow().clone());
        let mut gauges = Gauges {
            clusters: self.site.config.clusters.len(),
            watched: self.held.len(),
            told: *self.told.borrow(),
            bus: self.publisher.figures().borrow().clone(),
            leases: leases.unwrap_or_default(),
            batches_lost: self.lost + turns().map(|turn| turn.lost).sum::<u64>(),
            samples: Vec::new(),
        };
        let now = clock::instant();
        let turned = turns().map(|turn| turn.told.turned).min().unwrap_or(now);
        // Of a cluster that was not looked at lately nothing is known.
        let fresh = || turns().filter(|turn| now.duration_since(turn.told.turned) <= FRESH);
        let clusters = fresh().flat_map(|turn| &turn.told.clusters);
        let incidents = fresh().flat_map(|turn| &turn.told.incidents);
        let samples = fresh().filter_map(|turn| Some((turn.cluster.clone(), turn.samples?)));
        gauges.samples = samples.collect();
        self.outlets.tell(Told {
            at: clock::now(),
            turned,
            clusters: clusters.cloned().collect(),
            incidents: incidents.cloned().collect(),
            gauges,
        });
    }

    /// Stops everything and loses nothing: what is not on the bus in time stays on disk.
    async fn end(mut self) {
        for held in self.held.values_mut() {
            held.again = false;
            held.stop.cancel();
        }
        loop {
            tokio::select! { biased;
                Some(what) = self.kept.recv() => self.keep(what),
                ended = self.wards.join_next() => if ended.is_none() { break },
            }
        }
        while let Ok(what) = self.kept.try_recv() {
            self.keep(what);
        }
        if let Some(leases) = self.leases.take() {
            leases.end().await;
        }
        drop(self.site);
        let ((), ()) = tokio::join!(self.publisher.end(), self.outlets.end());
        if let Some(desk) = self.desk {
            let _ = tokio::task::spawn_blocking(move || desk.finish()).await;
        }
    }
}

/// The newest of each incident.
fn note(book: &Book, changes: &[Change]) {
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    for change in changes.iter().filter(|c| c.event.is_of_incident()) {
        let key = (change.cluster.clone(), change.incident.id);
        book.insert(key, change.clone());
    }
    if book.len() > BOOK {
        book.retain(|_, change| change.incident.is_live());
    }
}

/// The leases of a team; without one every cluster is ours.
fn shared(
    config: &Config,
    replica: &str,
    names: Vec<Arc<str>>,
) -> (Option<Leases>, mpsc::UnboundedReceiver<Order>) {
    if let Some(team) = &config.team {
        let clusters = config.clusters.iter();
        let publish = clusters.filter(|c| c.edge.samples == Samples::Publish);
        let publish = publish.map(|c| c.name.as_str().into()).collect();
        let (leases, orders) = Leases::start(team, replica, config.watch.interval, names, publish);
        return (Some(leases), orders);
    }
    let (all, orders) = mpsc::unbounded_channel();
    let once: BTreeSet<Arc<str>> = names.into_iter().collect();
    for name in once {
        // The other end is ours.
        let _ = all.send(Order::Watch(name));
    }
    (None, orders)
}

/// The archive, where one is wanted and there is a place for it.
fn desk(config: &Config) -> Option<Desk> {
    let archive = &config.archive;
    let file = archive.file.clone().filter(|_| archive.enabled)?;
    let told = |recalled| {
        if let Recalled::Fault(why) = recalled {
            tracing::error!(%why, "the archive");
        }
    };
    let started = Desk::start(file, archive.keep, clock::now(), Box::new(told));
    if let Err(error) = &started {
        tracing::error!(%error, "the archive has no thread");
    }
    started.ok()
}
