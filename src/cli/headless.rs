//! The console without a terminal, on a recording: brought to a time, then told what to do.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use jiff::tz::TimeZone;

use super::args::Start;
use super::replay::Recording;
use crate::bundle::{BundleError, Reader};
use crate::config::Config;
use crate::message::{Effect, Msg, ReplayStatus};
use crate::model::input::InputEvent;
use crate::model::time::Timestamp;
use crate::source::Lookup;
use crate::source::replay::{Begin, Recorded, config_of};
use crate::state::State;
use crate::ui::theme::{Depth, Looks};

/// Questions that may follow from one key.
const QUESTIONS: usize = 64;

/// Questions are answered before the next key.
pub struct Headless {
    pub state: State,
    pub lookup: Arc<Recorded>,
    runtime: tokio::runtime::Runtime,
}

impl Headless {
    /// As it was at a time of the recording, its end unless one is told.
    pub fn open(
        own: &Config,
        recording: Recording,
        at: Option<Start>,
        (columns, rows): (u16, u16),
    ) -> Result<Self, BundleError> {
        let (Recording { open, name }, mut reader) = recording.begin()?;
        let (start, end) = (reader.start(), reader.end());
        let at = at.map_or(end, |at| at.time(start)).clamp(start, end);
        let config = Arc::new(config_of(reader.header(), own));
        let looks = Looks {
            depth: Depth::True,
            ascii: config.ui.ascii,
        };
        let clusters = config.clusters.iter().map(|c| c.name.clone()).collect();
        let clock = Arc::new(AtomicI64::new(at.0));
        let mut headless = Self {
            state: State::new(config, start, TimeZone::UTC, looks),
            lookup: Arc::new(Recorded::new(open, name.clone(), clusters, clock)),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(BundleError::Io)?,
        };
        headless.update(Msg::Input(InputEvent::Resize { columns, rows }));
        let begin = Begin {
            speed: 1.0,
            at: None,
        };
        headless.update(Msg::Replay(begin.status(&reader, &name)));
        for trouble in reader.troubles() {
            eprintln!("farwatch: {name}: {trouble}");
        }
        if let Some(handover) = reader.handover() {
            headless.update(Msg::HandedOver(Box::new(handover.clone())));
        }
        if let Err(error) = headless.play(&mut reader, at) {
            eprintln!(
                "farwatch: {name}: {error}; it is read up to there; {}",
                error.hint()
            );
        }
        headless.update(Msg::Tick(at));
        headless.update(Msg::Replay(ReplayStatus {
            now: at,
            ..begin.status(&reader, &name)
        }));
        Ok(headless)
    }

    pub fn update(&mut self, msg: Msg) {
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
        // Between the last whole second and the time that was asked for, that included: what was
        // handed over stands at the very end.
        while let Some(frame) = next.take_if(|frame| frame.received <= at) {
            self.update(Msg::Telemetry(Box::new(frame)));
            next = reader.next_frame()?;
        }
        self.update(Msg::Tick(at));
        Ok(())
    }
}
