//! Help: every key and command, from the one table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{ScreenId, common};
use crate::command::{Context, ENTRIES, name_of};
use crate::ui::Ctx;
use crate::ui::widget::text::{width, wrap};

#[derive(Clone, Debug)]
pub struct Help {
    /// The screen it was asked on.
    screen: ScreenId,
    /// Keys that screen tells of, as it stands.
    here: Hints,
    scroll: usize,
}

/// One line: heading, or keys with words.
enum Row {
    Heading(&'static str),
    Entry(String, String),
    /// Keys, or what is typed, that are wider than their column; the words follow below.
    Typed(String),
    Text(&'static str),
}

/// Columns of the keys, with the blank after them.
const KEYS: u16 = 21;
/// Before what goes on of what is typed.
const TYPED: &str = "      ";

type Hints = &'static [(&'static str, &'static str)];

impl Help {
    pub fn new(screen: ScreenId, here: Hints) -> Self {
        Self {
            screen,
            here,
            scroll: 0,
        }
    }

    pub fn scroll(&mut self, by: isize) {
        self.scroll = self
            .scroll
            .saturating_add_signed(by)
            .min(rows(true, self.here, 30).len());
    }

    pub fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let title = format!("Help · {}", self.screen.title());
        let inner = common::sheet(
            ctx,
            area,
            (140, area.height),
            buf,
            &title,
            "j/k scroll  Esc closes",
        );
        let columns = if inner.width >= 100 { 2 } else { 1 };
        let room = (inner.width / columns as u16).saturating_sub(KEYS + 1);
        let rows = rows(ctx.world.replay.is_some(), self.here, usize::from(room));
        let height = usize::from(inner.height);
        let last = rows.len().div_ceil(columns).saturating_sub(height);
        let start = self.scroll.min(last);
        let width = inner.width / columns as u16;
        let half = rows.len().div_ceil(columns);
        for (n, row) in rows.iter().enumerate() {
            let (column, line) = (n / half.max(1), n % half.max(1));
            let Some(y) = line.checked_sub(start).filter(|y| *y < height) else {
                continue;
            };
            let x = inner.x + column as u16 * width;
            let spot = Rect::new(x, inner.y + y as u16, width.saturating_sub(1), 1);
            draw_row(ctx, spot, buf, row);
        }
    }
}

fn draw_row(ctx: &Ctx, at: Rect, buf: &mut Buffer, row: &Row) {
    match row {
        Row::Heading(text) => {
            ctx.put(buf, (at.x, at.y), at.width, text, ctx.theme.title);
        }
        Row::Text(text) => {
            ctx.put(buf, (at.x, at.y), at.width, text, ctx.theme.muted);
        }
        Row::Typed(text) => {
            ctx.put(buf, (at.x, at.y), at.width, text, ctx.theme.key);
        }
        Row::Entry(keys, help) => {
            ctx.put(buf, (at.x, at.y), at.width.min(KEYS), keys, ctx.theme.key);
            let x = at.x.saturating_add(KEYS);
            let room = at.width.saturating_sub(KEYS);
            ctx.put(buf, (x, at.y), room, help, ctx.theme.base);
        }
    }
}

/// All lines; words that are wider than `room` go on in the next one.
fn rows(replaying: bool, here: Hints, room: usize) -> Vec<Row> {
    let mut rows = vec![Row::Heading("On this screen")];
    let tell = |rows: &mut Vec<Row>, mut keys: String, words: &str| {
        // A blank stands between them and the words.
        if width(&keys) >= usize::from(KEYS) {
            let whole = room + usize::from(KEYS) - TYPED.len();
            let parts = wrap(keys.trim_start(), whole).into_iter();
            let indents = std::iter::once("  ").chain(std::iter::repeat(TYPED));
            rows.extend(
                indents
                    .zip(parts)
                    .map(|(indent, part)| Row::Typed(format!("{indent}{part}"))),
            );
            keys.clear();
        }
        let mut parts = wrap(words, room).into_iter();
        rows.push(Row::Entry(keys, parts.next().unwrap_or_default()));
        rows.extend(parts.map(|part| Row::Entry(String::new(), part)));
    };
    for (keys, words) in here {
        tell(&mut rows, format!("  {keys}"), words);
    }
    let mut group = "";
    for entry in ENTRIES {
        if entry.context == Context::Replay && !replaying {
            continue;
        }
        if entry.group != group {
            group = entry.group;
            rows.push(Row::Heading(group));
        }
        let (keys, words) = match entry.keys {
            // What is typed after the name stands before the words.
            [] => match entry.help.split_once(": ") {
                Some((typed, words)) => (format!("  :{typed}"), words),
                None => (format!("  :{}", entry.name), entry.help),
            },
            keys => {
                let names: Vec<String> = keys.iter().map(|k| name_of(k)).collect();
                (format!("  {}", names.join(" ")), entry.help)
            }
        };
        tell(&mut rows, keys, words);
    }
    rows.push(Row::Heading("Signs"));
    rows.push(Row::Text(
        "  ● ok  ▲ warning  ✗ critical  ? unknown  ⊘ denied",
    ));
    rows.push(Row::Text(
        "  41s~ stale: older than two intervals   11m✗ source failed",
    ));
    rows
}
