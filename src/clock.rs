//! The only reader of clocks.

use std::time::Instant;

use crate::model::time::Timestamp;

/// Wall clock, UTC.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// Monotonic clock, for durations at the edge.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn instant() -> Instant {
    Instant::now()
}
