//! `farwatch watch`: the same sources, detection and incidents without a screen, until it is stopped.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::args::WatchArgs;
use super::heard::keep_named;
use super::{FAILED, USAGE};
use crate::config::{Config, Rhythm};
use crate::team::lease::replica_name;
use crate::watch::log::{self, Taken};
use crate::watch::run::{self, WatchError};

pub fn run(mut config: Config, args: &WatchArgs, level: &str) -> color_eyre::Result<ExitCode> {
    let traced = config.watch.otlp.is_some();
    let (log, taken) = match log::start(level, config.watch.log, traced) {
        Ok((guard, taken)) => (Some(guard), taken),
        Err(why) => {
            eprintln!("farwatch: {why}; nothing is logged");
            (None, Taken::default())
        }
    };
    if let Err(what) = keep_named(&mut config, &args.cluster) {
        eprintln!("farwatch: {what}");
        return Ok(ExitCode::from(USAGE));
    }
    config.watch.publishes = Some(Rhythm::default());
    let replica = replica_name(&args.replica.clone().unwrap_or_else(host));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("farwatch-task")
        .enable_all()
        .build()?;
    let done = runtime.block_on(run::run(Arc::new(config), replica.into(), taken));
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(log);
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("farwatch: {error}");
            let usage = matches!(error, WatchError::NoSpool | WatchError::Outlet(_));
            Ok(ExitCode::from(if usage { USAGE } else { FAILED }))
        }
    }
}

/// The name of this machine; of a pod, the pod's.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "watcher".into(),
        name => name.to_owned(),
    }
}
