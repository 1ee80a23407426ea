//! `farwatch screenshot`: a screen of a recording as a picture, from the state that would be shown.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::args::ScreenshotArgs;
use super::replay::{self, Recording};
use super::{FAILED, svg};
use crate::bundle::{BundleError, Reader};
use crate::command::parse_keys;
use crate::config::Config;
use crate::message::{Effect, Msg, ReplayStatus};
use crate::model::input::InputEvent;
use crate::model::time::Timestamp;
use crate::source::Lookup;
use crate::source::replay::{Begin, Recorded, config_of};
use crate::state::State;
use crate::ui;
use crate::ui::theme::{Depth, Looks};

/// Questions that may follow from one key.
const QUESTIONS: usize = 64;

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
    let (Recording { open, name }, mut reader) = recording.begin()?;
    let (start, end) = (reader.start(), reader.end());
    let at = args.at.map_or(end, |at| at.time(start)).clamp(start, end);
    let mut config = config_of(reader.header(), own);
    // Nobody waits here for a model: a question is answered with the console's own findings.
    config.agent = None;
    let config = Arc::new(config);
    let looks = Looks {
        depth: Depth::True,
        ascii: config.ui.ascii,
    };
    let clusters = config.clusters.iter().map(|c| c.name.clone()).collect();
    let clock = Arc::new(AtomicI64::new(at.0));
    let mut headless = Headless {
        state: State::new(config, start, TimeZone::UTC, looks),
        lookup: Recorded::new(open, name.clone(), clusters, clock),
        runtime: tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(BundleError::Io)?,
    };
    let (columns, rows) = args.size;
    headless.update(Msg::Input(InputEvent::Resize { columns, rows }));
    let begin = Begin {
        speed: 1.0,
        at: None,
    };
    headless.update(Msg::Replay(begin.status(&reader, &name)));
    headless.play(&mut reader, at)?;
    headless.update(Msg::Replay(ReplayStatus {
        now: at,
        ..begin.status(&reader, &name)
    }));
    for press in parse_keys(&args.press) {
        headless.update(Msg::Input(InputEvent::Key(press)));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui::draw(&headless.state, &mut buffer);
    Ok(svg::draw(&buffer))
}

/// The console without a terminal: questions are answered before the next key.
struct Headless {
    state: State,
    lookup: Recorded,
    runtime: tokio::runtime::Runtime,
}

impl Headless {
    fn update(&mut self, msg: Msg) {
        let mut effects = self.state.update(msg);
        for _ in 0..QUESTIONS {
            let Some(effect) = effects.pop() else { return };
            let questions = match effect {
                Effect::Ask(question) => vec![question],
                Effect::AskSoon(questions) => questions,
                Effect::Work(work) => {
                    work.run();
                    effects.extend(self.state.update(Msg::Worked));
                    Vec::new()
                }
                _ => Vec::new(),
            };
            for question in questions {
                let answer = self.runtime.block_on(self.lookup.ask(question));
                effects.extend(self.state.update(Msg::Answer(Box::new(answer))));
            }
        }
    }

    fn play(&mut self, reader: &mut Reader, at: Timestamp) -> Result<(), BundleError> {
        let mut tick = reader.start();
        let mut next = reader.next_frame()?;
        while tick <= at {
            while let Some(frame) = next.take_if(|frame| frame.received < tick) {
                self.update(Msg::Telemetry(Box::new(frame)));
                next = reader.next_frame()?;
            }
            self.update(Msg::Tick(tick));
            tick = Timestamp((tick.0.div_euclid(1000) + 1) * 1000);
        }
        self.update(Msg::Tick(at));
        Ok(())
    }
}
