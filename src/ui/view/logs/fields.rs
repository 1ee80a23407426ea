//! All that is told of the line under the cursor, as a list with a cursor of its own: what stands
//! there can be asked for, left out, or shown as a column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Logs;
use super::paint::{level_style, stamp};
use super::stream::Entry;
use crate::language::logql::write::{Parser, label_of, narrowed};
use crate::message::Effect;
use crate::model::fields::{Written, fields};
use crate::model::log::Level;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{empty, name, pane};
use crate::ui::widget::table::put_line;
use crate::ui::widget::text::{first_row, fit, wrap};
use crate::ui::widget::timeline::format_time;

/// Fields that may stand in columns.
const MOST: usize = 6;
const NO_FIELD: &str = "no field is chosen: d opens the fields of the line, the arrows choose one";
const NAME: usize = 11;

/// Where a field is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Label,
    Line(Written),
}

/// What one row of the list is.
#[derive(Clone, Debug)]
enum Kind {
    /// When the line was written; told in the operator's zone.
    Time(Timestamp),
    Level(Level),
    Heading,
    Plain,
    /// A value that can be asked for: name, value, where from.
    Field(String, String, From),
}

/// One row of the list.
#[derive(Debug)]
struct Told {
    name: String,
    text: String,
    kind: Kind,
}

fn told(world: &World, entry: &Entry<'_>, columns: usize) -> Vec<Told> {
    let line = entry.line;
    let row = |name: &str, text: String, kind| Told {
        name: name.to_owned(),
        text,
        kind,
    };
    let level = format!("{:?}", line.level).to_lowercase();
    let cluster = name(world, entry.cluster);
    let mut out = vec![
        row("time", String::new(), Kind::Time(stamp(line.at_ns))),
        row("cluster", cluster.to_owned(), Kind::Plain),
        row("level", level, Kind::Level(line.level)),
    ];
    if entry.late {
        let text = "came well after newer lines".to_owned();
        out.push(row("late", text, Kind::Plain));
    }
    let same = |key: &str, value: &str| key == "cluster" && value == cluster;
    for (key, value) in line.labels.iter().filter(|(k, v)| !same(k, v)) {
        out.extend(value_rows(key, value, From::Label, columns));
    }
    if let Some(known) = fields(line.line) {
        let written = known.written;
        let head = format!("{}, {} fields", written.word(), known.all.len());
        out.push(row("", head, Kind::Heading));
        for (key, value) in &known.all {
            out.extend(value_rows(key, value, From::Line(written), columns));
        }
    }
    out.push(row("", "line".into(), Kind::Heading));
    let whole = wrap(line.line, columns).into_iter();
    out.extend(whole.map(|text| row("", text, Kind::Plain)));
    out
}

fn value_rows(name: &str, value: &str, from: From, columns: usize) -> Vec<Told> {
    let kind = Kind::Field(name.to_owned(), value.to_owned(), from);
    let parts = wrap(value, columns.saturating_sub(NAME + 1)).into_iter();
    let rows = parts.take(8).enumerate().map(|(number, text)| Told {
        name: if number == 0 {
            name.to_owned()
        } else {
            String::new()
        },
        text,
        kind: kind.clone(),
    });
    rows.collect()
}

impl Logs {
    pub(super) fn draw_fields(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let right = "J K moves · $ only · # without · ; column";
        let inner = pane(ctx, area, buf, "line (d)", right, false);
        let Some(entry) = self.chosen(ctx.world) else {
            empty(ctx, inner, buf, "no line");
            return;
        };
        let all = told(ctx.world, &entry, usize::from(inner.width));
        self.field_rows.set(all.len());
        let at = self.field.min(all.len().saturating_sub(1));
        let first = first_row(at, all.len(), usize::from(inner.height));
        for (y, (number, row)) in (inner.y..inner.bottom()).zip(all.iter().enumerate().skip(first))
        {
            let chosen = number == at && ctx.focus;
            put_line(ctx, buf, (inner.x, y), inner.width, false, &row.draw(ctx));
            if chosen {
                let place = Rect {
                    y,
                    height: 1,
                    ..inner
                };
                buf.set_style(place, ctx.theme.selected);
            }
        }
    }

    /// Moves the cursor of the list.
    pub(super) fn move_field(&mut self, by: isize) {
        let last = self.field_rows.get().saturating_sub(1);
        self.field = self.field.min(last).saturating_add_signed(by).min(last);
    }

    /// What the cursor of the list stands on.
    fn field_at(&self, world: &World) -> Option<(String, String, From)> {
        let entry = self.chosen(world)?;
        let detail = self.layout(self.area).detail?;
        let columns = usize::from(detail.width.saturating_sub(2));
        let row = told(world, &entry, columns).into_iter().nth(self.field)?;
        match row.kind {
            Kind::Field(name, value, from) => Some((name, value, from)),
            _ => None,
        }
    }

    /// The name of the field under that cursor.
    #[cfg(test)]
    pub(super) fn pointed(&self, world: &World) -> Option<String> {
        self.field_at(world).map(|(name, ..)| name)
    }

    /// Only lines that have this value there, or only those that do not: a query is asked anew, of
    /// what is held the filter is narrowed.
    pub(super) fn narrow(&mut self, exclude: bool, world: &World) -> Vec<Effect> {
        let Some((name, value, from)) = self.field_at(world) else {
            return vec![Effect::Say(NO_FIELD)];
        };
        let query = self.asked.as_ref().filter(|a| a.is_logql());
        let parser = match from {
            From::Label => Some(None),
            From::Line(Written::Json) => Some(Some(Parser::Json)),
            From::Line(Written::Logfmt) => Some(Some(Parser::Logfmt)),
            From::Line(Written::Klog) => None,
        };
        if let (Some(asked), Some(parser)) = (query, parser) {
            let label = match from {
                From::Label => name.clone(),
                From::Line(_) => label_of(&name),
            };
            let wanted = narrowed(&asked.query, (&label, &value), parser, exclude);
            if let Some(query) = wanted {
                return self.run(&query, world);
            }
        }
        let term = term(&name, &value, from, exclude);
        let text = format!("{} {term}", self.filter_text);
        self.set_filter(text.trim());
        Vec::new()
    }

    /// Shows the field beside the lines, or no longer.
    pub(super) fn toggle_column(&mut self, world: &World) -> Vec<Effect> {
        let Some((name, ..)) = self.field_at(world) else {
            return vec![Effect::Say(NO_FIELD)];
        };
        match self.columns.iter().position(|c| *c == name) {
            Some(at) => {
                self.columns.remove(at);
            }
            None => {
                self.columns.push(name);
                if self.columns.len() > MOST {
                    self.columns.remove(0);
                }
            }
        }
        Vec::new()
    }
}

impl Told {
    fn draw<'a>(&'a self, ctx: &Ctx<'a>) -> Line<'a> {
        let theme = ctx.theme;
        let style = match &self.kind {
            Kind::Heading => return Line::styled(self.text.as_str(), theme.title),
            Kind::Plain if self.name.is_empty() => {
                return Line::styled(self.text.as_str(), theme.base);
            }
            Kind::Level(level) => level_style(theme, *level).1,
            _ => theme.base,
        };
        let text = match &self.kind {
            Kind::Time(at) => format_time(ctx.zone, *at, "%F %H:%M:%S%.3f"),
            _ => self.text.clone(),
        };
        let head = match &self.kind {
            Kind::Field(..) => theme.accent,
            _ => theme.muted,
        };
        Line::from(vec![
            Span::styled(format!("{} ", fit(&self.name, NAME)), head),
            Span::styled(text, style),
        ])
    }
}

/// A term of the filter; what has blanks becomes a regex, for terms are parted by blanks.
fn term(name: &str, value: &str, from: From, exclude: bool) -> String {
    let not = if exclude { "!" } else { "" };
    let literal = |text: &str| regex::escape(text).replace(char::is_whitespace, "\\s");
    match from {
        From::Label if !value.contains(char::is_whitespace) => {
            let sign = if exclude { "!=" } else { "=" };
            format!("{name}{sign}{value}")
        }
        From::Label => {
            let sign = if exclude { "!~" } else { "=~" };
            format!("{name}{sign}^{}$", literal(value))
        }
        From::Line(Written::Json) => {
            let key = name.rsplit('.').next().unwrap_or(name);
            format!(
                "{not}/\"{}\"\\s*:\\s*\"?{}(\"|\\b)/",
                literal(key),
                literal(value)
            )
        }
        From::Line(Written::Logfmt) => {
            format!(
                "{not}/\\b{}=\"?{}(\"|\\s|$)/",
                literal(name),
                literal(value)
            )
        }
        From::Line(Written::Klog) => format!("{not}/{}/", literal(value)),
    }
}
