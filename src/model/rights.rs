//! Every right that the console uses at an API server, with what it is for: one table.
//!
//! Reviews ask for these, `docs/rbac.yaml` grants these, and "not permitted" names these; nothing
//! else is used.

use super::gitops::AppKind;
use super::identity::Right;
use super::object::ObjectKind;

/// Which role of `docs/rbac.yaml` holds the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What every operator of the console needs.
    Read,
    /// To reach services that have no address outside the cluster.
    Tunnel,
    /// To act, where actions are switched on.
    Act,
    /// To run `nvidia-smi` in the driver's pods, where that is switched on.
    Exec,
}

/// Some verbs on one resource, for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub part: Part,
    /// API group; empty for the core.
    pub group: &'static str,
    /// With its subresource: `pods/log`.
    pub resource: &'static str,
    pub verbs: &'static [&'static str],
    pub purpose: &'static str,
    /// Only the objects of these names; empty: all.
    pub names: &'static [&'static str],
    /// The kind that is watched by it.
    pub kind: Option<ObjectKind>,
}

const WATCH: &[&str] = &["get", "list", "watch"];

const fn watch(
    kind: ObjectKind,
    group: &'static str,
    resource: &'static str,
    purpose: &'static str,
) -> Need {
    Need {
        part: Part::Read,
        group,
        resource,
        verbs: WATCH,
        purpose,
        names: &[],
        kind: Some(kind),
    }
}

const fn need(
    part: Part,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    purpose: &'static str,
) -> Need {
    Need {
        part,
        group,
        resource,
        verbs,
        purpose,
        names: &[],
        kind: None,
    }
}

const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCES: &str = "source.toolkit.fluxcd.io";
const REVIEWS: [&str; 2] = ["authentication.k8s.io", "authorization.k8s.io"];

use ObjectKind as K;
use Part::{Act, Exec, Read, Tunnel};

#[rustfmt::skip]
pub static NEEDS: &[Need] = &[
    watch(K::Node, "", "nodes", "nodes, their conditions and room"),
    watch(K::Pod, "", "pods", "pods and what is wrong with them"),
    watch(K::Event, "", "events", "events"),
    watch(K::Service, "", "services", "services, and what is found in the cluster"),
    watch(K::Claim, "", "persistentvolumeclaims", "volumes that are not bound"),
    need(Read, "", "pods/log", &["get"], "logs of a pod"),
    watch(K::Deployment, "apps", "deployments", "workloads not at their replicas"),
    watch(K::StatefulSet, "apps", "statefulsets", "workloads not at their replicas"),
    watch(K::DaemonSet, "apps", "daemonsets", "workloads not at their replicas"),
    watch(K::Job, "batch", "jobs", "jobs that failed"),
    watch(K::Autoscaler, "autoscaling", "horizontalpodautoscalers", "autoscalers at their limit"),
    need(Read, "networking.k8s.io", "ingresses", &["list"], "addresses of services from outside"),
    need(Read, "route.openshift.io", "routes", &["list"], "addresses of services from outside, OpenShift"),
    watch(K::ClusterOperator, "config.openshift.io", "clusteroperators", "operators of OpenShift"),
    watch(K::ClusterVersion, "config.openshift.io", "clusterversions", "version and update of OpenShift"),
    watch(K::Application, "argoproj.io", "applications", "applications of Argo CD"),
    watch(K::Kustomization, KUSTOMIZE, "kustomizations", "Kustomizations of Flux"),
    watch(K::HelmRelease, HELM, "helmreleases", "HelmReleases of Flux"),
    watch(K::GitRepository, SOURCES, "gitrepositories", "sources of Flux"),
    watch(K::OciRepository, SOURCES, "ocirepositories", "sources of Flux"),
    watch(K::HelmRepository, SOURCES, "helmrepositories", "sources of Flux"),
    watch(K::HelmChart, SOURCES, "helmcharts", "sources of Flux"),
    watch(K::Bucket, SOURCES, "buckets", "sources of Flux"),
    watch(K::SriovNodeState, "sriovnetwork.openshift.io", "sriovnetworknodestates", "SR-IOV devices and their sync"),
    watch(K::SriovPolicy, "sriovnetwork.openshift.io", "sriovnetworknodepolicies", "what SR-IOV devices are wanted"),
    watch(K::SriovNetwork, "sriovnetwork.openshift.io", "sriovnetworks", "networks of SR-IOV devices"),
    watch(K::PtpConfig, "ptp.openshift.io", "ptpconfigs", "PTP profiles"),
    watch(K::PtpDevices, "ptp.openshift.io", "nodeptpdevices", "PTP devices of the nodes"),
    watch(K::InferenceService, "serving.kserve.io", "inferenceservices", "model servers of KServe"),
    need(Read, "authentication.k8s.io", "selfsubjectreviews", &["create"], "who I am"),
    need(Read, "authorization.k8s.io", "selfsubjectaccessreviews", &["create"], "what I may do"),
    Need { names: &["microshift-version"], ..need(Read, "", "configmaps", &["get"], "whether this is MicroShift") },
    need(Tunnel, "", "services/proxy", &["get", "create"], "reach services through the API server"),
    need(Tunnel, "", "pods/portforward", &["get", "create"], "reach services by port-forward"),
    Need { names: &["openshift-service-ca.crt"], ..need(Tunnel, "", "configmaps", &["get"], "who signs the certificates of services, OpenShift") },
    need(Act, "argoproj.io", "applications", &["patch"], "refresh and sync of Argo CD"),
    need(Act, KUSTOMIZE, "kustomizations", &["patch"], "reconcile of Flux"),
    need(Act, HELM, "helmreleases", &["patch"], "reconcile of Flux"),
    need(Act, SOURCES, "gitrepositories", &["patch"], "reconcile of Flux"),
    need(Act, SOURCES, "ocirepositories", &["patch"], "reconcile of Flux"),
    need(Act, SOURCES, "helmrepositories", &["patch"], "reconcile of Flux"),
    need(Act, SOURCES, "helmcharts", &["patch"], "reconcile of Flux"),
    need(Act, SOURCES, "buckets", &["patch"], "reconcile of Flux"),
    need(Exec, "", "pods/exec", &["get", "create"], "read GPUs by nvidia-smi in pods of the driver"),
];

impl Need {
    pub fn right(&self, verb: &str) -> Right {
        Right {
            verb: verb.to_owned(),
            group: self.group.to_owned(),
            resource: self.resource.to_owned(),
            namespace: None,
        }
    }

    pub fn is_review(&self) -> bool {
        REVIEWS.contains(&self.group)
    }

    /// Whether a review is asked for it. Asking for the right to ask would tell nothing, and what
    /// holds for single objects is no right of the whole cluster. What is switched on by itself asks
    /// for itself, where it needs it.
    pub fn is_reviewed(&self) -> bool {
        !self.is_review() && self.names.is_empty() && self.part != Exec
    }
}

/// What it takes to run something in a pod of this namespace: an exec begins as a GET, and newer
/// servers want both.
pub fn to_exec(namespace: &str) -> impl Iterator<Item = Right> {
    let needs = NEEDS.iter().filter(|need| need.part == Exec);
    needs.flat_map(move |need| {
        need.verbs.iter().map(move |verb| Right {
            namespace: Some(namespace.to_owned()),
            ..need.right(verb)
        })
    })
}

/// What the watch of a kind needs.
pub fn of_kind(kind: ObjectKind) -> Option<&'static Need> {
    NEEDS.iter().find(|need| need.kind == Some(kind))
}

/// The right to change an application or a source of GitOps.
pub fn to_patch(kind: AppKind) -> Option<Right> {
    let watched = of_kind(ObjectKind::of_app(kind))?;
    NEEDS
        .iter()
        .find(|n| (n.part, n.group, n.resource) == (Act, watched.group, watched.resource))
        .map(|need| need.right("patch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_stands_once_and_each_application_can_be_patched() {
        let mut seen = std::collections::BTreeSet::new();
        for need in NEEDS {
            assert!(!need.purpose.is_empty());
            for verb in need.verbs {
                let right = (need.right(verb), need.names);
                assert!(seen.insert(right), "{verb} {}", need.resource);
            }
        }
        for kind in [
            AppKind::Application,
            AppKind::Kustomization,
            AppKind::HelmRelease,
            AppKind::GitRepository,
            AppKind::OciRepository,
            AppKind::HelmRepository,
            AppKind::HelmChart,
            AppKind::Bucket,
        ] {
            let right = to_patch(kind).expect("a right");
            assert_eq!(right.verb, "patch");
            assert!(
                right
                    .resource
                    .starts_with(&kind.as_str().to_lowercase()[..3])
            );
        }
    }

    /// Least privilege: nothing secret, nothing at large, no write but the few that are told.
    #[test]
    fn nothing_more_than_told_is_used() {
        for need in NEEDS {
            assert!(!need.resource.contains("secret") && !need.resource.contains('*'));
            assert!(!need.group.contains('*'), "{need:?}");
            if let Some(kind) = need.kind {
                let api = kind.api();
                assert_eq!((need.group, need.resource), (api.group, api.plural));
            }
            for verb in need.verbs {
                let told = match *verb {
                    "get" | "list" | "watch" => true,
                    "create" => need.is_review() || matches!(need.part, Tunnel | Exec),
                    "patch" => {
                        need.part == Act
                            && (need.group == "argoproj.io" || need.group.ends_with("fluxcd.io"))
                    }
                    _ => false,
                };
                assert!(told, "{verb} {}", need.resource);
            }
        }
    }
}
