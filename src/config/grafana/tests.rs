use proptest::prelude::*;

use super::*;
use crate::config::dashboard;
use crate::model::dashboard::{Choices, Dashboard, Form, Source};
use crate::model::unit::Unit;

/// In the shape that Grafana exports: inputs, rows open and closed, all kinds of panels.
const NEW: &str = include_str!("../../../tests/fixtures/grafana/new.json");
/// Before schema version 16: rows with panels in them.
const OLD: &str = include_str!("../../../tests/fixtures/grafana/old.json");

fn imported(json: &str) -> Imported {
    let imported = import(json).expect("a dashboard");
    let text = dashboard::write(&imported.dashboard).expect("written");
    let read = dashboard::parse(&text, "x", imported.dashboard.origin.clone());
    assert_eq!(read.as_ref(), Ok(&imported.dashboard), "{text}");
    imported
}

/// Where and how each panel stands.
fn shapes(dashboard: &Dashboard) -> Vec<(&str, &str, Form, Source, Unit, u8)> {
    let panels = dashboard.panels.iter();
    panels
        .map(|p| {
            let (section, title) = (p.section.as_str(), p.title.as_str());
            (section, title, p.form, p.source, p.unit, p.width)
        })
        .collect()
}

#[test]
fn panels_and_variables_are_taken_over() {
    let Imported {
        dashboard, panels, ..
    } = imported(NEW);
    assert_eq!(
        (&*dashboard.name, dashboard.about.as_str()),
        ("Shop", "Orders and their pods")
    );
    assert_eq!(
        shapes(&dashboard),
        [
            ("", "Up", Form::Stat, Source::Prometheus, Unit::None, 2),
            (
                "",
                "Memory",
                Form::Stacked,
                Source::Prometheus,
                Unit::Bytes,
                10
            ),
            ("Pods", "Errors", Form::Logs, Source::Loki, Unit::None, 12),
            (
                "Pods",
                "Lines",
                Form::Lines,
                Source::Loki,
                Unit::PerSecond,
                6
            ),
            (
                "Pods",
                "Shares",
                Form::Table,
                Source::Prometheus,
                Unit::Ratio,
                6
            ),
            (
                "Closed",
                "Latency",
                Form::Heat,
                Source::Prometheus,
                Unit::Seconds,
                6
            ),
        ]
    );
    assert_eq!(panels, 10);
    let memory = &dashboard.panels[1];
    assert_eq!(
        memory.queries[0].text,
        "sum by (pod) (m{namespace=\"$namespace\", pod=~\"$pod\"})"
    );
    assert_eq!(memory.queries[0].legend, "{{pod}}");
    assert_eq!(memory.queries[1].legend, "");
    let variables: Vec<_> = dashboard
        .variables
        .iter()
        .map(|v| {
            (
                v.name.as_str(),
                v.multi,
                v.all.as_deref(),
                v.default.join(","),
            )
        })
        .collect();
    assert_eq!(
        variables,
        [
            ("namespace", false, None, String::new()),
            ("pod", true, Some(".*"), String::new()),
            ("app", false, Some(".+"), String::new()),
            ("span", false, None, "1h".into()),
            ("level", true, None, "error,warn".into()),
            ("search", false, None, "timeout".into()),
            ("odd", false, None, String::new()),
        ]
    );
    let choices = |at: usize| &dashboard.variables[at].choices;
    assert_eq!(
        choices(1).write().as_deref(),
        Some("label_values(kube_pod_info{namespace=\"$namespace\"}, pod)")
    );
    assert_eq!(dashboard.variables[1].regex, "^(shop-.*)$");
    assert!(matches!(choices(2), Choices::Label { loki: true, label, .. } if label == "app"));
    assert_eq!(*choices(3), Choices::Values(vec!["5m".into(), "1h".into()]));
}

#[test]
fn what_is_left_out_is_told() {
    let notes = imported(NEW).notes;
    let expected = [
        "variable $odd: its values cannot be asked for (query_result(topk(3, up))), it is typed instead",
        "variable $filter: left out, its kind is \"adhoc\"",
        "panel \"Memory\": a hidden query was left out",
        "panel \"Memory\": its 1 transformations are not applied (organize)",
        "panel \"Memory\": its 2 overrides of fields are not applied (color, unit)",
        "panel \"Up\": colours by threshold are not taken over",
        "row \"Pods\": stands once, not once for each value of $namespace",
        "panel \"Notes\": left out, its kind is \"text\"",
        "panel \"Shares\" (piechart): a table instead of bars or a pie",
        "panel \"Shares\": an expression of Grafana was left out",
        "panel \"Shares\": stands once, not once for each value of $pod",
        "panel \"Database\": a query to postgres was left out",
        "panel \"Database\": left out, nothing of it can be asked",
        "panel \"Shared\": left out, it is kept in Grafana's library and not in the file",
        "panel \"Unknown\": the unit \"furlongs\" is not known here",
        "panel \"Unknown\": left out, it needs $nobody, which is not known here",
        "1 annotation queries: not taken over; changes and alerts are drawn anyway",
        "1 links: not taken over",
    ];
    for line in expected {
        assert!(notes.iter().any(|n| n == line), "no {line:?} in {notes:#?}");
    }
    assert_eq!(notes.len(), expected.len() + 1, "{notes:#?}");
}

#[test]
fn rows_of_old_dashboards_are_headings() {
    let Imported { dashboard, .. } = imported(OLD);
    assert_eq!(
        shapes(&dashboard),
        [
            (
                "Load",
                "CPU",
                Form::Stacked,
                Source::Prometheus,
                Unit::Percent,
                8
            ),
            (
                "Load",
                "Count",
                Form::Stat,
                Source::Prometheus,
                Unit::None,
                4
            ),
        ]
    );
}

#[test]
fn what_is_no_dashboard_is_refused() {
    let fault = |json: &str| import(json).expect_err("no dashboard").to_string();
    assert!(fault("<html>").starts_with("not JSON: "));
    assert!(fault("").starts_with("not JSON: "));
    assert!(fault("[]").starts_with("no dashboard"));
    assert!(fault("{\"dashboard\": {}}").starts_with("no dashboard"));
    let new = r#"{"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {"elements": {}}}"#;
    assert!(fault(new).contains("schema v2"));
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = import(&text);
    }

    /// Values of a wrong type anywhere in the file.
    #[test]
    fn any_shape_is_survived(at in 0usize..2000, put in "[\\[\\]{}\",:0-9a-z]{0,3}") {
        let mut text = NEW.to_owned();
        let at = (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.replace_range(at..=at, &put);
        if let Ok(imported) = import(&text) {
            dashboard::write(&imported.dashboard).expect("written");
        }
    }
}

#[test]
fn thresholds_that_are_drawn_are_limits() {
    let panels = imported(NEW).dashboard.panels;
    let limits = |title: &str| {
        let panel = panels.iter().find(|p| p.title == title);
        panel.expect("a panel").limits.values().to_vec()
    };
    assert_eq!(limits("Lines"), [5.0, 9.5]);
    assert_eq!(limits("Up"), [0.0; 0], "they only colour it");
    assert_eq!(limits("Memory"), [0.0; 0]);
}
