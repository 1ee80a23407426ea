//! The way to an endpoint: directly, or through the API server of its cluster.

use std::fmt;
use std::ops::Range;

use toml::Spanned;

use super::build::{Mistake, mistake};
use super::file;
use super::name::is_label;

/// How an endpoint is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// Its URL as configured.
    #[default]
    Direct,
    /// Its URL, found as a Route of OpenShift.
    Route,
    /// Its URL, found as an Ingress.
    Ingress,
    /// The API server's service proxy. It passes on no credentials and checks no certificate.
    Proxy(ServiceRef),
    /// A port-forward through the API server to a ready pod.
    Forward(Target),
}

/// What a port-forward leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Service(ServiceRef),
    /// Pods without a service, by the selector of their labels; plain HTTP.
    Pods {
        namespace: String,
        selector: String,
        port: ServicePort,
    },
}

/// A Service of the cluster and one of its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRef {
    pub namespace: String,
    pub name: String,
    pub port: ServicePort,
    /// The port speaks TLS.
    pub tls: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServicePort {
    Number(u16),
    Name(String),
}

impl Via {
    /// The way in a few words, to `url`; `None` for a URL as configured.
    pub fn words(&self, url: &str) -> Option<String> {
        let host = url.split('/').nth(2).unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        match self {
            Self::Direct => None,
            Self::Route => Some(format!("via route {host}")),
            Self::Ingress => Some(format!("via ingress {host}")),
            Self::Proxy(service) => Some(format!("via service proxy {service}")),
            Self::Forward(target) => Some(format!("via port-forward to {target}")),
        }
    }
}

impl ServiceRef {
    /// The URL that an endpoint of this service has; `path` is its prefix, mostly empty.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        url(scheme, &self.host(), &self.port, path)
    }

    /// The name in the cluster, for which certificates of services are made.
    pub fn host(&self) -> String {
        format!("{}.{}.svc", self.name, self.namespace)
    }
}

impl Target {
    /// Like [`ServiceRef::url`].
    pub fn url(&self, path: &str) -> String {
        match self {
            Self::Service(service) => service.url(path),
            Self::Pods {
                namespace, port, ..
            } => url("http", &format!("pod.{namespace}"), port, path),
        }
    }
}

/// A URL carries no named port.
fn url(scheme: &str, host: &str, port: &ServicePort, path: &str) -> String {
    let path = path.trim_matches('/');
    let slash = if path.is_empty() { "" } else { "/" };
    match port {
        ServicePort::Number(port) => format!("{scheme}://{host}:{port}{slash}{path}"),
        ServicePort::Name(_) => format!("{scheme}://{host}{slash}{path}"),
    }
}

impl fmt::Display for ServicePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(port) => write!(f, "{port}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ServiceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.namespace, self.name, self.port)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => service.fmt(f),
            Self::Pods {
                namespace,
                selector,
                port,
            } => write!(f, "{namespace}/{selector}:{port}"),
        }
    }
}

/// What an endpoint of the file says of its place.
pub(super) struct Place<'a> {
    pub url: Option<&'a Spanned<String>>,
    pub service: Option<&'a Spanned<String>>,
    pub pods: Option<&'a Spanned<String>>,
    pub path: Option<&'a str>,
    pub tls: Option<bool>,
    pub via: Option<file::Way>,
}

/// Way and URL of an endpoint; `whole` is where the endpoint stands in the file, `kube` whether
/// its cluster has an API server.
pub(super) fn place(
    place: &Place,
    whole: &Range<usize>,
    kube: bool,
) -> Result<(Via, String), Mistake> {
    let one_of = "name a `url`, or a `service` such as \"monitoring/prometheus-k8s:web\"";
    let (text, pods) = match (place.url, place.service, place.pods) {
        (Some(text), None, None) => {
            if place.path.is_some() || place.tls.is_some() || place.via.is_some() {
                let what = "`path`, `tls` and `via` belong to a `service`";
                return mistake(text.span(), what, "a `url` says it all by itself");
            }
            return Ok((Via::Direct, super::endpoint::url(text, &["http", "https"])?));
        }
        (None, Some(text), None) => (text, false),
        (None, None, Some(text)) => (text, true),
        (None, None, None) => return mistake(whole.clone(), "`url` is missing", one_of),
        _ => return mistake(whole.clone(), "more than one place", one_of),
    };
    if !kube {
        let what = "the cluster has no `kube`, through which this would be reached";
        return mistake(text.span(), what, "add `kube = { context = \"...\" }`");
    }
    let path = place.path.unwrap_or_default();
    if path.chars().any(|c| c.is_control() || c.is_whitespace()) || path.contains(['?', '#']) {
        return mistake(text.span(), "`path` is no path", "such as \"/prometheus\"");
    }
    let (namespace, name, port) = parts(text, pods)?;
    let tls = place.tls.unwrap_or(false);
    let target = match pods {
        true if tls || place.via == Some(file::Way::Proxy) => {
            let what = "`pods` are reached by port-forward, without TLS";
            return mistake(text.span(), what, "leave `tls` and `via` out");
        }
        true => Target::Pods {
            namespace,
            selector: name,
            port,
        },
        false => Target::Service(ServiceRef {
            namespace,
            name,
            port,
            tls,
        }),
    };
    let url = target.url(path);
    Ok(match (target, place.via) {
        (Target::Service(service), Some(file::Way::Proxy)) => (Via::Proxy(service), url),
        (target, _) => (Via::Forward(target), url),
    })
}

/// `NAMESPACE/NAME:PORT`, of pods `NAMESPACE/SELECTOR:PORT`.
fn parts(text: &Spanned<String>, pods: bool) -> Result<(String, String, ServicePort), Mistake> {
    let hint = match pods {
        false => "NAMESPACE/NAME:PORT, such as \"monitoring/prometheus-k8s:web\"",
        true => "NAMESPACE/LABELS:PORT, such as \"gpu/app=dcgm-exporter:9400\"",
    };
    let wrong = |what: &str| mistake(text.span(), what, hint);
    let Some((namespace, rest)) = text.get_ref().trim().split_once('/') else {
        return wrong("no namespace stands before a \"/\"");
    };
    let Some((name, port)) = rest.rsplit_once(':') else {
        return wrong("no port stands behind a \":\"");
    };
    let labels = |c: char| c.is_ascii_alphanumeric() || "-_./=!, ()".contains(c);
    let name_ok = match pods {
        false => is_label(name),
        true => !name.trim().is_empty() && name.chars().all(labels),
    };
    if !is_label(namespace) || !name_ok {
        return wrong("this names nothing that a cluster can have");
    }
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 => ServicePort::Number(port),
        _ if !digits && is_label(port) => ServicePort::Name(port.to_owned()),
        _ => return wrong("the port is neither a number from 1 to 65535 nor a name"),
    };
    Ok((namespace.to_owned(), name.to_owned(), port))
}
