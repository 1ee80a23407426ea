//! The parser against the fixtures, against `prometheus-parse` where that can read, and against noise.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exporters")
}

fn expected() -> Value {
    let text = std::fs::read(dir().join("nasty/expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn options(file: &str, complete: bool) -> Options {
    let format = if file.ends_with(".om") {
        Format::OpenMetrics
    } else {
        Format::Text
    };
    Options {
        format,
        complete,
        ..Options::default()
    }
}

fn count(body: &[u8], options: Options) -> Summary {
    let mut given = 0;
    let summary = parse(body, options, |_, _| given += 1);
    assert_eq!(given, summary.samples);
    summary
}

#[test]
fn good_files_are_read_wholly() {
    let expected = expected();
    let files = expected["normal"].as_object().unwrap();
    assert!(files.len() > 25);
    for (file, samples) in files {
        let body = std::fs::read(dir().join(file)).unwrap();
        let summary = count(&body, options(file, true));
        assert_eq!(
            (summary.samples as u64, summary.bad_lines),
            (samples.as_u64().unwrap(), 0),
            "{file}"
        );
    }
}

/// Learns series, and then takes them by their text alone.
#[derive(Default)]
struct Learner<'a> {
    known: std::collections::HashSet<&'a str>,
    told: Vec<(&'a str, u64, Option<Timestamp>)>,
    taken: usize,
}

impl<'a> Taker<'a> for Learner<'a> {
    fn again(&mut self, series: &'a str, value: f64, at: Option<Timestamp>) -> bool {
        let known = self.known.contains(series);
        if known {
            self.told.push((series, value.to_bits(), at));
        }
        known
    }

    fn take(&mut self, sample: &Sample<'a>, _: &Labels<'a>) {
        self.taken += 1;
        self.known.insert(sample.series);
        self.told
            .push((sample.series, sample.value.to_bits(), sample.at));
    }
}

#[test]
fn a_series_that_is_known_reads_the_same_without_its_labels() {
    let expected = expected();
    let names = ["normal", "nasty"].map(|kind| expected[kind].as_object().unwrap());
    for file in names.iter().flat_map(|files| files.keys()) {
        let path = dir().join(file);
        let path = if path.exists() {
            path
        } else {
            dir().join("nasty").join(file)
        };
        let body = std::fs::read(path).unwrap();
        let options = options(file, true);
        let mut plain = Vec::new();
        let summary = parse(&body, options, |s, _| {
            plain.push((s.series, s.value.to_bits(), s.at));
        });
        let mut learner = Learner::default();
        for pass in 0..2 {
            learner.told.clear();
            learner.taken = 0;
            assert_eq!(parse_into(&body, options, &mut learner), summary, "{file}");
            assert_eq!(learner.told, plain, "{file}, pass {pass}");
        }
        let exemplars = body.windows(3).filter(|w| w == b" # ").count();
        assert!(
            learner.taken <= exemplars,
            "{file}: {} read whole",
            learner.taken
        );
    }
}

#[test]
fn nasty_files_cost_their_bad_lines_only() {
    let expected = expected();
    let files = expected["nasty"].as_object().unwrap();
    assert!(files.len() > 20);
    for (file, wanted) in files {
        let body = std::fs::read(dir().join("nasty").join(file)).unwrap();
        for (key, complete) in [("line_tolerant", true), ("complete_false", false)] {
            let Some(wanted) = wanted.get(key) else {
                continue;
            };
            let summary = count(&body, options(file, complete));
            let (samples, bad) = (summary.samples as u64, summary.bad_lines as u64);
            assert_eq!(
                Some(samples),
                wanted["samples"].as_u64(),
                "samples of {file}, {key}"
            );
            assert_eq!(
                Some(bad),
                wanted["bad_lines"].as_u64(),
                "bad lines of {file}, {key}"
            );
        }
    }
}

#[test]
fn labels_are_decoded() {
    let expected = expected();
    let wanted = expected["labels_escapes_decoded"].as_object().unwrap();
    let body = std::fs::read(dir().join("nasty/labels_escapes.prom")).unwrap();
    let mut seen = BTreeMap::new();
    parse(&body, Options::default(), |_, labels| {
        let get = |name: &str| {
            labels
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.to_string())
        };
        if let Some(case) = get("case") {
            seen.insert(case, get("v").unwrap_or_default());
        }
    });
    for (case, value) in wanted {
        assert_eq!(seen.get(case).map(String::as_str), value.as_str(), "{case}");
    }
    assert_eq!(seen["very long"].len(), 4096);
}

#[test]
fn times_follow_the_format() {
    let read = |body: &'static str, format| {
        let mut times = Vec::new();
        let options = Options {
            format,
            ..Options::default()
        };
        parse(body.as_bytes(), options, |s, _| {
            times.push(s.at.map(|t| t.0))
        });
        times
    };
    assert_eq!(
        read("a 1 1785000000123\nb 2\nc 3 -5", Format::Text),
        [Some(1_785_000_000_123), None, Some(-5)]
    );
    assert_eq!(
        read("a 1 1.5\nb 2 1.785e9", Format::OpenMetrics),
        [Some(1500), Some(1_785_000_000_000)]
    );
}

#[test]
fn classes_come_from_types_and_names() {
    let classes = |file: &str| {
        let body = std::fs::read(dir().join(file)).unwrap();
        let mut classes = BTreeMap::new();
        parse(&body, options(file, true), |s, _| {
            classes.insert(s.name.to_string(), s.class);
        });
        classes
    };
    let om = classes("nasty/openmetrics_exemplars.om");
    for (name, class) in [
        ("vllm:e2e_request_latency_seconds_bucket", Class::Bucket),
        ("vllm:e2e_request_latency_seconds_sum", Class::Total),
        ("vllm:e2e_request_latency_seconds_created", Class::Created),
        ("jobs_total", Class::Counter),
        ("build_info", Class::Gauge),
        ("age_bucket", Class::Other),
        ("age_gcount", Class::Gauge),
        ("lat", Class::Other),
        ("mystery", Class::Unknown),
    ] {
        assert_eq!(om.get(name), Some(&class), "{name}");
    }
    // A histogram whose name ends like a counter's.
    let vllm = classes("vllm_single.prom");
    assert_eq!(vllm["vllm:iteration_tokens_total_bucket"], Class::Bucket);
    assert_eq!(vllm["vllm:iteration_tokens_total_count"], Class::Total);
    assert_eq!(vllm["vllm:prompt_tokens_total"], Class::Counter);
    // The first TYPE of a family counts.
    assert_eq!(
        classes("nasty/interleaved_families.prom")["DCGM_FI_DEV_POWER_USAGE"],
        Class::Gauge
    );
}

#[test]
fn limits_hold() {
    let long = format!("a{{x=\"{}\"}} 1\nb 2\n", "x".repeat(5 << 20));
    let summary = count(long.as_bytes(), Options::default());
    assert_eq!(
        (summary.samples, summary.bad_lines, summary.long_lines),
        (1, 1, 1)
    );
    let many = (0..1000).map(|i| format!("m{i} 1\n")).collect::<String>();
    let mut given = 0;
    let limited = Options {
        sample_limit: 10,
        ..Options::default()
    };
    let summary = parse(many.as_bytes(), limited, |_, _| given += 1);
    assert_eq!((given, summary.samples), (10, 1000));
    assert!(count(b"<html>\n<p>\nx 1\n", Options::default()).is_nonsense());
    assert!(!count(b"", Options::default()).is_nonsense());
}

/// Lines that the other parser can read: it cuts values at `,` and `=`, drops names with a colon
/// and samples with braces in values, and keeps empty labels.
fn plain_lines(body: &str) -> Vec<String> {
    body.lines()
        .filter(|l| {
            l.starts_with('#')
                || !l.contains([':', '\\']) && l.matches('=').count() == l.matches("=\"").count()
        })
        .filter(|l| {
            !l.contains("\"\"")
                && !l.contains("{}")
                && !l.contains(" +")
                && l.split('"')
                    .skip(1)
                    .step_by(2)
                    .all(|v| !v.contains([',', '=', '}', '{']))
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn agrees_with_prometheus_parse_on_what_it_can_read() {
    let mut compared = 0;
    for file in [
        "node_exporter_real.prom",
        "ptp_oc_locked.prom",
        "ptp_tbc_holdover.prom",
        "amd_8xmi300x.prom",
    ] {
        let body = std::fs::read_to_string(dir().join(file)).unwrap();
        let plain = plain_lines(&body);
        let theirs = prometheus_parse::Scrape::parse(plain.iter().cloned().map(Ok)).unwrap();
        let theirs: BTreeMap<String, f64> = theirs
            .samples
            .iter()
            .filter_map(|s| {
                let value = match s.value {
                    prometheus_parse::Value::Counter(v)
                    | prometheus_parse::Value::Gauge(v)
                    | prometheus_parse::Value::Untyped(v) => v,
                    _ => return None,
                };
                let labels: BTreeMap<_, _> = s.labels.iter().collect();
                Some((format!("{}{labels:?}", s.metric), value))
            })
            .collect();
        let text = plain.join("\n");
        let mut ours = BTreeMap::new();
        parse(text.as_bytes(), Options::default(), |s, labels| {
            let labels: BTreeMap<String, String> = labels
                .iter()
                .map(|(n, v)| (n.to_string(), v.to_string()))
                .collect();
            ours.insert(format!("{}{labels:?}", s.name), s.value);
        });
        for (series, value) in &theirs {
            let mine = ours
                .get(series)
                .unwrap_or_else(|| panic!("{file}: {series} missing"));
            assert!(
                mine == value || mine.is_nan() && value.is_nan(),
                "{file}: {series}"
            );
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

fn label_value() -> impl Strategy<Value = String> {
    "[ -~\n\u{e9}\u{202e}]{1,20}"
}

proptest! {
    #[test]
    fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..2000), complete in any::<bool>()) {
        let _ = parse(&body, Options { complete, ..Options::default() }, |_, _| {});
    }

    #[test]
    fn never_panics_on_marks(body in "[a-z{}=\",\\\\# \n0-9.é]{0,300}") {
        let _ = parse(body.as_bytes(), Options { format: Format::OpenMetrics, ..Options::default() }, |_, _| {});
    }

    #[test]
    fn reads_what_is_written(name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}", value in label_value(), number in any::<f64>(), at in any::<i32>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("{name}{{l=\"{escaped}\"}} {number} {at}\n");
        let mut seen = Vec::new();
        parse(line.as_bytes(), Options::default(), |s, labels| {
            seen.push((s.name.to_string(), labels[0].1.to_string(), s.value, s.at));
        });
        prop_assert_eq!(seen.len(), 1);
        prop_assert_eq!(&seen[0].0, &name);
        prop_assert_eq!(&seen[0].1, &value);
        prop_assert!(seen[0].2 == number || number.is_nan());
        prop_assert_eq!(seen[0].3, Some(Timestamp(i64::from(at))));
    }
}
