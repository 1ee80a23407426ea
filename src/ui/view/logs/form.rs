//! A form that writes the LogQL: where the lines come from, how bad they are, what they say.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Logs;
use crate::language::logql::write::{
    CLUSTER, COMPONENT, CONTAINER, LEVEL, NAMESPACE, POD, line_filter, matchers, name_of, quoted,
};
use crate::language::{Want, What};
use crate::message::Effect;
use crate::model::ask::Ask;
use crate::model::input::{Key, KeyPress};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{lines, sheet};
use crate::ui::view::editing::Heard;
use crate::ui::widget::field::Field;
use crate::ui::widget::text::{cut, wrap};

/// Values offered below a field.
const OFFERED: usize = 6;
const LABEL: usize = 11;

/// What is asked for, in the order of the form.
const ROWS: [(&str, &[&str]); 8] = [
    ("cluster", CLUSTER),
    ("namespace", NAMESPACE),
    ("app", COMPONENT),
    ("pod", POD),
    ("container", CONTAINER),
    ("level", LEVEL),
    ("text", &[]),
    ("not text", &[]),
];
const LEVEL_ROW: usize = 5;
const TEXT_ROW: usize = 6;
const LEVELS: [&str; 6] = ["critical", "error", "warn", "info", "debug", "trace"];

#[derive(Debug, Default)]
pub struct Form {
    fields: [Field; 8],
    at: usize,
    /// The value offered that is chosen.
    offer: Option<usize>,
}

/// What a key led to.
enum Done {
    Stay,
    /// The query as it is written.
    Run(String),
}

impl Form {
    fn labels(heard: &Heard) -> Vec<String> {
        let names = heard.names(&Ask::LokiLabelNames);
        names.map(|(name, ..)| name.to_owned()).collect()
    }

    /// The label that a row stands for on this server.
    fn label(row: usize, known: &[String]) -> Option<&'static str> {
        let candidates = ROWS.get(row).map(|(_, c)| *c).unwrap_or_default();
        name_of(candidates, known)
    }

    /// The query; a level that is no label of streams is asked of what Loki detected.
    fn written(&self, heard: &Heard) -> String {
        let known = Self::labels(heard);
        let mut asked = Vec::new();
        let mut rest = String::new();
        for (row, field) in self.fields.iter().enumerate().take(TEXT_ROW) {
            let typed = field.text().trim();
            if typed.is_empty() {
                continue;
            }
            let label = Self::label(row, &known);
            match (row, label) {
                (LEVEL_ROW, None | Some("detected_level")) => {
                    let filters = matchers("detected_level", typed);
                    rest.extend(filters.iter().map(|f| format!(" | {f}")));
                }
                (_, Some(label)) => asked.extend(matchers(label, typed)),
                // No label tells it there: any line may say it.
                (_, None) => rest.push_str(&format!(" |= {}", quoted(typed))),
            }
        }
        let texts = |row: usize| self.fields.get(row).map(Field::text).unwrap_or_default();
        let mut filters = line_filter(texts(TEXT_ROW));
        let without = texts(TEXT_ROW + 1).trim();
        if !without.is_empty() {
            filters.push_str(&line_filter(&format!("!{without}")));
        }
        let positive = asked.iter().any(|m| !m.contains("!=") && !m.contains("!~"));
        if !positive {
            let any = [NAMESPACE, COMPONENT, POD].into_iter();
            let any = any.filter_map(|c| name_of(c, &known)).next();
            let any = any
                .or(known.first().map(String::as_str))
                .unwrap_or("namespace");
            asked.insert(0, format!("{any}=~\".+\""));
        }
        format!("{{{}}}{filters}{rest}", asked.join(", "))
    }

    /// What the other rows ask of streams: only values beside theirs are offered.
    fn others(&self, known: &[String]) -> Option<String> {
        let rows = self.fields.iter().enumerate().take(LEVEL_ROW);
        let others = rows.filter(|(row, field)| *row != self.at && !field.text().trim().is_empty());
        let asked: Vec<String> = others
            .filter_map(|(row, field)| Some((Self::label(row, known)?, field.text().trim())))
            .flat_map(|(label, typed)| matchers(label, typed))
            .collect();
        let positive = asked.iter().any(|m| !m.contains("!=") && !m.contains("!~"));
        positive.then(|| format!("{{{}}}", asked.join(", ")))
    }

    /// Values that fit what is typed last in the row.
    fn offers<'h>(&self, heard: &'h Heard) -> Vec<&'h str> {
        let typed = self
            .fields
            .get(self.at)
            .map(Field::text)
            .unwrap_or_default();
        let last = typed.rsplit(',').next().unwrap_or_default();
        let last = last.trim().trim_start_matches('!').to_lowercase();
        let fits = |value: &&str| value.to_lowercase().contains(&last) && *value != last;
        if self.at == LEVEL_ROW {
            return LEVELS.into_iter().filter(fits).take(OFFERED).collect();
        }
        let known = Self::labels(heard);
        let Some(label) = Self::label(self.at, &known).filter(|_| self.at < TEXT_ROW) else {
            return Vec::new();
        };
        let ask = Ask::LokiLabelValues {
            label: label.to_owned(),
            query: self.others(&known),
        };
        let values = heard.names(&ask).map(|(name, ..)| name);
        values.filter(fits).take(OFFERED).collect()
    }

    fn press(&mut self, press: KeyPress, heard: &Heard) -> Done {
        let offers = self.offers(heard).len();
        match (press.ctrl, press.key) {
            (false, Key::Enter) if self.offer.is_some() => self.accept(heard),
            (false, Key::Enter) => return Done::Run(self.written(heard)),
            (false, Key::Tab) if offers > 0 && self.begun() => {
                self.offer = self.offer.or(Some(0));
                self.accept(heard);
            }
            (false, Key::Tab) => self.go(1),
            (false, Key::BackTab) => self.go(-1),
            (true, Key::Char('n')) if offers > 0 => {
                self.offer = Some(self.offer.map_or(0, |o| (o + 1) % offers));
            }
            (true, Key::Char('p')) if offers > 0 => {
                self.offer = Some(self.offer.map_or(offers - 1, |o| (o + offers - 1) % offers));
            }
            (false, Key::Down) => self.go(1),
            (false, Key::Up) => self.go(-1),
            _ => {
                if let Some(field) = self.fields.get_mut(self.at)
                    && field.press(press)
                {
                    self.offer = None;
                }
            }
        }
        Done::Stay
    }

    fn begun(&self) -> bool {
        self.fields
            .get(self.at)
            .is_some_and(|f| !f.text().trim().is_empty())
    }

    fn go(&mut self, by: isize) {
        self.offer = None;
        let rows = ROWS.len() as isize;
        self.at = usize::try_from((self.at as isize + by).rem_euclid(rows)).unwrap_or(0);
    }

    /// Puts in the value chosen, in place of what is typed last.
    fn accept(&mut self, heard: &Heard) {
        let offers = self.offers(heard);
        let Some(value) = self.offer.take().and_then(|at| offers.get(at)).copied() else {
            return;
        };
        let Some(field) = self.fields.get_mut(self.at) else {
            return;
        };
        let typed = field.text();
        let start = typed.rfind(',').map_or(0, |at| at + 1);
        let (before, last) = typed.split_at_checked(start).unwrap_or(("", typed));
        let not = if last.trim_start().starts_with('!') {
            "!"
        } else {
            ""
        };
        let blank = if before.is_empty() { "" } else { " " };
        *field = Field::new(&format!("{before}{blank}{not}{value}"));
    }
}

impl Logs {
    pub(super) fn open_form(&mut self, world: &World) -> Vec<Effect> {
        self.form = Some(Form::default());
        self.ask_for_form(world)
    }

    /// Labels, and the values of the row at the cursor.
    fn ask_for_form(&mut self, world: &World) -> Vec<Effect> {
        let Some(form) = &self.form else {
            return Vec::new();
        };
        let mut wants = vec![Want::plain(What::Labels { of: None })];
        let known = Form::labels(self.editing.heard());
        if form.at < TEXT_ROW
            && let Some(label) = Form::label(form.at, &known)
        {
            wants.push(Want::plain(What::Values {
                label: label.to_owned(),
                of: form.others(&known),
            }));
        }
        self.editing
            .ask(&wants, world, self.scope, &mut self.numbers)
    }

    pub(super) fn press_form(&mut self, press: KeyPress, world: &World) -> Vec<Effect> {
        let Some(form) = &mut self.form else {
            return Vec::new();
        };
        match form.press(press, self.editing.heard()) {
            Done::Stay => self.ask_for_form(world),
            Done::Run(query) => {
                self.form = None;
                self.run(&query, world)
            }
        }
    }

    pub(super) fn paste_form(&mut self, text: &str) {
        if let Some(form) = &mut self.form
            && let Some(field) = form.fields.get_mut(form.at)
        {
            field.paste(text);
        }
    }

    pub(super) fn draw_form(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(form) = &self.form else {
            return;
        };
        let heard = self.editing.heard();
        let offers = form.offers(heard);
        let width = area.width.saturating_sub(4).min(100);
        let query = wrap(&form.written(heard), usize::from(width.saturating_sub(2)));
        let rows = ROWS.len() + 1 + query.len().min(3) + offers.len();
        let height = u16::try_from(rows + 3).unwrap_or(u16::MAX).min(area.height);
        let right = "Enter runs · Tab completes, goes on · a, b · a* · !a";
        let inner = sheet(ctx, area, (width, height), buf, "query form", right);
        let theme = ctx.theme;
        let mut out = Vec::new();
        for (number, ((row, _), field)) in ROWS.iter().zip(&form.fields).enumerate() {
            let here = number == form.at;
            let mut spans = vec![Span::styled(
                format!("{row:<LABEL$} "),
                if here { theme.key } else { theme.muted },
            )];
            let room = usize::from(inner.width).saturating_sub(LABEL + 2);
            match here {
                true => spans.extend(typed(ctx, field, room)),
                false => spans.push(Span::styled(cut(field.text(), room), theme.base)),
            }
            out.push(Line::from(spans));
            if here {
                out.extend(offers.iter().enumerate().map(|(n, value)| {
                    let chosen = form.offer == Some(n);
                    let style = if chosen { theme.selected } else { theme.muted };
                    let text = cut(value, room);
                    Line::styled(format!("{:>LABEL$}   {text}", ""), style)
                }));
            }
        }
        out.push(Line::raw(""));
        let written = query.into_iter().take(3);
        out.extend(written.map(|q| Line::styled(q, theme.ok)));
        lines(ctx, inner, buf, &out, 0);
    }
}

/// What is typed, with its cursor.
fn typed<'a>(ctx: &Ctx<'a>, field: &Field, room: usize) -> Vec<Span<'a>> {
    let (skip, _) = field.in_view(room.saturating_sub(1).max(1));
    let part = |from: usize, count: usize| -> String {
        field.text().chars().skip(from).take(count).collect()
    };
    let at = part(field.cursor(), 1);
    let at = if at.is_empty() { " ".to_owned() } else { at };
    vec![
        Span::styled(part(skip, field.cursor() - skip), ctx.theme.base),
        Span::styled(at, ctx.theme.selected),
        Span::styled(part(field.cursor() + 1, room), ctx.theme.base),
    ]
}
