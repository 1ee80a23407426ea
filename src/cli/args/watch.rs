//! Flags of `farwatch watch`.

use clap::Args as ClapArgs;

#[derive(Clone, Debug, ClapArgs)]
pub struct WatchArgs {
    /// Only these clusters; all of the configuration unless set
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// What this watcher is called among those of the team; the name of the machine unless set
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
}
