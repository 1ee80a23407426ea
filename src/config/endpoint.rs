//! From an endpoint as written to the validated one: URL, sign-in, headers, paths.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::build::{Mistake, mistake};
use super::file;
use super::via::{Place, Via, place};
use super::{Auth, Endpoint, Kube};

/// What an endpoint takes from its surroundings.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub folder: &'a Path,
    pub interval: Option<Duration>,
    pub timeout: Duration,
    pub requests: u32,
    /// The cluster has an API server.
    pub kube: bool,
}

pub(super) fn endpoint(
    entry: Spanned<file::Endpoint>,
    shared: &Shared,
) -> Result<Endpoint, Mistake> {
    let whole = entry.span();
    let entry = entry.into_inner();
    let said = Place {
        url: entry.url.as_ref(),
        service: entry.service.as_ref(),
        pods: entry.pods.as_ref(),
        path: entry.path.as_deref(),
        tls: entry.tls,
        via: entry.via,
    };
    let (via, url) = place(&said, &whole, shared.kube)?;
    let named = [said.url, said.service, said.pods];
    let span = named
        .into_iter()
        .flatten()
        .next()
        .map_or(whole, Spanned::span);
    let folder = shared.folder;
    let auth = auth(
        AuthKeys {
            bearer_from: entry.bearer_from,
            bearer_file: entry.bearer_file,
            bearer_command: entry.bearer_command,
            user: entry.user,
            password_file: entry.password_file,
        },
        folder,
        &span,
    )?;
    let files = [&entry.ca_file, &entry.client_cert_file];
    checked(
        &via,
        &auth,
        &url,
        shared.kube,
        files.iter().any(|f| f.is_some()),
        &span,
    )?;
    if entry.client_cert_file.is_some() != entry.client_key_file.is_some() {
        return mistake(
            span,
            "a client certificate needs both its parts",
            "set `client_cert_file` and `client_key_file`",
        );
    }
    if entry.requests_per_minute == Some(0) {
        return mistake(span, "`requests_per_minute` is 0", "at least 1");
    }
    Ok(Endpoint {
        url,
        via,
        auth,
        ca_file: entry.ca_file.map(|p| resolve(&p, folder)),
        client_cert_file: entry.client_cert_file.map(|p| resolve(&p, folder)),
        client_key_file: entry.client_key_file.map(|p| resolve(&p, folder)),
        headers: headers(entry.headers, &span)?,
        interval: entry.interval.map(|s| s.0).or(shared.interval),
        timeout: entry.timeout.map_or(shared.timeout, |s| s.0),
        requests_per_minute: entry.requests_per_minute.unwrap_or(shared.requests),
    })
}

/// Where the API server is: in a kubeconfig, around us, or at an address.
pub(super) fn kube(
    entry: file::Kube,
    shared: &Shared,
    span: Range<usize>,
) -> Result<Kube, Mistake> {
    let one_of = "use one of `context` and `kubeconfig`, or `in_cluster = true`, or `server`";
    let in_kubeconfig = entry.context.is_some() || entry.kubeconfig.is_some();
    let ways = [in_kubeconfig, entry.in_cluster, entry.server.is_some()];
    if ways.iter().filter(|w| **w).count() > 1 {
        return mistake(
            span,
            "`kube` names more than one way to the cluster",
            one_of,
        );
    }
    let own = [
        entry.bearer_file.is_some(),
        entry.bearer_command.is_some(),
        entry.ca_file.is_some(),
        entry.client_cert_file.is_some(),
        entry.client_key_file.is_some(),
        entry.proxy_url.is_some(),
    ];
    if entry.server.is_none() && own.contains(&true) {
        return mistake(
            span,
            "`kube` says how to sign in and not where",
            "these keys go with `server`; a kubeconfig holds its own",
        );
    }
    let proxy_url = entry
        .proxy_url
        .map(|p| url(&p, &["http", "https", "socks5"]))
        .transpose()?;
    let server = entry.server.map(|server| {
        let written = file::Endpoint {
            url: Some(server),
            bearer_file: entry.bearer_file,
            bearer_command: entry.bearer_command,
            ca_file: entry.ca_file,
            client_cert_file: entry.client_cert_file,
            client_key_file: entry.client_key_file,
            ..file::Endpoint::default()
        };
        let own = Shared {
            kube: false,
            ..*shared
        };
        endpoint(Spanned::new(span, written), &own)
    });
    Ok(Kube {
        context: entry.context,
        kubeconfig: entry
            .kubeconfig
            .map(|p| resolve(&p, shared.folder))
            .into_iter()
            .collect(),
        in_cluster: entry.in_cluster,
        server: server.transpose()?,
        proxy_url,
        interval: shared.interval,
        timeout: shared.timeout,
    })
}

/// Headers that HTTP can carry, and none that would change how the message itself is read.
fn headers(
    map: BTreeMap<String, String>,
    span: &Range<usize>,
) -> Result<Vec<(String, String)>, Mistake> {
    for (name, value) in &map {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let framing = ["host", "content-length", "transfer-encoding", "connection"];
        if name.is_empty()
            || !name.bytes().all(token)
            || framing.iter().any(|f| name.eq_ignore_ascii_case(f))
        {
            return mistake(
                span.clone(),
                "a header cannot have this name",
                "such as X-Scope-OrgID",
            );
        }
        if value.chars().any(char::is_control) {
            return mistake(
                span.clone(),
                format!("header \"{name}\" holds control characters"),
                "one line of text",
            );
        }
    }
    Ok(map.into_iter().collect())
}

/// Sign-in that the way to the endpoint can carry.
fn checked(
    via: &Via,
    auth: &Auth,
    url: &str,
    kube: bool,
    certificates: bool,
    span: &Range<usize>,
) -> Result<(), Mistake> {
    if matches!(via, Via::Proxy(_)) && (*auth != Auth::None || certificates) {
        return mistake(
            span.clone(),
            "the service proxy passes on no credentials and no certificates",
            "take `via = \"port-forward\"`, or leave the sign-in and certificates out",
        );
    }
    if *auth != Auth::Kubeconfig {
        return Ok(());
    }
    if !kube {
        return mistake(
            span.clone(),
            "the cluster has no `kube`, whose token would be taken",
            "add `kube = { context = \"...\" }`, or use `bearer_file`",
        );
    }
    // The token opens the whole cluster: it does not travel in the clear.
    if !url.starts_with("https://") && !is_loopback(url) {
        return mistake(
            span.clone(),
            "the cluster's token would be sent without encryption",
            "use https, or `tls = true` for a service",
        );
    }
    Ok(())
}

fn is_loopback(url: &str) -> bool {
    let authority = url.split('/').nth(2).unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(h, _)| h);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

struct AuthKeys {
    bearer_from: Option<file::BearerFrom>,
    bearer_file: Option<String>,
    bearer_command: Option<Vec<String>>,
    user: Option<String>,
    password_file: Option<String>,
}

fn auth(keys: AuthKeys, folder: &Path, span: &Range<usize>) -> Result<Auth, Mistake> {
    let one_of = "use one of `bearer_file`, `bearer_command`, `bearer_from`, or `user` with \
                  `password_file`";
    if keys.bearer_from.is_some() {
        let others = [
            keys.bearer_file.is_some(),
            keys.bearer_command.is_some(),
            keys.user.is_some(),
            keys.password_file.is_some(),
        ];
        return if others.contains(&true) {
            mistake(span.clone(), "more than one way to sign in", one_of)
        } else {
            Ok(Auth::Kubeconfig)
        };
    }
    match (
        keys.bearer_file,
        keys.bearer_command,
        keys.user,
        keys.password_file,
    ) {
        (None, None, None, None) => Ok(Auth::None),
        (Some(file), None, None, None) => Ok(Auth::BearerFile(resolve(&file, folder))),
        (None, Some(command), None, None) => {
            if command.first().is_none_or(String::is_empty) {
                return mistake(
                    span.clone(),
                    "`bearer_command` is empty",
                    "[\"program\", \"argument\"]",
                );
            }
            Ok(Auth::BearerCommand(command))
        }
        (None, None, Some(user), Some(file)) => Ok(Auth::Basic {
            user,
            password_file: resolve(&file, folder),
        }),
        (None, None, Some(_), None) => {
            mistake(span.clone(), "`user` without `password_file`", one_of)
        }
        (None, None, None, Some(_)) => {
            mistake(span.clone(), "`password_file` without `user`", one_of)
        }
        _ => mistake(span.clone(), "more than one way to sign in", one_of),
    }
}

/// Checks scheme and host; a trailing slash is taken away so that paths can be joined.
pub(super) fn url(text: &Spanned<String>, schemes: &[&str]) -> Result<String, Mistake> {
    let given = text.get_ref().trim();
    let hint = format!(
        "write it whole, such as \"{}://host:port\"",
        schemes.first().copied().unwrap_or_default()
    );
    let Some((scheme, rest)) = given.split_once("://") else {
        return mistake(text.span(), "the URL has no scheme", &hint);
    };
    if !schemes.contains(&scheme) {
        return mistake(
            text.span(),
            format!(
                "the URL has the scheme \"{scheme}\", expected {}",
                schemes.join(" or ")
            ),
            &hint,
        );
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_ok = match authority.strip_prefix('[') {
        Some(v6) => v6
            .split_once(']')
            .is_some_and(|(host, port)| !host.is_empty() && port_ok(port)),
        None => match authority.split_once(':') {
            Some((host, port)) => !host.is_empty() && port_ok(&format!(":{port}")),
            None => !authority.is_empty(),
        },
    };
    if !host_ok || given.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return mistake(text.span(), "the URL names no valid host and port", &hint);
    }
    Ok(given.trim_end_matches('/').to_owned())
}

fn port_ok(part: &str) -> bool {
    part.is_empty()
        || part
            .strip_prefix(':')
            .is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0))
}

/// Relative paths start at the configuration file; `~/` at home.
pub(super) fn resolve(path: &str, folder: &Path) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(dirs) = directories::BaseDirs::new()
    {
        return dirs.home_dir().join(rest);
    }
    folder.join(path)
}
