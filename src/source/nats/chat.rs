//! One question to the site's own agent, and its answer as it comes.
//!
//! The question goes to `ai.chat.user.{user}.message`, the answer comes on
//! `ai.chat.response.{request}`: a plain subscription of our own, made before the question is sent
//! and given up when the answer is whole, refused or no longer wanted. Nobody's consumer is touched.

use std::pin::pin;
use std::time::Duration;

use async_nats::Subscriber;
use futures::{FutureExt, StreamExt};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::rights::Rights;
use super::session::{Session, Unanswered};
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};
use listener::Listener;

mod faults;
mod listener;
mod order;
mod said;
mod value;

/// How long a part that is ahead waits for those before it.
const AHEAD: Duration = Duration::from_millis(300);
/// Messages taken in a row.
const BURST: usize = 4_096;
/// Parts are small: so many bytes are expected of one.
pub const PART: u64 = 4 * 1024;
/// Longest name of a user in a subject, bytes.
const USER: usize = 64;
/// Longest foreign text that is quoted, bytes.
const QUOTE: usize = 200;

/// What is asked. Texts are redacted already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The operator's words, with what he looks at.
    pub message: String,
    /// Earlier turns: (from the operator?, text).
    pub history: Vec<(bool, String)>,
    /// In which field the agent shall work.
    pub persona: String,
    pub at: Timestamp,
}

/// A piece of what came.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Text(String),
    /// The answer anew, in place of all its pieces.
    Whole(String),
    Thought(String),
    Note(String),
    /// Which model answers.
    Model(String),
}

/// How long the silence may be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until the first sign of life.
    pub first: Duration,
    /// Between two.
    pub between: Duration,
}

/// A whole answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    pub read_tokens: Option<u32>,
    pub written_tokens: Option<u32>,
    /// It was longer than is kept: the rest was not waited for.
    pub cut: bool,
}

/// What is sent. More than the site's agent knows does no harm.
#[derive(Serialize)]
struct Request<'a> {
    user_id: &'a str,
    message: &'a str,
    enable_rag: bool,
    request_id: &'a str,
    /// Where the answer is awaited.
    response_subject: &'a str,
    source: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    persona: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Turn<'a>>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: &'a str,
}

/// The name as one token of a subject; what stands for something in subjects becomes `_`.
pub fn token(user: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut out: String = user
        .chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect();
    out.truncate(USER);
    match out.is_empty() {
        true => "operator".into(),
        false => out,
    }
}

/// Where questions of this user go.
pub fn asked_on(user: &str) -> String {
    format!("ai.chat.user.{}.message", token(user))
}

fn answered_on(request: &str) -> String {
    format!("ai.chat.response.{request}")
}

/// Asks the first of `questions` that the server takes: the later ones say less. Pieces go to `heard`
/// as there is room; what came before a failure stays.
pub async fn ask(
    session: &Session,
    user: &str,
    questions: impl Iterator<Item = Question>,
    patience: Patience,
    heard: mpsc::Sender<Heard>,
) -> Result<Answered, Fault> {
    let mut course = Course::new(session, user, patience);
    let room = usize::try_from(session.server().max_payload).unwrap_or(usize::MAX);
    let mut packed = questions.filter_map(|question| course.packed(&question));
    let Some(body) = packed.find(|body| body.len() <= room) else {
        return Err(course.fault(
            FaultKind::BadQuery,
            format!("the question is longer than the {room} bytes that this bus takes"),
            "ask in fewer words",
        ));
    };
    drop(packed);
    course.follow(body, &heard).await
}

/// One question on its way.
struct Course<'a> {
    session: &'a Session,
    user: String,
    subject: String,
    request: String,
    response: String,
    patience: Patience,
    listener: Listener,
    /// What was told when the question was taken.
    receipt: Receipt,
}

/// Who took the question.
#[derive(Debug, Default, PartialEq)]
enum Receipt {
    /// Somebody, or that cannot be known.
    #[default]
    None,
    /// A stream keeps it: whether somebody reads it there is not known.
    Stream(String),
    /// Somebody answered the request itself.
    Words(String),
}

impl<'a> Course<'a> {
    fn new(session: &'a Session, user: &str, patience: Patience) -> Self {
        let inbox = session.client.new_inbox();
        let request = inbox.rsplit('.').next().unwrap_or(&inbox).to_owned();
        let response = answered_on(&request);
        Self {
            session,
            user: token(user),
            subject: asked_on(user),
            listener: Listener::new(&request),
            request,
            response,
            patience,
            receipt: Receipt::None,
        }
    }

    /// `None`: it cannot be written, which no text brings about.
    fn packed(&self, question: &Question) -> Option<Vec<u8>> {
        let turn = |(operator, text): &'_ (bool, String)| -> (&'static str, String) {
            let role = if *operator { "user" } else { "assistant" };
            (role, text.clone())
        };
        let turns: Vec<(&str, String)> = question.history.iter().map(turn).collect();
        let history = turns.iter();
        rmp_serde::to_vec_named(&Request {
            user_id: &self.user,
            message: &question.message,
            enable_rag: true,
            request_id: &self.request,
            response_subject: &self.response,
            source: "farwatch",
            timestamp: question.at.rfc3339(),
            persona: &question.persona,
            history: history
                .map(|(role, content)| Turn { role, content })
                .collect(),
        })
        .ok()
    }

    async fn follow(
        &mut self,
        body: Vec<u8>,
        heard: &mpsc::Sender<Heard>,
    ) -> Result<Answered, Fault> {
        let session = self.session;
        let mut denials = session.denials();
        let mut incoming = self.listen().await?;
        let mut asking = pin!(session.ask(self.subject.clone(), body.into()));
        let (mut asked, mut ahead) = (false, None);
        let mut deadline = Instant::now() + self.patience.first;
        let outcome = loop {
            tokio::select! {
                Some(message) = incoming.next() => {
                    if self.listener.take(message) | self.drain(&mut incoming) {
                        deadline = Instant::now() + self.patience.between;
                    }
                }
                taken = &mut asking, if !asked => {
                    asked = true;
                    if let Err(fault) = self.taken(taken) {
                        break Err(fault);
                    }
                }
                Ok(denied) = denials.recv() => {
                    if !denied.publish && denied.subject == self.response {
                        break Err(self.deaf(&denied.to_string()));
                    }
                }
                Ok(room) = heard.reserve(), if self.listener.has_news() => {
                    if let Some(news) = self.listener.next_news() {
                        room.send(news);
                    }
                }
                () = sleep_until(ahead.unwrap_or(deadline)), if ahead.is_some() => {
                    self.listener.let_go();
                }
                () = sleep_until(deadline) => break Err(self.silent()),
                end = session.ended() => {
                    self.drain(&mut incoming);
                    if self.listener.outcome().is_none() {
                        break Err(self.lost(&end));
                    }
                }
            }
            ahead = match self.listener.is_waiting() {
                true => ahead.or_else(|| Some(Instant::now() + AHEAD)),
                false => None,
            };
            if let Some(outcome) = self.listener.outcome() {
                break outcome.map_err(|words| self.refused(&words));
            }
        };
        self.listener.finish(session.fell_behind());
        self.tell_rest(heard).await;
        outcome
    }

    async fn listen(&self) -> Result<Subscriber, Fault> {
        let subscribed = self.session.client.subscribe(self.response.clone()).await;
        subscribed.map_err(|e| {
            let what = text::clean(&e.to_string(), QUOTE);
            self.fault(FaultKind::Unreachable, what, "ask again")
        })
    }

    async fn tell_rest(&mut self, heard: &mpsc::Sender<Heard>) {
        while let Some(news) = self.listener.next_news() {
            if heard.send(news).await.is_err() {
                return;
            }
        }
    }

    /// Takes what is there already. True if there was a sign of life.
    fn drain(&mut self, incoming: &mut Subscriber) -> bool {
        let mut alive = false;
        for _ in 0..BURST {
            let next = tokio::task::unconstrained(incoming.next()).now_or_never();
            let Some(Some(message)) = next else {
                break;
            };
            alive |= self.listener.take(message);
        }
        alive
    }

    /// What the bus said to the question itself.
    fn taken(&mut self, answer: Result<tokio_util::bytes::Bytes, Unanswered>) -> Result<(), Fault> {
        match answer {
            Ok(body) => self.received(&body),
            Err(Unanswered::Nobody) => Err(self.fault(
                FaultKind::NotFound,
                format!("nobody listens on {}", self.subject),
                "is the site's agent up, on this bus and in this account? `user_id` of [agent] is \
                 part of the subject; the bus screen (ge) shows who is there",
            )),
            Err(Unanswered::Denied(denied)) if denied.publish => {
                let cause = Cause::Unpermitted(denied.to_string());
                let hint = "ask for the permission to publish there, or set the `user_id` that you \
                            are permitted";
                Err(self.fault(FaultKind::Forbidden, cause.to_string(), hint))
            }
            // Nobody tells us then whether somebody listens; the answer may come all the same.
            Err(Unanswered::Denied(_) | Unanswered::Late) => Ok(()),
            Err(Unanswered::Ended(cause)) => {
                let error = SourceError::new("", &self.session.settings.endpoint(), cause);
                Err(self.lost(&error))
            }
        }
    }

    /// A stream says that it keeps the question, or somebody answers in place of the stream.
    fn received(&mut self, body: &[u8]) -> Result<(), Fault> {
        let json = value::Value::from_json(body);
        let stream = json.as_ref().and_then(|v| v.get("stream")?.text());
        if let Some(stream) = stream.filter(|name| !name.is_empty()) {
            self.receipt = Receipt::Stream(text::clean(stream, QUOTE));
            return Ok(());
        }
        match said::read(body) {
            Some(said) => {
                if let Some(words) = said.error {
                    return Err(self.refused(&words));
                }
                let words = said.whole.unwrap_or(said.piece);
                let words = text::clean(&words, QUOTE);
                if !words.is_empty() {
                    self.receipt = Receipt::Words(words);
                }
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Whether we may ask the site's agent, without asking it anything. `Ok(false)`: the server does not
/// say what we may.
pub async fn check(session: &Session, user: &str) -> Result<bool, SourceError> {
    let Some(rights) = Rights::of(session).await? else {
        return Ok(false);
    };
    let fail = |what: String| Err(session.settings.error(Cause::Unpermitted(what)));
    let subject = asked_on(user);
    if !rights.may_publish(&subject) {
        return fail(format!("publish on {subject}"));
    }
    if !rights.may_subscribe(&answered_on("x")) {
        return fail(format!("subscribe to {}", answered_on("*")));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_one_token() {
        for (name, wanted) in [
            ("anna", "anna"),
            ("a.b", "a_b"),
            ("*", "_"),
            (">", "_"),
            ("", "operator"),
            ("anna maria\u{1b}[2J", "anna_maria__2J"),
            ("é", "_"),
        ] {
            assert_eq!(token(name), wanted);
            let pattern = crate::model::bus::Pattern::new(&asked_on(name)).expect("a subject");
            assert!(pattern.is_literal());
            assert_eq!(pattern.as_str().split('.').count(), 5);
        }
        assert_eq!(token(&"x".repeat(500)).len(), USER);
    }
}
