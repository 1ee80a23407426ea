//! Why a question to the site's agent has no whole answer, in words.

use super::{Course, Receipt};
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::source::error::{Cause, SourceError};

/// Longest words of the agent's own failure, bytes.
const WORDS: usize = 600;

impl Course<'_> {
    pub(super) fn fault(&self, kind: FaultKind, what: String, hint: &str) -> Fault {
        Fault {
            kind,
            cluster: String::new(),
            endpoint: self.session.settings.endpoint(),
            what,
            hint: hint.to_owned(),
        }
    }

    pub(super) fn refused(&self, words: &str) -> Fault {
        let words = text::clean(words, WORDS);
        self.fault(
            FaultKind::Server,
            format!("the site's agent failed: {words}"),
            "read its own log; what came before stays",
        )
    }

    pub(super) fn deaf(&self, denied: &str) -> Fault {
        self.fault(
            FaultKind::Forbidden,
            format!(
                "the question was sent, but its answer cannot be heard: {}",
                Cause::Unpermitted(denied.to_owned())
            ),
            "ask for the permission to subscribe to ai.chat.response.*",
        )
    }

    pub(super) fn silent(&self) -> Fault {
        let on = &self.response;
        let unread = self.listener.unread();
        if self.listener.has_begun() {
            return self.fault(
                FaultKind::Timeout,
                format!(
                    "the site's agent fell silent in the middle of its answer: nothing on {on} for \
                     {:.0} s{unread}",
                    self.patience.between.as_secs_f32()
                ),
                "what came so far stays, and its end is missing; ask again, or raise `timeout` of \
                 [agent]",
            );
        }
        let hint = match &self.receipt {
            Receipt::None => format!(
                "somebody may listen on {}, if only a live tail: does the site's agent, and may it \
                 publish its answer there? raise `timeout` of [agent] if it thinks longer",
                self.subject
            ),
            Receipt::Stream(name) => format!(
                "the stream {name} keeps the question: does its consumer run? the bus screen (ge) \
                 shows who reads it"
            ),
            Receipt::Words(words) => format!(
                "the request itself was answered with {words:?}, the answer is awaited on the subject"
            ),
        };
        let seconds = self.patience.first.as_secs_f32();
        let what = format!("no answer on {on} within {seconds:.0} s{unread}");
        self.fault(FaultKind::Timeout, what, &hint)
    }

    pub(super) fn lost(&self, end: &SourceError) -> Fault {
        let mut fault = end.fault();
        if self.listener.has_begun() {
            fault.what = format!(
                "the connection was lost in the middle of the answer: {}",
                fault.what
            );
            fault.hint = format!("what came so far stays; ask again; {}", fault.hint);
        } else {
            fault.what = format!("the connection was lost before an answer: {}", fault.what);
        }
        fault
    }
}
