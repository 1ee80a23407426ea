//! A fleet of API servers on loopback, for figures of start, memory and CPU with many clusters.
//!
//! `cargo run --release --example fleet -- --dir DIR --live 10 --refusing 45 --silent 45`
//!
//! Writes `DIR/kubeconfig` with a context a cluster, and `DIR/farwatch.toml` that uses them all:
//! the live ones answer over HTTP, the refusing ones refuse every connection (HTTPS), the silent
//! ones take it and say nothing. `--pods` and `--nodes` are those of each live cluster.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Parser;

#[path = "../support/apiserver/mod.rs"]
mod apiserver;
#[path = "../support/crowd.rs"]
mod crowd;
#[path = "../support/ports.rs"]
mod ports;

use apiserver::ApiServer;

#[derive(Parser)]
struct Args {
    /// Folder for the configuration; made if absent.
    #[arg(long, default_value = "target/fleet")]
    dir: PathBuf,
    #[arg(long, default_value_t = 10)]
    live: usize,
    #[arg(long, default_value_t = 0)]
    refusing: usize,
    #[arg(long, default_value_t = 0)]
    silent: usize,
    #[arg(long, default_value_t = 6)]
    nodes: usize,
    #[arg(long, default_value_t = 60)]
    pods: usize,
}

#[tokio::main]
async fn main() -> color_eyre::Result<()> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.dir)?;
    let mut servers = Vec::new();
    let mut places = Vec::new();
    for n in 0..args.live {
        let server = live(&args).await;
        places.push((format!("live-{n:03}"), server.url()));
        servers.push(server);
    }
    let mut refusing = Vec::new();
    for n in 0..args.refusing {
        let refusal = ports::Refusal::new();
        let url = format!("https://{}", refusal.address());
        places.push((format!("refusing-{n:03}"), url));
        refusing.push(refusal);
    }
    let mut silent = Vec::new();
    for n in 0..args.silent {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://{}", listener.local_addr()?);
        places.push((format!("silent-{n:03}"), url));
        silent.push(listener);
    }
    write(&args, &places)?;
    println!(
        "ready: farwatch --config {}",
        args.dir.join("farwatch.toml").display()
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}

async fn live(args: &Args) -> ApiServer {
    let server = ApiServer::start().await;
    for n in 0..args.nodes {
        server.put(crowd::node(n));
    }
    for n in 0..args.pods {
        server.put(crowd::pod(n, args.nodes));
    }
    for app in 0..args.pods / 3 {
        server.put(crowd::deployment(app));
    }
    server
}

fn write(args: &Args, places: &[(String, String)]) -> std::io::Result<()> {
    let kubeconfig = args.dir.join("kubeconfig");
    let (mut clusters, mut contexts, mut config) = (String::new(), String::new(), String::new());
    for (name, url) in places {
        let _ = writeln!(clusters, "- name: {name}\n  cluster: {{server: \"{url}\"}}");
        let _ = writeln!(
            contexts,
            "- name: {name}\n  context: {{cluster: {name}, user: lab}}"
        );
        let _ = writeln!(
            config,
            "[[clusters]]\nname = \"{name}\"\nkube = {{ context = \"{name}\", kubeconfig = \"kubeconfig\" }}\n"
        );
    }
    std::fs::write(
        kubeconfig,
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n{clusters}contexts:\n{contexts}users:\n- name: lab\n  user: {{token: lab-view-token}}\n"
        ),
    )?;
    std::fs::write(args.dir.join("farwatch.toml"), config)
}
