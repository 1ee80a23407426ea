//! The JSON of cloud-event-proxy: publishers, and the current state of a resource.

use serde::Deserialize;
use serde_json::Value;

use crate::model::ptp::{ClockTold, ValueTold};
use crate::model::text::clean;
use crate::model::time::Timestamp;

/// Bytes of a resource's address, and of a value, that are taken.
const ADDRESS: usize = 300;
const VALUE: usize = 100;
/// Values of one state.
const VALUES: usize = 64;

/// Which of its interfaces a proxy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    V1,
    V2,
}

impl Api {
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    pub fn path(self, rest: &str) -> String {
        format!("api/ocloudNotifications/{}{rest}", self.word())
    }
}

#[derive(Deserialize)]
struct Publisher {
    #[serde(
        rename = "ResourceAddress",
        alias = "resourceAddress",
        alias = "resource"
    )]
    resource: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    time: Value,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    values: Vec<Value>,
}

#[derive(Deserialize)]
struct One {
    #[serde(
        default,
        rename = "ResourceAddress",
        alias = "resourceAddress",
        alias = "resource"
    )]
    address: String,
    #[serde(default, alias = "dataType")]
    data_type: String,
    value: Value,
}

/// Addresses of what a proxy publishes, and how many were none.
pub fn resources(body: &[u8]) -> Result<(Vec<String>, u64), serde_json::Error> {
    let all: Option<Vec<Value>> = serde_json::from_slice(body)?;
    let mut found = Vec::new();
    let mut bad = 0;
    for one in all.unwrap_or_default() {
        match Publisher::deserialize(one) {
            Ok(publisher) if is_address(&publisher.resource) => found.push(publisher.resource),
            _ => bad += 1,
        }
    }
    found.sort();
    found.dedup();
    Ok((found, bad))
}

/// It becomes a part of a path: what could lead elsewhere is none.
fn is_address(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b);
    text.starts_with('/')
        && text.len() <= ADDRESS
        && text.bytes().all(plain)
        && !text.split('/').any(|part| part == "." || part == "..")
}

/// The state that was asked for under this address.
pub fn state(resource: &str, body: &[u8]) -> Result<ClockTold, serde_json::Error> {
    let event: Event = serde_json::from_slice(body)?;
    let values = event.data.values.into_iter().take(VALUES);
    Ok(ClockTold {
        resource: resource.to_owned(),
        event: clean(event.kind.as_str().unwrap_or(""), ADDRESS),
        at: event.time.as_str().and_then(Timestamp::parse_rfc3339),
        values: values.filter_map(value).collect(),
    })
}

/// Numbers come as numbers or as texts. `None`: it is neither.
fn value(one: Value) -> Option<ValueTold> {
    let one = One::deserialize(one).ok()?;
    let value = match &one.value {
        Value::String(text) => clean(text, VALUE),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(ValueTold {
        address: clean(&one.address, ADDRESS),
        measured: one.data_type == "metric",
        value,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = "/cluster/node/du-1/sync/ptp-status/lock-state";

    #[test]
    fn both_versions_and_unknown_words() {
        let v2 = br#"{"id":"a","type":"event.sync.ptp-status.ptp-state-change",
            "source":"/cluster/node/du-1/sync/ptp-status/lock-state","dataContentType":"application/json",
            "time":"2026-11-21T14:32:01.511Z","data":{"version":"1.0","values":[
            {"ResourceAddress":"/cluster/node/du-1/ens1f0/master","data_type":"notification",
             "value_type":"enumeration","value":"HOLDOVER"},
            {"ResourceAddress":"/cluster/node/du-1/ens1f0/master","data_type":"metric",
             "value_type":"decimal64.3","value":"-62"}]}}"#;
        let told = state(LOCK, v2).expect("v2");
        assert_eq!((told.node(), told.name()), ("du-1", "lock-state"));
        assert_eq!(told.words(), "HOLDOVER (ens1f0/master, -62 ns)");
        assert_eq!(
            told.at,
            Timestamp::parse_rfc3339("2026-11-21T14:32:01.511Z")
        );
        let v1 = br#"{"type":"event.sync.gnss-status.gnss-state-change","time":"yesterday",
            "data":{"version":"v1","values":[{"resource":"/cluster/node/du-1/ens2f0/master",
            "dataType":"notification","valueType":"enumeration","value":"A-NEW-WORD"}]}}"#;
        let told = state("/cluster/node/du-1/sync/gnss-status/gnss-sync-status", v1).expect("v1");
        assert_eq!(told.words(), "A-NEW-WORD (ens2f0/master)");
        assert_eq!(told.at, None, "a date that is none");
        let class = br#"{"data":{"values":[{"ResourceAddress":"/cluster/node/du-1/ens1f0/master",
            "data_type":"metric","value":165}]}}"#;
        let told = state("/cluster/node/du-1/sync/ptp-status/clock-class", class).expect("class");
        assert_eq!(told.words(), "165 (ens1f0/master)");
        let mut other = told.clone();
        assert!(other.is_as(&told));
        other.values[0].value = "6".into();
        assert!(!other.is_as(&told), "a class that changes is an event");
    }

    #[test]
    fn what_is_measured_makes_no_event() {
        let of = |offset: &str, word: &str| {
            let text = format!(
                r#"{{"data":{{"values":[{{"ResourceAddress":"/a","data_type":"notification","value":"{word}"}},
                {{"ResourceAddress":"/a","data_type":"metric","value":"{offset}"}}]}}}}"#
            );
            state(LOCK, text.as_bytes()).expect("valid")
        };
        assert!(of("1", "LOCKED").is_as(&of("-7", "LOCKED")));
        assert!(!of("1", "LOCKED").is_as(&of("1", "FREERUN")));
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_none() {
        let text = br#"[{"ResourceAddress":"/cluster/node/a/sync/sync-status/sync-state"},
            {"resource":"/cluster/node/a/lock-state"},{"ResourceAddress":"/../../secret"},
            {"ResourceAddress":"/a?b=c"},{"ResourceAddress":"a"},{"ResourceAddress":7},{},null,"x",
            {"resource":"/cluster/node/a/lock-state"}]"#;
        let (found, bad) = resources(text).expect("a list");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(bad, 7);
        assert_eq!(resources(b"null").expect("none"), (Vec::new(), 0));
        for wrong in ["", "{}", "[", "7", "<html>", "[{\"ResourceAddress\":\"/a\""] {
            assert!(resources(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_state_that_is_none_is_refused_and_hostile_words_are_cleaned() {
        for wrong in [
            "",
            "null",
            "[]",
            "{}",
            "{\"data\":7}",
            "{\"data\":{\"values\":{}}}",
        ] {
            assert!(state(LOCK, wrong.as_bytes()).is_err(), "{wrong}");
        }
        let text = format!(
            r#"{{"type":9,"data":{{"values":[7,null,{{"value":{{}}}},{{"value":"a\u001b[31mb\u202e"}},{{"value":"{}"}}]}}}}"#,
            "x".repeat(5_000)
        );
        let told = state(LOCK, text.as_bytes()).expect("some of it");
        assert_eq!(told.values.len(), 2);
        assert!(!told.values[0].value.contains(['\u{1b}', '\u{202e}']));
        assert!(told.values[1].value.len() < VALUE + 40);
        let many = format!(
            r#"{{"data":{{"values":[{}1]}}}}"#,
            r#"{"value":1},"#.repeat(9_999)
        );
        assert_eq!(
            state(LOCK, many.as_bytes()).expect("cut").values.len(),
            VALUES
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = state(LOCK, &body);
            let _ = resources(&body);
        }
    }
}
