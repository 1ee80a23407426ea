//! Flags of `farwatch export`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::{Start, duration, start};

#[derive(Clone, Debug, ClapArgs)]
pub struct ExportArgs {
    /// The incident, such as INC-3, with its cluster from half an hour before it on
    #[arg(long, value_name = "INC-N", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    pub incident: Option<String>,
    /// Begin of a range: a time, or how long ago; of a recording a distance from its start
    #[arg(long, value_name = "TIME", value_parser = start)]
    pub from: Option<Start>,
    /// End of the range, in the same way; now, or the time of --at, unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "from")]
    pub to: Option<Start>,
    /// Only these clusters; all of the configuration unless set
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// Export from a recording in place of live clusters
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// When in the recording: a time or a distance from its start; its end unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "replay")]
    pub at: Option<Start>,
    /// How long the clusters are heard at most before the file is made
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub listen: Duration,
    /// The recording to write: a new file, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
