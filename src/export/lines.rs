//! Log lines as they were written, as JSON or as CSV, one after another as they come.

use std::io::{self, Write};

use serde::Serialize;

use super::table::harmless;
use crate::language::logql::write::{COMPONENT, CONTAINER, POD};
use crate::model::export::{Format, LinesExport};
use crate::model::log::{Level, LineRef};

const COLUMNS: [&str; 6] = [
    "timestamp",
    "component",
    "pod",
    "container",
    "level",
    "message",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The lines alone.
    Raw,
    /// An object a line.
    Json,
    Csv,
}

impl Form {
    /// `None`: a picture.
    pub fn of(format: Format) -> Option<Self> {
        match format {
            Format::Text => Some(Self::Raw),
            Format::Json => Some(Self::Json),
            Format::Csv => Some(Self::Csv),
            Format::Svg | Format::Png | Format::Markdown | Format::Recording => None,
        }
    }
}

/// Writes lines in one form.
pub struct Lines<W: Write> {
    to: To<W>,
    /// The cluster is told with each line.
    several: bool,
}

enum To<W: Write> {
    Raw(W),
    Json(W),
    Csv(Box<csv::Writer<W>>),
}

#[derive(Serialize)]
struct Object<'a> {
    timestamp: String,
    cluster: &'a str,
    component: &'a str,
    pod: &'a str,
    container: &'a str,
    level: &'a str,
    message: &'a str,
    labels: std::collections::BTreeMap<&'a str, &'a str>,
}

impl<W: Write> Lines<W> {
    /// Writes the head, where the form has one.
    pub fn new(form: Form, out: W, several: bool) -> io::Result<Self> {
        let to = match form {
            Form::Raw => To::Raw(out),
            Form::Json => To::Json(out),
            Form::Csv => {
                let mut out = csv::WriterBuilder::new()
                    .quote_style(csv::QuoteStyle::Always)
                    .from_writer(out);
                let last = several.then_some("cluster");
                out.write_record(COLUMNS.into_iter().chain(last))
                    .map_err(plain)?;
                To::Csv(Box::new(out))
            }
        };
        Ok(Self { to, several })
    }

    pub fn line(&mut self, cluster: &str, line: LineRef<'_>) -> io::Result<()> {
        let (component, pod, container) = place(line);
        match &mut self.to {
            To::Raw(out) => writeln!(out, "{}", line.line),
            To::Json(out) => {
                let object = Object {
                    timestamp: stamp(line.at_ns),
                    cluster,
                    component,
                    pod,
                    container,
                    level: word(line.level),
                    message: line.line,
                    labels: line.labels.iter().collect(),
                };
                serde_json::to_writer(&mut *out, &object)?;
                out.write_all(b"\n")
            }
            To::Csv(out) => {
                let at = stamp(line.at_ns);
                let cells = [&at, component, pod, container, word(line.level), line.line];
                let last = self.several.then_some(cluster);
                let cells = cells.into_iter().chain(last).map(harmless);
                for cell in cells {
                    out.write_field(cell.as_bytes()).map_err(plain)?;
                }
                out.write_record(None::<&[u8]>).map_err(plain)
            }
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Raw(out) | To::Json(out) => out.flush(),
            To::Csv(out) => out.flush(),
        }
    }
}

/// Writes all lines.
pub fn write(export: &LinesExport, form: Form, out: impl Write) -> io::Result<()> {
    let mut lines = Lines::new(form, out, export.several)?;
    let mut done = Ok(());
    export.each(&mut |cluster, line| {
        if done.is_ok() {
            done = lines.line(cluster, line);
        }
    });
    done?;
    lines.flush()
}

/// Component, pod and container, as the labels name them.
pub fn place<'a>(line: LineRef<'a>) -> (&'a str, &'a str, &'a str) {
    let labels = line.labels;
    let of = |names: &[&str]| labels.first_of(names).unwrap_or("");
    (of(COMPONENT), of(POD), of(CONTAINER))
}

/// A time to the nanosecond, UTC.
pub fn stamp(at_ns: i64) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(at_ns)) {
        Ok(at) => format!("{at:.9}"),
        Err(_) => format!("{at_ns} ns since 1970"),
    }
}

/// The error of the file itself: a pipe that nobody reads must be known as one.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

pub fn word(level: Level) -> &'static str {
    match level {
        Level::Unknown => "unknown",
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    }
}
