//! `farwatch report`: what is known of an incident, the fleet or its room, as a file.

use std::path::Path;
use std::process::ExitCode;

use super::args::{Page, ReportArgs, ReportKind};
use super::{FAILED, known};
use crate::agent::summary;
use crate::config::Config;
use crate::report::{self, Asked, Kind, Report, page};
use crate::state::State;
use crate::state::world::World;

pub fn run(config: Config, args: &ReportArgs) -> color_eyre::Result<ExitCode> {
    let state = match known::state(config, &args.of)? {
        Ok(state) => state,
        Err(code) => return Ok(code),
    };
    let asked = match asked(&state.world, args) {
        Ok(asked) => asked,
        Err(what) => return Ok(known::wrong(&what)),
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

fn asked(world: &World, args: &ReportArgs) -> Result<Asked, String> {
    let incident = match &args.incident {
        None => None,
        Some(named) => Some(known::incident(world, named)?.id),
    };
    let kind = match args.kind {
        ReportKind::Summary => Kind::ExecutiveSummary,
        ReportKind::Detailed => Kind::DetailedAnalysis,
        ReportKind::Incident => Kind::IncidentReport,
        ReportKind::Capacity => Kind::CapacityPlan,
    };
    Ok(Asked {
        kind,
        clusters: known::chosen(world, &args.of),
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
