//! What a command is about: live clusters, or a recording at one time.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::{Start, duration, start};

#[derive(Clone, Debug, ClapArgs)]
pub struct Of {
    /// Only these clusters; all of the configuration unless set
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// Of a recording in place of live clusters
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// When in the recording: a time or a distance from its start; its end unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "replay")]
    pub at: Option<Start>,
    /// How long the clusters are heard at most before that
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub listen: Duration,
}
