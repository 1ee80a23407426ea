//! `farwatch record`: what the sources deliver goes to a file, without a screen.
//!
//! The file is written beside its place and moved there when it is whole; one that is there
//! already is not touched. It is readable by its owner only: log lines are in it.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args::RecordArgs;
use super::{FAILED, USAGE, replay};
use crate::app::signals::{Caught, Signals};
use crate::bundle::{BundleError, Header, Writer};
use crate::clock;
use crate::config::Config;
use crate::model::id::ClusterId;
use crate::model::signal::Group;
use crate::source::Outlet;
use crate::source::replay::recorded_clusters;
use crate::source::supervisor::Fleet;

/// How often progress is told: to a person, and into a log.
const TELL_PERSON: Duration = Duration::from_secs(1);
const TELL_LOG: Duration = Duration::from_secs(60);

pub fn run(config: Config, args: &RecordArgs) -> color_eyre::Result<ExitCode> {
    if config.clusters.is_empty() {
        eprintln!(
            "farwatch: no clusters are configured, so there is nothing to record; \
             write a configuration (config.example.toml shows how) or name one with --config"
        );
        return Ok(ExitCode::from(USAGE));
    }
    if args.out.exists() {
        eprintln!(
            "farwatch: {}: is there already; name another file",
            args.out.display()
        );
        return Ok(ExitCode::from(USAGE));
    }
    let (file, part) = match create(&args.out) {
        Ok(created) => created,
        Err(error) => {
            eprintln!(
                "farwatch: {}: {error}; name a folder that can be written",
                args.out.display()
            );
            return Ok(ExitCode::from(FAILED));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let recorded = runtime.block_on(record(Arc::new(config), file, args.duration));
    runtime.shutdown_timeout(Duration::from_millis(200));
    match recorded {
        Ok(told) => {
            keep(&part, &args.out)?;
            eprintln!("farwatch: {}: {told}", args.out.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(Stopped::Bundle(error)) => {
            let code = replay::refused(&args.out, &error);
            eprintln!(
                "farwatch: what was recorded so far is in {}",
                part.display()
            );
            Ok(code)
        }
        Err(Stopped::Start(error)) => Err(error.into()),
    }
}

enum Stopped {
    Bundle(BundleError),
    Start(std::io::Error),
}

impl From<BundleError> for Stopped {
    fn from(error: BundleError) -> Self {
        Self::Bundle(error)
    }
}

async fn record(
    config: Arc<Config>,
    file: File,
    duration: Option<Duration>,
) -> Result<String, Stopped> {
    let mut signals = Signals::start().map_err(Stopped::Start)?;
    let header = Header::new(recorded_clusters(&config), clock::now());
    let mut writer = Writer::new(BufWriter::new(file), &header)?;
    let (outlet, mut telemetry) = Outlet::new(config.limits.queue.max(1));
    let fleet = Fleet::start(Arc::clone(&config), outlet.clone());
    fleet.demand(everything(&config));
    let person = std::io::stderr().is_terminal();
    let mut progress = Progress::new(person);
    let begin = clock::instant();
    let end = duration.map(|d| begin + d);
    loop {
        tokio::select! { biased;
            caught = signals.next() => if matches!(caught, Caught::End(_)) { break },
            () = until(end) => break,
            () = tokio::time::sleep_until(progress.due.into()) => {
                progress.tell(begin.elapsed(), writer.bytes(), outlet.dropped());
            }
            batch = telemetry.recv() => {
                let Some(batch) = batch else { break };
                progress.deliveries += 1;
                match writer.push(&batch) {
                    Err(error @ BundleError::TooLarge(_)) => eprintln!("farwatch: {error}"),
                    other => other?,
                }
            }
        }
    }
    if person {
        eprintln!();
    }
    fleet.shutdown().await;
    let bytes = {
        let file = writer
            .finish()?
            .into_inner()
            .map_err(|e| BundleError::Io(e.into_error()))?;
        file.sync_all().map_err(BundleError::Io)?;
        file.metadata().map_err(BundleError::Io)?.len()
    };
    Ok(told(begin.elapsed(), progress.deliveries, bytes))
}

/// All groups of all clusters, as if everything were on the screen.
pub fn everything(config: &Config) -> Vec<(ClusterId, Group)> {
    let clusters = (0..u16::MAX)
        .zip(&config.clusters)
        .map(|(n, _)| ClusterId(n));
    clusters
        .flat_map(|id| Group::ALL.map(|group| (id, group)))
        .collect()
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end.into()).await,
        None => std::future::pending().await,
    }
}

struct Progress {
    deliveries: u64,
    due: Instant,
    /// Somebody watches: one line that changes. Else: a line now and then.
    person: bool,
}

impl Progress {
    fn new(person: bool) -> Self {
        Self {
            deliveries: 0,
            due: clock::instant() + TELL_PERSON,
            person,
        }
    }

    fn tell(&mut self, passed: Duration, bytes: u64, dropped: u64) {
        let every = if self.person { TELL_PERSON } else { TELL_LOG };
        self.due = clock::instant() + every;
        let told = told(passed, self.deliveries, bytes);
        let lost = match dropped {
            0 => String::new(),
            n => format!(", {n} batches lost"),
        };
        if self.person {
            eprint!("\rrecording: {told}{lost} (Ctrl-C ends it) ");
        } else {
            eprintln!("farwatch: recording: {told}{lost}");
        }
    }
}

fn told(passed: Duration, deliveries: u64, bytes: u64) -> String {
    let (minutes, seconds) = (passed.as_secs() / 60, passed.as_secs() % 60);
    let kib = bytes.div_ceil(1024);
    format!("{minutes}:{seconds:02} min, {deliveries} deliveries, {kib} KiB")
}

/// A new file beside `out`, for the owner only.
pub fn create(out: &Path) -> std::io::Result<(File, PathBuf)> {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    Ok((file, part))
}

/// Moves the whole file to its place, which nobody else may have taken meanwhile.
pub fn keep(part: &Path, out: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, out) {
        Ok(()) => std::fs::remove_file(part),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) => std::fs::rename(part, out),
    }
}
