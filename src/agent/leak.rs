//! Tool calls and reasoning that a server left in the text of the answer.
//!
//! Servers without a tool parser hand through what the model wrote: `<tool_call>{…}`, fenced JSON,
//! `[TOOL_CALLS]`, a bare object. The gate holds such pieces back while they stream, so that the
//! operator reads words and not wire format; what turns out to be plain text is let through.

use std::sync::Arc;

use serde_json::Value;

use super::lenient;

/// Longest piece that is held back before it is taken for text.
const HOLD_LIMIT: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    Reasoning(String),
}

/// A call found in text: tool and arguments as JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaked {
    pub name: String,
    pub arguments: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Mark {
    open: &'static str,
    /// Empty: up to the end of the message.
    close: &'static str,
    /// Such text is wire format even when it cannot be read (cut in the middle).
    wire: bool,
}

const THINK: Mark = Mark {
    open: "<think>",
    close: "</think>",
    wire: false,
};
const BARE: Mark = Mark {
    open: "",
    close: "",
    wire: false,
};
const MARKS: [Mark; 7] = [
    mark("<tool_call>", "</tool_call>", true),
    mark("```tool_call", "```", true),
    mark("```tool", "```", true),
    mark("```json", "```", false),
    mark("[TOOL_CALLS]", "", true),
    mark("<|python_tag|>", "", true),
    THINK,
];

const fn mark(open: &'static str, close: &'static str, wire: bool) -> Mark {
    Mark { open, close, wire }
}

/// Which names are tools: of others, what looks like a call is an example.
#[derive(Clone, Debug)]
pub struct Known {
    own: fn(&str) -> bool,
    /// `server.tool`, of other programs.
    foreign: Arc<[String]>,
}

impl Known {
    pub fn new(own: fn(&str) -> bool, foreign: Arc<[String]>) -> Self {
        Self { own, foreign }
    }

    fn has(&self, name: &str) -> bool {
        (self.own)(name) || self.foreign.iter().any(|known| known == name)
    }
}

#[derive(Debug)]
pub struct Gate {
    known: Known,
    held: String,
    open: Option<Mark>,
    begun: bool,
    pub calls: Vec<Leaked>,
    /// A call began and never ended.
    pub cut: bool,
}

impl Gate {
    pub fn new(known: Known) -> Self {
        Self {
            known,
            held: String::new(),
            open: None,
            begun: false,
            calls: Vec::new(),
            cut: false,
        }
    }

    /// Takes a piece of the answer and gives what may be shown now.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut out = Vec::new();
        while self.step(&mut out) {}
        out
    }

    /// The answer is over: what is still held is a call, a cut call, or text.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut out = Vec::new();
        let body = std::mem::take(&mut self.held);
        match self.open.take() {
            None => push_text(&mut out, body),
            Some(mark) if mark == THINK => push_reasoning(&mut out, body),
            Some(mark) => {
                if self.judge(&body) {
                    return out;
                }
                if mark.wire && (mark.close.is_empty() || looks_cut(&body)) {
                    self.cut = true;
                } else {
                    push_text(&mut out, format!("{}{body}", mark.open));
                }
            }
        }
        out
    }

    fn step(&mut self, out: &mut Vec<Piece>) -> bool {
        match self.open {
            None => self.outside(out),
            Some(mark) if mark == THINK => self.thinking(out),
            Some(mark) => self.inside(mark, out),
        }
    }

    fn outside(&mut self, out: &mut Vec<Piece>) -> bool {
        if !self.begun {
            let start = self.held.trim_start();
            if start.is_empty() {
                return false;
            }
            self.begun = true;
            if start.starts_with('{') {
                self.open = Some(BARE);
                return true;
            }
        }
        let found = MARKS
            .iter()
            .filter_map(|mark| self.held.find(mark.open).map(|at| (at, mark)))
            .min_by_key(|(at, mark)| (*at, usize::MAX - mark.open.len()));
        if let Some((at, mark)) = found {
            let rest = self.held.split_off(at + mark.open.len());
            self.held.truncate(at);
            push_text(out, std::mem::replace(&mut self.held, rest));
            self.open = Some(*mark);
            return true;
        }
        let keep = MARKS
            .iter()
            .map(|mark| partial_suffix(&self.held, mark.open))
            .max()
            .unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        push_text(out, std::mem::replace(&mut self.held, rest));
        false
    }

    fn thinking(&mut self, out: &mut Vec<Piece>) -> bool {
        if let Some(at) = self.held.find(THINK.close) {
            let rest = self.held.split_off(at + THINK.close.len());
            self.held.truncate(at);
            push_reasoning(out, std::mem::replace(&mut self.held, rest));
            self.open = None;
            return true;
        }
        let keep = partial_suffix(&self.held, THINK.close);
        let rest = self.held.split_off(self.held.len() - keep);
        push_reasoning(out, std::mem::replace(&mut self.held, rest));
        false
    }

    fn inside(&mut self, mark: Mark, out: &mut Vec<Piece>) -> bool {
        let end = if mark.close.is_empty() {
            None
        } else {
            self.held.find(mark.close)
        };
        if let Some(at) = end {
            let rest = self.held.split_off(at + mark.close.len());
            self.held.truncate(at);
            let body = std::mem::replace(&mut self.held, rest);
            self.open = None;
            if !self.judge(&body) {
                push_text(out, format!("{}{body}{}", mark.open, mark.close));
            }
            return true;
        }
        if self.held.len() > HOLD_LIMIT {
            let body = std::mem::take(&mut self.held);
            self.open = None;
            push_text(out, format!("{}{body}", mark.open));
        }
        false
    }

    /// True if the body was one or more calls of known tools.
    fn judge(&mut self, body: &str) -> bool {
        let calls = calls_in(body, &self.known);
        let any = !calls.is_empty();
        self.calls.extend(calls);
        any
    }
}

/// Calls of known tools written as JSON: objects one after another, or a list of them.
fn calls_in(body: &str, known: &Known) -> Vec<Leaked> {
    let Some(start) = body.find(['{', '[']) else {
        return Vec::new();
    };
    let mut calls = Vec::new();
    for value in lenient::values(body.get(start..).unwrap_or_default()) {
        match value {
            Value::Array(items) => calls.extend(items.iter().filter_map(|v| call_of(v, known))),
            other => calls.extend(call_of(&other, known)),
        }
    }
    calls
}

fn call_of(value: &Value, known: &Known) -> Option<Leaked> {
    let value = value.get("function").unwrap_or(value);
    let name = value
        .get("name")
        .or_else(|| value.get("tool"))
        .and_then(Value::as_str)?;
    if !known.has(name) {
        return None;
    }
    let arguments = ["arguments", "parameters", "args"]
        .iter()
        .find_map(|key| value.get(*key));
    let arguments = match arguments {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "{}".into(),
    };
    Some(Leaked {
        name: name.to_owned(),
        arguments,
    })
}

fn looks_cut(body: &str) -> bool {
    let body = body.trim_start();
    body.is_empty() || body.starts_with(['{', '['])
}

/// Length of the longest end of `text` that is a beginning of `mark`.
fn partial_suffix(text: &str, mark: &str) -> usize {
    (1..mark.len())
        .rev()
        .find(|&n| mark.get(..n).is_some_and(|head| text.ends_with(head)))
        .unwrap_or(0)
}

fn push_text(out: &mut Vec<Piece>, text: String) {
    if !text.is_empty() {
        out.push(Piece::Text(text));
    }
}

fn push_reasoning(out: &mut Vec<Piece>, text: String) {
    if !text.is_empty() {
        out.push(Piece::Reasoning(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known() -> Known {
        Known::new(
            |name| name == "list_alerts",
            ["tickets.search".to_owned()].into(),
        )
    }

    /// Feeds the text in pieces of `size` characters.
    fn feed(text: &str, size: usize) -> (String, String, Gate) {
        let mut gate = Gate::new(known());
        let chars: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        for chunk in chars.chunks(size) {
            pieces.extend(gate.push(&chunk.iter().collect::<String>()));
        }
        pieces.extend(gate.finish());
        let (mut said, mut thought) = (String::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => said.push_str(&text),
                Piece::Reasoning(text) => thought.push_str(&text),
            }
        }
        (said, thought, gate)
    }

    #[test]
    fn finds_calls_however_they_are_cut() {
        for text in [
            "I look. <tool_call>\n{\"name\": \"list_alerts\", \"arguments\": {\"state\": \"firing\"}}\n</tool_call>",
            "I look. ```json\n{\"tool\": \"list_alerts\", \"arguments\": {\"state\": \"firing\"}}\n```",
            "I look. [TOOL_CALLS][{\"name\": \"list_alerts\", \"arguments\": {\"state\": \"firing\"}}]",
            "I look. <|python_tag|>{\"name\": \"list_alerts\", \"parameters\": {\"state\": \"firing\"}}",
        ] {
            for size in [1, 3, 7, 1000] {
                let (said, _, gate) = feed(text, size);
                assert_eq!(said, "I look. ", "{text} by {size}");
                assert_eq!(gate.calls.len(), 1, "{text} by {size}");
                assert_eq!(gate.calls[0].arguments, r#"{"state":"firing"}"#);
                assert!(!gate.cut);
            }
        }
    }

    #[test]
    fn bare_object_and_unknown_tool() {
        let (said, _, gate) = feed("{\"name\": \"list_alerts\", \"parameters\": {}}", 4);
        assert_eq!((said.as_str(), gate.calls.len()), ("", 1));
        let json = "```json\n{\"name\": \"rm\", \"arguments\": {}}\n```\nis an example";
        let (said, _, gate) = feed(json, 5);
        assert_eq!((said.as_str(), gate.calls.len()), (json, 0));
    }

    #[test]
    fn a_call_of_another_programs_tool_is_found_under_its_whole_name_only() {
        let call = |name: &str| {
            format!("```json\n{{\"name\": \"{name}\", \"arguments\": {{\"q\": 1}}}}\n```")
        };
        for size in [1, 4, 1000] {
            let (said, _, gate) = feed(&call("tickets.search"), size);
            assert_eq!((said.as_str(), gate.calls.len()), ("", 1), "by {size}");
            assert_eq!(gate.calls[0].name, "tickets.search");
            for other in ["search", "tickets.delete", "wiki.search"] {
                let (said, _, gate) = feed(&call(other), size);
                assert_eq!((said, gate.calls.len()), (call(other), 0));
            }
        }
    }

    #[test]
    fn cut_call_is_no_answer() {
        let (said, _, gate) = feed("<tool_call>{\"name\": \"", 4);
        assert_eq!(said, "");
        assert!(gate.cut && gate.calls.is_empty());
    }

    #[test]
    fn thoughts_are_no_answer() {
        let (said, thought, _) = feed("<think>hm\nso</think>\n\nYes.", 2);
        assert_eq!((said.as_str(), thought.as_str()), ("\n\nYes.", "hm\nso"));
    }

    proptest! {
        #[test]
        fn plain_text_passes_whole(text in "[a-z`<\\[ ]{0,60}", size in 1usize..9) {
            prop_assume!(!MARKS.iter().any(|mark| text.contains(mark.open)));
            let (said, _, _) = feed(&text, size);
            prop_assert_eq!(said, text);
        }
    }
}
