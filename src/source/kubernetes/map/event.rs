//! Events, of both APIs: the fields of either may be empty.

use serde::Deserialize;

use super::common::{MESSAGE, Meta, NAME, Text, number, read, text, time, word};
use crate::model::object::{Event, Object};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Fields {
    metadata: Meta,
    involved_object: Option<About>,
    reason: Text,
    message: Text,
    #[serde(rename = "type")]
    kind: Text,
    first_timestamp: Text,
    last_timestamp: Text,
    event_time: Text,
    count: Option<i64>,
    series: Option<Series>,
    source: Option<Source>,
    reporting_component: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    kind: Text,
    name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    component: Text,
}

pub fn event(json: &[u8]) -> Option<Object> {
    let event: Fields = read(json)?;
    let name = event.metadata.name()?;
    let series = event.series.unwrap_or_default();
    let at = time(&series.last_observed_time)
        .or_else(|| time(&event.last_timestamp))
        .or_else(|| time(&event.event_time))
        .or_else(|| time(&event.first_timestamp))
        .or_else(|| event.metadata.created())?;
    let about = event.involved_object.unwrap_or_default();
    let source = event.source.unwrap_or_default().component;
    let reporter = event.reporting_component.filter(|r| !r.is_empty());
    Some(Object::Event(Event {
        namespace: event.metadata.namespace(),
        name,
        at,
        warning: event.kind.as_deref() == Some("Warning"),
        reason: text(&event.reason, 200),
        message: text(&event.message, MESSAGE),
        about: (word(&about.kind), word(&about.name)),
        count: number::<u32>(series.count.or(event.count)).max(1),
        reporter: text(&reporter.or(source), NAME),
    }))
}
