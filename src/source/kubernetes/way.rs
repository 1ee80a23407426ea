//! From the configuration and the kubeconfig to one API server: its address, how TLS is done, and
//! by which means we sign in. Reads files, asks nobody.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::header::{HeaderValue, USER_AGENT};
use kube::config::{AuthInfo, Cluster, Context, ExecAuthCluster, Kubeconfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::credential::{self, Means};
use super::{expiry, kubeconfig, proxy};
use crate::config::{Auth, Endpoint, Kube};
use crate::model::health::Expiry;
use crate::model::text;

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// One API server and how to sign in there.
pub struct Way {
    /// Without any means that make a header.
    pub config: kube::Config,
    pub means: Means,
    /// What it was read from; a change in one of them may change it.
    pub files: Vec<PathBuf>,
    /// `context NAME (https://host:6443)`.
    pub place: String,
    /// What no header can change: a new connection is needed when it differs.
    pub print: u64,
    /// End of the client certificate.
    pub expires: Option<Expiry>,
}

/// Why there is no way: what, and the files that may mend it.
pub struct NoWay {
    pub what: String,
    pub place: String,
    pub files: Vec<PathBuf>,
}

pub fn of(kube: &Kube) -> Result<Way, NoWay> {
    let mut files = Vec::new();
    let place = place(kube);
    let found = match &kube.server {
        Some(server) => declared(kube, server, &mut files),
        None if kube.in_cluster => in_cluster(Path::new(ACCOUNT), &proxy::environment, &mut files),
        None => in_kubeconfig(kube, &mut files),
    };
    found
        .and_then(|parts| parts.way(&place, &mut files))
        .map(|way| Way {
            files: std::mem::take(&mut files),
            ..way
        })
        .map_err(|what| NoWay {
            what,
            place: text::clean(&place, 200),
            files,
        })
}

/// How the way is called before anything was read.
pub fn place(kube: &Kube) -> String {
    match (&kube.server, &kube.context, kube.kubeconfig.first()) {
        (Some(_), _, _) => "server".into(),
        (None, ..) if kube.in_cluster => "service account of this pod".into(),
        (None, Some(context), _) => format!("context {context}"),
        (None, None, Some(file)) => file.display().to_string(),
        (None, None, None) => "current context".into(),
    }
}

/// The same for lists: the context's own name, the server's address.
pub fn called(kube: &Kube) -> String {
    match (&kube.server, &kube.context) {
        (Some(server), _) => crate::source::door::shown_text(&server.url),
        (None, Some(context)) => text::clean(context, 120),
        (None, None) => place(kube),
    }
}

/// Whether we run in a pod with a service account.
pub fn is_in_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && Path::new(ACCOUNT).join("token").exists()
}

/// What the three kinds of ways have in common.
#[derive(Default)]
struct Parts {
    server: String,
    namespace: Option<String>,
    ca: Option<Vec<u8>>,
    /// PEM.
    certificate: Option<(Vec<u8>, SecretString)>,
    insecure: bool,
    server_name: Option<String>,
    proxy: Option<String>,
    no_gzip: bool,
    means: Means,
    /// Only whom to act as.
    user: AuthInfo,
}

impl Parts {
    fn way(self, place: &str, files: &mut [PathBuf]) -> Result<Way, String> {
        let url: Uri = self
            .server
            .parse()
            .map_err(|_| "the server's address is no URL".to_owned())?;
        let proxy = proxy::to(&url, self.proxy.as_deref(), &proxy::environment)?;
        let print = self.print(proxy.as_ref());
        let host = url.authority().map_or("", |a| a.as_str());
        let host = host.rsplit('@').next().unwrap_or_default();
        let scheme = url.scheme_str().unwrap_or("https");
        let place = text::clean(&format!("{place} ({scheme}://{host})"), 200);
        let mut config = kube::Config::new(url);
        config.root_cert = self.ca.as_deref().map(certificates).transpose()?;
        config.accept_invalid_certs = self.insecure;
        config.tls_server_name = self.server_name;
        config.proxy_url = proxy;
        config.disable_compression = self.no_gzip;
        config.default_namespace = self.namespace.unwrap_or_else(|| "default".into());
        config.headers = vec![(
            USER_AGENT,
            HeaderValue::from_static(crate::source::door::AGENT),
        )];
        // We wait ourselves, in sight of the operator.
        config.default_retry = false;
        config.auth_info = AuthInfo {
            impersonate: self.user.impersonate,
            impersonate_uid: self.user.impersonate_uid,
            impersonate_groups: self.user.impersonate_groups,
            impersonate_user_extra: self.user.impersonate_user_extra,
            ..AuthInfo::default()
        };
        let mut expires = None;
        if let Some((chain, key)) = &self.certificate {
            expires = expiry::of_certificate(chain);
            identify(&mut config, chain, key);
        }
        files.sort();
        Ok(Way {
            config,
            means: self.means,
            files: Vec::new(),
            place,
            print,
            expires,
        })
    }

    fn print(&self, proxy: Option<&Uri>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.server, &self.ca, self.insecure, &self.server_name).hash(&mut hasher);
        (proxy.map(Uri::to_string), self.no_gzip, &self.namespace).hash(&mut hasher);
        if let Some((chain, key)) = &self.certificate {
            (chain, key.expose_secret()).hash(&mut hasher);
        }
        let user = &self.user;
        (
            &user.impersonate,
            &user.impersonate_uid,
            &user.impersonate_groups,
        )
            .hash(&mut hasher);
        hasher.finish()
    }
}

/// The client certificate of every connection.
pub fn identify(config: &mut kube::Config, chain: &[u8], key: &SecretString) {
    let info = &mut config.auth_info;
    info.client_certificate_data = Some(STANDARD.encode(chain));
    info.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
}

fn in_kubeconfig(kube: &Kube, files: &mut Vec<PathBuf>) -> Result<Parts, String> {
    let named = kubeconfig::files(&kube.kubeconfig);
    files.extend(named.iter().cloned());
    let called = kubeconfig::called(&named);
    if !named.iter().any(|f| f.exists()) {
        return Err(format!("there is no kubeconfig: {called}"));
    }
    let config = kubeconfig::read(&named)?;
    let name = match (&kube.context, &config.current_context) {
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => return Err(format!("{called} names no current context")),
    };
    let context = context(&config, name)
        .ok_or_else(|| format!("context {name} is no longer in {called}, or never was"))?;
    let cluster = config.clusters.iter().find(|c| c.name == context.cluster);
    let cluster = cluster.and_then(|c| c.cluster.as_ref()).ok_or_else(|| {
        format!(
            "context {name} names cluster {}, which is not in {called}",
            context.cluster
        )
    })?;
    let user = config
        .auth_infos
        .iter()
        .find(|u| Some(&u.name) == context.user.as_ref());
    let user = user.and_then(|u| u.auth_info.clone()).unwrap_or_default();
    let ca = bytes(
        "certificate-authority",
        cluster.certificate_authority_data.as_deref(),
        cluster.certificate_authority.as_deref(),
        files,
    )?;
    let certificate = own_certificate(&user, files)?;
    if let Some(file) = &user.token_file {
        files.push(PathBuf::from(file));
    }
    Ok(Parts {
        server: cluster
            .server
            .clone()
            .ok_or_else(|| format!("cluster {} names no server", context.cluster))?,
        namespace: context.namespace.clone().filter(|n| !n.is_empty()),
        ca,
        insecure: cluster.insecure_skip_tls_verify.unwrap_or(false),
        server_name: cluster.tls_server_name.clone().filter(|n| !n.is_empty()),
        proxy: cluster.proxy_url.clone(),
        no_gzip: cluster.disable_compression.unwrap_or(false),
        means: means(&user, cluster, certificate.is_some())?,
        certificate,
        user,
    })
}

pub fn context<'a>(config: &'a Kubeconfig, name: &str) -> Option<&'a Context> {
    let named = config.contexts.iter().find(|c| c.name == name)?;
    named.context.as_ref()
}

fn own_certificate(
    user: &AuthInfo,
    files: &mut Vec<PathBuf>,
) -> Result<Option<(Vec<u8>, SecretString)>, String> {
    let chain = bytes(
        "client-certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
        files,
    )?;
    let key = bytes(
        "client-key",
        user.client_key_data
            .as_ref()
            .map(ExposeSecret::expose_secret),
        user.client_key.as_deref(),
        files,
    )?;
    match (chain, key) {
        (Some(chain), Some(key)) => {
            let key = String::from_utf8(key).map_err(|_| "`client-key` is not PEM".to_owned())?;
            Ok(Some((chain, key.into())))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err("`client-certificate` stands without `client-key`".into()),
        (None, Some(_)) => Err("`client-key` stands without `client-certificate`".into()),
    }
}

/// In the order in which kubectl looks.
fn means(user: &AuthInfo, cluster: &Cluster, certificate: bool) -> Result<Means, String> {
    if user.auth_provider.is_some() {
        return Ok(Means::Provider(Box::new(user.clone())));
    }
    if let (Some(name), Some(password)) = (&user.username, &user.password) {
        return Ok(Means::Basic(name.clone(), password.clone()));
    }
    if let Some(token) = user
        .token
        .as_ref()
        .filter(|t| !t.expose_secret().is_empty())
    {
        return Ok(Means::Token(token.clone()));
    }
    if let Some(file) = user.token_file.as_ref().filter(|f| !f.is_empty()) {
        return Ok(credential::of_file(file));
    }
    if let Some(exec) = &user.exec {
        let mut exec = exec.clone();
        if exec.command.as_deref().is_none_or(str::is_empty) {
            return Err("the login command (`exec`) names no program".into());
        }
        if exec.provide_cluster_info {
            let about = ExecAuthCluster::try_from(cluster);
            exec.cluster =
                Some(about.map_err(|_| "`certificate-authority` cannot be read".to_owned())?);
        }
        return Ok(Means::Login(Box::new(exec)));
    }
    Ok(match certificate {
        true => Means::Certificate,
        false => Means::Nothing,
    })
}

/// With what the kubelet put into `folder`.
fn in_cluster(
    folder: &Path,
    variables: proxy::Variables,
    files: &mut Vec<PathBuf>,
) -> Result<Parts, String> {
    let variable = |name: &str| {
        variables(name).ok_or_else(|| format!("farwatch runs in no pod: there is no {name}"))
    };
    let host = variable("KUBERNETES_SERVICE_HOST")?;
    let port = variable("KUBERNETES_SERVICE_PORT")?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let (token, ca) = (folder.join("token"), folder.join("ca.crt"));
    let authority = file(&ca)?;
    files.extend([token.clone(), ca]);
    Ok(Parts {
        server: format!("https://{host}:{port}"),
        namespace: std::fs::read_to_string(folder.join("namespace")).ok(),
        ca: Some(authority),
        means: credential::of_file(token),
        ..Parts::default()
    })
}

fn declared(kube: &Kube, server: &Endpoint, files: &mut Vec<PathBuf>) -> Result<Parts, String> {
    let mut read = |path: &Option<PathBuf>| match path {
        Some(path) => {
            files.push(path.clone());
            file(path).map(Some)
        }
        None => Ok(None),
    };
    let (ca, chain) = (read(&server.ca_file)?, read(&server.client_cert_file)?);
    let key = read(&server.client_key_file)?
        .map(|key| String::from_utf8(key).map_err(|_| "`client_key_file` is not PEM".to_owned()))
        .transpose()?;
    let certificate = chain.zip(key.map(SecretString::from));
    if let Auth::BearerFile(path) = &server.auth {
        files.push(path.clone());
    }
    Ok(Parts {
        server: server.url.clone(),
        ca,
        proxy: kube.proxy_url.clone(),
        means: match &server.auth {
            Auth::None if certificate.is_some() => Means::Certificate,
            Auth::None => Means::Nothing,
            auth => Means::Reference(auth.clone()),
        },
        certificate,
        ..Parts::default()
    })
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// Data of a kubeconfig wins over the file beside it, as in kubectl.
fn bytes(
    key: &str,
    data: Option<&str>,
    path: Option<&str>,
    files: &mut Vec<PathBuf>,
) -> Result<Option<Vec<u8>>, String> {
    if let Some(data) = data.filter(|d| !d.is_empty()) {
        let plain: String = data.split_whitespace().collect();
        return STANDARD
            .decode(plain)
            .map(Some)
            .map_err(|_| format!("`{key}-data` is not base64"));
    }
    match path.filter(|p| !p.is_empty()) {
        Some(path) => {
            files.push(PathBuf::from(path));
            file(Path::new(path))
                .map(Some)
                .map_err(|e| format!("`{key}`: {e}"))
        }
        None => Ok(None),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let found: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .map(|c| c.map(|c| c.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| "the certificate authority is not PEM".to_owned())?;
    if found.is_empty() {
        return Err("the certificate authority holds no PEM certificate".into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
