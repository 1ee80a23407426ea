//! Entering the terminal and giving it back, from anywhere: quit, signal, panic.
//!
//! What has to be put back is kept in one place of the process, because a panic hook and the last
//! resort of a signal have no other way to reach it. Giving back happens once; a second is nothing.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use super::tty::Tty;
use crate::clock;

/// Alternate screen, cursor hidden, bracketed paste, focus reports.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";
/// Buttons and drags, with coordinates in decimal.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// Everything off again, also what may have been left half done. The cursor goes to the last row
/// first, for terminals that have no alternate screen to come back from.
const LEAVE: &str = "\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\
                     \x1b[0m\x1b[999;1H\x1b[?25h\x1b[?1049l";
/// How long we try to tell a terminal that nobody reads.
const LEAVE_WITHIN: Duration = Duration::from_millis(150);

struct Held {
    tty: Arc<Tty>,
    before: Termios,
    mouse: bool,
    entered: bool,
}

static HELD: Mutex<Option<Held>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Owns the entered terminal.
pub struct Guard {
    _private: (),
}

impl Guard {
    pub fn enter(tty: Arc<Tty>, mouse: bool) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        *held() = Some(Held {
            tty,
            before,
            mouse,
            entered: false,
        });
        let guard = Self { _private: () };
        guard.reenter()?;
        Ok(guard)
    }

    /// Takes the terminal (again). Harmless when it is ours already.
    pub fn reenter(&self) -> io::Result<()> {
        let mut held = held();
        let Some(held) = held.as_mut() else {
            return Ok(());
        };
        if !held.entered {
            // A shell may have changed them while we were stopped.
            held.before = tcgetattr(io::stdin())?;
        }
        let mut raw = held.before.clone();
        raw.make_raw();
        held.entered = true;
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let mouse = if held.mouse { MOUSE } else { "" };
        let until = clock::instant() + LEAVE_WITHIN;
        held.tty.write(format!("{ENTER}{mouse}").as_bytes(), || {
            clock::instant() >= until
        })?;
        held.tty.take();
        Ok(())
    }

    pub fn leave(&self) {
        restore();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        *held() = None;
    }
}

/// Gives the terminal back now. Never waits long, never fails loudly: there may be nobody left.
pub fn restore() {
    let mut held = held();
    let Some(held) = held.as_mut() else { return };
    if !std::mem::take(&mut held.entered) {
        return;
    }
    // The rest of a frame under way would end up on the shell's screen.
    held.tty.give_back();
    if !told(&held.tty) {
        // Nobody reads: these words must be the first that whoever comes back will see.
        held.tty.discard();
        told(&held.tty);
    }
    // Reports of the mouse that are under way would show up as text in the shell.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &held.before);
}

/// Whether the terminal has taken all of the farewell.
fn told(tty: &Tty) -> bool {
    let until = clock::instant() + LEAVE_WITHIN;
    let written = tty.write(LEAVE.as_bytes(), || clock::instant() >= until);
    // One that is gone needs no second try.
    written.unwrap_or(true)
}
