//! Giving something to a server: to one place, whatever the answer, and whether it is worth trying
//! again when it was not taken.

use std::time::Duration;

use hyper::body::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};

use super::{BODY_LIMIT, Door, body, content_type};
use crate::config::Endpoint;
use crate::source::error::{Cause, SourceError};

/// Most of an answer that is read: what takes has little to say.
const ANSWER: usize = BODY_LIMIT >> 8;

/// Why something was not taken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Untaken {
    pub error: SourceError,
    /// The server may take it later; else the same would be refused again.
    pub passing: bool,
    /// How long the server asks us to stay away.
    pub after: Option<Duration>,
}

impl From<SourceError> for Untaken {
    fn from(error: SourceError) -> Self {
        Self {
            passing: is_passing(&error.cause),
            after: error.retry_after(),
            error,
        }
    }
}

/// One endpoint that takes what we have, by one client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Poster {
    door: Door,
    client: Client,
}

impl Poster {
    /// Reads certificates and builds the client; sends nothing. `owner` stands in errors.
    pub fn open(endpoint: &Endpoint, owner: &str) -> Result<Self, SourceError> {
        let door = Door::open(endpoint, owner, None)?;
        let client = door.steady("")?;
        Ok(Self { door, client })
    }

    /// The endpoint as it may be shown.
    pub fn shown(&self) -> &str {
        self.door.shown()
    }

    /// Gives it, within the endpoint's time limit. The answer's body comes back.
    pub async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Vec<u8>, Untaken> {
        let builder = self.client.request(Method::POST, self.door.url(""));
        let own = self.door.shared.headers.clone();
        let builder = builder.headers(own).headers(headers).body(body);
        let work = async {
            let response = self.door.signed(builder).await?;
            let after = body::retry_after(response.headers());
            let told = self.taken(response).await;
            told.map_err(|error| {
                let untaken = Untaken::from(error);
                Untaken {
                    after: after.or(untaken.after),
                    ..untaken
                }
            })
        };
        let limit = self.door.timeout();
        match tokio::time::timeout(limit, work).await {
            Ok(told) => told,
            Err(_) => Err(self.door.error("", Cause::Timeout(limit)).into()),
        }
    }

    async fn taken(&self, response: Response) -> Result<Vec<u8>, SourceError> {
        let response = self.door.accept(response).await?;
        // A front end that wants a password says so with status 200.
        let html = content_type(response.headers()).starts_with("text/html");
        let (told, _) = self.door.read(response, ANSWER, true).await?;
        match html {
            true if body::is_login(&told) => Err(self.door.error("", Cause::Login)),
            true => {
                let what = format!("{} instead of an answer", body::page(&told));
                Err(self.door.error("", Cause::Payload(what)))
            }
            false => Ok(told),
        }
    }
}

/// Whether time may mend it: the network, a server that fails or is busy, a secret that is not there
/// yet. What was refused for what it is stays refused.
fn is_passing(cause: &Cause) -> bool {
    match cause {
        Cause::Unreachable(_)
        | Cause::Timeout(_)
        | Cause::Tls(_)
        | Cause::RateLimited(_)
        | Cause::Server { .. }
        | Cause::Cut(_)
        | Cause::Config(_)
        | Cause::Tunnel(_) => true,
        Cause::Status { status, .. } => *status == 408,
        _ => false,
    }
}
