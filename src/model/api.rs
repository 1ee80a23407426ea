//! How the API server calls each kind: what the path of an object is made of.

use super::object::ObjectKind;

/// A kind with its group, version and resource. The group of core kinds is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiKind {
    pub group: &'static str,
    /// Asked first; a server that has another one is asked for that.
    pub version: &'static str,
    /// The resource, as paths and rights name it.
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
}

const fn named(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
) -> ApiKind {
    ApiKind {
        group,
        version,
        plural,
        kind,
        namespaced: true,
    }
}

const fn wide(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
) -> ApiKind {
    ApiKind {
        namespaced: false,
        ..named(group, version, plural, kind)
    }
}

pub const POD: ApiKind = named("", "v1", "pods", "Pod");

const FLUX: &str = "source.toolkit.fluxcd.io";

#[rustfmt::skip]
const KINDS: &[(ObjectKind, ApiKind)] = &[
    (ObjectKind::Node, wide("", "v1", "nodes", "Node")),
    (ObjectKind::Pod, POD),
    (ObjectKind::Event, named("", "v1", "events", "Event")),
    (ObjectKind::SriovNodeState, named("sriovnetwork.openshift.io", "v1", "sriovnetworknodestates", "SriovNetworkNodeState")),
    (ObjectKind::Deployment, named("apps", "v1", "deployments", "Deployment")),
    (ObjectKind::StatefulSet, named("apps", "v1", "statefulsets", "StatefulSet")),
    (ObjectKind::DaemonSet, named("apps", "v1", "daemonsets", "DaemonSet")),
    (ObjectKind::Job, named("batch", "v1", "jobs", "Job")),
    (ObjectKind::Autoscaler, named("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")),
    (ObjectKind::Claim, named("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")),
    (ObjectKind::Service, named("", "v1", "services", "Service")),
    (ObjectKind::ClusterOperator, wide("config.openshift.io", "v1", "clusteroperators", "ClusterOperator")),
    (ObjectKind::ClusterVersion, wide("config.openshift.io", "v1", "clusterversions", "ClusterVersion")),
    (ObjectKind::Application, named("argoproj.io", "v1alpha1", "applications", "Application")),
    (ObjectKind::Kustomization, named("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization")),
    (ObjectKind::HelmRelease, named("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease")),
    (ObjectKind::GitRepository, named(FLUX, "v1", "gitrepositories", "GitRepository")),
    (ObjectKind::OciRepository, named(FLUX, "v1", "ocirepositories", "OCIRepository")),
    (ObjectKind::HelmRepository, named(FLUX, "v1", "helmrepositories", "HelmRepository")),
    (ObjectKind::HelmChart, named(FLUX, "v1", "helmcharts", "HelmChart")),
    (ObjectKind::Bucket, named(FLUX, "v1", "buckets", "Bucket")),
    (ObjectKind::PtpConfig, named("ptp.openshift.io", "v1", "ptpconfigs", "PtpConfig")),
    (ObjectKind::PtpDevices, named("ptp.openshift.io", "v1", "nodeptpdevices", "NodePtpDevice")),
    (ObjectKind::SriovPolicy, named("sriovnetwork.openshift.io", "v1", "sriovnetworknodepolicies", "SriovNetworkNodePolicy")),
    (ObjectKind::SriovNetwork, named("sriovnetwork.openshift.io", "v1", "sriovnetworks", "SriovNetwork")),
    (ObjectKind::InferenceService, named("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")),
];

impl ObjectKind {
    /// How the API server calls the kind.
    pub fn api(self) -> ApiKind {
        let found = KINDS.iter().find(|(kind, _)| *kind == self);
        // The table has them all; a test holds that.
        found.map_or(POD, |(_, api)| *api)
    }

    /// As the API writes it: `Deployment`.
    pub fn word(self) -> &'static str {
        self.api().kind
    }

    /// The kind of this name, resource or short name, however it is capitalised.
    pub fn named(word: &str) -> Option<Self> {
        let short = match word.to_ascii_lowercase().as_str() {
            "no" => "node",
            "po" => "pod",
            "deploy" => "deployment",
            "sts" => "statefulset",
            "ds" => "daemonset",
            "hpa" => "horizontalpodautoscaler",
            "pvc" => "persistentvolumeclaim",
            "svc" => "service",
            "co" => "clusteroperator",
            "app" => "application",
            "ks" => "kustomization",
            "hr" => "helmrelease",
            "isvc" => "inferenceservice",
            other => return Self::spelled(other),
        };
        Self::spelled(short)
    }

    fn spelled(word: &str) -> Option<Self> {
        let same = |api: &ApiKind| {
            api.kind.eq_ignore_ascii_case(word) || api.plural.eq_ignore_ascii_case(word)
        };
        let found = KINDS.iter().find(|(_, api)| same(api));
        found.map(|(kind, _)| *kind)
    }
}

impl ApiKind {
    /// `/apis/apps/v1/namespaces/shop/deployments` in this version.
    pub fn path(&self, version: &str, namespace: &str) -> String {
        let root = match self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        match namespace {
            "" => format!("{root}/{}", self.plural),
            namespace => format!("{root}/namespaces/{namespace}/{}", self.plural),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gitops::AppKind;
    use crate::model::workload::WorkloadKind;

    #[test]
    fn every_kind_has_its_path() {
        let all = [
            ObjectKind::Node,
            ObjectKind::Pod,
            ObjectKind::Event,
            ObjectKind::SriovNodeState,
            ObjectKind::Autoscaler,
            ObjectKind::Claim,
            ObjectKind::Service,
            ObjectKind::ClusterOperator,
            ObjectKind::ClusterVersion,
            ObjectKind::PtpConfig,
            ObjectKind::PtpDevices,
            ObjectKind::InferenceService,
            ObjectKind::SriovPolicy,
            ObjectKind::SriovNetwork,
            ObjectKind::of_workload(WorkloadKind::Job),
            ObjectKind::of_app(AppKind::Bucket),
        ];
        for kind in all {
            assert!(KINDS.iter().any(|(k, _)| *k == kind), "{kind:?}");
        }
        for (kind, api) in KINDS {
            assert_eq!(ObjectKind::named(api.plural), Some(*kind));
            assert_eq!(ObjectKind::named(kind.word()), Some(*kind));
        }
        let deployment = ObjectKind::named("deploy").unwrap().api();
        let path = deployment.path("v1", "shop");
        assert_eq!(path, "/apis/apps/v1/namespaces/shop/deployments");
        assert_eq!(POD.path("v1", ""), "/api/v1/pods");
        assert_eq!(ObjectKind::named("secrets"), None);
    }
}
