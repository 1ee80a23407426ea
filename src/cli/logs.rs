//! `farwatch logs`: log lines of one or many clusters, whole and in order of time.

pub mod args;
mod merge;
mod output;
mod progress;
mod query;
mod read;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{FAILED, USAGE};
use crate::clock;
use crate::config::{Cluster, Config};
use crate::export::lines::stamp;
use crate::export::part::Part;
use crate::model::log::LogLine;
use args::{Form, LogsArgs};
use merge::{Merge, Step, Tally};
use output::Output;
use progress::Progress;

/// How long tasks that do not listen may hold up the end.
const GRACE: Duration = Duration::from_millis(200);
/// Gaps that are told one by one.
const GAPS: usize = 20;

/// All that the options say, checked.
struct Job {
    clusters: Vec<Cluster>,
    args: Arc<LogsArgs>,
    range: (i64, i64),
    form: Form,
}

pub fn run(config: &Config, args: &LogsArgs) -> color_eyre::Result<ExitCode> {
    let job = match job(config, args) {
        Ok(job) => job,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let part = match args.csv_file.as_deref().map(opened).transpose() {
        Ok(part) => part,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(FAILED));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let out: Box<dyn Write> = match &part {
        Some(part) => Box::new(BufWriter::new(part.file()?)),
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    let exported = runtime.block_on(export(&job, out));
    runtime.shutdown_timeout(GRACE);
    let end = match exported {
        // `| head` has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        other => other?,
    };
    let kept = match (part, args.csv_file.as_deref()) {
        // A file of nothing must not take the place of an older one when it is not the whole answer.
        (Some(_), Some(out)) if end.lines == 0 && end.code != 0 => {
            format!("{} is left as it was", out.display())
        }
        (Some(part), Some(out)) => {
            part.keep()?;
            format!("they are in {}", out.display())
        }
        _ => String::new(),
    };
    end.tell(&kept);
    Ok(ExitCode::from(end.code))
}

fn job(config: &Config, args: &LogsArgs) -> Result<Job, String> {
    if !args.is_named() {
        return Err(
            "say what to read: --namespace, --component or --container, or --all for everything"
                .into(),
        );
    }
    Ok(Job {
        form: args.form()?,
        range: args.range(clock::now().0.saturating_mul(1_000_000))?,
        clusters: read::chosen(config, args)?,
        args: Arc::new(args.clone()),
    })
}

fn opened(out: &Path) -> Result<Part, String> {
    Part::create(out).map_err(|error| {
        let out = out.display();
        format!("{out}: {error}; name a file in a folder that can be written")
    })
}

/// How it ended.
struct End {
    lines: u64,
    code: u8,
    notes: Vec<String>,
    interrupted: bool,
}

impl End {
    fn tell(&self, kept: &str) {
        for note in &self.notes {
            eprintln!("farwatch: {note}");
        }
        let whole = match (self.interrupted, self.code) {
            (true, _) => "interrupted: ",
            (false, 0) => "",
            (false, _) => "not everything could be read: ",
        };
        if !kept.is_empty() || self.code != 0 {
            let tail = match kept {
                "" => String::new(),
                kept => format!("; {kept}"),
            };
            eprintln!("farwatch: {whole}{} lines{tail}", self.lines);
        }
    }
}

async fn export(job: &Job, out: Box<dyn Write>) -> io::Result<End> {
    let mut signals = signals()?;
    let to_terminal = job.args.csv_file.is_none() && io::stdout().is_terminal();
    let mut progress = Progress::new(io::stderr().is_terminal() && !to_terminal, job.range);
    let names = job.clusters.iter().map(|c| c.name.clone()).collect();
    let mut writer = Sink {
        output: Output::new(job.form, out, names)?,
        lines: 0,
        most: job.args.max_entries.unwrap_or(u64::MAX),
    };
    let feeds = job.clusters.iter();
    let feeds = feeds.filter_map(|cluster| read::start(cluster, &job.args, job.range));
    let mut merge = Merge {
        feeds: feeds.collect(),
    };
    let mut caught = None;
    while writer.has_room() {
        let step = tokio::select! { biased;
            code = ended(&mut signals) => {
                caught = Some(code);
                let rest = merge.rest();
                writer.write(rest)?;
                break;
            }
            step = merge.next() => step,
        };
        match step {
            Some(Step::Lines(lines)) => {
                writer.write(lines)?;
                // Who reads along sees them now.
                writer.output.flush()?;
            }
            Some(Step::Note(note)) => progress.note(&note),
            Some(Step::Further) => {}
            None => break,
        }
        progress.tell(writer.lines, &merge.feeds);
    }
    progress.clear();
    writer.output.flush()?;
    Ok(conclude(&merge, &writer, caught))
}

struct Sink {
    output: Output<Box<dyn Write>>,
    lines: u64,
    most: u64,
}

impl Sink {
    fn has_room(&self) -> bool {
        self.lines < self.most
    }

    fn write(&mut self, mut lines: Vec<(usize, LogLine)>) -> io::Result<()> {
        let room = usize::try_from(self.most - self.lines).unwrap_or(usize::MAX);
        lines.truncate(room);
        self.lines += lines.len() as u64;
        self.output.write(&lines)
    }
}

fn conclude(merge: &Merge, writer: &Sink, caught: Option<u8>) -> End {
    let mut notes = Vec::new();
    let mut whole = true;
    for feed in &merge.feeds {
        let Some(tally) = &feed.tally else { continue };
        whole &= tally.error.is_none() && tally.gaps.is_empty() && tally.unread == 0;
        notes.extend(tally.error.clone());
        notes.extend(missing(&feed.cluster, tally));
        if tally.more {
            let cluster = &feed.cluster;
            notes.push(format!(
                "{cluster}: there is more than the first page; leave out --paginate=false"
            ));
        }
    }
    if !writer.has_room() {
        notes.push(format!(
            "ended at {} lines, as --max-entries says",
            writer.lines
        ));
    }
    if caught.is_some() {
        let reached = progress::reached(&merge.feeds);
        notes.extend((!reached.is_empty()).then(|| format!("read: {reached}")));
    }
    End {
        lines: writer.lines,
        code: caught.unwrap_or(if whole { 0 } else { FAILED }),
        notes,
        interrupted: caught.is_some(),
    }
}

/// Exactly what could not be read.
fn missing(cluster: &str, tally: &Tally) -> Vec<String> {
    let mut told: Vec<String> = tally
        .gaps
        .iter()
        .take(GAPS)
        .map(|gap| {
            format!(
                "{cluster}: at {} the server gives {} lines at once and no more; \
                 what else was written in that nanosecond is missing",
                stamp(gap.at_ns),
                gap.read
            )
        })
        .collect();
    if tally.gaps.len() > GAPS {
        let others = tally.gaps.len() - GAPS;
        told.push(format!("{cluster}: the same at {others} other times"));
    }
    if tally.unread > 0 {
        told.push(format!(
            "{cluster}: {} entries have a time that cannot be read; they are missing",
            tally.unread
        ));
    }
    told
}

/// The exit status that a caught signal asks for. A second signal ends the program at once, for
/// writing may hang (a pipe that nobody reads).
fn signals() -> io::Result<watch::Receiver<Option<u8>>> {
    let (sender, receiver) = watch::channel(None);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                _ = hangup.recv() => 129,
            };
            if sender.send_replace(Some(code)).is_some() {
                std::process::exit(i32::from(code));
            }
        }
    });
    Ok(receiver)
}

async fn ended(signals: &mut watch::Receiver<Option<u8>>) -> u8 {
    match signals.wait_for(Option::is_some).await {
        Ok(code) => code.unwrap_or(130),
        Err(_) => std::future::pending().await,
    }
}
