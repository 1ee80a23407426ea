//! One request to an API server, and what is read of the answer: a whole body, or line by line.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;

use super::{Cluster, fault};
use crate::model::fault::{Fault, FaultKind};
use crate::source::door::retry_after;

/// A page of 500 large objects is far below this.
const MOST_BODY: usize = 256 << 20;
/// An object is at most some 3 MiB.
const MOST_LINE: usize = 32 << 20;
/// Of 500 objects each.
const MOST_PAGES: u32 = 4_000;
const MOST_ERROR: usize = 64 << 10;
/// What a quiet stream may keep.
const KEPT: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug)]
pub struct Refused {
    pub fault: Fault,
    /// HTTP status, or that of the error in the stream; 0: the wire failed.
    pub code: u16,
    /// How long the server wants to be left alone.
    pub after: Option<Duration>,
}

/// Asks from one cluster; `doing` (`list pods`) is for messages.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub cluster: &'a Cluster,
    pub doing: &'a str,
}

impl Call<'_> {
    /// The answer's head came and is good (or says that nothing changed).
    pub async fn send(
        self,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Response<Body>, Refused> {
        let request = request.map_err(|e| self.failed(&kube::Error::BuildRequest(e)))?;
        // A login command may think longer than a server may.
        self.cluster.bearer().await.map_err(|fault| Refused {
            fault,
            code: 0,
            after: None,
        })?;
        let sent = self.cluster.client.send(request.map(Body::from));
        let answer = self.timed(sent).await?;
        let status = answer.status();
        if status.is_success() || status.as_u16() == 304 {
            return Ok(answer);
        }
        let after = retry_after(answer.headers());
        let body = self.read(answer.into_body(), MOST_ERROR).await;
        let body = body.unwrap_or_default();
        let said: Option<Status> = serde_json::from_slice(&body).ok();
        let message = match &said {
            Some(said) => said.message.clone(),
            None => crate::source::error::quote(&body),
        };
        let mut refused = self.status(status.as_u16(), &message, said.as_ref());
        refused.after = after.or(refused.after);
        Err(refused)
    }

    /// The whole body.
    pub async fn body(self, body: Body) -> Result<Vec<u8>, Refused> {
        self.read(body, MOST_BODY).await
    }

    /// The whole answer to one question.
    pub async fn json<T: DeserializeOwned>(
        self,
        request: http::Result<Request<Vec<u8>>>,
    ) -> Result<T, Refused> {
        let request = request.map_err(kube::core::request::Error::BuildRequest);
        let answer = self.send(request).await?;
        let body = self.body(answer.into_body()).await?;
        serde_json::from_slice(&body).map_err(|e| self.unreadable(&e.to_string()))
    }

    async fn read(self, mut body: Body, most: usize) -> Result<Vec<u8>, Refused> {
        let mut bytes = Vec::new();
        loop {
            let frame = self.timed(async { body.frame().await.transpose() }).await?;
            let Some(frame) = frame else {
                return Ok(bytes);
            };
            if let Some(data) = frame.data_ref() {
                bytes.extend_from_slice(data);
            }
            if bytes.len() > most {
                return Err(self.unreadable(&format!("more than {} MiB", most >> 20)));
            }
        }
    }

    async fn timed<T>(
        self,
        work: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Refused> {
        match tokio::time::timeout(self.cluster.timeout, work).await {
            Ok(done) => done.map_err(|e| self.failed(&e)),
            Err(_) => Err(Refused {
                fault: fault::timeout(
                    &self.cluster.name,
                    &self.cluster.place,
                    self.cluster.timeout,
                ),
                code: 0,
                after: None,
            }),
        }
    }

    pub fn failed(self, error: &kube::Error) -> Refused {
        Refused {
            fault: self.cluster.fault(error, self.doing),
            code: 0,
            after: None,
        }
    }

    /// A refusal in Kubernetes' own words.
    pub fn status(self, code: u16, message: &str, said: Option<&Status>) -> Refused {
        let details = said.and_then(|s| s.details.as_ref());
        let after = details.map(|d| d.retry_after_seconds).filter(|s| *s > 0);
        Refused {
            fault: self.cluster.fault_of_status(code, message, self.doing),
            code,
            after: after.map(|s| Duration::from_secs(s.into())),
        }
    }

    pub fn unreadable(self, what: &str) -> Refused {
        let what = format!("{}: the answer cannot be read: {what}", self.doing);
        let hint = "check that the context leads to a Kubernetes API server";
        Refused {
            fault: self.fault(FaultKind::BadPayload, &what, hint),
            code: 0,
            after: None,
        }
    }

    fn fault(self, kind: FaultKind, what: &str, hint: &str) -> Fault {
        Fault {
            kind,
            cluster: self.cluster.name.clone(),
            endpoint: self.cluster.place.clone(),
            what: crate::model::text::clean(what, 300),
            hint: hint.to_owned(),
        }
    }
}

/// Where a list in pages is. One that names the same page again, or never a last one, is not read
/// for ever.
#[derive(Debug, Default)]
pub struct Pages {
    read: u32,
    token: String,
}

impl Pages {
    /// A page came that names this one as the next; `None`: it was the last. An error is in words.
    pub fn after(&mut self, next: String) -> Result<Option<String>, String> {
        self.read += 1;
        if next.is_empty() {
            return Ok(None);
        }
        if next == self.token || self.read >= MOST_PAGES {
            let pages = self.read;
            return Err(format!("the list does not end (after {pages} pages)"));
        }
        self.token.clone_from(&next);
        Ok(Some(next))
    }
}

/// Why a line did not come whole.
#[derive(Debug, thiserror::Error)]
pub enum Cut {
    #[error(transparent)]
    Wire(#[from] kube::Error),
    #[error("a line of more than {} MiB", MOST_LINE >> 20)]
    TooLong,
}

/// Lines of a body that has no end. Nothing is lost when waiting for one is given up.
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Given away up to here.
    given: usize,
    /// No end of line before this.
    searched: usize,
}

impl Lines {
    pub fn new(body: Body) -> Self {
        Self {
            body,
            buffer: Vec::new(),
            given: 0,
            searched: 0,
        }
    }

    /// `None`: the end; half a line before it is worth nothing.
    pub async fn next(&mut self) -> Option<Result<&[u8], Cut>> {
        let end = loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                break self.searched + at;
            }
            self.searched = self.buffer.len();
            if self.buffer.len() - self.given > MOST_LINE {
                return Some(Err(Cut::TooLong));
            }
            self.make_room();
            match self.body.frame().await? {
                Ok(frame) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Err(error) => return Some(Err(error.into())),
            }
        };
        let start = std::mem::replace(&mut self.given, end + 1);
        self.searched = self.given;
        self.buffer.get(start..end).map(Ok)
    }

    fn make_room(&mut self) {
        self.buffer.drain(..self.given);
        self.searched -= self.given;
        self.given = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_without_an_end_is_no_end() {
        let mut lines = Lines::new(Body::from(b"one\ntw".to_vec()));
        assert_eq!(lines.next().await.unwrap().unwrap(), b"one");
        assert!(lines.next().await.is_none(), "half a line");
        let mut lines = Lines::new(Body::from(vec![b'x'; MOST_LINE + 1]));
        assert!(matches!(lines.next().await, Some(Err(Cut::TooLong))));
    }
}
