//! The fixed form of an answer as a JSON schema: for a model that gave an answer without the form.
//! It is asked once more, for the same answer in the form; what it may cite are the results that were
//! read, so that it cannot cite what does not exist.

use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient;

/// What the model is told then.
pub const ASK: &str = "Put this answer into the form, as one JSON object and nothing else: \
{\"conclusion\": \"...\", \"confidence\": \"high, medium or low\", \"why\": \"...\", \
\"evidence\": [{\"fact\": \"...\", \"cites\": [1]}], \"ruled_out\": [\"...\"], \
\"next_steps\": [{\"step\": \"...\", \"undo\": \"...\"}]}. \
Change no fact and add none. A fact that no result told has empty cites.";

/// Most entries of a list.
const ENTRIES: usize = 12;

#[derive(Deserialize)]
struct Form {
    conclusion: String,
    #[serde(default)]
    confidence: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    evidence: Vec<Fact>,
    #[serde(default)]
    ruled_out: Vec<String>,
    #[serde(default)]
    next_steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Fact {
    fact: String,
    #[serde(default)]
    cites: Vec<u32>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    #[serde(default)]
    undo: String,
}

/// The `response_format`; `good`: numbers of the results that can be cited.
pub fn format(good: &[u32]) -> Value {
    let text = json!({"type": "string"});
    let list = |items: Value| json!({"type": "array", "items": items, "maxItems": ENTRIES});
    let cites = match good.is_empty() {
        true => json!({"type": "array", "items": {"type": "integer"}, "maxItems": 0}),
        false => json!({"type": "array", "items": {"type": "integer", "enum": good}}),
    };
    json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": {
        "type": "object",
        "properties": {
            "conclusion": text,
            "confidence": {"type": "string", "enum": ["high", "medium", "low"]},
            "why": text,
            "evidence": list(json!({
                "type": "object",
                "properties": {"fact": text, "cites": cites},
                "required": ["fact", "cites"],
                "additionalProperties": false,
            })),
            "ruled_out": list(text.clone()),
            "next_steps": list(json!({
                "type": "object",
                "properties": {"step": text, "undo": text},
                "required": ["step", "undo"],
                "additionalProperties": false,
            })),
        },
        "required": ["conclusion", "confidence", "why", "evidence", "ruled_out", "next_steps"],
        "additionalProperties": false,
    }}})
}

/// The answer as Markdown with its headings. `None`: what the model wrote is not of the form.
pub fn written(said: &str) -> Option<String> {
    let value = lenient::first_value(said).ok()?;
    let form = Form::deserialize(value).ok()?;
    if form.conclusion.trim().is_empty() || form.evidence.is_empty() {
        return None;
    }
    let mut out = format!("## Conclusion\n{}\n", line(&form.conclusion));
    let confidence = [line(&form.confidence), line(&form.why)];
    let confidence: Vec<&str> = confidence.iter().map(String::as_str).collect();
    let told: Vec<&str> = confidence.into_iter().filter(|s| !s.is_empty()).collect();
    out.push_str(&format!(
        "## Confidence\n{}\n## Evidence\n",
        told.join(": ")
    ));
    for fact in form.evidence.iter().take(ENTRIES) {
        let text = line(&fact.fact);
        // It may stand there already.
        let cites = fact.cites.iter().map(|n| format!("[{n}]"));
        let cites: Vec<String> = cites.filter(|cite| !text.contains(cite.as_str())).collect();
        out.push_str(format!("- {text} {}", cites.join("")).trim_end());
        out.push('\n');
    }
    out.push_str("## Ruled out\n");
    for text in form.ruled_out.iter().take(ENTRIES) {
        out.push_str(&format!("- {}\n", line(text)));
    }
    out.push_str("## Next steps\n");
    for step in form.next_steps.iter().take(ENTRIES) {
        let undo = match line(&step.undo) {
            undo if undo.is_empty() => String::new(),
            undo => format!("; to undo: {undo}"),
        };
        out.push_str(&format!("- {}{undo}\n", line(&step.step)));
    }
    Some(out)
}

/// One line: a heading inside a text would begin another part of the form.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_start_matches('#').trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::answer;

    #[test]
    fn what_is_written_is_read_as_the_form() {
        let said = json!({
            "conclusion": "the clock\n## Evidence\nis lost", "confidence": "high", "why": "two agree",
            "evidence": [{"fact": "offset 12 us [2]", "cites": [2, 3]}, {"fact": "odd", "cites": []}],
            "ruled_out": ["a deploy [3]"],
            "next_steps": [{"step": "reseat", "undo": ""}, {"step": "restart", "undo": "none"}],
        });
        let text = written(&format!("```json\n{said}\n```")).expect("of the form");
        let read = answer::read(&text, &[2, 3]);
        assert_eq!(read.conclusion, "the clock ## Evidence is lost");
        assert_eq!(read.confidence, "high: two agree");
        assert_eq!(read.evidence[0].text, "offset 12 us [2] [3]");
        assert!(read.evidence[0].supported && !read.evidence[1].supported);
        assert_eq!(read.ruled_out, ["a deploy [3]"]);
        assert_eq!(read.next_steps, ["reseat", "restart; to undo: none"]);
    }

    #[test]
    fn what_is_not_of_the_form_is_none() {
        for said in [
            "",
            "no",
            "{}",
            "[1]",
            "{\"conclusion\": \"x\", \"evidence\": []}",
        ] {
            assert_eq!(written(said), None, "{said}");
        }
    }

    #[test]
    fn only_what_was_read_can_be_cited() {
        let cites = |good: &[u32]| {
            let format = format(good);
            let place = "/json_schema/schema/properties/evidence/items/properties/cites";
            format.pointer(place).cloned().expect("cites")
        };
        assert_eq!(cites(&[2, 5])["items"]["enum"], json!([2, 5]));
        assert_eq!(cites(&[])["maxItems"], json!(0));
    }
}
