//! TLS of one endpoint: the system's authorities, or the configured one; the client's certificate.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Endpoint;

/// The system's authorities (`SSL_CERT_FILE` is obeyed), read once for all endpoints.
fn system_roots() -> RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
        .clone()
}

/// Errors name the file, in one sentence. `more` are authorities found elsewhere.
pub(in crate::source) fn client_config(
    endpoint: &Endpoint,
    more: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, String> {
    let mut roots = system_roots();
    roots.add_parsable_certificates(more);
    if let Some(path) = &endpoint.ca_file {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots);
    match (&endpoint.client_cert_file, &endpoint.client_key_file) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|e| format!("{}: {e}", cert.display())),
        (Some(cert), None) => Err(format!(
            "{} needs its key: set `client_key_file`",
            cert.display()
        )),
        (None, Some(key)) => Err(format!(
            "{} needs its certificate: set `client_cert_file`",
            key.display()
        )),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let place = path.display();
    let found = CertificateDer::pem_file_iter(path)
        .map_err(|e| format!("cannot read {place}: {e}"))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("{place} is not PEM: {e}"))?;
    if found.is_empty() {
        return Err(format!("{place} holds no PEM certificate"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|e| format!("{} holds no PEM key: {e}", path.display()))
}

/// The TLS part of an error, in words; `None` if none of its causes is about TLS.
pub(in crate::source) fn told(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(now) = cause {
        if let Some(tls) = now.downcast_ref::<rustls::Error>() {
            return Some(words(tls));
        }
        // An `io::Error` leaves out what it wraps when asked for its source.
        let wrapped = now
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => now.source(),
        };
    }
    None
}

fn words(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "the server's certificate has expired".into()
        }
        rustls::Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet".into()
        }
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "the server's certificate is signed by an unknown authority".into()
        }
        rustls::Error::InvalidCertificate(
            C::NotValidForName | C::NotValidForNameContext { .. },
        ) => "the server's certificate is made for another host name".into(),
        rustls::Error::AlertReceived(alert) => format!("the server refused it ({alert:?})"),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".into(),
        other => other.to_string(),
    }
}
