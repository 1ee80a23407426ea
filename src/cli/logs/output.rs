//! Log lines as table, bare lines, JSON or CSV.

use std::io::{self, Write};

use serde::Serialize;

use super::args::{Form, stamp};
use crate::export::table::harmless;
use crate::language::logql::write::{COMPONENT, CONTAINER, POD};
use crate::model::log::{Level, LogLine};

const COLUMNS: [&str; 6] = [
    "timestamp",
    "component",
    "pod",
    "container",
    "level",
    "message",
];

/// Writes lines in one form.
pub struct Output<W: Write> {
    to: To<W>,
    /// Names of the clusters; told with each line where there are several.
    clusters: Vec<String>,
}

enum To<W: Write> {
    Table(W),
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

impl<W: Write> Output<W> {
    /// Writes the head, where the form has one.
    pub fn new(form: Form, out: W, clusters: Vec<String>) -> io::Result<Self> {
        let mut to = match form {
            Form::Table => To::Table(out),
            Form::Raw => To::Raw(out),
            Form::Json => To::Json(out),
            Form::Csv => To::Csv(Box::new(
                csv::WriterBuilder::new()
                    .quote_style(csv::QuoteStyle::Always)
                    .from_writer(out),
            )),
        };
        let several = clusters.len() > 1;
        match &mut to {
            To::Table(out) => {
                let cluster = if several { "CLUSTER         " } else { "" };
                writeln!(
                    out,
                    "{:<30}  {:<8}  {cluster}{:<16}  {:<32}  MESSAGE",
                    "TIMESTAMP", "LEVEL", "COMPONENT", "POD/CONTAINER"
                )?;
            }
            To::Csv(out) => {
                let last = several.then_some("cluster");
                out.write_record(COLUMNS.into_iter().chain(last))
                    .map_err(plain)?;
            }
            To::Raw(_) | To::Json(_) => {}
        }
        Ok(Self { to, clusters })
    }

    pub fn write(&mut self, lines: &[(usize, LogLine)]) -> io::Result<()> {
        for (place, line) in lines {
            let cluster = self.clusters.get(*place).map_or("", String::as_str);
            let several = self.clusters.len() > 1;
            self.to.line(cluster, several, line)?;
        }
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Table(out) | To::Raw(out) | To::Json(out) => out.flush(),
            To::Csv(out) => out.flush(),
        }
    }
}

impl<W: Write> To<W> {
    fn line(&mut self, cluster: &str, several: bool, line: &LogLine) -> io::Result<()> {
        let labels = &line.labels;
        let of = |names: &[&str]| labels.first_of(names).unwrap_or("");
        let (component, pod, container) = (of(COMPONENT), of(POD), of(CONTAINER));
        match self {
            Self::Raw(out) => writeln!(out, "{}", line.line),
            Self::Table(out) => {
                write!(out, "{:<30}  ", stamp(line.at_ns))?;
                write!(out, "{:<8}  ", word(line.level))?;
                if several {
                    write!(out, "{cluster:<14}  ")?;
                }
                let place = match (pod, container) {
                    (pod, "") => pod.to_owned(),
                    (pod, container) => format!("{pod}/{container}"),
                };
                writeln!(out, "{component:<16}  {place:<32}  {}", line.line)
            }
            Self::Json(out) => {
                let object = Object {
                    timestamp: stamp(line.at_ns),
                    cluster,
                    component,
                    pod,
                    container,
                    level: word(line.level),
                    message: &line.line,
                    labels: labels.iter().collect(),
                };
                serde_json::to_writer(&mut *out, &object)?;
                out.write_all(b"\n")
            }
            Self::Csv(out) => {
                let at = stamp(line.at_ns);
                let cells = [&at, component, pod, container, word(line.level), &line.line];
                let last = several.then_some(cluster);
                let cells = cells.into_iter().chain(last).map(harmless);
                for cell in cells {
                    out.write_field(cell.as_bytes()).map_err(plain)?;
                }
                out.write_record(None::<&[u8]>).map_err(plain)
            }
        }
    }
}

/// The error of the file itself: a pipe that nobody reads must be known as one.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn word(level: Level) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use proptest::prelude::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            at_ns: 1_795_230_000_000_000_001,
            labels: Labels::from_pairs([("app", "cart"), ("pod", "cart-1"), ("container", "c")]),
            line: text.into(),
            level: Level::Error,
        }
    }

    fn written(form: Form, clusters: &[&str], text: &str) -> String {
        let mut bytes = Vec::new();
        let names = clusters.iter().map(|c| (*c).to_owned()).collect();
        let mut output = Output::new(form, &mut bytes, names).expect("head");
        output.write(&[(0, line(text))]).expect("line");
        output.flush().expect("flushed");
        drop(output);
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn csv_has_the_columns_and_quotes_all() {
        let head = r#""timestamp","component","pod","container","level","message""#;
        let row = r#""2026-11-21T03:00:00.000000001Z","cart","cart-1","c","ERROR","say ""x"" now""#;
        assert_eq!(
            written(Form::Csv, &["alpha"], "say \"x\"\nnow"),
            format!("{head}\n{row}\n")
        );
        let two = written(Form::Csv, &["alpha", "bravo"], "x");
        assert!(two.starts_with(&format!("{head},\"cluster\"\n")), "{two}");
        assert!(two.ends_with(",\"x\",\"alpha\"\n"), "{two}");
    }

    #[test]
    fn other_forms() {
        assert_eq!(written(Form::Raw, &["alpha"], "one"), "one\n");
        let json = written(Form::Json, &["alpha"], "one");
        let value: serde_json::Value = serde_json::from_str(&json).expect("json");
        assert_eq!(value["cluster"], "alpha");
        assert_eq!(value["labels"]["pod"], "cart-1");
        let table = written(Form::Table, &["alpha", "bravo"], "one");
        let lines: Vec<&str> = table.lines().collect();
        assert!(
            lines[0].contains("CLUSTER") && lines[1].ends_with("  one"),
            "{table}"
        );
        assert_eq!(lines[0].find("MESSAGE"), lines[1].find("one"), "{table}");
    }

    proptest! {
        #[test]
        fn csv_comes_back_as_it_was(text in "\\PC{0,60}") {
            let csv = written(Form::Csv, &["alpha"], &text);
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let row = reader.records().next().expect("a row").expect("readable");
            prop_assert_eq!(row.len(), 6);
            let cell = row.get(5).expect("message");
            prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), text.strip_prefix('\'').unwrap_or(&text));
        }
    }
}
