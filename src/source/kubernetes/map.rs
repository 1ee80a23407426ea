//! Kubernetes objects -> what farwatch keeps of them. Pure: from JSON, `None` for what is no object
//! of its kind; every text is cleaned.

mod argo;
mod common;
mod event;
mod flux;
mod network;
mod node;
mod openshift;
mod pod;
mod ptp;
mod serving;
mod sriov;
mod workload;

pub use argo::application;
pub use event::event;
pub use flux::{
    bucket, git_repository, helm_chart, helm_release, helm_repository, kustomization,
    oci_repository,
};
pub use network::{autoscaler, claim, service};
pub use node::node;
pub use openshift::{cluster_operator, cluster_version};
pub use pod::pod;
pub use ptp::{ptp_config, ptp_devices};
pub use serving::inference_service;
pub use sriov::{sriov_network, sriov_node_state, sriov_policy};
pub use workload::{daemon_set, deployment, job, stateful_set};

#[cfg(test)]
mod tests;
