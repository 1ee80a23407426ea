//! The alert `Watchdog` of one cluster: who told it, and since when it is missing.

use std::sync::Arc;

use crate::model::alert::{Alert, AlertState, Heartbeat};
use crate::model::health::SourceKind;
use crate::model::time::Timestamp;

use super::ClusterState;

impl ClusterState {
    /// Looks for it in the whole list of one source.
    pub(super) fn note_heartbeat(&mut self, source: SourceKind, list: &[Alert], now: Timestamp) {
        let fires = list.iter().find(|a| {
            a.is_watchdog() && matches!(a.state, AlertState::Firing | AlertState::Suppressed)
        });
        let ruled = source == SourceKind::Prometheus && self.facts.watchdog == Some(true);
        let place = self.heartbeats.iter().position(|h| h.source == source);
        match (place.and_then(|at| self.heartbeats.get_mut(at)), fires) {
            (Some(known), Some(alert)) => {
                known.missing = None;
                known.heard = true;
                known.fingerprint = Some(Arc::clone(&alert.fingerprint));
            }
            (Some(known), None) if known.heard || ruled => {
                known.missing.get_or_insert(now);
            }
            // It never fired, and the rule that promised it is gone.
            (Some(_), None) => self.heartbeats.retain(|h| h.source != source),
            (None, Some(alert)) => self.heartbeats.push(Heartbeat {
                source,
                missing: None,
                heard: true,
                fingerprint: Some(Arc::clone(&alert.fingerprint)),
            }),
            (None, None) if ruled => self.heartbeats.push(Heartbeat {
                source,
                missing: Some(now),
                heard: false,
                fingerprint: None,
            }),
            (None, None) => {}
        }
    }
}
