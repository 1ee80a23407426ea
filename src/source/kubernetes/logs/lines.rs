//! Lines of a container's log as they come over the wire, each within bounds.

use futures::AsyncBufReadExt;
use futures::io::AsyncBufRead;

use super::super::Cluster;
use super::super::ask::Failure;
use crate::model::label::Labels;
use crate::model::log::LogLine;
use crate::model::text;
use crate::source::loki::{LINE_LIMIT, level_of_line};

/// Room for the time in front of a line.
const TIME: usize = 40;

/// A line, cut where it is too long, and how long it was.
#[derive(Debug, Default)]
pub struct Raw {
    bytes: Vec<u8>,
    length: usize,
}

#[cfg(test)]
impl Raw {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            length: bytes.len(),
        }
    }
}

/// The body of a log request, line by line.
pub struct Lines {
    stream: std::pin::Pin<Box<dyn AsyncBufRead + Send>>,
    /// Bytes that may still be read.
    left: u64,
    cut: bool,
}

impl Lines {
    pub async fn open(cluster: &Cluster, path: &str, most: u64) -> Result<Self, Failure> {
        let request = http::Request::get(path)
            .body(Vec::new())
            .map_err(|e| kube::Error::BuildRequest(kube::core::request::Error::BuildRequest(e)))?;
        let stream = cluster.client.request_stream(request).await?;
        Ok(Self {
            stream: Box::pin(stream),
            left: most,
            cut: false,
        })
    }

    /// There was more than may be read at once.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next line; `None` at the end. A last line without its end is a line too.
    pub async fn next(&mut self) -> Result<Option<Raw>, Failure> {
        let mut raw = Raw::default();
        loop {
            let read = self.stream.fill_buf().await;
            let held = read.map_err(|e| kube::Error::Service(Box::new(e)))?;
            if held.is_empty() {
                return Ok((raw.length > 0).then_some(raw));
            }
            let end = held.iter().position(|b| *b == b'\n');
            let part = held.get(..end.unwrap_or(held.len())).unwrap_or_default();
            let room = (LINE_LIMIT + TIME).saturating_sub(raw.bytes.len());
            raw.bytes.extend(part.iter().take(room));
            raw.length += part.len();
            let taken = part.len() + usize::from(end.is_some());
            self.stream.as_mut().consume_unpin(taken);
            self.left = self.left.saturating_sub(taken as u64);
            if self.left == 0 {
                self.cut = true;
                return Ok(None);
            }
            if end.is_some() {
                return Ok(Some(raw));
            }
        }
    }
}

/// What all lines of a container carry.
#[derive(Clone, Debug)]
pub struct Stamp {
    labels: Labels,
}

impl Stamp {
    pub fn new(namespace: &str, pod: &str, container: &str, previous: bool) -> Self {
        let mut pairs = vec![
            ("namespace", namespace),
            ("pod", pod),
            ("container", container),
        ];
        if previous {
            pairs.push(("run", "previous"));
        }
        Self {
            labels: Labels::from_pairs(pairs),
        }
    }

    /// The time stands in front; `otherwise_ns` where it does not.
    pub fn line(&self, raw: &Raw, otherwise_ns: i64) -> LogLine {
        let told = String::from_utf8_lossy(&raw.bytes);
        let (at_ns, line) = match told
            .split_once(' ')
            .and_then(|(t, rest)| Some((time(t)?, rest)))
        {
            Some(found) => found,
            // A line that is empty has a time alone.
            None => match time(told.trim_end()) {
                Some(at) => (at, ""),
                None => (otherwise_ns, told.as_ref()),
            },
        };
        let mut line = text::clean(line, LINE_LIMIT);
        if raw.length > raw.bytes.len() && !line.ends_with("bytes)") {
            line.push_str(&format!("… ({} bytes)", raw.length));
        }
        LogLine {
            at_ns,
            labels: self.labels.clone(),
            level: level_of_line(&line),
            line: line.into(),
        }
    }

    /// A line of farwatch itself, among those of the container.
    pub fn own(&self, at_ns: i64, text: String) -> LogLine {
        LogLine {
            at_ns,
            labels: self.labels.clone(),
            level: crate::model::log::Level::Warning,
            line: text.into(),
        }
    }
}

fn time(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(at.as_nanosecond()).ok()
}
