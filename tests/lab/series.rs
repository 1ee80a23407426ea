//! Samples, scrape targets, and both text forms: the exporter's page and backfill in OpenMetrics.

use std::collections::HashMap;
use std::fmt::Write;

/// One scrape target as service discovery would tell it.
#[derive(Clone, Debug)]
pub struct Target {
    pub job: &'static str,
    pub instance: String,
    /// Further target labels (namespace, pod, node ...).
    pub labels: Vec<(&'static str, String)>,
    pub honor: bool,
    /// Path on the lab's exporter.
    pub path: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Dcgm(&'static str),
    Vllm(&'static str),
    Node(&'static str),
    State,
    Cadvisor,
    Api,
    Ptp(&'static str),
    Sriov(&'static str),
    Operators,
}

#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// What one scrape collects; counters go on from the last one.
pub struct Page<'a> {
    pub t: f64,
    pub dt: f64,
    counters: &'a mut HashMap<String, f64>,
    scope: &'a str,
    pub samples: Vec<Sample>,
    types: Vec<(String, &'static str)>,
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl<'a> Page<'a> {
    pub fn new(t: f64, dt: f64, scope: &'a str, counters: &'a mut HashMap<String, f64>) -> Self {
        Self {
            t,
            dt,
            counters,
            scope,
            samples: Vec::new(),
            types: Vec::new(),
        }
    }

    fn declare(&mut self, family: &str, kind: &'static str) {
        if self.types.last().is_none_or(|(f, _)| f != family)
            && !self.types.iter().any(|(f, _)| f == family)
        {
            self.types.push((family.to_owned(), kind));
        }
    }

    fn push(&mut self, name: &str, labels: Pairs, value: f64) {
        self.samples.push(Sample {
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            value,
        });
    }

    pub fn gauge(&mut self, name: &str, labels: Pairs, value: f64) {
        self.declare(name, "gauge");
        self.push(name, labels, value);
    }

    /// Grows by `rate` a second; begins at `start`.
    pub fn counter(&mut self, name: &str, labels: Pairs, start: f64, rate: f64) {
        self.declare(name, "counter");
        let value = self.grow(name, labels, start, rate * self.dt);
        self.push(name, labels, value.floor());
    }

    /// The same with fractions (seconds of CPU).
    pub fn seconds(&mut self, name: &str, labels: Pairs, start: f64, rate: f64) {
        self.declare(name, "counter");
        let value = self.grow(name, labels, start, rate * self.dt);
        self.push(name, labels, (value * 100.0).round() / 100.0);
    }

    fn grow(&mut self, name: &str, labels: Pairs, start: f64, by: f64) -> f64 {
        let mut key = format!("{}|{name}", self.scope);
        for (n, v) in labels {
            let _ = write!(key, "|{n}={v}");
        }
        let value = self.counters.entry(key).or_insert(start);
        *value += by.max(0.0);
        *value
    }

    /// A histogram fed with `rate` observations a second of a lognormal distribution.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: Pairs,
        edges: &[f64],
        rate: f64,
        shape: (f64, f64),
    ) {
        self.declare(name, "histogram");
        let (median, sigma) = shape;
        let count = rate * self.dt;
        let bucket = format!("{name}_bucket");
        for edge in edges.iter().copied().chain([f64::INFINITY]) {
            let le = if edge.is_infinite() {
                "+Inf".to_owned()
            } else if edge.fract() == 0.0 {
                format!("{edge:.1}")
            } else {
                edge.to_string()
            };
            let mut with = labels.to_vec();
            with.push(("le", &le));
            let share = super::noise::lognormal_below(edge, median, sigma);
            let value = self.grow(&bucket, &with, 0.0, count * share);
            self.push(&bucket, &with, value.floor());
        }
        let total = self.grow(&format!("{name}_count"), labels, 0.0, count);
        let mean = median * (sigma * sigma / 2.0).exp();
        let sum = self.grow(&format!("{name}_sum"), labels, 0.0, count * mean);
        self.push(&format!("{name}_count"), labels, total.floor());
        self.push(&format!("{name}_sum"), labels, sum);
    }

    /// The page as an exporter serves it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (family, kind) in &self.types {
            let _ = writeln!(out, "# HELP {family} Lab value.\n# TYPE {family} {kind}");
            for sample in self
                .samples
                .iter()
                .filter(|s| belongs(&s.name, family, kind))
            {
                write_series(&mut out, &sample.name, &sample.labels);
                let _ = writeln!(out, " {}", number(sample.value));
            }
        }
        out
    }
}

fn belongs(name: &str, family: &str, kind: &str) -> bool {
    name == family
        || kind == "histogram"
            && name
                .strip_prefix(family)
                .is_some_and(|rest| matches!(rest, "_bucket" | "_count" | "_sum"))
}

fn write_series(out: &mut String, name: &str, labels: &[(String, String)]) {
    out.push_str(name);
    out.push('{');
    for (i, (n, v)) in labels.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let v = v
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = write!(out, "{comma}{n}=\"{v}\"");
    }
    out.push('}');
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else {
        format!("{value}")
    }
}

/// The sample's labels as Prometheus would store them.
pub fn stored(target: &Target, sample: &Sample) -> Vec<(String, String)> {
    let mut own: Vec<(&str, &str)> = vec![("job", target.job), ("instance", &target.instance)];
    own.extend(target.labels.iter().map(|(n, v)| (*n, v.as_str())));
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, value) in &sample.labels {
        let clash = own.iter().any(|(n, _)| n == name);
        if clash && !target.honor {
            out.push((format!("exported_{name}"), value.clone()));
        } else {
            out.push((name.clone(), value.clone()));
        }
    }
    for (name, value) in own {
        if !out.iter().any(|(n, _)| n == name) {
            out.push((name.to_owned(), value.to_owned()));
        }
    }
    out
}

/// One line of backfill.
pub fn backfill(out: &mut String, target: &Target, sample: &Sample, t: f64) {
    write_series(out, &sample.name, &stored(target, sample));
    let _ = writeln!(out, " {} {t:.3}", number(sample.value));
}
