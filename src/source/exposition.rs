//! Reads what exporters expose: Prometheus text 0.0.4, OpenMetrics 1.0, names in quotes (UTF-8).
//!
//! Borrows from the body, allocates for escapes only. A bad line costs itself alone and is counted;
//! lines and series are bounded; nothing in a body makes it panic.

mod tokens;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::model::time::Timestamp;

pub use tokens::Labels;

pub use crate::model::scrape::Class;

/// Longest line that is read, bytes.
pub const LINE_LIMIT: usize = 64 << 10;

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`: milliseconds.
    #[default]
    Text,
    /// `application/openmetrics-text`: seconds, ends with `# EOF`.
    OpenMetrics,
}

impl Format {
    pub fn from_content_type(content_type: &str) -> Self {
        if content_type.starts_with("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub format: Format,
    /// False: the connection broke, so an unterminated last line may be half a line.
    pub complete: bool,
    pub line_limit: usize,
    /// Samples beyond this are counted, not given.
    pub sample_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Text,
            complete: true,
            line_limit: LINE_LIMIT,
            sample_limit: usize::MAX,
        }
    }
}

/// One sample line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Name and labels as written; equal texts are one series.
    pub series: &'a str,
    pub name: Cow<'a, str>,
    pub value: f64,
    pub at: Option<Timestamp>,
    pub class: Class,
}

/// What a body held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Samples read, also those beyond the limit.
    pub samples: usize,
    pub bad_lines: usize,
    /// Bad ones that were longer than the limit.
    pub long_lines: usize,
    /// Lines that are neither empty nor comments.
    pub lines: usize,
}

impl Summary {
    /// More than half of the lines are bad: this is no metrics endpoint.
    pub fn is_nonsense(&self) -> bool {
        self.bad_lines * 2 > self.lines
    }
}

/// Takes what is read.
pub trait Taker<'a> {
    /// A value of a series, by its text as written. False: that was never given to `take`, so its
    /// labels are needed.
    fn again(&mut self, series: &'a str, value: f64, at: Option<Timestamp>) -> bool;

    /// A good sample. Labels with an empty value are left out: such a label is an absent one.
    fn take(&mut self, sample: &Sample<'a>, labels: &Labels<'a>);
}

/// Takes each sample with its labels.
struct Each<F>(F);

impl<'a, F: FnMut(&Sample<'a>, &Labels<'a>)> Taker<'a> for Each<F> {
    fn again(&mut self, _: &'a str, _: f64, _: Option<Timestamp>) -> bool {
        false
    }

    fn take(&mut self, sample: &Sample<'a>, labels: &Labels<'a>) {
        (self.0)(sample, labels);
    }
}

/// Reads `body` and gives each good sample with its labels to `each`.
pub fn parse<'a>(
    body: &'a [u8],
    options: Options,
    each: impl FnMut(&Sample<'a>, &Labels<'a>),
) -> Summary {
    parse_into(body, options, &mut Each(each))
}

/// Reads `body`; lines of series that `taker` knows are read no further than their value.
pub fn parse_into<'a>(body: &'a [u8], options: Options, taker: &mut impl Taker<'a>) -> Summary {
    let mut summary = Summary::default();
    let mut types = Types::default();
    let mut labels = Labels::new();
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    while !rest.is_empty() {
        let (line, next) = match memchr::memchr(b'\n', rest) {
            Some(end) => (
                rest.get(..end).unwrap_or_default(),
                rest.get(end + 1..).unwrap_or_default(),
            ),
            None if !options.complete => break,
            None => (rest, Default::default()),
        };
        rest = next;
        let line = trimmed(line);
        match line.first() {
            None => continue,
            Some(b'#') if types.comment(line, options.line_limit) => break,
            Some(b'#') => continue,
            Some(_) => {}
        }
        summary.lines += 1;
        if line.len() > options.line_limit {
            summary.long_lines += 1;
            summary.bad_lines += 1;
            continue;
        }
        let wanted = summary.samples < options.sample_limit;
        let line = std::str::from_utf8(line).ok();
        let known = line.filter(|_| wanted).is_some_and(|line| {
            tokens::guess(line, options.format)
                .is_some_and(|(series, value, at)| taker.again(series, value, at))
        });
        if known {
            summary.samples += 1;
            continue;
        }
        let Some(read) = line.and_then(|l| tokens::sample(l, options.format, &mut labels)) else {
            summary.bad_lines += 1;
            continue;
        };
        summary.samples += 1;
        if wanted {
            let sample = Sample {
                class: types.class(&read.name, &labels),
                series: read.series,
                name: read.name,
                value: read.value,
                at: read.at,
            };
            taker.take(&sample, &labels);
        }
    }
    summary
}

/// Without blanks around it and without the CR of CR LF.
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
    Histogram,
    GaugeHistogram,
    Summary,
    Unknown,
}

/// The `TYPE` lines seen so far; the first one of a family counts.
#[derive(Default)]
struct Types<'a>(HashMap<Cow<'a, str>, Kind, RandomState>);

impl<'a> Types<'a> {
    /// Reads a comment; true: it is `# EOF`.
    fn comment(&mut self, line: &'a [u8], limit: usize) -> bool {
        if line == b"# EOF" {
            return true;
        }
        // Broken text in HELP harms nobody; a broken TYPE is a missing one.
        if line.len() <= limit
            && let Some(told) = line.strip_prefix(b"# TYPE ")
            && let Ok(told) = std::str::from_utf8(told)
            && let Some((name, kind)) = tokens::type_line(told)
        {
            let kind = match kind {
                "gauge" | "info" | "stateset" => Kind::Gauge,
                "counter" => Kind::Counter,
                "histogram" => Kind::Histogram,
                "gaugehistogram" => Kind::GaugeHistogram,
                "summary" => Kind::Summary,
                _ => Kind::Unknown,
            };
            self.0.entry(name).or_insert(kind);
        }
        false
    }

    fn class(&self, name: &str, labels: &Labels<'_>) -> Class {
        if let Some(kind) = self.0.get(name) {
            return match kind {
                Kind::Gauge => Class::Gauge,
                Kind::Counter => Class::Counter,
                Kind::Histogram | Kind::GaugeHistogram | Kind::Summary => Class::Other,
                Kind::Unknown => Class::Unknown,
            };
        }
        let family = |suffix: &str| {
            name.strip_suffix(suffix)
                .and_then(|family| self.0.get(family).copied())
        };
        if let Some(kind) = family("_total") {
            if kind == Kind::Counter {
                return Class::Counter;
            }
        } else if let Some(kind) = family("_bucket") {
            match kind {
                Kind::Histogram => return Class::Bucket,
                Kind::GaugeHistogram => return Class::Other,
                _ => {}
            }
        } else if let Some(kind) = family("_count").or_else(|| family("_sum")) {
            if matches!(kind, Kind::Histogram | Kind::Summary) {
                return Class::Total;
            }
        } else if family("_created").is_some() {
            return Class::Created;
        } else if family("_info").is_some()
            || family("_gcount").or_else(|| family("_gsum")).is_some()
        {
            return Class::Gauge;
        }
        by_name(name, labels)
    }
}

/// Without a `TYPE`: what names mean by convention.
fn by_name(name: &str, labels: &Labels<'_>) -> Class {
    if name.ends_with("_total") {
        Class::Counter
    } else if name.ends_with("_bucket") && labels.iter().any(|(n, _)| n == "le") {
        Class::Bucket
    } else {
        Class::Unknown
    }
}

#[cfg(test)]
mod tests;
