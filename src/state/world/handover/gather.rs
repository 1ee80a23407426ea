//! What goes along is gathered in pieces, so that no frame waits for it: first which series there
//! are, then their points, then the causes of the incidents.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use super::series::{About, Found, Queries};
use super::{CAUSES, Wanted};
use crate::message::Work;
use crate::model::handover::HeldSeries;
use crate::model::id::{ClusterId, IncidentId};
use crate::state::world::Causes;
use crate::state::world::World;

/// Points of a file at most.
pub const POINTS: usize = 1_500_000;
/// Of one piece: points copied, or series looked at. Each is a millisecond or two.
const PIECE: usize = 50_000;
const LOOKED: usize = 5_000;

/// A parcel on its way.
pub struct Gathering {
    pub wanted: Wanted,
    about: About,
    queries: Queries,
    /// Names not looked at yet, with the clusters in the file and here.
    names: VecDeque<(ClusterId, ClusterId, Arc<str>)>,
    /// What matters most first, once all names were looked at.
    found: Vec<Found>,
    next: usize,
    points: usize,
    pub(super) series: Vec<HeldSeries>,
    /// Series left out for want of room.
    pub(super) left: usize,
    pub(super) causes: BTreeMap<IncidentId, Arc<OnceLock<Arc<Causes>>>>,
    /// Set once the work that was given last is done.
    working: Option<Arc<OnceLock<()>>>,
}

impl std::fmt::Debug for Gathering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gathering")
            .field("wanted", &self.wanted)
            .field("series", &self.series.len())
            .finish_non_exhaustive()
    }
}

impl Gathering {
    /// Series looked through, of how many that are known by now.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.found.len())
    }

    /// Its work is still under way elsewhere.
    pub fn is_waiting(&self) -> bool {
        self.working.as_ref().is_some_and(|w| w.get().is_none())
    }

    fn elsewhere(&mut self, work: impl Fn() + Send + Sync + 'static) -> Work {
        let done = Arc::new(OnceLock::new());
        self.working = Some(Arc::clone(&done));
        Work::new(move || {
            work();
            // Nobody else sets it.
            let _ = done.set(());
        })
    }
}

impl World {
    pub fn gather(&self, wanted: Wanted) -> Gathering {
        let clusters = wanted.clusters.iter().enumerate();
        let names = clusters.flat_map(|(place, id)| {
            let names = self.store.names(*id).into_iter();
            names.map(move |name| (ClusterId(place as u16), *id, name))
        });
        Gathering {
            about: self.about(&wanted),
            queries: Queries::of(&self.signals),
            names: names.collect(),
            found: Vec::new(),
            next: 0,
            points: 0,
            series: Vec::new(),
            left: 0,
            causes: BTreeMap::new(),
            working: None,
            wanted,
        }
    }

    /// One piece more. What it gives is to be done elsewhere before the next; `None`: all is there.
    pub fn gather_on(&self, gathering: &mut Gathering) -> Option<Work> {
        if !gathering.names.is_empty() {
            self.look_at_names(gathering);
            return Some(gathering.elsewhere(|| {}));
        }
        if gathering.next < gathering.found.len() {
            self.copy_points(gathering);
            return Some(gathering.elsewhere(|| {}));
        }
        self.rank_for(gathering)
    }

    fn look_at_names(&self, gathering: &mut Gathering) {
        let until = gathering.found.len() + LOOKED;
        while gathering.found.len() < until
            && let Some((place, cluster, name)) = gathering.names.pop_front()
        {
            let about = &gathering.about;
            let found = self.store.find(cluster, &name).map(|(series, key)| Found {
                rank: about.rank(key),
                place,
                cluster,
                series,
            });
            gathering.found.extend(found);
        }
        if gathering.names.is_empty() {
            gathering.found.sort_by_key(|f| (f.rank, f.place));
        }
    }

    fn copy_points(&self, gathering: &mut Gathering) {
        let (from, to) = (gathering.wanted.from, gathering.wanted.to);
        let (points, looked) = (gathering.points, gathering.next);
        while gathering.points < points + PIECE
            && gathering.next < looked + LOOKED
            && let Some(found) = gathering.found.get(gathering.next)
        {
            gathering.next += 1;
            let held = self.store.held(found.series, from, to);
            if held.is_empty() {
                continue;
            }
            if gathering.points + held.len() > POINTS {
                gathering.left += 1;
                continue;
            }
            gathering.points += held.len();
            let series = self.held_series(&mut gathering.queries, found, held);
            gathering.series.extend(series);
        }
    }

    /// The causes of the first incidents, one at a time.
    fn rank_for(&self, gathering: &mut Gathering) -> Option<Work> {
        let (incidents, _) = self.incidents_of(&gathering.wanted);
        let ours = incidents.into_iter().take(CAUSES).filter(|i| i.is_ours());
        for incident in ours {
            if gathering.causes.contains_key(&incident.id) {
                continue;
            }
            let Some(asked) = self.ask_causes(incident) else {
                continue;
            };
            let made = Arc::new(OnceLock::new());
            gathering.causes.insert(incident.id, Arc::clone(&made));
            return Some(gathering.elsewhere(move || {
                let _ = made.set(Arc::new(asked.ranked()));
            }));
        }
        None
    }
}
