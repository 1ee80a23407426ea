//! What is said in the chat pane, and what the agent reports while it works.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::{ClusterId, RequestId};
use super::limits::{RunLimits, Spent};
use super::persona::Persona;
use super::time::Timestamp;

/// A run of the agent has one id from question to answer.
pub type RunId = RequestId;

/// How long the operator may think about what a run asks of him.
pub const THINKING: Duration = Duration::from_secs(600);

#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// The model that answers is known, or is another one now.
    Model(Model),
    Started {
        run: RunId,
    },
    /// A piece of the answer.
    Text {
        run: RunId,
        text: String,
    },
    /// The answer in its fixed form, in place of what the model said after its last call.
    Formed {
        run: RunId,
        text: String,
    },
    /// A piece of the model's reasoning, shown folded.
    Reasoning {
        run: RunId,
        text: String,
    },
    ToolStarted {
        run: RunId,
        call: String,
        tool: String,
        arguments: String,
        /// The answer cites the result as `[number]`; counted from 1 in each run.
        number: u32,
    },
    ToolEnded {
        run: RunId,
        call: String,
        /// What came back, as given to the model (cut, redacted).
        result: String,
        rows: usize,
        ok: bool,
        duration_ms: u32,
    },
    /// A tool of another program is to be called: the operator says whether it may.
    Approval {
        run: RunId,
        call: String,
        tool: String,
        /// As they are sent.
        arguments: String,
    },
    /// What the run has taken of its limits so far.
    Spent {
        run: RunId,
        spent: Spent,
    },
    /// Said beside the answer: server without tools, without streaming, retried …
    Note {
        run: RunId,
        text: String,
    },
    Ended {
        run: RunId,
        outcome: RunOutcome,
    },
    /// A result in full, as the operator wanted it.
    Opened {
        /// The operator's words.
        asked: String,
        text: String,
    },
}

/// A result of a tool that the operator wants to read in full.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenResult {
    /// The operator's words.
    pub asked: String,
    /// The run that it is of; `None`: of a conversation that was kept.
    pub run: Option<RunId>,
    pub number: u32,
    /// What the conversation holds of it.
    pub digest: String,
    pub contains: String,
    /// First row, from 1.
    pub from: usize,
}

/// Which model answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub name: String,
    /// Tokens of its context; `None`: the server does not tell.
    pub context: Option<u32>,
    /// Which server it is on, where several are configured.
    pub server: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RunOutcome {
    Answered {
        prompt_tokens: Option<u32>,
        completion_tokens: Option<u32>,
        first_token_ms: u32,
        total_ms: u32,
        /// Tokens of the last prompt and its answer: what the context holds of this run.
        #[serde(default)]
        context_tokens: Option<u32>,
        /// Milliseconds in which the model wrote, of all answers together.
        #[serde(default)]
        wrote_ms: Option<u32>,
    },
    Cancelled,
    /// The limit of iterations or tokens was reached.
    Limit(String),
    Failed(super::fault::Fault),
}

/// A tool that is answered from what the console already holds; the loop answers it.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldQuery {
    pub run: RunId,
    pub call: String,
    pub tool: String,
    /// Validated arguments.
    pub arguments: serde_json::Value,
    pub clusters: Vec<ClusterId>,
}

/// What the run may know of the console when it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    pub run: RunId,
    /// The operator's words.
    pub text: String,
    /// What is on the screen, or the incident asked about, in words and numbers.
    pub context: String,
    /// Earlier turns of the conversation: (from the operator?, text).
    pub history: Vec<(bool, String)>,
    pub setting: Setting,
    /// What the console looks up itself; no model is asked then.
    pub look: Option<Look>,
    pub now: Timestamp,
}

/// A report in a model's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelWords {
    /// The model that wrote it.
    pub model: String,
    pub text: String,
}

/// What is looked up and said without a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Tools with their arguments; the first result is `[1]`.
    pub calls: Vec<(String, serde_json::Value)>,
    /// What is said then, in Markdown.
    pub answer: String,
}

/// Where a run works, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Names of the clusters, by id; tools address them by name.
    pub clusters: Vec<String>,
    /// In which field it works.
    pub persona: Arc<Persona>,
    /// Names of the tools it is offered.
    pub tools: Vec<&'static str>,
    /// What it may take.
    pub limits: RunLimits,
}
