//! Lists as CSV and as JSON.

use serde_json::{Map, Value, json};

use super::series::number;
use crate::model::export::{Cell, TableExport};

/// One row a line; what is not known is empty. Times are UTC.
pub fn csv(list: &TableExport) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::NonNumeric)
        .from_writer(Vec::new());
    // Writing to memory cannot fail, and all rows are as long as the head.
    let _ = out.write_record(list.columns.iter().map(|c| harmless(c)));
    for row in &list.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Nothing => String::new(),
            Cell::Text(text) => harmless(text),
            Cell::Number(value) => number(*value),
            Cell::Time(at) => at.rfc3339(),
        });
        let _ = out.write_record(cells);
    }
    out.into_inner().unwrap_or_default()
}

/// An object a row; what is not known is null. Numbers that JSON has not are texts, as Prometheus
/// writes them.
pub fn json(list: &TableExport) -> Vec<u8> {
    let value = |cell: &Cell| match cell {
        Cell::Nothing => Value::Null,
        Cell::Text(text) => text.as_str().into(),
        Cell::Number(value) if value.is_finite() => (*value).into(),
        Cell::Number(value) => number(*value).into(),
        Cell::Time(at) => at.rfc3339().into(),
    };
    let row = |row: &Vec<Cell>| -> Value {
        let pairs = list.columns.iter().zip(row);
        let object: Map<String, Value> = pairs.map(|(c, cell)| (c.clone(), value(cell))).collect();
        object.into()
    };
    let rows: Vec<Value> = list.rows.iter().map(row).collect();
    let whole = json!({
        "title": list.title,
        "query": list.query,
        "origin": list.origin,
        "rows": rows,
    });
    let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A cell that no spreadsheet takes for a formula: one that starts like a formula, also behind
/// blanks and in the wide forms of East Asia, gets an apostrophe. Line breaks become blanks.
pub fn harmless(cell: &str) -> String {
    let flat = cell.replace("\r\n", " ").replace(['\r', '\n'], " ");
    let starts = |c: char| "=+-@\t\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c);
    let tab = flat.starts_with('\t');
    match tab || flat.trim_start().starts_with(starts) {
        true => format!("'{flat}"),
        false => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in [
            "=1+1", "+1", "-1", "@x", "\t=1", "\tx", "  =1", "\n=1", "＝1", "\r\n@x",
        ] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        for cell in ["", "x=1", "1-1", "'=1", " x"] {
            assert_eq!(harmless(cell), cell, "{cell:?}");
        }
    }
}
