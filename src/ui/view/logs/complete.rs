//! What can be completed in LogQL: labels and values as Loki tells them, labels of the lines held,
//! and queries to begin with.

use std::collections::BTreeSet;

use crate::language::What;
use crate::language::logql::LOGQL;
use crate::model::ask::Ask;
use crate::model::health::SourceKind;
use crate::ui::view::common::clusters;
use crate::ui::view::editing::{About, Seen, Take};
use crate::ui::widget::editor::Offer;

pub static ABOUT: About = About {
    language: &LOGQL,
    source: SourceKind::Loki,
    first: What::Labels { of: None },
    asks,
    offers,
};

/// Lines held that are looked at for labels, the newest of each cluster.
const LINES: usize = 500;

fn values_of(label: &str, of: Option<&str>) -> Ask {
    Ask::LokiLabelValues {
        label: label.to_owned(),
        query: of.map(str::to_owned),
    }
}

fn asks(what: &What) -> Vec<Ask> {
    match what {
        What::Labels { .. } => vec![Ask::LokiLabelNames],
        What::Values { label, of } => vec![values_of(label, of.as_deref())],
        _ => Vec::new(),
    }
}

fn offers(seen: &Seen<'_>, what: &What, take: Take<'_>) {
    match what {
        What::Labels { .. } => {
            let heard = seen.heard.names(&Ask::LokiLabelNames);
            let held = held(seen, |label, _| Some(label));
            offer(heard.map(|(name, ..)| name), &held, "label", take);
        }
        What::Values { label, of } => {
            let ask = values_of(label, of.as_deref());
            let heard = seen.heard.names(&ask);
            let held = held(seen, |name, value| (name == label).then_some(value));
            offer(heard.map(|(name, ..)| name), &held, "value", take);
        }
        What::Snippets => snippets(take),
        _ => {}
    }
}

/// What was heard, then what only the lines held tell.
fn offer<'s>(
    heard: impl Iterator<Item = &'s str>,
    held: &BTreeSet<&'s str>,
    kind: &str,
    take: Take<'_>,
) {
    let mut told = BTreeSet::new();
    for text in heard {
        told.insert(text);
        take(Offer {
            text,
            kind,
            help: "",
            puts: "",
        });
    }
    for text in held.iter().filter(|t| !told.contains(*t)) {
        take(Offer {
            text,
            kind,
            help: "of the lines held",
            puts: "",
        });
    }
}

fn held<'s>(
    seen: &'s Seen<'_>,
    wanted: impl Fn(&'s str, &'s str) -> Option<&'s str>,
) -> BTreeSet<&'s str> {
    let mut held = BTreeSet::new();
    for cluster in clusters(seen.world, seen.scope) {
        for line in cluster.logs.iter().rev().take(LINES) {
            held.extend(line.labels.iter().filter_map(|(k, v)| wanted(k, v)));
        }
    }
    held
}

#[rustfmt::skip]
const SNIPPETS: [(&str, &str, &str); 6] = [
    ("errors of a namespace", "lines of level error, by their text", r#"{namespace=""} | detected_level="error""#),
    ("JSON with a status of 500 and more", "fields as labels, one compared", r#"{namespace=""} | json | status >= 500"#),
    ("lines a second by app", "as curves", r#"sum by (app) (rate({namespace=""}[5m]))"#),
    ("errors a second by pod", "as curves", r#"sum by (pod) (rate({namespace=""} |~ "(?i)error" [5m]))"#),
    ("bytes a second by namespace", "who writes most", r#"topk(10, sum by (namespace) (bytes_rate({namespace=~".+"}[5m])))"#),
    ("99th percentile of a duration", "of a field of JSON lines", r#"quantile_over_time(0.99, {app=""} | json | unwrap duration(took) [5m]) by (app)"#),
];

fn snippets(take: Take<'_>) {
    for (text, help, puts) in SNIPPETS {
        take(Offer {
            text,
            kind: "snippet",
            help,
            puts,
        });
    }
}
