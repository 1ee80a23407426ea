//! Where a row leads: told to the frame, which changes the screen.

use std::sync::Arc;

use crate::model::id::{ClusterId, IncidentId};
use crate::model::sample::SeriesKey;

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Cluster(ClusterId),
    Node(ClusterId, Arc<str>),
    Pod(ClusterId, Arc<str>, Arc<str>),
    /// The metrics screen with this series chosen.
    Series(ClusterId, SeriesKey),
    /// The metrics screen with this PromQL, asked at once.
    Query(ClusterId, String),
    /// The logs screen narrowed to this text.
    Logs(ClusterId, String),
    /// The alerts screen at this fingerprint.
    Alert(ClusterId, Arc<str>),
    Incident(IncidentId),
    /// The GPU screen at this node and index.
    Gpu(ClusterId, Arc<str>, String),
    /// The CNF screen at this node.
    Clock(ClusterId, Arc<str>),
}
