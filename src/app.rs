//! The loop: the only place where input, telemetry, answers and the clock meet.
//!
//! It waits in one `select!` and nowhere else; what it does in between is short. The first frame
//! is painted before any source is started, so no network can stand in its way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::clock;
use crate::config::Config;
use crate::effect::{Control, Effects};
use crate::message::{Effect, LoopGauges, Msg};
use crate::model::input::InputEvent;
use crate::source::replay::{Begin, Fed, Opener};
use crate::state::State;
use crate::term::reader::Heard;
use crate::term::{Capabilities, Screen, clipboard, tty};
use crate::ui;

pub mod ears;
pub mod pace;
pub mod signals;

use ears::{Ears, Woken};
use pace::{Pace, Why};
use signals::{Caught, Signals};

/// What one turn may take from the queue of telemetry before it looks at keys again.
const DRAIN_FOR: Duration = Duration::from_millis(4);
const DRAIN_MOST: usize = 256;
/// The same for keys: a burst is a few frames, a flood must not stop them.
const HEAR_FOR: Duration = Duration::from_millis(30);
/// A frame so late goes before more keys.
const LATE: Duration = Duration::from_millis(100);
/// Exit status when the terminal went away, as after SIGHUP.
const GONE: u8 = 129;
const TICK_MS: i64 = 1000;
/// Resident memory is read every so many ticks.
const MEMORY_TICKS: u32 = 5;

/// What is looked at: servers, or a recording.
pub enum Play {
    Live,
    Replay {
        open: Opener,
        file: String,
        begin: Begin,
        /// What the operator is told when it has begun.
        hint: Option<&'static str>,
    },
}

/// The running program.
struct App {
    state: State,
    screen: Screen,
    ears: Ears,
    effects: Effects,
    pace: Pace,
    caps: Capabilities,
    /// Stopped by Ctrl-Z: the terminal is not ours.
    away: bool,
    end: Option<u8>,
    next_tick: Instant,
    ticks: u32,
    gauges: LoopGauges,
    hint: Option<&'static str>,
    /// The newest dialog that was drawn.
    armed: u64,
}

/// Runs until the operator quits or a signal ends it; gives the exit status. The screen is already
/// open; `state` was made for it.
pub async fn run(
    config: Arc<Config>,
    mut state: State,
    mut screen: Screen,
    caps: Capabilities,
    (signals, heard): (Signals, mpsc::Receiver<Heard>),
    play: Play,
) -> color_eyre::Result<u8> {
    let (columns, rows) = screen.size();
    let mut first = state.update(Msg::Input(InputEvent::Resize { columns, rows }));
    state.take_dirty();
    screen.draw(|buf| ui::draw(&state, buf));
    let pace = {
        let mut pace = Pace::new(config.ui.max_fps, caps.ssh);
        pace.drawn(clock::instant());
        pace
    };
    if std::env::var_os("FARWATCH_PANIC").is_some() {
        // For tests of how the terminal is given back (tests/terminal.rs): right behind the first
        // frame, which is still being written.
        panic!("asked for by FARWATCH_PANIC");
    }
    let hint = match &play {
        Play::Live => None,
        Play::Replay { hint, .. } => *hint,
    };
    let (effects, ears) = crate::effect::start(config, play, signals, heard)?;
    let mut app = App {
        state,
        screen,
        ears,
        effects,
        pace,
        caps,
        away: false,
        end: None,
        next_tick: clock::instant(),
        ticks: 0,
        gauges: LoopGauges::default(),
        hint,
        armed: 0,
    };
    for effect in first.drain(..) {
        app.carry_out(effect);
    }
    let code = app.turn().await;
    for effect in app.state.keep(true) {
        app.carry_out(effect);
    }
    let App {
        screen,
        effects,
        state,
        ..
    } = app;
    // The operator gets the shell back first; the sources may take a moment longer.
    drop(screen);
    effects.shutdown(state.last_learnt()).await;
    Ok(code)
}

impl App {
    async fn turn(&mut self) -> u8 {
        loop {
            if let Some(code) = self.end {
                return code;
            }
            let due = self.pace.due().filter(|_| !self.away);
            let busy = due.is_some_and(|due| due <= clock::instant()) && !self.screen.is_idle();
            if busy {
                self.screen.skip();
            }
            let late = due.is_some_and(|due| due + LATE <= clock::instant());
            if late && !busy {
                self.draw();
                continue;
            }
            let woken = self.ears.next(&self.screen, due, self.next_tick).await;
            self.heed(woken);
        }
    }

    fn heed(&mut self, woken: Woken) {
        match woken {
            Woken::Signal(caught) => self.signal(caught),
            Woken::Heard(heard) => self.hear(heard),
            Woken::Frame => self.draw(),
            Woken::Answer(answer) => self.update(Msg::Answer(answer), Why::Answer),
            Woken::Chat(event) => {
                self.update(Msg::Chat(event), Why::Chat);
                while let Ok(event) = self.ears.chat.try_recv() {
                    self.update(Msg::Chat(event), Why::Chat);
                }
            }
            Woken::Query(query) => self.update(Msg::WorldQuery(query), Why::Chat),
            Woken::Notice(text) => self.notice(true, text),
            Woken::Happened(msg) => self.update(*msg, Why::Answer),
            Woken::Tick => self.tick(),
            Woken::Fed(fed) => self.drain(fed),
        }
    }

    fn update(&mut self, msg: Msg, why: Why) {
        let effects = self.state.update(msg);
        if self.state.take_dirty() {
            let passing = self.state.is_seeking() && why != Why::Input;
            self.pace.mark(if passing { Why::Passing } else { why });
        }
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn notice(&mut self, error: bool, text: impl Into<String>) {
        let text = text.into();
        self.update(Msg::Notice { error, text }, Why::Answer);
    }

    /// Takes what input is there, so that a burst of keys is a few frames.
    fn hear(&mut self, heard: Heard) {
        let until = clock::instant() + HEAR_FOR;
        let mut next = Some(heard);
        while let Some(heard) = next {
            match heard {
                Heard::Gone => {
                    self.end = Some(GONE);
                    return;
                }
                Heard::Events(events) => {
                    for event in events {
                        self.input(event);
                    }
                }
            }
            if self.end.is_some() || clock::instant() >= until {
                return;
            }
            next = self.ears.heard.try_recv().ok();
        }
    }

    fn input(&mut self, event: InputEvent) {
        match event {
            InputEvent::FocusLost => self.pace.focus(false),
            // Whoever types is here, whatever the terminal said.
            InputEvent::FocusGained | InputEvent::Key(_) => self.pace.focus(true),
            _ => {}
        }
        self.update(Msg::Input(event), Why::Input);
    }

    fn signal(&mut self, caught: Caught) {
        match caught {
            Caught::End(code) => self.end = Some(code),
            Caught::Stop => self.stop(false),
            Caught::Continue => self.go_on(),
            Caught::Resize => self.measure(),
        }
    }

    /// Gives the terminal back whole, then stops. SIGCONT brings us back.
    fn stop(&mut self, group: bool) {
        self.screen.leave();
        self.away = true;
        signals::stop(group);
    }

    fn go_on(&mut self) {
        self.away = false;
        if self.screen.reenter().is_err() {
            self.end = Some(GONE);
            return;
        }
        self.measure();
        self.pace.mark(Why::Input);
    }

    /// The size may have changed.
    fn measure(&mut self) {
        let (columns, rows) = tty::size();
        if (columns, rows) != self.screen.size() {
            self.screen.resize(columns, rows);
            self.update(Msg::Input(InputEvent::Resize { columns, rows }), Why::Input);
            self.pace.resized(clock::instant());
        }
    }

    fn draw(&mut self) {
        if self.screen.is_gone() {
            self.end = Some(GONE);
            return;
        }
        let begin = clock::instant();
        let state = &self.state;
        self.screen.draw(|buf| ui::draw(state, buf));
        let took = begin.elapsed().as_micros();
        self.gauges.frame_build_us = u32::try_from(took).unwrap_or(u32::MAX);
        self.pace.drawn(begin);
        if let Some((serial, unasked)) = self.state.unarmed()
            && self.armed < serial
        {
            self.armed = serial;
            self.effects.arm(serial, unasked);
        }
    }

    fn tick(&mut self) {
        let now = clock::now();
        let ahead = TICK_MS - now.0.rem_euclid(TICK_MS);
        self.next_tick = clock::instant() + Duration::from_millis(ahead.unsigned_abs());
        if !self.ears.feed.is_replay() {
            self.update(Msg::Tick(now), Why::Data);
        }
        if self.ticks.is_multiple_of(MEMORY_TICKS) {
            self.gauges.rss_bytes = resident();
        }
        self.ticks = self.ticks.wrapping_add(1);
        let (frames, skipped, bytes, write_us) = self.screen.figures();
        let (depth, max) = self.ears.feed.depth();
        let (behind, room) = self.effects.depth();
        self.gauges.frames = frames;
        self.gauges.frames_skipped = skipped;
        self.gauges.frame_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.gauges.write_us = write_us;
        self.gauges.telemetry_queue = depth + behind;
        self.gauges.telemetry_queue_max = max + room;
        self.gauges.telemetry_dropped = self.effects.dropped();
        self.update(Msg::Gauges(self.gauges.clone()), Why::Data);
    }

    /// Takes what waits, within the budget of one turn.
    fn drain(&mut self, fed: Fed) {
        let until = clock::instant() + DRAIN_FOR;
        let mut next = Some(fed);
        let mut taken = 0;
        while let Some(fed) = next {
            self.feed(fed);
            taken += 1;
            if taken >= DRAIN_MOST || clock::instant() >= until {
                break;
            }
            next = self.ears.feed.try_recv();
        }
    }

    fn feed(&mut self, fed: Fed) {
        match fed {
            Fed::Telemetry(telemetry) => self.update(Msg::Telemetry(telemetry), Why::Data),
            Fed::Tick(now) => self.update(Msg::Tick(now), Why::Data),
            Fed::Status(status) => {
                let there = status.seeking.is_none();
                self.update(Msg::Replay(status), Why::Answer);
                if let Some(hint) = self.hint.take_if(|_| there) {
                    self.notice(false, hint);
                }
            }
            Fed::Trouble(text) => self.notice(true, text),
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match self.effects.start(effect) {
            None => {}
            Some(Control::Quit) => self.end = Some(0),
            Some(Control::Suspend) if signals::has_shell() => self.stop(true),
            Some(Control::Suspend) => {
                self.notice(false, "no shell waits behind this screen; not suspended");
            }
            Some(Control::Redraw) => {
                self.screen.repaint();
                self.pace.mark(Why::Input);
            }
            Some(Control::Copy(text)) if text.len() > clipboard::LIMIT => {
                let kib = clipboard::LIMIT / 1024;
                self.notice(
                    true,
                    format!("not copied: terminals take at most {kib} KiB at once"),
                );
            }
            Some(Control::Copy(text)) => {
                let bytes = clipboard::copy(&text, self.caps.multiplexer);
                self.screen.control(&bytes);
                self.notice(false, "sent to the clipboard of the terminal");
            }
            Some(Control::Notice(text)) => self.notice(true, text),
        }
    }
}

/// Resident memory of this process; 0 where it is not told.
pub(crate) fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = told
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
