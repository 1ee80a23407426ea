//! What stands behind the loop is started, once the first frame is painted.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::{Behind, Effects, QUESTIONS};
use crate::agent::Agent;
use crate::agent::ledger::Ledger;
use crate::agent::mcp::client::Foreign;
use crate::app::Play;
use crate::app::ears::{Ears, Feed};
use crate::app::signals::Signals;
use crate::archive::desk::Desk;
use crate::archive::learnt;
use crate::clock;
use crate::config::Config;
use crate::message::Msg;
use crate::source::actions::Actions;
use crate::source::audit::Audit;
use crate::source::kubernetes::contexts;
use crate::source::replay::{Player, Recorded};
use crate::source::supervisor::Fleet;
use crate::source::{Lookup, Outlet};
use crate::team::{Team, found};
use crate::term::reader::Heard;

/// Starts what is looked at, and the agent. Called after the first frame.
pub fn start(
    config: Arc<Config>,
    play: Play,
    signals: Signals,
    heard: mpsc::Receiver<Heard>,
) -> color_eyre::Result<(Effects, Ears)> {
    let (behind, lookup, feed): (_, Arc<dyn Lookup>, _) = match play {
        Play::Live => {
            let (outlet, telemetry) = Outlet::new(config.limits.queue.max(1));
            let fleet = Box::new(Fleet::start(Arc::clone(&config), outlet.clone()));
            let lookup = fleet.lookup();
            (
                Behind::Live { fleet, outlet },
                lookup,
                Feed::Live(telemetry),
            )
        }
        Play::Replay {
            open, file, begin, ..
        } => {
            let reader = open()?;
            let clusters = config.clusters.iter().map(|c| c.name.clone()).collect();
            let (player, fed) = Player::start(reader, file.clone(), begin);
            let lookup = Arc::new(Recorded::new(open, file, clusters, player.clock()));
            (Behind::Replay(player), lookup, Feed::Replay(fed))
        }
    };
    let (answers, answered) = mpsc::channel(64);
    let (told, happened) = mpsc::channel(16);
    let (said, chat) = mpsc::channel(256);
    let (asked, queries) = mpsc::channel(16);
    let (noticed, notices) = mpsc::channel(16);
    if let (Behind::Live { .. }, Some(watch)) = (&behind, contexts::Watch::new(&config)) {
        tokio::spawn(watch.follow(noticed));
    }
    // A recording shows what was: of others only those are asked that were allowed beforehand.
    let foreign = match &behind {
        Behind::Live { .. } => Foreign::new,
        Behind::Replay(_) => Foreign::allowed_only,
    };
    let audit = config.audit_file.clone();
    let (operator, lines) = (config.operator.clone(), Audit::new(audit.clone()));
    let mut agent = Agent::new(config.agent.clone(), Arc::clone(&lookup), said, asked)
        .with_foreign(foreign(&config.mcp, audit, operator.clone()));
    if matches!(behind, Behind::Live { .. }) {
        agent = agent.with_ledger(Ledger::new(lines, operator, "agent call"));
    }
    agent.probe();
    let actions = match &behind {
        Behind::Live { fleet, .. } => {
            let audit = config.audit_file.clone();
            Some(Actions::new(Arc::clone(&config), fleet.reach(), audit))
        }
        Behind::Replay(_) => None,
    };
    let desk = match &behind {
        Behind::Live { .. } => {
            remind(&config, &told);
            found::start(config.team.as_ref(), &told);
            desk(&config, &told)
        }
        Behind::Replay(_) => None,
    };
    let team = match &behind {
        Behind::Live { .. } => config.team.as_ref().map(|team| {
            let told = told.clone();
            Team::start(team, config.operator.clone(), told)
        }),
        Behind::Replay(_) => None,
    };
    let effects = Effects {
        config,
        behind,
        lookup,
        agent,
        answers,
        asking: VecDeque::new(),
        turns: Arc::new(Semaphore::new(QUESTIONS)),
        soon: None,
        tails: Vec::new(),
        actions,
        told,
        desk,
        team,
    };
    let ears = Ears {
        signals,
        heard,
        answers: answered,
        chat,
        queries,
        notices,
        happened,
        feed,
    };
    Ok((effects, ears))
}

/// The archive, where one is wanted and there is a place for it.
fn desk(config: &Config, told: &mpsc::Sender<Msg>) -> Option<Desk> {
    let archive = &config.archive;
    let file = archive.file.clone().filter(|_| archive.enabled)?;
    let told = told.clone();
    let tell = move |recalled| {
        let _ = told.blocking_send(Msg::Recalled(Box::new(recalled)));
    };
    let started = Desk::start(file, archive.keep, clock::now(), Box::new(tell));
    if let Err(error) = &started {
        tracing::error!(%error, "the archive has no thread");
    }
    started.ok()
}

/// Where the detectors' knowledge stands, beside the archive.
pub(super) fn learned_file(config: &Config) -> Option<PathBuf> {
    let archive = &config.archive;
    let file = archive.file.as_ref().filter(|_| archive.enabled)?;
    Some(file.with_extension("learned"))
}

/// Reads what an earlier run learned.
fn remind(config: &Config, told: &mpsc::Sender<Msg>) {
    let Some(file) = learned_file(config) else {
        return;
    };
    let told = told.clone();
    tokio::task::spawn_blocking(move || {
        let read = learnt::read(&file).map(|bytes| bytes.map(Arc::new));
        let read = read.map_err(|error| format!("{}: {error}", file.display()));
        let _ = told.blocking_send(Msg::Learnt(read));
    });
}

/// Writes it; why not, where it fails.
pub(super) fn unwritten(file: &Path, parts: &[Vec<u8>]) -> Option<String> {
    let error = learnt::write(file, parts).err()?;
    tracing::error!(%error, "what was learned");
    Some(format!(
        "{}: what was learned is not kept: {error}",
        file.display()
    ))
}
