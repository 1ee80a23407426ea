//! Which applications are one and the same in several places.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use super::names::Found;

/// Name and repository.
pub(super) type Key = (String, String);
/// A group that takes others in, and where it runs.
type Stay = (Key, BTreeSet<Place>);
pub(super) type Groups<'a> = BTreeMap<Key, Vec<Found<'a>>>;

/// By name, unless the sources are different ones; then those of one folder under other names.
pub(super) fn group(found: Vec<Found<'_>>) -> Groups<'_> {
    let mut groups: Groups<'_> = BTreeMap::new();
    let urls: BTreeMap<String, BTreeSet<String>> =
        found.iter().fold(BTreeMap::new(), |mut all, f| {
            let urls: &mut BTreeSet<String> = all.entry(f.stem.clone()).or_default();
            urls.extend((!f.repository.is_empty()).then(|| f.repository.clone()));
            all
        });
    for one in found {
        // Without a URL it goes to those of its name, if these have one source.
        let only = urls
            .get(&one.stem)
            .filter(|u| u.len() == 1)
            .and_then(|u| u.first());
        let url = match one.repository.as_str() {
            "" => only.cloned().unwrap_or_default(),
            url => url.to_owned(),
        };
        groups.entry((one.stem.clone(), url)).or_default().push(one);
    }
    of_other_names(&mut groups);
    groups
}

/// Puts groups of one folder together that are nowhere in the same place, into the first of them.
fn of_other_names(groups: &mut Groups<'_>) {
    // By repository and folder: the groups that stay, with their places.
    let mut folders: BTreeMap<(String, String), Vec<Stay>> = BTreeMap::new();
    let keys: Vec<Key> = groups.keys().cloned().collect();
    for key in keys {
        let Some((folder, places)) = groups.get(&key).and_then(|g| of_one_folder(g)) else {
            continue;
        };
        let stay = folders.entry((key.1.clone(), folder)).or_default();
        match stay.iter_mut().find(|(_, held)| held.is_disjoint(&places)) {
            Some((into, held)) => {
                held.extend(places);
                let moved = groups.remove(&key).unwrap_or_default();
                groups.entry(into.clone()).or_default().extend(moved);
            }
            None => stay.push((key, places)),
        }
    }
}

/// The folder that all of them come from, and where they run.
fn of_one_folder(group: &[Found<'_>]) -> Option<(String, BTreeSet<Place>)> {
    let first = group.first()?;
    let same = group.iter().all(|f| f.path == first.path);
    let known = !first.path.is_empty() && !first.repository.is_empty();
    (same && known).then(|| {
        let places = group.iter().map(|f| f.place.clone());
        (first.path.clone(), places.collect())
    })
}
