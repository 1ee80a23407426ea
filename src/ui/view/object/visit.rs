//! One object as the operator looks at it: the tab, the place in the text, the YAML on its way.

use crate::model::ask::{Answer, Answered};
use crate::model::fault::Fault;
use crate::model::id::{ClusterId, RequestId};
use crate::model::object::{ObjectKey, ObjectKind};
use crate::model::time::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Describe,
    Yaml,
    Events,
    Owners,
    Logs,
}

impl Tab {
    pub const ALL: [Self; 5] = [
        Self::Describe,
        Self::Yaml,
        Self::Events,
        Self::Owners,
        Self::Logs,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Yaml => "yaml",
            Self::Events => "events",
            Self::Owners => "owners",
            Self::Logs => "logs",
        }
    }

    /// Only pods have logs.
    pub fn of(kind: ObjectKind) -> &'static [Self] {
        let all: &'static [Self] = &Self::ALL;
        match kind {
            ObjectKind::Pod => all,
            _ => all.split_last().map_or(all, |(_, others)| others),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub cluster: ClusterId,
    pub key: ObjectKey,
}

/// The YAML, on its way.
#[derive(Debug, Default)]
pub enum Yaml {
    #[default]
    None,
    Asking(RequestId),
    Got(Box<Got>),
}

impl Yaml {
    pub fn owners(&self) -> &[(String, String)] {
        match self {
            Self::Got(got) => &got.owners,
            _ => &[],
        }
    }
}

/// An answer, with where and when it came from.
#[derive(Debug)]
pub struct Got {
    pub text: String,
    /// Line and text of the folded `managedFields`.
    pub managed: Option<(usize, String)>,
    pub facts: Vec<(String, String)>,
    pub owners: Vec<(String, String)>,
    pub bytes: u64,
    pub origin: String,
    pub at: Timestamp,
    pub fault: Option<Fault>,
}

impl Got {
    pub fn new(answered: &Answered) -> Self {
        let (object, fault) = match &answered.result {
            Ok(Answer::Object(object)) => (Some(object.as_ref().clone()), None),
            Ok(_) => (None, None),
            Err(fault) => (None, Some(fault.clone())),
        };
        let object = object.unwrap_or_default();
        Self {
            text: object.yaml,
            managed: object.managed,
            facts: object.facts,
            owners: object.owners,
            bytes: object.bytes,
            origin: answered.origin.clone(),
            at: answered.at,
            fault,
        }
    }

    pub fn lines(&self, unfolded: bool) -> Vec<&str> {
        let mut lines: Vec<&str> = self.text.lines().collect();
        if let Some((at, whole)) = self.managed.as_ref().filter(|_| unfolded)
            && *at < lines.len()
        {
            lines.splice(*at..=*at, whole.lines());
        }
        lines
    }
}

/// One object as the operator looks at it.
#[derive(Debug)]
pub struct Visit {
    pub at: Subject,
    pub tab: Tab,
    /// First row in view.
    pub top: usize,
    /// The row under the cursor, among the owners.
    pub cursor: usize,
    /// Columns shifted to the left.
    pub shift: usize,
    pub yaml: Yaml,
}

impl Visit {
    pub fn new(cluster: ClusterId, key: ObjectKey) -> Self {
        Self {
            at: Subject { cluster, key },
            tab: Tab::default(),
            top: 0,
            cursor: 0,
            shift: 0,
            yaml: Yaml::None,
        }
    }

    /// The kind that the tab is made of.
    pub fn shows(&self) -> ObjectKind {
        match self.tab {
            Tab::Events => ObjectKind::Event,
            _ => self.at.key.kind,
        }
    }
}
