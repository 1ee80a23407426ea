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
    let prometheus = all.iter().find(|h| h.source == SourceKind::Prometheus);
    let missing = |h: &&Heartbeat| h.missing.is_some();
    let lost = prometheus
        .filter(missing)
        .or_else(|| all.iter().find(missing))?;
    // Who still has it shows that it is lost on the way and not at its source.
    let heard = all.iter().find(|h| h.missing.is_none());
    let (text, for_ms) = match (lost.source, heard) {
        (SourceKind::Prometheus, _) if !lost.heard => (
            "Prometheus has a rule Watchdog that does not fire: the alerting pipeline is broken"
                .to_owned(),
            START_MS,
        ),
        (SourceKind::Alertmanager(_), Some(heard)) => {
            let several = all.iter().filter(|h| h.source.is_alertmanager()).count() > 1;
            let who = match several {
                true => lost.source.to_string(),
                false => "the Alertmanager".to_owned(),
            };
            let whence = match heard.source {
                SourceKind::Prometheus => "Prometheus fires the alert Watchdog".to_owned(),
                other => format!("{other} has the alert Watchdog"),
            };
            (
                format!("{whence} and {who} no longer has it: alerts do not get there"),
                START_MS,
            )
        }
        _ => (
            "the alert Watchdog no longer fires: the alerting pipeline is broken".to_owned(),
            0,
        ),
    };
    let key = "alert/Watchdog".to_owned();
    let mut c = Condition::state(Subject::Cluster, key, Severity::Critical, text);
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
            told(Alertmanager(0), Some(5), true),
            told(Prometheus, None, true),
        ];
        let (words, for_ms) = text(&both).expect("lost on the way");
        assert!(words.contains("do not get there") && for_ms > 0, "{words}");
        let pair = [
            told(Alertmanager(0), None, true),
            told(Alertmanager(1), Some(5), true),
        ];
        let (words, _) = text(&pair).expect("one of a pair is cut off");
        assert!(
            words.contains("alertmanager has the alert Watchdog and alertmanager 2 no longer"),
            "{words}"
        );
        let (words, for_ms) = text(&[told(Prometheus, Some(5), false)]).expect("a rule");
        assert!(
            words.contains("has a rule Watchdog") && for_ms > 0,
            "{words}"
        );
        let both = [
            told(Alertmanager(0), None, true),
            told(Prometheus, Some(5), true),
        ];
        let (words, for_ms) = text(&both).expect("gone");
        assert!(words.contains("no longer fires") && for_ms == 0, "{words}");
        assert!(text(&[told(Alertmanager(0), Some(5), true)]).is_some());
    }
}
