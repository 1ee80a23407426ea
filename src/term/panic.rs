//! What happens when we have a bug: the terminal first, then the report.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread::ThreadId;

use super::guard;

static LOOP_THREAD: OnceLock<ThreadId> = OnceLock::new();

/// The calling thread owns the screen: its panic ends the program. A panic in the task of a
/// source is caught there, and must not take the screen away.
pub fn claim_screen() {
    let _ = LOOP_THREAD.set(std::thread::current().id());
}

/// Puts our own steps before the panic hook that is installed now. `log` is named in the report.
pub fn install(log: Option<PathBuf>) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let owner = LOOP_THREAD.get();
        let ends = owner.is_none_or(|id| *id == std::thread::current().id());
        if ends {
            guard::restore();
        }
        tracing::error!(bug = true, "panic: {info}");
        if !ends {
            return;
        }
        report(info);
        match &log {
            Some(path) => eprintln!(
                "farwatch stopped because of a bug; the log is in {}",
                path.display()
            ),
            None => eprintln!("farwatch stopped because of a bug"),
        }
    }));
}
