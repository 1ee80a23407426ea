//! `farwatch report`: what is known of an incident, the fleet or its room, as a file.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{Page, ReportArgs, ReportKind};
use super::headless::Headless;
use super::heard::{self, SIZE};
use super::replay::{self, Recording};
use super::{FAILED, USAGE};
use crate::agent::summary;
use crate::config::Config;
use crate::report::{self, Asked, Kind, Report, page};
use crate::state::State;
use crate::state::world::World;

pub fn run(mut config: Config, args: &ReportArgs) -> color_eyre::Result<ExitCode> {
    let state = if let Some(file) = &args.replay {
        let opened = Headless::open(&config, Recording::of(Some(file)), args.at, SIZE);
        match opened {
            Ok(headless) => Some(headless.state),
            Err(error) => return Ok(replay::refused(file, &error)),
        }
    } else {
        if let Err(what) = heard::keep_named(&mut config, &args.cluster) {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
        live(config, args)?
    };
    let Some(state) = state else {
        eprintln!("farwatch: stopped");
        return Ok(ExitCode::from(FAILED));
    };
    let asked = match asked(&state.world, args) {
        Ok(asked) => asked,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let report = match report::make(&state.world, &asked) {
        Ok(report) if args.by_model => summed(report, &state)?,
        Ok(report) => report,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(FAILED));
        }
    };
    let text = match args.format {
        Page::Markdown => page::markdown(&report),
        Page::Json => page::json(&report)?,
        Page::Html => page::page(&report),
    };
    written(&text, args.out.as_deref())
}

/// With the model's words; without them where there is none, which it then says itself.
fn summed(report: Report, state: &State) -> color_eyre::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = page::markdown(&report);
    let asked = summary::of_report(state.config.agent.as_ref(), &text);
    let words = runtime.block_on(asked);
    if let Err(fault) = &words {
        eprintln!("farwatch: no summary by a model: {fault}");
    }
    Ok(report.with_words(words))
}

fn live(config: Config, args: &ReportArgs) -> color_eyre::Result<Option<State>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let heard = heard::hear(Arc::new(config), args.listen).await?;
        let Some((state, fleet)) = heard else {
            return Ok(None);
        };
        heard::end(fleet).await;
        Ok(Some(state))
    })
}

fn asked(world: &World, args: &ReportArgs) -> Result<Asked, String> {
    let wanted = |name: &str| args.cluster.is_empty() || args.cluster.iter().any(|c| c == name);
    let clusters = world.clusters.iter().filter(|c| wanted(&c.name));
    let incident = match &args.incident {
        None => None,
        Some(named) => {
            let number = named.to_uppercase();
            let number = number.trim_start_matches("INC-").parse::<u32>().ok();
            let found = world.incidents.iter().find(|i| Some(i.number) == number);
            Some(
                found
                    .map(|i| i.id)
                    .ok_or(format!("there is no incident {named:?}"))?,
            )
        }
    };
    let kind = match args.kind {
        ReportKind::Summary => Kind::ExecutiveSummary,
        ReportKind::Detailed => Kind::DetailedAnalysis,
        ReportKind::Incident => Kind::IncidentReport,
        ReportKind::Capacity => Kind::CapacityPlan,
    };
    Ok(Asked {
        kind,
        clusters: clusters.map(|c| c.id).collect(),
        from: world.now.plus_ms(-i64::from(args.hours) * 3_600_000),
        incident,
    })
}

/// Into a file that is new and its owner's alone, or printed.
fn written(text: &str, out: Option<&Path>) -> color_eyre::Result<ExitCode> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let Some(path) = out else {
        println!("{}", text.trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let path = path.display();
            eprintln!("farwatch: {path}: {error}; name a new file in a folder that can be written");
            Ok(ExitCode::from(FAILED))
        }
    }
}
