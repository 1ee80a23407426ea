//! All that is known of one span.

use ratatui::style::Style;
use ratatui::text::Line;

use super::waterfall::took;
use crate::model::trace::{Attributes, Node, Place, Status, Trace};
use crate::ui::Ctx;
use crate::ui::view::common::heading;
use crate::ui::widget::text::wrap;

/// Lines of a value that are shown.
const MOST: usize = 40;

struct Page<'a> {
    ctx: &'a Ctx<'a>,
    wide: usize,
    out: Vec<Line<'static>>,
}

impl Page<'_> {
    fn text(&mut self, text: &str, style: Style) {
        let parts = text.split('\n').flat_map(|line| wrap(line, self.wide));
        self.out
            .extend(parts.take(MOST).map(|part| Line::styled(part, style)));
    }

    fn head(&mut self, text: &str) {
        self.out.push(Line::default());
        self.out.push(heading(self.ctx.theme, text.to_owned()));
    }

    fn pairs(&mut self, pairs: &Attributes, indent: &str) {
        for (name, value) in pairs {
            let text = format!("{indent}{name} = {value}");
            self.text(&text, self.ctx.theme.base);
        }
    }
}

pub fn lines(ctx: &Ctx<'_>, trace: &Trace, node: &Node, wide: usize) -> Vec<Line<'static>> {
    let mut page = Page {
        ctx,
        wide: wide.max(8),
        out: Vec::new(),
    };
    let (theme, span) = (ctx.theme, &node.span);
    page.text(&format!("{} {}", span.service, span.operation), theme.title);
    status(&mut page, node);
    times(&mut page, trace, node);
    odd(&mut page, node);
    if !span.attributes.is_empty() {
        page.head("attributes");
        page.pairs(&span.attributes, "");
    }
    if !span.events.is_empty() {
        page.head("events");
        for event in &span.events {
            let after = match span.start_ns > 0 && event.at_ns >= span.start_ns {
                true => format!("+{}", took(event.at_ns - span.start_ns)),
                false => "before its begin".to_owned(),
            };
            page.text(&format!("{after} {}", event.name), theme.warn);
            page.pairs(&event.attributes, "  ");
        }
    }
    if !span.links.is_empty() {
        page.head("links (Enter opens the first)");
        for link in &span.links {
            page.text(
                &format!("trace {} span {}", link.trace, link.span),
                theme.accent,
            );
            page.pairs(&link.attributes, "  ");
        }
    }
    if !span.resource.is_empty() {
        page.head("sender");
        page.pairs(&span.resource, "");
    }
    page.head("ids");
    page.text(&format!("trace {}", trace.id), theme.muted);
    page.text(&format!("span {}", span.id), theme.muted);
    page.out
}

fn status(page: &mut Page<'_>, node: &Node) {
    let (theme, span) = (page.ctx.theme, &node.span);
    let (word, style) = match span.status {
        Status::Error => ("✗ ERROR", theme.crit),
        Status::Ok => ("OK", theme.ok),
        Status::Unset => ("status not set", theme.muted),
    };
    let mut text = word.to_owned();
    for more in [span.kind.word(), &span.message] {
        if !more.is_empty() {
            text.push_str(&format!(" · {more}"));
        }
    }
    page.text(&text, style);
}

fn times(page: &mut Page<'_>, trace: &Trace, node: &Node) {
    let base = page.ctx.theme.base;
    let (Some(whole), Some((begin, end))) = (node.span.duration_ns(), trace.extent()) else {
        page.text(
            "its times cannot be used: no begin, no end, or the end comes first",
            base,
        );
        return;
    };
    let all = (end - begin).max(1) as f64;
    let share = |ns: i64| 100.0 * ns as f64 / all;
    let from = node.span.start_ns - begin;
    page.text(&format!("took {}, from +{}", took(whole), took(from)), base);
    if let Some(own) = node.self_ns {
        let text = format!("self {}, {:.0}% of the trace", took(own), share(own));
        page.text(&text, base);
    }
    let critical = match node.critical_ns {
        0 => "not on the critical path".to_owned(),
        ns => format!("critical path {}, {:.0}%", took(ns), share(ns)),
    };
    page.text(&critical, base);
}

fn odd(page: &mut Page<'_>, node: &Node) {
    let warn = page.ctx.theme.warn;
    match (node.place, node.span.parent) {
        (Place::Orphan, Some(parent)) => {
            page.text(&format!("its parent {parent} is not among the spans"), warn);
        }
        (Place::Loop, _) => page.text("its parents lead back to itself", warn),
        _ => {}
    }
    if node.early_ns > 0 {
        let text = format!(
            "begins {} before its parent: clocks differ",
            took(node.early_ns)
        );
        page.text(&text, warn);
    }
    if node.late_ns > 0 {
        page.text(
            &format!("ends {} after its parent", took(node.late_ns)),
            warn,
        );
    }
    if node.span.dropped > 0 {
        let text = format!(
            "{} attributes, events or links were left out",
            node.span.dropped
        );
        page.text(&text, warn);
    }
}
