//! Which proxy leads to an API server: that of the kubeconfig, else that of the environment.
//!
//! Decided here and not by the client, which compares `NO_PROXY` with the proxy's own address.

use std::net::IpAddr;

use http::Uri;

/// The variables, as they are read.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Those of the process.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `named` is obeyed whatever `NO_PROXY` says, as kubectl does. The error is for the operator.
pub fn to(server: &Uri, named: Option<&str>, variables: Variables) -> Result<Option<Uri>, String> {
    if let Some(url) = named.filter(|u| !u.is_empty()) {
        return parse(url, "proxy-url").map(Some);
    }
    let name = match server.scheme_str() {
        Some("http") => "HTTP_PROXY",
        _ => "HTTPS_PROXY",
    };
    let either = |name: &str| {
        let value = variables(name).or_else(|| variables(&name.to_lowercase()));
        value.filter(|v| !v.trim().is_empty())
    };
    let Some(url) = either(name) else {
        return Ok(None);
    };
    let host = server.host().unwrap_or_default();
    let port = server.port_u16().unwrap_or(443);
    if spared(host, port, &either("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&url, name).map(Some)
}

fn parse(url: &str, place: &str) -> Result<Uri, String> {
    let url = url.trim();
    let whole = match url.split_once("://") {
        Some(("socks5h", rest)) => format!("socks5://{rest}"),
        Some(_) => url.to_owned(),
        // As curl and Go read it.
        None => format!("http://{url}"),
    };
    let uri: Uri = whole
        .parse()
        .map_err(|_| format!("`{place}` holds no URL of a proxy"))?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") if uri.host().is_some_and(|h| !h.is_empty()) => Ok(uri),
        Some(scheme) => Err(format!(
            "`{place}` names a proxy of kind {scheme}; there is http, https and socks5"
        )),
        None => Err(format!("`{place}` holds no URL of a proxy")),
    }
}

/// `NO_PROXY` as Go reads it: hosts, domains, addresses, networks, each with a port or not. This
/// host itself is never asked for through a proxy.
fn spared(host: &str, port: u16, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|a| a.is_loopback()) {
        return true;
    }
    list.split([',', ' ']).map(str::trim).any(|entry| {
        let entry = entry.to_lowercase();
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
                match digits.parse::<u16>() {
                    Ok(port) => (name.trim_matches(['[', ']']), Some(port)),
                    Err(_) => (entry.as_str(), None),
                }
            }
            _ => (entry.as_str(), None),
        };
        !name.is_empty() && wanted.is_none_or(|p| p == port) && names(name, &host, address)
    })
}

fn names(entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return match (network.parse(), bits.parse(), address) {
            (Ok(network), Ok(bits), Some(address)) => inside(network, bits, address),
            _ => false,
        };
    }
    if let (Ok(entry), Some(address)) = (entry.parse::<IpAddr>(), address) {
        return entry == address;
    }
    let domain = entry.trim_start_matches('*').trim_start_matches('.');
    let below = host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'));
    below || (host == domain && !entry.starts_with(['.', '*']))
}

fn inside(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) if bits <= 32 => {
            let shift = 32 - bits;
            n.to_bits().checked_shr(shift) == a.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(n), IpAddr::V6(a)) if bits <= 128 => {
            let shift = 128 - bits;
            n.to_bits().checked_shr(shift) == a.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

/// Host and port without user and password, for messages.
pub fn shown(proxy: &Uri) -> String {
    let host = proxy.host().unwrap_or_default();
    let scheme = proxy.scheme_str().unwrap_or("http");
    match proxy.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, named: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        let look = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        to(&server.parse().unwrap(), named, &look)
            .unwrap()
            .map(|u| shown(&u))
    }

    #[test]
    fn the_kubeconfig_wins_then_the_environment() {
        let proxy = [("HTTPS_PROXY", "proxy:3128"), ("NO_PROXY", "*")];
        let api = "https://api.example.org:6443";
        assert_eq!(
            chosen(api, Some("socks5://user:pw@s:1080"), &proxy).as_deref(),
            Some("socks5://s:1080")
        );
        assert_eq!(chosen(api, None, &proxy), None);
        let lower = [("https_proxy", "proxy:3128")];
        assert_eq!(
            chosen(api, None, &lower).as_deref(),
            Some("http://proxy:3128")
        );
        assert_eq!(chosen("http://api.example.org", None, &lower), None);
        assert_eq!(chosen("https://127.0.0.1:6443", None, &lower), None);
        assert!(to(&api.parse().unwrap(), Some("ftp://x"), &environment).is_err());
    }

    #[test]
    fn no_proxy() {
        for (list, host, port, wanted) in [
            ("example.org", "api.example.org", 443, true),
            ("example.org", "example.org", 443, true),
            (".example.org", "example.org", 443, false),
            ("*.example.org,", "api.example.org", 443, true),
            ("example.org", "badexample.org", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 6443, true),
            ("10.0.0.0/8, ,192.168.1.1", "192.168.1.1", 6443, true),
            ("10.0.0.0/8", "11.1.2.3", 6443, false),
            ("0.0.0.0/0", "11.1.2.3", 6443, true),
            ("api.example.org:6443", "api.example.org", 6443, true),
            ("api.example.org:6443", "api.example.org", 443, false),
            ("fd00::/8", "fd00::1", 443, true),
            ("", "localhost", 443, true),
            ("", "::1", 443, true),
            ("*", "anything", 443, true),
        ] {
            assert_eq!(spared(host, port, list), wanted, "{list} {host}:{port}");
        }
    }
}
