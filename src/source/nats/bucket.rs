//! A key-value bucket of our own: made with limits where it is missing and we may, read, watched,
//! and written by compare-and-set.

use std::time::Duration;

use async_nats::jetstream::kv::{Config, Entry, Operation, Store, UpdateErrorKind, Watch};
use async_nats::jetstream::stream::StorageType;
use futures::StreamExt;
use tokio_util::bytes::Bytes;

use super::fault;
use super::history::{context, info, is_missing};
use super::session::Session;
use crate::model::time::Timestamp;
use crate::source::error::{Cause, SourceError};

/// Entries delivered in one go at most.
const BATCH: usize = 64;

/// How a bucket is made. One that is there already is taken as it is.
#[derive(Clone, Debug)]
pub struct Shape {
    pub name: String,
    pub description: &'static str,
    /// Values kept of one key.
    pub history: u8,
    /// A value that nobody renews goes after this time.
    pub max_age: Duration,
    pub max_bytes: u32,
    pub max_value_bytes: u32,
    pub replicas: u8,
    /// Not on disk.
    pub fleeting: bool,
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub struct Value {
    pub key: String,
    /// `None`: it was taken away.
    pub bytes: Option<Bytes>,
    pub revision: u64,
    /// When the server took it, by the server's clock.
    pub at: Timestamp,
    /// All that stood there before we came has been told.
    pub whole: bool,
}

/// An open bucket.
pub struct Bucket<'a> {
    session: &'a Session,
    store: Store,
    /// It held nothing when it was opened.
    pub is_empty: bool,
}

/// What becomes of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Yes(u64),
    /// Somebody else was first: read again.
    Outrun,
    /// Why the server does not take it.
    Refused(String),
}

impl<'a> Bucket<'a> {
    /// `create`: it is made where it is missing.
    pub async fn open(
        session: &'a Session,
        shape: &Shape,
        create: bool,
    ) -> Result<Self, SourceError> {
        let context = context(session);
        let stream = format!("KV_{}", shape.name);
        let (store, is_empty) = match info(session, &stream).await {
            Ok(stream) => {
                let store = context.get_key_value(&shape.name);
                let store = session.permitted(store).await?;
                (store.map_err(|e| session.odd(&e))?, stream.messages == 0)
            }
            Err(error) if !is_missing(&error) => return Err(error),
            Err(_) if !create => {
                let why = format!("the bucket {} is missing, and `create = false`", shape.name);
                return Err(session.settings.error(Cause::Absent(why)));
            }
            Err(_) => {
                let store = context.create_key_value(shape.config());
                let store = session.permitted(store).await?;
                (store.map_err(|e| session.odd(&e))?, true)
            }
        };
        Ok(Self {
            session,
            store,
            is_empty,
        })
    }

    /// All that stands there, then each change as it comes.
    pub async fn watch(&self) -> Result<News<'a>, SourceError> {
        let watch = self.session.permitted(self.store.watch_with_history(">"));
        let watch = watch.await?.map_err(|e| self.session.odd(&e))?;
        Ok(News {
            session: self.session,
            watch: watch.ready_chunks(BATCH),
        })
    }

    pub async fn get(&self, key: &str) -> Result<Option<Value>, SourceError> {
        let entry = self.session.permitted(self.store.entry(key)).await?;
        let entry = entry.map_err(|e| self.session.odd(&e))?;
        Ok(entry.map(value))
    }

    /// Writes where the key still has this revision; 0: where nothing stands there.
    pub async fn set(
        &self,
        key: &str,
        bytes: Vec<u8>,
        revision: u64,
    ) -> Result<Written, SourceError> {
        let done = self.store.update(key, bytes.into(), revision);
        match self.session.permitted(done).await? {
            Ok(revision) => Ok(Written::Yes(revision)),
            Err(error) => match error.kind() {
                UpdateErrorKind::WrongLastRevision => Ok(Written::Outrun),
                UpdateErrorKind::TimedOut => Err(self.session.odd(&error)),
                _ => Ok(Written::Refused(fault::chain(&error))),
            },
        }
    }

    /// Writes whatever stands there; the revision.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<u64, SourceError> {
        let done = self.session.permitted(self.store.put(key, bytes.into()));
        done.await?.map_err(|e| self.session.odd(&e))
    }

    pub async fn delete(&self, key: &str) -> Result<(), SourceError> {
        let done = self.session.permitted(self.store.delete(key));
        done.await?.map_err(|e| self.session.odd(&e))
    }
}

/// Changes of a bucket.
pub struct News<'a> {
    session: &'a Session,
    watch: futures::stream::ReadyChunks<Watch>,
}

impl News<'_> {
    /// The next changes, one at least.
    pub async fn next(&mut self) -> Result<Vec<Value>, SourceError> {
        let next = tokio::select! {
            next = self.watch.next() => next,
            end = self.session.ended() => return Err(end),
        };
        let ended = || Cause::Unreachable("the watch of the bucket ended".into());
        let entries = next.ok_or_else(|| self.session.settings.error(ended()))?;
        let values = entries.into_iter().map(|entry| entry.map(value));
        values
            .collect::<Result<_, _>>()
            .map_err(|e| self.session.odd(&e))
    }
}

impl Shape {
    fn config(&self) -> Config {
        Config {
            bucket: self.name.clone(),
            description: self.description.into(),
            history: i64::from(self.history),
            max_age: self.max_age,
            max_bytes: i64::from(self.max_bytes),
            max_value_size: i32::try_from(self.max_value_bytes).unwrap_or(i32::MAX),
            num_replicas: usize::from(self.replicas),
            storage: match self.fleeting {
                true => StorageType::Memory,
                false => StorageType::File,
            },
            ..Config::default()
        }
    }
}

fn value(entry: Entry) -> Value {
    Value {
        key: entry.key,
        bytes: (entry.operation == Operation::Put).then_some(entry.value),
        revision: entry.revision,
        at: Timestamp((entry.created.unix_timestamp_nanos() / 1_000_000) as i64),
        whole: entry.seen_current,
    }
}
