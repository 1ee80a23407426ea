//! What can be completed in PromQL: what the store holds, the catalogue, and what the servers told.

use std::collections::BTreeSet;

use crate::language::What;
use crate::language::promql::PROMQL;
use crate::model::ask::Ask;
use crate::model::health::SourceKind;
use crate::ui::view::common::clusters;
use crate::ui::view::editing::{About, Seen, Take};
use crate::ui::widget::editor::Offer;

pub static ABOUT: About = About {
    language: &PROMQL,
    source: SourceKind::Prometheus,
    first: What::Names,
    asks,
    offers,
};

fn all_names() -> Ask {
    values_of("__name__")
}

fn values_of(label: &str) -> Ask {
    Ask::LabelValues {
        label: label.to_owned(),
    }
}

fn asks(what: &What) -> Vec<Ask> {
    match what {
        What::Names => vec![Ask::Metadata, all_names()],
        What::Labels { .. } => vec![Ask::LabelNames],
        What::Values { label, .. } => vec![values_of(label)],
        What::Words(_) | What::Snippets | What::Bare { .. } => Vec::new(),
    }
}

fn offers(seen: &Seen<'_>, what: &What, take: Take<'_>) {
    match what {
        What::Names => names(seen, take),
        What::Labels { of } => labels(seen, of.as_deref(), take),
        What::Values { label, of } => values(seen, label, of.as_deref(), take),
        What::Snippets => snippets(seen, take),
        What::Words(_) | What::Bare { .. } => {}
    }
}

/// Labels and values of the series held of a metric.
fn held<'s>(seen: &'s Seen<'_>, metric: &'s str, mut each: impl FnMut(&'s str, &'s str)) {
    for cluster in clusters(seen.world, seen.scope) {
        for (_, key) in seen.world.store.find(cluster.id, metric) {
            for (label, value) in key.labels.iter() {
                each(label, value);
            }
        }
    }
}

fn names(seen: &Seen<'_>, take: Take<'_>) {
    let (heard, all) = (seen.heard, all_names());
    let plain = |name: &str, kind: &str, help: &str, take: Take<'_>| {
        take(Offer {
            text: name,
            kind,
            help,
            puts: "",
        });
    };
    for (name, kind, help) in heard.names(&Ask::Metadata) {
        plain(name, kind, help, take);
    }
    for (name, ..) in heard.names(&all) {
        if !heard.knows(&Ask::Metadata, name) {
            plain(name, "", "", take);
        }
    }
    let mut held: BTreeSet<std::sync::Arc<str>> = BTreeSet::new();
    for cluster in clusters(seen.world, seen.scope) {
        held.extend(seen.world.store.names(cluster.id));
    }
    // A signal of the catalogue is a name of ours, which no server knows.
    let signal = |name: &str| seen.world.signal(name).is_some();
    let known = |name: &str| heard.knows(&Ask::Metadata, name) || heard.knows(&all, name);
    held.retain(|name| !known(name) && !signal(name));
    for name in &held {
        let help = seen.world.metric(name).map_or("", |m| &m.about);
        plain(name, "", help, take);
    }
}

/// Those of the metric first, then the others that were heard.
fn offer(
    own: &BTreeSet<&str>,
    others: impl Iterator<Item = impl AsRef<str>>,
    kind: &str,
    take: Take<'_>,
) {
    let mut put = |text: &str, help: &str| {
        take(Offer {
            text,
            kind,
            help,
            puts: "",
        });
    };
    own.iter().for_each(|name| put(name, "of this metric"));
    for other in others.filter(|o| !own.contains(o.as_ref())) {
        put(other.as_ref(), "");
    }
}

fn labels(seen: &Seen<'_>, of: Option<&str>, take: Take<'_>) {
    let mut own = BTreeSet::new();
    if let Some(metric) = of {
        held(seen, metric, |label, _| {
            own.insert(label);
        });
    }
    let others = seen.heard.names(&Ask::LabelNames).map(|(name, ..)| name);
    offer(&own, others.filter(|l| *l != "__name__"), "label", take);
}

fn values(seen: &Seen<'_>, label: &str, of: Option<&str>, take: Take<'_>) {
    let mut own = BTreeSet::new();
    if let Some(metric) = of {
        held(seen, metric, |l, value| {
            if l == label {
                own.insert(value);
            }
        });
    }
    let ask = values_of(label);
    let others = seen.heard.names(&ask).map(|(name, ..)| name);
    offer(&own, others, "value", take);
}

fn snippets(seen: &Seen<'_>, take: Take<'_>) {
    for signal in seen.world.signals.iter() {
        take(Offer {
            text: &signal.name,
            kind: "snippet",
            help: &signal.about,
            puts: &signal.query,
        });
    }
}
