//! Log lines as a table for reading, or in the forms of a file.

use std::io::{self, Write};

use super::args::Form;
use crate::export::lines::{self, Lines, place, stamp, word};
use crate::model::log::LogLine;

/// Writes lines in one form.
pub struct Output<W: Write> {
    to: To<W>,
    /// Names of the clusters; told with each line where there are several.
    clusters: Vec<String>,
}

enum To<W: Write> {
    Table(W),
    Plain(Lines<W>),
}

impl<W: Write> Output<W> {
    /// Writes the head, where the form has one.
    pub fn new(form: Form, mut out: W, clusters: Vec<String>) -> io::Result<Self> {
        let several = clusters.len() > 1;
        let form = match form {
            Form::Table => {
                let cluster = if several { "CLUSTER         " } else { "" };
                writeln!(
                    out,
                    "{:<30}  {:<8}  {cluster}{:<16}  {:<32}  MESSAGE",
                    "TIMESTAMP", "LEVEL", "COMPONENT", "POD/CONTAINER"
                )?;
                let to = To::Table(out);
                return Ok(Self { to, clusters });
            }
            Form::Raw => lines::Form::Raw,
            Form::Json => lines::Form::Json,
            Form::Csv => lines::Form::Csv,
        };
        let to = To::Plain(Lines::new(form, out, several)?);
        Ok(Self { to, clusters })
    }

    pub fn write(&mut self, lines: &[(usize, LogLine)]) -> io::Result<()> {
        for (place, line) in lines {
            let cluster = self.clusters.get(*place).map_or("", String::as_str);
            match &mut self.to {
                To::Plain(out) => out.line(cluster, line.view())?,
                To::Table(out) => row(out, (self.clusters.len() > 1).then_some(cluster), line)?,
            }
        }
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Table(out) => out.flush(),
            To::Plain(out) => out.flush(),
        }
    }
}

fn row(out: &mut impl Write, cluster: Option<&str>, line: &LogLine) -> io::Result<()> {
    let (component, pod, container) = place(line.view());
    write!(out, "{:<30}  ", stamp(line.at_ns))?;
    write!(out, "{:<8}  ", word(line.level))?;
    if let Some(cluster) = cluster {
        write!(out, "{cluster:<14}  ")?;
    }
    let place = match (pod, container) {
        (pod, "") => pod.to_owned(),
        (pod, container) => format!("{pod}/{container}"),
    };
    writeln!(out, "{component:<16}  {place:<32}  {}", line.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::log::Level;
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
