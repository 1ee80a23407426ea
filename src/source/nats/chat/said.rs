//! What one message of the site's agent says.
//!
//! Sites name things differently; which names are understood stands in the tables below and nowhere
//! else. They are looked for in the message and in an envelope (`data`, `payload`, `body`); the first
//! found counts.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::value::Value;
use crate::model::text;

/// A piece of the answer. Also as `{"content": …}` (OpenAI's `delta`), as a list of parts with `text`,
/// and as `choices[0].delta` or `.message`.
const PIECE: &[&str] = &["delta", "chunk", "token", "content", "text", "message"];
/// The whole answer; a piece of it where the message says that it is not the last, or has a number.
const WHOLE: &[&str] = &[
    "response",
    "answer",
    "full_response",
    "final_answer",
    "full_text",
];
const THOUGHT: &[&str] = &["reasoning", "reasoning_content", "thinking", "thought"];
/// The last message: true or false. An empty payload, and a reason why it finished, say it too.
const LAST: &[&str] = &[
    "done", "final", "is_final", "is_last", "last", "finished", "complete", "end", "eos",
];
const REASON: &[&str] = &["finish_reason", "done_reason", "stop_reason"];
/// Which of the parts it is; the lowest is 0 or 1.
const NUMBER: &[&str] = &[
    "seq",
    "sequence",
    "sequence_number",
    "index",
    "chunk_index",
    "part",
    "chunk_number",
];
/// How many parts there are.
const COUNT: &[&str] = &["total_chunks", "chunk_count", "total_parts", "total"];
/// The same wherever the message is sent again; besides the header `Nats-Msg-Id`.
const ID: &[&str] = &["event_id", "chunk_id", "part_id"];
/// Of the question.
const REQUEST: &[&str] = &["request_id", "requestId", "correlation_id"];
/// What kind of message it is.
const KIND: &[&str] = &["type", "event", "kind", "event_type", "status", "state"];
const KIND_LAST: &[&str] = &[
    "done",
    "end",
    "ended",
    "final",
    "complete",
    "completed",
    "finish",
    "finished",
    "stop",
    "eos",
    "message_end",
    "response_end",
    "stream_end",
    "end_of_stream",
];
const KIND_ERROR: &[&str] = &[
    "error",
    "failed",
    "failure",
    "exception",
    "refused",
    "rejected",
    "cancelled",
];
const KIND_PIECE: &[&str] = &[
    "delta",
    "chunk",
    "token",
    "partial",
    "stream",
    "streaming",
    "content",
    "text",
];
const KIND_THOUGHT: &[&str] = &["thinking", "thought", "reasoning"];
/// Signs of life: what they say stands beside the answer.
const KIND_LIFE: &[&str] = &[
    "progress",
    "heartbeat",
    "ping",
    "keepalive",
    "ack",
    "accepted",
    "received",
    "start",
    "started",
    "queued",
    "processing",
    "working",
    "running",
    "searching",
    "retrieval",
    "tool",
    "tool_call",
    "tool_start",
    "tool_result",
    "tool_end",
];
const ERROR: &[&str] = &["error", "err", "exception"];
const ERROR_WORDS: &[&str] = &[
    "message",
    "detail",
    "description",
    "error",
    "reason",
    "text",
];
const SOURCES: &[&str] = &["sources", "citations", "references", "documents"];
const SOURCE_WORDS: &[&str] = &["title", "name", "source", "id", "path"];
const SOURCE_PLACE: &[&str] = &["url", "uri", "link", "path", "file"];
const MODEL: &[&str] = &["model", "model_name", "agent"];
const ENVELOPE: &[&str] = &["data", "payload", "body"];

/// Longest name, error and source, bytes; sources of one message.
const NAME: usize = 200;
const WORDS: usize = 600;
const MOST_SOURCES: usize = 20;

/// How it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    #[default]
    MessagePack,
    Json,
    /// Words without a form.
    Plain,
}

/// Read, but not cleaned: the text goes where texts of models go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    pub form: Form,
    pub request: Option<String>,
    pub number: Option<u64>,
    pub count: Option<u64>,
    pub id: Option<String>,
    pub piece: String,
    /// All of the answer, in place of its pieces.
    pub whole: Option<String>,
    pub thought: String,
    /// What it is doing.
    pub life: Option<String>,
    pub error: Option<String>,
    pub sources: Vec<String>,
    pub model: Option<String>,
    pub read_tokens: Option<u32>,
    pub written_tokens: Option<u32>,
    pub last: bool,
}

impl Said {
    /// What it says as a number: the same for the same words.
    pub fn short(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let words = (&self.piece, &self.whole, &self.thought);
        (words, &self.life, &self.error, self.last).hash(&mut hash);
        hash.finish()
    }

    /// Bytes of text that it holds.
    pub fn bytes(&self) -> usize {
        self.piece.len() + self.thought.len() + self.whole.as_ref().map_or(0, String::len)
    }
}

/// `None`: it cannot be read. MessagePack first, then JSON, then words.
pub fn read(payload: &[u8]) -> Option<Said> {
    let spoken = |value: &Value| matches!(value, Value::Map(_) | Value::Text(_));
    if payload.is_empty() {
        return Some(Said {
            last: true,
            ..Said::default()
        });
    }
    if let Some(value) = Value::from_msgpack(payload).filter(spoken) {
        return Some(of(&value, Form::MessagePack));
    }
    if let Some(value) = Value::from_json(payload).filter(spoken) {
        return Some(of(&value, Form::Json));
    }
    let words = std::str::from_utf8(payload).ok()?;
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}');
    // A map or a list that was cut is no speech.
    let broken = words.trim_start().starts_with(['{', '[']);
    (!broken && !words.contains(odd)).then(|| Said {
        form: Form::Plain,
        piece: words.to_owned(),
        ..Said::default()
    })
}

fn of(value: &Value, form: Form) -> Said {
    if let Value::Text(piece) = value {
        return Said {
            form,
            piece: piece.clone(),
            ..Said::default()
        };
    }
    let message = Message(value);
    let kind = message.kind();
    let is = |kinds: &[&str]| kind.iter().any(|kind| kinds.contains(&kind.as_str()));
    let number = message.find(NUMBER, Value::whole);
    let flag = message.find(LAST, |value| match value {
        Value::Bool(flag) => Some(*flag),
        _ => None,
    });
    let mut said = Said {
        form,
        number,
        count: message.find(COUNT, Value::whole),
        id: message.find(ID, name),
        request: message.find(REQUEST, name),
        thought: message.find(THOUGHT, words_of).unwrap_or_default(),
        sources: message.sources(),
        model: message.find(MODEL, name),
        error: message.error(),
        ..Said::default()
    };
    (said.read_tokens, said.written_tokens) = message.usage();
    let piece = message.choice().or_else(|| message.find(PIECE, words_of));
    let whole = message.find(WHOLE, words_of);
    let reason = message.find(REASON, words_of).is_some() || message.finished();
    said.last = flag.unwrap_or(reason || is(KIND_LAST));
    if is(KIND_ERROR) && said.error.is_none() {
        let words = piece.or_else(|| message.find(ERROR_WORDS, words_of));
        said.error = Some(words.unwrap_or_else(|| "it does not say why".into()));
    } else if is(KIND_THOUGHT) && flag != Some(true) {
        said.thought.push_str(&piece.unwrap_or_default());
    } else if is(KIND_LIFE) && flag != Some(true) && whole.is_none() {
        said.life = Some(piece.unwrap_or_default());
    } else if said.error.is_none() {
        let not_last = flag == Some(false) || is(KIND_PIECE);
        match (piece, whole) {
            (None, Some(part)) if not_last || (flag.is_none() && number.is_some()) => {
                said.piece = part;
            }
            (_, Some(all)) => {
                said.whole = Some(all);
                said.last |= flag.is_none();
            }
            (piece, None) => said.piece = piece.unwrap_or_default(),
        }
    }
    said
}

/// A map, looked into with its envelope.
struct Message<'a>(&'a Value);

impl Message<'_> {
    fn find<T>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let inside = |value: &Value| names.iter().find_map(|name| read(value.get(name)?));
        let envelope = || ENVELOPE.iter().find_map(|name| inside(self.0.get(name)?));
        inside(self.0).or_else(envelope)
    }

    /// All words that say it: `type` and `status` often both do.
    fn kind(&self) -> Vec<String> {
        let words = KIND.iter().filter_map(|one| self.find(&[one], name));
        words
            .map(|word| word.to_lowercase().replace(['-', ' ', '.'], "_"))
            .collect()
    }

    fn error(&self) -> Option<String> {
        self.find(ERROR, |value| match value {
            Value::Text(words) if !words.is_empty() => Some(words.clone()),
            Value::Map(_) => {
                let words = ERROR_WORDS.iter().find_map(|n| words_of(value.get(n)?));
                Some(words.unwrap_or_else(|| "it does not say why".into()))
            }
            Value::Bool(true) => {
                let words = self.find(&["message", "detail", "reason"], words_of);
                Some(words.unwrap_or_else(|| "it does not say why".into()))
            }
            _ => None,
        })
        .map(|words| text::clean(&words, WORDS))
    }

    /// OpenAI's form.
    fn choice(&self) -> Option<String> {
        self.find(&["choices"], |choices| {
            let first = choices.list().first()?;
            let delta = first.get("delta").or_else(|| first.get("message"))?;
            delta.get("content").and_then(words_of)
        })
    }

    fn finished(&self) -> bool {
        let reason = self.find(&["choices"], |choices| {
            choices.list().first()?.get("finish_reason")?.text()?;
            Some(())
        });
        reason.is_some()
    }

    fn usage(&self) -> (Option<u32>, Option<u32>) {
        let of = |name: &str| {
            let count = self.find(&["usage"], |usage| usage.get(name)?.whole());
            count.and_then(|count| u32::try_from(count).ok())
        };
        (of("prompt_tokens"), of("completion_tokens"))
    }

    fn sources(&self) -> Vec<String> {
        let told = self.find(SOURCES, |value| {
            let each = value.list().iter().filter_map(source);
            let all: Vec<String> = each.take(MOST_SOURCES).collect();
            (!all.is_empty()).then_some(all)
        });
        told.unwrap_or_default()
    }
}

/// A name or an address, or both.
fn source(value: &Value) -> Option<String> {
    let of = |names: &[&str]| names.iter().find_map(|n| value.get(n)?.text());
    let words = match value {
        Value::Text(words) => words.clone(),
        _ => match (of(SOURCE_WORDS), of(SOURCE_PLACE)) {
            (Some(title), Some(place)) if title != place => format!("{title} ({place})"),
            (Some(one), _) | (None, Some(one)) => one.to_owned(),
            (None, None) => return None,
        },
    };
    let words = text::clean(words.trim(), NAME);
    (!words.is_empty()).then_some(words)
}

fn name(value: &Value) -> Option<String> {
    let words = match value {
        Value::Whole(number) => number.to_string(),
        other => other.text()?.to_owned(),
    };
    let words = text::clean(words.trim(), NAME);
    (!words.is_empty()).then_some(words)
}

/// Text as such, in a map, or in a list of parts; nothing where it is empty.
fn words_of(value: &Value) -> Option<String> {
    let words = match value {
        Value::Text(words) => words.clone(),
        Value::Map(_) => {
            let inner = ["content", "text"]
                .iter()
                .find_map(|n| value.get(n)?.text());
            inner?.to_owned()
        }
        Value::List(parts) => {
            let text = |part: &Value| part.get("text").or(Some(part))?.text().map(str::to_owned);
            parts.iter().filter_map(text).collect()
        }
        _ => return None,
    };
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests;
