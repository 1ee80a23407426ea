//! Ring of log lines, bounded by bytes.

use std::collections::VecDeque;

use crate::model::log::LogLine;

#[derive(Debug, Default)]
pub struct LogRing {
    pub lines: VecDeque<LogLine>,
    /// Lines pushed out or lost on the way.
    pub dropped: u64,
    pub bytes: u64,
}
