//! What a tool read, before it was made short for the model: given in pages, on demand.

use std::sync::Arc;

use super::digest::{clock, labels, number, traces};
use crate::model::ask::Answer;
use crate::model::log::LogLine;
use crate::model::redact::redact;
use crate::model::sample::{Sample, SeriesSamples};
use crate::model::text::{clean, clean_lines};
use crate::model::time::Timestamp;

/// Points in one row.
const POINTS: usize = 20;
/// Characters of one row.
const ROW: usize = 2_000;

/// Every answer that a call got, by the cluster that gave it; or a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Whole {
    Text(Arc<str>),
    Answers(Arc<Vec<(String, Answer)>>),
}

/// Which part is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pick {
    /// Only rows that hold this, whatever the case.
    pub contains: String,
    /// The first row, counted from 1.
    pub from: usize,
    /// Rows and characters at most.
    pub rows: usize,
    pub chars: usize,
}

impl Whole {
    /// Rows as text, redacted, below a line that says which they are; and how many that is.
    pub fn page(&self, wanted: &Pick) -> (String, usize) {
        let words = wanted.contains.to_lowercase();
        let from = wanted.from.max(1);
        let mut page = Page {
            wanted,
            words,
            from,
            all: 0,
            fitting: 0,
            shown: 0,
            text: String::new(),
            full: false,
        };
        self.each(&mut |row| page.take(row));
        (page.told(), page.shown)
    }

    fn each(&self, take: &mut dyn FnMut(&str)) {
        match self {
            Self::Text(text) => text.lines().for_each(take),
            Self::Answers(all) => {
                for (cluster, answer) in all.iter() {
                    rows(answer, &mut |row| take(&format!("{cluster}: {row}")));
                }
            }
        }
    }

    /// About how much memory it holds.
    pub fn bytes(&self) -> usize {
        let of = |answer: &Answer| match answer {
            Answer::Series(all) => all.iter().map(|s| 200 + s.points.len() * 16).sum(),
            Answer::Logs(lines) => lines.iter().map(|l| 100 + l.line.len()).sum(),
            Answer::Names(names) => names.iter().map(|n| 24 + n.len()).sum(),
            Answer::Object(object) => object.yaml.len(),
            Answer::Trace(trace) => trace.nodes.len() * 500,
            Answer::Traces(all) => all.len() * 200,
            Answer::Metadata(all) => all.len() * 200,
            Answer::Rules(all) => all.len() * 500,
            Answer::TagValues(all) => all.len() * 50,
            Answer::Exemplars(all) => all.len() * 200,
            Answer::Messages(all) => all.iter().map(crate::model::bus::Message::weight).sum(),
        };
        match self {
            Self::Text(text) => text.len(),
            Self::Answers(all) => all.iter().map(|(_, answer)| of(answer)).sum(),
        }
    }
}

struct Page<'a> {
    wanted: &'a Pick,
    words: String,
    from: usize,
    all: usize,
    fitting: usize,
    shown: usize,
    text: String,
    full: bool,
}

impl Page<'_> {
    fn take(&mut self, row: &str) {
        self.all += 1;
        // Looked for in what may be shown: else a secret could be guessed letter by letter.
        let shown = || redact(&clean_lines(row, ROW));
        let found = (!self.words.is_empty()).then(shown);
        if let Some(row) = &found
            && !row.to_lowercase().contains(&self.words)
        {
            return;
        }
        self.fitting += 1;
        if self.fitting < self.from || self.full {
            return;
        }
        let row = found.unwrap_or_else(shown);
        let room = self.wanted.chars.saturating_sub(self.text.len());
        self.full = self.shown == self.wanted.rows || (row.len() >= room && self.shown > 0);
        if !self.full {
            self.text.push_str(&row);
            self.text.push('\n');
            self.shown += 1;
        }
    }

    fn told(&self) -> String {
        let held = match self.wanted.contains.is_empty() {
            true => format!("{} rows", self.all),
            false => format!(
                "{} rows that hold \"{}\" (of {})",
                self.fitting,
                clean(&self.wanted.contains, 100),
                self.all
            ),
        };
        if self.shown == 0 {
            return format!("none from row {} on: there are {held}\n", self.from);
        }
        let last = self.from + self.shown - 1;
        let more = match last < self.fitting {
            true => format!("; the next is {}", last + 1),
            false => String::new(),
        };
        format!(
            "rows {} to {last} of {held}{more}\n{}",
            self.from, self.text
        )
    }
}

fn rows(answer: &Answer, take: &mut dyn FnMut(&str)) {
    match answer {
        Answer::Series(all) => all.iter().for_each(|series| points(series, take)),
        Answer::Logs(lines) => lines.iter().for_each(|l| take(&line(l))),
        Answer::Names(names) => names.iter().for_each(|name| take(name)),
        Answer::Object(object) => object.yaml.lines().for_each(take),
        Answer::Traces(all) => traces::list(all).lines().for_each(take),
        Answer::Trace(trace) => traces::one(trace).lines().for_each(take),
        // No tool asks for these.
        Answer::Metadata(_)
        | Answer::Rules(_)
        | Answer::TagValues(_)
        | Answer::Exemplars(_)
        | Answer::Messages(_) => {}
    }
}

/// All points of a series, some in a row.
fn points(series: &SeriesSamples, take: &mut dyn FnMut(&str)) {
    let one = |p: &Sample| format!("{}={}", clock(p.at), number(p.value));
    for some in series.points.chunks(POINTS) {
        let some: Vec<String> = some.iter().map(one).collect();
        take(&format!("{} {}", series.key, some.join(" ")));
    }
}

fn line(line: &LogLine) -> String {
    format!(
        "{} {} {}",
        Timestamp(line.at_ns / 1_000_000).rfc3339(),
        labels(&line.labels),
        line.line
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::label::Labels;
    use crate::model::log::Level;

    fn logs(count: usize) -> Whole {
        let line = |n: usize| LogLine {
            at_ns: n as i64 * 1_000_000_000,
            labels: Labels::from_pairs([("pod", "p")]),
            line: match n % 10 {
                0 => format!("OOM number {n} password=hunter2hunter2 \u{1b}[31m").into(),
                _ => format!("line {n}").into(),
            },
            level: Level::Info,
        };
        let answer = Answer::Logs((0..count).map(line).collect());
        Whole::Answers(Arc::new(vec![("alpha".into(), answer)]))
    }

    fn wanted(contains: &str, from: usize) -> Pick {
        Pick {
            contains: contains.into(),
            from,
            rows: 40,
            chars: 8_000,
        }
    }

    #[test]
    fn pages_follow_one_another_and_say_what_is_left() {
        let whole = logs(100);
        let (first, rows) = whole.page(&wanted("", 0));
        assert_eq!(rows, 40);
        assert!(
            first.starts_with("rows 1 to 40 of 100 rows; the next is 41\n"),
            "{first}"
        );
        let (last, rows) = whole.page(&wanted("", 81));
        assert_eq!(rows, 20);
        assert!(
            last.starts_with("rows 81 to 100 of 100 rows\nalpha: "),
            "{last}"
        );
        let (none, rows) = whole.page(&wanted("", 101));
        assert_eq!(
            (none.as_str(), rows),
            ("none from row 101 on: there are 100 rows\n", 0)
        );
    }

    #[test]
    fn only_rows_that_hold_the_words_and_no_secret() {
        let (text, rows) = logs(100).page(&wanted("oom", 2));
        assert_eq!(rows, 9);
        assert!(
            text.starts_with("rows 2 to 10 of 10 rows that hold \"oom\" (of 100)\n"),
            "{text}"
        );
        let (guessed, rows) = logs(100).page(&wanted("hunter2", 1));
        assert_eq!(rows, 0, "{guessed}");
        assert!(
            !text.contains("hunter2") && !text.contains('\u{1b}'),
            "{text}"
        );
    }

    #[test]
    fn every_point_of_a_series_is_there() {
        let point = |n: i64| Sample {
            at: Timestamp(n * 60_000),
            value: n as f64,
        };
        let series = SeriesSamples {
            key: crate::model::sample::SeriesKey::new("up", Labels::from_pairs([("a", "b")])),
            kind: crate::model::sample::SampleKind::Gauge,
            points: (0..50).map(point).collect(),
        };
        let answer = Answer::Series(Arc::new(vec![series]));
        let (text, rows) =
            Whole::Answers(Arc::new(vec![("alpha".into(), answer)])).page(&wanted("", 1));
        assert_eq!(rows, 3);
        assert!(text.contains("00:49:00Z=49"), "{text}");
    }

    proptest! {
        /// Whatever the sizes: pages one after another give each row once, and none is beyond its room.
        #[test]
        fn nothing_is_lost_between_pages(count in 0_usize..120, rows in 1_usize..50, chars in 1_usize..600) {
            let whole = logs(count);
            let (mut from, mut got) = (1, 0);
            while got < count {
                let (text, shown) = whole.page(&Pick { from, rows, chars, contains: String::new() });
                prop_assert!(shown >= 1 && shown <= rows);
                prop_assert!(shown == 1 || text.len() <= chars + 200);
                got += shown;
                from += shown;
            }
            prop_assert_eq!(got, count);
        }
    }
}
