//! The messages: what passes on the followed subjects, or what a stream keeps.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Bus, Part};
use crate::model::bus::{Encoding, Message};
use crate::model::id::ClusterId;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{clusters, empty, focused, name, pane, scoped};
use crate::ui::widget::table::Column;

const COLUMNS: [Column; 6] = [
    Column::new("TIME", 12, 12),
    Column::new("CLUSTER", 9, 14),
    Column::new("SUBJECT", 22, 44),
    Column::new("AS", 7, 7).priority(2),
    Column::new("SIZE", 8, 8).priority(3).right(),
    Column::new("CONTENT", 6, 200).priority(1),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId {
    pub cluster: ClusterId,
    /// `None`: of the tail.
    pub stream: Option<Arc<str>>,
    pub serial: u64,
}

#[derive(Clone)]
pub struct Row<'a> {
    pub cluster: ClusterId,
    pub stream: Option<Arc<str>>,
    pub message: &'a Message,
}

pub fn id(row: &Row<'_>) -> MessageId {
    MessageId {
        cluster: row.cluster,
        stream: row.stream.clone(),
        serial: row.message.serial,
    }
}

impl Bus {
    /// Newest first, up to the end of the time in view.
    pub(super) fn message_rows<'a>(&'a self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows: Vec<Row<'a>> = match &self.history {
            Some(history) => {
                let row = |message| Row {
                    cluster: history.cluster,
                    stream: Some(history.stream.clone()),
                    message,
                };
                history.messages().iter().map(row).collect()
            }
            None => self.passed(world),
        };
        if !self.messages.filter().is_empty() {
            rows.retain(|row| {
                let text = row.message.summary();
                self.messages.filter().matches(&[
                    ("cluster", name(world, row.cluster)),
                    ("subject", &row.message.subject),
                    ("", &text),
                ])
            });
        }
        rows
    }

    fn passed<'a>(&self, world: &'a World) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        for cluster in clusters(world, self.scope) {
            rows.extend(cluster.bus.passed().map(|message| Row {
                cluster: cluster.id,
                stream: None,
                message,
            }));
        }
        if let Some(end) = self.until() {
            rows.retain(|row| row.message.at <= end);
        }
        rows.sort_by_key(|r| std::cmp::Reverse((r.message.at, r.message.serial)));
        rows
    }

    /// The message under the cursor.
    pub(super) fn chosen<'a>(&'a self, world: &'a World) -> Option<Row<'a>> {
        let rows = self.message_rows(world);
        let at = self.messages.position(&rows, id)?;
        rows.into_iter().nth(at)
    }

    pub(super) fn draw_messages(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let rows = self.message_rows(ctx.world);
        let title = match &self.history {
            Some(history) => history.title(ctx),
            None => self.tail_title(ctx.world),
        };
        let focus = self.part == Part::Messages;
        let held = match self.until() {
            Some(at) if self.history.is_none() => format!("up to {}", ctx.clock_or_day(at)),
            _ => String::new(),
        };
        let inner = pane(ctx, area, buf, &title, &held, focus);
        let (inner, last) = crate::ui::view::common::above(inner, 1);
        let (text, bad) = self.tail_note(ctx.world);
        let style = if bad { ctx.theme.warn } else { ctx.theme.muted };
        ctx.put(buf, (last.x, last.y), last.width, &text, style);
        if rows.is_empty() {
            empty(ctx, inner, buf, &self.why_no_messages(ctx.world));
            return;
        }
        let ctx = focused(ctx, focus);
        let columns = match &self.history {
            Some(history) => {
                let one = Ctx {
                    scope: Some(history.cluster),
                    ..ctx
                };
                scoped(&one, &COLUMNS, 1)
            }
            None => scoped(&ctx, &COLUMNS, 1),
        };
        self.messages
            .draw(&ctx, inner, buf, (&columns, &rows), id, |row, column| {
                cell(&ctx, row, column)
            });
    }
}

fn cell<'a>(ctx: &Ctx<'a>, row: &Row<'a>, column: usize) -> Line<'a> {
    let message = row.message;
    let base = ctx.theme.base;
    match column {
        0 => Line::styled(
            format!(
                "{}.{:03}",
                ctx.clock(message.at),
                message.at.0.rem_euclid(1_000)
            ),
            ctx.theme.muted,
        ),
        1 => Line::styled(name(ctx.world, row.cluster), base),
        2 => Line::styled(message.subject.as_ref(), base),
        3 => encoding(ctx, message.content.encoding),
        4 => Line::styled(Unit::Bytes.write(message.bytes as f64), base),
        _ => {
            // The column that says it may be left out.
            let json = message.content.encoding == Encoding::Json;
            let mark = match (json, message.content.cut) {
                (true, true) => "! cut ",
                (true, false) => "! ",
                (false, true) => "cut ",
                (false, false) => "",
            };
            Line::from(vec![
                Span::styled(mark, ctx.theme.warn),
                Span::styled(message.summary(), ctx.theme.muted),
            ])
        }
    }
}

/// What is not as the site agreed on has its mark.
pub fn encoding<'a>(ctx: &Ctx, encoding: Encoding) -> Line<'a> {
    let style = match encoding {
        Encoding::MessagePack => ctx.theme.ok,
        Encoding::Json => ctx.theme.warn,
        Encoding::Empty | Encoding::Text | Encoding::Binary => ctx.theme.muted,
    };
    let mark = if encoding == Encoding::Json { "!" } else { "" };
    Line::styled(format!("{}{mark}", encoding.as_str()), style)
}
