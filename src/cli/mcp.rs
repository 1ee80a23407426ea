//! `farwatch mcp`: the tools that only read, for any MCP client, over standard input and output or
//! over HTTP; of live clusters or a recording.

mod http;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::args::McpArgs;
use super::headless::Headless;
use super::heard::{self, Hearing, SIZE};
use super::replay::{self, Recording};
use super::{FAILED, USAGE};
use crate::agent::ledger::Ledger;
use crate::agent::mcp::serve::{Call, Serving, given};
use crate::app::signals::{Caught, Signals};
use crate::config::Config;
use crate::source::Lookup;
use crate::source::audit::Audit;
use crate::state::State;

/// Until then calls wait for what has not been heard yet.
const PATIENCE: Duration = Duration::from_secs(10);
/// Calls that may wait; more of them wait with their clients.
const CALLS: usize = 64;

pub fn run(mut config: Config, args: &McpArgs) -> color_eyre::Result<ExitCode> {
    let way = match way(args) {
        Ok(way) => way,
        Err(what) => return Ok(wrong(&what)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let done = if let Some(file) = &args.replay {
        let opened = Headless::open(&config, Recording::of(Some(file)), args.at, SIZE);
        let headless = match opened {
            Ok(headless) => headless,
            Err(error) => return Ok(replay::refused(file, &error)),
        };
        let Headless { state, lookup, .. } = headless;
        runtime.block_on(served(Known::Recorded(Box::new(state)), lookup, way, None))
    } else {
        if let Err(what) = heard::keep_named(&mut config, &args.cluster) {
            return Ok(wrong(&what));
        }
        runtime.block_on(async {
            let audit = Audit::new(config.audit_file.clone());
            let ledger = Ledger::new(audit, config.operator.clone(), "mcp client call");
            let hearing = Hearing::begin(Arc::new(config));
            let lookup = hearing.fleet.lookup();
            served(Known::Live(Box::new(hearing)), lookup, way, Some(ledger)).await
        })
    };
    runtime.shutdown_timeout(Duration::from_millis(200));
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(what) => {
            eprintln!("farwatch: {what}");
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn wrong(what: &str) -> ExitCode {
    eprintln!("farwatch: {what}");
    ExitCode::from(USAGE)
}

/// How clients come.
enum Way {
    /// The one that started us.
    Stdio,
    Http(SocketAddr, http::Door),
}

fn way(args: &McpArgs) -> Result<Way, String> {
    let Some(address) = args.listen else {
        return Ok(Way::Stdio);
    };
    let door = http::Door::of(args.token_file.as_deref())?;
    if door.is_open() && !address.ip().is_loopback() {
        return Err(format!(
            "{address} can be reached from elsewhere: name a --token-file, or listen at 127.0.0.1"
        ));
    }
    Ok(Way::Http(address, door))
}

/// What is known, and how it is kept up.
enum Known {
    Live(Box<Hearing>),
    /// As it was at one time of a recording.
    Recorded(Box<State>),
}

/// Until the client leaves or a signal comes.
async fn served(
    known: Known,
    lookup: Arc<dyn Lookup>,
    way: Way,
    ledger: Option<Ledger>,
) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let mut signals = Signals::start().map_err(|e| told(&e))?;
    let (calls, waiting) = mpsc::channel(CALLS);
    let serving = Serving::new(calls, lookup, ledger.clone());
    let ended = CancellationToken::new();
    let keeping = tokio::spawn(keep(known, waiting, ended.clone()));
    let work = async {
        match way {
            Way::Stdio => {
                let running = serving.serve(rmcp::transport::stdio()).await;
                let running = running.map_err(|e| told(&e))?;
                running.waiting().await.map_err(|e| told(&e))?;
                Ok(())
            }
            Way::Http(address, door) => http::serve(address, door, serving, ended.clone()).await,
        }
    };
    let done = tokio::select! { biased;
        () = async { while !matches!(signals.next().await, Caught::End(_)) {} } => Ok(()),
        done = work => done,
    };
    ended.cancel();
    let _ = keeping.await;
    if let Some(ledger) = ledger {
        ledger.written().await;
    }
    done
}

/// Holds the world: keeps it up and gives from it.
async fn keep(known: Known, mut calls: mpsc::Receiver<Call>, ended: CancellationToken) {
    match known {
        Known::Recorded(state) => loop {
            tokio::select! {
                () = ended.cancelled() => return,
                Some(call) = calls.recv() => give(&state, call),
            }
        },
        Known::Live(mut hearing) => {
            loop {
                let ready = hearing.is_heard(PATIENCE);
                tokio::select! {
                    () = ended.cancelled() => break,
                    () = hearing.next() => {}
                    Some(call) = calls.recv(), if ready => give(&hearing.state, call),
                }
            }
            heard::end(hearing.fleet).await;
        }
    }
}

fn give(state: &State, call: Call) {
    // Nobody waits for it where the client has gone.
    let _ = call
        .answer
        .send(given(&state.world, &call.tool, &call.arguments));
}
