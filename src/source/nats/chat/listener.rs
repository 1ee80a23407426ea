//! What came of an answer so far, and what of it is not passed on yet.

use std::collections::VecDeque;

use async_nats::Message;

use super::order::Order;
use super::said::{self, Form, Said};
use super::{Answered, Heard, QUOTE};
use crate::model::text;

/// Longest answer, and largest message that is read, bytes.
const ANSWER: usize = 512 * 1024;
const MESSAGE: usize = 1 << 20;
/// Notes of what it is doing, and sources, at most.
const DOINGS: usize = 16;
const SOURCES: usize = 20;
/// A last part so long that repeats all before it is not read as one more piece.
const REPEATED: usize = 16;
const ID: &str = "Nats-Msg-Id";
/// How services of NATS say that they failed.
const SERVICE_ERROR: &str = "Nats-Service-Error";

/// `Err`: what the site's agent failed with.
pub type Outcome = Result<Answered, String>;

#[derive(Debug, Default)]
pub struct Listener {
    request: String,
    order: Order,
    /// The answer, to know what a whole one adds.
    so_far: String,
    /// Something of the answer, or a sign of life, has come.
    begun: bool,
    news: VecDeque<Heard>,
    outcome: Option<Outcome>,
    answered: Answered,
    sources: Vec<String>,
    doings: usize,
    /// Which model answers was said.
    named: bool,
    /// Bytes of its thoughts.
    thought: usize,
    /// It was said that it comes as JSON, or as words.
    marked: bool,
    /// Messages that cannot be read, with the beginning of the first; too large ones; those of other
    /// questions.
    unread: u64,
    first_unread: Option<String>,
    large: u64,
    strange: u64,
}

impl Listener {
    pub fn new(request: &str) -> Self {
        Self {
            request: request.to_owned(),
            ..Self::default()
        }
    }

    /// True if it is a sign of life.
    pub fn take(&mut self, message: Message) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        let header = |name| {
            let value = message.headers.as_ref()?.get(name)?;
            Some(text::clean(value.as_str(), QUOTE))
        };
        if let Some(words) = header(SERVICE_ERROR) {
            self.outcome = Some(Err(words));
            return true;
        }
        if message.payload.len() > MESSAGE {
            self.large = self.large.max(message.payload.len() as u64);
            self.begun = true;
            return true;
        }
        let Some(said) = said::read(&message.payload) else {
            self.unread += 1;
            self.first_unread
                .get_or_insert_with(|| hex(&message.payload));
            return false;
        };
        if said.request.as_ref().is_some_and(|r| *r != self.request) {
            self.strange += 1;
            return false;
        }
        self.begun = true;
        self.mark(said.form, message.payload.is_empty());
        let ready = self.order.take(said, header(ID).as_deref());
        self.say(ready);
        true
    }

    /// Parts wait for others that are before them.
    pub fn is_waiting(&self) -> bool {
        self.order.is_waiting()
    }

    /// What is missing is not waited for any longer.
    pub fn let_go(&mut self) {
        let ready = self.order.let_go();
        self.say(ready);
    }

    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// `None`: there is more to come.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.clone()
    }

    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    pub fn next_news(&mut self) -> Option<Heard> {
        self.news.pop_front()
    }

    /// For the words of a failure: `; 3 messages could not be read, the first: …`.
    pub fn unread(&self) -> String {
        match &self.first_unread {
            Some(first) => format!("; {} could not be read ({first})", messages(self.unread)),
            None => String::new(),
        }
    }

    /// Says what is to be said once nothing more comes. `lost`: messages came faster than they were
    /// taken.
    pub fn finish(&mut self, lost: bool) {
        if self.order.is_waiting() {
            let ready = self.order.let_go();
            self.say(ready);
        }
        let mut notes = Vec::new();
        for (from, to) in self.order.missing() {
            notes.push(match from == to {
                true => format!("incomplete: part {from} of the answer did not come"),
                false => format!("incomplete: parts {from} to {to} of the answer did not come"),
            });
        }
        notes.truncate(3);
        if lost {
            notes.push(
                "incomplete: parts came faster than they could be taken, and were lost".into(),
            );
        }
        if self.order.twice > 0 {
            let count = messages(self.order.twice);
            notes.push(format!("{count} came twice and were left out"));
        }
        if self.large > 0 {
            let megabytes = self.large as f64 / 1e6;
            notes.push(format!(
                "incomplete: a message of {megabytes:.1} MB is larger than the {} MiB that are read",
                MESSAGE >> 20
            ));
        }
        if self.unread > 0 && self.outcome.is_some() {
            notes.push(self.unread().trim_start_matches("; ").to_owned());
        }
        if self.strange > 0 {
            let count = messages(self.strange);
            notes.push(format!("{count} named another question and were left out"));
        }
        if !self.sources.is_empty() {
            notes.push(format!(
                "the site's agent names as its sources, which farwatch did not see: {}",
                self.sources.join("; ")
            ));
        }
        self.news.extend(notes.into_iter().map(Heard::Note));
    }

    fn mark(&mut self, form: Form, is_empty: bool) {
        let words = match form {
            Form::MessagePack => return,
            Form::Json => "the answer comes as JSON, not as MessagePack",
            Form::Plain => "the answer comes as bare words, not as MessagePack",
        };
        if !self.marked && !is_empty {
            self.marked = true;
            self.news.push_back(Heard::Note(words.into()));
        }
    }

    fn say(&mut self, parts: Vec<Said>) {
        for said in parts {
            if self.outcome.is_none() {
                self.one(said);
            }
        }
        if self.outcome.is_none() && self.order.is_whole() {
            self.outcome = Some(Ok(self.answered));
        }
    }

    fn one(&mut self, said: Said) {
        self.answered.read_tokens = said.read_tokens.or(self.answered.read_tokens);
        self.answered.written_tokens = said.written_tokens.or(self.answered.written_tokens);
        for source in said.sources {
            if self.sources.len() < SOURCES && !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        if let (Some(model), false) = (said.model, self.named) {
            self.named = true;
            self.news.push_back(Heard::Model(model));
        }
        if let Some(words) = said.error {
            self.outcome = Some(Err(words));
            return;
        }
        if let Some(doing) = said.life.filter(|words| !words.is_empty())
            && self.doings < DOINGS
        {
            self.doings += 1;
            let words = text::clean(&doing, QUOTE);
            self.news
                .push_back(Heard::Note(format!("site's agent: {words}")));
        }
        if !said.thought.is_empty() && self.thought < ANSWER {
            self.thought += said.thought.len();
            self.push(said.thought, Heard::Thought);
        }
        if let Some(whole) = said.whole {
            self.whole(whole);
        } else if said.last && said.number.is_none() && self.repeats(&said.piece) {
            self.whole(said.piece);
        } else {
            self.text(said.piece);
        }
        if said.last && self.outcome.is_none() {
            self.outcome = Some(Ok(self.answered));
        }
    }

    fn repeats(&self, piece: &str) -> bool {
        self.so_far.len() >= REPEATED && piece.starts_with(&self.so_far)
    }

    /// Says what it has beyond what was said, or all of it anew.
    fn whole(&mut self, whole: String) {
        match whole.strip_prefix(self.so_far.as_str()) {
            Some(rest) => self.text(rest.to_owned()),
            None => {
                let (kept, cut) = held(&whole, ANSWER);
                self.so_far = kept.to_owned();
                self.news.push_back(Heard::Whole(kept.to_owned()));
                self.cut(cut);
            }
        }
    }

    fn text(&mut self, piece: String) {
        let room = ANSWER - self.so_far.len().min(ANSWER);
        let (kept, cut) = held(&piece, room);
        if !kept.is_empty() {
            self.so_far.push_str(kept);
            self.push(kept.to_owned(), Heard::Text);
        }
        self.cut(cut);
    }

    fn cut(&mut self, cut: bool) {
        if cut {
            self.answered.cut = true;
            self.outcome = Some(Ok(self.answered));
        }
    }

    /// Joined with what waits, so that a slow screen makes no queue.
    fn push(&mut self, piece: String, kind: fn(String) -> Heard) {
        let news = kind(piece);
        match (self.news.back_mut(), news) {
            (Some(Heard::Text(last)), Heard::Text(piece)) => last.push_str(&piece),
            (Some(Heard::Thought(last)), Heard::Thought(piece)) => last.push_str(&piece),
            (_, news) => self.news.push_back(news),
        }
    }
}

/// The beginning that has room, and whether something was left out.
fn held(text: &str, room: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(room);
    (text.get(..end).unwrap_or_default(), end < text.len())
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".into(),
        n => format!("{n} messages"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(8).map(|b| format!(" {b:02x}"));
    format!("{} bytes:{}", bytes.len(), shown.collect::<String>())
}
