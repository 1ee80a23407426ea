//! The last answer of a run: put into the fixed form, and looked at for what it rests on.

use std::sync::Arc;

use super::Run;
use crate::agent::answer::{cites, is_formed, unsupported};
use crate::agent::chat::Asked;
use crate::agent::dialect::Message;
use crate::agent::form;
use crate::agent::prompt;
use crate::agent::stream::{Completion, Finish};
use crate::model::chat::ChatEvent;
use crate::model::redact::redact;
use crate::model::text;

/// Longest answer in the fixed form, bytes.
const FORMED: usize = 64 * 1024;

impl Run<'_> {
    /// Looks at a final answer. `Some`: it was cut.
    pub(super) async fn answered(&mut self, done: &Completion) -> Option<String> {
        self.tell_spent().await;
        let formed = match self.wants_form(done) {
            true => self.in_form(done.text.trim()).await,
            false => None,
        };
        let said = formed.as_deref().unwrap_or(done.text.trim());
        if let Some(unknown) = cites(said).into_iter().find(|n| *n == 0 || *n > self.last) {
            self.out
                .note(&format!(
                    "unverified: [{unknown}] names no result of this run"
                ))
                .await;
        } else if !said.is_empty()
            && self.last > 0
            && !cites(said).iter().any(|n| self.good.contains(n))
        {
            self.out
                .note("unverified: the answer cites no result that succeeded")
                .await;
        } else if !said.is_empty() && self.last == 0 {
            self.out
                .note("no evidence: the model used no tool for this answer")
                .await;
        }
        if let Some(bare) = unsupported(said, &self.good) {
            self.out.note(&bare).await;
        }
        if done.finish == Some(Finish::Length) {
            let what = if done.cut_call {
                "a tool call was cut by the token limit"
            } else {
                "the answer was cut by the token limit"
            };
            return Some(format!("{what} ({} tokens)", self.budget.answer));
        }
        if said.is_empty() {
            self.out.note("the model gave an empty answer").await;
        }
        None
    }

    /// It is an investigation's answer without the form, and there is something left to ask again.
    /// What rests on one look, and says on what, is a plain answer to a plain question.
    fn wants_form(&self, done: &Completion) -> bool {
        let said = done.text.trim();
        let little = self.spent.rounds <= 1 || self.good.len() <= 1;
        let plain = little && cites(said).iter().any(|n| self.good.contains(n));
        let asked = !said.is_empty() && !self.good.is_empty() && !plain;
        let whole = done.finish != Some(Finish::Length);
        let left = self.spent.tokens < self.spent.limits.tokens && !self.left().is_zero();
        asked && whole && left && !is_formed(said)
    }

    /// Asks for the same answer in the form. `None`: it did not come; what was said stays.
    async fn in_form(&mut self, said: &str) -> Option<String> {
        let client = self.servers?.client(self.at)?;
        let mut messages = self.messages.clone();
        messages.push(Message::Assistant {
            text: said.to_owned(),
            calls: Vec::new(),
        });
        messages.push(Message::User(form::ASK.into()));
        let fitted = prompt::fit(&messages, self.budget.prompt);
        let format = form::format(&self.good);
        let asked = Asked {
            messages: &fitted,
            tools: &[],
            foreign: &Arc::default(),
            form: Some(&format),
            max_tokens: self.budget.answer,
            attempts: 1,
        };
        self.out
            .note("asked once more, for the answer in its form")
            .await;
        let quiet = self.out.quiet();
        let done = tokio::time::timeout(self.left(), client.complete(&asked, &quiet)).await;
        let Ok(Ok(done)) = done else {
            self.out
                .note("it did not come; the answer stays as it was said")
                .await;
            return None;
        };
        self.take_usage(&done, &fitted, &[]);
        self.tell_spent().await;
        let Some(text) = form::written(&done.text) else {
            self.out
                .note("what came was not of the form; the answer stays as it was said")
                .await;
            return None;
        };
        let text = redact(&text::clean_lines(&text, FORMED));
        self.out
            .send(ChatEvent::Formed {
                run: self.request.run,
                text: text.clone(),
            })
            .await;
        Some(text)
    }
}
