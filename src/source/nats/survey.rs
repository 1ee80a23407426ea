//! One look at streams and consumers: the lists page by page, up to a bound that is told.
//!
//! Only reads: account, stream list, consumer lists. A right that is missing for one of them leaves
//! out that one.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use async_nats::jetstream::ErrorCode;
use futures::{FutureExt, StreamExt};
use serde::de::DeserializeOwned;

use super::session::{Session, Unanswered};
use super::wire::{AccountInfo, Answer, ConsumerPage, StreamInfo, StreamPage};
use crate::clock;
use crate::model::bus::{Account, JetStream, Stream, Streams, Survey};
use crate::model::text;
use crate::source::error::{Cause, SourceError};

/// Streams and consumers of one stream that are listed at most.
const STREAMS: usize = 1_024;
const CONSUMERS: usize = 256;
/// Consumer lists asked for at a time.
const AT_ONCE: usize = 4;
/// Longest words of the server that are kept.
const WORDS: usize = 160;
/// Reasons kept.
const MISSING: usize = 16;

/// Why one answer is missing.
enum Miss {
    /// The bus has no JetStream for us.
    Off(String),
    Denied(String),
    Failed(String),
    /// The connection is gone, or the server silent: the whole look fails.
    Over(Cause),
}

/// A survey, and how many bytes were read for it.
pub struct Surveyed {
    pub survey: Survey,
    pub bytes: u64,
    /// Round trip of the last answer.
    pub latency_ms: Option<u32>,
    /// The server's clock minus ours, by the time in its list of streams.
    pub skew_ms: Option<i64>,
}

struct Asker<'a> {
    session: &'a Session,
    bytes: AtomicU64,
    latency_ms: AtomicU32,
    skew_ms: OnceLock<i64>,
}

/// Asks for everything once.
pub async fn survey(session: &Session) -> Result<Surveyed, SourceError> {
    let asker = Asker {
        session,
        bytes: 0.into(),
        latency_ms: AtomicU32::new(u32::MAX),
        skew_ms: OnceLock::new(),
    };
    let jetstream = match asker.streams().await {
        Ok(streams) => JetStream::On(Box::new(streams)),
        Err(Miss::Off(why)) => JetStream::Off(why.into()),
        Err(Miss::Denied(why) | Miss::Failed(why)) => JetStream::Denied(why.into()),
        Err(Miss::Over(cause)) => return Err(session.settings.error(cause)),
    };
    Ok(Surveyed {
        survey: Survey {
            at: clock::now(),
            server: session.server(),
            jetstream,
        },
        bytes: asker.bytes.into_inner(),
        latency_ms: Some(asker.latency_ms.into_inner()).filter(|ms| *ms < u32::MAX),
        skew_ms: asker.skew_ms.into_inner(),
    })
}

impl Asker<'_> {
    async fn streams(&self) -> Result<Streams, Miss> {
        let mut missing = Vec::new();
        let account = match self.ask::<AccountInfo>("INFO", "").await {
            Ok(info) => Some(info.fact()),
            Err(Miss::Off(why)) => return Err(Miss::Off(why)),
            Err(Miss::Over(cause)) => return Err(Miss::Over(cause)),
            Err(Miss::Denied(why) | Miss::Failed(why)) => {
                missing.push(why.into());
                None
            }
        };
        let (infos, total) = match self.stream_list(&mut missing).await {
            Ok(list) => list,
            Err(Miss::Denied(why)) if account.is_some() => {
                missing.push(why.into());
                return Ok(only_account(account, missing));
            }
            Err(miss) => return Err(miss),
        };
        let mut asked = Vec::with_capacity(infos.len());
        for info in &infos {
            asked.push(self.stream(info).boxed());
        }
        let listed: Vec<_> = futures::stream::iter(asked)
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut streams = Vec::with_capacity(listed.len());
        for stream in listed {
            let stream = stream?;
            if let Some(why) = &stream.consumers_missing
                && missing.len() < MISSING
                && !missing.contains(why)
            {
                missing.push(why.clone());
            }
            streams.push(stream);
        }
        Ok(Streams {
            account,
            streams,
            total,
            missing,
        })
    }

    async fn stream_list(
        &self,
        missing: &mut Vec<Arc<str>>,
    ) -> Result<(Vec<StreamInfo>, u64), Miss> {
        let (mut all, mut total) = (Vec::new(), 0);
        while all.len() < STREAMS {
            let body = format!("{{\"offset\":{}}}", all.len());
            let page: StreamPage = self.ask("STREAM.LIST", &body).await?;
            total = page.total;
            if let Some(at) = page.streams.first().and_then(StreamInfo::told_at) {
                let _ = self.skew_ms.set(at.0.saturating_sub(clock::now().0));
            }
            for name in page.missing.iter().take(MISSING) {
                let name = text::clean(name, WORDS);
                let why = Arc::from(format!("stream {name}: no answer from its servers"));
                if !missing.contains(&why) {
                    missing.push(why);
                }
            }
            if page.streams.is_empty() {
                break;
            }
            all.extend(page.streams);
            if all.len() as u64 >= total {
                break;
            }
        }
        all.truncate(STREAMS);
        Ok((all, total))
    }

    /// A stream with its consumers, or why these are not known.
    async fn stream(&self, info: &StreamInfo) -> Result<Stream, Miss> {
        let mut stream = info.fact();
        if info.consumer_count() == 0 {
            return Ok(stream);
        }
        let what = format!("CONSUMER.LIST.{}", info.name());
        while stream.consumers.len() < CONSUMERS {
            let body = format!("{{\"offset\":{}}}", stream.consumers.len());
            match self.ask::<ConsumerPage>(&what, &body).await {
                Ok(page) => {
                    stream.consumers_total = page.total;
                    let came = page.consumers.len();
                    stream
                        .consumers
                        .extend(page.consumers.iter().map(|c| c.fact()));
                    if came == 0 || stream.consumers.len() as u64 >= page.total {
                        break;
                    }
                }
                // A group without a leader is silent; that says nothing of the others.
                Err(Miss::Over(Cause::Timeout(_))) => {
                    stream.consumers_missing = Some("no answer about the consumers".into());
                    break;
                }
                Err(Miss::Over(cause)) => return Err(Miss::Over(cause)),
                Err(Miss::Off(why) | Miss::Denied(why) | Miss::Failed(why)) => {
                    stream.consumers_missing = Some(why.into());
                    break;
                }
            }
        }
        stream.consumers.truncate(CONSUMERS);
        Ok(stream)
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, body: &str) -> Result<T, Miss> {
        let subject = self.session.settings.api(what);
        let started = clock::instant();
        let body = tokio_util::bytes::Bytes::copy_from_slice(body.as_bytes());
        let answer = match self.session.ask(subject.clone(), body).await {
            Ok(answer) => answer,
            Err(Unanswered::Nobody) => {
                return Err(Miss::Off(
                    "the server has no JetStream, or not for us".into(),
                ));
            }
            Err(Unanswered::Denied(denied)) => {
                return Err(Miss::Denied(format!("no permission to {denied}")));
            }
            Err(Unanswered::Late) => {
                return Err(Miss::Over(Cause::Timeout(self.session.settings.timeout)));
            }
            Err(Unanswered::Ended(cause)) => return Err(Miss::Over(cause)),
        };
        let waited = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.latency_ms.store(waited, Relaxed);
        self.bytes.fetch_add(answer.len() as u64, Relaxed);
        let unread = |why: &dyn std::fmt::Display| {
            Miss::Failed(format!(
                "{subject}: {}",
                text::clean(&why.to_string(), WORDS)
            ))
        };
        let read: Answer<T> = serde_json::from_slice(&answer).map_err(|e| unread(&e))?;
        match (read.error, read.body) {
            (Some(refusal), _) => Err(refused(&refusal)),
            (None, Some(body)) => Ok(body),
            // Told by the parser of the thing itself.
            (None, None) => match serde_json::from_slice::<T>(&answer) {
                Ok(body) => Ok(body),
                Err(error) => Err(unread(&error)),
            },
        }
    }
}

fn refused(refusal: &super::wire::Refusal) -> Miss {
    let words = text::clean(&refusal.description, WORDS);
    match (ErrorCode(refusal.err_code), refusal.code) {
        (ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT, _) => {
            Miss::Off(words)
        }
        (_, 401 | 403) => Miss::Denied(words),
        // Among them 503 of a cluster that has lost its majority: its streams are there all the same.
        (_, code) => Miss::Failed(format!("{words} ({code})")),
    }
}

fn only_account(account: Option<Account>, missing: Vec<Arc<str>>) -> Streams {
    Streams {
        total: account.map_or(0, |a| a.streams),
        account,
        streams: Vec::new(),
        missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_enabled_is_off() {
        let of = |code, err_code| {
            let told = refused(&super::super::wire::Refusal {
                code,
                err_code,
                description: "words".into(),
            });
            match told {
                Miss::Off(_) => "off",
                Miss::Denied(_) => "denied",
                Miss::Failed(_) => "failed",
                Miss::Over(_) => "over",
            }
        };
        assert_eq!((of(503, 10_076), of(503, 10_039)), ("off", "off"));
        // Without a majority; too few servers.
        assert_eq!((of(503, 10_008), of(503, 10_023)), ("failed", "failed"));
        assert_eq!((of(403, 0), of(500, 0)), ("denied", "failed"));
    }
}
