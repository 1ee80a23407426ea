use proptest::prelude::*;

use super::write::*;
use super::*;
use crate::language::{Kind, What};

/// What Loki 3 accepts: from its documentation and its tests.
const RIGHT: &[&str] = &[
    r#"{app="cart"}"#,
    r#"{app=~"c.+", pod!="a", ns!~"b|c",}"#,
    r#"{name != ""}"#,
    r#"{job="mysql"} |= "error" != "timeout""#,
    r#"{name="kafka"} |~ "tsdb-ops.*io:2003""#,
    r#"{name="cassandra"} |~ `error=\w+`"#,
    r#"{instance=~"kafka-[23]"} != "kafka.server:type=ReplicaManager""#,
    r#"{job="a"} |= "a" or "b" |= ip("10.0.0.0/8") or "c" | json"#,
    r#"{job="a"} |> "<_> error <_>" !> `<_> ok`"#,
    r#"{job="a"} | logfmt | addr = ip("192.168.4.5/16") and x != ip("::1")"#,
    r#"{container="query-frontend",namespace="loki-dev"} |= "metrics.go" | logfmt | duration > 10s and throughput_mb < 500"#,
    r#"{app="foo"} | json first_server="servers[0]", ua="request.headers[\"User-Agent\"]", status | x=1"#,
    r#"{app="foo"} | logfmt --strict --keep-empty host, fwd_ip="fwd" | duration >= 20ms or method="GET" and size <= 20KB"#,
    r#"{app="foo"} | pattern `<ip> - - <_> "<method> <uri> <_>" <status>` | status >= 500"#,
    r#"{app="foo"} | regexp "(?P<method>\\w+) (?P<path>[\\w|/]+) \\((?P<status>\\d+?)\\) (?P<duration>.*)""#,
    r#"{app="foo"} | unpack | decolorize"#,
    r#"{app="foo"} | logfmt | line_format "{{.path}} {{ div .size 1024 }}" | label_format a=b, c="{{.d}}""#,
    r#"{app="foo"} | json | drop level, method="GET", x=~"a.*" | keep a, b!="c" | a==5"#,
    r#"{app="foo"} | duration >= 20ms method="GET" | (size <= 20KB, x="y") or status=200"#,
    r#"{app="foo"} | x=~"a" | y!~`b` | z > -1.5"#,
    r#"rate({app="foo"}[5m])"#,
    r#"Sum by (host) (RATE({app="foo"} |= "error" != "timeout" | json | duration > 10s [1m] offset 1h))"#,
    r#"sum(count_over_time({job="mysql"}[5m])) by (level)"#,
    r#"sum without(pod) (count_over_time(({job="mysql"} |= "x")[5m]))"#,
    r#"topk(10, sum(rate({region="us-east1"}[5m])) by (name))"#,
    r#"quantile_over_time(0.99, {c="i"} | json | __error__ = "" | unwrap request_time [1m]) by (path)"#,
    r#"sum by (org_id) (sum_over_time({cluster="o"} |= "m" | logfmt | unwrap bytes_processed | __error__="" [1h30m]))"#,
    r#"avg_over_time({a="b"} | logfmt | unwrap duration_seconds(took) [5m])"#,
    r#"rate({a="b"} | unwrap bytes(size) [5m]) > bool 10"#,
    r#"absent_over_time({a="b"}[10m]) or vector(0)"#,
    r#"vector(-1)"#,
    r#"1 + -2 * 3 ^ 2"#,
    r#"label_replace(rate({job="a",service=~".*e"}[1m]), "foo", "$1", "service", "(.*):.*")"#,
    r#"sum(rate({a="b"}[1m])) / on(app) group_left(pod) sum(rate({a="c"}[1m])) * 100"#,
    r#"sum(rate({a="b"}[1m])) / on(app) group_left (sum(rate({a="c"}[1m])))"#,
    r#"(sum(rate({a="b"}[1m])) unless ignoring(x) sum(rate({a="c"}[1m])))"#,
    r#"{a="b"} # words "
 |= "x" // more words"#,
    r#"({a="b"} |= "c") | json"#,
    r#"count_over_time({a="b"}[5m] |= "c" | logfmt)"#,
    r#"rate({a="b"}[5m] offset -5m)"#,
    r#"sort_desc(max by () (max_over_time({a="b"} | unwrap x [1d])))"#,
    r#"{größe="ü"} |= "漢""#,
    r#"variants(count_over_time({a="b"}[5m]), bytes_over_time({a="b"}[5m])) of ({a="b"}[5m])"#,
];

#[test]
fn what_loki_accepts_is_not_called_wrong() {
    for text in RIGHT {
        assert_eq!(check(text), None, "{text}");
    }
}

/// Of a right query every beginning is right so far.
#[test]
fn what_is_half_typed_is_no_mistake() {
    let mut wrong = Vec::new();
    for text in RIGHT {
        for (end, _) in text.char_indices() {
            let begun = &text[..end];
            let problem = check(begun).filter(|p| !p.unfinished);
            wrong.extend(problem.map(|p| format!("{begun}: {p:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_and_where() {
    for (text, part, words) in [
        (r#"{app="a"} | json | "x""#, r#""x""#, "has to follow `|`"),
        (r#"{app='a'}"#, "'", "no meaning"),
        (r#"{app=5}"#, "5", "stands in quotes"),
        (r#"{app="a" pod="b"}"#, "pod", "`,` or `}`"),
        (r#"{app>"a"}"#, ">", "`=~`"),
        (r#"{} |= "x""#, "{}", "not empty"),
        (r#"{app=~".*"} |= "x""#, r#"{app=~".*"}"#, "not empty"),
        (r#"{app="", b!="c"} "#, r#"{app="", b!="c"}"#, "not empty"),
        (r#"app="a" "#, "app", "braces"),
        (r#"errors |= "x""#, "errors", "no names"),
        (r#"up > 5 "#, "up", "no names"),
        (r#"{app="a"} | jsn | x=1"#, "jsn", "no parser"),
        (r#"{app="a"} | rate | x=1"#, "rate", "around the selector"),
        (r#"{app="a"} | status > "500" "#, ">", "texts are compared"),
        (r#"{app="a"} |~ "(a" "#, r#""(a""#, "not closed"),
        (r#"{app="a"} |= error "#, "error", "in quotes"),
        (r#"{app="a"}[5m]"#, "[", "within a function"),
        (r#"rate({app="a"})"#, ")", "a range"),
        (r#"rate({app="a"}[5])"#, "5", "a unit"),
        (r#"rate({app="a"}[$__interval])"#, "$", "Grafana"),
        (r#"sum({app="a"})"#, r#"{app="a"}"#, "reckoned"),
        (r#"{app="a"} + 1"#, r#"{app="a"}"#, "reckoned"),
        (r#"1 + {app="a"} "#, r#"{app="a"}"#, "reckoned"),
        (r#"sum_over_time({app="a"}[5m])"#, "sum_over_time", "unwrap"),
        (r#"{app="a"} | unwrap x |= "y""#, "", "goes with a range"),
        (r#"increase({app="a"}[5m])"#, "increase", "there is `rate`"),
        (r#"rate({app="a"}[5m]) | json"#, "|", "is of lines"),
        (r#"rate({app="a"}[5m]))"#, ")", "closes nothing"),
        (r#"sum by app (rate({app="a"}[5m]))"#, "app", "parentheses"),
        (r#"{app="a"} | label_format a | x=1"#, "|", "`=`"),
        (r#"rate({app="a"}[5m] offset x) "#, "x", "duration"),
    ] {
        let problem = check(text).unwrap_or_else(|| panic!("{text}: nothing wrong"));
        let shown = &text[problem.start..problem.end];
        assert!(problem.text.contains(words), "{text}: {problem:?}");
        if !part.is_empty() {
            assert_eq!(shown, part, "{text}: {problem:?}");
            assert!(!problem.unfinished, "{text}: {problem:?}");
        }
    }
}

#[test]
fn lines_and_numbers_are_told_apart() {
    for text in RIGHT {
        let lines = text.starts_with('{') || text.starts_with("({");
        assert_eq!(is_metric(text), !lines, "{text}");
    }
    assert!(!is_metric(r#"{app="a"#) && !is_metric(""));
    assert_eq!(
        selector(r#"sum(rate({a="}"} |= "{" [5m]))"#),
        Some(r#"{a="}"}"#)
    );
    assert_eq!(selector("1 + 1"), None);
}

fn kinds(text: &str) -> Vec<(&str, Kind)> {
    let tokens = scan(text);
    let told = tokens.iter().filter(|t| t.kind != Kind::Blank);
    told.map(|t| (t.of(text), t.kind)).collect()
}

#[test]
fn parts_are_told_apart() {
    use Kind::*;
    let text =
        r#"sum by (app) (rate({json="a"} |= `b` | json | rate=~"x" | took > 1.5s [5m])) # end"#;
    let told = kinds(text);
    for (part, kind) in [
        ("sum", Function),
        ("by", Keyword),
        ("app", Label),
        ("rate", Function),
        ("json", Label),
        ("json", Keyword),
        ("rate", Label),
        ("|=", Operator),
        ("`b`", Text),
        ("=~", Operator),
        ("1.5s", Number),
        ("5m", Number),
        ("# end", Comment),
    ] {
        assert!(told.contains(&(part, kind)), "{part} {kind:?}: {told:?}");
    }
}

/// What is completed at `‸`.
fn whats(text: &str) -> Vec<What> {
    let cursor = text.find('‸').expect("a cursor");
    let place = place(&text.replacen('‸', "", 1), cursor);
    place
        .map(|p| p.wants.into_iter().map(|w| w.what).collect())
        .unwrap_or_default()
}

#[test]
fn what_is_completed_where() {
    let labels = What::Labels { of: None };
    let values = |label: &str| What::Values {
        label: label.into(),
        of: None,
    };
    assert_eq!(whats("{‸"), std::slice::from_ref(&labels));
    assert_eq!(whats("{app=\"a\", na‸"), std::slice::from_ref(&labels));
    assert_eq!(whats("{app=‸"), [values("app")]);
    assert_eq!(whats("{app=\"c‸\"}"), [values("app")]);
    let beside = |of: &str| What::Values {
        label: "pod".into(),
        of: Some(of.into()),
    };
    for (text, of) in [
        ("{a=\"b\", pod=~\"x|y‸", "{a=\"b\"}"),
        (
            "{a=\"b\", c!=\"d\", pod=\"‸\", e=\"f\"}",
            "{a=\"b\", c!=\"d\"}",
        ),
    ] {
        assert_eq!(whats(text), [beside(of)], "{text}");
    }
    // Loki refuses a selector that everything meets.
    for text in ["{c!=\"d\", pod=\"‸", "{a=\"\", pod=\"‸"] {
        assert_eq!(whats(text), [values("pod")], "{text}");
    }
    assert_eq!(whats("sum by (‸"), std::slice::from_ref(&labels));
    assert_eq!(whats("rate({a=\"b\"}[‸"), [What::Words(&words::RANGES)]);
    for text in [
        "{a=\"b\"} ‸",
        "{a=\"b\"} | json ‸",
        "rate({a=\"b\"} |= \"x\" ‸",
    ] {
        assert_eq!(whats(text), [What::Words(&words::FILTERS)], "{text}");
    }
    for text in ["{a=\"b\"} | ‸", "rate({a=\"b\"} | js‸"] {
        assert!(whats(text).contains(&What::Words(&words::STAGES)), "{text}");
    }
    assert!(whats("sum_over_time({a=\"b\"} | unwrap ‸").contains(&labels));
    assert!(whats("‸").contains(&What::Snippets));
    assert!(whats("su‸").contains(&What::Words(&words::AGGREGATIONS)));
    assert!(whats("sum(‸").contains(&What::Words(&words::RANGES_OF)));
    assert!(whats("sum by (a) (‸").contains(&What::Words(&words::RANGES_OF)));
    assert_eq!(
        whats("rate({a=\"b\"}[5m]) ‸"),
        [What::Words(&words::KEYWORDS)]
    );
    for text in [
        "{a=\"b\"‸",
        "{a=\"b\"} |= \"x‸\"",
        "{a=\"b\"} # x‸",
        "rate({a=\"b\"}[5m] offset ‸",
    ] {
        assert!(whats(text).is_empty(), "{text}");
    }
}

#[test]
fn a_form_is_written_with_nothing_left_open() {
    assert_eq!(matchers("app", "a"), [r#"app="a""#]);
    assert_eq!(matchers("app", " a.b , c "), [r#"app=~"a\\.b|c""#]);
    assert_eq!(matchers("app", "api-*"), [r#"app=~"api\\-.*""#]);
    assert_eq!(matchers("app", "a,!b"), [r#"app="a""#, r#"app!="b""#]);
    assert_eq!(matchers("app", r#"a"} |= "b"#), [r#"app="a\"} |= \"b""#]);
    assert!(matchers("app", " , ! ").is_empty());
    assert_eq!(
        line_filter("a \"b\" `c` \\"),
        " |= \"a \\\"b\\\" `c` \\\\\""
    );
    assert_eq!(line_filter("!x"), " != \"x\"");
    assert_eq!(line_filter("/a+/"), " |~ \"a+\"");
    assert_eq!(line_filter("!/a+/"), " !~ \"a+\"");
    assert_eq!(
        (line_filter(" ! "), line_filter("")),
        (String::new(), String::new())
    );
    assert_eq!(quoted("ä\n\t\0\u{7f}"), r#""ä\n\t\u0000\u007f""#);
    assert_eq!(matcher("app", &["a.b".into()]), r#"app="a.b""#);
    let two = ["a.b".to_owned(), "c\"|.*".to_owned()];
    assert_eq!(matcher("app", &two), r#"app=~"a\\.b|c\"\\|\\.\\*""#);
}

#[test]
fn a_query_is_narrowed_by_a_field() {
    let narrow = |query: &str, parser, not| narrowed(query, ("code", "5\"0"), parser, not);
    assert_eq!(
        narrow(r#"{app="a"} |= "{x}""#, None, false).as_deref(),
        Some(r#"{app="a", code="5\"0"} |= "{x}""#)
    );
    assert_eq!(
        narrow("{app=\"a\",}", None, true).as_deref(),
        Some(r#"{app="a", code!="5\"0"}"#)
    );
    assert_eq!(
        narrow(r#"{app="a"}"#, Some(Parser::Json), false).as_deref(),
        Some(r#"{app="a"} | json | code="5\"0""#)
    );
    assert_eq!(
        narrow(r#"{app="json"} | logfmt "#, Some(Parser::Logfmt), true).as_deref(),
        Some(r#"{app="json"} | logfmt | code!="5\"0""#)
    );
    assert_eq!(narrow(r#"rate({app="a"}[5m])"#, None, false), None);
    assert_eq!(label_of("http.status-code"), "http_status_code");
    assert_eq!(label_of("2xx"), "_2xx");
}

proptest! {
    #[test]
    fn parts_cover_any_text(text in "\\PC{0,60}") {
        let tokens = scan(&text);
        let mut at = 0;
        for token in &tokens {
            prop_assert_eq!(token.start, at);
            prop_assert!(token.end > token.start);
            at = token.end;
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn any_text_is_checked_and_completed(
        text in "([a-z{}()\\[\\]|=!~<>\"`\\\\, 0-9é#]|sum|rate|json|unwrap|by|\\|=){0,40}",
        at in 0usize..60,
    ) {
        if let Some(problem) = check(&text) {
            prop_assert!(text.get(problem.start..problem.end).is_some());
            prop_assert!(!problem.text.is_empty());
        }
        let _ = is_metric(&text);
        let _ = selector(&text);
        let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        if let Some(cursor) = places.clone().nth(at % places.count().max(1))
            && let Some(place) = place(&text, cursor) {
                prop_assert!(place.start <= cursor && cursor <= place.end.max(cursor));
                prop_assert!(text.get(place.start..place.end).is_some());
        }
    }

    #[test]
    fn what_is_quoted_is_read_back(text in "\\PC*|[\\x00-\\x7f]{0,30}") {
        let written = quoted(&text);
        let read = unquoted(&written);
        prop_assert_eq!(read.as_deref(), Some(text.as_str()));
        // It is one text, whatever it holds.
        prop_assert_eq!(scan(&written).len(), 1);
    }

    #[test]
    fn a_form_never_leaves_its_selector(values in "[^,]{0,20}(,[^,]{0,20}){0,2}", line in "\\PC{0,20}") {
        let all = matchers("app", &values).join(", ");
        let query = format!("{{x=\"y\", {all}}}{}", line_filter(&line));
        // A regex of the operator may be wrong; what is typed literally never is.
        if let Some(problem) = check(&query) {
            prop_assert!(problem.text.contains("regex"), "{query}: {problem:?}");
        }
        prop_assert_eq!(selector(&query).map(str::len), Some(query.len() - line_filter(&line).len()));
    }

    #[test]
    fn a_literal_matches_itself_alone(value in "[ -~&&[^,!*]]{1,12}", other in "[ -~]{1,12}") {
        let value = value.trim().to_owned();
        prop_assume!(!value.is_empty());
        let written = matchers("a", &format!("{value}, {value}"));
        let part = written[0].strip_prefix("a=~").map(unquoted);
        let regex = regex::Regex::new(&format!("^(?:{})$", part.flatten().unwrap_or_default())).unwrap();
        prop_assert!(regex.is_match(&value));
        prop_assert!(value == other || !regex.is_match(&other));
    }
}
