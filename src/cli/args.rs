//! Flags and subcommands.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::model::time::Timestamp;

mod evaluate;
mod export;
mod of;
mod watch;

pub use evaluate::{
    AgentArgs, AnomalyArgs, CausesArgs, EvaluateArgs, Evaluation, Part, PatternsArgs,
};
pub use export::ExportArgs;
pub use of::Of;
pub use watch::WatchArgs;

/// Every cluster in one terminal: metrics, alerts, logs, GPU, PTP and SR-IOV state, incidents and
/// an investigating agent.
#[derive(Debug, Parser)]
#[command(name = "farwatch", version, about, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Default, ClapArgs)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Configuration file [default: FARWATCH_CONFIG, then the platform's configuration folder; without any, each context of the kubeconfig is a cluster]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Theme: dark, light, high-contrast or sixteen (colours)
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Let operators and admins act: refresh, sync, reconcile, silence; each is asked about first
    #[arg(long, global = true)]
    pub allow_actions: bool,
    /// What goes into the log file (of a watcher: to standard error): error, warn, info, debug, trace, or a filter
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try every endpoint of the configuration that can be asked without writing, and each MCP server, and say what to do about those that fail
    Check(CheckArgs),
    /// Write what the sources deliver to a file, without a screen
    Record(RecordArgs),
    /// Play a recording as if it were live
    Replay(ReplayArgs),
    /// Play the recording that is part of the program: two clusters with a fault in each
    Demo(DemoArgs),
    /// Draw a screen of a recording as an SVG picture
    Screenshot(ScreenshotArgs),
    /// Export log lines of one or many clusters, whole and in order of time
    Logs(Box<super::logs::args::LogsArgs>),
    /// Dashboards: list them, print one, make one of Grafana's
    Dashboard(DashboardArgs),
    /// Write what the console's methods say of labelled data, for a scorer; judge investigations
    Evaluate(EvaluateArgs),
    /// Tell what is abnormal in series of your own: a CSV file, or a query to a Prometheus server
    Detect(DetectArgs),
    /// Investigate one question without a screen: by the model, or by the console itself
    Ask(AskArgs),
    /// Report on the fleet, an incident or the room there is, as Markdown, JSON or one HTML page
    Report(ReportArgs),
    /// Hand an incident, or a range of time, over as one file that "replay" opens elsewhere
    Export(ExportArgs),
    /// Serve the tools that only read to an MCP client, over standard input and output or HTTP
    Mcp(McpArgs),
    /// Watch without a screen: detect, keep incidents, tell them on the team's bus; share the clusters with others
    Watch(WatchArgs),
}

#[derive(Clone, Debug, ClapArgs)]
pub struct AskArgs {
    /// What to ask; `/why`, `/query PROMQL`, `/logs LOGQL` and `/compare A B` need no model
    #[arg(value_name = "QUESTION")]
    pub question: String,
    /// Only these clusters are heard and asked; all of the configuration unless set
    #[arg(long, value_name = "NAME", conflicts_with = "replay")]
    pub cluster: Vec<String>,
    /// Ask about a recording in place of live clusters
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// When in the recording: a time or a distance from its start; its end unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "replay")]
    pub at: Option<Start>,
    /// The field in which the agent works: default, platform-ops, gpu-expert, network-cnf, telco-5g, or one of yours
    #[arg(long, value_name = "ID")]
    pub persona: Option<String>,
    /// How long the clusters are heard at most before the question is asked
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub listen: Duration,
    /// How long the answer may take
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub timeout: Duration,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Print::Markdown)]
    pub output: Print,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct McpArgs {
    /// Serve HTTP at http://ADDRESS/mcp; over standard input and output unless set
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// File with the bearer token that clients must bring; needed where others reach the address
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub token_file: Option<PathBuf>,
    /// Only these clusters are heard and asked; all of the configuration unless set
    #[arg(long, value_name = "NAME", conflicts_with = "replay")]
    pub cluster: Vec<String>,
    /// Serve a recording in place of live clusters
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// When in the recording: a time or a distance from its start; its end unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "replay")]
    pub at: Option<Start>,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct ReportArgs {
    /// What it is about
    #[arg(value_enum, value_name = "TYPE", default_value_t = ReportKind::Summary)]
    pub kind: ReportKind,
    #[command(flatten)]
    pub of: Of,
    /// The incident of an incident report, such as INC-2; the worst that is open unless set
    #[arg(long, value_name = "INC-N")]
    pub incident: Option<String>,
    /// How far back, hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub hours: u32,
    #[arg(long, value_enum, default_value_t = Page::Markdown)]
    pub format: Page,
    /// With a summary in the words of the configured model, labelled as such
    #[arg(long)]
    pub by_model: bool,
    /// A new file to write; printed unless set
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// How the fleet is, its incidents and what to do
    #[default]
    Summary,
    /// The same with all resources, clocks and virtual functions
    Detailed,
    /// One incident: timeline, causes, changes, curves
    Incident,
    /// Room, requests, use and idle reservations
    Capacity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Page {
    #[default]
    Markdown,
    Json,
    /// One page with its curves, which needs no network
    Html,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Print {
    #[default]
    Markdown,
    Json,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct DetectArgs {
    /// CSV with a time and one or more columns of values, or the JSON of a range query; - reads what is piped in
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "query",
        conflicts_with = "query"
    )]
    pub input: Option<PathBuf>,
    /// PromQL that a server is asked instead
    #[arg(long, value_name = "PROMQL")]
    pub query: Option<String>,
    /// How far back the query looks
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = duration)]
    pub range: Duration,
    /// Distance of its points; 15s, or what servers give for so long a range, unless set
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub step: Option<Duration>,
    /// The cluster of the configuration that is asked; the only one unless set
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub cluster: Option<String>,
    /// A Prometheus server that is in no configuration
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Only the points that are told
    #[arg(long)]
    pub told: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct DashboardArgs {
    #[command(subcommand)]
    pub what: DashboardCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum DashboardCommand {
    /// The dashboards there are, with where they come from
    List,
    /// Print one as TOML, to be changed and kept in the folder "dashboards" beside the configuration
    Show {
        /// Its name, as "list" gives it
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Turn the JSON of a Grafana dashboard into one of ours, and tell what cannot be taken over
    Import {
        /// Exported from Grafana ("Export as JSON"); - reads what is piped in
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where to write it; printed unless set
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Take the place of a file that is there
        #[arg(long, requires = "out")]
        force: bool,
    },
}

#[derive(Clone, Debug, ClapArgs)]
pub struct CheckArgs {
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    #[default]
    Table,
    Json,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How fast time goes: 1x, 10x, 0.5x
    #[arg(long, default_value = "1x", value_parser = speed)]
    pub speed: f64,
    /// Where to begin: a time (2026-11-21T03:06:58Z) or a distance from the start (10m)
    #[arg(long, value_name = "TIME", value_parser = start)]
    pub at: Option<Start>,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct DemoArgs {
    /// How fast time goes: 1x, 10x, 0.5x
    #[arg(long, default_value = "5x", value_parser = speed)]
    pub speed: f64,

    /// Where to begin: a distance from the start, shortly before the first fault unless set
    #[arg(long, value_name = "TIME", default_value = "230s", value_parser = start)]
    pub at: Start,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct RecordArgs {
    /// The recording to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How long to record; until interrupted unless set
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct ScreenshotArgs {
    /// The recording; that of the demo unless set
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// When: a time (2026-11-21T03:06:58Z) or a distance from the start (10m); the end unless set
    #[arg(long, value_name = "TIME", value_parser = start)]
    pub at: Option<Start>,
    /// Keys to press first, as in the help: `3`, `jj<enter>`, `/gpu<enter>`; 1 to 8 choose a screen
    #[arg(long, value_name = "KEYS", default_value = "")]
    pub press: String,
    /// Columns and rows
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x36", value_parser = size)]
    pub size: (u16, u16),
    /// The picture to write, in SVG
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let both = text.split_once('x').and_then(|(columns, rows)| {
        let side = |text: &str| text.parse().ok().filter(|n| (1..=1000).contains(n));
        Some((side(columns)?, side(rows)?))
    });
    both.ok_or_else(|| "not a size; write for example 120x36".to_owned())
}

/// Where a replay begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    At(Timestamp),
    After(Duration),
}

impl Start {
    /// In a recording that begins at `start`.
    pub fn time(self, start: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::After(after) => {
                start.plus_ms(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::config::file::duration(text)
        .ok_or_else(|| "not a duration; write for example 30s, 10m or 2h".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix(['x', 'X']).unwrap_or(text);
    match number.parse::<f64>() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("not a speed from 0.1x to 1000x; write for example 10x".to_owned()),
    }
}

pub(super) fn start(text: &str) -> Result<Start, String> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(Start::At(at));
    }
    crate::config::file::duration(text)
        .map(Start::After)
        .ok_or_else(|| {
            "neither a time such as 2026-11-21T03:06:58Z nor a distance such as 10m".into()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn speeds_and_starts() {
        assert_eq!(speed("10x"), Ok(10.0));
        assert_eq!(speed("0.5"), Ok(0.5));
        assert!(speed("fast").is_err() && speed("0x").is_err() && speed("NaN").is_err());
        assert_eq!(start("10m"), Ok(Start::After(Duration::from_secs(600))));
        assert!(matches!(start("2026-11-21T03:06:58Z"), Ok(Start::At(_))));
        assert!(start("noon").is_err());
    }

    #[test]
    fn global_flags_stand_before_and_behind() {
        let args = Args::try_parse_from(["farwatch", "check", "--config", "x.toml", "--ascii"])
            .expect("valid");
        assert!(args.global.ascii && args.global.config.is_some());
    }
}
