//! A text that may be longer than its pane, and how far it is scrolled.

use std::cell::Cell;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::common::lines;
use crate::ui::Ctx;

/// Never past the end: how far that is, the last drawing tells.
#[derive(Debug, Default)]
pub struct Scroll {
    at: usize,
    most: Cell<usize>,
}

impl Scroll {
    pub fn down(&mut self) {
        self.at = (self.at + 1).min(self.most.get());
    }

    pub fn up(&mut self) {
        // The text, or the pane, may be another one since.
        self.at = self.at.min(self.most.get()).saturating_sub(1);
    }

    pub fn to_top(&mut self) {
        self.at = 0;
    }

    pub fn to_end(&mut self) {
        self.at = self.most.get();
    }

    /// Which lines of so many are in view, where each is made only then.
    pub fn seen(&self, lines: usize, height: u16) -> Range<usize> {
        let most = lines.saturating_sub(usize::from(height));
        self.most.set(most);
        let at = self.at.min(most);
        at..at.saturating_add(usize::from(height)).min(lines)
    }

    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, text: &[Line<'_>]) {
        let seen = self.seen(text.len(), area.height);
        lines(ctx, area, buf, text, seen.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::view::fake;

    #[test]
    fn one_step_back_from_the_end_moves_however_often_one_went_on() {
        let world = fake::world(&["a"]);
        let mut scroll = Scroll::default();
        let shown = |scroll: &Scroll, count: usize| {
            let text: Vec<Line<'_>> = (0..count).map(|n| Line::raw(n.to_string())).collect();
            let draw = |ctx: &Ctx<'_>, area, buf: &mut Buffer| scroll.draw(ctx, area, buf, &text);
            fake::screen(&world, 3, 2, draw)
        };
        assert_eq!(shown(&scroll, 5), "0\n1\n");
        (0..9).for_each(|_| scroll.down());
        assert_eq!(shown(&scroll, 5), "3\n4\n");
        scroll.up();
        assert_eq!(shown(&scroll, 5), "2\n3\n");
        // A shorter text, scrolled from its own end.
        assert_eq!(shown(&scroll, 3), "1\n2\n");
        scroll.up();
        assert_eq!(shown(&scroll, 3), "0\n1\n");
        assert_eq!(shown(&scroll, 5), "0\n1\n");
        scroll.to_end();
        assert_eq!(shown(&scroll, 5), "3\n4\n");
    }
}
