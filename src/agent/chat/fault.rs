//! What went wrong with the model server, in the words of the chat.

use std::time::Duration;

use super::{ChatClient, ChatError, Failure};
use crate::agent::dialect::is_context;
use crate::agent::stream::{Accumulator, Refusal, ServerError};
use crate::model::fault::Fault;
use crate::model::text;
use crate::source::door::{Cause, SourceError};

/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

impl ChatClient {
    /// The stream ended without saying so.
    pub(super) fn cut(&self, all: &Accumulator) -> Failure {
        self.failure(
            Cause::Cut(0),
            "the connection was cut in the middle of the answer",
            all.is_empty(),
        )
        .begun(!all.is_empty())
    }

    pub(super) fn silent(&self, limit: Duration, all: &Accumulator) -> Failure {
        let what = if all.is_empty() {
            "the model server sent no token"
        } else {
            "the model server fell silent in the middle of the answer"
        };
        self.failure(Cause::Timeout(limit), what, false)
            .begun(!all.is_empty())
    }

    pub(super) fn refusal(&self, refusal: Refusal, empty: bool) -> Failure {
        match refusal {
            Refusal::Server(ServerError { message, code }) => {
                let told = text::clean(&message, 300);
                let cause = match code {
                    Some(status @ 500..) => Cause::Server {
                        status,
                        detail: told.clone(),
                    },
                    _ => Cause::Query(told.clone()),
                };
                let again = empty && matches!(cause, Cause::Server { .. });
                let mut failure = self.failure(
                    cause.clone(),
                    &format!("the model server broke off: {told}"),
                    again,
                );
                failure.cause = empty.then_some(cause);
                failure.begun(!empty)
            }
            Refusal::Garbage(what) => {
                let what = text::clean(&what, 200);
                self.failure(
                    Cause::Payload(what.clone()),
                    &format!("the stream cannot be read: {what}"),
                    false,
                )
                .begun(!empty)
            }
        }
    }

    pub(super) fn failure(&self, cause: Cause, what: &str, again: bool) -> Failure {
        let limit = match &cause {
            Cause::Timeout(limit) => format!(" within {:.1} s", limit.as_secs_f32()),
            _ => String::new(),
        };
        let error = self.door.error(&self.path("chat/completions"), cause);
        let mut fault = fault_of(&error);
        fault.what = format!("{what}{limit}");
        Failure {
            error: ChatError::Failed(fault),
            again: again.then_some(None),
            cause: None,
        }
    }
}

impl Failure {
    /// Part of the answer had been shown, or may have been.
    fn begun(mut self, begun: bool) -> Self {
        if let (true, ChatError::Failed(fault)) = (begun, &self.error) {
            self.error = ChatError::Broken(fault.clone());
        }
        self
    }
}

pub(super) fn refused(error: &SourceError) -> Failure {
    let fault = fault_of(error);
    let again = match &error.cause {
        Cause::Unreachable(_) | Cause::Cut(_) => Some(None),
        Cause::RateLimited(after) if after.is_none_or(|wait| wait <= LONGEST_WAIT) => Some(*after),
        Cause::Server {
            status: 502..=504, ..
        } => Some(None),
        _ => None,
    };
    let context = matches!(&error.cause, Cause::Query(told) if is_context(told));
    Failure {
        error: if context {
            ChatError::ContextTooLong(fault)
        } else {
            ChatError::Failed(fault)
        },
        again,
        cause: Some(error.cause.clone()),
    }
}

/// The source's error in the words of the chat.
pub(super) fn fault_of(error: &SourceError) -> Fault {
    let mut fault = error.fault();
    fault.cluster = String::new();
    match &error.cause {
        Cause::Query(told) => {
            fault.what = format!("the model server refused the request: {told}");
            fault.hint = if is_context(told) {
                "ask something shorter, begin a new conversation, or serve the model with a longer context"
            } else {
                "read the model server's log"
            }
            .into();
        }
        Cause::NotFound(told) if told.contains("model") => {
            fault.what = format!("404: {told}");
            fault.hint = "name a model that is served in `[agent] model`, or leave it out".into();
        }
        Cause::NotFound(_) => {
            fault.hint = "is `[agent] url` the base of an OpenAI-compatible server?".into();
        }
        Cause::Forbidden(_) => fault.hint = "this key may not use the model".into(),
        Cause::RateLimited(_) => fault.hint = "wait and ask again".into(),
        Cause::Timeout(_) => {
            fault.hint =
                "the model server is slow or overloaded; raise `timeout` in `[agent]`".into();
        }
        Cause::Unreachable(_) => {
            fault.hint =
                "is the model server running? check `[agent] url`, the VPN and the proxy".into();
        }
        Cause::Server { .. } | Cause::Cut(_) => {
            fault.hint = "read the model server's log, then ask again".into();
        }
        _ => {}
    }
    fault
}
