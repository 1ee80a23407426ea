//! The conversation above the input: only the messages that can be seen are laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Chat, body};
use crate::agent::conversation::{Author, Conversation, Message};
use crate::ui::Ctx;
use crate::ui::view::common::lines;
use crate::ui::widget::text::wrap;

/// Laid out lines of a message, with the part each belongs to.
pub(super) type Laid = Vec<(Option<usize>, Line<'static>)>;

/// Version of a message, and width, ASCII and theme for which it was laid out.
#[derive(Debug, PartialEq, Eq)]
struct LaidFor {
    at: i64,
    version: u64,
    width: u16,
    ascii: bool,
    theme: String,
}

/// Droppable: what was laid out for messages that did not change since, by their place.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<Option<(LaidFor, Laid)>>);

impl Kept {
    /// Lays this message out, where that was not done.
    fn lay_out(&mut self, ctx: &Ctx<'_>, index: usize, message: &Message, width: u16) -> &Laid {
        let wanted = LaidFor {
            at: message.at.0,
            version: message.version,
            width,
            ascii: ctx.ascii,
            theme: ctx.theme.name.clone(),
        };
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        let place = &mut self.0[index];
        if place.as_ref().is_none_or(|(key, _)| *key != wanted) {
            *place = None;
        }
        let (_, laid) = place.get_or_insert_with(|| {
            let laid = body::lay_out(ctx, message, usize::from(width));
            (wanted, laid)
        });
        laid
    }

    /// Messages that are laid out now.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    fn of(&self, index: usize) -> &[(Option<usize>, Line<'static>)] {
        let kept = self.0.get(index).and_then(Option::as_ref);
        kept.map_or(&[], |(_, laid)| laid)
    }
}

/// The newest messages, as many as were needed: places are counted in lines from the first of them.
struct Newest {
    first: usize,
    lines: usize,
    /// Where the last question begins.
    asked: Option<usize>,
    /// Where the part under the cursor begins.
    marked: Option<usize>,
}

impl Newest {
    /// One more message stands above the others.
    fn add(&mut self, laid: &Laid, message: &Message, chosen: Option<usize>) {
        self.first -= 1;
        self.lines += laid.len();
        for place in [&mut self.asked, &mut self.marked].into_iter().flatten() {
            *place += laid.len();
        }
        if message.author == Author::Operator && self.asked.is_none() {
            self.asked = Some(0);
        }
        if let Some(part) = chosen {
            self.marked = laid.iter().position(|(of, _)| *of == Some(part));
        }
    }
}

impl Chat {
    pub(super) fn draw_talk(
        &self,
        ctx: &Ctx<'_>,
        talk: &Conversation,
        configured: bool,
        area: Rect,
        buf: &mut Buffer,
    ) {
        if talk.messages.is_empty() && talk.queue.is_empty() {
            let words = wrap(&body::welcome(configured), usize::from(area.width));
            let words = words.into_iter().map(|p| Line::styled(p, ctx.theme.muted));
            return lines(ctx, area, buf, &words.collect::<Vec<_>>(), 0);
        }
        let height = usize::from(area.height);
        let mut kept = self.laid.borrow_mut();
        kept.0.truncate(talk.messages.len());
        let mut newest = Newest {
            first: talk.messages.len(),
            lines: talk.queue.len(),
            asked: None,
            marked: None,
        };
        while newest.first > 0 && !self.is_enough(&newest, height) {
            let index = newest.first - 1;
            let message = &talk.messages[index];
            let chosen = self.chosen.filter(|(of, _)| *of == index).map(|(_, p)| p);
            let laid = kept.lay_out(ctx, index, message, area.width);
            newest.add(laid, message, chosen);
        }
        let skip = self.skipped(&newest, height);
        let messages = (newest.first..talk.messages.len()).flat_map(|index| kept.of(index));
        let queued = talk.queue.iter().map(|queued| {
            let words = format!("queued: {}", queued.text);
            Line::styled(words, ctx.theme.muted)
        });
        let all = messages.map(|(_, line)| line.clone()).chain(queued);
        let shown: Vec<Line<'_>> = all.skip(skip).take(height).collect();
        lines(ctx, area, buf, &shown, 0);
        let marked = newest.marked.and_then(|place| place.checked_sub(skip));
        if let Some(row) = marked.filter(|row| *row < height) {
            let row = Rect {
                y: area.y + u16::try_from(row).unwrap_or(0),
                height: 1,
                ..area
            };
            buf.set_style(row, ctx.theme.selected);
        }
    }

    /// No message further above could be seen.
    fn is_enough(&self, newest: &Newest, height: usize) -> bool {
        let reach = match (self.chosen, self.from_question) {
            (Some((message, _)), _) if newest.first > message => return false,
            (Some(_), _) => newest.marked.map(|place| place >= height / 2),
            (None, Some(up)) => {
                let above = usize::try_from(up).unwrap_or(0);
                match newest.asked {
                    None => return false,
                    Some(place) => Some(place >= above),
                }
            }
            (None, None) => Some(newest.lines >= height.saturating_add(self.up)),
        };
        newest.lines >= height && reach.unwrap_or(true)
    }

    /// Lines that stand above what is seen.
    fn skipped(&self, newest: &Newest, height: usize) -> usize {
        let end = newest.lines.saturating_sub(height);
        match (newest.marked, self.from_question) {
            (Some(place), _) => place.saturating_sub(height / 2).min(end),
            (None, Some(up)) => {
                let asked = newest.asked.unwrap_or(0);
                asked.saturating_add_signed(up.saturating_neg()).min(end)
            }
            (None, None) => end - self.up.min(end),
        }
    }
}
