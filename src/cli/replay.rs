//! `farwatch replay` and `farwatch demo`: a recording through the very same console.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{DemoArgs, ReplayArgs, Start};
use super::{FAILED, run};
use crate::app::Play;
use crate::bundle::{BundleError, Reader, demo as built_in};
use crate::config::Config;
use crate::model::text;
use crate::source::replay::{Begin, Opener, config_of};

/// What a newcomer is told first.
const DEMO_HINT: &str = "A recording of two clusters. 4 minutes into it a GPU of \
    gpu-train-1 fails, some minutes later edge-ran-07 loses its PTP clock. 8 shows incidents, Enter \
    goes deeper, Esc back, a explains, Space pauses, ? shows all keys, q quits.";

/// A recording that can be opened again and again, and how it is called.
pub struct Recording {
    pub open: Opener,
    pub name: String,
}

pub fn run(own: &Config, args: &ReplayArgs) -> color_eyre::Result<ExitCode> {
    match Recording::of(Some(&args.file)).begin() {
        Ok((recording, reader)) => {
            // What was handed over is looked at as it stood then.
            let end = || reader.handover().map(|_| Start::At(reader.end()));
            let begin = (args.speed, args.at.or_else(end));
            play(own, recording, &reader, begin, None)
        }
        Err(error) => Ok(refused(&args.file, &error)),
    }
}

pub fn demo(own: &Config, args: &DemoArgs) -> color_eyre::Result<ExitCode> {
    let (recording, reader) = Recording::of(None).begin()?;
    let begin = (args.speed, Some(args.at));
    play(own, recording, &reader, begin, Some(DEMO_HINT))
}

fn play(
    own: &Config,
    recording: Recording,
    reader: &Reader,
    (speed, at): (f64, Option<Start>),
    hint: Option<&'static str>,
) -> color_eyre::Result<ExitCode> {
    let begin = Begin {
        speed,
        at: at.map(|at| at.time(reader.start())),
    };
    let status = begin.status(reader, &recording.name);
    let play = Play::Replay {
        open: recording.open,
        file: recording.name,
        begin,
        hint,
    };
    let config = config_of(reader.header(), own);
    run::screen(config, play, Some(status), reader.handover().cloned())
}

impl Recording {
    /// In this file; the one of the program unless one is named.
    pub fn of(file: Option<&Path>) -> Self {
        let Some(path) = file else {
            return Self {
                open: Arc::new(built_in::open),
                name: built_in::NAME.into(),
            };
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = text::clean(&name.to_string_lossy(), 64);
        let path = path.to_path_buf();
        Self {
            open: Arc::new(move || Reader::open(&path)),
            name,
        }
    }

    /// Opened, with something in it.
    pub fn begin(self) -> Result<(Self, Reader), BundleError> {
        match (self.open)()? {
            reader if reader.is_empty() => Err(BundleError::Empty),
            reader => Ok((self, reader)),
        }
    }
}

/// Says why a recording cannot be used.
pub fn refused(path: &Path, error: &BundleError) -> ExitCode {
    let cause = std::error::Error::source(error).map_or_else(String::new, |c| format!(": {c}"));
    let hint = error.hint();
    eprintln!("farwatch: {}: {error}{cause}; {hint}", path.display());
    ExitCode::from(FAILED)
}
