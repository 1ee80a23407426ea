//! One task a cluster: its pages go into a queue that holds a few of them.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::args::LogsArgs;
use super::merge::{Feed, Tally, Told};
use super::query::{self, Wrong};
use crate::config::{Cluster, Config};
use crate::model::fault::Fault;
use crate::source::kubernetes::Server;
use crate::source::loki::Loki;
use crate::source::loki::page::Want;
use crate::source::loki::pages::{News, Pages};
use crate::source::supervisor::Gate;

/// Pages of a cluster that wait for the others.
const PAGES: usize = 2;

/// The clusters to be read; an error says what to write instead.
pub fn chosen(config: &Config, args: &LogsArgs) -> Result<Vec<Cluster>, String> {
    let has = |c: &&Cluster| c.loki.is_some();
    if args.clusters.is_empty() {
        let all: Vec<Cluster> = config.clusters.iter().filter(has).cloned().collect();
        return match all.is_empty() {
            false => Ok(all),
            true => Err("no cluster has a `loki` in the configuration; \
                 name one there (config.example.toml shows how)"
                .into()),
        };
    }
    let mut found: Vec<Cluster> = Vec::new();
    for name in &args.clusters {
        let Some(cluster) = config.clusters.iter().find(|c| c.name == *name) else {
            let names: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
            let there = match names.is_empty() {
                true => "none is configured".to_owned(),
                false => format!("there is {}", names.join(", ")),
            };
            return Err(format!("there is no cluster \"{name}\" ({there})"));
        };
        if cluster.loki.is_none() {
            return Err(format!("cluster {name} has no `loki` in the configuration"));
        }
        if !found.iter().any(|c| c.name == *name) {
            found.push(cluster.clone());
        }
    }
    Ok(found)
}

/// Starts reading a cluster. Needs a running tokio runtime.
pub fn start(cluster: &Cluster, args: &Arc<LogsArgs>, range: (i64, i64)) -> Option<Feed> {
    let endpoint = cluster.loki.as_ref()?;
    let server = cluster.kube.as_ref();
    let server = server.map(|kube| Server::new(&cluster.name, kube));
    let gate = Arc::new(Gate::new(endpoint, &cluster.name, server));
    let (sender, queue) = mpsc::channel(PAGES);
    let args = args.clone();
    let name = cluster.name.clone();
    tokio::spawn(async move {
        let tally = read(&name, gate, &args, range, &sender).await;
        let _ = sender.send(Told::End(tally)).await;
    });
    Some(Feed::new(&cluster.name, range.0, queue))
}

async fn read(
    name: &str,
    gate: Arc<Gate>,
    args: &LogsArgs,
    range: (i64, i64),
    out: &mpsc::Sender<Told>,
) -> Tally {
    let failed = |error: String| Tally {
        error: Some(error),
        ..Tally::default()
    };
    let query = match built(&gate, args, range).await {
        Ok(query) => query,
        Err(Wrong::Source(error)) => return failed(Fault::from(error).to_string()),
        Err(Wrong::Label(what)) => return failed(format!("{name}: {what}")),
    };
    tracing::info!(cluster = name, query, "logs are read");
    let want = Want {
        start_ns: range.0,
        end_ns: range.1,
        chunk_ns: args.chunk_ns(),
        page: args.limit,
        most: args.max_entries,
        paginate: args.paginate,
    };
    let mut pages = Pages::new(gate, query, want);
    let error = loop {
        let told = match pages.next().await {
            Ok(News::Lines(lines)) => Told::Lines(lines, pages.pager().up_to_ns()),
            Ok(News::Waits(wait, error)) => Told::Note(format!(
                "{}; asked again in {} s",
                error.fault(),
                wait.as_secs().max(1)
            )),
            Ok(News::End) => break None,
            Err(error) => break Some(Fault::from(error).to_string()),
        };
        if out.send(told).await.is_err() {
            break None;
        }
    };
    Tally {
        error,
        gaps: pages.pager().gaps().to_vec(),
        unread: pages.unread(),
        more: pages.pager().is_more(),
    }
}

async fn built(gate: &Gate, args: &LogsArgs, range: (i64, i64)) -> Result<String, Wrong> {
    gate.budget.take().await;
    let loki = Loki::new(gate.door().await?.clone());
    query::build(&loki, args, range).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Endpoint;

    fn config(clusters: &[(&str, bool)]) -> Config {
        let cluster = |(name, loki): &(&str, bool)| Cluster {
            name: (*name).to_owned(),
            loki: loki.then(Endpoint::default),
            ..Cluster::default()
        };
        Config {
            clusters: clusters.iter().map(cluster).collect(),
            ..Config::default()
        }
    }

    fn names(config: &Config, asked: &[&str]) -> Result<Vec<String>, String> {
        let args = LogsArgs {
            clusters: asked.iter().map(|c| (*c).to_owned()).collect(),
            ..LogsArgs::default()
        };
        let found = chosen(config, &args)?;
        Ok(found.into_iter().map(|c| c.name).collect())
    }

    #[test]
    fn clusters_are_those_named_or_those_with_a_loki() {
        let config = config(&[("alpha", true), ("bravo", false), ("carol", true)]);
        let wanted = |list: &[&str]| Ok(list.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(names(&config, &[]), wanted(&["alpha", "carol"]));
        assert_eq!(names(&config, &["carol", "carol"]), wanted(&["carol"]));
        let unknown = names(&config, &["delta"]).expect_err("unknown");
        assert!(
            unknown.contains("there is alpha, bravo, carol"),
            "{unknown}"
        );
        assert!(names(&config, &["bravo"]).is_err());
    }
}
