//! Tools for servers without a tool parser that can hold an answer to a JSON schema: each answer is
//! `{"calls": [...], "answer": "..."}`, read while it streams.

use serde_json::{Value, json};

use super::leak::Piece;
use super::lenient;
use super::stream::ToolCall;

/// Most calls that the schema allows in one answer.
const CALLS: usize = 8;

/// The name of the schema.
pub const NAME: &str = "step";

/// What the model is told of the form.
pub const WORDS: &str = "Answer with one JSON object and nothing else. To use tools, and wait for their results:\n\
    {\"calls\": [{\"name\": \"list_alerts\", \"arguments\": {\"clusters\": []}}], \"answer\": \"\"}\n\
    When you have what you need, with the whole answer as Markdown in one string:\n\
    {\"calls\": [], \"answer\": \"## Conclusion\\n...\"}\n";

/// The `response_format` for these tools.
pub fn format(tools: &[Value]) -> Value {
    let calls = tools.iter().filter_map(|tool| {
        let function = tool.get("function")?;
        Some(json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": [function.get("name")?]},
                "arguments": function.get("parameters")?,
            },
            "required": ["name", "arguments"],
            "additionalProperties": false,
        }))
    });
    let calls: Vec<Value> = calls.collect();
    json!({"type": "json_schema", "json_schema": {"name": NAME, "schema": {
        "type": "object",
        "properties": {
            "calls": {"type": "array", "maxItems": CALLS, "items": {"anyOf": calls}},
            "answer": {"type": "string"},
        },
        "required": ["calls", "answer"],
        "additionalProperties": false,
    }}})
}

/// A turn of the model as it is told again.
pub fn told(text: &str, calls: &[ToolCall]) -> String {
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| {
            let arguments = lenient::first_value(&call.arguments).unwrap_or_else(|_| json!({}));
            json!({"name": call.name, "arguments": arguments})
        })
        .collect();
    json!({"calls": calls, "answer": text}).to_string()
}

/// Reads the object as it comes; the answer is shown from its first word.
#[derive(Debug, Default)]
pub struct Reader {
    raw: String,
    depth: u32,
    /// Inside a string.
    text: Option<Place>,
    /// The last key of the outer object.
    key: String,
    /// Its value is what comes next.
    after_colon: bool,
    escape: Escape,
    /// First half of a letter beyond the basic plane.
    half: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Key,
    Answer,
    Elsewhere,
}

#[derive(Debug, Default, PartialEq)]
enum Escape {
    #[default]
    None,
    Begun,
    /// Digits of `\uXXXX` so far.
    Code(String),
}

impl Reader {
    /// Takes a piece and gives what may be shown of it.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        self.raw.push_str(text);
        let mut shown = String::new();
        for c in text.chars() {
            match self.text {
                Some(place) => self.inside(place, c, &mut shown),
                None => self.outside(c),
            }
        }
        match shown.is_empty() {
            true => Vec::new(),
            false => vec![Piece::Text(shown)],
        }
    }

    /// The calls; `Err`: what came is not of the form, as from a server that does not keep to it.
    pub fn finish(self) -> Result<Vec<ToolCall>, String> {
        let value = lenient::first_value(&self.raw).unwrap_or_default();
        let formed = value.get("answer").is_some_and(Value::is_string);
        let Some(calls) = value.get("calls").and_then(Value::as_array) else {
            return if formed {
                Ok(Vec::new())
            } else {
                Err(self.raw)
            };
        };
        let calls = calls.iter().filter_map(|call| {
            let arguments = call.get("arguments").cloned().unwrap_or_else(|| json!({}));
            Some(ToolCall {
                id: String::new(),
                name: call.get("name")?.as_str()?.to_owned(),
                arguments: arguments.to_string(),
            })
        });
        Ok(calls.collect())
    }

    fn outside(&mut self, c: char) {
        match c {
            '{' | '[' => self.depth = self.depth.saturating_add(1),
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            ':' if self.depth == 1 => self.after_colon = true,
            ',' if self.depth == 1 => self.after_colon = false,
            '"' => {
                let place = match (self.depth, self.after_colon) {
                    (1, false) => Place::Key,
                    (1, true) if self.key == "answer" => Place::Answer,
                    _ => Place::Elsewhere,
                };
                if place == Place::Key {
                    self.key.clear();
                }
                self.text = Some(place);
            }
            _ => {}
        }
    }

    fn inside(&mut self, place: Place, c: char, shown: &mut String) {
        let letter = match std::mem::take(&mut self.escape) {
            Escape::None => match c {
                '"' => {
                    self.text = None;
                    return;
                }
                '\\' => {
                    self.escape = Escape::Begun;
                    return;
                }
                c => Some(c),
            },
            Escape::Begun => match c {
                'n' => Some('\n'),
                't' => Some('\t'),
                'r' => Some('\r'),
                'b' | 'f' => None,
                'u' => {
                    self.escape = Escape::Code(String::new());
                    return;
                }
                c => Some(c),
            },
            Escape::Code(mut digits) => {
                digits.push(c);
                if digits.len() < 4 {
                    self.escape = Escape::Code(digits);
                    return;
                }
                self.letter(&digits)
            }
        };
        match (place, letter) {
            (Place::Answer, Some(letter)) => shown.push(letter),
            (Place::Key, Some(letter)) => self.key.push(letter),
            _ => {}
        }
    }

    /// The letter of a code; letters beyond the basic plane come in two.
    fn letter(&mut self, digits: &str) -> Option<char> {
        let code = u32::from_str_radix(digits, 16).unwrap_or(0xfffd);
        match (self.half.take(), code) {
            (_, 0xd800..=0xdbff) => {
                self.half = Some(code);
                None
            }
            (Some(high), 0xdc00..=0xdfff) => {
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00))
            }
            (_, code) => Some(char::from_u32(code).unwrap_or('\u{fffd}')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, size: usize) -> (String, Result<Vec<ToolCall>, String>) {
        let mut reader = Reader::default();
        let letters: Vec<char> = text.chars().collect();
        let mut shown = String::new();
        for piece in letters.chunks(size) {
            for piece in reader.push(&piece.iter().collect::<String>()) {
                match piece {
                    Piece::Text(text) | Piece::Reasoning(text) => shown.push_str(&text),
                }
            }
        }
        (shown, reader.finish())
    }

    #[test]
    fn calls_and_answers_are_read_however_they_are_cut() {
        let text = r#"{"calls": [{"name": "list_alerts", "arguments": {"answer": "no", "clusters": ["a"]}}], "answer": "I \"look\": \ud83d\ude00 gr\u00fc\u00dfe\n"}"#;
        for size in [1, 2, 7, 1000] {
            let (shown, calls) = read(text, size);
            assert_eq!(shown, "I \"look\": \u{1f600} grüße\n", "by {size}");
            let calls = calls.expect("of the form");
            assert_eq!(calls.len(), 1);
            assert_eq!(calls[0].arguments, r#"{"answer":"no","clusters":["a"]}"#);
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_given_back() {
        for text in ["All is well.", "{\"name\": \"x\"}", "{\"calls\": [", ""] {
            assert_eq!(read(text, 3).1, Err(text.to_owned()));
        }
        assert_eq!(read("{\"answer\": \"x\"}", 3).1, Ok(Vec::new()));
    }

    #[test]
    fn the_form_names_each_tool_with_its_arguments() {
        let tools = [
            json!({"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}),
        ];
        let format = format(&tools);
        let item = "/json_schema/schema/properties/calls/items/anyOf/0/properties/name/enum/0";
        assert_eq!(format.pointer(item), Some(&json!("a")));
    }

    proptest! {
        #[test]
        fn any_answer_comes_through(text in "\\PC{0,40}", size in 1usize..9) {
            let (shown, calls) = read(&told(&text, &[]), size);
            prop_assert_eq!(shown, text);
            prop_assert_eq!(calls, Ok(Vec::new()));
        }

        #[test]
        fn anything_can_be_read(text in "[{}\\[\\]\":,\\\\uan0-9 ]{0,60}", size in 1usize..9) {
            let _ = read(&text, size);
        }
    }
}
