//! Command line: flags over the file over defaults, then one subcommand.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Config, ConfigError};
use crate::source::kubernetes::contexts;

pub mod args;
pub mod ask;
pub mod check;
pub mod dashboard;
pub mod detect;
pub mod evaluate;
pub mod export;
pub mod headless;
pub mod heard;
pub mod known;
pub mod logging;
pub mod logs;
pub mod mcp;
pub mod record;
pub mod replay;
pub mod report;
pub mod run;
pub mod screenshot;
pub mod svg;
pub mod table;
pub mod watch;

use args::{Args, Command, Global};

/// Something is wrong with how the program was called or configured.
const USAGE: u8 = 2;
const FAILED: u8 = 1;

pub fn main() -> ExitCode {
    let args = Args::parse();
    if args.command.is_none() && !std::io::stdout().is_terminal() {
        eprintln!(
            "farwatch: standard output is not a terminal; \
             run it in one, or use `farwatch check --output json` in scripts"
        );
        return ExitCode::from(USAGE);
    }
    let config = match configured(&args.global, asks_servers(args.command.as_ref())) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("farwatch: {error}");
            return ExitCode::from(USAGE);
        }
    };
    // A watcher's log goes to whoever started it.
    let is_watch = matches!(args.command, Some(Command::Watch(_)));
    let _log = (!is_watch).then(|| begin_log(&args.global.log_level, &config));
    allow_many_connections();
    ended(dispatch(args.command, config, &args.global.log_level))
}

/// It is written until what comes back is dropped.
fn begin_log(level: &str, config: &Config) -> logging::Log {
    let log = logging::start(level);
    if let Some(notice) = &log.notice {
        eprintln!("farwatch: {notice}");
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        clusters = config.clusters.len(),
        "start"
    );
    log
}

fn ended(done: color_eyre::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(report) => {
            tracing::error!(error = %report, "ended with an error");
            eprintln!("farwatch: {report:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Every watch is a connection, a cluster has a dozen or two, and shells allow 1,024 open files.
fn allow_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::info!(%error, "the limit of open files stays");
    }
}

/// Recordings and files need no clusters of ours.
fn asks_servers(command: Option<&Command>) -> bool {
    match command {
        None
        | Some(Command::Check(_) | Command::Record(_) | Command::Logs(_) | Command::Watch(_)) => {
            true
        }
        Some(Command::Ask(args)) => args.replay.is_none(),
        Some(Command::Report(args)) => args.of.replay.is_none(),
        Some(Command::Export(args)) => args.of.replay.is_none(),
        Some(Command::Mcp(args)) => args.replay.is_none(),
        Some(Command::Detect(args)) => args.query.is_some() && args.url.is_none(),
        _ => false,
    }
}

fn configured(flags: &Global, live: bool) -> Result<Config, String> {
    let env = std::env::var_os("FARWATCH_CONFIG").map(PathBuf::from);
    let mut config = config::load(flags.config.as_deref(), env.as_deref())
        .map_err(|error: ConfigError| error.to_string())?;
    if live {
        contexts::add(&mut config).map_err(|fault| fault.to_string())?;
    }
    if let Some(theme) = &flags.theme {
        config.ui.theme.clone_from(theme);
    }
    let known = crate::ui::theme::NAMES;
    if !known.contains(&config.ui.theme.as_str()) {
        let hint = match config::load::nearest(&config.ui.theme, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("there is {}", known.join(", ")),
        };
        return Err(format!(
            "there is no theme \"{}\" ({hint})",
            config.ui.theme
        ));
    }
    config.ui.ascii |= flags.ascii;
    config.ui.mouse &= !flags.no_mouse;
    config.actions |= flags.allow_actions;
    let folder = logging::folder();
    config.audit_file = folder.as_ref().map(|folder| folder.join("actions.jsonl"));
    let beside = |name: &str| folder.as_ref().map(|folder| folder.join(name));
    config.archive.file = config.archive.file.or_else(|| beside("farwatch.db"));
    config.watch.spool = config.watch.spool.or_else(|| beside("spool"));
    let named = ["USER", "LOGNAME"].map(std::env::var);
    if let Some(name) = named.into_iter().flatten().find(|name| !name.is_empty()) {
        config.operator = crate::model::text::clean(&name, 60).into();
    }
    if let Some(site) = config.agent.as_mut().and_then(|agent| agent.site.as_mut()) {
        let operator = || config.operator.to_string();
        site.user.get_or_insert_with(operator);
    }
    Ok(config)
}

fn dispatch(command: Option<Command>, config: Config, level: &str) -> color_eyre::Result<ExitCode> {
    match command {
        Some(Command::Check(args)) => check::run(config, &args),
        Some(Command::Record(args)) => record::run(config, &args),
        Some(Command::Replay(args)) => replay::run(&config, &args),
        Some(Command::Demo(args)) => replay::demo(&config, &args),
        Some(Command::Screenshot(args)) => screenshot::run(&config, &args),
        Some(Command::Logs(args)) => logs::run(&config, &args),
        Some(Command::Dashboard(args)) => dashboard::run(&config, &args),
        Some(Command::Evaluate(args)) => evaluate::run(&config, &args),
        Some(Command::Detect(args)) => detect::run(&config, &args),
        Some(Command::Ask(args)) => ask::run(config, &args),
        Some(Command::Report(args)) => report::run(config, &args),
        Some(Command::Export(args)) => export::run(config, &args),
        Some(Command::Mcp(args)) => mcp::run(config, &args),
        Some(Command::Watch(args)) => watch::run(config, &args, level),
        None => run::live(config),
    }
}
