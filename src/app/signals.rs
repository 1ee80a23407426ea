//! Signals of the process, and the promise that those which end it do so within a second.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::term::guard;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// End, with this exit status.
    End(u8),
    /// SIGTSTP
    Stop,
    /// SIGCONT
    Continue,
    /// SIGWINCH
    Resize,
}

/// A loop that has not ended by then is ended.
const PATIENCE: Duration = Duration::from_millis(600);
/// Signals that end the program, with their numbers.
const ENDS: [(fn() -> SignalKind, u8); 4] = [
    (SignalKind::terminate, 15),
    (SignalKind::hangup, 1),
    (SignalKind::interrupt, 2),
    (SignalKind::quit, 3),
];

pub struct Signals {
    ends: [Signal; 4],
    stop: Signal,
    cont: Signal,
    resize: Signal,
}

impl Signals {
    /// Takes the signals over; needs a running tokio runtime.
    pub fn start() -> io::Result<Self> {
        let signals = Self {
            ends: ends()?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            resize: signal(SignalKind::window_change())?,
        };
        tokio::spawn(last_resort(ends()?));
        Ok(signals)
    }

    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            end = ended(&mut self.ends) => Caught::End(end),
            _ = self.stop.recv() => Caught::Stop,
            _ = self.cont.recv() => Caught::Continue,
            _ = self.resize.recv() => Caught::Resize,
        }
    }
}

fn ends() -> io::Result<[Signal; 4]> {
    let [a, b, c, d] = ENDS.map(|(kind, _)| signal(kind()));
    Ok([a?, b?, c?, d?])
}

/// Exit status as a shell would report the signal.
async fn ended(signals: &mut [Signal; 4]) -> u8 {
    let [a, b, c, d] = signals;
    let number = tokio::select! {
        _ = a.recv() => ENDS[0].1,
        _ = b.recv() => ENDS[1].1,
        _ = c.recv() => ENDS[2].1,
        _ = d.recv() => ENDS[3].1,
    };
    128 + number
}

/// Runs beside the loop, on another thread: a loop that hangs must not keep the process alive.
async fn last_resort(mut signals: [Signal; 4]) {
    let code = ended(&mut signals).await;
    tokio::time::sleep(PATIENCE).await;
    tracing::error!(bug = true, "the loop did not end in time");
    guard::restore();
    std::process::exit(i32::from(code));
}

/// Stops this process as the operator's Ctrl-Z or another's SIGTSTP asks; returns when it goes on.
/// With `group`, the pipeline and wrappers it was started in stop too.
pub fn stop(group: bool) {
    use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
    let _ = if group {
        kill_current_process_group(Signal::STOP)
    } else {
        kill_process(getpid(), Signal::STOP)
    };
}

/// Whether a shell waits behind us that could continue us.
pub fn has_shell() -> bool {
    use rustix::process::{getpid, getsid};
    getsid(None).is_ok_and(|leader| leader != getpid())
}
