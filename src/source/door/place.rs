//! URLs as they may be shown, headers, and how far a redirect is followed.

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;

pub(super) const REDIRECTS: usize = 5;

pub(super) fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

pub(super) fn extra_headers(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{name}` is no name of a header"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of header `{name}` holds forbidden characters"))?;
        headers.append(key, value);
    }
    Ok(headers)
}

/// A URL as it may be shown: no user, no password, no values of the query.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    crate::model::text::clean(url.as_str().trim_end_matches('/'), 300)
}

/// The same for a text that may not be a URL at all.
pub fn shown_text(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let shown = match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let (head, _) = text.split_at(scheme + 3);
            let (_, host) = text.split_at(at + 1);
            format!("{head}{host}")
        }
        _ => text.to_owned(),
    };
    crate::model::text::clean(&shown, 300)
}

/// A few steps are followed; to another server only where nothing of ours would go along, which
/// is where the endpoint is not `guarded`.
pub(super) fn redirects(guarded: bool) -> Policy {
    Policy::custom(move |attempt| {
        let from = attempt.previous().last();
        let leaves = from.is_some_and(|from| from.origin() != attempt.url().origin());
        if guarded && leaves {
            attempt.stop()
        } else if attempt.previous().len() > REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}
