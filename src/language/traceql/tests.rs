use proptest::prelude::*;

use super::check::check;
use super::place::place;
use super::scan::scan;
use super::*;
use crate::language::{Kind, Place, What};

fn kinds(text: &str) -> Vec<(&str, Kind)> {
    let tokens = scan(text);
    let told = tokens.iter().filter(|t| t.kind != Kind::Blank);
    told.map(|t| (t.of(text), t.kind)).collect()
}

/// The place of `¦` in the text.
fn at(text: &str) -> Option<Place> {
    let cursor = text.find('¦').expect("a cursor");
    place(&text.replacen('¦', "", 1), cursor)
}

fn whats(text: &str) -> Vec<What> {
    let place = at(text).unwrap_or_else(|| panic!("{text}: nothing"));
    place.wants.into_iter().map(|w| w.what).collect()
}

/// Whether a word of the language is offered.
fn offers(text: &str, word: &str) -> bool {
    whats(text).iter().any(|what| match what {
        What::Words(list) => list.iter().any(|w| w.text == word),
        _ => false,
    })
}

#[test]
fn parts_are_told_apart() {
    use Kind::*;
    let text = "{ span.http.status-code>=500 && parent.resource.\"a b\" =~ `x.*` && trace:duration>1h30m } \
                &>> { status = error } | quantile_over_time(duration, .99) by (.a) with (sample=0.1) // end";
    let told = kinds(text);
    for (part, kind) in [
        ("span.http.status-code", Label),
        (">=", Operator),
        ("500", Number),
        ("parent.resource.\"a b\"", Label),
        ("`x.*`", Text),
        ("trace:duration", Name),
        ("1h30m", Number),
        ("&>>", Operator),
        ("status", Name),
        ("error", Keyword),
        ("quantile_over_time", Function),
        (".99", Number),
        ("by", Keyword),
        (".a", Label),
        ("sample", Label),
        ("// end", Comment),
    ] {
        assert!(told.contains(&(part, kind)), "{part} {kind:?}: {told:?}");
    }
    assert_eq!(kinds("checkout")[0].1, Wrong);
}

#[test]
fn what_tempo_takes_is_not_underlined() {
    for text in [
        "",
        "{}",
        "{ }",
        "{ .a }",
        "{ !.a || -.b = 2 }",
        "{ status = error && kind != server }",
        "{ span:status = unset }",
        "{ duration > 1.5s && duration <= 2h }",
        "{ (.a + 1) * 2 ^ 3 >= 7 % 2 }",
        "{ .a =~ \"a|b\\\\.c\" && name !~ `x\\.y` }",
        "{ 1 <= 1.1 && \"a\" < \"b\" }",
        "{ span.x != nil && nil = resource.y }",
        "{ true } && ({ false } || { .a }) ~ { .b }",
        "{} >> {} << {} > {} < {} !~ {} !>> {} !<< {} !> {} !< {}",
        "{} &>> {} &<< {} &> {} &< {} &~ {}",
        "({ .a } | count() > 1) >> ({ .b } | avg(duration) < 10ms)",
        "({} | count()) > 2",
        "({} | count()) + ({} | count()) = 3",
        "count() > 2 | { status = error }",
        "max(duration) >= 1s",
        "2 < count()",
        "{} | by(resource.service.name) | count() > 2 | coalesce()",
        "{} | select(span.http.route, name, event:name)",
        "{} | sum(.x) / 2 > 3",
        "{} | rate()",
        "{} | rate() by (resource.service.name, .b) with (sample=true, exemplars=0.5)",
        "{} | quantile_over_time(duration, 0.5, .99) by (.a) | topk(5)",
        "{} | compare({ status = error }, 10, 1, 2)",
        "{} | rate() > 5 | bottomk(2)",
        "({ status = error } | rate()) / ({} | rate()) * 100",
        "{ trace: duration > 1s }",
        "{ link:spanID = \"ab\" || link:traceID = \"cd\" || span:childCount > 3 }",
        "{ event:timeSinceStart > 5ms && instrumentation:version = \"1\" }",
        "{ parent.span.http.route = \"/\" }",
        "{ childCount > 2 && nestedSetParent < 0 }",
        "{ .a > minInt } /* all */",
        "{ rootServiceName = \"a\" } with (most_recent=true)",
    ] {
        assert_eq!(check(text), None, "{text}");
    }
}

#[test]
fn what_is_wrong_and_where() {
    for (text, part, words) in [
        ("{ status = \"error\" }", "\"error\"", "bare word"),
        ("{ kind = \"server\" }", "\"server\"", "bare word"),
        ("{ duration > \"1s\" }", "\"1s\"", "not quoted"),
        ("{ name = 5 }", "5", "a text is compared with a number"),
        ("{ .a == 1 }", "=", "one `=`"),
        ("{ foo = 1 }", "foo", ".foo"),
        ("{ name }", "name", "a comparison is missing"),
        ("{ 1 }", "1", "a comparison is missing"),
        ("{ .a = 1 .b = 2 }", ".b", "may not stand here"),
        ("{ .a && duration }", "&&", "joins conditions"),
        ("{ name =~ \"(\" }", "\"(\"", "no regex"),
        ("{ name =~ .b }", ".b", "quoted text"),
        ("{ .a = \"x\\.y\" }", "\"x\\.y\"", "\\\\."),
        ("{ status > error }", "error", "does not go with a status"),
        ("{ !duration = 1 }", "!", "does not go with"),
        ("{ trace:nope = 1 }", "trace:nope", "there is no"),
        ("{ . = 1 }", ".", "has to follow"),
        (".a = 1", ".a", "stand in `{ }`"),
        ("{} }", "}", "closes nothing"),
        ("{ (.a }", "}", "`)` has to close"),
        ("{} + {}", "+", "wants numbers"),
        ("{} = 2", "=", "wants numbers"),
        ("count() && {}", "&&", "wants spans"),
        ("{} > 2", ">", "two sets"),
        ("{} | count() | {}", "|", "a comparison is missing"),
        ("{} | rate() | count() > 1", "count", "topk"),
        ("{} | topk(3)", "topk", "function of metrics"),
        ("{} | avg(name) > 1", "name", "wants a number"),
        ("{} | count(.a) > 1", ".a", "may not stand here"),
        ("{} | rate() by (1)", "1", "no attribute"),
        ("{} | quantile_over_time(duration, x)", "x", "no word"),
        (
            "{} | quantile_over_time(duration, \"a\")",
            "\"a\"",
            "a number has to be",
        ),
        ("{} ? {}", "?", "no meaning"),
        ("{} {}", "{", "may not stand here"),
    ] {
        let problem = check(text).unwrap_or_else(|| panic!("{text}: nothing wrong"));
        let shown = &text[problem.start..problem.end];
        assert_eq!(shown, part, "{text}: {problem:?}");
        assert!(problem.text.contains(words), "{text}: {problem:?}");
        assert!(!problem.unfinished, "{text}: {problem:?}");
    }
}

#[test]
fn what_is_half_typed_is_no_mistake() {
    for text in [
        "{",
        "{ ",
        "{ res",
        "{ resource.",
        "{ resource.service.name",
        "{ resource.service.name =",
        "{ resource.service.name = \"",
        "{ resource.service.name = \"a\"",
        "{ resource.service.name = \"a\" &",
        "{ resource.service.name = \"a\" &&",
        "{ .a !",
        "{ trace:",
        "{ trace:dur",
        "{ status = err",
        "{ duration >",
        "{} |",
        "{} | cou",
        "{} | count",
        "{} | count(",
        "{} | count()",
        "{} | count() >",
        "{} | rate() by",
        "{} | rate() by (.a,",
        "{} | quantile_over_time(duration",
        "{} | quantile_over_time(duration,",
        "{} >>",
        "{} !",
        "{} &",
        "({}",
        "{} with",
        "{} with (most",
        "{} with (sample=",
        "-",
    ] {
        let problem = check(text).unwrap_or_else(|| panic!("{text}: nothing wrong"));
        assert!(problem.unfinished, "{text}: {problem:?}");
    }
}

#[test]
fn what_may_stand_at_the_cursor_is_known() {
    let tags = |text: &str| whats(text).contains(&What::Labels { of: None });
    for text in [
        "{¦",
        "{ ¦ }",
        "{ res¦ }",
        "{ .a = 1 && ¦",
        "{ (¦",
        "{ !¦",
        "{} | by(¦)",
        "{} | select(.a, ¦)",
        "{} | avg(¦",
        "{} | rate() by (¦)",
        "{} | quantile_over_time(¦",
        "{ span.a = .b || ¦ }",
    ] {
        assert!(tags(text), "{text}");
    }
    for (text, word) in [
        ("¦", "{ status = error }"),
        ("{ duration ¦", ">="),
        ("{ status = ¦", "error"),
        ("{ span:status = e¦", "error"),
        ("{ kind = ¦", "server"),
        ("{ duration > ¦", "500ms"),
        ("{ .a = 1 ¦", "&&"),
        ("{ } ¦", ">>"),
        ("{ } | ¦", "count"),
        ("{ } | ra¦", "rate"),
        ("{ } | rate() ¦", "by"),
        ("{ } with (¦", "most_recent"),
        ("{ resource¦", "resource."),
    ] {
        assert!(offers(text, word), "{text}: {:?}", whats(text));
    }
    for text in ["{ // ¦", "{ .a = 5¦ ", "{} | topk(¦"] {
        let told = at(text).map(|p| p.wants);
        let only_bare = told
            .iter()
            .flatten()
            .all(|w| matches!(w.what, What::Bare { .. }));
        assert!(only_bare, "{text}: {told:?}");
    }
}

#[test]
fn values_are_put_in_as_the_language_wants_them() {
    let named = |label: &str| What::Values {
        label: label.to_owned(),
        of: None,
    };
    let place = at("{ resource.service.name = ¦ }").unwrap();
    assert_eq!(place.wants[0].what, named("resource.service.name"));
    assert_eq!((place.wants[0].before, place.wants[0].after), ("\"", "\""));
    assert_eq!(
        place.wants[1].what,
        What::Bare {
            label: "resource.service.name".into()
        }
    );
    let place = at("{ .http.route =~ \"a|b¦|c\" }").unwrap();
    assert_eq!((place.typed.as_str(), place.wants.len()), ("b", 1));
    assert_eq!((place.start, place.end), (20, 21));
    assert_eq!(place.wants[0].after, "");
    let place = at("{ span.code = 2¦").unwrap();
    assert_eq!(place.typed, "2");
    assert!(matches!(place.wants[0].what, What::Bare { .. }));
    assert_eq!(place.wants[0].before, "");
    let place = at("{ resource.clus¦ = \"a\" }").unwrap();
    assert_eq!(
        (place.typed.as_str(), place.wants[0].after),
        ("resource.clus", "")
    );
    let place = at("{ resource.clus¦ }").unwrap();
    assert_eq!(place.wants[0].after, " = ");
}

#[test]
fn the_short_form_is_completed_and_judged() {
    let place = |text: &str| {
        let cursor = text.find('¦').expect("a cursor");
        (TRACEQL.place)(&text.replacen('¦', "", 1), cursor).expect("a place")
    };
    let all = place("¦");
    assert!(
        all.wants
            .iter()
            .any(|w| w.what == What::Words(&words::STARTS))
    );
    let word = place("error che¦ckout");
    assert_eq!((word.start, word.end, word.typed.as_str()), (6, 14, "che"));
    assert!(
        word.wants
            .iter()
            .any(|w| w.what == What::Labels { of: None })
    );
    let value = place("pod=\"pa¦");
    assert_eq!((value.start, value.end, value.typed.as_str()), (5, 7, "pa"));
    let What::Values { label, .. } = &value.wants[0].what else {
        panic!("{value:?}");
    };
    assert_eq!(label, "resource.k8s.pod.name");
    assert_eq!((value.wants[0].before, value.wants[0].after), ("", "\" "));
    assert_eq!(
        place("status=¦").wants[0].what,
        What::Words(&words::STATUSES)
    );
    let wrong = (TRACEQL.check)("checkout >soon error").unwrap();
    assert_eq!((wrong.start, wrong.end, wrong.unfinished), (9, 14, false));
    assert!((TRACEQL.check)("checkout >5").unwrap().unfinished);
    assert_eq!((TRACEQL.check)("checkout error >5ms a.b=\"c d\""), None);
}

proptest! {
    #[test]
    fn the_short_form_is_covered(text in "[a-c=!<>~\"{(* .5é]{0,20}", cut in 0_usize..20) {
        let tokens = (TRACEQL.highlight)(&text);
        let whole: String = tokens.iter().map(|t| t.of(&text)).collect();
        prop_assert_eq!(&whole, &text);
        let _ = (TRACEQL.check)(&text);
        if let Some(place) = (TRACEQL.place)(&text, cut) {
            prop_assert!(text.get(place.start..place.end).is_some());
        }
    }

    #[test]
    fn any_text_is_covered_and_judged(text in "[{}()|&><~!=\"`./*a-cé :,0-9-]{0,40}", cut in 0_usize..40) {
        let tokens = scan(&text);
        let whole: String = tokens.iter().map(|t| t.of(&text)).collect();
        prop_assert_eq!(&whole, &text);
        if let Some(problem) = check(&text) {
            prop_assert!(text.get(problem.start..problem.end).is_some());
        }
        if let Some(place) = place(&text, cut) {
            prop_assert!(text.get(place.start..place.end).is_some());
        }
    }

    #[test]
    fn words_in_any_order_are_judged(parts in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "(", ")", "|", "&&", ">", ">>", "=", "=~", "count", "rate", "by", "with", ".a",
        "span.", "trace:id", "status", "error", "\"x\"", "5ms", "-", ",", "topk", "nil",
    ]), 0..20)) {
        let text = parts.join(" ");
        if let Some(problem) = check(&text) {
            prop_assert!(text.get(problem.start..problem.end).is_some());
        }
        let _ = place(&text, text.len());
    }
}
