//! The shipped recording, played into a headless console: what it told so far, keys in, text out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use farwatch::agent::conversation::Conversation;
use farwatch::bundle::{Reader, demo};
use farwatch::command::parse_keys;
use farwatch::config::{Agent, Config};
use farwatch::message::{Effect, LoopGauges, Msg, ReplayStatus};
use farwatch::model::input::InputEvent;
use farwatch::model::telemetry::Telemetry;
use farwatch::model::time::Timestamp;
use farwatch::source::Lookup;
use farwatch::source::replay::{Begin, Opener, Recorded, config_of};
use farwatch::state::{Screen, State};
use farwatch::ui;
use farwatch::ui::theme::Looks;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::runtime::Runtime;

const FILE: &str = "demo.fwr";
const BEGIN: Begin = Begin {
    speed: 1.0,
    at: None,
};

/// What a loop tells of itself; here nobody draws for a terminal.
fn gauges() -> LoopGauges {
    LoopGauges {
        frames: 1_204,
        frames_skipped: 3,
        frame_build_us: 1_830,
        frame_bytes: 2_210,
        write_us: 95,
        telemetry_queue: 2,
        telemetry_queue_max: 4_096,
        telemetry_dropped: 0,
        rss_bytes: 58 << 20,
    }
}

pub struct Played {
    pub state: State,
    /// What the state wanted done and nobody did, since the last [`Played::fresh`].
    pub effects: Vec<Effect>,
    reader: Reader,
    next: Option<Telemetry>,
    tick: Timestamp,
    lookup: Recorded,
    clock: Arc<AtomicI64>,
    runtime: Runtime,
}

impl Played {
    /// At the beginning of the recording. With `agent` a model is configured.
    pub fn new(agent: bool) -> Self {
        let mut reader = demo::open().expect("the demo opens");
        let mut config = config_of(reader.header(), &Config::default());
        config.agent = agent.then(Agent::default);
        let clusters = config.clusters.iter().map(|c| c.name.clone()).collect();
        let start = reader.start();
        let clock = Arc::new(AtomicI64::new(start.0));
        let open: Opener = Arc::new(demo::open);
        let state = State::new(Arc::new(config), start, TimeZone::UTC, Looks::default());
        let next = reader.next_frame().expect("whole");
        let mut played = Self {
            state,
            effects: Vec::new(),
            next,
            tick: start,
            lookup: Recorded::new(open, FILE.into(), clusters, Arc::clone(&clock)),
            clock,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime"),
            reader,
        };
        let status = BEGIN.status(&played.reader, FILE);
        played.update(Msg::Replay(status));
        played.update(Msg::Gauges(gauges()));
        played
    }

    /// Plays on to so many minutes after the start.
    pub fn play(&mut self, minutes: f64) {
        let at = self.reader.start().plus_ms((minutes * 60_000.0) as i64);
        while self.tick <= at {
            while let Some(frame) = self.next.take_if(|frame| frame.received < self.tick) {
                self.update(Msg::Telemetry(Box::new(frame)));
                self.next = self.reader.next_frame().expect("whole");
            }
            self.update(Msg::Tick(self.tick));
            self.tick = Timestamp((self.tick.0.div_euclid(1000) + 1) * 1000);
        }
        self.update(Msg::Tick(at));
        self.clock.store(at.0, Ordering::Relaxed);
        let status = ReplayStatus {
            now: at,
            ..BEGIN.status(&self.reader, FILE)
        };
        self.update(Msg::Replay(status));
    }

    /// As just opened, knowing what it knows.
    pub fn fresh(&mut self, (columns, rows): (u16, u16)) {
        let config = Arc::clone(&self.state.config);
        self.state.screen = Screen::new(&config.ui, TimeZone::UTC, Looks::default());
        self.state.chat = Conversation::default();
        self.effects.clear();
        self.update(Msg::Input(InputEvent::Resize { columns, rows }));
    }

    /// Questions are answered from the recording before the next message.
    pub fn update(&mut self, msg: Msg) {
        let mut effects = self.state.update(msg);
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Ask(question) => {
                    let mut answer = self.runtime.block_on(self.lookup.ask(question));
                    answer.latency_ms = 42;
                    effects.extend(self.state.update(Msg::Answer(Box::new(answer))));
                }
                Effect::AskSoon(questions) => {
                    effects.extend(questions.into_iter().map(Effect::Ask));
                }
                Effect::Work(work) => {
                    work.run();
                    effects.extend(self.state.update(Msg::Worked));
                }
                other => self.effects.push(other),
            }
        }
    }

    pub fn keys(&mut self, keys: &str) {
        for press in parse_keys(keys) {
            self.update(Msg::Input(InputEvent::Key(press)));
        }
    }

    pub fn screen(&self) -> String {
        let area = self.state.screen.area;
        let mut buffer = Buffer::empty(Rect::new(0, 0, area.width, area.height));
        ui::draw(&self.state, &mut buffer);
        let mut out = String::new();
        for row in buffer.content.chunks(usize::from(area.width).max(1)) {
            let line: String = row.iter().map(|cell| cell.symbol()).collect();
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}
