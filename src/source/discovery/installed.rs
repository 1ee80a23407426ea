//! What is known by its APIs: operators, Argo CD, Flux, KServe.

use super::offer::{Groups, Service};
use crate::model::discovery::Component;
use crate::model::text::clean;

/// What is there by its API group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub group: &'static str,
    pub resource: &'static str,
    /// `argoproj.io/v1alpha1`; `None`: not installed.
    pub place: Option<String>,
    pub version: Option<String>,
}

/// `None`: the component has no API of its own.
pub fn installed(component: Component, groups: &Groups, services: &[Service]) -> Option<Installed> {
    // Argo Workflows and Rollouts share their group with Argo CD.
    let (group, resource) = match component {
        Component::PtpOperator => ("ptp.openshift.io", "ptpconfigs"),
        Component::SriovOperator => ("sriovnetwork.openshift.io", "sriovnetworknodestates"),
        Component::ArgoCd => ("argoproj.io", "applications"),
        Component::Flux => ("source.toolkit.fluxcd.io", "gitrepositories"),
        Component::KServe => ("serving.kserve.io", "inferenceservices"),
        _ => return None,
    };
    let place = groups.versioned(group, resource);
    let version = place
        .is_some()
        .then(|| version(component, services))
        .flatten();
    Some(Installed {
        group,
        resource,
        place,
        version,
    })
}

/// What the labels of its own services say.
fn version(component: Component, services: &[Service]) -> Option<String> {
    let part = match component {
        Component::ArgoCd => "argocd",
        Component::Flux => "flux",
        Component::KServe => "kserve",
        _ => return None,
    };
    let told = services
        .iter()
        .filter(|s| s.label("app.kubernetes.io/part-of") == part)
        .map(|s| clean(s.label("app.kubernetes.io/version"), 60));
    told.into_iter().find(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_groups() {
        let mut groups = Groups::default();
        let told = super::super::offer::Group {
            version: "v1alpha1".into(),
            resources: vec!["applications".into()],
        };
        groups.0.insert("argoproj.io".into(), told);
        let mut service = Service::default();
        for (name, value) in [("part-of", "argocd"), ("version", "v3.1.0")] {
            let name = format!("app.kubernetes.io/{name}");
            service.labels.insert(name, value.into());
        }
        let argo = installed(Component::ArgoCd, &groups, &[service]).unwrap();
        assert_eq!(argo.place.as_deref(), Some("argoproj.io/v1alpha1"));
        assert_eq!(argo.version.as_deref(), Some("v3.1.0"));
        let flux = installed(Component::Flux, &groups, &[]).unwrap();
        assert_eq!(flux.place, None);
        assert_eq!(installed(Component::Loki, &groups, &[]), None);
    }
}
