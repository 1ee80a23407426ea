//! Flags of `farwatch export`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{Of, Start, start};

#[derive(Clone, Debug, ClapArgs)]
pub struct ExportArgs {
    /// The incident, such as INC-3, with its cluster from half an hour before it on; this or --from
    #[arg(long, value_name = "INC-N", conflicts_with_all = ["from", "to"])]
    pub incident: Option<String>,
    /// Begin of a range: a time, or how long ago; of a recording a distance from its start
    #[arg(long, value_name = "TIME", value_parser = start)]
    pub from: Option<Start>,
    /// End of the range, in the same way; now, or the time of --at, unless set
    #[arg(long, value_name = "TIME", value_parser = start, requires = "from")]
    pub to: Option<Start>,
    #[command(flatten)]
    pub of: Of,
    /// The recording to write: a new file, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
