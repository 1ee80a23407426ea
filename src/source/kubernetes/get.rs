//! Single questions to the API server, asked by hand: the client's own calls tell neither how long
//! a busy server wants to be left alone nor the status of an answer that is no Kubernetes status.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH};
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::access::Cluster;
use super::fault;
use crate::model::fault::Fault;
use crate::source::door;
use crate::source::error::quote;

/// Longest wait for one answer.
const LIMIT: Duration = Duration::from_secs(15);
/// Largest answer read, bytes.
const LARGEST: u64 = 64 << 20;
/// A busy server is asked again so often, after the time it names.
const AGAIN: u32 = 3;
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Objects on one page of a list.
const PAGE: usize = 500;
const JSON: &str = "application/json";

/// One page of a list.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// What a list gave.
#[derive(Debug)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// There were more than was asked for.
    pub cut: bool,
}

impl Cluster {
    /// `doing` is what is tried, for errors: `list services`.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str, doing: &str) -> Result<T, Fault> {
        self.get_json_as(path, JSON, doing).await
    }

    pub async fn get_json_as<T: DeserializeOwned>(
        &self,
        path: &str,
        accept: &str,
        doing: &str,
    ) -> Result<T, Fault> {
        let body = self.get(path, accept, doing).await?;
        serde_json::from_slice(&body).map_err(|e| {
            let error = kube::Error::SerdeError(e);
            self.fault(&error, doing)
        })
    }

    /// A list in pages, at most about `most` objects.
    pub async fn list_json<T: DeserializeOwned>(
        &self,
        path: &str,
        doing: &str,
        most: usize,
    ) -> Result<Listed<T>, Fault> {
        let mut items: Vec<T> = Vec::new();
        let mut next = String::new();
        loop {
            let more = match next.as_str() {
                "" => String::new(),
                token => format!("&continue={}", encoded(token)),
            };
            let page = format!("{path}?limit={PAGE}{more}");
            let page: Page<T> = self.get_json(&page, doing).await?;
            items.extend(page.items);
            next = page.metadata.next.unwrap_or_default();
            let cut = !next.is_empty();
            if !cut || items.len() >= most {
                return Ok(Listed { items, cut });
            }
        }
    }

    /// The body of a good answer; waits where a busy server asks for that.
    async fn get(&self, path: &str, accept: &str, doing: &str) -> Result<Vec<u8>, Fault> {
        let mut tries = 0;
        loop {
            let asked = tokio::time::timeout(LIMIT, self.get_once(path, accept));
            let answer = match asked.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    return Err(self.fault(&error, doing));
                }
                Err(_) => return Err(fault::timeout(&self.name, &self.place, LIMIT)),
            };
            tries += 1;
            let busy = answer.status == 429 || answer.status >= 500 && answer.after.is_some();
            if busy && tries <= AGAIN {
                let wait = answer.after.unwrap_or(SHORTEST_WAIT * tries);
                tokio::time::sleep(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
                continue;
            }
            if (200..300).contains(&answer.status) {
                return Ok(answer.body);
            }
            return Err(self.fault_of_status(answer.status, &quote(&answer.body), doing));
        }
    }

    async fn get_once(&self, path: &str, accept: &str) -> Result<Answer, kube::Error> {
        let request = http::Request::get(path)
            .header(ACCEPT, accept)
            .body(Body::empty())
            .map_err(kube::Error::HttpError)?;
        let answer = self.client.send(request).await?;
        let status = answer.status().as_u16();
        let after = door::retry_after(answer.headers());
        let length = answer.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|l| l > LARGEST) {
            let error = format!("the answer is larger than {} MiB", LARGEST >> 20);
            return Err(kube::Error::Service(error.into()));
        }
        let body = answer.into_body().collect_bytes().await?.to_vec();
        Ok(Answer {
            status,
            after,
            body,
        })
    }
}

struct Answer {
    status: u16,
    after: Option<Duration>,
    body: Vec<u8>,
}

/// Tokens of pages are mostly base64.
fn encoded(token: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(token.len());
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn tokens_travel_whole() {
        assert_eq!(super::encoded("aZ9-_.~"), "aZ9-_.~");
        assert_eq!(super::encoded("a=/+&"), "a%3D%2F%2B%26");
    }
}
