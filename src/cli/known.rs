//! What is known of live clusters after they were heard for a while, or of a recording at one time.

use std::process::ExitCode;
use std::sync::Arc;

use super::args::Of;
use super::headless::Headless;
use super::heard::{self, SIZE};
use super::replay::{self, Recording};
use super::{FAILED, USAGE};
use crate::config::Config;
use crate::model::id::ClusterId;
use crate::model::incident::Incident;
use crate::state::State;
use crate::state::world::World;

/// `Err`: why there is nothing was said; the exit status.
pub fn state(mut config: Config, of: &Of) -> color_eyre::Result<Result<State, ExitCode>> {
    if let Some(file) = &of.replay {
        let opened = Headless::open(&config, Recording::of(Some(file)), of.at, SIZE);
        let state = match opened {
            Ok(headless) => headless.state,
            Err(error) => return Ok(Err(replay::refused(file, &error))),
        };
        let known: Vec<&str> = state.world.clusters.iter().map(|c| &*c.name).collect();
        return Ok(match heard::all_known(&known, &of.cluster) {
            Ok(()) => Ok(state),
            Err(what) => Err(wrong(&what)),
        });
    }
    if let Err(what) = heard::keep_named(&mut config, &of.cluster) {
        return Ok(Err(wrong(&what)));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let Some((state, fleet)) = heard::hear(Arc::new(config), of.listen).await? else {
            eprintln!("farwatch: stopped");
            return Ok(Err(ExitCode::from(FAILED)));
        };
        heard::end(fleet).await;
        Ok(Ok(state))
    })
}

/// Says what was asked for wrongly; the exit status.
pub fn wrong(what: &str) -> ExitCode {
    eprintln!("farwatch: {what}");
    ExitCode::from(USAGE)
}

/// Those that were named; all where none was.
pub fn chosen(world: &World, of: &Of) -> Vec<ClusterId> {
    let named = |name: &str| of.cluster.is_empty() || of.cluster.iter().any(|c| c == name);
    let clusters = world.clusters.iter().filter(|c| named(&c.name));
    clusters.map(|c| c.id).collect()
}

/// By its number: `INC-3`.
pub fn incident<'a>(world: &'a World, named: &str) -> Result<&'a Incident, String> {
    let number = named.to_uppercase();
    let number = number.trim_start_matches("INC-").parse::<u32>().ok();
    let found = world.incidents.iter().find(|i| Some(i.number) == number);
    found.ok_or_else(|| {
        let mut numbers: Vec<u32> = world.incidents.iter().map(|i| i.number).collect();
        numbers.sort_unstable();
        let all: Vec<String> = numbers.iter().map(|n| format!("INC-{n}")).collect();
        match all.is_empty() {
            true => format!("there is no incident {named:?}: none was found"),
            false => format!(
                "there is no incident {named:?}; there are {}",
                all.join(", ")
            ),
        }
    })
}
