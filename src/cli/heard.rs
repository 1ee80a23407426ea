//! The clusters heard for a while, without a screen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::Interval;

use super::record::everything;
use crate::app::signals::{Caught, Signals};
use crate::clock;
use crate::config::{Config, IncidentsFrom};
use crate::message::{Effect, Msg};
use crate::model::health::Health;
use crate::model::input::InputEvent;
use crate::model::telemetry::Telemetry;
use crate::source::Outlet;
use crate::source::supervisor::Fleet;
use crate::state::State;
use crate::ui::theme::{Depth, Looks};

const TICK: Duration = Duration::from_millis(500);
/// So long at least: what a source tells first is rarely all of it.
const LEAST: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_millis(300);
/// As large as a screen may be: what is told of it is not cut.
pub const SIZE: (u16, u16) = (200, 50);

/// Leaves of the clusters those that were named. `Err`: what is wrong with the names.
pub fn keep_named(config: &mut Config, names: &[String]) -> Result<(), String> {
    let known: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
    if known.is_empty() {
        let named = config.file.as_ref();
        let named = named.map_or_else(
            || "there is no configuration file".to_owned(),
            |file| format!("{} names none", file.display()),
        );
        return Err(format!(
            "no clusters are configured: {named}, and no kubeconfig was found that has any; \
             config.example.toml shows how"
        ));
    }
    all_known(&known, names)?;
    if !names.is_empty() {
        config.clusters.retain(|c| names.contains(&c.name));
    }
    Ok(())
}

/// `Err`: which of the names is none of these.
pub fn all_known(known: &[&str], names: &[String]) -> Result<(), String> {
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!(
            "there is no cluster {name:?}; there are {}",
            known.join(", ")
        )),
    }
}

/// The clusters while they are heard: what is known of them goes on with what they say.
pub struct Hearing {
    pub state: State,
    pub fleet: Fleet,
    telemetry: mpsc::Receiver<Telemetry>,
    tick: Interval,
    begin: Instant,
}

impl Hearing {
    /// Starts everything that is configured.
    pub fn begin(config: Arc<Config>) -> Self {
        let looks = Looks {
            depth: Depth::None,
            ascii: true,
        };
        // Nobody reads the watchers' stream for an answer of some seconds: it is found here.
        let mut own = config.as_ref().clone();
        if let Some(team) = &mut own.team {
            team.incidents = IncidentsFrom::Own;
        }
        let config = Arc::new(own);
        let mut state = State::new(Arc::clone(&config), clock::now(), TimeZone::UTC, looks);
        let (columns, rows) = SIZE;
        state.update(Msg::Input(InputEvent::Resize { columns, rows }));
        let (outlet, telemetry) = Outlet::new(config.limits.queue.max(1));
        let fleet = Fleet::start(Arc::clone(&config), outlet);
        fleet.demand(everything(&config));
        Self {
            state,
            fleet,
            telemetry,
            tick: tokio::time::interval(TICK),
            begin: clock::instant(),
        }
    }

    /// Every source has said something, or `most` is over.
    pub fn is_heard(&self, most: Duration) -> bool {
        let heard = self.begin.elapsed();
        heard >= most || (heard >= LEAST && unheard(&self.state).is_empty())
    }

    /// Takes what is said next. May be dropped while it waits.
    pub async fn next(&mut self) {
        let effects = tokio::select! { biased;
            _ = self.tick.tick() => self.state.update(Msg::Tick(clock::now())),
            Some(heard) = self.telemetry.recv() => {
                self.state.update(Msg::Telemetry(Box::new(heard)))
            }
        };
        for effect in effects {
            if let Effect::Work(work) = effect {
                work.run();
                self.state.update(Msg::Worked);
            }
        }
    }
}

/// Until every source has said something, `most` at the longest. `None`: it was stopped.
pub async fn hear(
    config: Arc<Config>,
    most: Duration,
) -> color_eyre::Result<Option<(State, Fleet)>> {
    let mut hearing = Hearing::begin(config);
    let mut signals = Signals::start()?;
    while !hearing.is_heard(most) {
        tokio::select! { biased;
            caught = signals.next() => if matches!(caught, Caught::End(_)) {
                return Ok(None);
            },
            () = hearing.next() => {}
        }
    }
    let Hearing { state, fleet, .. } = hearing;
    for source in unheard(&state) {
        eprintln!("farwatch: {source}: not heard within {} s", most.as_secs());
    }
    Ok(Some((state, fleet)))
}

/// Ends the sources.
pub async fn end(fleet: Fleet) {
    let _ = tokio::time::timeout(GRACE, fleet.shutdown()).await;
}

/// Sources that said nothing yet, neither good nor bad.
fn unheard(state: &State) -> BTreeSet<String> {
    let each = state.world.clusters.iter().flat_map(|c| {
        let waiting = c.sources.iter();
        let waiting = waiting.filter(|(_, s)| matches!(s.health, Health::Connecting));
        waiting.map(move |(kind, _)| format!("{} {kind}", c.name))
    });
    each.collect()
}
