//! The console without a screen: hears clusters, tells of their incidents, never waits for anybody.

pub mod gauges;

pub use gauges::{Gauges, Seams};
