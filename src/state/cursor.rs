//! The one time cursor of all charts, and how the time in view moves: by keys, by the wheel, by a
//! drag of the mouse over a chart.

use ratatui::layout::Rect;

use super::State;
use super::range::{LEAST_MS, MOST_MS, span, window};
use crate::command::{Command, ScreenId, TimeMove};
use crate::message::Effect;
use crate::model::input::MouseKind;
use crate::model::time::Timestamp;
use crate::ui::widget::timeline::Axis;
use crate::ui::{Cursor, Window};

impl State {
    /// `h l` and `e E` where time runs from left to right. False: the view has no such place.
    pub(super) fn move_cursor(&mut self, command: &Command) -> bool {
        let plots = self.screen.view().time_plots(&self.world);
        let Some(plot) = plots.first() else {
            return false;
        };
        let at = self.screen.cursor.at;
        let to = match command {
            Command::Left => self.beside_cursor(*plot, -1),
            Command::Right => self.beside_cursor(*plot, 1),
            Command::NextProblem => self.screen.view().beside(at, true, &self.world).or(at),
            Command::PreviousProblem => self.screen.view().beside(at, false, &self.world).or(at),
            _ => return false,
        };
        self.set_cursor(Cursor {
            at: to,
            ..self.screen.cursor
        });
        true
    }

    /// One column on or back, within the window; at first the end of it.
    fn beside_cursor(&self, plot: Rect, by: i64) -> Option<Timestamp> {
        let axis = self.axis(plot);
        let (first, last) = axis.range();
        let at = match self.screen.cursor.at {
            Some(at) => at.plus_ms(axis.slot_ms.saturating_mul(by)),
            None => self.screen.window.bounds(self.world.now).1,
        };
        Some(at.clamp(first, last))
    }

    /// One slot a column.
    fn axis(&self, plot: Rect) -> Axis {
        let (from, to) = self.screen.window.bounds(self.world.now);
        Axis::new(from, to, usize::from(plot.width))
    }

    fn set_cursor(&mut self, cursor: Cursor) {
        self.dirty = true;
        self.screen.cursor = cursor;
        let view = self.screen.views.get_mut(self.screen.at);
        view.point(cursor.at);
    }

    /// Esc: the selection goes, then the cursor. False: there is none in sight.
    pub(super) fn leave_cursor(&mut self) -> bool {
        let cursor = self.screen.cursor;
        let seen = cursor.at.is_some() && !self.screen.view().time_plots(&self.world).is_empty();
        if seen {
            let at = cursor.at.filter(|_| cursor.from.is_some());
            self.set_cursor(Cursor { at, from: None });
        }
        seen
    }

    pub(super) fn move_time(&mut self, how: TimeMove) -> Vec<Effect> {
        let window = self.screen.window;
        let half = window.span_ms / 2;
        let about = self.screen.cursor.at;
        match how {
            TimeMove::Closer => self.look_at(closer(window, about, self.world.now)),
            TimeMove::Wider => self.look_at(wider(window, about, self.world.now)),
            TimeMove::Earlier => self.look_at(shifted(window, -half, self.world.now)),
            TimeMove::Later => self.look_at(shifted(window, half, self.world.now)),
            TimeMove::Select => self.select(),
        }
    }

    fn look_at(&mut self, window: Window) -> Vec<Effect> {
        self.set_window(window)
    }

    fn select(&mut self) -> Vec<Effect> {
        let cursor = self.screen.cursor;
        match (cursor.at, cursor.selection()) {
            (_, Some(selected)) => self.look_at_selected(selected),
            (Some(at), None) => {
                self.set_cursor(Cursor {
                    from: Some(at),
                    ..cursor
                });
                Vec::new()
            }
            (None, _) => {
                self.notice(false, "put the cursor somewhere first: h l, or a click");
                Vec::new()
            }
        }
    }

    fn look_at_selected(&mut self, (from, to): (Timestamp, Timestamp)) -> Vec<Effect> {
        self.set_cursor(Cursor::default());
        let span_ms = to.0.saturating_sub(from.0).clamp(LEAST_MS, MOST_MS);
        self.look_at(Window {
            end: Some(from.plus_ms(span_ms)),
            span_ms,
        })
    }

    /// A press or a turn of the wheel within a chart; `None`: it was elsewhere.
    pub(super) fn mouse_in_plot(
        &mut self,
        kind: MouseKind,
        column: u16,
        row: u16,
    ) -> Option<Vec<Effect>> {
        self.screen.pressed = None;
        let at = self.time_under(column, row)?;
        let window = self.screen.window;
        match kind {
            MouseKind::Press => {
                self.screen.pressed = Some(at);
                self.set_cursor(Cursor {
                    at: Some(at),
                    from: None,
                });
                Some(Vec::new())
            }
            MouseKind::ScrollUp => Some(self.look_at(closer(window, Some(at), self.world.now))),
            MouseKind::ScrollDown => Some(self.look_at(wider(window, Some(at), self.world.now))),
            MouseKind::Release | MouseKind::Drag => None,
        }
    }

    /// The mouse moves while it is held, or is let go: what lies between is looked at.
    pub(super) fn drag(&mut self, over: bool, column: u16, row: u16) -> Vec<Effect> {
        let Some(from) = self.screen.pressed else {
            return Vec::new();
        };
        if over {
            self.screen.pressed = None;
            let selected = self.screen.cursor.selection();
            return selected.map_or_else(Vec::new, |s| self.look_at_selected(s));
        }
        // A drag may leave the chart sideways or downwards: its nearest column is meant.
        let plots = self.screen.view().time_plots(&self.world);
        if let Some(plot) = plots.first() {
            let near = column.clamp(plot.left(), plot.right().saturating_sub(1));
            let at = self.time_at(*plot, near);
            let row_matters = self.time_under(column, row).unwrap_or(at);
            self.set_cursor(Cursor {
                at: Some(row_matters),
                from: (row_matters != from).then_some(from),
            });
        }
        Vec::new()
    }

    fn time_under(&self, column: u16, row: u16) -> Option<Timestamp> {
        let plots = self.screen.view().time_plots(&self.world);
        let plot = plots.iter().find(|p| p.contains((column, row).into()))?;
        Some(self.time_at(*plot, column))
    }

    /// The middle of a column.
    fn time_at(&self, plot: Rect, column: u16) -> Timestamp {
        let axis = self.axis(plot);
        let slots = i64::from(column.saturating_sub(plot.x));
        let (first, _) = axis.range();
        first.plus_ms(slots.saturating_mul(axis.slot_ms) + axis.slot_ms / 2)
    }

    /// `every 30s`, `every off`.
    pub(super) fn every(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        let every = match text {
            "off" | "never" => None,
            text => {
                let wrong = || format!("`{text}` is no interval; try 15s, 5m or off");
                Some(interval(text).ok_or_else(wrong)?)
            }
        };
        Ok(self.tell_view(Command::Every(every)))
    }

    /// `step 30s`, `step auto`.
    pub(super) fn step(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        if self.screen.at != ScreenId::Metrics {
            return Err("a step is chosen on the metrics screen".into());
        }
        let step = match text {
            "auto" | "" => None,
            text => {
                let wrong = || format!("`{text}` is no step; try 30s, 5m or auto");
                Some(interval(text).ok_or_else(wrong)?)
            }
        };
        Ok(self.tell_view(Command::Step(step)))
    }

    /// The logs in view beside those of another range; of a span: so long before.
    pub(super) fn compare(&mut self, text: &str) -> Result<Vec<Effect>, String> {
        if self.screen.at != ScreenId::Logs {
            return Err("compare is for the logs (4)".into());
        }
        let now = self.world.now;
        let (from, to) = self.screen.window.bounds(now);
        let other = match span(text) {
            Some(ms) => (from.plus_ms(-ms), to.plus_ms(-ms)),
            None => window(text, now, &self.screen.zone)?.bounds(now),
        };
        Ok(self.tell_view(Command::Compare(Some(other))))
    }
}

/// Half the window; the time under the cursor stays where it is.
fn closer(window: Window, about: Option<Timestamp>, now: Timestamp) -> Window {
    zoomed(window, (window.span_ms / 2).max(LEAST_MS), about, now)
}

fn wider(window: Window, about: Option<Timestamp>, now: Timestamp) -> Window {
    let span_ms = window.span_ms.saturating_mul(2).min(MOST_MS);
    zoomed(window, span_ms, about, now)
}

fn zoomed(window: Window, span_ms: i64, about: Option<Timestamp>, now: Timestamp) -> Window {
    let (from, to) = window.bounds(now);
    let Some(about) = about.filter(|at| (from..=to).contains(at)) else {
        return Window { span_ms, ..window };
    };
    let share = (to.0 - about.0) as f64 / window.span_ms.max(1) as f64;
    let end = about.plus_ms((share * span_ms as f64).round() as i64);
    settled(end, span_ms, now)
}

fn shifted(window: Window, by: i64, now: Timestamp) -> Window {
    let (_, to) = window.bounds(now);
    settled(to.plus_ms(by), window.span_ms, now)
}

/// What would end in the future follows now.
fn settled(end: Timestamp, span_ms: i64, now: Timestamp) -> Window {
    Window {
        end: (end < now).then_some(end),
        span_ms,
    }
}

/// Milliseconds of `15s`, `5m`; of a second at least.
fn interval(text: &str) -> Option<u32> {
    const LEAST: i64 = 1_000;
    let ms = span(text).filter(|ms| (LEAST..=MOST_MS).contains(ms));
    ms.and_then(|ms| u32::try_from(ms).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn window(end: Option<i64>, span_ms: i64) -> Window {
        let end = end.map(|before| NOW.plus_ms(-before));
        Window { end, span_ms }
    }

    #[test]
    fn zooms_around_the_cursor() {
        let hour = window(None, 3_600_000);
        assert_eq!(closer(hour, None, NOW), window(None, 1_800_000), "follows");
        let middle = Some(NOW.plus_ms(-1_800_000));
        let near = closer(hour, middle, NOW);
        assert_eq!(near, window(Some(900_000), 1_800_000));
        assert_eq!(wider(near, middle, NOW), hour, "and back");
        let elsewhere = Some(NOW.plus_ms(-7_200_000));
        assert_eq!(closer(hour, elsewhere, NOW), window(None, 1_800_000));
        let tiny = window(None, LEAST_MS);
        assert_eq!(closer(tiny, None, NOW), tiny);
        let all = window(None, MOST_MS);
        assert_eq!(wider(all, None, NOW), all);
    }

    #[test]
    fn pans_up_to_now() {
        let hour = window(None, 3_600_000);
        let before = shifted(hour, -1_800_000, NOW);
        assert_eq!(before, window(Some(1_800_000), 3_600_000));
        assert_eq!(shifted(before, 1_800_000, NOW), hour);
    }
}
