//! What the clusters themselves offer, beside what the configuration names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::Row;
use crate::config::{Cluster, Config};
use crate::model::discovery::{Outcome, Probe};
use crate::source::discovery::{Setup, discover};
use crate::source::kubernetes::Server;

/// Longest time for the discovery of one cluster; what it found till then is not waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// A row for each thing found, and one for each reason why something is not known. What is not
/// there, and a server that does not answer at all, have none: the latter is told by its own row.
pub(super) async fn all(config: &Config) -> Vec<Row> {
    let clusters = config.clusters.iter().filter(|c| c.discover);
    let rows = join_all(clusters.map(of_cluster)).await;
    rows.into_iter().flatten().collect()
}

async fn of_cluster(cluster: &Cluster) -> Vec<Row> {
    let Some(kube) = &cluster.kube else {
        return Vec::new();
    };
    let setup = Setup {
        server: Server::new(&cluster.name, kube),
        cluster: Arc::new(cluster.clone()),
    };
    match tokio::time::timeout(LIMIT, discover(&setup)).await {
        Ok(Ok(found)) => rows(&cluster.name, found.probes),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

fn rows(cluster: &str, probes: Vec<Probe>) -> Vec<Row> {
    let mut unknown: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    for probe in probes {
        let word = probe.component.word();
        match probe.outcome {
            Outcome::Found => {
                let place = probe.place.unwrap_or_default();
                let via = probe.via.map(|via| format!(" (via {via})"));
                rows.push(Row {
                    ok: true,
                    reachable: Some(true),
                    auth: "accepted".into(),
                    version: probe.version,
                    ..blank(
                        cluster,
                        format!("found: {word}"),
                        format!("{place}{}", via.unwrap_or_default()),
                    )
                });
            }
            Outcome::NoPermission | Outcome::Error => {
                unknown.entry(probe.reason).or_default().push(word);
            }
            Outcome::NotFound => {}
        }
    }
    for (reason, words) in unknown {
        rows.push(Row {
            error: Some(reason),
            advice: "name it in the configuration, or set `discover = false`".into(),
            ..blank(cluster, "discovery".into(), words.join(", "))
        });
    }
    rows
}

fn blank(cluster: &str, source: String, endpoint: String) -> Row {
    Row {
        cluster: cluster.to_owned(),
        source,
        endpoint,
        ok: false,
        reachable: None,
        auth: "unknown".into(),
        version: None,
        latency_ms: None,
        clock_skew_ms: None,
        expires: None,
        error: None,
        advice: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::discovery::Component;
    use crate::source::discovery::probe::told;

    #[test]
    fn one_row_for_what_is_found_and_one_for_each_reason() {
        let mut found = told(Component::Thanos, Outcome::Found, "it answers".into());
        found.place = Some("m/thanos:9090".into());
        found.via = Some("route h".into());
        let denied = |c| told(c, Outcome::NoPermission, "list services: 403".into());
        let rows = rows(
            "alpha",
            vec![
                found,
                denied(Component::Loki),
                denied(Component::Tempo),
                told(Component::Flux, Outcome::NotFound, "no CRD".into()),
            ],
        );
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].endpoint, "m/thanos:9090 (via route h)");
        assert!(rows[0].ok && !rows[1].ok);
        assert_eq!(rows[1].endpoint, "Loki, Tempo");
        assert_eq!(rows[1].error.as_deref(), Some("list services: 403"));
    }
}
