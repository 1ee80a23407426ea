//! `farwatch evaluate agent`: investigations with a known cause, carried out by a model, or by the
//! console itself where there is none, and judged.

mod case;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use super::super::args::AgentArgs;
use super::super::ask::{Asking, told::Told};
use super::super::headless::Headless;
use super::super::heard::SIZE;
use super::super::replay::{self, Recording};
use super::super::{FAILED, USAGE};
use crate::config::{self, Config, Endpoint, ModelServer};
use case::{Case, Score};

/// Until a model answers one question of a given server.
const TIMEOUT: Duration = Duration::from_secs(120);

pub fn run(config: &Config, args: &AgentArgs) -> color_eyre::Result<ExitCode> {
    let mut config = config.clone();
    if let Some(url) = &args.url {
        let server = ModelServer {
            endpoint: Endpoint {
                url: url.clone(),
                timeout: TIMEOUT,
                ..Endpoint::default()
            },
            model: args.model.clone(),
        };
        config.agent = Some(config::Agent {
            servers: vec![server],
            site: None,
            ..config.agent.unwrap_or_default()
        });
    }
    let cases = match case::read(&args.data) {
        Ok(cases) => cases,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let wanted = args.case.as_deref().unwrap_or_default();
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| case.name.contains(wanted))
        .collect();
    if cases.is_empty() {
        eprintln!("farwatch: there is no case {wanted:?}");
        return Ok(ExitCode::from(USAGE));
    }
    let files = cases.iter().filter_map(|case| case.file(&args.data));
    if let Some(file) = files.into_iter().find(|file| !file.exists()) {
        let file = file.display();
        eprintln!(
            "farwatch: {file} is not there; the head of the file of its cases says how it is made"
        );
        return Ok(ExitCode::from(FAILED));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut scores = Vec::new();
    for case in &cases {
        let recording = Recording::of(case.file(&args.data).as_deref());
        let headless = match Headless::open(&config, recording, Some(case.at), SIZE) {
            Ok(headless) => headless,
            Err(error) => return Ok(replay::refused(&case.replay, &error)),
        };
        let Headless { state, lookup, .. } = headless;
        let question = match config.agent {
            Some(_) => case.question.clone(),
            None => format!("/why {}", case.why).trim_end().to_owned(),
        };
        let asking = Asking::new(state, lookup);
        let ended =
            runtime.block_on(asking.answer(&question, Some(&case.persona), args.timeout))?;
        let Some(state) = ended else {
            eprintln!("farwatch: stopped");
            return Ok(ExitCode::from(FAILED));
        };
        let score = case.judged(&Told::of(&state, &question));
        println!("{}", score.row(scores.is_empty()));
        scores.push(score);
    }
    println!("\n{}", Score::totals(&scores));
    if let Some(file) = &args.out {
        let mut out = std::fs::File::create(file)?;
        for score in &scores {
            serde_json::to_writer(&mut out, score)?;
            out.write_all(b"\n")?;
        }
    }
    runtime.shutdown_timeout(Duration::from_millis(200));
    Ok(ExitCode::SUCCESS)
}
