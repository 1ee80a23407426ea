//! The series to be judged, from a Prometheus server: of the configuration, or named by its URL.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::eyre;

use crate::cli::args::DetectArgs;
use crate::clock;
use crate::config::{Cluster, Config, Endpoint};
use crate::model::ask::{Answer, Ask, Question};
use crate::model::id::{ClusterId, RequestId};
use crate::model::sample::SeriesSamples;
use crate::source::Lookup as _;
use crate::source::kubernetes::Server;
use crate::source::prometheus::PromLookup;
use crate::source::supervisor::Gate;

/// Points of a series that servers give at most, with room to spare.
const MOST_POINTS: i64 = 10_000;
/// Finest distance of points that is asked for by itself, milliseconds.
const FINEST_MS: i64 = 15_000;
const GRACE: Duration = Duration::from_millis(200);

/// The cluster to be asked; an error says what to write instead.
pub(super) fn chosen(config: &Config, args: &DetectArgs) -> Result<Cluster, String> {
    if let Some(url) = &args.url {
        return Ok(Cluster {
            name: "server".into(),
            prometheus: Some(Endpoint {
                url: url.clone(),
                ..Endpoint::default()
            }),
            ..Cluster::default()
        });
    }
    let able: Vec<&Cluster> = config
        .clusters
        .iter()
        .filter(|c| c.prometheus.is_some())
        .collect();
    let names: Vec<&str> = able.iter().map(|c| c.name.as_str()).collect();
    match (&args.cluster, able.as_slice()) {
        (_, []) => Err("no cluster has a `prometheus` in the configuration; \
                        name a server with --url"
            .into()),
        (Some(name), able) => able
            .iter()
            .find(|c| c.name == *name)
            .map(|c| Cluster::clone(c))
            .ok_or_else(|| {
                let there = names.join(", ");
                format!("there is no cluster \"{name}\" with a `prometheus` (there is {there})")
            }),
        (None, [one]) => Ok(Cluster::clone(one)),
        (None, _) => Err(format!(
            "say which cluster is asked: --cluster {}",
            names.join(" or ")
        )),
    }
}

/// Distance of the points: as asked for, else as fine as a server gives for such a range.
fn step_ms(range_ms: i64, asked: Option<Duration>) -> u32 {
    let asked = asked.and_then(|s| i64::try_from(s.as_millis()).ok());
    let fit = (range_ms / MOST_POINTS + 999) / 1_000 * 1_000;
    let step = asked.unwrap_or(fit.max(FINEST_MS)).max(1_000);
    u32::try_from(step).unwrap_or(u32::MAX)
}

/// Asks, and waits for the answer.
pub(super) fn series(
    cluster: &Cluster,
    query: &str,
    args: &DetectArgs,
) -> color_eyre::Result<Arc<Vec<SeriesSamples>>> {
    let endpoint = cluster.prometheus.clone().unwrap_or_default();
    let server = cluster.kube.as_ref().map(|k| Server::new(&cluster.name, k));
    let range_ms = i64::try_from(args.range.as_millis()).unwrap_or(i64::MAX);
    let step_ms = step_ms(range_ms, args.step);
    let now = clock::now();
    // Asked again within a step, the points are the same.
    let end = now.plus_ms(-now.0.rem_euclid(i64::from(step_ms)));
    let question = Question {
        id: RequestId(0),
        cluster: ClusterId(0),
        ask: Ask::Range {
            query: query.into(),
            start: end.plus_ms(-range_ms),
            end,
            step_ms,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answered = runtime.block_on(async {
        let gate = Gate::new(&endpoint, &cluster.name, server);
        PromLookup::new(Arc::new(gate)).ask(question).await
    });
    runtime.shutdown_timeout(GRACE);
    for warning in &answered.warnings {
        eprintln!("farwatch: {warning}");
    }
    if let Some(total) = answered.cut_from {
        eprintln!("farwatch: the answer has {total} series; only the first ones are judged");
    }
    match answered.result {
        Ok(Answer::Series(series)) => Ok(series),
        Ok(_) => Err(eyre!("{}: it did not answer with series", answered.origin)),
        Err(fault) => Err(eyre!("{fault}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_fits_the_range_unless_one_is_asked_for() {
        let hours = |n: i64| n * 3_600_000;
        assert_eq!(step_ms(hours(6), None), 15_000);
        assert_eq!(step_ms(hours(24 * 30), None), 260_000);
        let minute = Some(Duration::from_secs(60));
        assert_eq!(step_ms(hours(6), minute), 60_000);
        assert_eq!(step_ms(hours(6), Some(Duration::ZERO)), 1_000);
    }
}
