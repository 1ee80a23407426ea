//! Pieces of a streamed chat completion -> text, reasoning, whole tool calls.
//!
//! Also takes a whole answer at once: servers without streaming send one. Field names and oddities
//! are those that real servers showed (vLLM, llama.cpp, Ollama and front ends of others).

use serde_json::Value;

use super::constrained::Reader;
use super::leak::{Gate, Known, Piece};

/// Most calls that one answer may ask for.
const CALLS: usize = 16;
/// Longest arguments of one call, bytes.
const ARGUMENTS: usize = 256 * 1024;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// As the model wrote them; not checked.
    pub arguments: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    Stop,
    ToolCalls,
    /// Cut by the token limit.
    Length,
    Other(String),
}

/// What the server said went wrong, in the middle of a stream or as the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerError {
    pub message: String,
    pub code: Option<u16>,
}

#[derive(Debug)]
pub enum Refusal {
    Server(ServerError),
    Garbage(String),
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    pub text: String,
    pub reasoning: bool,
    pub calls: Vec<ToolCall>,
    pub finish: Option<Finish>,
    /// A tool call was begun and cut.
    pub cut_call: bool,
    /// Calls were found in the text, not in the field for them.
    pub leaked: bool,
    pub prompt_tokens: Option<u32>,
    pub completion_tokens: Option<u32>,
    /// From the first piece to the last, where it was streamed.
    pub wrote_ms: Option<u32>,
    /// It was to be of the constrained form and is not: the server does not keep to it.
    pub unformed: bool,
}

#[derive(Debug)]
pub struct Accumulator {
    gate: Gate,
    /// The answer is to be of the constrained form, and has been so far.
    form: Option<Reader>,
    begun: bool,
    calls: Vec<Partial>,
    done: bool,
    result: Completion,
}

#[derive(Debug, Default)]
struct Partial {
    index: Option<u64>,
    call: ToolCall,
}

impl Accumulator {
    /// `known`: to find calls left in the text.
    pub fn new(known: Known) -> Self {
        Self {
            gate: Gate::new(known),
            form: None,
            begun: false,
            calls: Vec::new(),
            done: false,
            result: Completion::default(),
        }
    }

    /// For an answer that the server was asked to hold to the form of [`super::constrained`].
    pub fn formed(known: Known) -> Self {
        Self {
            form: Some(Reader::default()),
            ..Self::new(known)
        }
    }

    /// One event's data. Gives what may be shown.
    pub fn event(&mut self, data: &str) -> Result<Vec<Piece>, Refusal> {
        let data = data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(Vec::new());
        }
        if data.is_empty() {
            return Ok(Vec::new());
        }
        match serde_json::from_str::<Value>(data) {
            Ok(value) => self.value(&value),
            Err(error) => Err(Refusal::Garbage(format!("{error}"))),
        }
    }

    /// One chunk, or the whole answer.
    pub fn value(&mut self, value: &Value) -> Result<Vec<Piece>, Refusal> {
        if let Some(error) = error_of(value) {
            return Err(Refusal::Server(error));
        }
        if let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) {
            self.result.prompt_tokens = count(usage, "prompt_tokens");
            self.result.completion_tokens = count(usage, "completion_tokens");
        }
        let Some(choices) = value.get("choices").and_then(Value::as_array) else {
            return if value.is_object() {
                Ok(Vec::new())
            } else {
                Err(Refusal::Garbage("no object of an answer".into()))
            };
        };
        let mut pieces = Vec::new();
        for choice in choices {
            if choice
                .get("index")
                .and_then(Value::as_u64)
                .is_some_and(|i| i > 0)
            {
                continue;
            }
            self.choice(choice, &mut pieces);
        }
        Ok(pieces)
    }

    /// True once the answer is known to be whole.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// True once the server said why it stopped, with or without `[DONE]`.
    pub fn is_complete(&self) -> bool {
        self.done || self.result.finish.is_some()
    }

    /// True while nothing of the answer has come.
    pub fn is_empty(&self) -> bool {
        self.result.text.is_empty() && !self.result.reasoning && self.calls.is_empty()
    }

    /// Ends the answer: last pieces to show, and all of it.
    pub fn finish(mut self) -> (Vec<Piece>, Completion) {
        let (mut pieces, formed) = self.end_form();
        let rest = self.gate.finish();
        self.keep(&rest);
        pieces.extend(rest);
        let mut result = self.result;
        let cut = result.finish == Some(Finish::Length);
        // A call that the token limit cut is not to be carried out on half of its arguments.
        let whole = |call: &ToolCall| {
            !call.name.is_empty()
                && (!cut || serde_json::from_str::<Value>(&call.arguments).is_ok())
        };
        let (calls, broken): (Vec<_>, Vec<_>) = self
            .calls
            .into_iter()
            .map(|partial| partial.call)
            .partition(whole);
        result.cut_call |= self.gate.cut || !broken.is_empty();
        result.leaked = calls.is_empty() && !self.gate.calls.is_empty();
        result.calls = calls;
        result.calls.extend(formed);
        result
            .calls
            .extend(self.gate.calls.into_iter().map(|leaked| ToolCall {
                id: String::new(),
                name: leaked.name,
                arguments: leaked.arguments,
            }));
        result.calls.truncate(CALLS);
        // The ids are ours from here on: some servers leave them out or repeat them.
        for (i, call) in result.calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{i}");
            }
        }
        (pieces, result)
    }

    fn choice(&mut self, choice: &Value, pieces: &mut Vec<Piece>) {
        let delta = choice
            .get("delta")
            .filter(|delta| delta.is_object())
            .or_else(|| choice.get("message"));
        if let Some(delta) = delta {
            for name in ["reasoning", "reasoning_content"] {
                let thought = text_of(delta.get(name));
                if !thought.is_empty() {
                    self.result.reasoning = true;
                    pieces.push(Piece::Reasoning(thought));
                    break;
                }
            }
            let text = text_of(delta.get("content"));
            if !text.is_empty() {
                let shown = self.read(&text);
                self.keep(&shown);
                pieces.extend(shown);
            }
            self.tool_deltas(delta);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.result.finish = Some(match reason {
                "stop" => Finish::Stop,
                "tool_calls" | "function_call" => Finish::ToolCalls,
                "length" => Finish::Length,
                other => Finish::Other(other.to_owned()),
            });
        }
    }

    fn read(&mut self, text: &str) -> Vec<Piece> {
        if !self.begun
            && let Some(first) = text.trim_start().chars().next()
        {
            self.begun = true;
            if first != '{' && self.form.take().is_some() {
                self.result.unformed = true;
            }
        }
        match &mut self.form {
            Some(form) => form.push(text),
            None => self.gate.push(text),
        }
    }

    /// The calls of a formed answer; one that breaks the form goes through the gate.
    fn end_form(&mut self) -> (Vec<Piece>, Vec<ToolCall>) {
        let raw = match self.form.take().map(Reader::finish) {
            None => return (Vec::new(), Vec::new()),
            Some(Ok(calls)) => return (Vec::new(), calls),
            Some(Err(raw)) => raw,
        };
        if self.result.finish == Some(Finish::Length) {
            self.result.cut_call = self.result.text.is_empty();
            return (Vec::new(), Vec::new());
        }
        self.result.unformed = self.begun;
        let pieces = match self.result.text.is_empty() {
            true => self.gate.push(&raw),
            false => Vec::new(),
        };
        self.keep(&pieces);
        (pieces, Vec::new())
    }

    fn keep(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.result.text.push_str(text),
                Piece::Reasoning(_) => self.result.reasoning = true,
            }
        }
    }

    fn tool_deltas(&mut self, delta: &Value) {
        if let Some(deltas) = delta.get("tool_calls").and_then(Value::as_array) {
            for part in deltas {
                let function = part.get("function").unwrap_or(part);
                self.tool_delta(part, function);
            }
        } else if let Some(function) = delta.get("function_call").filter(|f| f.is_object()) {
            self.tool_delta(&Value::Null, function);
        }
    }

    fn tool_delta(&mut self, part: &Value, function: &Value) {
        let id = part.get("id").and_then(Value::as_str).unwrap_or_default();
        let index = part.get("index").and_then(Value::as_u64);
        let name = function
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(partial) = self.place(index, id, name) else {
            return;
        };
        if partial.call.id.is_empty() {
            partial.call.id = id.to_owned();
        }
        if partial.call.name.is_empty() {
            partial.call.name = name.to_owned();
        }
        match function.get("arguments") {
            Some(Value::String(text)) if partial.call.arguments.len() < ARGUMENTS => {
                partial.call.arguments.push_str(text);
            }
            Some(object @ Value::Object(_)) => partial.call.arguments = object.to_string(),
            _ => {}
        }
    }

    /// The call that a delta belongs to: by index; a new id or (without both) a new name begins one.
    fn place(&mut self, index: Option<u64>, id: &str, name: &str) -> Option<&mut Partial> {
        let found = match index {
            Some(_) => self.calls.iter().rposition(|c| c.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|c| c.call.id == id),
            None => self.calls.len().checked_sub(1),
        };
        let same = found.filter(|&at| {
            self.calls.get(at).is_some_and(|c| {
                let other_id = !id.is_empty() && !c.call.id.is_empty() && c.call.id != id;
                let begins =
                    index.is_none() && id.is_empty() && !name.is_empty() && !c.call.name.is_empty();
                !other_id && !begins
            })
        });
        let at = match same {
            Some(at) => at,
            None if self.calls.len() >= CALLS => return None,
            None => {
                self.calls.push(Partial {
                    index,
                    call: ToolCall::default(),
                });
                self.calls.len() - 1
            }
        };
        self.calls.get_mut(at)
    }
}

/// The error in a body or an event, in any of the three shapes.
pub fn error_of(value: &Value) -> Option<ServerError> {
    let error = value.get("error").filter(|error| !error.is_null());
    let (message, code) = match error {
        Some(Value::String(text)) => (text.clone(), value.get("code")),
        Some(object) => (
            object
                .get("message")
                .map(as_text)
                .unwrap_or_else(|| object.to_string()),
            object.get("code"),
        ),
        None if value.get("object").and_then(Value::as_str) == Some("error") => (
            value.get("message").map(as_text).unwrap_or_default(),
            value.get("code"),
        ),
        None if value.get("choices").is_none() => (as_text(value.get("detail")?), None),
        None => return None,
    };
    Some(ServerError {
        message,
        code: code
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok()),
    })
}

fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Text as a string or as a list of parts.
fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}

fn count(usage: &Value, name: &str) -> Option<u32> {
    usage
        .get(name)
        .and_then(Value::as_u64)
        .and_then(|n| u32::try_from(n).ok())
}

#[cfg(test)]
mod tests;
