//! A watcher of one cluster and a console of many find the same.

use super::*;
use crate::config::load::parse;
use crate::incident::Incident;
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::telemetry::{Body, SampleBatch};
use crate::model::time::Timestamp;

const NOW: Timestamp = Timestamp(1_795_271_520_000);

fn config(order: [&str; 3]) -> Config {
    let mut text = String::from(
        "[team]\nnats = { url = \"nats://a\" }\nincidents = \"watchers\"\n\
         [[metrics]]\nname = \"lab_heat\"\nabout = \"heat\"\nunit = \"celsius\"\nbad = \"high\"\n\
         limit = { warn = 90.0, for_s = 1 }\n",
    );
    for name in order {
        text += &format!(
            "[[clusters]]\nname = \"{name}\"\nexporters = [{{ url = \"http://h/{name}\" }}]\n"
        );
    }
    parse(&text, std::path::Path::new("/x/c.toml")).expect("valid")
}

/// What is found where these clusters are too hot, by name.
fn found(config: Config, hot: &[&str]) -> BTreeMap<String, Vec<Incident>> {
    let looks = Looks {
        depth: Depth::None,
        ascii: true,
    };
    let names: Vec<String> = config.clusters.iter().map(|c| c.name.clone()).collect();
    let mut state = State::new(Arc::new(config), NOW, TimeZone::UTC, looks);
    for second in 0..40 {
        let at = NOW.plus_ms(second * 1_000);
        for (place, name) in names.iter().enumerate() {
            let heat = if hot.contains(&name.as_str()) {
                99.0
            } else {
                20.0
            };
            let series = ["n1", "n2"].map(|node| SeriesSamples {
                key: SeriesKey::new("lab_heat", Labels::from_pairs([("node", node)])),
                kind: SampleKind::Gauge,
                points: std::iter::once(Sample { at, value: heat }).collect(),
            });
            let batch = SampleBatch {
                group: Group::Exporter,
                name: "scrape".into(),
                query: "".into(),
                at,
                interval_ms: 1_000,
                backfill: false,
                series: series.into(),
                cut_from: None,
            };
            let source = SourceKind::Exporter(0);
            let health = SourceHealth {
                health: Health::Live,
                last_ok: Some(at),
                ..SourceHealth::default()
            };
            for body in [Body::Health(health), Body::Samples(batch)] {
                state.update(Msg::Telemetry(Box::new(Telemetry {
                    cluster: ClusterId(place as u16),
                    source,
                    received: at,
                    body,
                })));
            }
        }
        state.update(Msg::Tick(at));
    }
    let world = &state.world;
    let mut all: BTreeMap<String, Vec<Incident>> = BTreeMap::new();
    for incident in &world.incidents {
        let name = world.name_of(incident.cluster).to_owned();
        all.entry(name).or_default().push(incident.clone());
    }
    all
}

fn ids(found: &BTreeMap<String, Vec<Incident>>) -> BTreeMap<&str, Vec<IncidentId>> {
    let ids = |all: &Vec<Incident>| all.iter().map(|i| i.id).collect();
    found
        .iter()
        .map(|(name, all)| (name.as_str(), ids(all)))
        .collect()
}

/// Whatever the order in which a console names its clusters, and though a watcher sees each alone.
#[test]
fn an_incident_has_one_id_on_every_watcher_and_console() {
    let hot = ["lyon-1", "oslo-1"];
    let own = |order| {
        let mut config = config(order);
        config.team = None;
        found(config, &hot)
    };
    let one = own(["lyon-1", "lyon-2", "oslo-1"]);
    let other = own(["oslo-1", "lyon-2", "lyon-1"]);
    assert_eq!(one.len(), 2, "{one:?}");
    assert_eq!(ids(&one), ids(&other));
    let whole = config(["lyon-2", "oslo-1", "lyon-1"]);
    let mut wards = BTreeMap::new();
    for place in 0..3 {
        let alone = alone(&whole, place).expect("there");
        assert_eq!(alone.clusters.len(), 1);
        wards.append(&mut found(alone, &hot));
    }
    assert_eq!(ids(&one), ids(&wards));
    // A console that reads them from the watchers finds none itself.
    assert!(found(whole, &hot).is_empty());
}
