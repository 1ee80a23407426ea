//! What the agent and other programs looked at, line by line in the audit file.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::task::JoinSet;

use super::lock;
use super::tools::fetch::Fetched;
use crate::model::redact::redact;
use crate::model::text::clean;
use crate::source::audit::{Audit, Deed, Stage};

/// Longest arguments of a line, letters.
const ARGUMENTS: usize = 2_000;

/// Writes beside the work: reading waits for no disk, and goes on where nothing can be written.
#[derive(Clone, Debug)]
pub struct Ledger {
    audit: Audit,
    operator: Arc<str>,
    /// Who calls: `agent call` or `mcp client call`.
    what: &'static str,
    writing: Arc<Mutex<JoinSet<()>>>,
}

impl Ledger {
    pub fn new(audit: Audit, operator: Arc<str>, what: &'static str) -> Self {
        Self {
            audit,
            operator,
            what,
            writing: Arc::default(),
        }
    }

    /// One call that was carried out, of these clusters.
    pub fn note(&self, tool: &str, arguments: &Value, clusters: &[String], told: &Fetched) {
        let (cluster, tool) = (clusters.join(", "), clean(tool, 100));
        let body = redact(&clean(&arguments.to_string(), ARGUMENTS));
        let outcome = format!("{} rows", told.rows);
        let stage = if told.ok { Stage::Done } else { Stage::Failed };
        let ledger = self.clone();
        let mut writing = lock(&self.writing);
        while writing.try_join_next().is_some() {}
        writing.spawn(async move {
            let deed = Deed {
                cluster: &cluster,
                user: &ledger.operator,
                proposed_by: None,
                allowed_by: None,
                action: ledger.what,
                subject: tool,
                server: "",
                via: None,
                method: "read",
                path: String::new(),
                body: Some(body),
            };
            if let Err(why) = ledger.audit.note(&deed, stage, &outcome).await {
                tracing::warn!(%why, "a call is not in the audit file");
            }
        });
    }

    /// Waits for what is being written.
    pub async fn written(&self) {
        let mut writing = std::mem::take(&mut *lock(&self.writing));
        while writing.join_next().await.is_some() {}
    }
}
