//! The same application over clusters and environments: who has which version, and who is the
//! odd one out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::discovery::Component;
use crate::model::gitops::App;
use crate::model::id::ClusterId;
use crate::model::image;
use crate::state::world::{ClusterState, World};

/// Words that name an environment at the end or the beginning of a name or in a path.
const ENVIRONMENTS: [&str; 22] = [
    "dev",
    "develop",
    "development",
    "test",
    "tst",
    "testing",
    "qa",
    "uat",
    "int",
    "integration",
    "stage",
    "staging",
    "stg",
    "preprod",
    "preview",
    "prod",
    "prd",
    "production",
    "lab",
    "sandbox",
    "canary",
    "live",
];

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

/// An application before it is put into a line.
struct Found<'a> {
    stem: String,
    repository: String,
    path: String,
    place: Place,
    held_by: ClusterId,
    app: &'a App,
}

pub fn compare(world: &World, scope: Option<ClusterId>) -> Matrix<'_> {
    let words = Words::of(world);
    let clusters = world.clusters.iter();
    let mut found: Vec<Found<'_>> = clusters
        .flat_map(|c| c.deployments().map(move |app| (c, app)))
        .map(|(cluster, app)| words.read(world, cluster, app))
        .collect();
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
    let groups = group(found);
    let mut places: BTreeSet<Place> = groups.values().flatten().map(|f| f.place.clone()).collect();
    let bare: Vec<Place> = world
        .clusters
        .iter()
        .filter_map(|c| empty(c, &places))
        .collect();
    places.extend(bare);
    let places: Vec<Place> = places.into_iter().collect();
    let mut lines: Vec<Line<'_>> = groups
        .into_iter()
        .map(|((name, _), members)| line(world, name, members, &places))
        .collect();
    lines.sort_by_key(|l| (l.is_even(), l.members().count() < 2, l.name.clone()));
    Matrix { places, lines }
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

/// The line that holds an application, with the places of its cells.
pub fn line_of<'m, 'a>(
    matrix: &'m Matrix<'a>,
    held_by: ClusterId,
    app: &App,
) -> Option<&'m Line<'a>> {
    let is = |m: &Member<'_>| m.held_by == held_by && std::ptr::eq(m.app, app);
    matrix.lines.iter().find(|l| l.members().any(is))
}

/// The words that are taken off names.
struct Words {
    clusters: Vec<String>,
    environments: BTreeSet<String>,
}

impl Words {
    fn of(world: &World) -> Self {
        let mut environments: BTreeSet<String> = ENVIRONMENTS.map(str::to_owned).into();
        for cluster in &world.clusters {
            let own = cluster.environment.iter().chain(&cluster.region);
            environments.extend(own.filter(|w| !w.is_empty()).map(|w| w.to_lowercase()));
        }
        let mut clusters: Vec<String> = world.clusters.iter().map(|c| c.name.to_string()).collect();
        clusters.sort_by_key(|c| std::cmp::Reverse(c.len()));
        Self {
            clusters,
            environments,
        }
    }

    fn read<'a>(&self, world: &World, cluster: &ClusterState, app: &'a App) -> Found<'a> {
        let name = app.name.as_ref();
        let stands = match (app.deploys_here(), app.destination.as_deref()) {
            (false, Some(elsewhere)) => elsewhere,
            _ => cluster.name.as_ref(),
        };
        let home = world.cluster_by_name(stands);
        let (stem, environment) = self.stem(name);
        let known = home.and_then(|c| c.environment.clone());
        let source = app.sources.first();
        Found {
            repository: source.map_or_else(String::new, |s| repository(&s.repository)),
            path: source.map_or_else(String::new, |s| self.bare_path(&s.path)),
            stem,
            place: Place {
                cluster: stands.to_owned(),
                environment: known.or(environment).unwrap_or_default(),
            },
            held_by: cluster.id,
            app,
        }
    }

    /// The name without cluster and environment, and the environment that it named.
    fn stem(&self, name: &str) -> (String, Option<String>) {
        let mut rest = name;
        let mut environment = None;
        while let Some((shorter, word)) = self.shorten(rest) {
            rest = shorter;
            environment = word.or(environment);
        }
        (rest.to_owned(), environment)
    }

    fn shorten<'n>(&self, name: &'n str) -> Option<(&'n str, Option<String>)> {
        const JOINTS: [char; 3] = ['-', '_', '.'];
        for cluster in &self.clusters {
            let end = name.strip_suffix(cluster.as_str());
            if let Some(head) = end
                .and_then(|h| h.strip_suffix(JOINTS))
                .filter(|h| !h.is_empty())
            {
                return Some((head, None));
            }
            let begin = name.strip_prefix(cluster.as_str());
            if let Some(tail) = begin
                .and_then(|t| t.strip_prefix(JOINTS))
                .filter(|t| !t.is_empty())
            {
                return Some((tail, None));
            }
        }
        let is_word = |word: &str| self.environments.contains(&word.to_lowercase());
        if let Some((head, tail)) = name.rsplit_once(JOINTS)
            && is_word(tail)
            && !head.is_empty()
        {
            return Some((head, Some(tail.to_owned())));
        }
        let (head, tail) = name.split_once(JOINTS)?;
        (is_word(head) && !tail.is_empty()).then(|| (tail, Some(head.to_owned())))
    }

    fn bare_path(&self, path: &str) -> String {
        let kept = path.split('/').filter(|part| {
            let word = part.to_lowercase();
            !word.is_empty()
                && !["overlays", "envs", "environments", "clusters", "."].contains(&&*word)
                && !self.environments.contains(&word)
                && !self.clusters.iter().any(|c| c == part)
        });
        kept.collect::<Vec<_>>().join("/")
    }
}

/// The same repository, however its URL is written; empty where the source is no URL.
fn repository(url: &str) -> String {
    let bare = url.split_once("://").map_or_else(
        || url.strip_prefix("git@").map(|u| u.replacen(':', "/", 1)),
        |(_, rest)| Some(rest.to_owned()),
    );
    let bare = bare.unwrap_or_default().to_lowercase();
    let bare = bare
        .rsplit_once('@')
        .map_or(bare.as_str(), |(_, host)| host);
    bare.trim_end_matches('/')
        .trim_end_matches(".git")
        .to_owned()
}

type Groups<'a> = BTreeMap<(String, String), Vec<Found<'a>>>;

/// By name, unless the sources are different ones; then those of one folder under other names.
fn group(found: Vec<Found<'_>>) -> Groups<'_> {
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
    let keys: Vec<(String, String)> = groups.keys().cloned().collect();
    for key in keys {
        let Some((folder, places)) = groups.get(&key).and_then(|g| of_one_folder(g)) else {
            continue;
        };
        let other = groups.iter().find(|(k, g)| {
            **k < key
                && k.1 == key.1
                && of_one_folder(g).is_some_and(|(f, p)| f == folder && p.is_disjoint(&places))
        });
        if let Some(into) = other.map(|(k, _)| k.clone()) {
            let moved = groups.remove(&key).unwrap_or_default();
            groups.entry(into).or_default().extend(moved);
        }
    }
    groups
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
    let holders: BTreeSet<Place> = members.keys().cloned().collect();
    let cells = places.iter().map(|place| match members.remove(place) {
        Some(member) => Cell::Here(Box::new(member)),
        None => lacking(world, place, places, &holders),
    });
    Line {
        name,
        cells: cells.collect(),
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

/// Is a place without it one that should have it? Clusters of its kind are asked: most have it, or
/// its environment is the only one without.
fn lacking<'a>(
    world: &World,
    place: &Place,
    places: &[Place],
    holders: &BTreeSet<Place>,
) -> Cell<'a> {
    let Some(cluster) = world.cluster_by_name(&place.cluster) else {
        return Cell::Nothing;
    };
    let kind = |p: &Place| world.cluster_by_name(&p.cluster).map(|c| c.kind);
    let peers: Vec<&Place> = places
        .iter()
        .filter(|p| kind(p) == Some(cluster.kind))
        .collect();
    let have: Vec<&Place> = peers
        .iter()
        .copied()
        .filter(|p| holders.contains(p))
        .collect();
    let environments: BTreeSet<&str> = have.iter().map(|p| p.environment.as_str()).collect();
    let alone = !place.environment.is_empty()
        && environments.len() >= 2
        && !environments.contains(place.environment.as_str());
    if have.len() < 2 || !(have.len() * 2 > peers.len() || alone) {
        return Cell::Nothing;
    }
    // A place is known by an application that runs there, or by its own tool: it was looked at.
    Cell::Missing
}
