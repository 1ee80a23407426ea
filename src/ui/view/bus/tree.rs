//! One message: where it went, what it is, and its values as a tree.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::messages::Row;
use super::{Bus, Part};
use crate::model::bus::{self, Encoding, Family, Message, Reply, Shape};
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{empty, name, pair, pane};

/// Bytes in a line of the hexadecimal view.
const LINE: usize = 16;

/// The message in words and lines.
pub fn plain(message: &Message) -> String {
    let mut text = format!(
        "{} {} {} {}",
        message.at.rfc3339(),
        message.subject,
        message.content.encoding.as_str(),
        Unit::Bytes.write(message.bytes as f64)
    );
    for (index, value) in message.content.rows.iter().enumerate() {
        let path = message.content.path(index);
        let _ = write!(text, "\n{path}: {} ({})", value.value, value.shape.as_str());
    }
    if message.content.cut {
        text.push_str("\n(cut)");
    }
    text
}

impl Bus {
    pub(super) fn draw_tree(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let chosen = self.chosen(ctx.world);
        let title = match &chosen {
            Some(row) => format!(
                "{} {}",
                row.message.content.encoding.as_str(),
                Unit::Bytes.write(row.message.bytes as f64)
            ),
            None => "message".into(),
        };
        let right = if self.hex { "z tree" } else { "z bytes" };
        let inner = pane(ctx, area, buf, &title, right, self.part == Part::Tree);
        let Some(row) = chosen else {
            empty(ctx, inner, buf, "no message is chosen");
            return;
        };
        let mut text = head(ctx, &row);
        match self.hex {
            true => text.extend(bytes(ctx, row.message)),
            false => text.extend(values(ctx, row.message)),
        }
        self.scroll.draw(ctx, inner, buf, &text);
    }
}

fn head<'a>(ctx: &Ctx<'_>, row: &Row<'_>) -> Vec<Line<'a>> {
    let (theme, message) = (ctx.theme, row.message);
    let mut lines = vec![pair(
        theme,
        "subject",
        message.subject.to_string(),
        theme.base,
    )];
    if let Some(family) = Family::of(&message.subject) {
        let scope = match family.scope {
            "" => "—",
            scope => scope,
        };
        let told = format!("{} · {scope} · {}", family.domain, family.action);
        lines.push(pair(theme, "ai", told, theme.accent));
    }
    lines.push(pair(theme, "at", at(ctx, row), theme.base));
    match &message.reply {
        Reply::None => {}
        Reply::Wanted(address) => {
            lines.push(pair(theme, "answer to", address.to_string(), theme.base));
        }
        Reply::Acknowledge => lines.push(pair(
            theme,
            "from",
            "a consumer's delivery (acknowledged by it, not by us)",
            theme.muted,
        )),
    }
    for (key, value) in &message.headers {
        lines.push(pair(
            theme,
            "header",
            format!("{key}: {value}"),
            theme.muted,
        ));
    }
    lines.extend(marks(ctx, message));
    lines
}

/// When it was where.
fn at(ctx: &Ctx<'_>, row: &Row<'_>) -> String {
    let message = row.message;
    let place = match message.sequence {
        Some(sequence) => format!(
            " · {} {sequence}",
            row.stream.as_deref().unwrap_or("sequence")
        ),
        None => String::new(),
    };
    format!(
        "{}.{:03} · {}{place}",
        ctx.clock_or_day(message.at),
        message.at.0.rem_euclid(1_000),
        name(ctx.world, row.cluster)
    )
}

/// How it is not as it should be.
fn marks<'a>(ctx: &Ctx<'_>, message: &Message) -> Vec<Line<'a>> {
    let (theme, mut lines) = (ctx.theme, Vec::new());
    if message.content.encoding == Encoding::Json {
        lines.push(Line::styled(
            "! JSON where MessagePack is agreed on",
            theme.warn,
        ));
    }
    if message.content.cut {
        let whole = Unit::Bytes.write(message.bytes as f64);
        let told = format!("cut: not all of {whole} is shown");
        lines.push(Line::styled(told, theme.warn));
    }
    lines
}

fn values<'a>(ctx: &Ctx<'_>, message: &'a Message) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let line = |row: &'a bus::Row| {
        let key = match &row.part {
            bus::Part::Root => String::new(),
            bus::Part::Key(key) => format!("{key}: "),
            bus::Part::Index(index) => format!("[{index}] "),
        };
        let indent = "  ".repeat(usize::from(row.depth));
        let (value, style) = match row.shape {
            Shape::Map => (format!("map of {}", row.value), theme.muted),
            Shape::List => (format!("list of {}", row.value), theme.muted),
            Shape::Text => (row.value.to_string(), theme.base),
            Shape::Nil => (row.value.to_string(), theme.muted),
            shape => (
                format!("{} ", row.value),
                match shape {
                    Shape::Int | Shape::Float | Shape::Time => theme.accent,
                    _ => theme.base,
                },
            ),
        };
        Line::from(vec![
            Span::styled(format!("{indent}{key}"), theme.key),
            Span::styled(value, style),
            Span::styled(
                match row.shape {
                    Shape::Text | Shape::Map | Shape::List | Shape::Nil => "",
                    shape => shape.as_str(),
                },
                theme.muted,
            ),
        ])
    };
    message.content.rows.iter().map(line).collect()
}

/// `0010  7b 22 61 …  {"a`: the first bytes as they came.
fn bytes<'a>(ctx: &Ctx<'_>, message: &Message) -> Vec<Line<'a>> {
    let head = &message.content.head;
    let line = |(n, chunk): (usize, &[u8])| {
        let mut hex = String::new();
        for byte in chunk {
            let _ = write!(hex, "{byte:02x} ");
        }
        let plain = |b: &u8| match b {
            0x20..=0x7e => char::from(*b),
            _ => '.',
        };
        let text: String = chunk.iter().map(plain).collect();
        Line::from(vec![
            Span::styled(format!("{:04x}  ", n * LINE), ctx.theme.muted),
            Span::styled(format!("{hex:<48} {text}"), ctx.theme.base),
        ])
    };
    let mut lines: Vec<Line<'a>> = head.chunks(LINE).enumerate().map(line).collect();
    if (head.len() as u64) < message.bytes {
        let told = format!("the first {} of {} bytes", head.len(), message.bytes);
        lines.push(Line::styled(told, ctx.theme.muted));
    }
    lines
}
