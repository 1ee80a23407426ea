//! The console itself: takes the terminal, runs the loop, gives it back.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::{USAGE, logging};
use crate::app::signals::Signals;
use crate::app::{self, Play};
use crate::clock;
use crate::config::Config;
use crate::message::{Msg, ReplayStatus};
use crate::model::handover::Handover;
use crate::state::State;
use crate::term::{Capabilities, ColorDepth, Screen, panic};
use crate::ui::theme::{Depth, Looks};

/// How long tasks that do not listen may hold up the end.
const GRACE: Duration = Duration::from_millis(100);

/// Follows the configured clusters.
pub fn live(config: Config) -> color_eyre::Result<ExitCode> {
    screen(config, Play::Live, None, None)
}

/// Opens the screen on `play`; of a replay the first frame shows already where it stands.
pub fn screen(
    mut config: Config,
    play: Play,
    replay: Option<ReplayStatus>,
    handover: Option<Handover>,
) -> color_eyre::Result<ExitCode> {
    let caps = Capabilities::from_env();
    config.ui.ascii |= caps.ascii;
    let config = Arc::new(config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_name("farwatch-task")
        .enable_all()
        .build()?;
    panic::claim_screen();
    panic::install(logging::folder().map(|folder| folder.join("farwatch.log")));
    // Before the terminal is taken: from here on no signal leaves it taken.
    let signals = {
        let _inside = runtime.enter();
        Signals::start()?
    };
    let (screen, heard) = match Screen::open(&caps, config.ui.mouse) {
        Ok(open) => open,
        Err(error) => {
            eprintln!("farwatch: {error}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let looks = Looks {
        depth: depth(caps.depth),
        ascii: config.ui.ascii,
    };
    let now = replay.as_ref().map_or_else(clock::now, |r| r.now);
    let mut state = State::new(Arc::clone(&config), now, TimeZone::system(), looks);
    state.attended = true;
    if let Some(status) = replay {
        state.update(Msg::Replay(status));
    }
    if let Some(handover) = handover {
        state.update(Msg::HandedOver(Box::new(handover)));
    }
    let ears = (signals, heard);
    let code = runtime.block_on(app::run(config, state, screen, caps, ears, play));
    runtime.shutdown_timeout(GRACE);
    Ok(ExitCode::from(code?))
}

fn depth(depth: ColorDepth) -> Depth {
    match depth {
        ColorDepth::None => Depth::None,
        ColorDepth::Ansi16 => Depth::Sixteen,
        ColorDepth::Ansi256 => Depth::Indexed,
        ColorDepth::True => Depth::True,
    }
}
