//! `farwatch evaluate`: what the console's own methods say of labelled data, for a scorer, and how well
//! the agent investigates.
//!
//! The same code and the same defaults as on the screens; label files of a scorer are not opened.

use std::process::ExitCode;

use super::args::{EvaluateArgs, Evaluation};
use crate::config::Config;

mod agent;
pub mod anomaly;
pub mod causes;
pub mod patterns;

pub fn run(config: &Config, args: &EvaluateArgs) -> color_eyre::Result<ExitCode> {
    match &args.what {
        Evaluation::Agent(args) => agent::run(config, args),
        Evaluation::Causes(args) => causes::run(args),
        Evaluation::Patterns(args) => patterns::run(args),
        Evaluation::Anomaly(args) => anomaly::run(args),
    }
}
