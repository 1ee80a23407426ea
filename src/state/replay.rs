//! A replay as the console sees it: where the player stands, and what the operator orders.

use super::world::World;
use super::{State, range};
use crate::command::{Command, ScreenId};
use crate::message::{Effect, ReplayCommand, ReplayStatus};
use crate::model::time::Timestamp;

/// Slowest and fastest that the keys go.
const SPEEDS: (f64, f64) = (0.25, 64.0);

impl State {
    /// A replay hurries to another time: what it passes is not worth a frame.
    pub fn is_seeking(&self) -> bool {
        let replay = self.world.replay.as_ref();
        replay.is_some_and(|r| r.seeking.is_some())
    }

    pub(super) fn take_replay(&mut self, status: ReplayStatus) -> Vec<Effect> {
        if status.restarted {
            let old = std::mem::take(&mut self.world);
            self.world = World::new(&self.config, status.now);
            self.world.notices = old.notices;
            self.world.gauges = old.gauges;
            self.world.replay = old.replay;
            if let Some(handover) = old.handover {
                self.world.take_over_again(handover);
            }
            for said in old.sensitivity.said {
                self.world.be_sensitive(Some(said));
            }
        }
        let shown = |s: &ReplayStatus| {
            let marks = (s.paused, s.ended, s.seeking);
            (s.now.0 / 1000, marks, s.speed.to_bits())
        };
        let before = self.world.replay.as_ref();
        self.dirty |= status.restarted || before.map(shown) != Some(shown(&status));
        let arrived = before.is_some_and(|b| b.seeking.is_some()) && status.seeking.is_none();
        let over = status.ended && before.is_some_and(|b| !b.ended);
        self.world.replay = Some(status);
        if over {
            self.notice(false, OVER);
        }
        if arrived {
            self.ask_again()
        } else {
            Vec::new()
        }
    }

    /// Answers on the screen are of the time that was left.
    fn ask_again(&mut self) -> Vec<Effect> {
        [ScreenId::Metrics, ScreenId::Logs, ScreenId::Dashboards]
            .into_iter()
            .flat_map(|id| {
                let view = self.screen.views.get_mut(id);
                view.update(Command::Refresh, &self.world)
            })
            .collect()
    }

    pub(super) fn replay_pause(&mut self) -> Vec<Effect> {
        if self.world.replay.as_ref().is_some_and(|r| r.ended) {
            self.notice(false, OVER);
            return Vec::new();
        }
        self.replay(|r| ReplayCommand::Pause(!r.paused))
    }

    pub(super) fn replay_speed(&mut self, factor: f64) -> Vec<Effect> {
        let (least, most) = SPEEDS;
        self.replay(|r| ReplayCommand::Speed((r.speed * factor).clamp(least, most)))
    }

    /// From where a seek under way will end: five times back is five minutes back.
    pub(super) fn replay_skip(&mut self, seconds: i64) -> Vec<Effect> {
        self.replay(|r| {
            let from = r.seeking.unwrap_or(r.now);
            ReplayCommand::Seek(within(r, from.plus_ms(seconds.saturating_mul(1000))))
        })
    }

    pub(super) fn replay_seek(&mut self, to: Timestamp) -> Vec<Effect> {
        self.replay(|r| ReplayCommand::Seek(within(r, to)))
    }

    /// `14:10`, RFC 3339; `10m` from the start; `+5m` and `-5m` from here.
    pub(super) fn replay_moment(&self, text: &str) -> Result<Timestamp, String> {
        let Some(replay) = &self.world.replay else {
            return Err("this is live; only a replay can be moved in time".into());
        };
        let from = replay.seeking.unwrap_or(replay.now);
        let found = match text.split_at_checked(1) {
            Some(("+", rest)) => range::span(rest).map(|ms| from.plus_ms(ms)),
            Some(("-", rest)) => range::span(rest).map(|ms| from.plus_ms(-ms)),
            _ => range::span(text)
                .map(|ms| replay.start.plus_ms(ms))
                // Times of day are those of the recording, also when they are still to come.
                .or_else(|| range::moment(text, replay.end, &self.screen.zone)),
        };
        found.ok_or_else(|| format!("`{text}` is no time; try 14:10, 10m, +5m, -5m or RFC 3339"))
    }

    /// Orders something of the player. It shows at once, so that the next key builds on it.
    pub(super) fn replay(
        &mut self,
        command: impl FnOnce(&ReplayStatus) -> ReplayCommand,
    ) -> Vec<Effect> {
        let Some(replay) = &mut self.world.replay else {
            return Vec::new();
        };
        let command = command(replay);
        match command {
            ReplayCommand::Pause(paused) => replay.paused = paused,
            ReplayCommand::Speed(speed) => replay.speed = speed,
            ReplayCommand::Seek(to) => replay.seeking = Some(to),
        }
        self.dirty = true;
        vec![Effect::Replay(command)]
    }
}

const OVER: &str = "The recording ends here. ( goes back a minute, { ten; q quits.";

fn within(replay: &ReplayStatus, to: Timestamp) -> Timestamp {
    to.clamp(replay.start, replay.end.max(replay.start))
}
