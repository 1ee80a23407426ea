//! Series in CSV: a column of times, then one column of values for each metric.

use color_eyre::eyre::{Context as _, ensure, eyre};

use crate::model::text::clean;
use crate::model::time::Timestamp;

/// Longest name of a metric, bytes.
const LONGEST: usize = 256;

/// Rows in the order they came.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// Names of the metrics.
    pub names: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, PartialEq)]
pub struct Row {
    /// The time as it is written.
    pub time: String,
    pub at: Timestamp,
    /// As many as there are names; NaN where nothing is written.
    pub values: Vec<f64>,
}

/// Reads text with a header. Times are seconds or RFC 3339.
pub fn read(text: &[u8]) -> color_eyre::Result<Table> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let header = reader.headers().wrap_err("its first line is no header")?;
    let names: Vec<String> = header.iter().skip(1).map(|n| clean(n, LONGEST)).collect();
    ensure!(
        !names.is_empty(),
        "a time and at least one column of values are needed"
    );
    let mut rows = Vec::new();
    for (record, line) in reader.records().zip(2..) {
        let record = record.wrap_err_with(|| format!("line {line}"))?;
        let time = record.get(0).unwrap_or_default();
        let at = moment(time).ok_or_else(|| {
            let time = clean(time, LONGEST);
            eyre!("line {line}: \"{time}\" is no time; seconds or RFC 3339 are read")
        })?;
        let values: Vec<f64> = record.iter().skip(1).map(value).collect();
        rows.push(Row {
            time: time.to_owned(),
            at,
            values,
        });
    }
    Ok(Table { names, rows })
}

/// The same in the order of time, as what learns while it reads wants it.
pub fn read_in_order(text: &[u8]) -> color_eyre::Result<Table> {
    let table = read(text)?;
    for (pair, line) in table.rows.windows(2).zip(3..) {
        if let [before, row] = pair {
            ensure!(
                before.at <= row.at,
                "line {line}: {} is earlier than the line before; sort the rows by time",
                clean(&row.time, LONGEST)
            );
        }
    }
    Ok(table)
}

fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<f64>() {
        Ok(seconds) => seconds
            .is_finite()
            .then(|| Timestamp::from_seconds(seconds)),
        Err(_) => Timestamp::parse_rfc3339(text),
    }
}

/// What is no number is a missing sample.
fn value(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_time_and_missing_samples() {
        let table = read(b"t,a,b\n1.5,1,\n1970-01-01T00:00:02Z, 2 ,n/a\n").expect("read");
        assert_eq!(table.names, ["a", "b"]);
        let [first, second] = table.rows.as_slice() else {
            panic!("{table:?}");
        };
        assert_eq!((first.time.as_str(), first.at), ("1.5", Timestamp(1_500)));
        assert!(first.values[0] == 1.0 && first.values[1].is_nan());
        assert_eq!((second.at, second.values[0]), (Timestamp(2_000), 2.0));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let says = |text: &[u8]| format!("{:#}", read(text).expect_err("wrong"));
        assert!(says(b"t\n1\n").contains("column of values"));
        assert!(says(b"t,v\n1,2\nnoon,3\n").starts_with("line 3: \"noon\" is no time"));
        assert!(says(b"t,v\n1,2,3\n").starts_with("line 2"));
        assert!(says(b"t,v\ninf,3\n").contains("no time"));
    }

    #[test]
    fn rows_that_go_back_in_time_are_refused_where_order_matters() {
        let turned = b"t,v\n1,1\n1,2\n3,3\n2,4\n4,5\n";
        assert_eq!(read(turned).expect("read").rows.len(), 5);
        let says = format!("{:#}", read_in_order(turned).expect_err("turned"));
        assert!(says.starts_with("line 5: 2 is earlier"), "{says}");
        let sorted = read_in_order(b"t,v\n1,1\n1,2\n2,3\n").expect("sorted");
        assert_eq!(sorted.rows.len(), 3);
    }
}
