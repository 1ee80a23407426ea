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
fn native_histograms_become_buckets() {
    let body = fixture("v3.12", "query_range_native_histogram_6h");
    let answer = read_with_buckets(&body, "signal", 10_000).unwrap();
    assert!(answer.warnings[0].contains("1 native histograms shown as their buckets"));
    assert_eq!(answer.histograms, 0);
    let bound = |s: &SeriesSamples| s.key.labels.get("le").unwrap().parse::<f64>().unwrap();
    let mut all = answer.series;
    all.sort_by(|a, b| bound(a).total_cmp(&bound(b)));
    assert!(all.len() > 2 && bound(all.last().unwrap()).is_infinite());
    // Each bucket holds those below it, the last one all.
    for (below, above) in all.iter().zip(all.iter().skip(1)) {
        let pairs = below.points.iter().zip(&above.points);
        assert!(pairs.clone().count() == 6);
        pairs.for_each(|(a, b)| assert!(a.at == b.at && a.value <= b.value + 1e-12));
    }
    let first = all.last().unwrap().points[0];
    assert_eq!(
        (first.at.0, first.value),
        (1_795_230_942_713, 0.050_583_333_333_333_334)
    );
    let instant = fixture("v2.42", "native_histogram_instant");
    let answer = read_with_buckets(&instant, "signal", 10_000).unwrap();
    let values: Vec<f64> = answer.series.iter().map(|s| s.points[0].value).collect();
    assert_eq!(values, [1.0, 2.0, 2.0], "two buckets and all of them");
    assert!(
        read_with_buckets(&instant, "signal", 2)
            .unwrap()
            .series
            .is_empty(),
        "whole or not"
    );
}

#[test]
fn hostile_histograms() {
    let answer = |histogram: &str| {
        let body = format!(
            r#"{{"data":{{"resultType":"vector","result":[{{"metric":{{}},"histogram":{histogram}}}]}}}}"#
        );
        read_with_buckets(body.as_bytes(), "x", 10_000)
    };
    for wrong in [
        "1",
        "[1]",
        "[1,2]",
        r#"[1,{"buckets":[[1]]}]"#,
        r#"[1,{"buckets":[[0,"0","NaN","1"]]}]"#,
        r#"[1,{"buckets":[["a","b","c","d"]]}]"#,
        r#"[1,{"count":"many"}]"#,
    ] {
        assert!(answer(wrong).is_err(), "{wrong}");
    }
    let bare = answer(r#"[1,{"count":"3"}]"#).unwrap();
    assert_eq!(bare.series.len(), 1, "only what is below infinity");
    let many: Vec<String> = (0..9_000)
        .map(|i| format!(r#"[0,"{i}","{}","1"]"#, i + 1))
        .collect();
    let many = answer(&format!(
        r#"[1,{{"count":"9000","buckets":[{}]}}]"#,
        many.join(",")
    ))
    .unwrap();
    assert!(many.series.len() <= 170, "{}", many.series.len());
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
