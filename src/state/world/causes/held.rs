//! Rankings that were made, so that nobody waits for one: those of many signs are made off the loop,
//! anew when something that they hang on is another.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::{Basis, Causes};
use crate::message::Work;
use crate::model::id::IncidentId;
use crate::model::incident::Incident;
use crate::model::time::Timestamp;
use crate::state::world::World;

/// Open incidents whose causes are held ready, worst first.
const READY: usize = 20;
/// Between two looks at those that nobody looks at.
const LOOK_MS: u64 = 1_000;

#[derive(Clone, Debug, Default)]
pub struct Rankings {
    made: HashMap<IncidentId, (Basis, Arc<Causes>)>,
    working: Option<(Basis, Arc<OnceLock<Arc<Causes>>>)>,
    looked: Timestamp,
}

impl World {
    /// Where an incident began, and what was changed before: likely first. Of many signs as it was
    /// ranked last, a second ago at most; made now where it never was.
    pub fn causes(&self, incident: &Incident) -> Arc<Causes> {
        let held = self.rankings.made.get(&incident.id);
        if let Some((basis, causes)) = held
            && *basis == self.causes_basis(incident)
        {
            return Arc::clone(causes);
        }
        match (self.ask_causes(incident), held) {
            (Some(asked), Some((_, causes))) if !asked.is_little() => Arc::clone(causes),
            (Some(asked), _) => Arc::new(asked.ranked()),
            (None, _) => Arc::default(),
        }
    }

    /// The same for a screen that is drawn again soon: empty until it was ranked.
    pub fn causes_so_far(&self, incident: &Incident) -> Arc<Causes> {
        let held = self.rankings.made.get(&incident.id);
        held.map_or_else(Arc::default, |(_, causes)| Arc::clone(causes))
    }

    /// Ranks what is to be ranked next: the chosen incident, then the open ones. Of many signs it is
    /// work for elsewhere, one at a time.
    pub fn rank_next(&mut self, chosen: Option<IncidentId>) -> Option<Work> {
        if let Some((basis, made)) = &self.rankings.working {
            let causes = Arc::clone(made.get()?);
            let done = (basis.clone(), causes);
            self.rankings.made.insert(basis.incident, done);
            self.rankings.working = None;
        }
        let due = self.now.age_since_ms(self.rankings.looked) >= LOOK_MS;
        let open = self.incidents.iter().filter(|i| i.is_live()).take(READY);
        let open: Vec<IncidentId> = open.filter(|_| due).map(|i| i.id).collect();
        for id in chosen.into_iter().chain(open) {
            let Some(incident) = self.incident(id) else {
                continue;
            };
            let basis = self.causes_basis(incident);
            let held = self.rankings.made.get(&id);
            if held.is_some_and(|(known, _)| *known == basis) {
                continue;
            }
            let Some(asked) = self.ask_causes(incident) else {
                continue;
            };
            if asked.is_little() {
                let causes = Arc::new(asked.ranked());
                self.rankings.made.insert(id, (basis, causes));
                continue;
            }
            let made = Arc::new(OnceLock::new());
            self.rankings.working = Some((basis, Arc::clone(&made)));
            return Some(Work::new(move || {
                // Nobody else sets it.
                let _ = made.set(Arc::new(asked.ranked()));
            }));
        }
        if due {
            self.rankings.looked = self.now;
            self.forget_rankings();
        }
        None
    }

    /// Of incidents that are gone.
    fn forget_rankings(&mut self) {
        if self.rankings.made.len() > self.incidents.len() {
            let here: Vec<IncidentId> = self.incidents.iter().map(|i| i.id).collect();
            self.rankings.made.retain(|id, _| here.contains(id));
        }
    }
}
