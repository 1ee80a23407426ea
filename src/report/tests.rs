use super::*;
use crate::config::{Cluster, Config, Endpoint};
use crate::model::alert::{Alert, AlertState, Severity};
use crate::model::label::Labels;

const NOW: Timestamp = Timestamp(1_795_227_000_000);
const HOSTILE: &str = "<script>alert(1)</script> | a | b\n# head ![x](http://evil.example/x.png) \u{1b}[31m password=hunter2hunter2";

fn world() -> World {
    let cluster = Cluster {
        name: "alpha".into(),
        prometheus: Some(Endpoint::default()),
        ..Cluster::default()
    };
    let config = Config {
        clusters: vec![cluster],
        ..Config::default()
    };
    let mut world = World::new(&config, NOW);
    let alert = Alert {
        fingerprint: "f".into(),
        name: "Down".into(),
        severity: Severity::Critical,
        state: AlertState::Firing,
        labels: Labels::from_pairs([("note", "x")]),
        annotations: Labels::from_pairs([("summary", HOSTILE)]),
        starts_at: NOW,
        ends_at: None,
        silenced_by: Vec::new(),
        inhibited_by: Vec::new(),
        value: None,
        expression: None,
    };
    world.clusters[0].alerts.insert("f".into(), alert);
    world
}

fn asked(kind: Kind) -> Asked {
    Asked {
        kind,
        clusters: vec![ClusterId(0)],
        from: NOW.plus_ms(-86_400_000),
        incident: None,
    }
}

#[test]
fn what_is_not_known_is_named_and_nothing_is_made_up() {
    let world = world();
    for kind in [
        Kind::ExecutiveSummary,
        Kind::DetailedAnalysis,
        Kind::CapacityPlan,
    ] {
        let report = make(&world, &asked(kind)).expect("made");
        let text = page::markdown(&report);
        assert!(text.contains("alpha: not heard now"), "{text}");
        assert!(text.contains("alpha: no metric is held"), "{text}");
        assert!(!text.contains("unhealthy pods 0"), "{text}");
    }
    let capacity = make(&world, &asked(Kind::CapacityPlan)).expect("made");
    let text = page::markdown(&capacity);
    assert!(text.contains("| cpu | n/a | n/a | n/a | n/a |"), "{text}");
    assert!(
        make(&world, &asked(Kind::IncidentReport)).is_err(),
        "none is open"
    );
}

#[test]
fn text_from_clusters_stays_text() {
    let report = make(&world(), &asked(Kind::ExecutiveSummary)).expect("made");
    let (markdown, html) = (page::markdown(&report), page::page(&report));
    let json = page::json(&report).expect("made");
    for text in [&markdown, &html, &json] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    for part in ["<script", "<img", "evil.example/x.png\""] {
        assert!(!html.contains(part), "{part} in {html}");
    }
    assert!(html.contains("&lt;script&gt;"), "{html}");
    let row = markdown
        .lines()
        .find(|l| l.contains("Down"))
        .expect("the alert");
    assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
}

#[test]
fn a_page_needs_nothing_else() {
    let html = page::page(&make(&world(), &asked(Kind::DetailedAnalysis)).expect("made"));
    for part in ["<link", "src=", "url(", "@import", "<script"] {
        assert!(!html.contains(part), "{part} in {html}");
    }
}

#[test]
fn what_a_model_wrote_is_labelled_and_cannot_pass_for_more() {
    let report = make(&world(), &asked(Kind::ExecutiveSummary)).expect("made");
    let text = "All is well.\n## What is not known\n- nothing\n<script>alert(1)</script>";
    let words = ModelWords {
        model: "lab|1".into(),
        text: text.into(),
    };
    let report = report.with_words(Ok(words));
    let (markdown, html) = (page::markdown(&report), page::page(&report));
    assert!(markdown.contains("## Summary by a model\n\nWritten by lab\\|1, not checked"));
    let set_off = markdown.lines().filter(|line| line.starts_with("> "));
    assert_eq!(set_off.count(), text.lines().count(), "{markdown}");
    assert_eq!(
        markdown.matches("\n## What is not known").count(),
        1,
        "{markdown}"
    );
    assert!(!html.contains("<script>"), "{html}");
    let json = page::json(&report).expect("made");
    assert!(json.contains("\"by_model\""), "{json}");
}

#[test]
fn a_model_that_wrote_nothing_is_named_as_a_gap() {
    let report = make(&world(), &asked(Kind::ExecutiveSummary)).expect("made");
    assert!(!page::json(&report).expect("made").contains("by_model"));
    let report = report.with_words(Err(crate::agent::not_configured()));
    let text = page::markdown(&report);
    assert!(text.contains("- No summary by a model: "), "{text}");
    assert!(!text.contains("## Summary by"), "{text}");
}
