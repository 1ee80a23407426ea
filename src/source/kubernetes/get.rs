//! Single questions to the API server, with the patience that a busy one asks for.

use std::time::Duration;

use http::header::ACCEPT;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::access::Cluster;
use super::ask::escaped;
use super::call::{Call, Pages, Refused};
use crate::model::fault::Fault;

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
    /// Go writes an empty list as null here and there.
    items: Option<Vec<T>>,
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
        let cluster = self;
        let answer = Call { cluster, doing }.patiently(path, accept).await;
        answer.map_err(|refused| refused.fault)
    }

    /// A list in pages, at most about `most` objects.
    pub async fn list_json<T: DeserializeOwned>(
        &self,
        path: &str,
        doing: &str,
        most: usize,
    ) -> Result<Listed<T>, Fault> {
        let cluster = self;
        let listed = Call { cluster, doing }.pages(path, most).await;
        listed.map_err(|refused| refused.fault)
    }
}

impl Call<'_> {
    async fn pages<T: DeserializeOwned>(
        self,
        path: &str,
        most: usize,
    ) -> Result<Listed<T>, Refused> {
        let mut items: Vec<T> = Vec::new();
        let mut pages = Pages::default();
        let mut more = String::new();
        loop {
            let path = format!("{path}?limit={PAGE}{more}");
            let page: Page<T> = self.patiently(&path, JSON).await?;
            items.extend(page.items.unwrap_or_default());
            let next = pages.after(page.metadata.next.unwrap_or_default());
            let next = next.map_err(|e| self.unreadable(&e))?;
            let cut = next.is_some();
            match next {
                Some(token) if items.len() < most => {
                    more = format!("&continue={}", escaped(&token));
                }
                _ => return Ok(Listed { items, cut }),
            }
        }
    }

    /// Waits where a busy server asks for that.
    async fn patiently<T: DeserializeOwned>(self, path: &str, accept: &str) -> Result<T, Refused> {
        let mut tries = 0;
        loop {
            let request = http::Request::get(path).header(ACCEPT, accept);
            let refused = match self.json(request.body(Vec::new())).await {
                Err(refused) => refused,
                answer => return answer,
            };
            tries += 1;
            let busy = refused.code == 429 || refused.code >= 500 && refused.after.is_some();
            if !busy || tries > AGAIN {
                return Err(refused);
            }
            let wait = refused.after.unwrap_or(SHORTEST_WAIT * tries);
            tokio::time::sleep(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
        }
    }
}
