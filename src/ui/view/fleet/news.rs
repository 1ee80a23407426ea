//! What changed and what is warned of in all clusters within the hour.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::model::change::Change;
use crate::model::id::ClusterId;
use crate::model::object::Event;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::view::Focus;
use crate::ui::widget::filter::Filter;

/// Rows kept, the newest; a frame costs no more in a fleet of many clusters.
pub const MOST: usize = 500;

#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    Change(&'a Change),
    Event(&'a Event),
}

#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    pub cluster: ClusterId,
    pub at: Timestamp,
    pub what: What<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewsId {
    Change(ClusterId, Timestamp, String, String),
    Event(ClusterId, Arc<str>, Arc<str>),
}

impl News<'_> {
    pub fn id(&self) -> NewsId {
        match self.what {
            What::Change(c) => {
                NewsId::Change(self.cluster, c.at, c.subject.1.clone(), c.what.clone())
            }
            What::Event(e) => NewsId::Event(self.cluster, e.namespace.clone(), e.name.clone()),
        }
    }

    pub fn is_warning(&self) -> bool {
        matches!(self.what, What::Event(e) if e.warning)
    }

    pub fn text(&self) -> String {
        match self.what {
            What::Event(e) => format!("{} {}: {}", e.reason, e.about.1, e.message),
            What::Change(c) => {
                let by =
                    c.by.as_ref()
                        .map_or_else(String::new, |by| format!(" by {by}"));
                format!("{} {}: {}{by}", c.kind.word(), c.subject.1, c.what)
            }
        }
    }

    /// The thing it is about.
    pub fn subject(&self) -> Focus {
        let ((kind, name), namespace) = match self.what {
            What::Event(e) => (&e.about, e.namespace.to_string()),
            What::Change(c) => (&c.subject, c.namespace.clone()),
        };
        match kind.as_str() {
            "Node" => Focus::Node {
                cluster: self.cluster,
                node: name.clone(),
            },
            "Pod" => Focus::Pod {
                cluster: self.cluster,
                namespace,
                pod: name.clone(),
            },
            _ => Focus::Text {
                cluster: Some(self.cluster),
                text: format!("{kind} {name}: {}", self.text()),
            },
        }
    }

    fn matches(&self, filter: &Filter, name: &str) -> bool {
        if filter.is_empty() {
            return true;
        }
        let text = self.text();
        let (reason, about) = match self.what {
            What::Event(e) => (e.reason.as_str(), e.about.1.as_str()),
            What::Change(c) => (c.kind.word(), c.subject.1.as_str()),
        };
        let fields = [
            ("reason", reason),
            ("name", about),
            ("message", &text),
            ("cluster", name),
        ];
        filter.matches(&fields)
    }
}

/// Newest first.
pub fn recent<'a>(world: &'a World, filter: &Filter) -> Vec<News<'a>> {
    let since = world.now.plus_ms(-3_600_000);
    let mut rows: Vec<News<'a>> = Vec::new();
    for c in &world.clusters {
        let news = |at, what| News {
            cluster: c.id,
            at,
            what,
        };
        let events = c.events.iter().rev().take_while(|e| e.at >= since);
        let events = events.filter(|e| e.warning);
        let events = events.map(|e| news(e.at, What::Event(e)));
        let changes = c
            .changes
            .iter()
            .rev()
            .take_while(|change| change.at >= since);
        let changes = changes.map(|change| news(change.at, What::Change(change)));
        rows.extend(events.filter(|n| n.matches(filter, &c.name)).take(MOST));
        rows.extend(changes.filter(|n| n.matches(filter, &c.name)).take(MOST));
    }
    rows.sort_by_key(|n| Reverse(n.at));
    rows.truncate(MOST);
    rows
}
