//! What is watched, and how the objects of each kind are read.

use super::map;
use crate::model::object::{Object, ObjectKind};

/// One resource of the API.
#[derive(Debug)]
pub struct Kind {
    pub object: ObjectKind,
    /// Empty for the core.
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    /// The namespace is part of its key.
    pub namespaced: bool,
    /// Comes with an operator: it may be absent, and appear later.
    pub optional: bool,
    /// Objects that do not fit this are not asked for.
    pub fields: Option<&'static str>,
    /// From JSON; `None`: not to be read.
    pub read: fn(&[u8]) -> Option<Object>,
}

impl Kind {
    pub fn path(&self, version: &str) -> String {
        match self.group {
            "" => format!("/api/{version}/{}", self.plural),
            group => format!("/apis/{group}/{version}/{}", self.plural),
        }
    }
}

const fn core(object: ObjectKind, plural: &'static str, read: fn(&[u8]) -> Option<Object>) -> Kind {
    Kind {
        object,
        group: "",
        version: "v1",
        plural,
        namespaced: true,
        optional: false,
        fields: None,
        read,
    }
}

const fn of(
    object: ObjectKind,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    read: fn(&[u8]) -> Option<Object>,
) -> Kind {
    Kind {
        object,
        group,
        version,
        plural,
        namespaced: true,
        optional: true,
        fields: None,
        read,
    }
}

const fn built_in(kind: Kind) -> Kind {
    Kind {
        optional: false,
        ..kind
    }
}

/// One for the whole cluster, or one for each node whose name it bears.
const fn no_namespace(kind: Kind) -> Kind {
    Kind {
        namespaced: false,
        ..kind
    }
}

const OPENSHIFT: &str = "config.openshift.io";
const SRIOV: &str = "sriovnetwork.openshift.io";
const PTP: &str = "ptp.openshift.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";

use ObjectKind as K;

pub static KINDS: [Kind; 26] = [
    no_namespace(core(K::Node, "nodes", map::node)),
    core(K::Pod, "pods", map::pod),
    core(K::Event, "events", map::event),
    core(K::Service, "services", map::service),
    core(K::Claim, "persistentvolumeclaims", map::claim),
    built_in(of(
        K::Deployment,
        "apps",
        "v1",
        "deployments",
        map::deployment,
    )),
    built_in(of(
        K::StatefulSet,
        "apps",
        "v1",
        "statefulsets",
        map::stateful_set,
    )),
    built_in(of(
        K::DaemonSet,
        "apps",
        "v1",
        "daemonsets",
        map::daemon_set,
    )),
    Kind {
        // A Job that succeeded is of no more interest, and there may be thousands of them.
        fields: Some("status.successful=0"),
        ..built_in(of(K::Job, "batch", "v1", "jobs", map::job))
    },
    built_in(of(
        K::Autoscaler,
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        map::autoscaler,
    )),
    no_namespace(of(
        K::ClusterOperator,
        OPENSHIFT,
        "v1",
        "clusteroperators",
        map::cluster_operator,
    )),
    no_namespace(of(
        K::ClusterVersion,
        OPENSHIFT,
        "v1",
        "clusterversions",
        map::cluster_version,
    )),
    of(
        K::Application,
        "argoproj.io",
        "v1alpha1",
        "applications",
        map::application,
    ),
    of(
        K::Kustomization,
        "kustomize.toolkit.fluxcd.io",
        "v1",
        "kustomizations",
        map::kustomization,
    ),
    of(
        K::HelmRelease,
        "helm.toolkit.fluxcd.io",
        "v2",
        "helmreleases",
        map::helm_release,
    ),
    of(
        K::GitRepository,
        SOURCE,
        "v1",
        "gitrepositories",
        map::git_repository,
    ),
    of(
        K::OciRepository,
        SOURCE,
        "v1",
        "ocirepositories",
        map::oci_repository,
    ),
    of(
        K::HelmRepository,
        SOURCE,
        "v1",
        "helmrepositories",
        map::helm_repository,
    ),
    of(K::HelmChart, SOURCE, "v1", "helmcharts", map::helm_chart),
    of(K::Bucket, SOURCE, "v1", "buckets", map::bucket),
    no_namespace(of(
        K::SriovNodeState,
        SRIOV,
        "v1",
        "sriovnetworknodestates",
        map::sriov_node_state,
    )),
    of(
        K::SriovPolicy,
        SRIOV,
        "v1",
        "sriovnetworknodepolicies",
        map::sriov_policy,
    ),
    of(
        K::SriovNetwork,
        SRIOV,
        "v1",
        "sriovnetworks",
        map::sriov_network,
    ),
    of(K::PtpConfig, PTP, "v1", "ptpconfigs", map::ptp_config),
    no_namespace(of(
        K::PtpDevices,
        PTP,
        "v1",
        "nodeptpdevices",
        map::ptp_devices,
    )),
    of(
        K::InferenceService,
        "serving.kserve.io",
        "v1beta1",
        "inferenceservices",
        map::inference_service,
    ),
];
