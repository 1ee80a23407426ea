use super::*;

fn mistake(text: &str) -> String {
    let error = parse(text, "x.toml", Origin::BuiltIn).expect_err("a mistake");
    error.to_string()
}

const GOOD: &str = r#"
name = "mine"
about = "what I look at"

[[variables]]
name = "ns"
query = "label_values(kube_pod_info, namespace)"
multi = true
all = ".+"

[[variables]]
name = "span"
values = ["5m", "1h"]
default = ["1h"]

[[variables]]
name = "text"

[[panels]]
title = "pods"
section = "First"
form = "stacked"
unit = "bytes"
width = 12
height = 20
query = 'sum by (pod) (x{namespace=~"$ns"}[$span])'
legend = "{{pod}}"

[[panels]]
title = "log"
form = "logs"
query = '{namespace=~"$ns"} |= "$text"'

[[panels]]
title = "rates"
source = "loki"
queries = [{ query = "sum(rate({a=\"b\"}[$__interval]))" }, { query = "up", legend = "b" }]
"#;

#[test]
fn the_program_has_nine() {
    let all = built_in();
    assert_eq!(all.len(), BUILT_IN.len());
    for ((file, text), read) in BUILT_IN.iter().zip(&all) {
        let parsed = parse(text, file, Origin::BuiltIn);
        assert_eq!(parsed.as_ref(), Ok(read.as_ref()), "{file}");
        assert_eq!(&*read.name, *file);
        assert!(!read.about.is_empty() && !read.panels.is_empty());
    }
}

#[test]
fn a_dashboard_is_read_and_written() {
    let read = parse(GOOD, "x.toml", Origin::BuiltIn).expect("a dashboard");
    assert_eq!(read.variables.len(), 3);
    assert_eq!(read.variables[2].choices, Choices::Text);
    let [pods, log, rates] = read.panels.as_slice() else {
        panic!("three panels: {:?}", read.panels);
    };
    assert_eq!((pods.width, pods.height), (12, Some(20)));
    assert_eq!((log.source, log.width), (Source::Loki, 6));
    assert_eq!((rates.source, rates.queries.len()), (Source::Loki, 2));
    for one in built_in().iter().chain([&Arc::new(read)]) {
        let text = write(one).expect("written");
        let again = parse(&text, "again.toml", one.origin.clone());
        assert_eq!(again.as_ref(), Ok(one.as_ref()), "{text}");
    }
}

#[test]
fn mistakes_name_their_line() {
    let swap = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        mistake(&GOOD.replacen(from, to, 1))
    };
    let cases = [
        (
            swap("name = \"mine\"", "name = \" \""),
            "x.toml:2: the name is empty",
        ),
        (
            swap("name = \"span\"", "name = \"ns\""),
            "x.toml:11: there are two variables \"ns\"",
        ),
        (
            swap("name = \"span\"", "name = \"__interval\""),
            "x.toml:11: $__interval means something else already",
        ),
        (
            swap("name = \"span\"", "name = \"a b\""),
            "x.toml:11: \"a b\" is no name of a variable: letters, digits and _, no digit first",
        ),
        (
            swap("label_values(kube_pod_info, namespace)", "query_result(up)"),
            "x.toml:5: variable \"ns\": its query is not label_values(LABEL) or label_values(SERIES, LABEL)",
        ),
        (
            swap("|= \"$text\"", "|= \"$txet\""),
            "x.toml:29: panel \"log\": there is no variable $txet",
        ),
        (
            swap("width = 12", "width = 13"),
            "x.toml:19: panel \"pods\": width is 1 to 12",
        ),
        (
            swap(
                "form = \"logs\"",
                "form = \"logs\"\nsource = \"prometheus\"",
            ),
            "x.toml:29: panel \"log\": logs come from loki",
        ),
        (
            swap("form = \"logs\"", "form = \"log\""),
            "x.toml:31: unknown value `log` (did you mean `logs`?)",
        ),
        (
            swap("title = \"log\"", "titel = \"log\""),
            "x.toml:30: unknown key `titel` (did you mean `title`?)",
        ),
        (
            swap("query = '{namespace=~\"$ns\"} |= \"$text\"'", ""),
            "x.toml:29: panel \"log\" has no query",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
    assert!(mistake("name = ").starts_with("x.toml:1: "));
    let regex = swap("multi = true", "regex = '('");
    assert!(
        regex.contains("variable \"ns\": its regex cannot be read"),
        "{regex}"
    );
}

#[test]
fn the_operators_own_take_the_place_of_those_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("put");
    put("a.toml", &GOOD.replacen("mine", "node", 1));
    put("b.toml", GOOD);
    put("c.toml", GOOD);
    put("d.toml", "name = 3");
    put("notes.txt", "no dashboard");
    let (all, faults) = load(folder.path());
    assert_eq!(all.len(), BUILT_IN.len() + 1);
    let node = all.iter().find(|d| &*d.name == "node").expect("node");
    assert!(matches!(&node.origin, Origin::File(file) if file.ends_with("a.toml")));
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("c.toml") && faults[0].contains("there is another dashboard \"mine\"")
    );
    assert!(
        faults[1].contains("d.toml:1: wrong type: integer"),
        "{faults:?}"
    );

    let (all, faults) = load(&folder.path().join("none"));
    assert_eq!((all.len(), faults.len()), (BUILT_IN.len(), 0));
}
