//! One event of a watch.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{End, Watch};
use crate::model::object::{Object, ObjectKey};
use crate::model::telemetry::ObjectBatch;
use crate::source::kubernetes::call::Call;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    word: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub metadata: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub name: String,
    pub namespace: String,
    pub resource_version: String,
    annotations: Option<Marks>,
}

/// Only the mark that a list is whole.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    #[serde(rename = "k8s.io/initial-events-end")]
    end_of_list: Option<String>,
}

impl Watch {
    /// Takes one line; an error ends the stream.
    pub(super) fn line(
        &mut self,
        line: &[u8],
        listing: &mut Option<ObjectBatch>,
        call: Call<'_>,
    ) -> Result<(), End> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let refused = |what: String| End::Refused(call.unreadable(&what).into());
        let event: Event<'_> = serde_json::from_slice(line).map_err(|e| refused(e.to_string()))?;
        let raw = event.object.get().as_bytes();
        if event.word == "ERROR" {
            return Err(error(raw, call));
        }
        let Ok(Named { metadata: meta }) = serde_json::from_slice::<Named>(raw) else {
            tracing::debug!(kind = self.kind.plural, "an event without metadata");
            return Ok(());
        };
        let version = meta.resource_version.as_str();
        if listing.is_none()
            && self
                .version
                .as_deref()
                .is_some_and(|v| is_before(version, v))
        {
            return Err(End::Forgot);
        }
        match event.word.as_ref() {
            "BOOKMARK" => {
                let end = meta.annotations.is_some_and(|a| a.end_of_list.is_some());
                if end && meta.resource_version.is_empty() {
                    return Err(refused("no resourceVersion".into()));
                }
                if end && let Some(list) = listing.take() {
                    self.listed(list, meta.resource_version);
                    return Ok(());
                }
            }
            "ADDED" | "MODIFIED" => match ((self.kind.read)(raw), listing.as_mut()) {
                (Some(object), Some(list)) => list.upserts.push(object),
                (Some(object), None) => self.put(object),
                (None, Some(list)) => list.unread.push(self.unread(&meta)),
                // What was known of it is of yesterday.
                (None, None) => {
                    let key = self.unread(&meta);
                    self.forget(&key);
                    self.batch.unread.push(key);
                }
            },
            "DELETED" if listing.is_none() => self.delete(&meta),
            // A word of a later API.
            _ => {}
        }
        if listing.is_none() && !meta.resource_version.is_empty() {
            self.version = Some(meta.resource_version);
        }
        Ok(())
    }

    fn put(&mut self, object: Object) {
        self.forget(&object.key());
        self.batch.upserts.push(object);
    }

    fn delete(&mut self, meta: &Meta) {
        let key = self.key(&meta.namespace, &meta.name);
        self.forget(&key);
        self.batch.deletes.push(key);
    }

    /// What waits to be told of it is overtaken.
    fn forget(&mut self, key: &ObjectKey) {
        self.batch.deletes.retain(|k| k != key);
        self.batch.unread.retain(|k| k != key);
        self.batch.upserts.retain(|o| o.key() != *key);
    }

    /// Of an object that is not as its schema says.
    pub(super) fn unread(&self, meta: &Meta) -> ObjectKey {
        let key = self.key(&meta.namespace, &meta.name);
        tracing::info!(
            kind = self.kind.plural,
            namespace = %key.namespace,
            name = %key.name,
            "an object that is not as its schema says"
        );
        key
    }
}

/// Versions are numbers that rise; one that falls is of another history.
fn is_before(new: &str, known: &str) -> bool {
    match (new.parse::<u64>(), known.parse::<u64>()) {
        (Ok(new), Ok(known)) => new < known,
        _ => false,
    }
}

fn error(raw: &[u8], call: Call<'_>) -> End {
    let Ok(status) = serde_json::from_slice::<kube::core::Status>(raw) else {
        return End::Refused(call.unreadable("an error that is none").into());
    };
    if status.code == 410 {
        return End::Forgot;
    }
    End::Refused(
        call.status(status.code, &status.message, Some(&status))
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fall_only_with_another_history() {
        assert!(is_before("999", "1000"));
        assert!(!is_before("1000", "1000") && !is_before("1001", "1000"));
        assert!(!is_before("", "1000") && !is_before("a", "b"));
    }

    #[test]
    fn the_mark_of_a_whole_list() {
        let line = br#"{"metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true","a":"b"}}}"#;
        let named: Named = serde_json::from_slice(line).unwrap();
        assert!(named.metadata.annotations.unwrap().end_of_list.is_some());
    }
}
