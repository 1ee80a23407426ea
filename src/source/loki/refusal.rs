//! What Loki's refusals say about its limits.

use super::page::Refusal;
use crate::source::error::Cause;

/// A refusal that asking for less gets around; `None` for all others.
pub fn refusal(cause: &Cause) -> Option<Refusal> {
    let text = match cause {
        Cause::Timeout(_) => return Some(Refusal::Work),
        Cause::TooLarge(_) => return Some(Refusal::Size),
        Cause::Query(text) => text,
        Cause::Server { status: 504, .. } => return Some(Refusal::Work),
        Cause::Server { detail, .. } | Cause::Status { detail, .. } => detail,
        _ => return None,
    };
    if text.contains("query time range exceeds the limit") {
        return Some(Refusal::Range(allowed_range(text)));
    }
    if text.contains("max entries limit") {
        return Some(Refusal::Lines(allowed_lines(text)));
    }
    if text.contains("received message larger than max") {
        return Some(Refusal::Size);
    }
    let work = [
        "decrease the duration of the request",
        "would read too many bytes",
        "context deadline exceeded",
    ];
    work.iter()
        .any(|words| text.contains(words))
        .then_some(Refusal::Work)
}

/// `(query length: 1440h0m0s, limit: 30d1h)`
fn allowed_range(text: &str) -> Option<i64> {
    let (_, rest) = text.rsplit_once("limit: ")?;
    duration_ns(rest.split([')', ' ', ',']).next()?)
}

/// `(100000 > 5000)`
fn allowed_lines(text: &str) -> Option<u32> {
    let (_, rest) = text.rsplit_once("> ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// `30d1h`, `721h0m0s`, `1.5s`, as Go and Prometheus write durations.
fn duration_ns(text: &str) -> Option<i64> {
    const SECOND: f64 = 1e9;
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(unit_at);
        let unit_end = behind
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let factor = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => SECOND,
            "m" => 60.0 * SECOND,
            "h" => 3_600.0 * SECOND,
            "d" => 86_400.0 * SECOND,
            "w" => 604_800.0 * SECOND,
            "y" => 31_536_000.0 * SECOND,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    // A century at most: what is longer limits nothing.
    (1.0..3.2e18).contains(&total).then_some(total as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::error::quote;

    fn recorded(name: &str) -> String {
        quote(&std::fs::read(format!("tests/fixtures/loki/{name}")).expect("fixture"))
    }

    #[test]
    fn recorded_refusals_tell_the_limits() {
        let query = |name| refusal(&Cause::Query(recorded(name)));
        let hour = 3_600_000_000_000;
        assert_eq!(
            query("err_range_too_long.txt"),
            Some(Refusal::Range(Some(721 * hour)))
        );
        assert_eq!(
            query("err_limit_exceeded.txt"),
            Some(Refusal::Lines(Some(5_000)))
        );
        assert_eq!(query("err_query_timeout.txt"), Some(Refusal::Work));
        assert_eq!(query("err_parse.txt"), None);
        assert_eq!(query("err_too_many_series.txt"), None);
    }

    #[test]
    fn refusals_without_numbers_are_refusals_too() {
        let query = |text: &str| refusal(&Cause::Query(text.into()));
        assert_eq!(
            query("the query time range exceeds the limit (query length: x, limit: soon)"),
            Some(Refusal::Range(None))
        );
        assert_eq!(
            query("max entries limit per query exceeded"),
            Some(Refusal::Lines(None))
        );
        assert_eq!(
            query("the query would read too many bytes (query: 3 GB, limit: 1 GB); consider"),
            Some(Refusal::Work)
        );
        let large = "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)";
        let cause = Cause::Server {
            status: 500,
            detail: large.into(),
        };
        assert_eq!(refusal(&cause), Some(Refusal::Size));
        assert_eq!(refusal(&Cause::RateLimited(None)), None);
    }

    #[test]
    fn durations_of_go() {
        assert_eq!(duration_ns("1.5s"), Some(1_500_000_000));
        assert_eq!(duration_ns("1m0.5s"), Some(60_500_000_000));
        assert_eq!(duration_ns("2w3d"), Some(17 * 86_400_000_000_000));
        for wrong in ["", "5", "h", "1x", "0s", "-1h", "1..2s", "99999999999y"] {
            assert_eq!(duration_ns(wrong), None, "{wrong}");
        }
    }
}
