//! The same application over clusters and environments: who has which version, and who is the
//! odd one out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::ClusterKind;
use crate::model::discovery::Component;
use crate::model::gitops::App;
use crate::model::id::ClusterId;
use crate::model::image;
use crate::state::world::{ClusterState, World};

mod group;
mod names;

use group::group;
use names::Found;
pub(in crate::state::world) use names::Words;

/// Where an application runs: a cluster, and the environment where one cluster holds several.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub cluster: String,
    pub environment: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.environment.as_str() {
            "" => f.write_str(&self.cluster),
            environment => write!(f, "{} {environment}", self.cluster),
        }
    }
}

/// One application in one place.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The cluster whose tool holds it.
    pub held_by: ClusterId,
    pub app: &'a App,
    pub revision: Option<String>,
    /// `app:1.9`, sorted.
    pub images: Vec<String>,
    pub chart: Option<String>,
    /// Branch, tag or range that it tracks.
    pub target: Option<String>,
    /// It differs from what most have: revision, images, chart, target.
    pub odd: [bool; 4],
}

/// What is compared, as in [`Member::odd`].
pub const FACTS: [&str; 4] = ["revision", "image", "chart", "target"];

#[derive(Clone, Debug)]
pub enum Cell<'a> {
    Here(Box<Member<'a>>),
    /// Its peers have it.
    Missing,
    /// It need not be there.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Name without environment and cluster.
    pub name: String,
    /// In the order of [`Matrix::places`].
    pub cells: Vec<Cell<'a>>,
    /// In which facts the members differ.
    pub differs: [bool; 4],
}

impl<'a> Line<'a> {
    pub fn members(&self) -> impl Iterator<Item = &Member<'a>> {
        self.cells.iter().filter_map(|c| match c {
            Cell::Here(member) => Some(member.as_ref()),
            _ => None,
        })
    }

    pub fn missing(&self) -> usize {
        self.cells
            .iter()
            .filter(|c| matches!(c, Cell::Missing))
            .count()
    }

    pub fn is_even(&self) -> bool {
        self.missing() == 0 && self.differs == [false; 4]
    }
}

#[derive(Clone, Debug, Default)]
pub struct Matrix<'a> {
    pub places: Vec<Place>,
    /// Those that differ first.
    pub lines: Vec<Line<'a>>,
}

pub fn compare(world: &World, scope: Option<ClusterId>) -> Matrix<'_> {
    let mut found = read(world);
    if let Some(scope) = scope.and_then(|s| world.cluster(s)) {
        // One cluster is compared with all that have the same.
        let name = scope.name.as_ref();
        let here: BTreeSet<String> = found
            .iter()
            .filter(|f| f.place.cluster == name || f.held_by == scope.id)
            .map(|f| f.stem.clone())
            .collect();
        found.retain(|f| here.contains(&f.stem));
    }
    let places = places(world, &found);
    let lines = group(found).into_iter();
    let mut lines: Vec<Line<'_>> = lines
        .map(|((name, _), members)| line(world, name, members, &places))
        .collect();
    lines.sort_by_key(|l| (l.is_even(), l.members().count() < 2, l.name.clone()));
    Matrix { places, lines }
}

/// The one line of an application, and the places of its cells.
pub fn line_of<'a>(
    world: &'a World,
    held_by: ClusterId,
    app: &App,
) -> Option<(Vec<Place>, Line<'a>)> {
    let is = |f: &Found<'_>| f.held_by == held_by && std::ptr::eq(f.app, app);
    let mut found = read(world);
    let places = places(world, &found);
    let own = found.iter().find(|f| is(f))?;
    let source = |f: &Found<'_>| (f.repository.clone(), f.path.clone());
    let (stem, from) = (own.stem.clone(), source(own));
    // Whatever may stand in its line: of its name, or of a name that its folder has, too.
    let mut names: BTreeSet<String> = BTreeSet::from([stem]);
    let folder = found.iter().filter(|f| source(f) == from);
    names.extend(folder.map(|f| f.stem.clone()));
    found.retain(|f| names.contains(&f.stem));
    let ((name, _), members) = group(found)
        .into_iter()
        .find(|(_, members)| members.iter().any(is))?;
    let line = line(world, name, members, &places);
    Some((places, line))
}

fn read(world: &World) -> Vec<Found<'_>> {
    let clusters = world.clusters.iter();
    clusters
        .flat_map(|c| c.deployments().map(move |app| (c, app)))
        .map(|(cluster, app)| world.words.read(world, cluster, app))
        .collect()
}

/// Where they run, and where nothing runs although a tool is there.
fn places(world: &World, found: &[Found<'_>]) -> Vec<Place> {
    let known: BTreeSet<&Place> = found.iter().map(|f| &f.place).collect();
    let mut places: BTreeSet<Place> = known.into_iter().cloned().collect();
    let clusters = world.clusters.iter();
    let bare: Vec<Place> = clusters.filter_map(|c| empty(c, &places)).collect();
    places.extend(bare);
    places.into_iter().collect()
}

/// A cluster that has a tool, and nothing runs there: what its peers have is missing.
fn empty(cluster: &ClusterState, places: &BTreeSet<Place>) -> Option<Place> {
    let tools = [Component::ArgoCd, Component::Flux];
    let has = tools
        .iter()
        .any(|t| cluster.presence(*t) == super::Presence::Found);
    let known = places.iter().any(|p| p.cluster == cluster.name.as_ref());
    (has && !known).then(|| Place {
        cluster: cluster.name.to_string(),
        environment: cluster.environment.clone().unwrap_or_default(),
    })
}

fn line<'a>(world: &World, name: String, found: Vec<Found<'a>>, places: &[Place]) -> Line<'a> {
    let mut members: BTreeMap<Place, Member<'a>> = BTreeMap::new();
    for one in found {
        let member = member(&one);
        members.entry(one.place).or_insert(member);
    }
    let told: Vec<[Option<String>; 4]> = members.values().map(facts).collect();
    let mut differs = [false; 4];
    let mut usual: [Option<String>; 4] = Default::default();
    for (at, (differs, usual)) in differs.iter_mut().zip(&mut usual).enumerate() {
        let values: Vec<&String> = told.iter().filter_map(|f| f.get(at)?.as_ref()).collect();
        *differs = values.windows(2).any(|pair| pair.first() != pair.last());
        *usual = most(&values);
    }
    for member in members.values_mut() {
        let own = facts(member);
        for (odd, (own, usual)) in member.odd.iter_mut().zip(own.iter().zip(&usual)) {
            *odd = usual.is_some() && own.is_some() && own != usual;
        }
    }
    let wanted = Wanted::of(world, places, &members);
    let cells = places.iter().map(|place| match members.remove(place) {
        Some(member) => Cell::Here(Box::new(member)),
        None if wanted.at(world, place) => Cell::Missing,
        None => Cell::Nothing,
    });
    let cells = cells.collect();
    Line {
        name,
        cells,
        differs,
    }
}

fn member<'a>(found: &Found<'a>) -> Member<'a> {
    let app = found.app;
    let mut images: Vec<String> = app.images.iter().map(|i| image::short(i)).collect();
    images.sort();
    images.dedup();
    let target = app.sources.first().map(|s| s.target.clone());
    Member {
        held_by: found.held_by,
        app,
        revision: app.revision.as_deref().map(image::revision),
        images,
        chart: app
            .chart
            .as_ref()
            .map(|(name, version)| format!("{name} {version}")),
        target: target.filter(|t| !t.is_empty()),
        odd: [false; 4],
    }
}

fn facts(member: &Member<'_>) -> [Option<String>; 4] {
    let images = (!member.images.is_empty()).then(|| member.images.join(", "));
    [
        member.revision.clone(),
        images,
        member.chart.clone(),
        member.target.clone(),
    ]
}

/// What more than half of them say.
fn most(values: &[&String]) -> Option<String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let (value, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > values.len() && values.len() > 2).then(|| value.clone())
}

/// Where an application should be: clusters of one kind are asked.
struct Wanted<'p> {
    /// By kind: places, those that have it, and the environments of these.
    kinds: HashMap<ClusterKind, (usize, usize, BTreeSet<&'p str>)>,
}

impl<'p> Wanted<'p> {
    fn of(world: &World, places: &'p [Place], members: &BTreeMap<Place, Member<'_>>) -> Self {
        let mut kinds: HashMap<ClusterKind, (usize, usize, BTreeSet<&str>)> = HashMap::new();
        for place in places {
            let Some(cluster) = world.cluster_by_name(&place.cluster) else {
                continue;
            };
            let (all, have, environments) = kinds.entry(cluster.kind).or_default();
            *all += 1;
            if members.contains_key(place) {
                *have += 1;
                environments.insert(&place.environment);
            }
        }
        Self { kinds }
    }

    /// Is a place without it one that should have it? Most of its peers have it, or its environment
    /// is the only one without. A place is known by an application that runs there, or by its own
    /// tool: it was looked at.
    fn at(&self, world: &World, place: &Place) -> bool {
        let cluster = world.cluster_by_name(&place.cluster);
        let Some((all, have, environments)) = cluster.and_then(|c| self.kinds.get(&c.kind)) else {
            return false;
        };
        let own = place.environment.as_str();
        let alone = !own.is_empty() && environments.len() >= 2 && !environments.contains(own);
        *have >= 2 && (have * 2 > *all || alone)
    }
}
