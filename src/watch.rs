//! The console without a screen: hears clusters, tells of their incidents, never waits for anybody.

pub mod gauges;
pub mod log;
pub mod metrics;
pub mod otlp;
mod outages;
pub mod outlets;
pub mod remote_write;
pub mod run;
pub mod serve;
pub mod told;
mod ward;
pub mod webhook;

pub use gauges::Gauges;
