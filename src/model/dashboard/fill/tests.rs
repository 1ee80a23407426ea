use proptest::prelude::*;

use super::*;

fn filling() -> Filling {
    let chosen = |values: &[&str], in_regex| Chosen {
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        all: None,
        in_regex,
    };
    let all = Chosen {
        all: Some(".+".into()),
        in_regex: true,
        ..Chosen::default()
    };
    Filling {
        chosen: [
            ("node".to_owned(), chosen(&["n1.example"], false)),
            ("pods".to_owned(), chosen(&["a.b", "c"], true)),
            ("one".to_owned(), chosen(&["a.b"], true)),
            ("path".to_owned(), chosen(&[r#"C:\"x""#], false)),
            ("ns".to_owned(), all),
        ]
        .into(),
        step_s: 30,
        range_s: 3600,
        from_ms: 1000,
        to_ms: 2000,
    }
}

#[test]
fn values_stand_where_the_names_stood() {
    let filling = filling();
    let cases = [
        (r#"up{node="$node"}"#, r#"up{node="n1.example"}"#),
        (
            r#"up{node="${node}:9100"}"#,
            r#"up{node="n1.example:9100"}"#,
        ),
        (r#"up{node="[[node]]"}"#, r#"up{node="n1.example"}"#),
        (r#"up{pod=~"$pods"}"#, r#"up{pod=~"(a\\.b|c)"}"#),
        (r#"up{pod=~"$one"}"#, r#"up{pod=~"a\\.b"}"#),
        (r#"up{pod=~'$pods'}"#, r#"up{pod=~'(a\\.b|c)'}"#),
        ("up{pod=~`$pods`}", r"up{pod=~`(a\.b|c)`}"),
        (r#"up{ns=~"$ns"}"#, r#"up{ns=~".+"}"#),
        (r#"up{path="$path"}"#, r#"up{path="C:\\\"x\""}"#),
        ("rate(x[$__rate_interval])", "rate(x[60s])"),
        ("rate(x[$__interval]) + $__range_s", "rate(x[30s]) + 3600"),
        ("x @ ${__to:date}", "x @ 2000"),
        (r#"x{a="${pods:pipe}"}"#, r#"x{a="a.b|c"}"#),
        (r#"x{a="${pods:csv}"}"#, r#"x{a="a.b,c"}"#),
        (r#"x{a=~"${node:regex}"}"#, r#"x{a=~"n1\\.example"}"#),
        // What is no variable stays.
        (
            r#"label_replace(up, "a", "$1", "b", "(.*)$")"#,
            r#"label_replace(up, "a", "$1", "b", "(.*)$")"#,
        ),
        (
            r#"up{a="$unknown ${node.x}"}"#,
            r#"up{a="$unknown ${node.x}"}"#,
        ),
        ("x[5m] $ ${ [[ ü$", "x[5m] $ ${ [[ ü$"),
    ];
    for (query, filled) in cases {
        assert_eq!(filling.fill(query), filled, "{query}");
    }
}

#[test]
fn quotes_are_followed_over_escapes() {
    // The quote behind a backslash ends nothing: the variable still stands in double quotes.
    let filled = filling().fill(r#"up{a="\"$path"} + up{b=`\`,c="$path"}"#);
    assert_eq!(filled, r#"up{a="\"C:\\\"x\""} + up{b=`\`,c="C:\\\"x\""}"#);
}

#[test]
fn names_are_found() {
    let query = r#"rate(x{a="$node",b=~"${pods:regex}",c="[[ns]]"}[$__interval]) $1 x[5m]"#;
    assert_eq!(names(query), ["node", "pods", "ns", "__interval"]);
    assert!(is_global("__interval") && !is_global("node"));
}

proptest! {
    /// A string literal stays one literal, whatever the value.
    #[test]
    fn a_value_cannot_leave_its_quotes(value in any::<String>(), in_regex in any::<bool>()) {
        let chosen = Chosen { values: vec![value.clone()], all: None, in_regex };
        let filling = Filling { chosen: [("v".to_owned(), chosen)].into(), ..Filling::default() };
        for (open, query) in [('"', "x{a=~\"$v\"}"), ('\'', "x{a=~'$v'}"), ('`', "x{a=~`$v`}")] {
            let filled = filling.fill(query);
            let inner = filled.strip_prefix(&format!("x{{a=~{open}")).expect("starts as it did");
            let inner = inner.strip_suffix(&format!("{open}}}")).expect("ends as it did");
            let mut escaped = false;
            for c in inner.chars() {
                prop_assert!(c != open || escaped, "{filled}");
                escaped = c == '\\' && !escaped && open != '`';
            }
            prop_assert!(!escaped, "{filled}");
        }
    }

    #[test]
    fn anything_may_be_filled(query in any::<String>()) {
        let _ = filling().fill(&query);
        let _ = names(&query);
    }
}
