//! Applications by places: the version in each cell, the odd one out marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line as Text, Span};

use super::detail::Told;
use super::list::AppId;
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::state::world::apps::matrix::{Cell, FACTS, Line, Matrix, Member, Place, compare};
use crate::ui::Ctx;
use crate::ui::view::Focus;
use crate::ui::widget::filter::Filter;
use crate::ui::widget::table::{Column, Table, widths};

/// Columns before those of the places.
const FIRST: usize = 2;
/// Width of a place.
const PLACE: (u16, u16) = (13, 26);

/// Name and repository would do; the first member tells both apart from all others.
pub type LineId = (String, Option<AppId>);

pub fn id(line: &Line<'_>) -> LineId {
    let first = line.members().next();
    (
        line.name.clone(),
        first.map(|m| AppId::of(m.held_by, m.app)),
    )
}

pub struct Sheet<'a> {
    pub places: Vec<Place>,
    pub lines: Vec<Line<'a>>,
    /// In one place only: there is nothing to compare.
    alone: usize,
}

pub fn sheet<'a>(
    world: &'a World,
    scope: Option<ClusterId>,
    filter: &Filter,
    uneven: bool,
) -> Sheet<'a> {
    let Matrix { places, mut lines } = compare(world, scope);
    lines.retain(|l| {
        (!uneven || !l.is_even()) && (filter.is_empty() || matches(l, &places, filter))
    });
    let alone = lines.iter().filter(|l| l.members().count() < 2).count();
    Sheet {
        places,
        lines,
        alone,
    }
}

fn matches(line: &Line<'_>, places: &[Place], filter: &Filter) -> bool {
    let mut fields = vec![("app", line.name.as_str()), ("name", line.name.as_str())];
    for (place, cell) in places.iter().zip(&line.cells) {
        match cell {
            Cell::Here(member) => {
                fields.push(("cluster", &place.cluster));
                fields.push(("environment", &place.environment));
                fields.push(("tool", member.app.kind.tool()));
                fields.push(("kind", member.app.kind.as_str()));
                fields.push(("sync", member.app.sync.word()));
                fields.push(("health", member.app.health.word()));
                fields.push(("project", member.app.project.as_deref().unwrap_or_default()));
            }
            Cell::Missing => fields.push(("missing", &place.cluster)),
            Cell::Nothing => {}
        }
    }
    filter.matches(&fields)
}

/// Which facts differ, in words.
fn differing(line: &Line<'_>) -> String {
    let facts = FACTS.iter().zip(line.differs).filter(|(_, d)| *d);
    let mut words: Vec<String> = facts.map(|(name, _)| (*name).to_owned()).collect();
    if line.missing() > 0 {
        words.push(format!("missing in {}", line.missing()));
    }
    words.join(", ")
}

/// What a cell says first: the image, else the chart, else the revision.
fn version(member: &Member<'_>) -> (String, bool) {
    let tag = |image: &String| image.rsplit(':').next().unwrap_or_default().to_owned();
    match (member.images.as_slice(), &member.chart) {
        ([one], _) => (tag(one), member.odd[1]),
        (_, Some(chart)) => {
            let version = chart.rsplit(' ').next().unwrap_or_default();
            (version.to_owned(), member.odd[2])
        }
        ([], None) => (String::new(), false),
        ([first, rest @ ..], None) => (format!("{}+{}", tag(first), rest.len()), member.odd[1]),
    }
}

impl<'a> Sheet<'a> {
    pub fn title(&self) -> String {
        let uneven = self.lines.iter().filter(|l| !l.is_even()).count();
        format!(
            "Matrix: {} applications in {} places, {uneven} uneven, {} in one place",
            self.lines.len(),
            self.places.len(),
            self.alone
        )
    }

    /// The columns, from the first place shown on.
    fn columns(&self, first: usize) -> Vec<Column<'static>> {
        let mut columns = vec![Column::new("APP", 14, 30), Column::new("DIFFERS", 8, 26)];
        let (min, max) = PLACE;
        let place = |i: usize| match i < first {
            true => Column::new("", min, max).hidden(),
            false => Column::new("", min, max).priority(1),
        };
        columns.extend((0..self.places.len()).map(place));
        columns
    }

    pub fn draw(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        table: &Table<LineId>,
        first: usize,
    ) {
        let columns = self.columns(first);
        table.draw(
            ctx,
            area,
            buf,
            (&columns, &self.lines),
            id,
            |line, column| cell(ctx, line, column),
        );
        // The names of the places are known only now: they are written into the empty header.
        let mut x = area.x;
        let mut last = 0;
        for (index, width) in widths(&columns, area.width) {
            if let Some(place) = index.checked_sub(FIRST).and_then(|i| self.places.get(i)) {
                ctx.put(buf, (x, area.y), width, &place.to_string(), ctx.theme.muted);
                last = index - FIRST + 1;
            }
            x = x.saturating_add(width + 1);
        }
        if first > 0 || last < self.places.len() {
            let text = format!("places {}-{last} of {} (h l)", first + 1, self.places.len());
            let width = u16::try_from(text.len()).unwrap_or(0);
            if area.height > 1 && usize::from(area.height) > self.lines.len() + 1 {
                let at = (area.right().saturating_sub(width), area.bottom() - 1);
                ctx.put(buf, at, width, &text, ctx.theme.muted);
            }
        }
    }

    pub fn detail(&self, ctx: &Ctx<'_>, line: &Line<'_>, width: usize) -> Vec<Text<'a>> {
        let mut told = Told::new(ctx, width);
        told.out
            .push(Text::styled(line.name.clone(), ctx.theme.title));
        match differing(line).as_str() {
            "" => told.text("even: every place has the same", ctx.theme.base),
            differs => told.text(&format!("differs: {differs}"), ctx.theme.warn),
        }
        told.text(
            "≠ marks what differs from most of the others",
            ctx.theme.muted,
        );
        told.heading("place, revision, images, chart, tracked, state");
        for text in member_texts(&self.places, line) {
            told.text(&text, ctx.theme.base);
        }
        told.out
    }

    pub fn focus(&self, line: &Line<'_>) -> Option<Focus> {
        let odd = line.members().find(|m| m.odd.contains(&true));
        let member = odd.or(line.members().next())?;
        Some(AppId::of(member.held_by, member.app).focus())
    }

    pub fn plain(&self, line: &Line<'_>) -> String {
        let texts = member_texts(&self.places, line);
        format!(
            "{} differs in: {}\n{}",
            line.name,
            differing(line),
            texts.join("\n")
        )
    }
}

fn cell<'a>(ctx: &Ctx<'_>, line: &'a Line<'_>, column: usize) -> Text<'a> {
    let theme = ctx.theme;
    let place = match column.checked_sub(FIRST) {
        None if column == 0 => return Text::styled(line.name.as_str(), theme.base),
        None => return Text::styled(differing(line), theme.warn),
        Some(place) => place,
    };
    match line.cells.get(place) {
        Some(Cell::Here(member)) => {
            let style = |odd: bool| if odd { theme.warn } else { theme.base };
            let marked = |text: &str, odd: bool| match odd {
                true => format!("{text}≠"),
                false => text.to_owned(),
            };
            let (version, odd) = version(member);
            let revision = member.revision.as_deref().unwrap_or("-");
            let branch = member.odd[3];
            let mut spans = vec![Span::styled(
                marked(revision, member.odd[0]),
                style(member.odd[0]),
            )];
            if !version.is_empty() && version != revision {
                spans.push(Span::raw(" "));
                spans.push(Span::styled(marked(&version, odd), style(odd)));
            }
            if branch {
                let target = member.target.as_deref().unwrap_or("-");
                spans.push(Span::styled(format!(" {target}≠"), theme.warn));
            }
            Text::from(spans)
        }
        Some(Cell::Missing) => Text::styled("missing", theme.crit),
        Some(Cell::Nothing) => Text::styled("-", theme.muted),
        None => Text::default(),
    }
}

/// One text for each place that has it or should have it.
pub fn member_texts(places: &[Place], line: &Line<'_>) -> Vec<String> {
    let told = places.iter().zip(&line.cells).filter_map(|(place, cell)| {
        let member = match cell {
            Cell::Here(member) => member,
            Cell::Missing => return Some(format!("{place}: missing")),
            Cell::Nothing => return None,
        };
        let images = match member.images.as_slice() {
            [] => None,
            images => Some(images.join(" ")),
        };
        let facts = [
            member.revision.clone(),
            images,
            member.chart.clone(),
            member.target.as_ref().map(|t| format!("tracks {t}")),
        ];
        let facts = facts.into_iter().zip(member.odd).filter_map(|(fact, odd)| {
            let mark = if odd { " ≠" } else { "" };
            fact.map(|f| format!("{f}{mark}"))
        });
        let facts: Vec<String> = facts.collect();
        let app = member.app;
        Some(format!(
            "{place}: {} · {} {} ({})",
            facts.join(", "),
            app.sync.word(),
            app.health.word(),
            app.kind.tool()
        ))
    });
    told.collect()
}
