//! Traces: what a search tells of them, and their spans as a tree.
//!
//! Nothing is made up for what is missing: a span whose parent was not sent stands at the top and
//! says so, and times are shown as the spans give them, however wrong a clock was.

pub mod graph;
pub mod mention;
mod path;
mod tree;

use std::fmt;
use std::sync::Arc;

use super::time::Timestamp;

pub use tree::{Node, Place, Trace};

/// Written as 32 hex digits; searches leave out zeros in front, which is the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub u128);

impl TraceId {
    /// 1 to 32 hex digits, not all of them 0.
    pub fn parse(text: &str) -> Option<Self> {
        // `from_str_radix` would take a sign.
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = (hex && text.len() <= 32).then(|| u128::from_str_radix(text, 16));
        id?.ok().filter(|id| *id != 0).map(Self)
    }

    /// The ends of it, for narrow places: `7be1…da04`. Half of an old id is zeros: they are no end.
    pub fn short(self) -> String {
        let whole = self.to_string();
        let half = whole.strip_prefix("0000000000000000");
        let text = half.unwrap_or(&whole);
        let tail = text.len().saturating_sub(4);
        match (text.get(..4), text.get(tail..)) {
            (Some(head), Some(tail)) => format!("{head}…{tail}"),
            _ => whole,
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub u64);

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A trace as a search tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub id: TraceId,
    /// Of the root span; empty where the server did not get it (yet).
    pub service: String,
    pub operation: String,
    pub start_ns: i64,
    /// Whole milliseconds, as searches give it: 0 is less than one.
    pub duration_ms: u64,
    /// Spans, services and failed spans, where the server counted them.
    pub counts: Option<Counts>,
    /// Spans that matched the query; `None`: not told.
    pub matched: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub spans: u64,
    pub services: u64,
    pub errors: u64,
}

impl Summary {
    pub fn at(&self) -> Timestamp {
        Timestamp(self.start_ns / 1_000_000)
    }

    /// `None`: the server did not count.
    pub fn failed(&self) -> Option<bool> {
        self.counts.map(|c| c.errors > 0)
    }
}

/// What a list of traces has in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub longest_ms: u64,
    /// Traces with errors, of those of which it is known.
    pub failed: usize,
    pub known: usize,
}

/// `None`: no traces.
pub fn spread(found: &[Summary]) -> Option<Spread> {
    let mut times: Vec<u64> = found.iter().map(|s| s.duration_ms).collect();
    times.sort_unstable();
    // Nearest rank: a time that a trace really took.
    let rank = |share: usize| {
        let at = (times.len() * share).div_ceil(100).saturating_sub(1);
        times.get(at).copied()
    };
    Some(Spread {
        p50_ms: rank(50)?,
        p95_ms: rank(95)?,
        longest_ms: *times.last()?,
        failed: found.iter().filter(|s| s.failed() == Some(true)).count(),
        known: found.iter().filter(|s| s.counts.is_some()).count(),
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// The program did not say: it is not known to have gone well.
    #[default]
    Unset,
    Ok,
    Error,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    #[default]
    Unknown,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// Names with their values as text, in the order they were sent.
pub type Attributes = Vec<(String, String)>;

/// Something that happened within a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at_ns: i64,
    pub name: String,
    pub attributes: Attributes,
}

/// Another span that has to do with this one; mostly of another trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub trace: TraceId,
    pub span: SpanId,
    pub attributes: Attributes,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub service: Arc<str>,
    pub operation: String,
    pub kind: SpanKind,
    /// 0: not told.
    pub start_ns: i64,
    /// 0: not told, the span may not have ended.
    pub end_ns: i64,
    pub status: Status,
    /// What the program said of the status.
    pub message: String,
    pub attributes: Attributes,
    /// What sent it: pod, node, version. Shared by the spans of one sender.
    pub resource: Arc<Attributes>,
    pub events: Vec<Event>,
    pub links: Vec<Link>,
    /// Attributes, events and links that the sender or the limits here left out.
    pub dropped: u64,
}

impl Span {
    /// Both times are told, and in this order.
    pub fn is_timed(&self) -> bool {
        self.start_ns > 0 && self.end_ns >= self.start_ns
    }

    /// `None`: it cannot be told.
    pub fn duration_ns(&self) -> Option<i64> {
        self.is_timed().then(|| self.end_ns - self.start_ns)
    }

    pub fn failed(&self) -> bool {
        self.status == Status::Error
    }

    /// An attribute of the sender, by the first of these names that it has.
    pub fn sender(&self, names: &[&str]) -> Option<&str> {
        first_of(&self.resource, names)
    }

    /// An attribute of the span itself, likewise.
    pub fn attribute(&self, names: &[&str]) -> Option<&str> {
        first_of(&self.attributes, names)
    }
}

fn first_of<'a>(attributes: &'a Attributes, names: &[&str]) -> Option<&'a str> {
    let value = |name: &&str| attributes.iter().find(|(n, _)| n == name);
    names
        .iter()
        .find_map(value)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers() {
        let id = TraceId::parse("50b33be48b2e3ba59613f0e9e30dda0").unwrap();
        assert_eq!(id.to_string(), "050b33be48b2e3ba59613f0e9e30dda0");
        assert_eq!(id.short(), "050b…dda0");
        assert_eq!(TraceId::parse(&id.to_string()), Some(id));
        for bad in ["", "0", "+1", "zz", "-1", " 1", &"1".repeat(33), "1é"] {
            assert_eq!(TraceId::parse(bad), None, "{bad:?}");
        }
    }

    fn found(duration_ms: u64, errors: Option<u64>) -> Summary {
        Summary {
            id: TraceId(1),
            service: String::new(),
            operation: String::new(),
            start_ns: 0,
            duration_ms,
            counts: errors.map(|errors| Counts {
                errors,
                ..Counts::default()
            }),
            matched: None,
        }
    }

    #[test]
    fn what_is_not_counted_is_not_counted_as_well() {
        assert_eq!(spread(&[]), None);
        let list = [found(5, None), found(1, Some(2)), found(3, Some(0))];
        let spread = spread(&list).unwrap();
        assert_eq!((spread.p50_ms, spread.p95_ms, spread.longest_ms), (3, 5, 5));
        assert_eq!((spread.failed, spread.known), (1, 2));
    }
}
