//! `@` in the input: what can be referred to, chosen from a list, and what it stands for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Chat, ChatCommand};
use crate::model::id::IncidentId;
use crate::model::input::{Key, KeyPress};
use crate::ui::Ctx;
use crate::ui::widget::text::cut;

/// Rows of the list.
const ROWS: usize = 8;

/// What can be referred to.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Stands in the text: `@INC-3`, `@alpha`. Without blanks.
    pub label: String,
    /// What it is.
    pub about: String,
}

/// A reference in the text, and what the model is told of it: as it was when it was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    pub label: String,
    /// The incident that it is.
    pub incident: Option<IncidentId>,
    pub context: String,
}

/// The list while one is chosen.
#[derive(Debug, Default)]
pub(super) struct Offers {
    all: Vec<Offer>,
    at: usize,
}

impl Offers {
    /// Those that begin so, then those whose name holds it, then those that are about it.
    fn fitting(&self, typed: &str) -> Vec<&Offer> {
        let typed = typed.to_lowercase();
        let rank = |offer: &Offer| {
            let label = offer.label.to_lowercase();
            match label.find(&typed) {
                Some(0 | 1) => Some(0),
                Some(_) => Some(1),
                None if offer.about.to_lowercase().contains(&typed) => Some(2),
                None => None,
            }
        };
        let ranked = self.all.iter().filter_map(|o| Some((rank(o)?, o)));
        let mut ranked: Vec<(u8, &Offer)> = ranked.collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, offer)| offer).collect()
    }
}

impl Chat {
    /// What can be referred to, after [`ChatCommand::Offer`].
    pub fn offer(&mut self, all: Vec<Offer>) {
        self.offers = (!all.is_empty()).then_some(Offers { all, at: 0 });
    }

    /// A reference that was chosen, after [`ChatCommand::Refer`].
    pub fn refer(&mut self, chip: Chip) {
        self.chips.retain(|held| held.label != chip.label);
        self.chips.push(chip);
    }

    /// The references that were chosen; those whose label does not stand in the text are none.
    pub fn take_chips(&mut self) -> Vec<Chip> {
        std::mem::take(&mut self.chips)
    }

    /// A list is open.
    pub fn is_offering(&self) -> bool {
        self.offers.is_some()
    }

    /// A key while the list is open. `Err`: it is for the input.
    pub(super) fn press_in_offers(&mut self, press: KeyPress) -> Result<Option<ChatCommand>, ()> {
        let typed = self.mentioned().unwrap_or_default();
        let Some(offers) = &mut self.offers else {
            return Err(());
        };
        let fitting = offers.fitting(&typed);
        let last = fitting.len().min(ROWS).saturating_sub(1);
        match (press.ctrl, press.key) {
            (false, Key::Up) => offers.at = offers.at.min(last).saturating_sub(1),
            (false, Key::Down) => offers.at = (offers.at + 1).min(last),
            (false, Key::Esc) => self.offers = None,
            (false, Key::Enter | Key::Tab) => {
                let chosen = fitting.get(offers.at.min(last)).map(|o| o.label.clone());
                self.offers = None;
                let Some(label) = chosen else { return Ok(None) };
                for _ in typed.chars() {
                    self.edit(KeyPress::plain(Key::Backspace));
                }
                let rest = label.strip_prefix('@').unwrap_or(&label);
                for c in rest.chars().chain([' ']) {
                    self.edit(KeyPress::plain(Key::Char(c)));
                }
                return Ok(Some(ChatCommand::Refer(label)));
            }
            _ => return Err(()),
        }
        Ok(None)
    }

    /// The list goes once the word before the cursor is no mention any more.
    pub(super) fn keep_offers(&mut self) {
        if self.mentioned().is_none() {
            self.offers = None;
        }
    }

    /// What follows the `@` of the word that ends at the cursor.
    pub(super) fn mentioned(&self) -> Option<String> {
        let cursor = self.input.cursor();
        let line = self.input.lines().get(cursor.0)?;
        let before: String = line.chars().take(cursor.1).collect();
        let word = before.rsplit(char::is_whitespace).next()?;
        word.strip_prefix('@').map(str::to_owned)
    }

    /// The list, above the input.
    pub(super) fn draw_offers(&self, ctx: &Ctx<'_>, above: Rect, buf: &mut Buffer) {
        let Some(offers) = &self.offers else { return };
        let fitting = offers.fitting(&self.mentioned().unwrap_or_default());
        let shown = fitting.len().clamp(1, ROWS).min(usize::from(above.height));
        let top = above
            .bottom()
            .saturating_sub(u16::try_from(shown).unwrap_or(1));
        let width = usize::from(above.width);
        let at = offers.at.min(shown.saturating_sub(1));
        for (place, y) in (top..above.bottom()).enumerate() {
            let (text, style) = match fitting.get(place) {
                Some(offer) => {
                    let style = if place == at {
                        ctx.theme.selected
                    } else {
                        ctx.theme.base
                    };
                    (format!("{:<24} {}", offer.label, offer.about), style)
                }
                None => (
                    "nothing is called so; Esc closes".to_owned(),
                    ctx.theme.muted,
                ),
            };
            let text = format!("{:<width$}", cut(&text, width));
            ctx.put(buf, (above.x, y), above.width, &text, style);
        }
    }
}

/// The labels in a text, each once: `@INC-3,` is `@INC-3`.
pub fn labels(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for word in text.split_whitespace().filter(|word| word.starts_with('@')) {
        let label = word.trim_end_matches([',', '.', ';', ':', '!', '?', ')']);
        if label.len() > 1 && !found.contains(&label) {
            found.push(label);
        }
    }
    found
}

/// The text with its references set off.
pub(super) fn styled<'a>(text: &str, base: Style, chip: Style) -> Line<'a> {
    let parts = text.split_inclusive(char::is_whitespace);
    let spans = parts.map(|part| {
        let style = if part.len() > 1 && part.starts_with('@') {
            chip
        } else {
            base
        };
        Span::styled(part.to_owned(), style)
    });
    Line::from(spans.collect::<Vec<_>>())
}
