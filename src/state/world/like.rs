//! Incidents that were like one: "have we seen this before?".

use super::World;
use crate::incident::{Incident, alike, signs};
use crate::model::archive::Past;
use crate::model::id::IncidentId;
use crate::model::time::Timestamp;
use crate::model::unit::age;

/// Told of those that were like it.
const LIKE: usize = 5;
/// Of those that ended while farwatch ran so many are looked at, the newest: older ones come from
/// the archive.
const HERE: usize = 50;
/// Less alike is another kind of thing.
const LEAST: f64 = 0.2;

/// One that was like it.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    pub id: IncidentId,
    /// Share of the signs that both show, 0 to 1.
    pub share: f64,
    pub opened: Timestamp,
    /// What, where, and how long it lasted.
    pub head: String,
    /// What was noted of it last, which may tell what ended it.
    pub note: String,
}

impl Like {
    fn new(share: f64, cluster: &str, past: &Incident) -> Self {
        let lasted = match past.closed {
            Some(end) => format!("for {}", age(end.age_since_ms(past.opened))),
            None => "its end is unknown".to_owned(),
        };
        Self {
            id: past.id,
            share,
            opened: past.opened,
            head: format!("INC-{} on {cluster}, {lasted}", past.number),
            note: match past.desk.notes().last() {
                Some((stamp, note)) => format!("{}: {note}", stamp.by),
                None => format!("no note says what ended it. {}", past.title),
            },
        }
    }
}

impl World {
    /// Most alike first: of what ended while farwatch ran, and of what the archive found.
    pub fn like(&self, asked: &Incident, past: &[Past]) -> Vec<Like> {
        let own = signs(asked);
        let ended = self.incidents.iter().filter(|i| !i.is_live()).take(HERE);
        let here = ended.map(|i| (self.name_of(i.cluster), i));
        let kept = past.iter().map(|p| (p.cluster.as_ref(), &p.incident));
        let mut like: Vec<Like> = Vec::new();
        for (cluster, other) in here.chain(kept).filter(|(_, other)| other.id != asked.id) {
            let share = alike(&own, &signs(other));
            if share >= LEAST && like.iter().all(|held| held.id != other.id) {
                like.push(Like::new(share, cluster, other));
            }
        }
        like.sort_by(|a, b| {
            let newer = || b.opened.cmp(&a.opened);
            b.share.total_cmp(&a.share).then_with(newer)
        });
        like.truncate(LIKE);
        like
    }
}
