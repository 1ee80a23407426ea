//! Which clusters are listed, in which order, and in which groups.

use std::collections::BTreeSet;

use super::row;
use crate::model::id::ClusterId;
use crate::state::world::{AlertCounts, ClusterState, Status, World};
use crate::ui::widget::table::Table;

/// By what the rows are put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    Flat,
    Environment,
    Region,
    Type,
    Label(String),
}

impl Grouping {
    pub fn word(&self) -> &str {
        match self {
            Self::Flat => "none",
            Self::Environment => "environment",
            Self::Region => "region",
            Self::Type => "type",
            Self::Label(key) => key,
        }
    }

    /// The next one that tells the clusters apart.
    pub fn next(&self, world: &World) -> Self {
        let labels: BTreeSet<&str> = world
            .clusters
            .iter()
            .flat_map(|c| c.labels.iter().map(|(key, _)| key.as_str()))
            .collect();
        let some = |told: fn(&ClusterState) -> bool| world.clusters.iter().any(told);
        let mut all = vec![Self::Flat];
        all.extend(some(|c| c.environment.is_some()).then_some(Self::Environment));
        all.extend(some(|c| c.region.is_some()).then_some(Self::Region));
        all.push(Self::Type);
        all.extend(labels.into_iter().map(|key| Self::Label(key.to_owned())));
        let at = all.iter().position(|g| g == self).unwrap_or(0);
        all.get(at + 1).cloned().unwrap_or_default()
    }

    fn value<'a>(&self, c: &'a ClusterState) -> Option<&'a str> {
        match self {
            Self::Flat => None,
            Self::Environment => c.environment.as_deref(),
            Self::Region => c.region.as_deref(),
            Self::Type => Some(c.kind.as_str()),
            Self::Label(key) => c
                .labels
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowId {
    Group(String),
    Cluster(ClusterId),
}

/// A cluster with what is counted once a frame.
#[derive(Clone, Copy, Debug)]
pub struct One<'a> {
    pub c: &'a ClusterState,
    pub status: Status,
    pub incidents: usize,
    pub alerts: AlertCounts,
}

/// Head of a group: what its clusters are together.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    pub value: Option<&'a str>,
    pub folded: bool,
    pub members: Vec<One<'a>>,
}

impl Head<'_> {
    pub fn count(&self, status: Status) -> usize {
        self.members
            .iter()
            .filter(|one| one.status == status)
            .count()
    }

    pub fn worst(&self) -> Status {
        let found = [Status::Critical, Status::Unknown, Status::Warning];
        let found = found.into_iter().find(|status| self.count(*status) > 0);
        found.unwrap_or(Status::Ok)
    }

    pub fn key(&self) -> String {
        self.value.unwrap_or_default().to_owned()
    }
}

#[derive(Clone, Debug)]
pub enum Row<'a> {
    Head(Head<'a>),
    Cluster(One<'a>),
}

impl Row<'_> {
    pub fn id(&self) -> RowId {
        match self {
            Self::Head(head) => RowId::Group(head.key()),
            Self::Cluster(one) => RowId::Cluster(one.c.id),
        }
    }

    /// The cluster, or the worst one of the group.
    pub fn cluster(&self) -> Option<ClusterId> {
        match self {
            Self::Head(head) => head.members.first().map(|one| one.c.id),
            Self::Cluster(one) => Some(one.c.id),
        }
    }
}

/// All rows with the number of clusters that passed the filter. The incidents are gone through
/// once, whatever the number of clusters.
pub fn rows<'a>(
    world: &'a World,
    table: &Table<RowId>,
    problems: bool,
    (grouping, folded): (&Grouping, &BTreeSet<String>),
) -> (Vec<Row<'a>>, usize) {
    let mut incidents = vec![0usize; world.clusters.len()];
    for incident in world.incidents.iter().filter(|i| i.counts(world.now)) {
        if let Some(count) = incidents.get_mut(usize::from(incident.cluster.0)) {
            *count += 1;
        }
    }
    let filter = table.filter();
    let all = world.clusters.iter().zip(world.statuses()).zip(incidents);
    let mut ones: Vec<One<'a>> = all
        .filter(|((_, status), _)| !problems || *status != Status::Ok)
        .filter(|((c, status), _)| {
            filter.is_empty() || filter.matches(&row::fields(world, c, *status))
        })
        .map(|((c, status), incidents)| One {
            c,
            status,
            incidents,
            alerts: c.alert_counts(),
        })
        .collect();
    let (column, reverse) = table.order();
    ones.sort_by_cached_key(|one| row::key(world, one, column));
    if reverse {
        ones.reverse();
    }
    let count = ones.len();
    let rows = match grouping {
        Grouping::Flat => ones.into_iter().map(Row::Cluster).collect(),
        by => grouped(ones, by, folded),
    };
    (rows, count)
}

/// Groups in the order of their first cluster.
fn grouped<'a>(ones: Vec<One<'a>>, grouping: &Grouping, folded: &BTreeSet<String>) -> Vec<Row<'a>> {
    let mut heads: Vec<Head<'a>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for one in ones {
        let value = grouping.value(one.c);
        let place = *places.entry(value).or_insert_with(|| {
            heads.push(Head {
                value,
                folded: folded.contains(value.unwrap_or_default()),
                members: Vec::new(),
            });
            heads.len() - 1
        });
        if let Some(head) = heads.get_mut(place) {
            head.members.push(one);
        }
    }
    let mut rows = Vec::new();
    for head in heads {
        let members = match head.folded {
            true => Vec::new(),
            false => head.members.clone(),
        };
        rows.push(Row::Head(head));
        rows.extend(members.into_iter().map(Row::Cluster));
    }
    rows
}
