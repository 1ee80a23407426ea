//! The pipeline's own heartbeat: the alert `Watchdog` fires always, where there is one.

use crate::detect::Condition;
use crate::model::alert::{Heartbeat, Severity};
use crate::model::finding::{Evidence, FindingKind, Subject};
use crate::model::health::SourceKind;

/// How long a server that has just started may be without it, milliseconds.
const START_MS: u64 = 300_000;

/// It is missing where it was heard once, or where a rule says that it should be there. A source
/// that does not answer tells nothing, and a cluster that never had one misses none.
pub fn heartbeat(all: &[Heartbeat]) -> Option<Condition> {
    let of = |kind: SourceKind| all.iter().find(|h| h.source == kind);
    let fires = of(SourceKind::Prometheus).is_some_and(|h| h.missing.is_none());
    let missing = |h: &&Heartbeat| h.missing.is_some();
    let lost = of(SourceKind::Prometheus)
        .filter(missing)
        .or_else(|| all.iter().find(missing))?;
    let (text, for_ms) = match (lost.source, lost.heard) {
        (SourceKind::Prometheus, false) => (
            "Prometheus has a rule Watchdog that does not fire: the alerting pipeline is broken",
            START_MS,
        ),
        (SourceKind::Alertmanager, _) if fires => (
            "Prometheus fires the alert Watchdog and the Alertmanager no longer has it: \
             alerts do not get there",
            START_MS,
        ),
        _ => (
            "the alert Watchdog no longer fires: the alerting pipeline is broken",
            0,
        ),
    };
    let key = "alert/Watchdog".to_owned();
    let mut c = Condition::state(Subject::Cluster, key, Severity::Critical, text.into());
    c.kind = FindingKind::Alert;
    c.signal = "alert";
    c.since = lost.missing;
    c.for_ms = for_ms;
    c.method = "an alert that always fires".into();
    c.evidence = lost
        .fingerprint
        .iter()
        .cloned()
        .map(Evidence::Alert)
        .collect();
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn told(source: SourceKind, missing: Option<i64>, heard: bool) -> Heartbeat {
        Heartbeat {
            source,
            missing: missing.map(Timestamp),
            heard,
            fingerprint: None,
        }
    }

    #[test]
    fn says_where_it_was_lost_and_never_invents_one() {
        use SourceKind::{Alertmanager, Prometheus};
        let text = |all: &[Heartbeat]| heartbeat(all).map(|c| (c.text, c.for_ms));
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[told(Prometheus, None, true)]), None);
        let both = [
            told(Alertmanager, Some(5), true),
            told(Prometheus, None, true),
        ];
        let (words, for_ms) = text(&both).expect("lost on the way");
        assert!(words.contains("do not get there") && for_ms > 0, "{words}");
        let (words, for_ms) = text(&[told(Prometheus, Some(5), false)]).expect("a rule");
        assert!(
            words.contains("has a rule Watchdog") && for_ms > 0,
            "{words}"
        );
        let both = [
            told(Alertmanager, None, true),
            told(Prometheus, Some(5), true),
        ];
        let (words, for_ms) = text(&both).expect("gone");
        assert!(words.contains("no longer fires") && for_ms == 0, "{words}");
        assert!(text(&[told(Alertmanager, Some(5), true)]).is_some());
    }
}
