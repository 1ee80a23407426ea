//! What is written to a file.

use super::*;
use crate::model::export::{Cell, Format, Kept, TableExport};

/// The list that is written.
pub(super) fn kept(view: &mut Traces, world: &World) -> TableExport {
    let effects = view.update(Command::Export(Format::Csv), world);
    match effects.first() {
        Some(Effect::Save(export)) => match &export.kept {
            Kept::Table(list) => list.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn spans_are_kept_with_what_is_doubtful_about_them() {
    let world = world(&["alpha"]);
    let mut view = opened(&world, (120, 36));
    let list = kept(&mut view, &world);
    assert_eq!(list.rows.len(), 5);
    assert!(list.rows.iter().all(|row| row.len() == list.columns.len()));
    let column = |name: &str| {
        list.columns
            .iter()
            .position(|c| c == name)
            .expect("a column")
    };
    let of = |operation: &str, name: &str| {
        let row = list
            .rows
            .iter()
            .find(|r| r[column("operation")] == Cell::Text(operation.into()));
        row.expect("a span")[column(name)].clone()
    };
    assert_eq!(of("db.query", "status"), Cell::Text("error".into()));
    assert_eq!(of("GetCart", "status"), Cell::Nothing, "not told is not ok");
    assert_eq!(of("Audit", "place"), Cell::Text("parent missing".into()));
    assert_eq!(of("POST /pay", "duration_ns"), Cell::Number(1.92e9));
}
