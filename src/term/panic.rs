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

/// Installs the hooks. `log` is named in the report.
pub fn install(log: Option<PathBuf>) -> color_eyre::Result<()> {
    let (report, errors) = color_eyre::config::HookBuilder::default()
        .display_location_section(true)
        .into_hooks();
    errors.install()?;
    std::panic::set_hook(Box::new(move |info| {
        let ends = LOOP_THREAD
            .get()
            .is_none_or(|id| *id == std::thread::current().id());
        if ends {
            guard::restore();
        }
        let report = report.panic_report(info);
        tracing::error!(bug = true, "panic: {info}");
        if ends {
            eprintln!("{report}");
            match &log {
                Some(path) => eprintln!(
                    "\nfarwatch stopped because of a bug. The log is in {}",
                    path.display()
                ),
                None => eprintln!("\nfarwatch stopped because of a bug."),
            }
        }
    }));
    Ok(())
}
