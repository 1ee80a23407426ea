//! `farwatch replay`: a recording through the very same console.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::ReplayArgs;
use super::{FAILED, run};
use crate::app::Play;
use crate::bundle::{BundleError, Reader};
use crate::config::Config;
use crate::model::text;
use crate::source::replay::{Begin, Opener, config_of};

pub fn run(own: &Config, args: &ReplayArgs) -> color_eyre::Result<ExitCode> {
    let (open, name) = of_file(&args.file);
    let reader = match open() {
        Ok(reader) => reader,
        Err(error) => return Ok(refused(&args.file, &error)),
    };
    let begin = Begin {
        speed: args.speed,
        at: args.at.map(|at| at.time(reader.start())),
    };
    let play = Play::Replay {
        open,
        file: name,
        begin,
    };
    run::screen(config_of(reader.header(), own), play, reader.start())
}

/// How the recording is opened again and again, and how it is called.
pub fn of_file(path: &Path) -> (Opener, String) {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = text::clean(&name.to_string_lossy(), 64);
    let path = path.to_path_buf();
    (Arc::new(move || Reader::open(&path)), name)
}

/// Says why a recording cannot be used.
pub fn refused(path: &Path, error: &BundleError) -> ExitCode {
    let cause = std::error::Error::source(error).map_or_else(String::new, |c| format!(": {c}"));
    let hint = error.hint();
    eprintln!("farwatch: {}: {error}{cause}; {hint}", path.display());
    ExitCode::from(FAILED)
}
