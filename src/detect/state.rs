//! Domain rules: which states of GPUs, clocks, virtual functions and model servers are bad.

mod clocks;
mod cluster;
mod dpdk;
mod fleet;
mod gitops;
mod gpu;
mod heartbeat;
mod objects;
mod serving;
mod sriov;

pub use clocks::{ptp, ptp_trends};
pub use cluster::{alerts, credentials, nodes, pods, sources};
pub use dpdk::dpdk_losses;
pub use fleet::fleet;
pub use gitops::{apps, inference};
pub use gpu::devices;
pub use heartbeat::heartbeat;
pub use objects::{autoscalers, claims, operators, version, workloads};
pub use serving::serving;
pub use sriov::{sriov, sriov_drops, sriov_exhausted};
