//! A lab of two clusters with a fault in each, for recordings and for trying farwatch.
//!
//! `cargo run --example lab -- --dir DIR --minutes 90 --fault-after 4m`
//!
//! It writes `--minutes` of history for two real Prometheus servers (`promtool tsdb create-blocks-from
//! openmetrics`), starts them with alerting rules and a real Alertmanager each, and serves the rest
//! itself: the exporters they scrape, logs by Loki's protocol, and a Kubernetes API. The faults begin
//! `--fault-after` from the end of the history, which lies a minute and a half ahead, and are the same in
//! every run (see `story.rs`); about 24 minutes later all
//! is well again. The agent is answered by a script that speaks vLLM's protocol (see `model.rs`; also
//! alone: `--only-model 127.0.0.1:8000`). `DIR/farwatch.toml` is the configuration to use; Ctrl-C ends it all.
//! Needs `prometheus`, `promtool` and `prometheus-alertmanager` on the PATH.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use farwatch::clock;
use tokio::process::{Child, Command};

#[path = "../support/apiserver/mod.rs"]
mod apiserver;
mod common;
mod events;
mod exporter;
mod gpu;
mod kube;
mod logs;
mod loki;
mod model;
mod noise;
mod objects;
mod platform;
#[path = "../support/ports.rs"]
mod ports;
mod ran;
mod series;
mod story;

use apiserver::wire;
use common::Site;
use exporter::Exporter;
use story::Story;

/// How far ahead the history is written, seconds: the servers start meanwhile and scrape on from
/// its end. A gap there would be a fault that no story tells.
const LEAD_S: f64 = 90.0;

#[derive(Parser)]
struct Args {
    /// Folder for data, logs and the configuration; made if absent.
    #[arg(long, default_value = "target/lab")]
    dir: PathBuf,
    /// Minutes of history.
    #[arg(long, default_value_t = 90)]
    minutes: u32,
    /// Time from the end of the history to the GPU fault: `4m`, `90s`.
    #[arg(long, default_value = "4m", value_parser = seconds)]
    fault_after: f64,
    /// Serve only the script that stands in for a model, at this address.
    #[arg(long)]
    only_model: Option<String>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let (number, factor) = match text.strip_suffix('m') {
        Some(number) => (number, 60.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    number
        .parse::<f64>()
        .map(|n| n * factor)
        .map_err(|_| format!("`{text}` is not a time like 4m or 90s"))
}

/// What runs for one cluster; ends when dropped.
struct Cluster {
    site: Site,
    servers: Vec<wire::Server>,
    children: Vec<Child>,
    prometheus: u16,
    alertmanager: u16,
    loki: String,
    api: kube::Api,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let args = Args::parse();
    if let Some(address) = &args.only_model {
        let server = serve_model(address).await;
        println!("ready: {}/v1", server.url());
        return tokio::signal::ctrl_c().await;
    }
    std::fs::create_dir_all(&args.dir)?;
    let dir = args.dir.canonicalize()?;
    let seam = ((clock::now().seconds() + LEAD_S) / 15.0).ceil() * 15.0;
    let story = Story {
        start: seam - 60.0 * f64::from(args.minutes),
        fault: seam + args.fault_after,
    };
    let (a, b) = tokio::try_join!(
        start(Site::Gpu, story, seam, dir.join("gpu-train-1")),
        start(Site::Ran, story, seam, dir.join("edge-ran-07"))
    )?;
    let clusters = [a, b];
    for cluster in &clusters {
        ready(cluster.prometheus).await?;
        ready(cluster.alertmanager).await?;
    }
    let left = seam - clock::now().seconds();
    if left < 10.0 {
        return Err(io::Error::other(format!(
            "the servers were up {left:.0} s before the end of the history and need 10; try fewer --minutes"
        )));
    }
    // Once round: every target has been scraped.
    tokio::time::sleep(Duration::from_secs_f64(left + 16.0)).await;
    let model = serve_model("127.0.0.1:0").await;
    let config = configure(&dir, &clusters, &model.url())?;
    let at = |t: f64| farwatch::model::time::Timestamp::from_seconds(t).rfc3339();
    println!("GPU fault   {}", at(story.fault));
    println!("GPU lost    {}", at(story.gpu_lost()));
    println!("PTP lost    {}", at(story.ptp_lost()));
    println!("PTP locked  {}", at(story.ptp_back()));
    for c in &clusters {
        println!(
            "{}: prometheus 127.0.0.1:{}, alertmanager 127.0.0.1:{}, loki {}, kubernetes {}",
            c.site.name(),
            c.prometheus,
            c.alertmanager,
            c.loki,
            c.api.url()
        );
    }
    println!("ready: farwatch --config {}", config.display());
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminated.recv() => {}
    }
    for mut cluster in clusters {
        cluster.servers.clear();
        for child in &mut cluster.children {
            child.kill().await?;
        }
    }
    Ok(())
}

async fn serve_model(address: &str) -> wire::Server {
    let handler: wire::Handler =
        Arc::new(|request, stream| Box::pin(async move { model::answer(request, stream).await }));
    wire::Server::start_at(address, handler).await
}

async fn start(site: Site, story: Story, seam: f64, dir: PathBuf) -> io::Result<Cluster> {
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    let exporter = Exporter::new(site, story);
    history(&exporter, seam, &dir).await?;
    let pages = wire::Server::start(Arc::new(move |request, stream| {
        let exporter = exporter.clone();
        Box::pin(async move { exporter::answer(exporter, request, stream).await })
    }))
    .await;
    let book = loki::Book::new(site, story);
    let logs = wire::Server::start(Arc::new(move |request, stream| {
        let book = book.clone();
        Box::pin(async move { loki::answer(book, request, stream).await })
    }))
    .await;
    let api = kube::Api::start(site, story).await;
    let (prometheus, alertmanager) = (ports::free_port(), ports::free_port());
    let children = servers(&dir, site, &pages, prometheus, alertmanager)?;
    Ok(Cluster {
        site,
        loki: logs.url(),
        api,
        servers: vec![pages, logs],
        children,
        prometheus,
        alertmanager,
    })
}

async fn history(exporter: &Exporter, until: f64, dir: &Path) -> io::Result<()> {
    let file = dir.join("history.om");
    let count = exporter.backfill(&file, until).await?;
    let out = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file)
        .arg(dir.join("data"))
        .output()
        .await?;
    if !out.status.success() {
        let why = String::from_utf8_lossy(&out.stderr).into_owned();
        return Err(io::Error::other(format!("promtool: {why}")));
    }
    std::fs::remove_file(&file)?;
    eprintln!("{}: {count} samples of history", dir.display());
    Ok(())
}

fn servers(
    dir: &Path,
    site: Site,
    pages: &wire::Server,
    prometheus: u16,
    alertmanager: u16,
) -> io::Result<Vec<Child>> {
    std::fs::write(dir.join("rules.yml"), include_str!("rules.yml"))?;
    let job = |honor: bool| {
        format!(
            "  - job_name: lab-{honor}\n    honor_labels: {honor}\n    http_sd_configs:\n      - url: http://{}/sd?honor={honor}\n        refresh_interval: 5s\n",
            pages.address
        )
    };
    let config = format!(
        "global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n  external_labels: {{cluster: {}}}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ['127.0.0.1:{alertmanager}']\nscrape_configs:\n{}{}",
        site.name(),
        job(false),
        job(true)
    );
    std::fs::write(dir.join("prometheus.yml"), config)?;
    std::fs::write(
        dir.join("alertmanager.yml"),
        "route: {receiver: nobody, group_wait: 5s, group_by: [alertname]}\nreceivers: [{name: nobody}]\n",
    )?;
    let arg = |name: &str, path: &str| format!("--{name}={}", dir.join(path).display());
    let first = spawn(
        dir,
        "prometheus",
        &[
            arg("config.file", "prometheus.yml"),
            arg("storage.tsdb.path", "data"),
            "--storage.tsdb.retention.time=30d".into(),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
        ],
    )?;
    let second = spawn(
        dir,
        "prometheus-alertmanager",
        &[
            arg("config.file", "alertmanager.yml"),
            arg("storage.path", "alertmanager"),
            "--cluster.listen-address=".into(),
            format!("--web.listen-address=127.0.0.1:{alertmanager}"),
        ],
    )?;
    Ok(vec![first, second])
}

fn spawn(dir: &Path, program: &str, args: &[String]) -> io::Result<Child> {
    let log = std::fs::File::create(dir.join(format!("{program}.log")))?;
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| io::Error::other(format!("{program} does not start: {e}")))
}

async fn ready(port: u16) -> io::Result<()> {
    let url = format!("http://127.0.0.1:{port}/-/ready");
    for _ in 0..300 {
        if reqwest::get(&url)
            .await
            .is_ok_and(|r| r.status().is_success())
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(io::Error::other(format!(
        "{url} is not ready after 30 s; see the logs beside it"
    )))
}

fn configure(dir: &Path, clusters: &[Cluster], model: &str) -> io::Result<PathBuf> {
    use std::fmt::Write;
    let (mut named, mut contexts, mut text) = (String::new(), String::new(), String::new());
    let kubeconfig = dir.join("kubeconfig");
    for c in clusters {
        let name = c.site.name();
        let _ = writeln!(
            named,
            "- {{name: {name}, cluster: {{server: '{}'}}}}",
            c.api.url()
        );
        let _ = writeln!(
            contexts,
            "- {{name: {name}, context: {{cluster: {name}, user: lab}}}}"
        );
        let about = match c.site {
            Site::Gpu => {
                "type = \"spoke\"\nenvironment = \"production\"\nregion = \"eu-central\"\nlabels = { site = \"frankfurt\", workload = \"ai\" }"
            }
            Site::Ran => {
                "type = \"far-edge\"\nenvironment = \"production\"\nregion = \"eu-west\"\nlabels = { site = \"lyon-07\", workload = \"ran\" }"
            }
        };
        let _ = writeln!(
            text,
            "[[clusters]]\nname = \"{name}\"\n{about}\ninterval = \"15s\"\nkube = {{ context = \"{name}\", kubeconfig = \"{}\" }}\nprometheus = {{ url = \"http://127.0.0.1:{}\" }}\nalertmanager = {{ url = \"http://127.0.0.1:{}\" }}\nloki = {{ url = \"{}\" }}\n",
            kubeconfig.display(),
            c.prometheus,
            c.alertmanager,
            c.loki
        );
    }
    let _ = writeln!(text, "[agent]\nurl = \"{model}/v1\"");
    std::fs::write(
        &kubeconfig,
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n{named}users:\n- {{name: lab, user: {{}}}}\ncontexts:\n{contexts}current-context: gpu-train-1\n"
        ),
    )?;
    let config = dir.join("farwatch.toml");
    std::fs::write(&config, text)?;
    Ok(config)
}
