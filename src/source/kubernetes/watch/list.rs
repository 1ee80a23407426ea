//! A list, page by page.

use kube::api::ListParams;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::Named;
use super::{End, Watch};
use crate::model::telemetry::ObjectBatch;
use crate::source::kubernetes::Cluster;
use crate::source::kubernetes::call::{Call, Pages, Refused};

const PAGE: u32 = 500;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    /// Go writes an empty list as null here and there.
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

impl Watch {
    pub(super) async fn list(&mut self, cluster: &Cluster, path: &str) -> End {
        let doing = format!("list {}", self.kind.plural);
        let call = Call {
            cluster,
            doing: &doing,
        };
        let found = match self.pages(call, path, Some(PAGE)).await {
            // The server forgot the list between two pages: then in one piece.
            Err(refused) if refused.code == 410 => self.pages(call, path, None).await,
            found => found,
        };
        let (list, version) = match found {
            Ok(found) => found,
            Err(refused) if refused.code == 410 => return End::On { quick: true },
            Err(refused) => return End::Refused(refused.into()),
        };
        if version.is_empty() {
            return End::Refused(call.unreadable("no resourceVersion").into());
        }
        self.listed(list, version);
        match self.flush().await {
            Some(()) => End::Listed,
            None => End::Gone,
        }
    }

    async fn pages(
        &self,
        call: Call<'_>,
        path: &str,
        limit: Option<u32>,
    ) -> Result<(ObjectBatch, String), Refused> {
        let mut list = ObjectBatch::empty(self.kind.object);
        let mut pages = Pages::default();
        let mut params = ListParams {
            limit,
            field_selector: self.kind.fields.map(str::to_owned),
            ..ListParams::default()
        };
        loop {
            let request = kube::core::Request::new(path).list(&params);
            let answer = call.send(request).await?;
            let body = call.body(answer.into_body()).await?;
            let page: Page<'_> =
                serde_json::from_slice(&body).map_err(|e| call.unreadable(&e.to_string()))?;
            for item in page.items.unwrap_or_default() {
                let raw = item.get().as_bytes();
                match (self.kind.read)(raw) {
                    Some(object) => list.upserts.push(object),
                    None => {
                        let named: Named = serde_json::from_slice(raw).unwrap_or_default();
                        list.unread.push(self.unread(&named.metadata));
                    }
                }
            }
            let next = pages.after(page.metadata.next);
            let next = next.map_err(|e| call.unreadable(&e))?;
            if next.is_none() {
                return Ok((list, page.metadata.resource_version));
            }
            params.continue_token = next;
        }
    }
}
