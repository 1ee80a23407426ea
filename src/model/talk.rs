//! What was said in the chat pane, as it is shown and kept.

use serde::{Deserialize, Serialize};

use super::chat::{RunId, RunOutcome};
use super::fault::Fault;
use super::id::IncidentId;
use super::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    Operator,
    Agent,
    /// The console itself: findings without a model.
    Console,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolPart {
    pub call: String,
    /// The answer cites it as `[number]`.
    pub number: u32,
    pub tool: String,
    pub arguments: String,
    /// `None` while it runs.
    pub done: Option<ToolDone>,
    pub folded: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolDone {
    pub result: String,
    pub rows: usize,
    pub ok: bool,
    pub duration_ms: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Markdown.
    Text(String),
    Reasoning {
        text: String,
        folded: bool,
    },
    Tool(ToolPart),
    Note(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub author: Author,
    pub at: Timestamp,
    /// The run that writes or wrote it.
    pub run: Option<RunId>,
    pub parts: Vec<Part>,
    /// How the run ended; `None` while it goes on and for what the operator said.
    pub outcome: Option<RunOutcome>,
    /// Grows with each change; screens keep what they laid out until it differs.
    pub version: u64,
}

impl Part {
    pub fn tool(&self) -> Option<&ToolPart> {
        match self {
            Self::Tool(tool) => Some(tool),
            _ => None,
        }
    }
}

impl Message {
    /// All text parts together.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.trim()),
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect();
        texts.join("\n\n")
    }

    /// Numbers of the calls that succeeded: what an answer may rest on.
    pub fn good(&self) -> Vec<u32> {
        let tools = self.parts.iter().filter_map(|part| match part {
            Part::Tool(tool) => Some(tool),
            _ => None,
        });
        let good = tools.filter(|t| t.done.as_ref().is_some_and(|done| done.ok));
        good.map(|t| t.number).collect()
    }

    pub fn fault(&self) -> Option<&Fault> {
        match &self.outcome {
            Some(RunOutcome::Failed(fault)) => Some(fault),
            _ => None,
        }
    }
}

/// When a conversation began, milliseconds; one console begins no two at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub i64);

/// A conversation as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub head: SessionHead,
    pub messages: Vec<Message>,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionHead {
    pub id: SessionId,
    /// The first question.
    pub title: String,
    /// Of the agent, when it was kept.
    pub persona: String,
    /// The incident that it was begun about.
    pub incident: Option<IncidentId>,
    /// When something was said last.
    pub used: Timestamp,
    pub questions: u32,
}

impl Session {
    /// As Markdown, to be read elsewhere.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", self.head.title);
        for message in &self.messages {
            let who = match message.author {
                Author::Operator => "operator",
                Author::Agent => "agent",
                Author::Console => "console",
            };
            out.push_str(&format!("\n## {who}, {}\n\n", message.at.rfc3339()));
            for part in &message.parts {
                match part {
                    // Headings of an answer stand below those of the conversation.
                    Part::Text(text) => {
                        let lines = text.lines().map(|line| match line.starts_with('#') {
                            true => format!("#{line}\n"),
                            false => format!("{line}\n"),
                        });
                        out.extend(lines);
                    }
                    Part::Reasoning { .. } => {}
                    Part::Tool(tool) => out.push_str(&written(tool)),
                    Part::Note(note) => out.push_str(&format!("> {note}\n\n")),
                }
            }
            if let Some(fault) = message.fault() {
                out.push_str(&format!("> {fault}\n"));
            }
        }
        out
    }
}

fn written(tool: &ToolPart) -> String {
    let (state, result) = match &tool.done {
        None => ("no result".to_owned(), ""),
        Some(done) if done.ok => (format!("{} rows", done.rows), done.result.as_str()),
        Some(done) => ("failed".to_owned(), done.result.as_str()),
    };
    let result = result.trim_end().replace("```", "` ` `");
    format!(
        "[{}] `{} {}`: {state}\n\n```\n{result}\n```\n\n",
        tool.number, tool.tool, tool.arguments
    )
}
