//! One connection, and what becomes of the messages that are given to it.

use std::collections::BTreeSet;

use super::super::spool::Message;
use super::super::{pack, read, stream};
use crate::config::Team;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};
use crate::source::nats::Bus;
use crate::source::nats::put::{Put, put_all};
use crate::source::nats::session::Session;

/// Connected, and the stream is there.
pub struct Open {
    pub session: Session,
    /// Ids of an earlier run that are on the bus already.
    present: BTreeSet<String>,
    /// The largest body that is taken, bytes.
    most: usize,
}

/// What became of a batch.
#[derive(Default)]
pub struct Sent {
    /// Numbers that need not be given again.
    pub done: Vec<u64>,
    /// Subjects of which something was taken.
    pub taken: BTreeSet<String>,
    pub published: u64,
    /// Something was left out, as it was too large.
    pub cut: u64,
    /// Will never be taken.
    pub refused: u64,
    /// On these nothing may be published.
    pub barred: Vec<(String, SourceError)>,
    /// The bus itself fails.
    pub error: Option<SourceError>,
}

impl Open {
    /// `since`: what the stream took from then on is asked for.
    pub async fn new(
        bus: &Bus,
        team: &Team,
        since: Option<Timestamp>,
    ) -> Result<Self, SourceError> {
        let session = bus.open("farwatch watch").await?;
        let most = stream::ready(&session, team).await?;
        let present = match since {
            Some(since) => read::ids(&session, team, since).await?,
            None => BTreeSet::new(),
        };
        Ok(Self {
            session,
            present,
            most,
        })
    }

    /// Gives them all, then awaits each promise in turn.
    pub async fn send(&self, batch: Vec<Message>) -> Sent {
        let mut sent = Sent::default();
        let (known, new): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|m| self.present.contains(&m.id));
        sent.done.extend(known.iter().map(|m| m.number));
        let mut given = Vec::with_capacity(new.len());
        let mut puts = Vec::with_capacity(new.len());
        for message in new {
            given.push((message.number, message.subject.clone()));
            puts.push(self.fitting(message, &mut sent));
        }
        let done = put_all(&self.session, puts, self.session.timeout()).await;
        for ((number, subject), done) in given.into_iter().zip(done) {
            sent.take(number, subject, done);
        }
        sent
    }

    /// As it fits here: another server may take less than the stream that we make.
    fn fitting(&self, message: Message, sent: &mut Sent) -> Put {
        let Message {
            subject, id, body, ..
        } = message;
        let body = match body.len() <= self.most {
            true => body,
            false => match pack::again(&body, self.most) {
                Some(packed) => {
                    sent.cut += u64::from(packed.cut);
                    packed.body.into()
                }
                None => body,
            },
        };
        Put {
            subject,
            stream: None,
            id,
            body,
        }
    }
}

impl Sent {
    fn take(&mut self, number: u64, subject: String, done: Result<(), SourceError>) {
        match done {
            Ok(()) => {
                self.done.push(number);
                self.published += 1;
                self.taken.insert(subject);
            }
            Err(error) => match error.cause {
                Cause::TooLarge(_) => {
                    tracing::error!(%error, number, "a message is larger than the bus takes: it is dropped");
                    self.done.push(number);
                    self.refused += 1;
                }
                Cause::Unpermitted(_) => self.barred.push((subject, error)),
                _ => self.error = Some(error),
            },
        }
    }
}
