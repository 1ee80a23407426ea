//! How an object is painted: what it is, where that came from, its tabs, and the tab that is open.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::body::Body;
use super::visit::{Subject, Tab, Visit, Yaml};
use super::{ObjectView, motion};
use crate::model::health::SourceKind;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{ago, name};
use crate::ui::widget::table::put_line;

impl ObjectView {
    pub(super) fn title(&self, ctx: &Ctx<'_>) -> String {
        let Some(Subject { cluster, key }) = self.visit.as_ref().map(|v| &v.at) else {
            return "Object".into();
        };
        let place = match key.namespace.as_ref() {
            "" => key.name.to_string(),
            namespace => format!("{namespace}/{}", key.name),
        };
        format!(
            "{} {place} on {}",
            key.kind.word(),
            name(ctx.world, *cluster)
        )
    }

    /// Where what is shown came from, and how old it is.
    pub(super) fn source(&self, ctx: &Ctx<'_>) -> String {
        let Some(visit) = &self.visit else {
            return String::new();
        };
        match (visit.tab, &visit.yaml) {
            (Tab::Yaml, Yaml::Got(got)) => {
                let size = Unit::Bytes.write(got.bytes as f64);
                format!("{} · {size} · {} ago", got.origin, ago(ctx.world, got.at))
            }
            (Tab::Yaml | Tab::Logs, _) => String::new(),
            _ => {
                let c = ctx.world.cluster(visit.at.cluster);
                let health = c.and_then(|c| c.sources.get(&SourceKind::Kubernetes));
                let kind = visit.shows();
                let watched = match c.is_some_and(|c| c.is_listed(kind)) {
                    true => "watched",
                    false => "not watched",
                };
                match health.and_then(|h| h.last_ok) {
                    Some(at) => format!("{watched} · heard {} ago", ago(ctx.world, at)),
                    None => "not heard yet".into(),
                }
            }
        }
    }

    pub(super) fn draw_tabs(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        (visit, body): (&Visit, &Body<'_>),
    ) {
        let mut x = area.x;
        for tab in Tab::of(visit.at.key.kind) {
            let chosen = *tab == visit.tab;
            let (text, style) = match chosen {
                true => (format!("[{}]", tab.word()), ctx.theme.title),
                false => (format!(" {} ", tab.word()), ctx.theme.muted),
            };
            let room = area.right().saturating_sub(x);
            x = ctx.put(buf, (x, area.y), room, &text, style);
        }
        let told = self.matches_told(body);
        if !told.is_empty() {
            let room = area.right().saturating_sub(x + 2);
            ctx.put(buf, (x + 2, area.y), room, &told, ctx.theme.accent);
        }
    }

    pub(super) fn draw_body(
        &self,
        ctx: &Ctx<'_>,
        area: Rect,
        buf: &mut Buffer,
        (visit, body): (&Visit, &Body<'_>),
    ) {
        let columns = usize::from(area.width);
        let wrapped = self.wraps();
        // The text may have become shorter than it was when it was scrolled.
        let top = match visit.top {
            0 => 0,
            top => top.min(self.last_top(body, ctx, area)),
        };
        let (mut y, mut at) = (area.y, top);
        while y < area.bottom() && at < body.len() {
            let found = self.matches_row(body, at);
            let chosen = visit.tab == Tab::Owners && at == visit.cursor && ctx.focus;
            for line in body.lines(ctx, at, columns, wrapped) {
                if y >= area.bottom() {
                    break;
                }
                let line = motion::shifted(line, visit.shift);
                put_line(ctx, buf, (area.x, y), area.width, false, &line);
                let row = Rect {
                    y,
                    height: 1,
                    ..area
                };
                if chosen {
                    buf.set_style(row, ctx.theme.selected);
                } else if found {
                    buf.set_style(row, ctx.theme.accent);
                }
                y += 1;
            }
            at += 1;
        }
    }
}
