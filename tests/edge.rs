//! Sites with exporters and no Prometheus: what is held of them beside a real Prometheus, and their
//! samples over a real bus that comes and goes, on a thin line.
#![allow(
    clippy::duplicate_mod,
    reason = "both servers take their ports in the same way"
)]

#[path = "edge/bus.rs"]
mod bus;
#[path = "edge/figures.rs"]
mod figures;
#[path = "edge/late.rs"]
mod late;
#[path = "support/nats.rs"]
mod nats;
#[path = "support/prometheus.rs"]
mod prometheus;
#[allow(dead_code, reason = "the tests of PromQL use the rest")]
#[path = "promql/said.rs"]
mod said;
#[path = "edge/signals.rs"]
mod signals;
#[path = "edge/site.rs"]
mod site;
#[path = "edge/whole.rs"]
mod whole;
#[path = "edge/window.rs"]
mod window;

use farwatch::model::label::Labels;
use farwatch::model::sample::Sample;
use farwatch::model::time::Timestamp;
use farwatch::promql::Series;
