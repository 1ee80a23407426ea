//! `farwatch screenshot`: a screen of a recording as a picture, from the state that would be shown.

use std::process::ExitCode;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::args::ScreenshotArgs;
use super::headless::Headless;
use super::replay::{self, Recording};
use super::{FAILED, svg};
use crate::bundle::BundleError;
use crate::command::parse_keys;
use crate::config::Config;
use crate::message::Msg;
use crate::model::input::InputEvent;
use crate::ui;

pub fn run(own: &Config, args: &ScreenshotArgs) -> color_eyre::Result<ExitCode> {
    let recording = Recording::of(args.replay.as_deref());
    let file = args.replay.clone();
    let file = file.unwrap_or_else(|| recording.name.clone().into());
    let picture = match draw(own, args, recording) {
        Ok(picture) => picture,
        Err(error) => return Ok(replay::refused(&file, &error)),
    };
    if let Err(error) = std::fs::write(&args.out, picture) {
        let out = args.out.display();
        eprintln!("farwatch: {out}: {error}; name a file in a folder that can be written");
        return Ok(ExitCode::from(FAILED));
    }
    Ok(ExitCode::SUCCESS)
}

fn draw(own: &Config, args: &ScreenshotArgs, recording: Recording) -> Result<String, BundleError> {
    // Nobody waits here for a model: a question is answered with the console's own findings.
    let own = Config {
        agent: None,
        ..own.clone()
    };
    let mut headless = Headless::open(&own, recording, args.at, args.size)?;
    for press in parse_keys(&args.press) {
        headless.update(Msg::Input(InputEvent::Key(press)));
    }
    let (columns, rows) = args.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui::draw(&headless.state, &mut buffer);
    Ok(svg::draw(&buffer))
}
