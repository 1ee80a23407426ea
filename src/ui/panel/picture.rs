//! The series of a picture, made of what the clusters answered: joined to what was known, put side
//! by side or made one, named. Off the loop where there is much of it.

use std::sync::{Arc, OnceLock};

use super::asked::{Asked, Coming, Joined};
use super::series::Series;
use super::{Shown, ShownId, by_change};
use crate::message::{Effect, Work};
use crate::model::combine::{Combine, combine};
use crate::model::dashboard::PanelQuery;
use crate::model::grid::Grid;
use crate::model::id::ClusterId;
use crate::model::sample::{SeriesKey, SeriesSamples};
use crate::model::unit::Unit;
use crate::store::answers::Answers;

/// Samples and series looked at on the loop: some tenths of a millisecond.
const LITTLE: (usize, usize) = (20_000, 200);

#[derive(Debug, Default)]
pub struct Picture {
    series: Arc<Series>,
    /// What is in view answers the query before this one.
    former: bool,
    /// It does not show all that is known.
    due: bool,
    working: Option<Arc<OnceLock<Made>>>,
}

/// A query of a picture.
pub struct Query<'a> {
    pub asked: &'a mut Asked,
    /// What its series are called; `None`: as their labels say.
    pub legend: Option<&'a PanelQuery>,
    /// What it is measured in, where that is said; else as the query tells.
    pub unit: Unit,
    /// Values at which lines are drawn.
    pub limits: &'a [f64],
}

#[derive(Clone, Debug)]
struct Made {
    series: Arc<Series>,
    /// By number of the query.
    joined: Vec<(usize, Joined)>,
}

impl Picture {
    pub fn series(&self) -> &Arc<Series> {
        &self.series
    }

    /// What is in view answers the query before this one.
    pub fn is_former(&self) -> bool {
        self.former
    }

    /// Another query, or the same asked from the start: until something of it comes, what is in
    /// view stays. `other`: it is another one.
    pub fn restart(&mut self, other: bool) {
        self.working = None;
        self.due = true;
        self.former |= other && !self.series.is_empty();
    }

    /// Something came, or is to be shown in another way.
    pub fn touch(&mut self) {
        self.due = true;
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes what was made, and makes what is due.
    pub fn make(&mut self, queries: &mut [Query<'_>], answers: &mut Answers) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(working) = &self.working {
            let Some(made) = working.get().cloned() else {
                return effects;
            };
            self.working = None;
            effects.extend(self.settle(&made, queries, answers));
        }
        let nothing = || queries.iter().flat_map(|q| &q.asked.parts);
        let nothing = nothing().all(|p| p.series.is_empty() && p.coming().is_none());
        let waits = queries.iter().any(|q| q.asked.is_waiting());
        if !self.due || self.former && nothing && waits {
            return effects;
        }
        self.due = false;
        let job = Job {
            queries: queries.iter().map(Wanted::of).collect(),
        };
        if job.is_little() {
            let made = job.run();
            effects.extend(self.settle(&made, queries, answers));
            return effects;
        }
        let working = Arc::new(OnceLock::new());
        self.working = Some(Arc::clone(&working));
        effects.push(Effect::Work(Work::new(move || {
            // Nobody else sets it.
            let _ = working.set(job.run());
        })));
        effects
    }

    /// What it takes to let the former series go is no matter of the loop either.
    fn settle(
        &mut self,
        made: &Made,
        queries: &mut [Query<'_>],
        answers: &mut Answers,
    ) -> Option<Effect> {
        for (number, joined) in &made.joined {
            if let Some(query) = queries.get_mut(*number) {
                query.asked.settle(joined, answers);
            }
        }
        self.former = false;
        let spent = std::mem::replace(&mut self.series, Arc::clone(&made.series));
        let much = spent.len() > LITTLE.1;
        much.then(|| Effect::Work(Work::new(move || drop(Arc::clone(&spent)))))
    }
}

/// All it takes to make a picture.
#[derive(Debug)]
struct Job {
    queries: Vec<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    parts: Vec<(ClusterId, Arc<Vec<SeriesSamples>>, Option<Coming>)>,
    grid: Grid,
    combine: Combine,
    unit: Unit,
    legend: Option<PanelQuery>,
    limits: Vec<f64>,
}

impl Job {
    fn is_little(&self) -> bool {
        let parts = || self.queries.iter().flat_map(|q| &q.parts);
        let all = || {
            parts().flat_map(|(_, series, coming)| {
                let coming = coming.as_ref().map(|c| &c.series);
                std::iter::once(series).chain(coming)
            })
        };
        let series: usize = all().map(|s| s.len()).sum();
        // Points are counted only where there are few to be counted.
        let points = || all().flat_map(|s| s.iter()).map(|s| s.points.len());
        series <= LITTLE.1 && points().sum::<usize>() <= LITTLE.0
    }

    fn run(&self) -> Made {
        let (mut joined, mut shown) = (Vec::new(), Vec::new());
        for (number, query) in self.queries.iter().enumerate() {
            let mut parts = Vec::new();
            for (cluster, series, coming) in &query.parts {
                let new = coming.as_ref().map(Coming::join);
                let series = new.as_ref().map_or(series, |new| &new.series);
                parts.push((*cluster, Arc::clone(series)));
                joined.extend(new.map(|new| (number, new)));
            }
            query.show(&parts, &mut shown);
        }
        by_change(&mut shown);
        Made {
            series: Arc::new(Series::new(shown)),
            joined,
        }
    }
}

impl Wanted {
    fn of(query: &Query<'_>) -> Self {
        let asked = &query.asked;
        let legend = query.legend.filter(|q| !q.legend.is_empty());
        Self {
            parts: asked
                .parts
                .iter()
                .map(|p| (p.cluster, Arc::clone(&p.series), p.coming().cloned()))
                .collect(),
            grid: asked.grid,
            combine: asked.combine,
            unit: match query.unit {
                Unit::None => asked.unit,
                unit => unit,
            },
            legend: legend.cloned(),
            limits: query.limits.to_vec(),
        }
    }

    fn show(&self, parts: &[(ClusterId, Arc<Vec<SeriesSamples>>)], shown: &mut Vec<Shown>) {
        let before = shown.len();
        match self.combine {
            Combine::Merge => self.merge(parts, shown),
            how => {
                let parts: Vec<_> = parts.iter().map(|(c, s)| (*c, s.as_slice())).collect();
                let all = combine(&parts, self.grid, how).into_iter();
                shown.extend(all.map(|c| Shown::of_combined(c, self.unit, self.grid.step_ms)));
            }
        }
        for one in shown.iter_mut().skip(before) {
            one.limits.clone_from(&self.limits);
            let legend = self.legend.as_ref();
            if let Some(name) = legend.and_then(|l| l.name(&one.id.key.labels)) {
                one.id.key = SeriesKey::new(name, one.id.key.labels.clone());
            }
        }
    }

    fn merge(&self, parts: &[(ClusterId, Arc<Vec<SeriesSamples>>)], shown: &mut Vec<Shown>) {
        for (cluster, part) in parts {
            for series in part.iter() {
                let inside = series.points.iter().filter(|p| self.grid.holds(p.at));
                let points: Vec<_> = inside.copied().collect();
                if points.is_empty() {
                    continue;
                }
                let id = ShownId {
                    cluster: Some(*cluster),
                    key: series.key.clone(),
                };
                shown.push(Shown {
                    interval_ms: self.grid.step_ms,
                    ..Shown::new(id, series.kind, points, self.unit)
                });
            }
        }
    }
}
