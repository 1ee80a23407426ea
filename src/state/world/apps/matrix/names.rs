//! What an application is called apart from where it runs, and which source it comes from.

use std::collections::BTreeSet;

use super::Place;
use crate::model::gitops::App;
use crate::model::id::ClusterId;
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

/// An application before it is put into a line.
pub(super) struct Found<'a> {
    pub stem: String,
    pub repository: String,
    pub path: String,
    pub place: Place,
    pub held_by: ClusterId,
    pub app: &'a App,
}

/// The words that are taken off names: those of the configuration, which stay.
#[derive(Debug, Default)]
pub(in crate::state::world) struct Words {
    clusters: BTreeSet<String>,
    environments: BTreeSet<String>,
}

impl Words {
    pub(in crate::state::world) fn of(all: &[ClusterState]) -> Self {
        let mut environments: BTreeSet<String> = ENVIRONMENTS.map(str::to_owned).into();
        for cluster in all {
            let own = cluster.environment.iter().chain(&cluster.region);
            environments.extend(own.filter(|w| !w.is_empty()).map(|w| w.to_lowercase()));
        }
        Self {
            clusters: all.iter().map(|c| c.name.to_string()).collect(),
            environments,
        }
    }

    pub(super) fn read<'a>(
        &self,
        world: &World,
        cluster: &ClusterState,
        app: &'a App,
    ) -> Found<'a> {
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
        let is_cluster = |word: &str| self.clusters.contains(word);
        let joints = || name.match_indices(JOINTS).map(|(at, _)| at);
        // The longest name of a cluster first: from the left at the end, from the right at the
        // beginning. A joint is one byte.
        let parted = |at: usize| Some((name.get(..at)?, name.get(at + 1..)?));
        let parted = |at: usize| parted(at).filter(|(a, b)| !a.is_empty() && !b.is_empty());
        let mut ends = joints().filter_map(parted);
        if let Some((head, _)) = ends.find(|(_, tail)| is_cluster(tail)) {
            return Some((head, None));
        }
        let mut begins = joints().rev().filter_map(parted);
        if let Some((_, tail)) = begins.find(|(head, _)| is_cluster(head)) {
            return Some((tail, None));
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
                && !self.clusters.contains(*part)
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
