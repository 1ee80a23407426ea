//! One cluster watched: its sources, what is known of it, and what of that is news. It shares
//! nothing with another, so that clusters come and go one by one.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Gauges;
use super::outages::Outages;
use super::told::{self, Teller};
use crate::archive::{Archive, learnt, redacted};
use crate::clock;
use crate::config::{Config, IncidentsFrom};
use crate::incident::told::Told;
use crate::message::{Effect, Msg};
use crate::model::archive::{Keep, Past, Recalled};
use crate::model::id::{ClusterId, IncidentId};
use crate::model::input::InputEvent;
use crate::model::news::{Change, token};
use crate::model::signal::Group;
use crate::model::telemetry::Telemetry;
use crate::source::Outlet;
use crate::source::edge::Published;
use crate::source::nats::Bus;
use crate::source::supervisor::Fleet;
use crate::state::State;
use crate::team::read;
use crate::ui::theme::{Depth, Looks};

const TICK: Duration = Duration::from_millis(500);
/// As large as a screen may be: nothing is left out for want of room.
const SIZE: (u16, u16) = (200, 50);
/// How long the bus may take to say what was told of a cluster.
const PATIENCE: Duration = Duration::from_secs(3);
/// The least that a cluster may hold, however many there are.
const LEAST_SERIES: u64 = 32 << 20;
const LEAST_LOGS: u64 = 1 << 20;

/// What was told last of each incident, as far as this process knows.
pub type Book = Arc<Mutex<BTreeMap<(Arc<str>, IncidentId), Change>>>;

/// What all clusters share.
pub struct Site {
    pub config: Arc<Config>,
    pub replica: Arc<str>,
    pub book: Book,
    /// To the disk and the bus.
    pub told: mpsc::Sender<Vec<Change>>,
    /// To the archive.
    pub kept: mpsc::Sender<Vec<Keep>>,
    /// How it stands; what finds no room is said again.
    pub turns: mpsc::Sender<Turn>,
}

/// A look at one cluster.
#[derive(Debug)]
pub struct Turn {
    pub cluster: Arc<str>,
    /// Batches lost in full queues so far.
    pub lost: u64,
    /// Its samples on the team's bus.
    pub samples: Option<Published>,
    /// What the outlets tell of it, without the figures of the whole.
    pub told: told::Told,
}

struct Ward {
    site: Arc<Site>,
    name: Arc<str>,
    state: State,
    told: Told,
    teller: Teller,
    outages: Outages,
    /// Where what the detectors learn is put away.
    learned: Option<PathBuf>,
    outlet: Outlet,
    telemetry: mpsc::Receiver<Telemetry>,
    fleet: Fleet,
}

/// Watches a cluster of the configuration until it is told to stop.
pub async fn watch(site: Arc<Site>, place: usize, stop: CancellationToken) {
    let Some(config) = alone(&site.config, place) else {
        return;
    };
    let mut ward = Ward::begin(site, Arc::new(config));
    ward.take_up().await;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let msg = tokio::select! { biased;
            () = stop.cancelled() => break,
            _ = tick.tick() => None,
            Some(heard) = ward.telemetry.recv() => Some(Msg::Telemetry(Box::new(heard))),
        };
        let ticked = msg.is_none();
        ward.update(msg.unwrap_or_else(|| Msg::Tick(clock::now())))
            .await;
        if ticked && !ward.tell().await {
            break;
        }
    }
    ward.end().await;
}

/// The configuration as if this cluster were the only one, with its share of memory.
fn alone(config: &Config, place: usize) -> Option<Config> {
    let cluster = config.clusters.get(place)?.clone();
    let all = config.clusters.len().max(1) as u64;
    let mut own = config.clone();
    own.clusters = vec![cluster];
    // Who else should find them?
    if let Some(team) = &mut own.team {
        team.incidents = IncidentsFrom::Own;
    }
    let limits = &mut own.limits;
    limits.series_bytes = (limits.series_bytes / all).max(LEAST_SERIES.min(limits.series_bytes));
    limits.log_bytes = (limits.log_bytes / all).max(LEAST_LOGS.min(limits.log_bytes));
    Some(own)
}

impl Ward {
    fn begin(site: Arc<Site>, config: Arc<Config>) -> Self {
        let name: Arc<str> = config
            .clusters
            .first()
            .map_or("", |c| c.name.as_str())
            .into();
        let now = clock::now();
        let looks = Looks {
            depth: Depth::None,
            ascii: true,
        };
        let mut state = State::new(Arc::clone(&config), now, TimeZone::UTC, looks);
        let (columns, rows) = SIZE;
        state.update(Msg::Input(InputEvent::Resize { columns, rows }));
        let (outlet, telemetry) = Outlet::new(config.limits.queue.max(1));
        let fleet = Fleet::start(Arc::clone(&config), outlet.clone());
        fleet.demand(Group::ALL.map(|group| (ClusterId(0), group)).to_vec());
        let archive = config
            .archive
            .file
            .as_ref()
            .filter(|_| config.archive.enabled);
        let learned = archive.map(|f| f.with_extension(format!("{}.learned", token(&name))));
        Self {
            told: Told::new(name.clone(), site.replica.clone(), redacted, now),
            teller: Teller::default(),
            outages: Outages::default(),
            site,
            name,
            state,
            learned,
            outlet,
            telemetry,
            fleet,
        }
    }

    /// Takes up what was known and told before, here or by another watcher.
    async fn take_up(&mut self) {
        let (archived, streamed, learnt) = tokio::join!(
            archived(Arc::clone(&self.site)),
            streamed(Arc::clone(&self.site), self.name.clone()),
            remembered(self.learned.clone()),
        );
        for change in &streamed {
            self.told.adopt(change);
        }
        {
            let book = self
                .site
                .book
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let ours = book.iter().filter(|((name, _), _)| *name == self.name);
            ours.for_each(|(_, change)| self.told.adopt(change));
        }
        let (archived, verdicts, numbered) = archived;
        let mut past: BTreeMap<IncidentId, Past> = archived
            .into_iter()
            .filter(|past| past.cluster == self.name && !self.told.is_merged(past.incident.id))
            .map(|past| (past.incident.id, past))
            .collect();
        for incident in self.told.adopted() {
            let held = past.get(&incident.id);
            if held.is_some_and(|p| p.incident.changed > incident.changed) {
                continue;
            }
            let mut incident = incident.as_ref().clone();
            if let Some(held) = held {
                incident.desk.merge(&held.incident.desk);
            }
            let one = Past {
                cluster: self.name.clone(),
                signs: Vec::new(),
                incident,
            };
            past.insert(one.incident.id, one);
        }
        let begin = Recalled::Begin {
            incidents: past.into_values().collect(),
            verdicts,
            numbered,
        };
        self.update(Msg::Recalled(Box::new(begin))).await;
        if let Some(learnt) = learnt {
            self.update(Msg::Learnt(learnt)).await;
        }
    }

    async fn update(&mut self, msg: Msg) {
        let mut effects: VecDeque<Effect> = self.state.update(msg).into();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Work(work) => {
                    let _ = tokio::task::spawn_blocking(move || work.run()).await;
                    effects.extend(self.state.update(Msg::Worked));
                }
                Effect::Keep(what) => {
                    // The archive goes last.
                    let _ = self.site.kept.send(what).await;
                }
                Effect::Remember(parts) => {
                    let parts = parts.as_ref().clone();
                    put_away(self.learned.clone(), parts).await;
                }
                _ => {}
            }
        }
    }

    /// Tells what is new; false: nobody takes it any more.
    async fn tell(&mut self) -> bool {
        let world = &self.state.world;
        self.outages.tell(world);
        let changes = self.told.news(&world.incidents, world.now);
        if !changes.is_empty() && self.site.told.send(changes).await.is_err() {
            return false;
        }
        // What finds no room is said again with the next tick.
        let turn = self.turn();
        let _ = self.site.turns.try_send(turn);
        true
    }

    fn turn(&mut self) -> Turn {
        let world = &self.state.world;
        Turn {
            cluster: self.name.clone(),
            lost: self.outlet.dropped(),
            samples: self.fleet.published(ClusterId(0)),
            told: self.teller.tell(world, |_| true, Gauges::default()),
        }
    }

    async fn end(mut self) {
        let effects = self.state.keep(true);
        for effect in effects {
            if let Effect::Keep(what) = effect {
                let _ = self.site.kept.send(what).await;
            }
        }
        self.tell().await;
        if let Some(parts) = self.state.last_learnt() {
            put_away(self.learned.clone(), parts).await;
        }
        self.fleet.shutdown().await;
    }
}

/// What the archive knows of this cluster.
async fn archived(site: Arc<Site>) -> Archived {
    let archive = &site.config.archive;
    let Some(file) = archive.file.clone().filter(|_| archive.enabled) else {
        return Archived::default();
    };
    let read = tokio::task::spawn_blocking(move || {
        let archive = Archive::open(&file).map_err(|e| e.to_string())?;
        archive.begun(clock::now()).map_err(|e| e.to_string())
    });
    match read.await.unwrap_or_else(|e| Err(e.to_string())) {
        Ok(Recalled::Begin {
            incidents,
            verdicts,
            numbered,
        }) => (incidents, verdicts, numbered),
        Ok(_) => Archived::default(),
        Err(why) => {
            tracing::error!(%why, "the archive is not read");
            Archived::default()
        }
    }
}

/// What was told of this cluster on the team's bus.
async fn streamed(site: Arc<Site>, name: Arc<str>) -> Vec<Change> {
    let Some(team) = &site.config.team else {
        return Vec::new();
    };
    let asked = async {
        let session = Bus::of_team(team).open("farwatch watch").await?;
        read::newest(&session, team, std::slice::from_ref(&name)).await
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(changes)) => changes,
        Ok(Err(error)) => {
            tracing::info!(cluster = %name, %error, "what was told before is not read");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// What the detectors learned of this cluster.
async fn remembered(file: Option<PathBuf>) -> Option<Result<Option<Arc<Vec<u8>>>, String>> {
    let file = file?;
    let read = tokio::task::spawn_blocking(move || {
        let read = learnt::read(&file).map(|bytes| bytes.map(Arc::new));
        read.map_err(|error| format!("{}: {error}", file.display()))
    });
    read.await.ok()
}

async fn put_away(file: Option<PathBuf>, parts: Vec<Vec<u8>>) {
    let Some(file) = file else {
        return;
    };
    let written = tokio::task::spawn_blocking(move || {
        let written = learnt::write(&file, &parts);
        written.map_err(|error| format!("{}: {error}", file.display()))
    });
    if let Ok(Err(why)) = written.await {
        tracing::error!(%why, "what was learned is not kept");
    }
}

type Archived = (
    Vec<Past>,
    Vec<(Arc<str>, Arc<str>, crate::model::desk::Desk)>,
    u32,
);

#[cfg(test)]
mod tests;
