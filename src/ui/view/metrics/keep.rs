//! What is taken along from the metrics screen: the query, as curl, and the series as a file.

use super::Metrics;
use crate::message::Effect;
use crate::model::export::Format;
use crate::state::world::World;
use crate::ui::panel::curl::curl;
use crate::ui::panel::keep::{Keep, names};
use crate::ui::panel::{Shown, status};

impl Metrics {
    pub(super) fn copy_query(&self, world: &World) -> Option<Effect> {
        let query = self.written(world);
        (!query.is_empty()).then_some(Effect::Copy(query))
    }

    pub(super) fn copy_curl(&self, world: &World) -> Option<Effect> {
        curl(world, self.asked.as_ref()?).map(Effect::Copy)
    }

    /// The series in view, without those that are hidden.
    pub(super) fn export(&self, format: Format, world: &World) -> Effect {
        let shown = self.shown(world);
        let seen = |s: &&Shown| match &self.alone {
            Some(alone) => *alone == s.id,
            None => !self.hidden.contains(&s.id),
        };
        let seen: Vec<&Shown> = shown.iter().filter(seen).collect();
        let names = names(world, &shown, seen.iter().copied());
        let query = self.written(world);
        let title = self.chosen_name(world).filter(|_| self.asked.is_none());
        Keep {
            world,
            window: self.window,
            form: self.form(&shown),
            title: title.map_or_else(|| query.clone(), |name| name.to_string()),
            query,
            origin: match &self.asked {
                Some(asked) => status::origin(world, &[asked]),
                None => format!("held by farwatch at {} · UTC", world.now.rfc3339()),
            },
            step_ms: self.asked.as_ref().map_or(0, |a| a.grid.step_ms),
            bounds: self.bounds_unit(world),
            at: self.at,
            shown: seen.into_iter().zip(names).collect(),
        }
        .effect(format)
    }
}
