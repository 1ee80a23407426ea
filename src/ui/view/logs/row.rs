//! One line of the stream as rows of text: when, from where, how bad, chosen fields, what it says;
//! below it the fields of a line that is unfolded.

use ratatui::text::{Line, Span};

use super::find::Find;
use super::paint::{level_style, stamp};
use super::stream::Entry;
use crate::model::fields::fields;
use crate::model::log::Level;
use crate::ui::Ctx;
use crate::ui::view::common::name;
use crate::ui::widget::text::{fit, width, wrap};
use crate::ui::widget::timeline::format_time;

/// Rows one wrapped line may take.
const WRAP_ROWS: usize = 6;
/// Rows the fields of an unfolded line may take.
const FIELD_ROWS: usize = 60;
/// Columns of one field beside the line.
const COLUMN: usize = 14;

/// How the time of a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamps {
    #[default]
    Local,
    Utc,
    /// Before now.
    Relative,
}

impl Stamps {
    pub fn next(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
            Self::Relative => Self::Local,
        }
    }

    /// Where it is not the usual way.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Local => None,
            Self::Utc => Some("UTC"),
            Self::Relative => Some("before now"),
        }
    }
}

/// How lines of one page are laid out.
pub struct Look<'a> {
    /// The cluster is told with each line.
    pub many: bool,
    pub columns: usize,
    pub wrap: bool,
    pub find: &'a Find,
    /// Some lines are marked: each has room for it.
    pub marks: bool,
    /// Fields that stand in columns of their own.
    pub fields: &'a [String],
}

/// What only this line has.
pub struct Own<'a> {
    pub stamp: &'a str,
    pub marked: bool,
    pub unfolded: bool,
}

/// The times of a page, all equally wide; with `delta` how long after the line before it.
pub fn stamps(
    ctx: &Ctx<'_>,
    entries: &[Entry<'_>],
    columns: usize,
    (form, delta): (Stamps, bool),
) -> Vec<String> {
    let mut out: Vec<String> = match form {
        Stamps::Relative => entries
            .iter()
            .map(|e| format!("-{}", span(ctx.world.now.0 - stamp(e.line.at_ns).0)))
            .collect(),
        form => {
            let utc = jiff::tz::TimeZone::UTC;
            let zone = if form == Stamps::Utc { &utc } else { ctx.zone };
            let today = entries
                .first()
                .is_none_or(|e| ctx.is_today(stamp(e.line.at_ns)));
            let format = match (columns < 90, today) {
                (true, true) => "%H:%M:%S",
                (true, false) => "%m-%d %H:%M:%S",
                (false, true) => "%H:%M:%S%.3f",
                (false, false) => "%m-%d %H:%M:%S%.3f",
            };
            let mark = if form == Stamps::Utc { "Z" } else { "" };
            let write = |e: &Entry<'_>| {
                let at = stamp(e.line.at_ns);
                format!("{}{mark}", format_time(zone, at, format))
            };
            entries.iter().map(write).collect()
        }
    };
    if delta {
        let mut before: Option<i64> = None;
        for (text, entry) in out.iter_mut().zip(entries) {
            let at = entry.line.at_ns;
            let since = before.map(|b| format!("+{}", span((at - b).div_euclid(1_000_000))));
            before = Some(at);
            *text = format!("{text} {:>8}", since.unwrap_or_default());
        }
    }
    let widest = out.iter().map(|t| width(t)).max().unwrap_or(0);
    for text in &mut out {
        *text = match form {
            Stamps::Relative => format!("{text:>widest$} "),
            _ => format!("{text:<widest$} "),
        };
    }
    out
}

/// A span to the millisecond where it is short.
fn span(ms: i64) -> String {
    match ms {
        ..=-1 => format!("-{}", span(ms.saturating_neg())),
        0..=59_999 => format!("{}.{:03}s", ms / 1000, ms % 1000),
        60_000..=3_599_999 => format!("{}m{:02}s", ms / 60_000, ms / 1000 % 60),
        3_600_000..=86_399_999 => format!("{}h{:02}m", ms / 3_600_000, ms / 60_000 % 60),
        _ => format!("{}d{:02}h", ms / 86_400_000, ms / 3_600_000 % 24),
    }
}

pub fn rows<'a>(ctx: &Ctx<'a>, entry: &Entry<'a>, look: &Look<'_>, own: &Own<'_>) -> Vec<Line<'a>> {
    let (columns, find) = (look.columns, look.find);
    let line = entry.line;
    let theme = ctx.theme;
    let (letter, style) = level_style(theme, line.level);
    let narrow = columns < 90;
    let mut used = own.stamp.chars().count();
    let mut head = vec![Span::styled(own.stamp.to_owned(), theme.muted)];
    if look.marks {
        let star = if own.marked { "★" } else { " " };
        head.insert(0, Span::styled(star, theme.warn));
        used += 1;
    }
    if look.many {
        let width = if narrow { 8 } else { 12 };
        let text = fit(name(ctx.world, entry.cluster), width);
        head.push(Span::styled(format!("{text} "), theme.accent));
        used += width + 1;
    }
    let width = if narrow { 10 } else { 18 };
    head.push(Span::styled(
        format!("{} ", fit(line.origin(), width)),
        theme.muted,
    ));
    head.push(Span::styled(letter, style));
    let late = if entry.late { "~" } else { " " };
    head.push(Span::styled(late, theme.warn));
    used += width + 3;
    let body = if line.level >= Level::Warning {
        style
    } else {
        theme.base
    };
    let known = (own.unfolded || !look.fields.is_empty())
        .then(|| fields(line.line))
        .flatten();
    for field in look.fields {
        let value = known.as_ref().and_then(|k| k.get(field));
        let value = value.or_else(|| line.labels.get(field)).unwrap_or("");
        head.push(Span::styled(format!("{} ", fit(value, COLUMN)), theme.key));
        used += COLUMN + 1;
    }
    let mut out = said(line.line, head, (used, columns), look.wrap, find, body);
    if own.unfolded {
        out.extend(unfolded(ctx, known.as_ref(), columns));
    }
    out
}

/// What the line says, behind its head.
fn said<'a>(
    text: &'a str,
    mut head: Vec<Span<'a>>,
    (used, columns): (usize, usize),
    wraps: bool,
    find: &Find,
    body: ratatui::style::Style,
) -> Vec<Line<'a>> {
    if !wraps {
        match find.is_empty() {
            true => head.push(Span::styled(text, body)),
            false => {
                let text = find.in_view(text, columns.saturating_sub(used));
                head.extend(find.spans(&text, body));
            }
        }
        return vec![Line::from(head)];
    }
    let mut parts = wrap(text, columns.saturating_sub(used)).into_iter();
    head.extend(find.spans(&parts.next().unwrap_or_default(), body));
    let mut rows = vec![Line::from(head)];
    rows.extend(parts.take(WRAP_ROWS - 1).map(|part| {
        let mut spans = vec![Span::raw(" ".repeat(used))];
        spans.extend(find.spans(&part, body));
        Line::from(spans)
    }));
    rows
}

/// The fields one under another, indented.
fn unfolded<'a>(
    ctx: &Ctx<'a>,
    known: Option<&crate::model::fields::Fields>,
    columns: usize,
) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let Some(known) = known else {
        let text = "      ▾ no fields: neither JSON nor logfmt nor klog";
        return vec![Line::styled(text, theme.muted)];
    };
    let head = format!(
        "      ▾ {}, {} fields",
        known.written.word(),
        known.all.len()
    );
    let mut out = vec![Line::styled(head, theme.muted)];
    let widest = known.all.iter().map(|(n, _)| width(n)).max().unwrap_or(0);
    let name_columns = widest.min(columns / 3);
    for (name, value) in &known.all {
        let room = columns.saturating_sub(name_columns + 9);
        for (number, part) in wrap(value, room).into_iter().take(4).enumerate() {
            let name = if number == 0 { name.as_str() } else { "" };
            out.push(Line::from(vec![
                Span::styled(
                    format!("        {} ", fit(name, name_columns)),
                    theme.accent,
                ),
                Span::styled(part, theme.base),
            ]));
        }
    }
    if out.len() > FIELD_ROWS {
        out.truncate(FIELD_ROWS);
        out.push(Line::styled(
            "        … the rest stands in the detail (d)",
            theme.muted,
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans() {
        for (ms, text) in [
            (0, "0.000s"),
            (6, "0.006s"),
            (59_999, "59.999s"),
            (61_000, "1m01s"),
            (7_260_000, "2h01m"),
            (90_000_000, "1d01h"),
            (-1_500, "-1.500s"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
