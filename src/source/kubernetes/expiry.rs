//! When credentials end by themselves: client certificates (not-after), JWTs (`exp`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::model::health::{Expiry, Pass};
use crate::model::time::Timestamp;

/// The operator is reminded this long before.
const AHEAD_MS: i64 = 7 * 86_400_000;
/// Largest token that is looked into, bytes.
const LARGEST: usize = 64 * 1024;

/// What a JWT says of itself. Tokens of OpenShift (`sha256~…`) say nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Claims {
    pub exp: Option<f64>,
    pub iat: Option<f64>,
    pub sub: Option<String>,
}

/// Reads, and does not verify: that is the server's part.
pub fn claims(token: &str) -> Option<Claims> {
    if token.len() > LARGEST {
        return None;
    }
    let mut parts = token.trim().split('.');
    let (_, body, _) = (parts.next()?, parts.next()?, parts.next()?);
    let body = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&body).ok()
}

/// `renewed`: something puts a new token there in time, so that the end is news only when that
/// did not happen.
pub fn of_token(claims: &Claims, renewed: bool) -> Option<Expiry> {
    let at = Timestamp::from_seconds(claims.exp?);
    let life = claims.iat.map(|iat| at.0 - Timestamp::from_seconds(iat).0);
    let ahead = match life {
        Some(life) if renewed => AHEAD_MS.min(life.max(0) / 10),
        _ => AHEAD_MS,
    };
    Some(Expiry {
        what: Pass::Token,
        at,
        remind: at.plus_ms(-ahead),
    })
}

/// The first certificate of a PEM text is the client's own.
pub fn of_certificate(pem: &[u8]) -> Option<Expiry> {
    let first = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    let certificate = Certificate::from_der(&first).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    let seconds = end.to_unix_duration().as_secs();
    let at = Timestamp(i64::try_from(seconds).ok()?.checked_mul(1000)?);
    Some(Expiry {
        what: Pass::ClientCertificate,
        at,
        remind: at.plus_ms(-AHEAD_MS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn jwt(body: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(body))
    }

    #[test]
    fn ends_of_tokens() {
        let claims = claims(&jwt(
            r#"{"exp":1800000000,"iat":1799996400,"sub":"x","aud":["y"]}"#,
        ))
        .unwrap();
        let own = of_token(&claims, false).unwrap();
        assert_eq!(own.at, Timestamp(1_800_000_000_000));
        assert_eq!(own.remind, Timestamp(1_800_000_000_000 - 7 * 86_400_000));
        // An hour's token that is renewed: six minutes before.
        let renewed = of_token(&claims, true).unwrap();
        assert_eq!(renewed.remind, Timestamp(1_800_000_000_000 - 360_000));
        for text in [
            "sha256~abc",
            "",
            "a.b.c",
            &jwt("[]"),
            &jwt("{"),
            "lab-view-token",
        ] {
            assert_eq!(super::claims(text), None, "{text}");
        }
        assert_eq!(of_token(&super::claims(&jwt("{}")).unwrap(), false), None);
    }

    #[test]
    fn ends_of_certificates() {
        let file = |name: &str| std::fs::read(format!("tests/fixtures/tls/{name}")).unwrap();
        let expired = of_certificate(&file("expired.pem")).unwrap();
        assert_eq!(expired.what, Pass::ClientCertificate);
        assert_eq!(expired.at.rfc3339(), "2021-01-01T00:00:00.000Z");
        let valid = of_certificate(&file("valid.pem")).unwrap();
        assert_eq!(valid.at.rfc3339(), "2120-01-01T00:00:00.000Z");
        assert_eq!(of_certificate(&file("valid.key")), None);
        assert_eq!(of_certificate(b"no PEM"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fall(token in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = claims(&token);
            let _ = claims(&format!("x.{}.y", URL_SAFE_NO_PAD.encode(&bytes))).map(|c| of_token(&c, true));
            let _ = Certificate::from_der(&bytes);
            let _ = of_certificate(&bytes);
        }
    }
}
