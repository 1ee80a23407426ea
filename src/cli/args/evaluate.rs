//! Words of `farwatch evaluate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::duration;

#[derive(Clone, Debug, ClapArgs)]
pub struct EvaluateArgs {
    #[command(subcommand)]
    pub what: Evaluation,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Evaluation {
    /// The pattern of each log line of DIR/raw/*.log, as TSV: system, line, cluster, template
    Patterns(PatternsArgs),
    /// How abnormal each row of DIR/series/**.csv is, as CSV: series, t, score, alert, why
    Anomaly(AnomalyArgs),
    /// The causes of each incident of DIR/cases.json, as CSV: case, kind, rank, cause
    Causes(CausesArgs),
    /// How well a model, or the console itself, investigates the cases of DIR/*.toml, as a table
    Agent(AgentArgs),
}

#[derive(Clone, Debug, ClapArgs)]
pub struct AgentArgs {
    /// Folder with the cases, such as tests/evals
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// An OpenAI-compatible server; that of the configuration unless set, and without any the console itself
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Its model; the first that it serves unless set
    #[arg(long, value_name = "NAME", requires = "url")]
    pub model: Option<String>,
    /// Only cases with this in their name
    #[arg(long, value_name = "TEXT")]
    pub case: Option<String>,
    /// How long one answer may take
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub timeout: Duration,
    /// Also as JSON, one line for each case
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct CausesArgs {
    /// Folder with cases.json and the files that it names
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The table to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct AnomalyArgs {
    /// Folder with series/**.csv: a column t in seconds, then one column for each metric
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The table to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct PatternsArgs {
    /// Folder with raw/*.log, and offsets.json that tells where messages start
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The table to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What is read of each line
    #[arg(long, value_enum, default_value_t = Part::Message)]
    pub part: Part,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The message, from where offsets.json says it starts
    #[default]
    Message,
    /// The whole line, as a log store delivers it
    Line,
}
