//! `farwatch check`: tries every endpoint that is asked anything, side by side, and says what to do
//! about those that fail, and about files of dashboards that cannot be used.

mod bus;
mod cluster;
mod found;
mod outlets;
mod probe;
mod table;
mod tools;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use serde::Serialize;

use crate::cli::args::{CheckArgs, Output};
use crate::clock;
use crate::config::{Auth, Config, Endpoint, Via};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::Expiry;
use crate::source::kubernetes::clock_words;

/// A clock further off than this makes ages and time ranges wrong.
const SKEW_LIMIT_MS: i64 = 5_000;
/// A file of the operator that is no dashboard.
const DASHBOARD: &str = "dashboard";
const RUNBOOK: &str = "runbook";
/// Login commands ask an identity provider first; they have 30 s, and say so themselves.
const KUBE_LIMIT: Duration = Duration::from_secs(50);
/// The row of a cluster's API server.
const KUBERNETES: &str = "kubernetes";

/// What one endpoint said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `-` for what belongs to no cluster.
    pub cluster: String,
    pub source: String,
    pub endpoint: String,
    /// Nothing failed.
    pub ok: bool,
    /// Something is not known, for want of a right that nothing configured needs.
    pub warning: bool,
    /// `None`: not tried, because something on this side is wrong, or because it is not for us.
    pub reachable: Option<bool>,
    pub auth: String,
    pub version: Option<String>,
    pub latency_ms: Option<u32>,
    /// Server's clock minus ours; `None`: the server does not tell.
    pub clock_skew_ms: Option<i64>,
    /// When the credential ends, RFC 3339; `None`: never, or not known.
    pub expires: Option<String>,
    pub error: Option<String>,
    /// What to do; empty when nothing is to be done.
    pub advice: String,
}

impl Row {
    /// Nothing is known yet.
    fn new(cluster: &str, source: String, endpoint: String) -> Self {
        Self {
            cluster: cluster.to_owned(),
            source,
            endpoint,
            ok: false,
            warning: false,
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
}

/// What a probe learned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Good {
    version: Option<String>,
    latency: Duration,
    skew_ms: Option<i64>,
    expires: Option<Expiry>,
    /// Something to say although it works.
    note: Option<String>,
    /// Overrides what is said about sign-in.
    auth: Option<&'static str>,
}

/// One probe to be run.
pub(crate) struct Probe<'a> {
    cluster: &'a str,
    source: String,
    endpoint: String,
    auth: &'static str,
    limit: Duration,
    work: BoxFuture<'a, Result<Good, Fault>>,
}

#[derive(Serialize)]
struct Report<'a> {
    failed: usize,
    warnings: usize,
    results: &'a [Row],
}

pub fn run(config: Config, args: &CheckArgs) -> color_eyre::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rows = runtime.block_on(check(&config));
    // A sign-in program that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    if rows.is_empty() {
        let place = config.file.map_or_else(
            || {
                "there is neither a kubeconfig nor a configuration file, see config.example.toml"
                    .to_owned()
            },
            |file| format!("{} names no endpoint", file.display()),
        );
        eprintln!("farwatch: there is nothing to check: {place}");
        return Ok(ExitCode::from(2));
    }
    let failed = rows.iter().filter(|r| !r.ok).count();
    let text = match args.output {
        Output::Table => table::write(&rows),
        Output::Json => {
            let report = Report {
                failed,
                warnings: rows.iter().filter(|r| r.warning).count(),
                results: &rows,
            };
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// All endpoints at once, and beside them what the clusters offer; the order is that of the
/// configuration. Files of dashboards and runbooks that cannot be used come last.
pub async fn check(config: &Config) -> Vec<Row> {
    let named = join_all(probe::all(config).into_iter().map(try_one));
    let (mut rows, found) = futures::join!(named, found::all(config));
    let dead = |name: &str| {
        let own = |r: &&Row| r.cluster == name && r.source == KUBERNETES;
        rows.iter().find(own).is_some_and(|r| !r.ok)
    };
    // A server that does not answer is told once.
    let told = |row: &Row| row.endpoint != found::EVERYTHING || !dead(&row.cluster);
    let found: Vec<Row> = found.into_iter().filter(told).collect();
    rows.extend(found);
    rows.extend(outlets::untried(config));
    let place = |row: &Row| config.clusters.iter().position(|c| c.name == row.cluster);
    rows.sort_by_key(|row| place(row).unwrap_or(usize::MAX));
    let dashboards = config.dashboard_faults.iter().map(|f| (DASHBOARD, f));
    let runbooks = config.runbook_faults.iter().map(|f| (RUNBOOK, f));
    rows.extend(dashboards.chain(runbooks).map(|(kind, fault)| Row {
        auth: "-".into(),
        error: Some(fault.what()),
        advice: fault.hint().to_owned(),
        ..Row::new("-", kind.into(), fault.file().to_owned())
    }));
    rows
}

async fn try_one(probe: Probe<'_>) -> Row {
    let started = clock::instant();
    let outcome = match tokio::time::timeout(probe.limit, probe.work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault {
            kind: FaultKind::Timeout,
            cluster: probe.cluster.to_owned(),
            endpoint: probe.endpoint.clone(),
            what: format!("no answer within {} s", started.elapsed().as_secs()),
            hint: "the server is slow or a firewall drops the packets".into(),
        }),
    };
    let blank = Row {
        auth: probe.auth.to_owned(),
        ..Row::new(probe.cluster, probe.source, probe.endpoint)
    };
    match outcome {
        Ok(good) => fine(blank, good),
        Err(fault) => failed(blank, fault),
    }
}

fn fine(row: Row, good: Good) -> Row {
    let skewed = good.skew_ms.filter(|ms| ms.abs() > SKEW_LIMIT_MS);
    let mut advice: Vec<String> = good.note.into_iter().collect();
    advice.extend(skewed.map(clock_words));
    let near = good.expires.filter(|e| e.is_near(clock::now()));
    advice.extend(near.map(|e| format!("{}: renew it", e.told(clock::now()))));
    Row {
        ok: true,
        reachable: Some(true),
        auth: good.auth.map_or(row.auth, str::to_owned),
        version: good.version,
        latency_ms: Some(u32::try_from(good.latency.as_millis()).unwrap_or(u32::MAX)),
        clock_skew_ms: good.skew_ms,
        expires: good.expires.map(|e| e.at.rfc3339()),
        advice: advice.join("; "),
        ..row
    }
}

fn failed(row: Row, fault: Fault) -> Row {
    let reachable = match fault.kind {
        FaultKind::Unreachable | FaultKind::Timeout | FaultKind::Tls => Some(false),
        FaultKind::Config | FaultKind::Cancelled | FaultKind::Bug => None,
        _ => Some(true),
    };
    let auth = match fault.kind {
        FaultKind::Auth => "refused".to_owned(),
        FaultKind::Forbidden => "not allowed".to_owned(),
        _ => "unknown".to_owned(),
    };
    Row {
        reachable,
        auth,
        error: Some(fault.what),
        advice: fault.hint,
        ..row
    }
}

fn way(auth: &Auth, endpoint: Option<&Endpoint>) -> &'static str {
    match auth {
        Auth::BearerFile(_) | Auth::BearerCommand(_) | Auth::Kubeconfig => "bearer accepted",
        Auth::Basic { .. } => "basic accepted",
        Auth::None if endpoint.is_some_and(|e| e.client_cert_file.is_some()) => {
            "certificate accepted"
        }
        Auth::None if endpoint.is_some_and(|e| matches!(e.via, Via::Proxy(_))) => {
            "by the API server"
        }
        Auth::None => "none needed",
    }
}

fn boxed<'a>(
    work: impl Future<Output = Result<Good, Fault>> + Send + 'a,
) -> BoxFuture<'a, Result<Good, Fault>> {
    work.boxed()
}
