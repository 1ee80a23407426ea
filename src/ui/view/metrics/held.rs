//! Series of the store as a picture.

use crate::model::id::ClusterId;
use crate::model::sample::SampleKind;
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::panel::{Shown, ShownId};
use crate::ui::view::common::{clusters, drawable, rate_unit, unit_of};
use crate::ui::widget::chart::read_from;

/// Series of this name that the store holds of the scope.
pub fn held(world: &World, scope: Option<ClusterId>, wanted: &str, window: Window) -> Vec<Shown> {
    let (from, to) = window.bounds(world.now);
    let unit = unit_of(world, wanted);
    let limits = world
        .signals
        .iter()
        .find(|s| s.name.as_ref() == wanted)
        .and_then(|s| s.limit)
        .map(|l| [l.warn, l.crit].into_iter().flatten().collect::<Vec<_>>())
        .unwrap_or_default();
    let mut shown = Vec::new();
    for cluster in clusters(world, scope) {
        for (id, key) in world.store.find(cluster.id, wanted) {
            let kind = world.store.kind(id).unwrap_or_default();
            let points = drawable(world.store.points(id, read_from(from, to), to), kind);
            let unit = match kind {
                SampleKind::Counter => rate_unit(unit),
                SampleKind::Gauge => unit,
            };
            let id_shown = ShownId {
                cluster: Some(cluster.id),
                key: key.clone(),
            };
            shown.push(Shown {
                limits: limits.clone(),
                interval_ms: world.store.interval_ms(id),
                ..Shown::new(id_shown, SampleKind::Gauge, points, unit)
            });
        }
    }
    shown
}

/// The held series that is written like this.
pub fn held_by(world: &World, scope: Option<ClusterId>, text: &str) -> Option<ShownId> {
    let bare = text.split('{').next().unwrap_or(text);
    for cluster in clusters(world, scope) {
        for (_, key) in world.store.find(cluster.id, bare) {
            if key.to_string() == text {
                return Some(ShownId {
                    cluster: Some(cluster.id),
                    key: key.clone(),
                });
            }
        }
    }
    None
}
