//! A console that hears a player, and what it knows as text, to be compared.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use farwatch::bundle::Reader;
use farwatch::command::parse_keys;
use farwatch::config::Config;
use farwatch::message::{Effect, Msg, ReplayStatus};
use farwatch::model::input::InputEvent;
use farwatch::model::time::Timestamp;
use farwatch::source::replay::{Begin, Fed, Player, config_of};
use farwatch::state::State;
use farwatch::state::world::World;
use farwatch::ui;
use farwatch::ui::theme::Looks;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::Receiver;

pub struct Show {
    pub state: State,
    pub player: Player,
    fed: Receiver<Fed>,
    pub troubles: Vec<String>,
}

impl Show {
    /// Plays from `at` on, paused as soon as it is there.
    pub async fn at(reader: Reader, at: Timestamp) -> Self {
        let config = Arc::new(config_of(reader.header(), &Config::default()));
        let begin = Begin {
            speed: 1.0,
            at: Some(at),
        };
        let mut state = State::new(config, reader.start(), TimeZone::UTC, Looks::default());
        state.update(Msg::Replay(begin.status(&reader, "x.fwr")));
        let (player, fed) = Player::start(reader, "x.fwr".into(), begin);
        let mut show = Self {
            state,
            player,
            fed,
            troubles: Vec::new(),
        };
        assert!(
            show.player
                .command(farwatch::message::ReplayCommand::Pause(true))
        );
        show.until(|s| s.paused && s.seeking.is_none()).await;
        assert_eq!(show.state.world.replay.as_ref().map(|r| r.now), Some(at));
        show
    }

    /// Hears the player until it stands so.
    pub async fn until(&mut self, stop: impl Fn(&ReplayStatus) -> bool) {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(120), self.fed.recv());
            let msg = match next.await.expect("in time").expect("the player lives") {
                Fed::Telemetry(telemetry) => Msg::Telemetry(telemetry),
                Fed::Tick(now) => Msg::Tick(now),
                Fed::Trouble(text) => {
                    self.troubles.push(text);
                    continue;
                }
                Fed::Status(status) => {
                    let there = stop(&status);
                    self.state.update(Msg::Replay(status));
                    if there {
                        return;
                    }
                    continue;
                }
            };
            self.state.update(msg);
        }
    }

    /// Presses keys; what the state orders of the player is ordered.
    pub fn keys(&mut self, keys: &str) {
        for press in parse_keys(keys) {
            for effect in self.state.update(Msg::Input(InputEvent::Key(press))) {
                if let Effect::Replay(command) = effect {
                    assert!(self.player.command(command));
                }
            }
        }
    }

    pub fn screen(&mut self, (columns, rows): (u16, u16)) -> String {
        self.state
            .update(Msg::Input(InputEvent::Resize { columns, rows }));
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        ui::draw(&self.state, &mut buffer);
        let mut text = String::new();
        for y in 0..rows {
            let row = (0..columns).filter_map(|x| buffer.cell((x, y)));
            text.extend(row.map(ratatui::buffer::Cell::symbol));
            text.push('\n');
        }
        text
    }
}

/// Everything that was told and what was made of it.
pub fn known(world: &World) -> String {
    let mut out = format!("now {}\n", world.now.rfc3339());
    for cluster in &world.clusters {
        let _ = writeln!(out, "{} {:?}", cluster.name, cluster.facts);
        let _ = writeln!(out, "{:?}", cluster.sources);
        let _ = writeln!(out, "{:?}\n{:?}", cluster.alerts, cluster.nodes);
        let _ = writeln!(out, "{:?}\n{:?}", cluster.pods, cluster.events);
        let _ = writeln!(
            out,
            "{:?}\n{:?}",
            cluster.sriov,
            cluster.logs.iter().collect::<Vec<_>>()
        );
        let _ = writeln!(out, "{:?}\n{:?}", cluster.gpus, cluster.ptp);
        let _ = writeln!(out, "{:?}\n{:?}", cluster.serving, cluster.anomaly);
        for name in world.store.names(cluster.id) {
            for (id, key) in world.store.find(cluster.id, &name) {
                let all = (Timestamp(0), Timestamp(i64::MAX));
                let points: Vec<_> = world.store.points(id, all.0, all.1).collect();
                let _ = writeln!(out, "{key} {points:?}");
            }
        }
    }
    for incident in &world.incidents {
        let _ = writeln!(out, "{incident:?}");
    }
    out
}

/// The first line that differs, for a failure that can be read.
#[track_caller]
pub fn same(left: &str, right: &str, what: &str) {
    if left == right {
        return;
    }
    let pair = left.lines().zip(right.lines()).find(|(a, b)| a != b);
    let (a, b) = pair.unwrap_or(("one ends", "before the other"));
    let at = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let cut = |text: &str| -> String {
        let bytes = text.as_bytes();
        let part = bytes.iter().skip(at.saturating_sub(80)).take(240);
        String::from_utf8_lossy(&part.copied().collect::<Vec<u8>>()).into_owned()
    };
    panic!("{what} differ:\n{}\n{}", cut(a), cut(b));
}
