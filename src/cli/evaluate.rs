//! `farwatch evaluate`: what the console's own methods say of labelled data, for a scorer.
//!
//! The same code and the same defaults as on the screens; label files are not opened.

use std::process::ExitCode;

use super::args::{EvaluateArgs, Evaluation};

pub mod anomaly;
pub mod causes;
pub mod patterns;

pub fn run(args: &EvaluateArgs) -> color_eyre::Result<ExitCode> {
    match &args.what {
        Evaluation::Causes(args) => causes::run(args),
        Evaluation::Patterns(args) => patterns::run(args),
        Evaluation::Anomaly(args) => anomaly::run(args),
    }
}
