//! The texts inside a delivery: cleaned when read, freed of the recording host's paths when written.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::fault::Fault;
use crate::model::health::{Health, SourceHealth};
use crate::model::label::Labels;
use crate::model::object::{Object, ObjectKey};
use crate::model::telemetry::Body;
use crate::model::text::{LIMIT_BYTES, clean_lines, each, is_unsafe};

/// An address without its query, where tokens hide, and without user and password.
pub fn address(name: &Arc<str>) -> Arc<str> {
    if !name.contains("://") {
        return Arc::clone(name);
    }
    without_secrets(name).into()
}

fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// What is written in place of it; `None`: the body as it is.
pub fn as_written(body: &Body) -> Option<Body> {
    match body {
        Body::Health(health) => without_paths(health),
        // Whole messages of others.
        Body::BusTail(tail) => Some(Body::BusTail(Box::new(tail.masked()))),
        _ => None,
    }
}

/// Only health tells of the host that recorded: its faults may name files there.
fn without_paths(health: &SourceHealth) -> Option<Body> {
    let mut health = health.clone();
    match &mut health.health {
        Health::Failing { fault, .. } | Health::Denied { fault, .. } => {
            for text in [&mut fault.endpoint, &mut fault.what, &mut fault.hint] {
                *text = hide_paths(text);
            }
        }
        Health::Connecting | Health::Live => return None,
    }
    Some(Body::Health(health))
}

fn hide_paths(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && !"/~".contains(c));
        let windows = bare.get(1..3) == Some(":\\");
        if bare.contains("://") {
            without_secrets(word)
        } else if bare.starts_with(['/', '~']) && bare.len() > 1 || windows {
            word.replace(bare, "(file)")
        } else {
            word.to_owned()
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Cleans every text of a delivery that was read.
pub fn clean(body: &mut Body) {
    match body {
        // Their texts came through the dictionary.
        Body::Samples(_) => {}
        Body::Alerts(alerts) => {
            for alert in alerts {
                shared(&mut alert.fingerprint);
                shared(&mut alert.name);
                labels(&mut alert.labels);
                labels(&mut alert.annotations);
                alert.silenced_by.iter_mut().for_each(own);
                alert.inhibited_by.iter_mut().for_each(own);
                alert.expression.iter_mut().for_each(shared);
            }
        }
        Body::Silences(silences) => {
            for silence in silences {
                for text in [
                    &mut silence.id,
                    &mut silence.by,
                    &mut silence.comment,
                    &mut silence.matchers,
                ] {
                    own(text);
                }
            }
        }
        Body::Logs(batch) => {
            for line in &mut batch.lines {
                labels(&mut line.labels);
                shared(&mut line.line);
            }
        }
        Body::Objects(batch) => {
            batch.upserts.retain_mut(object);
            batch.deletes.iter_mut().for_each(key);
        }
        Body::Health(health) => source_health(health),
        Body::Gossip(names) => names.iter_mut().for_each(own),
        Body::Clocks(states) => {
            for state in states {
                own(&mut state.resource);
                own(&mut state.event);
                for value in &mut state.values {
                    own(&mut value.address);
                    own(&mut value.value);
                }
            }
        }
        Body::Bus(survey) => throughout_or_else(survey, Box::default),
        Body::BusTail(tail) => throughout_or_else(tail, Box::default),
        Body::Facts(facts) => {
            facts.kubernetes_version.iter_mut().for_each(own);
            facts.openshift_version.iter_mut().for_each(own);
            facts.prometheus_version.iter_mut().for_each(own);
            for (name, _) in facts.capabilities.iter_mut().flatten() {
                own(name);
            }
        }
        Body::Discovery(probes) => {
            for probe in probes {
                own(&mut probe.reason);
                probe.place.iter_mut().for_each(own);
                probe.via.iter_mut().for_each(own);
                probe.version.iter_mut().for_each(own);
            }
        }
        // Never written, or without text.
        Body::Identity(_) | Body::Gone => {}
    }
}

/// With every text of it cleaned, whatever the field; `None`: that could not be done.
fn throughout<T: Serialize + DeserializeOwned>(whole: &T) -> Option<T> {
    each(whole, &|text| match dirty(text) {
        true => clean_lines(text, LIMIT_BYTES),
        false => text.to_owned(),
    })
}

/// What cannot be cleaned is not shown as it came, but as unknown.
fn throughout_or_else<T: Serialize + DeserializeOwned>(whole: &mut T, unknown: impl FnOnce() -> T) {
    *whole = throughout(whole).unwrap_or_else(unknown);
}

fn dirty(text: &str) -> bool {
    text.len() > LIMIT_BYTES || text.chars().any(|c| c != '\n' && is_unsafe(c))
}

fn own(text: &mut String) {
    if dirty(text) {
        *text = clean_lines(text, LIMIT_BYTES);
    }
}

fn shared(text: &mut Arc<str>) {
    if dirty(text) {
        *text = clean_lines(text, LIMIT_BYTES).into();
    }
}

/// Also restores what the type promises: sorted names, no empty values.
fn labels(labels: &mut Labels) {
    let mut pairs = labels.pairs().to_vec();
    for (name, value) in &mut pairs {
        shared(name);
        shared(value);
    }
    *labels = Labels::new(pairs);
}

fn key(key: &mut ObjectKey) {
    shared(&mut key.namespace);
    shared(&mut key.name);
}

/// False: it cannot be cleaned, and is left out.
fn object(object: &mut Object) -> bool {
    match object {
        Object::Node(node) => {
            shared(&mut node.name);
            node.roles.iter_mut().for_each(own);
            node.problems.iter_mut().for_each(own);
            own(&mut node.kubelet_version);
            labels(&mut node.labels);
            node.marks.iter_mut().for_each(shared);
            for (name, _) in &mut node.allocatable {
                own(name);
            }
            node.taints.iter_mut().for_each(own);
            own(&mut node.os_image);
        }
        Object::Pod(pod) => {
            shared(&mut pod.namespace);
            shared(&mut pod.name);
            pod.node.iter_mut().for_each(shared);
            own(&mut pod.phase);
            pod.reason.iter_mut().for_each(own);
            pod.message.iter_mut().for_each(own);
            if let Some((kind, name)) = &mut pod.owner {
                own(kind);
                own(name);
            }
            pod.images.iter_mut().for_each(shared);
            pod.names.iter_mut().for_each(shared);
        }
        Object::Event(event) => {
            shared(&mut event.namespace);
            shared(&mut event.name);
            let (kind, name) = &mut event.about;
            for text in [
                &mut event.reason,
                &mut event.message,
                &mut event.reporter,
                kind,
                name,
            ] {
                own(text);
            }
        }
        Object::SriovNodeState(state) => {
            shared(&mut state.node);
            state.sync_status.iter_mut().for_each(own);
            state.last_sync_error.iter_mut().for_each(own);
            state.desired_state.iter_mut().for_each(own);
            state.current_state.iter_mut().for_each(own);
            for function in &mut state.interfaces {
                own(&mut function.name);
                own(&mut function.pci_address);
                own(&mut function.vendor);
                function.device_id.iter_mut().for_each(own);
                function.alt_names.iter_mut().for_each(own);
                function.eswitch.iter_mut().for_each(own);
                function.net_filter.iter_mut().for_each(own);
                function.driver.iter_mut().for_each(own);
                function.link_speed.iter_mut().for_each(own);
                for virtual_function in &mut function.functions {
                    own(&mut virtual_function.pci_address);
                    virtual_function.driver.iter_mut().for_each(own);
                    virtual_function.mac.iter_mut().for_each(own);
                }
                for group in &mut function.groups {
                    own(&mut group.resource);
                    group.device_type.iter_mut().for_each(own);
                    group.policy.iter_mut().for_each(own);
                    group.range.iter_mut().for_each(own);
                }
            }
        }
        // Few and with many texts.
        other => match throughout(other) {
            Some(cleaned) => *other = cleaned,
            None => return false,
        },
    }
    true
}

fn source_health(health: &mut SourceHealth) {
    health.version.iter_mut().for_each(own);
    health.via.iter_mut().for_each(own);
    shared(&mut health.place);
    let fault: &mut Fault = match &mut health.health {
        Health::Failing { fault, .. } | Health::Denied { fault, .. } => fault,
        Health::Connecting | Health::Live => return,
    };
    for text in [
        &mut fault.cluster,
        &mut fault.endpoint,
        &mut fault.what,
        &mut fault.hint,
    ] {
        own(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ptp::{PtpConfig, PtpProfile};

    #[test]
    fn addresses_lose_what_may_be_secret() {
        let url = "http://user:pass@host:9090/metrics?token=abc#x";
        assert_eq!(&*address(&url.into()), "http://host:9090/metrics");
        assert_eq!(&*address(&"gpu_util?".into()), "gpu_util?");
    }

    /// What no text form can hold: such an object is not shown as it came.
    #[test]
    fn what_cannot_be_cleaned_is_left_out() {
        let hostile = |least| {
            let profile = PtpProfile {
                name: "a\u{1b}[2J".into(),
                threshold_ns: Some((least, 1.0)),
                ..PtpProfile::default()
            };
            Object::PtpConfig(PtpConfig {
                namespace: "openshift-ptp".into(),
                name: "grandmaster".into(),
                generation: 1,
                profiles: vec![profile],
                matches: Vec::new(),
            })
        };
        let mut good = hostile(0.0);
        assert!(object(&mut good));
        let Object::PtpConfig(config) = &good else {
            panic!("{good:?}");
        };
        assert!(!dirty(&config.profiles[0].name), "{good:?}");
        assert!(!object(&mut hostile(f64::NAN)));
    }

    #[test]
    fn paths_of_the_host_are_hidden() {
        assert_eq!(
            hide_paths("cannot read `/home/me/alpha.token`: no such file, see https://h/a?b=c"),
            "cannot read `(file)`: no such file, see https://h/a"
        );
        assert_eq!(hide_paths("5 bytes / s at ~"), "5 bytes / s at ~");
    }
}
