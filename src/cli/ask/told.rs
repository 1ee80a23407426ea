//! An investigation as it is printed: the answer, what it rests on, how it ended.

use serde::Serialize;

use crate::agent::answer::{self, Answer};
use crate::agent::conversation::{Author, Message, Part};
use crate::model::chat::RunOutcome;
use crate::state::State;

#[derive(Serialize)]
pub struct Told {
    question: String,
    /// When it was asked, UTC.
    at: String,
    pub model: Option<String>,
    persona: String,
    answered: bool,
    /// Why it is no full answer.
    pub ended: Option<String>,
    /// `agent`, or `console` where no model said it.
    pub by: &'static str,
    #[serde(flatten)]
    pub answer: Answer,
    pub text: String,
    pub calls: Vec<Call>,
    notes: Vec<String>,
    pub prompt_tokens: Option<u32>,
    pub completion_tokens: Option<u32>,
    pub total_ms: Option<u32>,
}

#[derive(Serialize)]
pub struct Call {
    pub number: u32,
    pub tool: String,
    arguments: serde_json::Value,
    pub ok: Option<bool>,
    rows: Option<usize>,
    duration_ms: Option<u32>,
    result: Option<String>,
}

impl Told {
    pub fn of(state: &State, question: &str) -> Self {
        let spoken = |m: &&Message| m.author != Author::Operator;
        let messages = &state.chat.messages;
        let last = messages.iter().rev().find(spoken);
        let outcome = last.and_then(|m| m.outcome.as_ref());
        let by_agent = last.is_some_and(|m| m.author == Author::Agent);
        let failed = messages.iter().find_map(|m| match &m.outcome {
            Some(RunOutcome::Failed(fault)) => Some(fault.to_string()),
            _ => None,
        });
        let good = last.map(Message::good).unwrap_or_default();
        let text = last.map(Message::text).unwrap_or_default();
        let (prompt_tokens, completion_tokens, total_ms) = match outcome {
            Some(RunOutcome::Answered {
                prompt_tokens,
                completion_tokens,
                total_ms,
                ..
            }) => (*prompt_tokens, *completion_tokens, Some(*total_ms)),
            _ => (None, None, None),
        };
        let ended = failed.or_else(|| match outcome {
            Some(RunOutcome::Limit(what)) => Some(format!("stopped: {what}")),
            Some(RunOutcome::Cancelled) => Some("cancelled".into()),
            _ => None,
        });
        let model = state.chat.model.as_ref().filter(|_| by_agent);
        Self {
            question: question.to_owned(),
            at: last.map_or_else(String::new, |m| m.at.rfc3339()),
            model: model.map(|model| model.name.clone()),
            persona: state.persona.id.clone(),
            answered: ended.is_none() && !text.is_empty(),
            ended,
            by: if by_agent { "agent" } else { "console" },
            answer: answer::read(&text, &good),
            text: answer::marked(&text, &good),
            calls: last.map(calls).unwrap_or_default(),
            notes: last.map(notes).unwrap_or_default(),
            prompt_tokens,
            completion_tokens,
            total_ms,
        }
    }

    pub fn is_answered(&self) -> bool {
        self.answered
    }

    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    pub fn markdown(&self) -> String {
        let mut out = self.text.clone();
        if !out.ends_with('\n') {
            out.push('\n');
        }
        if !self.calls.is_empty() {
            out.push_str("\n## Calls\n");
        }
        let looked_up = self.by == "console" && self.calls.len() == 1;
        for call in &self.calls {
            let state = match (call.ok, call.rows) {
                (Some(true), Some(1)) => "1 row".into(),
                (Some(true), rows) => format!("{} rows", rows.unwrap_or(0)),
                (Some(false), _) => "failed".to_owned(),
                (None, _) => "no result".into(),
            };
            out.push_str(&format!(
                "- [{}] `{} {}`: {state}\n",
                call.number, call.tool, call.arguments
            ));
            if let Some(result) = call.result.as_deref().filter(|_| looked_up) {
                let result = result.trim_end().replace("```", "` ` `");
                out.push_str(&format!("\n```\n{result}\n```\n"));
            }
        }
        for note in &self.notes {
            out.push_str(&format!("\n> {note}\n"));
        }
        if let Some(ended) = &self.ended {
            out.push_str(&format!("\n> {ended}\n"));
        }
        let by = match &self.model {
            Some(model) => format!("by the model {model}"),
            None => "by farwatch, without a model".into(),
        };
        out.push_str(&format!("\n_{}, {by}._", self.at));
        out
    }
}

fn calls(message: &Message) -> Vec<Call> {
    let tools = message.parts.iter().filter_map(|part| match part {
        Part::Tool(tool) => Some(tool),
        _ => None,
    });
    tools
        .map(|tool| Call {
            number: tool.number,
            tool: tool.tool.clone(),
            arguments: serde_json::from_str(&tool.arguments)
                .unwrap_or_else(|_| tool.arguments.clone().into()),
            ok: tool.done.as_ref().map(|d| d.ok),
            rows: tool.done.as_ref().map(|d| d.rows),
            duration_ms: tool.done.as_ref().map(|d| d.duration_ms),
            result: tool.done.as_ref().map(|d| d.result.clone()),
        })
        .collect()
}

fn notes(message: &Message) -> Vec<String> {
    let notes = message.parts.iter().filter_map(|part| match part {
        Part::Note(text) => Some(text.clone()),
        _ => None,
    });
    notes.collect()
}
