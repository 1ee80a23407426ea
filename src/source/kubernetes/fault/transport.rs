//! Why no answer came: names, connections, proxies, TLS. Each with what to do.

use std::error::Error;
use std::io;

use rustls::CertificateError as Certificate;
use rustls::pki_types::UnixTime;

use super::Told;
use crate::clock;
use crate::model::fault::FaultKind;
use crate::model::time::Timestamp;

type Sentence = (FaultKind, String, String);

/// The error and all that caused it; an `io::Error` hides what it wraps when asked for its source.
pub fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |now| {
        let now: &'a (dyn Error + 'static) = *now;
        let wrapped = now.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner),
            None => now.source(),
        }
    })
}

pub fn of(error: &(dyn Error + 'static), told: &Told) -> Sentence {
    if let Some(tls) = chain(error).find_map(|e| e.downcast_ref::<rustls::Error>()) {
        return of_tls(tls, told);
    }
    let words: Vec<String> = chain(error).map(ToString::to_string).collect();
    let all = words.join(" ").to_lowercase();
    let has = |part: &str| all.contains(part);
    if has("dns error") || has("lookup address") {
        return unresolved(told);
    }
    if has("tunnel error") || has("socks error") {
        return of_proxy(&all, told);
    }
    let kind = chain(error)
        .filter_map(|e| e.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .last();
    let at = told
        .proxy
        .map_or_else(|| told.named(), |p| format!("the proxy {p}"));
    if kind == Some(io::ErrorKind::TimedOut) || has("timed out") || has("elapsed") {
        return (
            FaultKind::Timeout,
            format!("{at} does not answer in time"),
            "a firewall may drop the packets: check the VPN, the address and `proxy-url`".into(),
        );
    }
    if kind == Some(io::ErrorKind::ConnectionRefused) {
        return match told.proxy {
            Some(_) => (
                FaultKind::Unreachable,
                format!("{at} refuses the connection"),
                "check `proxy-url` in the kubeconfig and HTTPS_PROXY".into(),
            ),
            None => (
                FaultKind::Unreachable,
                format!("{at} refuses the connection"),
                "nothing listens there: check address and port; the API server may be restarting"
                    .into(),
            ),
        };
    }
    if has("certificate") || has("tls") {
        let last = words.last().cloned().unwrap_or_default();
        return (
            FaultKind::Tls,
            format!("the TLS handshake failed: {last}"),
            "check the certificates that the kubeconfig names, and the clock".into(),
        );
    }
    (
        FaultKind::Unreachable,
        format!(
            "nobody answers: {}",
            words.last().cloned().unwrap_or_default()
        ),
        "check the address, the VPN and the proxy; the API server may be down".into(),
    )
}

/// Behind a proxy of HTTP it is the proxy's name that this host looks up.
fn unresolved(told: &Told) -> Sentence {
    let what = match told.proxy {
        Some(proxy) => format!("this host cannot resolve the name of the proxy {proxy}"),
        None if told.host.is_empty() => "this host cannot resolve the server's name".into(),
        None => format!("this host cannot resolve {}", told.host),
    };
    let hint = match told.proxy {
        Some(_) => {
            "check `proxy-url` in the kubeconfig and HTTPS_PROXY, /etc/resolv.conf and the VPN"
        }
        None => {
            "check /etc/resolv.conf and the VPN; where only a proxy knows the name, set `proxy-url` \
             in the kubeconfig or HTTPS_PROXY"
        }
    };
    (FaultKind::Unreachable, what, hint.into())
}

fn of_proxy(all: &str, told: &Told) -> Sentence {
    let proxy = told.proxy.unwrap_or("of the environment");
    if all.contains("proxy authorization required")
        || all.contains("credentials not accepted")
        || all.contains("user/pass authentication")
    {
        return (
            FaultKind::Unreachable,
            format!("the proxy {proxy} wants user and password (407)"),
            "write them into `proxy-url` (scheme://user:password@host:port) of the kubeconfig, or \
             into HTTPS_PROXY"
                .into(),
        );
    }
    if all.contains("refused") && all.contains("failed to create underlying connection") {
        return (
            FaultKind::Unreachable,
            format!("the proxy {proxy} refuses the connection"),
            "check `proxy-url` in the kubeconfig and HTTPS_PROXY".into(),
        );
    }
    if all.contains("timed out") || all.contains("elapsed") {
        return (
            FaultKind::Timeout,
            format!("the proxy {proxy} does not answer in time"),
            "check `proxy-url` in the kubeconfig and HTTPS_PROXY".into(),
        );
    }
    (
        FaultKind::Unreachable,
        format!("the proxy {proxy} does not lead to {}", told.named()),
        "ask whether the proxy lets this host through; if the server needs none, name it in NO_PROXY"
            .into(),
    )
}

fn of_tls(error: &rustls::Error, told: &Told) -> Sentence {
    let clock = clock_now();
    let tls = |what: String, hint: String| (FaultKind::Tls, what, hint);
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return of_handshake(error, told);
    };
    match certificate {
        Certificate::Expired | Certificate::ExpiredContext { .. } => tls(
            format!("the server's certificate has expired{}", on(certificate)),
            format!(
                "this host's clock says {clock}: if that is right, renew the certificate; else set the clock by NTP"
            ),
        ),
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => tls(
            format!(
                "the server's certificate is not valid yet{}",
                on(certificate)
            ),
            format!("this host's clock says {clock}: set it by NTP"),
        ),
        Certificate::UnknownIssuer => tls(
            "the server's certificate is signed by an authority that is not known here".into(),
            "name the cluster's authority as `certificate-authority` in the kubeconfig (`ca_file`)"
                .into(),
        ),
        Certificate::NotValidForName => tls(
            "the server's certificate is made for another host".into(),
            ANOTHER.into(),
        ),
        Certificate::NotValidForNameContext {
            expected,
            presented,
        } => tls(
            format!(
                "the server's certificate is made for {}, not for {}",
                presented
                    .iter()
                    .map(|n| bare(n))
                    .collect::<Vec<_>>()
                    .join(", "),
                expected.to_str()
            ),
            ANOTHER.into(),
        ),
        other => tls(
            format!("the server's certificate is not accepted: {other}"),
            "check `certificate-authority` in the kubeconfig".into(),
        ),
    }
}

/// `DnsName("localhost")` as it stands in the certificate: `localhost`.
fn bare(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

const ANOTHER: &str =
    "use a name of the certificate as `server`, or set `tls-server-name` in the kubeconfig";

fn of_handshake(error: &rustls::Error, told: &Told) -> Sentence {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let own = told.expires.filter(|e| e.at <= clock::now());
            let what = match own {
                Some(own) => format!("auth expired: the {}", own.told(clock::now())),
                None => format!("the server refuses our side of TLS ({alert:?})"),
            };
            let hint = "check the client certificate of the kubeconfig: it may have ended, or be \
                        of another cluster";
            (
                if own.is_some() {
                    FaultKind::Auth
                } else {
                    FaultKind::Tls
                },
                what,
                hint.into(),
            )
        }
        rustls::Error::InvalidMessage(_) => (
            FaultKind::Tls,
            "the server does not speak TLS on this port".into(),
            "check scheme and port of `server` in the kubeconfig".into(),
        ),
        other => (
            FaultKind::Tls,
            format!("the TLS handshake failed: {other}"),
            "check the certificates that the kubeconfig names, and the clock".into(),
        ),
    }
}

/// When the certificate ended or begins, where the library tells.
fn on(error: &Certificate) -> String {
    let day = |t: &UnixTime| {
        let at = Timestamp(i64::try_from(t.as_secs()).unwrap_or(0).saturating_mul(1000));
        let text = at.rfc3339();
        text.split('T').next().unwrap_or_default().to_owned()
    };
    match error {
        Certificate::ExpiredContext { not_after, .. } => format!(", on {}", day(not_after)),
        Certificate::NotValidYetContext { not_before, .. } => {
            format!(", but from {}", day(not_before))
        }
        _ => String::new(),
    }
}

fn clock_now() -> String {
    let text = clock::now().rfc3339();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}
