//! What was changed, from an object's former and present self.
//!
//! Pure: the same objects give the same changes, live and in a replay.

use crate::model::change::{Change, ChangeKind};
use crate::model::object::{Node, Object};
use crate::model::time::Timestamp;

/// Puts the changes between `old` and `new` into `found`. `known`: the kind was listed before, so
/// an object without a former self is new; else it was there before us. `seen`: when the news came.
pub(super) fn between(
    old: Option<&Object>,
    new: Option<&Object>,
    known: bool,
    seen: Timestamp,
    found: &mut Vec<Change>,
) {
    match (old, new) {
        (Some(Object::Node(old)), Some(Object::Node(new))) => node(old, new, seen, found),
        (None, Some(Object::Node(new))) if known => {
            found.push(of_node(new, seen, "joined the cluster".into()));
        }
        (Some(Object::Node(old)), None) => {
            found.push(of_node(old, seen, "left the cluster".into()))
        }
        _ => {}
    }
}

fn node(old: &Node, new: &Node, seen: Timestamp, found: &mut Vec<Change>) {
    let mut say = |what: String| found.push(of_node(new, seen, what));
    if old.unschedulable != new.unschedulable {
        let word = if new.unschedulable {
            "cordoned"
        } else {
            "uncordoned"
        };
        say(word.to_owned());
    }
    if old.kubelet_version != new.kubelet_version {
        say(format!(
            "kubelet {} → {}",
            old.kubelet_version, new.kubelet_version
        ));
    }
    if old.ready != new.ready {
        let word = |ready| match ready {
            Some(true) => "Ready",
            Some(false) => "NotReady",
            None => "unknown",
        };
        say(format!("{} → {}", word(old.ready), word(new.ready)));
    }
}

fn of_node(node: &Node, at: Timestamp, what: String) -> Change {
    Change {
        at,
        kind: ChangeKind::Node,
        subject: ("Node".into(), node.name.to_string()),
        namespace: String::new(),
        what,
        by: None,
    }
}
