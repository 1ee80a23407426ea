//! Test only: series of an exporter fixture, read without ceremony.

use super::label::Labels;
use super::sample::{Sample, SeriesKey};
use super::time::Timestamp;

/// Splits a well-formed exposition; blanks inside label values are kept.
pub(crate) fn series(text: &str) -> Vec<(SeriesKey, Sample)> {
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .filter_map(|line| {
            let (head, value) = line.rsplit_once(' ')?;
            let (name, labels) = head.split_once('{').unwrap_or((head, "}"));
            let sample = Sample {
                at: Timestamp(60_000),
                value: value.parse().ok()?,
            };
            Some((
                SeriesKey::new(name, pairs(labels.strip_suffix('}')?)),
                sample,
            ))
        })
        .collect()
}

fn pairs(text: &str) -> Labels {
    let mut rest = text;
    let mut found = Vec::new();
    while let Some((name, tail)) = rest.split_once("=\"") {
        let Some((value, tail)) = tail.split_once('"') else {
            break;
        };
        found.push((name.to_owned(), value.to_owned()));
        rest = tail.trim_start_matches(',');
    }
    Labels::from_pairs(found)
}

/// Contents of a file in `tests/fixtures/exporters`.
macro_rules! exporter {
    ($name:literal) => {
        $crate::model::exposed::series(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/exporters/",
            $name
        )))
    };
}
pub(crate) use exporter;
