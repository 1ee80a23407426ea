//! Lines of the device page: a reading with its unit, or why there is none.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::past;
use crate::model::gpu::{Gpu, Lacking};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::ui::Ctx;
use crate::ui::view::common::{pair, reading};
use crate::ui::widget::text::wrap;

/// One device being written.
pub struct Page<'c, 'a> {
    pub ctx: &'c Ctx<'c>,
    pub cluster: ClusterId,
    pub gpu: &'a Gpu,
    pub width: usize,
    pub out: Vec<Line<'a>>,
}

impl<'a> Page<'_, 'a> {
    pub fn push(&mut self, line: Line<'a>) {
        self.out.push(line);
    }

    /// Style of what is well, as long as the device is heard of.
    pub fn well(&self) -> Style {
        match self.gpu.newest().is_none_or(|s| self.ctx.is_old(s.at)) {
            true => self.ctx.theme.muted,
            false => self.ctx.theme.ok,
        }
    }

    /// Text over as many lines as it needs.
    pub fn text(&mut self, text: &str, style: Style) {
        let parts = wrap(text, self.width.max(1)).into_iter();
        self.out.extend(parts.map(|p| Line::styled(p, style)));
    }

    pub fn pair(&mut self, key: &'a str, value: impl Into<String>, style: Style) {
        self.out.push(pair(self.ctx.theme, key, value, style));
    }

    /// A pair whose value may need several lines.
    pub fn long(&mut self, key: &'a str, value: &str, style: Style) {
        let parts = wrap(value, self.width.saturating_sub(12).max(1));
        for (at, part) in parts.into_iter().enumerate() {
            let key = if at == 0 { key } else { "" };
            self.out.push(pair(self.ctx.theme, key, part, style));
        }
    }

    fn lacking(&self, field: Lacking) -> Span<'a> {
        let why = self.gpu.absent(field);
        Span::styled(format!("n/a ({why})"), self.ctx.theme.muted)
    }

    /// A value, or why there is none. What is no longer told is not what was never told: `names` of
    /// the series that may hold its last one.
    pub fn value(
        &mut self,
        key: &'a str,
        now: Option<Sample>,
        unit: Unit,
        lack: Lacking,
        names: &[&str],
    ) {
        let last = || past::last(self.ctx, self.cluster, self.gpu, names);
        let Some(sample) = now.or_else(last) else {
            let why = format!("n/a ({})", self.gpu.absent(lack));
            return self.long(key, &why, self.ctx.theme.muted);
        };
        let value = reading(self.ctx, Some(sample), unit, self.ctx.theme.base);
        let key = Span::styled(format!("{key:<12}"), self.ctx.theme.muted);
        self.out.push(Line::from(vec![key, value]));
    }

    /// Two values that belong together; one reason where both are missing.
    pub fn both(
        &mut self,
        key: &'a str,
        (first, second): (Option<Sample>, Option<Sample>),
        between: &'a str,
        unit: Unit,
        lack: Lacking,
    ) {
        let theme = self.ctx.theme;
        let mut spans = vec![Span::styled(format!("{key:<12}"), theme.muted)];
        if first.is_none() && second.is_none() {
            spans.push(self.lacking(lack));
        } else {
            spans.push(reading(self.ctx, first, unit, theme.base));
            spans.push(Span::styled(between, theme.muted));
            spans.push(reading(self.ctx, second, unit, theme.base));
        }
        self.out.push(Line::from(spans));
    }

    /// A count of errors: none is good, some are not.
    pub fn counts(
        &mut self,
        key: &'a str,
        (mild, bad): (Option<f64>, Option<f64>),
        words: (&str, &str),
        lack: Lacking,
    ) {
        let theme = self.ctx.theme;
        let mut spans = vec![Span::styled(format!("{key:<12}"), theme.muted)];
        if mild.is_none() && bad.is_none() {
            spans.push(self.lacking(lack));
            self.out.push(Line::from(spans));
            return;
        }
        let write = |n: Option<f64>| n.map_or("n/a".into(), |n| Unit::None.write(n));
        spans.push(Span::styled(
            format!("{} {}, ", write(mild), words.0),
            theme.base,
        ));
        let some = bad.is_some_and(|n| n > 0.0);
        let (mark, style) = if some {
            (" ✗", theme.crit)
        } else {
            ("", theme.base)
        };
        spans.push(Span::styled(
            format!("{} {}{mark}", write(bad), words.1),
            style,
        ));
        self.out.push(Line::from(spans));
    }
}
