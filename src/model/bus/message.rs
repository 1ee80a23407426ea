//! A message that passed, read as far as anyone can without its schema.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::time::Timestamp;
use super::Pattern;

/// Values in a summary at most, and bytes.
const VALUES: usize = 12;
const WORDS: usize = 240;

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Counts the messages that this console kept of this bus.
    pub serial: u64,
    /// When the stream took it; of a live message, our clock when it came in.
    pub at: Timestamp,
    pub subject: Arc<str>,
    /// Size of the whole payload, bytes, however much of it was kept.
    pub bytes: u64,
    /// Its place in its stream, where it came out of one.
    pub sequence: Option<u64>,
    pub reply: Reply,
    /// Name and value, as many as are kept.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    pub content: Content,
}

impl Message {
    /// `kind=ptp.state from=LOCKED`: the first values in a line.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let rows = self.content.rows.iter();
        let leaves = rows.filter(|row| !matches!(row.shape, Shape::Map | Shape::List));
        for row in leaves.take(VALUES) {
            if text.len() > WORDS {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            match &row.part {
                Part::Root => {}
                Part::Key(key) => text.extend([key, "="]),
                Part::Index(index) => text.push_str(&format!("[{index}]=")),
            }
            text.push_str(&row.value);
        }
        text
    }

    /// About how much memory it takes, bytes.
    pub fn weight(&self) -> usize {
        let texts = self.content.rows.iter().map(|row| {
            let key = match &row.part {
                Part::Key(key) => key.len(),
                Part::Root | Part::Index(_) => 0,
            };
            64 + row.value.len() + key
        });
        let headers = self.headers.iter().map(|(k, v)| 64 + k.len() + v.len());
        200 + self.subject.len() + self.content.head.len() + texts.chain(headers).sum::<usize>()
    }
}

/// Where an answer would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    #[default]
    None,
    /// The sender waits for an answer there.
    Wanted(Arc<str>),
    /// The address where JetStream waits for the acknowledgement of a consumer: no request.
    Acknowledge,
}

/// The payload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub encoding: Encoding,
    /// The tree, each value after what holds it.
    pub rows: Vec<Row>,
    /// The rows are not all there is: the payload or the tree was cut.
    pub cut: bool,
    /// The first bytes as they came, for a look at them.
    pub head: Arc<[u8]>,
}

/// How a payload was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    #[default]
    Empty,
    MessagePack,
    /// Not what the site agreed on: shown with a mark.
    Json,
    Text,
    /// Nothing that could be read.
    Binary,
}

impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::MessagePack => "msgpack",
            Self::Json => "json",
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

/// One value of the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// How deep it stands; the root is 0.
    pub depth: u8,
    pub part: Part,
    pub shape: Shape,
    /// As it is shown; of a map or list, how much it holds.
    pub value: Arc<str>,
}

/// What it is of the value that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Root,
    Key(Arc<str>),
    Index(u32),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Nil,
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    Time,
    /// A MessagePack extension of the application.
    Extension,
    List,
    Map,
}

impl Shape {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Time => "time",
            Self::Extension => "ext",
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

impl Content {
    /// Where row `index` stands: `.rows[3].name`; the root is `.`.
    pub fn path(&self, index: usize) -> String {
        let Some(row) = self.rows.get(index) else {
            return String::new();
        };
        let mut parts = Vec::new();
        let mut above = row.depth;
        push_part(&mut parts, &row.part);
        for row in self.rows.iter().take(index).rev() {
            if row.depth < above {
                above = row.depth;
                push_part(&mut parts, &row.part);
            }
        }
        parts.reverse();
        let path = parts.concat();
        if path.is_empty() { ".".into() } else { path }
    }
}

fn push_part(parts: &mut Vec<String>, part: &Part) {
    match part {
        Part::Root => {}
        Part::Key(key) => parts.push(format!(".{key}")),
        Part::Index(index) => parts.push(format!("[{index}]")),
    }
}

/// What was heard of the followed subjects since the last delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// Time that it covers, milliseconds.
    pub span_ms: u32,
    /// What is followed; empty: nothing (any more).
    pub patterns: Vec<Pattern>,
    /// The words that a message must hold to be shown.
    pub words: Arc<str>,
    /// Why nothing comes, in words.
    pub fault: Option<Arc<str>>,
    /// Messages that came in, and their bytes.
    pub seen: u64,
    pub bytes: u64,
    /// Of those, the ones with all the words that were looked for.
    pub matched: u64,
    /// Matching ones that are not here because there were too many to show.
    pub sampled_out: u64,
    /// Ones that were lost before anybody could look at them.
    pub dropped: u64,
    /// Followed no further for lack of a right: the subjects.
    pub denied: Vec<Arc<str>>,
    /// The connection was lost before this: nobody knows what passed meanwhile.
    pub gap: bool,
    pub messages: Vec<Message>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_holds_a_value() {
        let row = |depth, part| Row {
            depth,
            part,
            shape: Shape::Int,
            value: "1".into(),
        };
        let content = Content {
            rows: vec![
                row(0, Part::Root),
                row(1, Part::Key("a".into())),
                row(2, Part::Index(0)),
                row(2, Part::Index(1)),
                row(3, Part::Key("b".into())),
                row(1, Part::Key("c".into())),
            ],
            ..Content::default()
        };
        let paths: Vec<String> = (0..7).map(|i| content.path(i)).collect();
        assert_eq!(paths, [".", ".a", ".a[0]", ".a[1]", ".a[1].b", ".c", ""]);
    }
}
