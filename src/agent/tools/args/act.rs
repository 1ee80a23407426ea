//! Arguments of the tools that propose one of the console's actions. None of them acts: the operator
//! sees the exact request and sends it, or does not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rules;
use crate::model::action::SILENCE_HOURS;

pub const PROPOSE_SILENCE: &str = "propose_silence";
pub const PROPOSE_GITOPS: &str = "propose_gitops";

/// Hours of a silence that says nothing of them.
const USUAL_HOURS: u8 = 2;

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeSilence {
    pub cluster: String,
    /// Labels of a firing alert, alertname among them
    pub matchers: BTreeMap<String, String>,
    /// 1, 2 (default), 4, 8 or 24
    #[serde(default)]
    pub hours: Option<u32>,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum GitOpsAction {
    Refresh,
    HardRefresh,
    Sync,
    Reconcile,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeGitOps {
    pub cluster: String,
    /// reconcile: Flux
    pub action: GitOpsAction,
    pub namespace: String,
    pub name: String,
    pub reason: String,
}

impl ProposeSilence {
    /// 0 where that is no number of hours a silence may last.
    pub fn hours(&self) -> u8 {
        let told = self.hours.map(|hours| u8::try_from(hours).unwrap_or(0));
        told.unwrap_or(USUAL_HOURS)
    }
}

impl ProposeGitOps {
    /// A kind where one stands before the name, as in `HelmRelease/cart`; and the name.
    pub fn named(&self) -> (Option<&str>, &str) {
        match self.name.split_once('/') {
            Some((kind, name)) => (Some(kind), name),
            None => (None, &self.name),
        }
    }
}

impl GitOpsAction {
    /// As `Action::word` calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::HardRefresh => "hard refresh",
            Self::Sync => "sync",
            Self::Reconcile => "reconcile",
        }
    }
}

impl Rules for ProposeSilence {
    fn rules(&self) -> Result<(), String> {
        if !self.matchers.contains_key("alertname") {
            return Err(
                "`matchers` must name the alert: {\"alertname\": \"...\"}; what hushes \
                 alerts of any name cannot be proposed"
                    .into(),
            );
        }
        if let Some((name, _)) = self.matchers.iter().find(|(_, v)| v.trim().is_empty()) {
            return Err(format!(
                "the matcher `{name}` is empty and would match every alert without that label"
            ));
        }
        if !SILENCE_HOURS.contains(&self.hours()) {
            return Err("`hours` may be 1, 2, 4, 8 or 24".into());
        }
        reasoned(&self.reason)
    }
}

impl Rules for ProposeGitOps {
    fn rules(&self) -> Result<(), String> {
        if self.namespace.is_empty() || self.name.is_empty() {
            return Err("name the namespace and the application".into());
        }
        reasoned(&self.reason)
    }
}

fn reasoned(reason: &str) -> Result<(), String> {
    match reason.trim().is_empty() {
        true => Err("`reason` is empty: say in a sentence why".into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn silence(matchers: serde_json::Value, hours: Option<u32>) -> Result<(), String> {
        let matchers = serde_json::from_value(matchers).expect("labels");
        ProposeSilence {
            cluster: "alpha".into(),
            matchers,
            hours,
            reason: "planned work".into(),
        }
        .rules()
    }

    #[test]
    fn a_silence_names_its_alert_and_leaves_nothing_open() {
        assert_eq!(silence(json!({"alertname": "Down"}), None), Ok(()));
        assert_eq!(silence(json!({"alertname": "Down"}), Some(24)), Ok(()));
        for wide in [
            json!({}),
            json!({"severity": "critical"}),
            json!({"alertname": ""}),
            json!({"alertname": "  "}),
            json!({"alertname": "Down", "node": ""}),
        ] {
            assert!(silence(wide.clone(), None).is_err(), "{wide}");
        }
        for hours in [0, 3, 48, 257, u32::MAX] {
            assert!(
                silence(json!({"alertname": "Down"}), Some(hours)).is_err(),
                "{hours}"
            );
        }
    }

    #[test]
    fn a_proposal_says_why() {
        let wanted = |reason: &str| ProposeGitOps {
            cluster: "alpha".into(),
            action: GitOpsAction::Sync,
            namespace: "argocd".into(),
            name: "shop".into(),
            reason: reason.into(),
        };
        assert_eq!(wanted("drifted").rules(), Ok(()));
        assert!(wanted(" ").rules().is_err());
    }
}
