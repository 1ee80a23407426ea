//! Alerts as several sources tell them, found by name and by what they are of: not by a walk over
//! all alerts for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::label::Labels;

/// Labels of which most alerts have one, and few alerts of a name the same.
const TELLING: [&str; 2] = ["pod", "instance"];

/// What alerts of a name are kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    All,
    /// With none of the telling labels.
    Bare,
    With(usize, Arc<str>),
}

/// Fingerprints of one cluster's alerts.
#[derive(Debug, Default)]
pub(super) struct Twins {
    by: HashMap<Arc<str>, HashMap<Place, Vec<Arc<str>>>>,
}

impl Twins {
    pub fn of<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Self {
        let mut twins = Self::default();
        alerts.for_each(|alert| twins.add(alert));
        twins
    }

    pub fn add(&mut self, alert: &Alert) {
        let places = self.by.entry(Arc::clone(&alert.name)).or_default();
        let mut add = |place| {
            let held = places.entry(place).or_default();
            held.push(Arc::clone(&alert.fingerprint));
        };
        add(Place::All);
        let mut bare = true;
        for place in telling(&alert.labels) {
            bare = false;
            add(place);
        }
        if bare {
            add(Place::Bare);
        }
    }

    /// Those of the name that may hold all its labels (`wide`: whose labels it may hold all).
    fn near(&self, alert: &Alert, wide: bool) -> Vec<&Arc<str>> {
        let Some(places) = self.by.get(&alert.name) else {
            return Vec::new();
        };
        let mut of: Vec<Place> = telling(&alert.labels).collect();
        if wide {
            of.push(Place::Bare);
        } else if of.is_empty() {
            of.push(Place::All);
        } else {
            of.truncate(1);
        }
        of.iter().filter_map(|p| places.get(p)).flatten().collect()
    }

    /// The same alert as another source tells it: of the one the labels are those of the other and
    /// perhaps more (`wide`: this one has more). The closest of several.
    pub fn find(
        &self,
        alerts: &BTreeMap<Arc<str>, Alert>,
        (alert, wide): (&Alert, bool),
        other_source: impl Fn(&Arc<str>) -> bool,
    ) -> Option<Arc<str>> {
        let near = self.near(alert, wide).into_iter();
        let held = near.filter_map(|f| Some((f, alerts.get(f)?)));
        let twins = held.filter(|(f, other)| {
            let (more, fewer) = match wide {
                true => (&alert.labels, &other.labels),
                false => (&other.labels, &alert.labels),
            };
            other.name == alert.name
                && other.state != AlertState::Resolved
                && other_source(f)
                && fewer.iter().all(|(n, v)| more.get(n) == Some(v))
        });
        let apart = |other: &Alert| other.labels.len().abs_diff(alert.labels.len());
        let closest = twins.min_by_key(|(f, other)| (apart(other), Arc::clone(f)));
        closest.map(|(f, _)| Arc::clone(f))
    }
}

fn telling(labels: &Labels) -> impl Iterator<Item = Place> + '_ {
    let named = TELLING.iter().enumerate();
    named.filter_map(|(at, name)| Some(Place::With(at, Arc::from(labels.get(name)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::Severity;
    use crate::model::time::Timestamp;
    use proptest::prelude::*;

    fn alert(fingerprint: String, pairs: &[(&str, String)]) -> Alert {
        Alert {
            fingerprint: fingerprint.into(),
            name: "KubePodNotReady".into(),
            severity: Severity::Warning,
            state: AlertState::Firing,
            labels: Labels::from_pairs(pairs.iter().map(|(n, v)| (*n, v.as_str()))),
            annotations: Labels::default(),
            starts_at: Timestamp(0),
            ends_at: None,
            silenced_by: Vec::new(),
            inhibited_by: Vec::new(),
            value: None,
            expression: None,
        }
    }

    fn held(all: Vec<Alert>) -> BTreeMap<Arc<str>, Alert> {
        let keyed = all.into_iter().map(|a| (Arc::clone(&a.fingerprint), a));
        keyed.collect()
    }

    #[test]
    fn of_thousands_of_one_name_a_few_are_looked_at() {
        let own = |n: usize| alert(format!("f{n}"), &[("pod", format!("web-{n}"))]);
        let alerts = held((0..5_000).map(own).collect());
        let twins = Twins::of(alerts.values());
        let told = alert(
            "m".into(),
            &[("pod", "web-7".into()), ("cluster", "a".into())],
        );
        assert_eq!(twins.near(&told, true).len(), 1);
        let found = twins.find(&alerts, (&told, true), |_| true);
        assert_eq!(found.as_deref(), Some("f7"));
        assert_eq!(twins.find(&alerts, (&told, true), |_| false), None);
    }

    #[test]
    fn the_closest_of_several_is_the_twin() {
        let pod = || ("pod", "web-1".to_owned());
        let alerts = held(vec![
            alert(
                "a".into(),
                &[pod(), ("cluster", "x".into()), ("container", "c".into())],
            ),
            alert("b".into(), &[pod(), ("cluster", "x".into())]),
        ]);
        let twins = Twins::of(alerts.values());
        let told = alert("p".into(), &[pod()]);
        let found = twins.find(&alerts, (&told, false), |_| true);
        assert_eq!(found.as_deref(), Some("b"));
    }

    fn any_alert() -> impl Strategy<Value = Vec<(&'static str, String)>> {
        let names = proptest::sample::subsequence(vec!["pod", "instance", "cluster", "node"], 0..4);
        (names, "[ab]", "[ab]").prop_map(|(names, x, y)| {
            let turns = [x, y].into_iter().cycle();
            names.into_iter().zip(turns).collect()
        })
    }

    proptest! {
        #[test]
        fn what_a_walk_over_all_finds_is_found(
            all in prop::collection::vec(any_alert(), 0..12),
            told in any_alert(),
            wide in any::<bool>(),
        ) {
            let all = all.iter().enumerate();
            let alerts = held(all.map(|(n, p)| alert(format!("f{n}"), p)).collect());
            let told = alert("told".into(), &told);
            let walked = alerts.values().any(|other| {
                let (more, fewer) = if wide { (&told, other) } else { (other, &told) };
                fewer.labels.iter().all(|(n, v)| more.labels.get(n) == Some(v))
            });
            let found = Twins::of(alerts.values()).find(&alerts, (&told, wide), |_| true);
            prop_assert_eq!(found.is_some(), walked);
        }
    }
}
