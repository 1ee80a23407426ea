//! Being written.
use super::error::SourceError;
use super::supervisor::{Gate, Line, Source};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
pub struct ScrapeSource {
    gate: Arc<Gate>,
    interval: Duration,
    limit: usize,
}
impl ScrapeSource {
    pub fn new(gate: Arc<Gate>, interval: Duration) -> Self {
        Self {
            gate,
            interval,
            limit: 0,
        }
    }
    pub fn series_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
impl Source for ScrapeSource {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            let _ = (&self.gate, self.limit);
            line.interval(self.interval);
            std::future::pending().await
        })
    }
}
