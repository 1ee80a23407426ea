//! Answers of both generations of Prometheus, and noise.

use super::*;
use proptest::prelude::*;

fn fixture(version: &str, name: &str) -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!(
        "{root}/tests/fixtures/prometheus/{version}/{name}.json"
    ))
    .unwrap()
}

fn read(version: &str, name: &str) -> QueryAnswer {
    read_query(&fixture(version, name), "signal", 10_000).unwrap()
}

#[test]
fn reads_what_both_generations_answer() {
    for version in ["v2.42", "v3.12"] {
        let up = read(version, "query_vector_up");
        assert!(!up.series.is_empty());
        assert!(up.series.iter().all(|s| s.key.name.as_ref() == "up"));
        assert_eq!(read(version, "query_scalar").series[0].points[0].value, 5.0);
        assert_eq!(
            read(version, "query_scalar").series[0].key.name.as_ref(),
            "signal"
        );
        assert!(read(version, "query_string").warnings[0].contains("hello"));
        assert!(read(version, "query_empty").series.is_empty());
        let odd = read(version, "query_nan_inf");
        let values: Vec<f64> = odd.series.iter().map(|s| s.points[0].value).collect();
        assert!(values[0].is_nan() && values[1] == f64::NEG_INFINITY && values[2] == f64::INFINITY);
        let native = read(version, "native_histogram_instant");
        assert!(native.histograms > 0 && native.series.is_empty() && native.total == 0);
        let range = read(version, "query_range_gpu_temp_6h");
        assert!(range.series.iter().all(|s| s.points.len() > 1));
    }
    assert!(!read("v3.12", "warn_bad_quantile").warnings.is_empty());
}

#[test]
fn cuts_at_the_limit_and_says_how_many() {
    let all = read("v2.42", "query_vector_up").total;
    let cut = read_query(&fixture("v2.42", "query_vector_up"), "x", 1).unwrap();
    assert_eq!((cut.series.len(), cut.total), (1, all));
    assert!(all > 1);
}

#[test]
fn what_is_not_an_answer_is_an_error() {
    for body in [
        "",
        "{}",
        "<html>",
        r#"{"data":{}}"#,
        r#"{"data":{"resultType":"x","result":[]}}"#,
        r#"{"data":{"resultType":"vector","result":[{"value":[1]}]}}"#,
    ] {
        assert!(read_query(body.as_bytes(), "x", 1).is_err(), "{body}");
    }
}

#[test]
fn labels_are_cleaned() {
    let body = r#"{"data":{"resultType":"vector","result":[{"metric":{"a":"\u001b[31mred\u202e"},"value":[1,"2"]}]}}"#;
    let answer = read_query(body.as_bytes(), "x", 9).unwrap();
    assert_eq!(answer.series[0].key.labels.get("a"), Some("red"));
}

proptest! {
    #[test]
    fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_query(&body, "x", 10);
    }

    #[test]
    fn never_panics_on_cut_answers(cut in 0_usize..2000) {
        let body = fixture("v2.42", "query_vector_ptp");
        let cut = cut.min(body.len());
        let _ = read_query(&body[..cut], "x", 10);
    }
}
