//! A world for tests of the screens, made of telemetry as sources deliver it.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Entry, Focus};
use crate::config::{Cluster, Config, Endpoint, Query, QueryLanguage};
use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::model::signal::Group;
use crate::model::telemetry::{Body, SampleBatch, Telemetry};
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::widget::text::dump;
use crate::ui::{Ctx, Theme, Window};

/// 2027-01-15T08:00:00Z
pub const NOW: i64 = 1_800_000_000_000;

pub fn world(names: &[&str]) -> World {
    let endpoint = || Some(Endpoint::default());
    let config = Config {
        clusters: names
            .iter()
            .map(|name| Cluster {
                name: (*name).to_owned(),
                prometheus: endpoint(),
                alertmanagers: endpoint().into_iter().collect(),
                loki: endpoint(),
                ..Cluster::default()
            })
            .collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

pub fn tell(world: &mut World, cluster: u16, body: Body) {
    world.ingest(Telemetry {
        cluster: ClusterId(cluster),
        source: match body {
            Body::Alerts(_) | Body::Silences(_) => SourceKind::Alertmanager(0),
            Body::Logs(_) => SourceKind::Loki,
            Body::Objects(_) => SourceKind::Kubernetes,
            _ => SourceKind::Prometheus,
        },
        received: Timestamp(NOW),
        body,
    });
}

pub fn tell_of(world: &mut World, cluster: u16, source: SourceKind, body: Body) {
    world.ingest(Telemetry {
        cluster: ClusterId(cluster),
        source,
        received: Timestamp(NOW),
        body,
    });
}

/// A source that answers.
pub fn heard() -> SourceHealth {
    SourceHealth {
        health: Health::Live,
        last_ok: Some(Timestamp(NOW)),
        ..SourceHealth::default()
    }
}

/// One series with these values, one each 30 s, the last one now.
pub fn samples(
    world: &mut World,
    cluster: u16,
    group: Group,
    name: &str,
    labels: &[(&str, &str)],
    values: &[f64],
) {
    polled(world, (cluster, group), name, labels, values, 30_000);
}

/// The same, polled each `step` milliseconds.
pub fn polled(
    world: &mut World,
    (cluster, group): (u16, Group),
    name: &str,
    labels: &[(&str, &str)],
    values: &[f64],
    step: u32,
) {
    let count = values.len() as i64;
    let points: Vec<Sample> = (0i64..)
        .zip(values)
        .map(|(i, value)| Sample {
            at: Timestamp(NOW - (count - 1 - i) * i64::from(step)),
            value: *value,
        })
        .collect();
    let batch = SampleBatch {
        group,
        name: name.into(),
        query: name.into(),
        at: Timestamp(NOW),
        interval_ms: step,
        backfill: false,
        series: vec![SeriesSamples {
            key: SeriesKey::new(Arc::from(name), Labels::from_pairs(labels.iter().copied())),
            kind: SampleKind::Gauge,
            points: points.into(),
        }],
        cut_from: None,
    };
    tell(world, cluster, Body::Samples(batch));
}

/// Queries of the configuration: name, text, language.
pub fn kept<const N: usize>(queries: [(&str, &str, QueryLanguage); N]) -> Arc<[Query]> {
    let query = |(name, query, language): (&str, &str, _)| Query {
        name: name.into(),
        query: query.into(),
        language,
    };
    queries.map(query).into()
}

pub fn entry(focus: Option<Focus>) -> Entry {
    Entry {
        scope: None,
        window: Window::HOUR,
        focus,
        query: None,
    }
}

/// What `draw` paints, as text.
pub fn screen(
    world: &World,
    width: u16,
    height: u16,
    draw: impl Fn(&Ctx, Rect, &mut Buffer),
) -> String {
    dump(&paint(world, (width, height), false, draw))
}

pub fn paint(
    world: &World,
    (width, height): (u16, u16),
    ascii: bool,
    draw: impl Fn(&Ctx, Rect, &mut Buffer),
) -> Buffer {
    let theme = Theme::default();
    let ctx = Ctx {
        world,
        theme: &theme,
        ascii,
        zone: &jiff::tz::TimeZone::UTC,
        window: Window::HOUR,
        scope: None,
        focus: true,
        cursor: Default::default(),
        old_ms: crate::ui::view::common::STALE_MS,
    };
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(&ctx, area, &mut buf);
    buf
}
