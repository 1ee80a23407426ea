//! What this server can do, learned from its refusals; the request is written accordingly.

use serde_json::{Value, json};

use super::constrained;
use super::prompt;
use super::stream::ToolCall;
use crate::source::error::Cause;

/// One message of the conversation as the model sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    System(String),
    User(String),
    Assistant {
        text: String,
        calls: Vec<ToolCall>,
    },
    Tool {
        call: String,
        name: String,
        text: String,
    },
}

impl Message {
    pub fn chars(&self) -> usize {
        match self {
            Self::System(text) | Self::User(text) => text.len(),
            Self::Assistant { text, calls } => {
                let calls: usize = calls
                    .iter()
                    .map(|c| c.name.len() + c.arguments.len() + 40)
                    .sum();
                text.len() + calls
            }
            Self::Tool { text, name, .. } => text.len() + name.len(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Tools go in the field for them; else they are asked for as fenced JSON.
    pub native_tools: bool,
    /// A request with tools was accepted: a later refusal is no matter of tools.
    pub tools_accepted: bool,
    /// Tools that go in the text go there by a JSON schema; else as fenced blocks.
    pub structured: bool,
    pub stream: bool,
    pub stream_options: bool,
    pub temperature: bool,
    pub completion_tokens_name: bool,
    /// The base URL is used without `/v1`.
    pub bare: bool,
    /// The URL names the version itself.
    pub pinned: bool,
}

impl Dialect {
    pub fn new(pinned: bool) -> Self {
        Self {
            native_tools: true,
            tools_accepted: false,
            structured: true,
            stream: true,
            stream_options: true,
            temperature: true,
            completion_tokens_name: false,
            bare: false,
            pinned,
        }
    }

    /// Changes the dialect after a refusal. `None`: nothing that could help.
    /// `Some(note)`: try again; the note (if not empty) is for the operator. `formed`: the answer was to
    /// be of a schema.
    pub fn adapt(&mut self, cause: &Cause, with_tools: bool, formed: bool) -> Option<&'static str> {
        let (told, generic) = match cause {
            Cause::Query(told) => (told.to_ascii_lowercase(), true),
            Cause::NotFound(told) => (told.to_ascii_lowercase(), false),
            Cause::Server { status, detail } => {
                (detail.to_ascii_lowercase(), matches!(status, 500 | 501))
            }
            Cause::Status { detail, .. } => (detail.to_ascii_lowercase(), false),
            _ => return None,
        };
        if is_context(&told) {
            return None;
        }
        if matches!(cause, Cause::NotFound(_)) {
            let about_path = !told.contains("model");
            if about_path && !self.pinned && !self.bare {
                self.bare = true;
                return Some("");
            }
            if about_path || told.contains("does not exist") {
                return None;
            }
        }
        if self.stream_options && told.contains("stream_options") {
            self.stream_options = false;
            return Some("");
        }
        if formed && self.structured {
            let form = [
                "response_format",
                "json_schema",
                "guided",
                "grammar",
                "schema",
            ];
            if form.iter().any(|word| told.contains(word)) || matches!(cause, Cause::Query(_)) {
                self.structured = false;
                return Some("");
            }
        }
        if self.stream && told.contains("stream") {
            self.stream = false;
            return Some("the model server does not stream: the answer comes whole");
        }
        if !self.completion_tokens_name && told.contains("max_completion_tokens") {
            self.completion_tokens_name = true;
            return Some("");
        }
        if self.temperature && told.contains("temperature") {
            self.temperature = false;
            return Some("");
        }
        let about_tools = told.contains("tool") || told.contains("function");
        if with_tools && self.native_tools && (about_tools || (generic && !self.tools_accepted)) {
            self.native_tools = false;
            return Some(
                "tools: json (the model server refuses tool calls; they are asked for as text)",
            );
        }
        None
    }

    /// Answers are asked for in the constrained form.
    pub fn is_formed(&self, with_tools: bool) -> bool {
        with_tools && !self.native_tools && self.structured
    }

    /// The body of a request. `form`: the `response_format` of an answer without tools.
    pub fn body(
        &self,
        model: &str,
        messages: &[Message],
        tools: &[Value],
        form: Option<&Value>,
        max_tokens: u32,
        temperature: f32,
    ) -> Value {
        let native = self.native_tools;
        let mut body = json!({
            "model": model,
            "messages": if native { native_messages(messages) } else { self.text_messages(messages, tools) },
            "stream": self.stream,
        });
        let mut set = |name: &str, value: Value| {
            if let Some(fields) = body.as_object_mut() {
                fields.insert(name.to_owned(), value);
            }
        };
        let limit = if self.completion_tokens_name {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        set(limit, json!(max_tokens));
        if self.temperature {
            // Through text, so that 0.2 is not sent as 0.20000000298.
            set(
                "temperature",
                json!(temperature.to_string().parse::<f64>().unwrap_or(0.0)),
            );
        }
        if self.stream && self.stream_options {
            set("stream_options", json!({"include_usage": true}));
        }
        if native && !tools.is_empty() {
            set("tools", Value::Array(tools.to_vec()));
            set("tool_choice", json!("auto"));
        }
        if self.is_formed(!tools.is_empty()) {
            set("response_format", constrained::format(tools));
        } else if let Some(form) = form.filter(|_| self.structured) {
            set("response_format", form.clone());
        }
        body
    }

    /// Without the tools field: calls and results as text, roles strictly in turn.
    fn text_messages(&self, messages: &[Message], tools: &[Value]) -> Value {
        let formed = self.is_formed(!tools.is_empty());
        let mut out: Vec<(&str, String)> = Vec::new();
        for message in messages {
            let (role, text) = match message {
                Message::System(text) if !tools.is_empty() => {
                    let tools = prompt::tools_in_words(tools, formed);
                    ("system", format!("{text}\n{tools}"))
                }
                Message::System(text) => ("system", text.clone()),
                Message::User(text) => ("user", text.clone()),
                Message::Assistant { text, calls } if formed => {
                    ("assistant", constrained::told(text, calls))
                }
                Message::Assistant { text, calls } => ("assistant", fenced(text, calls)),
                Message::Tool { name, text, .. } => ("user", format!("Result of {name}:\n{text}")),
            };
            match out.last_mut() {
                Some((last, all)) if *last == role && role == "user" => {
                    all.push_str("\n\n");
                    all.push_str(&text);
                }
                _ => out.push((role, text)),
            }
        }
        out.into_iter()
            .map(|(role, text)| json!({"role": role, "content": text}))
            .collect()
    }
}

/// The refusal says that the prompt is longer than the context.
pub fn is_context(told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    told.contains("context length")
        || told.contains("context_length")
        || told.contains("context size")
        || told.contains("max_model_len")
        || told.contains("maximum context")
}

fn native_messages(messages: &[Message]) -> Value {
    messages
        .iter()
        .map(|message| match message {
            Message::System(text) => json!({"role": "system", "content": text}),
            Message::User(text) => json!({"role": "user", "content": text}),
            Message::Assistant { text, calls } if calls.is_empty() => {
                json!({"role": "assistant", "content": text})
            }
            Message::Assistant { text, calls } => {
                let calls: Vec<Value> = calls
                    .iter()
                    .map(|call| {
                        json!({"id": call.id, "type": "function",
                            "function": {"name": call.name, "arguments": sendable(&call.arguments)}})
                    })
                    .collect();
                json!({"role": "assistant", "content": text, "tool_calls": calls})
            }
            Message::Tool { call, name, text } => {
                json!({"role": "tool", "tool_call_id": call, "name": name, "content": text})
            }
        })
        .collect()
}

/// Servers refuse a history whose arguments are no JSON object.
fn sendable(arguments: &str) -> String {
    match super::lenient::first_value(arguments) {
        Ok(value @ Value::Object(_)) => value.to_string(),
        _ => "{}".into(),
    }
}

/// A turn of the model with its calls as fenced blocks.
fn fenced(text: &str, calls: &[ToolCall]) -> String {
    let blocks = calls.iter().map(|call| {
        let arguments = sendable(&call.arguments);
        let name = &call.name;
        format!("\n```tool\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n```")
    });
    std::iter::once(text.to_owned()).chain(blocks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_learned_from() {
        let mut dialect = Dialect::new(true);
        let told = |text: &str| Cause::Query(text.into());
        assert_eq!(
            dialect.adapt(&told("unknown field stream_options"), true, false),
            Some("")
        );
        assert!(
            dialect
                .adapt(&told("streaming not supported"), true, false)
                .is_some_and(|n| n.contains("stream"))
        );
        assert!(
            dialect
                .adapt(&told("\"auto\" tool choice requires"), true, false)
                .is_some_and(|n| n.contains("tools: json"))
        );
        // The form goes first, and is missed by nobody where no tools are asked for.
        assert!(dialect.is_formed(true) && !dialect.is_formed(false));
        assert_eq!(
            dialect.adapt(&told("response_format is not supported"), true, true),
            Some("")
        );
        assert!(!dialect.is_formed(true));
        assert_eq!(dialect.adapt(&told("something else"), true, true), None);
        let mut dialect = Dialect::new(true);
        assert_eq!(
            dialect.adapt(
                &told("This model's maximum context length is 2048 tokens"),
                true,
                true
            ),
            None
        );
        dialect.tools_accepted = true;
        assert_eq!(dialect.adapt(&told("bad thing"), true, false), None);
    }

    #[test]
    fn without_tools_field_roles_take_turns() {
        let call = ToolCall {
            id: "x".into(),
            name: "list_alerts".into(),
            arguments: "{\"a\":1}}".into(),
        };
        let messages = [
            Message::System("s".into()),
            Message::User("q".into()),
            Message::Assistant {
                text: String::new(),
                calls: vec![call.clone(), call],
            },
            Message::Tool {
                call: "x".into(),
                name: "list_alerts".into(),
                text: "r1".into(),
            },
            Message::Tool {
                call: "x".into(),
                name: "list_alerts".into(),
                text: "r2".into(),
            },
        ];
        let mut dialect = Dialect::new(true);
        let native = dialect.body("m", &messages, &[json!({})], None, 10, 0.2);
        assert_eq!(native["messages"].as_array().map(Vec::len), Some(5));
        assert_eq!(
            native["messages"][2]["tool_calls"][0]["function"]["arguments"],
            r#"{"a":1}"#
        );
        assert_eq!(native["temperature"], json!(0.2));
        dialect.native_tools = false;
        let text = dialect.body("m", &messages, &[json!({})], None, 10, 0.2);
        let roles: Vec<_> = text["messages"]
            .as_array()
            .expect("list")
            .iter()
            .filter_map(|m| m["role"].as_str())
            .collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert!(text.get("tools").is_none() && text.get("response_format").is_some());
        let turn = text["messages"][2]["content"].as_str().expect("text");
        assert!(turn.starts_with("{\"answer\":\"\",\"calls\":[{"), "{turn}");
        dialect.structured = false;
        let text = dialect.body("m", &messages, &[json!({})], None, 10, 0.2);
        assert!(text.get("response_format").is_none());
        let turn = text["messages"][2]["content"].as_str().expect("text");
        assert_eq!(turn.matches("```tool").count(), 2, "{turn}");
    }
}
