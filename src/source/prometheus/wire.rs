//! The JSON of Prometheus' HTTP API, read in one pass straight into samples, never as a tree.
//!
//! Prometheus 2 and 3, Thanos and VictoriaMetrics: values are texts (`"NaN"`, `"+Inf"`), native
//! histograms stand where values would, warnings stand beside the data.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::native;
use crate::model::ask::HISTOGRAMS;
use crate::model::label::Labels;
use crate::model::sample::{Points, Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::decimal::{self, Plain};
use crate::source::json::{self, Json};

/// What a query brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryAnswer {
    pub series: Vec<SeriesSamples>,
    /// Warnings and infos of the server, and what we left out.
    pub warnings: Vec<String>,
    /// Series in the answer, also those beyond the limit.
    pub total: usize,
    /// Native histograms that were left out.
    pub histograms: usize,
}

/// The common envelope; `T` is the data.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Envelope<T> {
    pub data: Option<T>,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub infos: Vec<String>,
}

/// Reads the answer of `query` or `query_range` in one pass. Series without a name get `name`; at
/// most `limit` series are kept.
pub fn read_query(body: &[u8], name: &str, limit: usize) -> json::Result<QueryAnswer> {
    read(body, Reader::new(name, limit))
}

/// As [`read_query`]; native histograms come as the buckets that classic ones have.
pub fn read_with_buckets(body: &[u8], name: &str, limit: usize) -> json::Result<QueryAnswer> {
    let reader = Reader {
        buckets: true,
        ..Reader::new(name, limit)
    };
    read(body, reader)
}

fn read<'a>(body: &'a [u8], mut reader: Reader<'_, 'a>) -> json::Result<QueryAnswer> {
    let mut json = Json::new(body)?;
    let (mut warnings, mut infos) = (Vec::new(), Vec::new());
    let mut found = false;
    json.object(|json, key| match key.as_ref() {
        "data" => {
            found = !json.null();
            if found { reader.data(json) } else { Ok(()) }
        }
        "warnings" => texts(json, &mut warnings),
        "infos" => texts(json, &mut infos),
        _ => json.skip(),
    })?;
    json.end()?;
    if !found {
        return json.fail("there is no `data`");
    }
    let mut answer = reader.answer;
    let notes = told(warnings, infos);
    answer.warnings.splice(0..0, notes);
    if answer.histograms > 0 {
        let done = match reader.buckets {
            true => "shown as their buckets",
            false => "left out",
        };
        let note = format!("{}{HISTOGRAMS}{done}", answer.histograms);
        answer.warnings.push(note);
    }
    if reader.buckets {
        answer.histograms = 0;
    }
    Ok(answer)
}

fn texts(json: &mut Json<'_>, out: &mut Vec<String>) -> json::Result<()> {
    if json.null() {
        return Ok(());
    }
    json.array(|json| {
        out.push(json.text()?.into_owned());
        Ok(())
    })
}

/// Warnings and infos as one cleaned list.
pub(super) fn told(warnings: Vec<String>, infos: Vec<String>) -> Vec<String> {
    warnings
        .into_iter()
        .chain(infos)
        .take(20)
        .map(|w| text::clean(&w, 500))
        .collect()
}

/// A number written as a text.
pub(super) struct Number(pub Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number written as a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(Some(value)))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(Some(value as f64)))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(Some(value as f64)))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// Makes series as the cursor goes; a text that occurs often in one answer is held once.
struct Reader<'n, 'a> {
    name: &'n str,
    limit: usize,
    /// Native histograms become buckets.
    buckets: bool,
    texts: HashMap<String, Arc<str>, RandomState>,
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    answer: QueryAnswer,
}

impl<'n, 'a> Reader<'n, 'a> {
    fn new(name: &'n str, limit: usize) -> Self {
        Self {
            name,
            limit,
            buckets: false,
            texts: HashMap::default(),
            pairs: Vec::new(),
            answer: QueryAnswer::default(),
        }
    }

    /// What the result is made of is told before it, or, by some servers, after it.
    fn data(&mut self, json: &mut Json<'a>) -> json::Result<()> {
        let (mut kind, mut later) = (None, None);
        let mut done = false;
        json.object(|json, key| match key.as_ref() {
            "resultType" => {
                kind = Some(json.text()?);
                Ok(())
            }
            "result" => match &kind {
                Some(kind) => {
                    done = true;
                    self.result(json, kind)
                }
                None => {
                    later = Some(*json);
                    json.skip()
                }
            },
            _ => json.skip(),
        })?;
        match (kind, later) {
            (Some(kind), Some(mut place)) => self.result(&mut place, &kind),
            (Some(_), None) if done => Ok(()),
            _ => json.fail("there is no `result` or no `resultType`"),
        }
    }

    fn result(&mut self, json: &mut Json<'a>, kind: &str) -> json::Result<()> {
        match kind {
            // `null` stands for an empty list in some servers.
            "vector" | "matrix" if json.null() => Ok(()),
            "vector" | "matrix" => json.array(|json| self.row(json)),
            "scalar" => {
                let mut points = Points::new();
                point(json, &mut points)?;
                self.answer.total = 1;
                self.answer.series.push(SeriesSamples {
                    key: SeriesKey::new(self.name, Labels::default()),
                    kind: SampleKind::Gauge,
                    points,
                });
                Ok(())
            }
            "string" => {
                let mut text = Cow::default();
                json.array(|json| match json.peek() {
                    Some(b'"') => {
                        text = json.text()?;
                        Ok(())
                    }
                    _ => json.skip(),
                })?;
                let text = text::clean(&text, 1000);
                let note = format!("the result is the text {text:?}");
                self.answer.warnings.push(note);
                Ok(())
            }
            _ => json.fail("unknown result type"),
        }
    }

    /// One series; a vector has `value`, a matrix `values`.
    fn row(&mut self, json: &mut Json<'a>) -> json::Result<()> {
        self.pairs.clear();
        // Rows of one answer are about equally long.
        let like = self.answer.series.last().map_or(1, |s| s.points.len());
        let mut points = Points::with_capacity(like);
        let mut histograms = Vec::new();
        let mut left_out = false;
        let buckets = self.buckets;
        let pairs = &mut self.pairs;
        json.object(|json, key| match key.as_ref() {
            "metric" => json.object(|json, label| {
                pairs.push((label, json.text()?));
                Ok(())
            }),
            "value" => point(json, &mut points),
            "values" => json.array(|json| point(json, &mut points)),
            "histogram" if buckets => native::histogram(json, &mut histograms),
            "histograms" if buckets => json.array(|json| native::histogram(json, &mut histograms)),
            "histogram" | "histograms" => {
                left_out = true;
                json.skip()
            }
            _ => json.skip(),
        })?;
        if !histograms.is_empty() {
            self.add_buckets(&histograms);
            return Ok(());
        }
        if points.is_empty() && left_out {
            self.answer.histograms += 1;
            return Ok(());
        }
        self.answer.total += 1;
        if !points.is_empty() && self.answer.series.len() < self.limit {
            let (key, kind) = self.key();
            self.answer.series.push(SeriesSamples { key, kind, points });
        }
        Ok(())
    }

    /// A histogram is kept whole or not at all.
    fn add_buckets(&mut self, histograms: &[native::Histogram]) {
        let (key, _) = self.key();
        let buckets = native::buckets(&key, histograms);
        self.answer.histograms += 1;
        self.answer.total += buckets.len();
        if self.answer.series.len() + buckets.len() <= self.limit {
            self.answer.series.extend(buckets);
        }
    }

    fn key(&mut self) -> (SeriesKey, SampleKind) {
        let mut name = None;
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for (label, value) in self.pairs.drain(..) {
            if label == "__name__" {
                name = Some(shared(&mut self.texts, &value));
            } else {
                pairs.push((
                    shared(&mut self.texts, &label),
                    shared(&mut self.texts, &value),
                ));
            }
        }
        let kind = name.as_deref().map_or(SampleKind::Gauge, kind_by_name);
        let name = match name {
            Some(name) => name,
            None => shared(&mut self.texts, self.name),
        };
        (SeriesKey::new(name, Labels::new(pairs)), kind)
    }
}

fn shared(texts: &mut HashMap<String, Arc<str>, RandomState>, text: &str) -> Arc<str> {
    if let Some(known) = texts.get(text) {
        return known.clone();
    }
    let shared = text::shared(text, text::LIMIT_BYTES);
    texts.insert(text.to_owned(), shared.clone());
    shared
}

/// A point as nearly all are written: `[1795231090.902,"0.5"]`, no blanks, no sign of a time, at
/// most milliseconds. Anything else is left to the reader of all points.
fn usual(bytes: &[u8]) -> Option<(Sample, usize)> {
    let rest = bytes.strip_prefix(b"[")?;
    let time = Plain::read(rest)?;
    let unit = [1_000, 100, 10, 1].get(time.scale)?;
    let at = Timestamp(i64::try_from(time.mantissa.checked_mul(*unit)?).ok()?);
    let rest = rest.get(time.length..)?.strip_prefix(b",\"")?;
    let digits = rest.strip_prefix(b"-").unwrap_or(rest);
    let plain = Plain::read(digits)?;
    let (own, rest_after) = digits.split_at_checked(plain.length)?;
    let rest_after = rest_after.strip_prefix(b"\"]")?;
    let size = match plain.value() {
        Some(size) => size,
        None => std::str::from_utf8(own).ok()?.parse().ok()?,
    };
    let value = if digits.len() < rest.len() {
        -size
    } else {
        size
    };
    Some((Sample { at, value }, bytes.len() - rest_after.len()))
}

/// `[1795231090.902, "0.5"]`; a value that is no number leaves a gap.
fn point(json: &mut Json<'_>, out: &mut Points) -> json::Result<()> {
    if let Some(sample) = json.shape(usual) {
        out.push(sample);
        return Ok(());
    }
    json.list()?;
    let at = json.number()?;
    if !json.more()? {
        return json.fail("a sample without a value");
    }
    let value = match json.peek() {
        Some(b'"') => decimal::parse(&json.text()?),
        _ => Some(json.number()?),
    };
    while json.more()? {
        json.skip()?;
    }
    out.extend(value.map(|value| Sample {
        at: Timestamp::from_seconds(at),
        value,
    }));
    Ok(())
}

/// A raw series under its own name: by convention only counters end like this.
pub(super) fn kind_by_name(name: &str) -> SampleKind {
    if name.ends_with("_total") || name.ends_with("_bucket") {
        SampleKind::Counter
    } else {
        SampleKind::Gauge
    }
}

#[cfg(test)]
mod tests;
