use proptest::prelude::*;

use super::*;
use crate::language::{Kind, What};

fn kinds(text: &str) -> Vec<(&str, Kind)> {
    let tokens = scan(text);
    let told = tokens.iter().filter(|t| t.kind != Kind::Blank);
    told.map(|t| (t.of(text), t.kind)).collect()
}

/// The place of `|` in the text.
fn at(text: &str) -> Option<crate::language::Place> {
    let cursor = text.find('|').expect("a cursor");
    place(&text.replacen('|', "", 1), cursor)
}

fn whats(text: &str) -> Vec<What> {
    let place = at(text).unwrap_or_else(|| panic!("{text}: nothing"));
    place.wants.into_iter().map(|w| w.what).collect()
}

#[test]
fn parts_are_told_apart() {
    use Kind::*;
    let text = "sum by (node) (rate(node_cpu:x{mode!=\"idle\", le=~'a'}[5m:1m])) > 1e-3 # busy";
    let told = kinds(text);
    for (part, kind) in [
        ("sum", Function),
        ("by", Keyword),
        ("node", Label),
        ("rate", Function),
        ("node_cpu:x", Name),
        ("mode", Label),
        ("!=", Operator),
        ("\"idle\"", Text),
        ("'a'", Text),
        ("5m", Number),
        (":", Operator),
        ("1e-3", Number),
        ("# busy", Comment),
    ] {
        assert!(told.contains(&(part, kind)), "{part} {kind:?}: {told:?}");
    }
    assert_eq!(kinds("rate"), [("rate", Name)], "no call, so a metric");
    assert_eq!(kinds("ü")[0].1, Wrong);
}

#[test]
fn what_is_wrong_and_where() {
    for (text, part, words) in [
        ("up == == 1", "==", "may not stand here"),
        ("sum(rate(up[5m])", ")", "`)` is missing"),
        ("up)", ")", "closes nothing"),
        ("up{job=]", "]", "`}` has to close"),
        ("up{job=\"a}", "\"a}", "closing quote"),
        ("rate(up)", "rate", "expected type"),
        ("nope(up)", "nope", "unknown function"),
        ("up = 1", "=", "`==`"),
        ("up{job=\"a\" env=\"b\"}", "env", "may not stand here"),
        ("up offset", "offset", "follow"),
        ("up[5x]", "5x", ""),
        ("sum by (node", "node", "`)` is missing"),
        ("up ? 1", "?", "no meaning"),
        ("up{job=~\"(\"}", "\"(\"", "regex"),
        ("a + on(x) group_left b c", "c", "may not stand here"),
    ] {
        let problem = check(text).unwrap_or_else(|| panic!("{text}: nothing wrong"));
        let shown = &text[problem.start..problem.end];
        assert_eq!(shown, part, "{text}: {problem:?}");
        assert!(problem.text.contains(words), "{text}: {problem:?}");
    }
}

#[test]
fn what_is_half_typed_is_no_mistake() {
    for text in [
        "sum(",
        "sum by (",
        "sum by (node) (",
        "rate(up[",
        "rate(up[5m",
        "up{",
        "up{job",
        "up{job=",
        "up{job=\"",
        "up{job=\"a\"",
        "up{job=\"a\",",
        "up offset",
        "up @",
        "up +",
        "a * on (x) group_left (",
        "a / ignoring",
        "topk(5,",
        "up !",
        "-",
        "up{job=\"a\"} and",
        "max_over_time(rate(up[5m])[1h:",
    ] {
        let problem = check(text).unwrap_or_else(|| panic!("{text}: nothing wrong"));
        assert!(problem.unfinished, "{text}: {problem:?}");
    }
    for text in [
        "",
        "  # nothing",
        "up",
        "1",
        "sum by (a, b) (rate(x{le=~\"a|b\"}[5m])) > 0.5",
        "histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))",
        "a / on(x) group_left(y) b",
        "max_over_time(rate(up[5m])[1h:1m])",
        "up offset -5m",
        "up @ end()",
        "{__name__=~\"a.+\"}",
        "quantile(0.9, up) without (x)",
        "up{\"a.b\"=\"c\"}",
        "-up",
        "a > bool 1",
        "sum",
    ] {
        assert_eq!(check(text), None, "{text}");
    }
}

#[test]
fn the_catalogue_is_right() {
    for signal in crate::config::signal::built_in().signals {
        assert_eq!(
            check(&signal.query),
            None,
            "{}: {}",
            signal.name,
            signal.query
        );
    }
}

#[test]
fn what_is_completed() {
    assert_eq!(whats("no|")[0], What::Names);
    assert_eq!(whats("sum(no|)")[0], What::Names);
    assert_eq!(whats("up + |")[0], What::Names);
    assert_eq!(whats("|").last(), Some(&What::Snippets));
    let of = |name: &str| Some(name.to_owned());
    assert_eq!(whats("up{|}"), [What::Labels { of: of("up") }]);
    assert_eq!(whats("up{jo|"), [What::Labels { of: of("up") }]);
    assert_eq!(
        whats("sum by (|) (rate(up[5m]))"),
        [What::Labels { of: of("up") }]
    );
    let values = |label: &str| What::Values {
        label: label.into(),
        of: of("up"),
    };
    assert_eq!(whats("up{job=\"|\"}"), [values("job")]);
    assert_eq!(whats("up{a=\"b\", job=~\"x.|"), [values("job")]);
    assert_eq!(whats("{__name__=\"up\", job=|}"), [values("job")]);
    assert_eq!(whats("{__name__=\"u|\"}"), [What::Names]);
    assert!(matches!(whats("rate(up[|")[0], What::Words(w) if w[0].text == "1m"));
    assert!(matches!(whats("sum b|")[0], What::Words(w) if w[0].text == "by"));
    assert!(matches!(whats("up o|")[0], What::Words(w) if w[0].text == "by"));
    for nothing in [
        "up # co|",
        "up{job |",
        "up offset 5|",
        "up{job=\"a\"|}",
        "12|",
    ] {
        assert_eq!(at(nothing), None, "{nothing}");
    }
}

#[test]
fn what_is_replaced() {
    for (text, start, end, typed) in [
        ("no|de", 0, 4, "no"),
        ("up{job=\"a|b\"}", 8, 10, "a"),
        ("up{job=\"a|}", 8, 9, "a"),
        ("up{job=~\"x|y|z\"}", 11, 12, ""),
    ] {
        // The last bar is the cursor where there are several.
        let cursor = match text.matches('|').count() {
            1 => text.find('|').expect("a cursor"),
            _ => 11,
        };
        let plain = match text.matches('|').count() {
            1 => text.replace('|', ""),
            _ => text.to_owned(),
        };
        let place = place(&plain, cursor).expect("a place");
        assert_eq!(
            (place.start, place.end, place.typed.as_str()),
            (start, end, typed),
            "{text}"
        );
    }
    let after = |text: &str| at(text).expect("a place").wants[0].after;
    assert_eq!(after("up{jo|}"), "=\"\"");
    assert_eq!(after("up{jo|=\"x\"}"), "");
    assert_eq!(after("up{job=\"a|"), "\"");
    assert_eq!(after("up{job=\"a|\"}"), "");
}

fn some_promql() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("sum"),
        Just("rate"),
        Just("by"),
        Just("on"),
        Just("group_left"),
        Just("offset"),
        Just("up"),
        Just("job"),
        Just("("),
        Just(")"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("=~"),
        Just("="),
        Just("!="),
        Just("\"a\""),
        Just("\"("),
        Just("5m"),
        Just("1e300"),
        Just("99999999999999999999y"),
        Just("@"),
        Just(","),
        Just("+"),
        Just("-"),
        Just(" "),
        Just(" "),
        Just("or"),
        Just("bool"),
        Just(":"),
        Just("#"),
        Just("ü"),
        Just("start"),
        Just("end"),
        Just("()"),
        Just("inf"),
        Just("nan"),
        Just("0x"),
        Just("fill"),
        Just("info"),
        Just("step"),
        Just("'"),
        Just("\\"),
        Just("{{"),
        Just("}}"),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn holds(text: &str) {
    let mut end = 0;
    for token in scan(text) {
        assert_eq!(token.start, end, "{text:?}");
        assert!(
            token.end > token.start && text.is_char_boundary(token.end),
            "{text:?}"
        );
        end = token.end;
    }
    assert_eq!(end, text.len(), "{text:?}");
    for (cursor, _) in text.char_indices() {
        if let Some(place) = place(text, cursor) {
            assert!(
                text.get(place.start..place.end).is_some(),
                "{text:?} {cursor}"
            );
            assert!(
                place.start <= cursor && cursor <= place.end,
                "{text:?} {cursor}"
            );
        }
    }
    if let Some(problem) = check(text) {
        assert!(
            text.get(problem.start..problem.end).is_some(),
            "{text:?} {problem:?}"
        );
        assert!(
            problem.end > problem.start && !problem.text.is_empty(),
            "{text:?} {problem:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_covered_and_checked(text in "\\PC{0,60}") {
        holds(&text);
    }

    #[test]
    fn any_promql_is_covered_and_checked(text in some_promql()) {
        holds(&text);
    }
}

#[test]
fn long_and_deep_texts() {
    for one in [
        "(",
        "-",
        "1+",
        "{",
        "up[",
        "\"",
        "a(",
        "sum(",
        "@",
        "{a=~\"(x{999}){999}\"} or ",
    ] {
        for count in [1, 50, 399, 3000] {
            holds_whole(&one.repeat(count));
        }
    }
    for text in [
        "up offset 1e300",
        "up[1e300]",
        "up @ 1e300",
        "up offset 0x7fffffffffffffff",
        "up[99999999y]",
    ] {
        holds(text);
    }
}

/// As [`holds`], with one cursor only.
fn holds_whole(text: &str) {
    let covered: usize = scan(text).iter().map(|t| t.end - t.start).sum();
    assert_eq!(covered, text.len());
    place(text, text.len());
    check(text);
}

/// The parser is asked again and again to find the place of a mistake: however long the text, it is
/// not given more than a certain number of bytes.
#[test]
fn a_long_text_with_a_mistake_is_not_looked_through_for_ever() {
    let long = 64 << 10;
    let sum = |part: &str, count: usize| vec![part; count].join(" + ");
    let middle = |part: &str, count: usize| {
        format!("{} sum sum {}", sum(part, count / 2), sum(part, count / 2))
    };
    for text in [
        // As many parts as are looked at, and a mistake at the end or in the middle.
        format!("{} sum sum", sum("rate(x[5m])", 60)),
        middle("up", 180),
        middle("rate(http_requests_total{job=\"x\"}[5m])", 30),
        // Few parts, but long ones.
        format!("{} {}", "a".repeat(long / 2), "b".repeat(long / 2)),
        middle(&"name".repeat(200), 60),
        format!("up{{a=\"{}\"}} x", "v".repeat(long)),
        // Pasted: more parts than are looked at.
        sum("up", long / 5),
        "(".repeat(long),
        format!("{} 5", "x".repeat(long)),
    ] {
        let (problem, parsed) = check::looked_at(&text);
        assert!(parsed <= check::PARSED, "{parsed} of {}", text.len());
        if let Some(problem) = problem {
            assert!(
                text.get(problem.start..problem.end).is_some(),
                "{problem:?}"
            );
        }
    }
    let (problem, _) = check::looked_at(&middle("up", 180));
    assert!(problem.is_some(), "that there is one is told");
}
