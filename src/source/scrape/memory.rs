//! What is kept from scrape to scrape: series by their text, and the last value of counters.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Read;
use super::latency::Latencies;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::exposition::{self, Class, Format, Options};

/// Scrapes after which a series that is gone is forgotten.
const FORGET_AFTER: u64 = 5;

/// One exporter's series, and how its counters stood.
#[derive(Debug, Default)]
pub struct Memory {
    /// `host:port` of the exporter.
    instance: String,
    pub limit: usize,
    scrape: u64,
    known: HashMap<Box<str>, Known, RandomState>,
    latencies: Latencies,
}

/// One series as its exporter writes it.
#[derive(Debug)]
struct Known {
    key: SeriesKey,
    group: Group,
    role: Role,
    seen: u64,
}

#[derive(Debug)]
enum Role {
    Value,
    /// Time and value of the last scrape.
    Rate(Option<(i64, f64)>),
    /// Histogram number, model, upper bound.
    Latency(usize, String, f64),
    Skip,
}

impl Memory {
    pub fn new(instance: &str, limit: usize) -> Self {
        Self {
            instance: text::clean(instance, 256),
            limit,
            ..Self::default()
        }
    }

    /// Reads one body; `now` is the time of samples that carry none.
    pub fn read(&mut self, body: &[u8], format: Format, complete: bool, now: Timestamp) -> Read {
        self.scrape += 1;
        let scrape = self.scrape;
        let options = Options {
            format,
            complete,
            sample_limit: self.limit,
            ..Options::default()
        };
        let mut groups: HashMap<Group, Vec<SeriesSamples>> = HashMap::new();
        let (known, instance, latencies) = (&mut self.known, &self.instance, &mut self.latencies);
        let summary = exposition::parse(body, options, |sample, labels| {
            let series = match known.get_mut(sample.series) {
                Some(series) => series,
                None => known
                    .entry(sample.series.into())
                    .or_insert(Known::new(sample, labels, instance)),
            };
            // The same series twice in one body: the first counts.
            if series.seen == scrape {
                return;
            }
            series.seen = scrape;
            let at = sample.at.unwrap_or(now);
            if let Some(value) = series.value(at, sample.value, latencies) {
                groups.entry(series.group).or_default().push(SeriesSamples {
                    key: series.key.clone(),
                    kind: SampleKind::Gauge,
                    points: vec![Sample { at, value }],
                });
            }
        });
        known.retain(|_, series| series.seen + FORGET_AFTER > scrape);
        self.close_latencies(&mut groups, now);
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(group, _)| *group);
        (summary, groups)
    }

    fn close_latencies(&mut self, groups: &mut HashMap<Group, Vec<SeriesSamples>>, now: Timestamp) {
        for (signal, model, value) in self.latencies.close(now.0) {
            let labels = [("model_name", model.as_str()), ("instance", &self.instance)];
            groups
                .entry(Group::Serving)
                .or_default()
                .push(SeriesSamples {
                    key: SeriesKey::new(signal, Labels::from_pairs(labels)),
                    kind: SampleKind::Gauge,
                    points: vec![Sample { at: now, value }],
                });
        }
    }
}

impl Known {
    fn new(
        sample: &exposition::Sample<'_>,
        labels: &exposition::Labels<'_>,
        instance: &str,
    ) -> Self {
        let find = |name: &str| {
            labels
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_ref())
        };
        let role = match sample.class {
            Class::Gauge | Class::Unknown | Class::Other => Role::Value,
            Class::Counter | Class::Total => Role::Rate(None),
            Class::Created => Role::Skip,
            Class::Bucket => match (
                super::latency::Latencies::which(&sample.name),
                find("le").and_then(|le| le.parse().ok()),
            ) {
                (Some(which), Some(bound)) => {
                    let model = text::clean(find("model_name").unwrap_or_default(), 256);
                    Role::Latency(which, model, bound)
                }
                _ => Role::Skip,
            },
        };
        let suffix = if matches!(role, Role::Rate(_)) {
            ":rate"
        } else {
            ""
        };
        let name = format!("{}{suffix}", cleaned(&sample.name));
        let mut pairs: Vec<(Arc<str>, Arc<str>)> = labels
            .iter()
            .map(|(name, value)| (cleaned(name), cleaned(value)))
            .collect();
        if find("instance").is_none() {
            pairs.push(("instance".into(), instance.into()));
        }
        Self {
            key: SeriesKey::new(name, Labels::new(pairs)),
            group: group_of(&sample.name),
            role,
            seen: 0,
        }
    }

    /// What is told of this value; `None`: nothing, or nothing yet.
    fn value(&mut self, at: Timestamp, value: f64, latencies: &mut Latencies) -> Option<f64> {
        match &mut self.role {
            Role::Skip => None,
            Role::Value => (!is_blank(&self.key.name, value)).then_some(value),
            Role::Latency(which, model, bound) => {
                latencies.add(*which, model, *bound, value);
                None
            }
            Role::Rate(last) => {
                let (before_ms, before) = last.replace((at.0, value))?;
                let seconds = (at.0 - before_ms) as f64 / 1000.0;
                // A smaller value: the exporter began anew, and counted up to here since.
                let grown = if value >= before {
                    value - before
                } else {
                    value
                };
                (seconds > 0.0 && grown.is_finite()).then(|| grown / seconds)
            }
        }
    }
}

fn cleaned(text: &str) -> Arc<str> {
    text::shared(text, text::LIMIT_BYTES)
}

/// Which screen a metric belongs to, by its name.
fn group_of(name: &str) -> Group {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| name.starts_with(p));
    if starts(&[
        "DCGM_",
        "dcgm_",
        "gpu_",
        "amd_gpu_",
        "hw_gpu_",
        "habanalabs_",
        "xpum_",
    ]) {
        Group::Gpu
    } else if starts(&["vllm:", "sglang:", "tgi_"]) {
        Group::Serving
    } else if starts(&["openshift_ptp_"]) {
        Group::Ptp
    } else if starts(&["sriov_"]) {
        Group::Sriov
    } else {
        Group::Exporter
    }
}

/// Old releases of DCGM leak their marks for "no value" as numbers.
fn is_blank(name: &str, value: f64) -> bool {
    (name.starts_with("DCGM_") || name.starts_with("dcgm_"))
        && (value >= 9.223_372_036_8e18
            || (2_147_483_632.0..=2_147_483_635.0).contains(&value)
            || (140_737_488_355_328.0..=140_737_488_355_331.0).contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(memory: &mut Memory, body: &str, at: i64) -> Vec<(Group, Vec<SeriesSamples>)> {
        memory
            .read(body.as_bytes(), Format::Text, true, Timestamp(at))
            .1
    }

    fn flat(groups: &[(Group, Vec<SeriesSamples>)]) -> Vec<(String, f64)> {
        let all = groups.iter().flat_map(|(_, s)| s);
        all.map(|s| (s.key.to_string(), s.points[0].value))
            .collect()
    }

    #[test]
    fn counters_become_rates_and_survive_resets() {
        let mut memory = Memory::new("h:1", 1000);
        let body = |n: u32| format!("# TYPE x_total counter\nx_total{{pod=\"\",a=\"b\"}} {n}\n");
        assert!(flat(&read(&mut memory, &body(100), 0)).is_empty());
        let name = r#"x_total:rate{a="b", instance="h:1"}"#.to_owned();
        assert_eq!(
            flat(&read(&mut memory, &body(150), 10_000)),
            [(name.clone(), 5.0)]
        );
        assert_eq!(flat(&read(&mut memory, &body(20), 20_000)), [(name, 2.0)]);
    }

    #[test]
    fn groups_follow_names_and_blanks_are_dropped() {
        let mut memory = Memory::new("h:1", 1000);
        let body = "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 40\nDCGM_FI_DEV_FB_USED{gpu=\"0\"} 9223372036854775794\n\
                    openshift_ptp_clock_state 1\nsriov_kubepoddevice 1\nvllm:num_requests_running 2\nload 3\n";
        let groups: Vec<Group> = read(&mut memory, body, 0)
            .iter()
            .map(|(g, s)| {
                assert_eq!(s.len(), 1);
                *g
            })
            .collect();
        assert_eq!(
            groups,
            [
                Group::Gpu,
                Group::Serving,
                Group::Ptp,
                Group::Sriov,
                Group::Exporter
            ]
        );
    }

    #[test]
    fn series_that_are_gone_are_forgotten() {
        let mut memory = Memory::new("h:1", 1000);
        for i in 0..100 {
            read(&mut memory, &format!("a{{x=\"{i}\"}} 1\n"), i);
        }
        assert!(memory.known.len() <= 5, "{}", memory.known.len());
    }

    #[test]
    fn vllm_latencies_come_under_the_catalogues_names() {
        let mut memory = Memory::new("h:1", 5000);
        let body = |n: u32| {
            format!(
                "# TYPE vllm:e2e_request_latency_seconds histogram\n\
                 vllm:e2e_request_latency_seconds_bucket{{le=\"1.0\",model_name=\"m\"}} {n}\n\
                 vllm:e2e_request_latency_seconds_bucket{{le=\"+Inf\",model_name=\"m\"}} {n}\n"
            )
        };
        assert!(read(&mut memory, &body(0), 0).is_empty());
        let told = flat(&read(&mut memory, &body(100), 15_000));
        assert_eq!(
            told,
            [(
                r#"vllm_e2e_p95{instance="h:1", model_name="m"}"#.to_owned(),
                0.95
            )]
        );
    }
}
