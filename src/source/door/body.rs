//! Reading what HTTP said: statuses, dates, waiting times, login pages.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::tls;
use crate::clock;
use crate::model::text::clean;
use crate::source::error::Cause;

/// Longest waiting time that is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Server's clock minus ours. `Date` has whole seconds, so its middle is taken, and our clock at
/// half of the round trip.
pub fn skew(headers: &HeaderMap, round_trip: Duration) -> Option<i64> {
    let told = headers.get(DATE)?.to_str().ok()?;
    let theirs = date_ms(told)? + 500;
    let half = i64::try_from(round_trip.as_millis() / 2).unwrap_or(0);
    Some(theirs - (clock::now().0 - half))
}

fn date_ms(text: &str) -> Option<i64> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
        .map(|t| t.as_millisecond())
}

/// How long the server asks us to stay away.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    wait_of(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// `Retry-After`: seconds or a date.
fn wait_of(text: &str) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = date_ms(text)? - clock::now().0;
            Duration::from_millis(u64::try_from(until).unwrap_or(0))
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A redirect that was not followed: our credentials would have gone to another server, or it was
/// a change, which is sent to one place only.
pub(super) fn elsewhere(response: &Response) -> Option<Cause> {
    if !response.status().is_redirection() {
        return None;
    }
    let told = response.headers().get(LOCATION)?.to_str().ok()?;
    let target = response.url().join(told).ok()?;
    if is_login(target.path().as_bytes()) {
        return Some(Cause::Login);
    }
    let shown = super::shown(&target);
    Some(match target.origin() == response.url().origin() {
        true => Cause::Moved(shown),
        false => Cause::Elsewhere(shown),
    })
}

/// A page for people, whatever its type says.
pub(super) fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start.get(..start.len().min(16)).unwrap_or(start);
    let start = start.to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html"]
        .iter()
        .any(|mark| start.starts_with(mark))
}

/// `the page "502 Bad Gateway"`, as its title says; else just that it is one.
pub(super) fn page(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(body.get(..body.len().min(64 * 1024)).unwrap_or(body));
    let lower = start.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let from = at + lower.get(at..)?.find('>')? + 1;
        let to = from + lower.get(from..)?.find("</title")?;
        // Lower case of ASCII has the same length: the places fit.
        start.get(from..to)
    });
    match title.map(|title| clean(title, 100)) {
        Some(title) if !title.trim().is_empty() => format!("the page \"{}\"", title.trim()),
        _ => "a web page".to_owned(),
    }
}

/// A page that wants a password.
pub(super) fn is_login(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(body.get(..body.len().min(64 * 1024)).unwrap_or(body))
        .to_ascii_lowercase();
    [
        "type=\"password\"",
        "type=password",
        "log in",
        "login",
        "sign in",
        "signin",
        "oauth",
    ]
    .iter()
    .any(|mark| start.contains(mark))
}

pub(super) fn cause_of_status(
    status: StatusCode,
    detail: String,
    after: Option<Duration>,
) -> Cause {
    match status.as_u16() {
        401 => Cause::Unauthorized(detail),
        403 => Cause::Forbidden(detail),
        // As Go and as nginx say it.
        400 if detail.contains("HTTP request to an HTTPS server")
            || detail.contains("HTTP request was sent to HTTPS port") =>
        {
            Cause::Tls("the server speaks TLS on this port".into())
        }
        404 | 405 | 410 => Cause::NotFound(detail),
        status @ (400 | 422) if detail.is_empty() => {
            Cause::Query(format!("status {status}, and no word why"))
        }
        400 | 422 => Cause::Query(detail),
        429 => Cause::RateLimited(after),
        status @ 500..=599 => Cause::Server { status, detail },
        status => Cause::Status { status, detail },
    }
}

/// A request that got no answer.
pub(super) fn cause_of(error: &reqwest::Error) -> Cause {
    if let Some(words) = tls::told(error) {
        return Cause::Tls(words);
    }
    if error.is_redirect() {
        return Cause::Redirects;
    }
    if error.is_timeout() {
        return Cause::Timeout(super::CONNECT_TIMEOUT);
    }
    // The innermost cause says what happened; the outer ones only repeat the URL.
    let mut innermost: &dyn std::error::Error = error;
    while let Some(next) = innermost.source() {
        innermost = next;
    }
    let words = clean(&innermost.to_string(), 200);
    if error.is_connect() || error.is_request() {
        Cause::Unreachable(words)
    } else {
        Cause::Payload(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_waiting_times() {
        assert_eq!(
            date_ms("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(wait_of(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(
            wait_of("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(wait_of("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait_of("soon"), None);
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        let nginx = b"\r\n<html>\r\n<head><title>502 Bad\x1b[31m Gateway</title></head>";
        assert!(is_page(nginx) && is_page(b"<!DOCTYPE HTML>") && !is_page(b"<a>"));
        assert_eq!(page(nginx), "the page \"502 Bad Gateway\"");
        for none in [
            &b"<html><title>"[..],
            b"<html><title></title>",
            b"",
            b"<html>\xff",
        ] {
            assert_eq!(page(none), "a web page");
        }
        let long = format!("<html><title lang=en>{}</title>", "x".repeat(9_999));
        assert!(page(long.as_bytes()).len() < 130);
    }

    #[test]
    fn sees_login_pages() {
        assert!(is_login(b"<html><form><input TYPE=\"password\"></form>"));
        assert!(!is_login(b"<html><h1>It works</h1>"));
    }
}
