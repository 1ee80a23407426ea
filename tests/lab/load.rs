//! Load: many clusters whose Prometheus servers answer at once with many moving series.
//!
//! `cargo run --release --example load -- --dir DIR --clusters 20 --series 500 --interval 1s`
//!
//! One process speaks as much of Prometheus's query API as polling needs (`/c<n>/api/v1/…`) and writes
//! `DIR/farwatch.toml`, whose own `[[signals]]` spread the series over ten queries a cluster. Values are
//! a slow wave with noise, the same for the same second in every run. `--dead` writes a configuration
//! whose endpoints refuse every connection, for the first frame with nothing to be heard.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use axum::extract::{Form, Path as UrlPath, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{any, post};
use clap::Parser;
use farwatch::clock;

/// Queries of a cluster; the series are spread over them.
const SIGNALS: usize = 10;

#[derive(Clone, Parser)]
struct Args {
    /// Folder for the configuration; made if absent.
    #[arg(long, default_value = "target/load")]
    dir: PathBuf,
    #[arg(long, default_value_t = 20)]
    clusters: usize,
    /// Series of each cluster.
    #[arg(long, default_value_t = 500)]
    series: usize,
    /// Time between polls: `1s`, `15s`.
    #[arg(long, default_value = "1s")]
    interval: String,
    /// Serve nothing: every endpoint refuses.
    #[arg(long)]
    dead: bool,
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    query: String,
}

#[tokio::main]
async fn main() -> color_eyre::Result<()> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.dir)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    write_config(&args.dir, &args, port)?;
    println!(
        "ready: farwatch --config {}",
        args.dir.join("farwatch.toml").display()
    );
    if args.dead {
        drop(listener);
        return Ok(());
    }
    let service = axum::Router::new()
        .route("/{cluster}/api/v1/query", post(instant))
        .route("/{cluster}/api/v1/query_range", post(range))
        .route("/{cluster}/api/v1/{*rest}", any(rest))
        .with_state(args);
    axum::serve(listener, service).await?;
    Ok(())
}

fn write_config(dir: &Path, args: &Args, port: u16) -> std::io::Result<()> {
    let mut text = String::new();
    for cluster in 0..args.clusters {
        let _ = writeln!(
            text,
            "[[clusters]]\nname = \"load-{cluster:02}\"\nregion = \"loopback\"\n\
             interval = \"{}\"\nprometheus = {{ url = \"http://127.0.0.1:{port}/c{cluster}\", \
             requests_per_minute = 6000 }}\n",
            args.interval
        );
    }
    for signal in 0..SIGNALS {
        let _ = writeln!(
            text,
            "[[signals]]\nname = \"load_{signal}\"\ngroup = \"cluster\"\nquery = \"load_{signal}\"\n\
             about = \"wave and noise {signal}\"\nunit = \"ratio\"\nbad = \"high\"\nlearn = true\n\
             needs = \"load_{signal}\"\nbackfill = true\n"
        );
    }
    std::fs::write(dir.join("farwatch.toml"), text)
}

fn json(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// Number of the load signal that is asked for.
fn signal(query: &str) -> Option<usize> {
    query.strip_prefix("load_")?.parse().ok()
}

async fn instant(
    State(args): State<Args>,
    UrlPath(cluster): UrlPath<String>,
    Form(asked): Form<Asked>,
) -> impl IntoResponse {
    let now = clock::now().seconds();
    let mut rows = Vec::new();
    if asked.query.starts_with("count by") {
        for k in 0..SIGNALS {
            rows.push(format!(
                "{{\"metric\":{{\"__name__\":\"load_{k}\"}},\"value\":[{now:.3},\"50\"]}}"
            ));
        }
    } else if let Some(k) = signal(&asked.query) {
        for i in 0..args.series / SIGNALS {
            let value = value(&cluster, k, i, now);
            rows.push(format!(
                "{{\"metric\":{},\"value\":[{now:.3},\"{value:.4}\"]}}",
                labels(k, i)
            ));
        }
    }
    json(format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
        rows.join(",")
    ))
}

async fn range() -> impl IntoResponse {
    json("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}".into())
}

async fn rest(UrlPath((_, rest)): UrlPath<(String, String)>) -> impl IntoResponse {
    let data = match rest.as_str() {
        "alerts" => "{\"alerts\":[]}",
        "rules" => "{\"groups\":[]}",
        "status/buildinfo" => "{\"version\":\"3.5.0\"}",
        "metadata" => "{}",
        _ => "[]",
    };
    json(format!("{{\"status\":\"success\",\"data\":{data}}}"))
}

fn labels(signal: usize, series: usize) -> String {
    format!(
        "{{\"__name__\":\"load_{signal}\",\"instance\":\"node-{:02}:9100\",\"job\":\"node\",\
         \"device\":\"dev{series}\"}}",
        series % 10
    )
}

/// A wave of half an hour around one half, with 2 % of noise that depends on the second only.
fn value(cluster: &str, signal: usize, series: usize, now: f64) -> f64 {
    let phase = (signal * 7 + series * 13 + cluster.len()) as f64;
    let mut bits = (now as u64) ^ ((signal as u64) << 40) ^ ((series as u64) << 20);
    bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let noise = (bits >> 40) as f64 / f64::from(1 << 24) - 0.5;
    0.5 + 0.2 * (now / 1800.0 + phase).sin() + 0.02 * noise
}
