//! The JSON of Prometheus' HTTP API, read with borrowed texts and never as a tree.
//!
//! Prometheus 2 and 3, Thanos and VictoriaMetrics: values are texts (`"NaN"`, `"+Inf"`), native
//! histograms stand where values would, warnings stand beside the data.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::text;
use crate::model::time::Timestamp;

/// What a query brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryAnswer {
    pub series: Vec<SeriesSamples>,
    /// Warnings and infos of the server, and what we left out.
    pub warnings: Vec<String>,
    /// Series in the answer, also those beyond the limit.
    pub total: usize,
    /// Native histograms, which are not shown.
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

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// Reads the answer of `query` or `query_range`. Series without a name get `name`; at most `limit`
/// series are kept.
pub fn read_query(body: &[u8], name: &str, limit: usize) -> Result<QueryAnswer, serde_json::Error> {
    let envelope: Envelope<Data> = serde_json::from_slice(body)?;
    let data = envelope
        .data
        .ok_or_else(|| de::Error::custom("there is no `data`"))?;
    let mut answer = QueryAnswer {
        warnings: told(envelope.warnings, envelope.infos),
        ..QueryAnswer::default()
    };
    match data.kind.as_ref() {
        "vector" | "matrix" => {
            let rows: Rows = serde_json::from_str(data.result.get())?;
            Builder::new(name, limit).fill(rows.0, &mut answer);
        }
        "scalar" => {
            let point: Point = serde_json::from_str(data.result.get())?;
            answer.total = 1;
            answer.series.push(SeriesSamples {
                key: SeriesKey::new(name, Labels::default()),
                kind: SampleKind::Gauge,
                points: point.sample().into_iter().collect(),
            });
        }
        "string" => {
            let (_, text): (f64, Cow<str>) = serde_json::from_str(data.result.get())?;
            let text = text::clean(&text, 1000);
            answer
                .warnings
                .push(format!("the result is the text {text:?}"));
        }
        other => {
            let other = text::clean(other, 40);
            return Err(de::Error::custom(format!("unknown result type `{other}`")));
        }
    }
    if answer.histograms > 0 {
        let note = format!("{} native histograms left out", answer.histograms);
        answer.warnings.push(note);
    }
    Ok(answer)
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

struct Rows<'a>(Vec<Row<'a>>);

impl<'de> Deserialize<'de> for Rows<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `null` stands for an empty list in some servers.
        let rows = Option::<Vec<Row<'de>>>::deserialize(deserializer)?;
        Ok(Self(rows.unwrap_or_default()))
    }
}

/// One series; a vector has `value`, a matrix `values`.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default)]
    metric: Metric<'a>,
    value: Option<Point>,
    #[serde(default)]
    values: Vec<Point>,
    histogram: Option<IgnoredAny>,
    histograms: Option<IgnoredAny>,
}

/// Label pairs as they stand in the body.
#[derive(Default)]
struct Metric<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Metric<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Metric<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(12);
                while let Some((name, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    pairs.push((name.0, value.0));
                }
                Ok(Metric(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A text that borrows wherever it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// `[1795231090.902, "0.5"]`; a value that is no number leaves a gap.
struct Point {
    at: f64,
    value: Option<f64>,
}

impl Point {
    fn sample(&self) -> Option<Sample> {
        Some(Sample {
            at: Timestamp::from_seconds(self.at),
            value: self.value?,
        })
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Point;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let missing = || de::Error::custom("a sample without time or value");
                let at = seq.next_element::<f64>()?.ok_or_else(missing)?;
                let value = seq.next_element::<Number>()?.ok_or_else(missing)?.0;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Point { at, value })
            }
        }
        deserializer.deserialize_seq(Pair)
    }
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

/// Makes series; a text that occurs often in one answer is held once.
struct Builder<'n> {
    name: &'n str,
    limit: usize,
    texts: HashMap<String, Arc<str>>,
}

impl<'n> Builder<'n> {
    fn new(name: &'n str, limit: usize) -> Self {
        Self {
            name,
            limit,
            texts: HashMap::new(),
        }
    }

    fn fill(&mut self, rows: Vec<Row<'_>>, answer: &mut QueryAnswer) {
        answer.total = rows.len();
        answer.series.reserve(rows.len().min(self.limit));
        for row in rows {
            let points: Vec<Sample> = row
                .value
                .iter()
                .chain(&row.values)
                .filter_map(Point::sample)
                .collect();
            if points.is_empty() {
                if row.histogram.is_some() || row.histograms.is_some() {
                    answer.histograms += 1;
                }
                continue;
            }
            if answer.series.len() < self.limit {
                let (key, kind) = self.key(row.metric);
                answer.series.push(SeriesSamples { key, kind, points });
            }
        }
        answer.total -= answer.histograms.min(answer.total);
    }

    fn key(&mut self, metric: Metric<'_>) -> (SeriesKey, SampleKind) {
        let mut name = None;
        let mut pairs = Vec::with_capacity(metric.0.len());
        for (label, value) in metric.0 {
            if label == "__name__" {
                name = Some(self.shared(&value));
            } else {
                pairs.push((self.shared(&label), self.shared(&value)));
            }
        }
        let kind = name.as_deref().map_or(SampleKind::Gauge, kind_by_name);
        let name = match name {
            Some(name) => name,
            None => self.shared(self.name),
        };
        (SeriesKey::new(name, Labels::new(pairs)), kind)
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let shared: Arc<str> =
            if text.len() <= text::LIMIT_BYTES && !text.chars().any(text::is_unsafe) {
                Arc::from(text)
            } else {
                Arc::from(text::clean(text, text::LIMIT_BYTES))
            };
        self.texts.insert(text.to_owned(), shared.clone());
        shared
    }
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
