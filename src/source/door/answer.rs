//! Requests and answers between the door's client and those of the tunnels.

use http::response::Parts;
use reqwest::header::{HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Body, Request, Response, ResponseBuilderExt, Url};

use super::AGENT;
use crate::source::error::Cause;

/// The body of a request; all of ours are held whole.
pub(super) fn body_of(request: &Request) -> Vec<u8> {
    let bytes = request.body().and_then(Body::as_bytes);
    bytes.unwrap_or_default().to_vec()
}

/// What the door's own client would add by itself.
pub(super) fn introduce(request: &mut Request) {
    let agent = HeaderValue::from_static(AGENT);
    request.headers_mut().insert(USER_AGENT, agent);
}

/// An answer as if the door's own client had got it from `url`.
pub(super) fn answer(url: Url, parts: Parts, body: Body) -> Result<Response, Cause> {
    let mut made = http::Response::builder()
        .url(url)
        .status(parts.status)
        .body(body)
        .map_err(|e| Cause::Bug(e.to_string()))?;
    *made.headers_mut() = parts.headers;
    // An upgraded connection waits among them.
    made.extensions_mut().extend(parts.extensions);
    Ok(Response::from(made))
}

/// Where a redirect leads, if it stays with the same server.
pub(super) fn next(response: &Response) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let told = response.headers().get(LOCATION)?.to_str().ok()?;
    let target = response.url().join(told).ok()?;
    (target.origin() == response.url().origin()).then_some(target)
}
