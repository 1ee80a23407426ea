//! The clusters are heard for a while before they are asked about.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Asking, SIZE};
use crate::app::signals::{Caught, Signals};
use crate::cli::args::AskArgs;
use crate::cli::record::everything;
use crate::clock;
use crate::config::Config;
use crate::message::{Effect, Msg};
use crate::model::health::Health;
use crate::model::input::InputEvent;
use crate::source::Outlet;
use crate::source::supervisor::Fleet;
use crate::state::State;
use crate::ui::theme::{Depth, Looks};

const TICK: Duration = Duration::from_millis(500);
/// So long at least: what a source tells first is rarely all of it.
const LEAST: Duration = Duration::from_secs(3);

/// `None`: it was stopped.
pub(super) async fn answer(
    config: Arc<Config>,
    args: &AskArgs,
) -> color_eyre::Result<Option<State>> {
    let looks = Looks {
        depth: Depth::None,
        ascii: true,
    };
    let mut state = State::new(Arc::clone(&config), clock::now(), TimeZone::UTC, looks);
    let (columns, rows) = SIZE;
    state.update(Msg::Input(InputEvent::Resize { columns, rows }));
    let (outlet, mut telemetry) = Outlet::new(config.limits.queue.max(1));
    let fleet = Fleet::start(Arc::clone(&config), outlet.clone());
    fleet.demand(everything(&config));
    let mut signals = Signals::start()?;
    let begin = clock::instant();
    let mut tick = tokio::time::interval(TICK);
    loop {
        let heard = begin.elapsed();
        if heard >= args.listen || (heard >= LEAST && unheard(&state).is_empty()) {
            break;
        }
        let effects = tokio::select! { biased;
            caught = signals.next() => match caught {
                Caught::End(_) => return Ok(None),
                _ => Vec::new(),
            },
            _ = tick.tick() => state.update(Msg::Tick(clock::now())),
            Some(heard) = telemetry.recv() => state.update(Msg::Telemetry(Box::new(heard))),
        };
        for effect in effects {
            if let Effect::Work(work) = effect {
                work.run();
                state.update(Msg::Worked);
            }
        }
    }
    for source in unheard(&state) {
        eprintln!(
            "farwatch: {source}: not heard within {} s",
            args.listen.as_secs()
        );
    }
    let lookup = fleet.lookup();
    let answered = Asking::new(state, lookup).answer(args).await;
    let _ = tokio::time::timeout(Duration::from_millis(300), fleet.shutdown()).await;
    answered
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
