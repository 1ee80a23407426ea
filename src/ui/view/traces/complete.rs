//! What can be completed in a search: the tags and values that Tempo knows.

use crate::language::What;
use crate::language::traceql::{TRACEQL, is_intrinsic};
use crate::model::ask::Ask;
use crate::model::health::SourceKind;
use crate::ui::view::editing::{About, Seen, Take};
use crate::ui::widget::editor::Offer;

pub static ABOUT: About = About {
    language: &TRACEQL,
    source: SourceKind::Tempo,
    first: What::Labels { of: None },
    asks,
    offers,
};

fn asks(what: &What) -> Vec<Ask> {
    match what {
        What::Labels { .. } => vec![Ask::TraceTags],
        What::Values { label, .. } | What::Bare { label } => vec![values_of(label)],
        What::Names | What::Words(_) | What::Snippets => Vec::new(),
    }
}

/// The values of a parent's attribute are those of the attribute.
fn values_of(label: &str) -> Ask {
    Ask::TraceTagValues {
        tag: label.strip_prefix("parent.").unwrap_or(label).to_owned(),
    }
}

fn offers(seen: &Seen<'_>, what: &What, take: Take<'_>) {
    let mut put = |text: &str, kind: &str| {
        take(Offer {
            text,
            kind,
            help: "",
            puts: "",
        });
    };
    match what {
        // The language has its own names, with help.
        What::Labels { .. } => seen
            .heard
            .names(&Ask::TraceTags)
            .filter(|(name, ..)| !is_intrinsic(name))
            .for_each(|(name, ..)| put(name, "tag")),
        What::Values { label, .. } => seen
            .heard
            .names(&values_of(label))
            .filter(|(_, kind, _)| is_text(kind))
            .for_each(|(value, ..)| put(value, "value")),
        What::Bare { label } => seen
            .heard
            .names(&values_of(label))
            .filter(|(_, kind, _)| !is_text(kind))
            .for_each(|(value, kind, _)| put(value, kind)),
        What::Names | What::Words(_) | What::Snippets => {}
    }
}

/// Servers that do not tell the kind have texts mostly.
fn is_text(kind: &str) -> bool {
    matches!(kind, "string" | "")
}
