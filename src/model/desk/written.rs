//! How a desk stands in files. Beside the edits stands what they come to, as before there were any:
//! older consoles read that, and what they wrote is read here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Desk, Edit, Mark, What};
use crate::model::incident::Stamp;
use crate::model::time::Timestamp;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    acknowledged: Option<Stamp>,
    assigned: Option<(String, Stamp)>,
    muted: Option<(Timestamp, Stamp)>,
    notes: Vec<(Stamp, String)>,
    edits: Vec<Edit>,
    unsent: BTreeSet<Mark>,
}

impl From<Desk> for Written {
    fn from(desk: Desk) -> Self {
        let notes = desk.notes().map(|(stamp, text)| (stamp, text.to_owned()));
        Self {
            acknowledged: desk.acknowledged(),
            assigned: desk.assigned().map(|(who, stamp)| (who.to_owned(), stamp)),
            muted: desk.muted(),
            notes: notes.collect(),
            edits: desk.edits,
            unsent: desk.unsent,
        }
    }
}

impl From<Written> for Desk {
    fn from(written: Written) -> Self {
        let mut written = written;
        let unsent = std::mem::take(&mut written.unsent);
        let edits = match written.edits.is_empty() {
            false => written.edits,
            true => written.before_edits(),
        };
        let (mut desk, _) = Self::of(edits);
        desk.unsent = unsent;
        desk.trim();
        desk
    }
}

impl Written {
    /// What an older console wrote.
    fn before_edits(self) -> Vec<Edit> {
        let notes = self.notes.into_iter();
        let notes = notes.map(|(stamp, text)| edit(stamp, What::Note(text)));
        let acknowledged = self.acknowledged.into_iter();
        let acknowledged = acknowledged.map(|stamp| edit(stamp, What::Acknowledged(true)));
        let assigned = self.assigned.into_iter();
        let assigned = assigned.map(|(who, stamp)| edit(stamp, What::Assigned(Some(who))));
        let muted = self.muted.into_iter();
        let muted = muted.map(|(until, stamp)| edit(stamp, What::Muted(Some(until))));
        let fields = acknowledged.chain(assigned).chain(muted);
        let mut edits: Vec<Edit> = notes.chain(fields).collect();
        // Those of one millisecond are told apart, and keep their order.
        for (count, edit) in (0..).zip(&mut edits) {
            edit.mark.count = count;
        }
        edits
    }
}

pub(super) fn edit(stamp: Stamp, what: What) -> Edit {
    let mark = Mark {
        ms: stamp.at.0,
        count: 0,
        by: stamp.by,
        console: "".into(),
    };
    Edit {
        mark,
        at: stamp.at,
        seen: None,
        what,
    }
}
