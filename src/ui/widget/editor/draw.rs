//! The field with its colours, the sentence under it, and the list below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::Editor;
use super::list::{List, Row};
use crate::language::Kind;
use crate::ui::widget::field::Field;
use crate::ui::widget::table::put_line;
use crate::ui::widget::text::{Pane, first_row, width};
use crate::ui::{Ctx, Theme};

/// Rows of the list without its border.
const ROWS: u16 = 10;
const NARROW: u16 = 70;
/// Widest column of the texts.
const TEXT: usize = 60;

impl Editor {
    /// The field in the first row of `area`, what is wrong in the second.
    pub fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let row = |y: u16| Rect {
            y: area.y + y,
            height: 1,
            ..area
        };
        if area.height == 0 {
            return;
        }
        let styles = self.styles(ctx.theme);
        field(ctx, row(0), buf, ("› ", &self.field), &styles);
        if area.height < 2 {
            return;
        }
        if let Some((typed, list)) = &self.search {
            field(ctx, row(1), buf, ("find: ", typed), &[]);
            let count = format!("{} of {}", list.rows.len(), list.matched);
            let room = usize::from(area.width);
            if width(&count) + width(typed.text()) + 10 < room {
                let x = area.right().saturating_sub(width(&count) as u16 + 1);
                ctx.put(
                    buf,
                    (x, row(1).y),
                    area.right() - x,
                    &count,
                    ctx.theme.muted,
                );
            }
            return;
        }
        let (style, text) = match &self.problem {
            Some(problem) if problem.unfinished => (ctx.theme.muted, problem.text.as_str()),
            Some(problem) => (ctx.theme.crit, problem.text.as_str()),
            None => return,
        };
        ctx.put(
            buf,
            (area.x + 2, row(1).y),
            area.width.saturating_sub(2),
            text,
            style,
        );
    }

    /// The list under the field, over what is drawn there; `field` as for [`Self::draw`].
    pub fn draw_list(&self, ctx: &Ctx<'_>, below: Rect, bounds: Rect, buf: &mut Buffer) {
        let list = match (&self.search, &self.list) {
            (Some((_, list)), _) | (None, Some(list)) => list,
            (None, None) => return,
        };
        let rows = u16::try_from(list.rows.len())
            .unwrap_or(ROWS)
            .clamp(1, ROWS);
        // Where the field is narrow the list takes the whole width: help has to be read.
        let wide = match below.width < NARROW {
            true => bounds,
            false => below,
        };
        let area = Rect {
            y: below.bottom(),
            height: rows + 2,
            ..wide
        };
        let area = area.intersection(bounds);
        if area.height < 3 || area.width < 10 {
            return;
        }
        ctx.clear(buf, area);
        let inner = Pane {
            title: match self.search.is_some() {
                true => "earlier and saved queries",
                false => "Tab takes, Down chooses",
            },
            right: &told(list),
            border: ctx.theme.border_focus,
            title_style: ctx.theme.title,
        }
        .draw(area, buf);
        paint(ctx, inner, buf, list);
    }

    /// A style for each part of the text, by where it ends.
    fn styles(&self, theme: &Theme) -> Vec<(usize, Style)> {
        let text = self.field.text();
        if self.field.is_proposed() {
            return vec![(text.len(), theme.selected)];
        }
        let mut styles: Vec<(usize, Style)> = (self.language.highlight)(text)
            .iter()
            .map(|token| (token.end, of_kind(theme, token.kind)))
            .collect();
        let Some(problem) = self.problem.as_ref().filter(|p| !p.unfinished) else {
            return styles;
        };
        let mut cut = Vec::new();
        let mut start = 0;
        for (end, style) in styles.drain(..) {
            for (from, to) in [
                (start, end.min(problem.start)),
                (start.max(problem.start), end.min(problem.end)),
                (start.max(problem.end), end),
            ] {
                let within = from >= problem.start && to <= problem.end;
                let marked = theme.crit.add_modifier(Modifier::UNDERLINED);
                if from < to {
                    cut.push((to, if within { marked } else { style }));
                }
            }
            start = end;
        }
        cut
    }
}

fn of_kind(theme: &Theme, kind: Kind) -> Style {
    match kind {
        Kind::Name | Kind::Blank | Kind::Number => theme.base,
        Kind::Label => theme.accent,
        Kind::Text => theme.ok,
        Kind::Function => theme.key,
        Kind::Keyword => theme.title,
        Kind::Operator | Kind::Bracket | Kind::Comment => theme.muted,
        Kind::Wrong => theme.crit,
    }
}

/// The text with its cursor; a long one is moved so that the cursor is seen.
fn field(
    ctx: &Ctx<'_>,
    area: Rect,
    buf: &mut Buffer,
    (mark, field): (&str, &Field),
    styles: &[(usize, Style)],
) {
    let used = width(mark) + 1;
    let room = usize::from(area.width).saturating_sub(used).max(1);
    let (skip, _) = field.in_view(room);
    let mut spans = vec![Span::styled(mark.to_owned(), ctx.theme.key)];
    let mut run = (String::new(), ctx.theme.base);
    for (at, (byte, c)) in field.text().char_indices().enumerate().skip(skip) {
        let part = styles.iter().find(|(end, _)| byte < *end);
        let style = match at == field.cursor() {
            true => ctx.theme.selected,
            false => part.map_or(ctx.theme.base, |(_, style)| *style),
        };
        if style != run.1 && !run.0.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run.0), run.1));
        }
        run.1 = style;
        run.0.push(c);
    }
    spans.push(Span::styled(run.0, run.1));
    if field.cursor() >= field.text().chars().count() {
        spans.push(Span::styled(" ", ctx.theme.selected));
    }
    put_line(
        ctx,
        buf,
        (area.x, area.y),
        area.width,
        false,
        &Line::from(spans),
    );
}

/// How much of what is known stands in the list.
fn told(list: &List) -> String {
    let mut parts = Vec::new();
    if let Some(at) = list.at {
        parts.push(format!("{} of {}", at + 1, list.rows.len()));
    } else if !list.rows.is_empty() {
        parts.push(list.rows.len().to_string());
    }
    if list.matched > list.rows.len() {
        parts.push(format!("{} more match", list.matched - list.rows.len()));
    }
    if !list.note.is_empty() {
        parts.push(list.note.clone());
    }
    parts.join(" · ")
}

fn paint(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, list: &List) {
    if list.rows.is_empty() {
        ctx.put(
            buf,
            (area.x, area.y),
            area.width,
            "nothing yet",
            ctx.theme.muted,
        );
        return;
    }
    let widest = |of: fn(&Row) -> &str| list.rows.iter().map(|r| width(of(r))).max().unwrap_or(0);
    let all = usize::from(area.width);
    let has_help = list.rows.iter().any(|r| !r.help.is_empty());
    let kind = widest(|r| &r.kind).min(12);
    let most = match has_help {
        true => TEXT.min(all / 2),
        false => all.saturating_sub(kind + 2),
    };
    let text = widest(|r| &r.text).min(most);
    let height = usize::from(area.height);
    let first = first_row(list.at.unwrap_or(0), list.rows.len(), height);
    let rows = list.rows.iter().enumerate().skip(first);
    for (y, (number, row)) in (area.y..area.bottom()).zip(rows) {
        let chosen = list.at == Some(number);
        let style = |style: Style| match chosen {
            true => ctx.theme.selected,
            false => style,
        };
        if chosen {
            buf.set_style(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                ctx.theme.selected,
            );
        }
        let columns = [
            (0, text, &row.text, ctx.theme.base),
            (text + 1, kind, &row.kind, ctx.theme.muted),
            (text + kind + 2, all, &row.help, ctx.theme.muted),
        ];
        for (from, room, words, base) in columns {
            let room = room.min(all.saturating_sub(from));
            let x = area.x.saturating_add(from as u16);
            ctx.put(buf, (x, y), room as u16, words, style(base));
        }
    }
}
