//! A row of the object screen: a key with its value, a heading, or a line of text.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::model::object::ObjectKey;
use crate::ui::Theme;
use crate::ui::widget::text::wrap;

/// Columns of the keys.
const KEYS: usize = 13;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Muted,
    Good,
    Warn,
    Bad,
    Unknown,
    Title,
}

impl Tone {
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Plain => theme.base,
            Self::Muted => theme.muted,
            Self::Good => theme.ok,
            Self::Warn => theme.warn,
            Self::Bad => theme.crit,
            Self::Unknown => theme.unknown,
            Self::Title => theme.title,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Empty: the value begins at the left edge.
    pub key: String,
    pub value: String,
    pub tone: Tone,
    /// The object that Enter opens.
    pub target: Option<ObjectKey>,
}

impl Row {
    pub fn pair(key: &str, value: impl Into<String>) -> Self {
        Self::toned(key, value, Tone::Plain)
    }

    pub fn toned(key: &str, value: impl Into<String>, tone: Tone) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            tone,
            target: None,
        }
    }

    pub fn heading(text: &str) -> Self {
        Self::toned("", text, Tone::Title)
    }

    pub fn line(text: impl Into<String>, tone: Tone) -> Self {
        Self::toned("", text, tone)
    }

    /// What is searched and copied.
    pub fn text(&self) -> String {
        match self.key.as_str() {
            "" => self.value.clone(),
            key => format!("{key:<KEYS$} {}", self.value),
        }
    }

    /// As it is drawn: one line, or as many as the columns ask for.
    pub fn lines(&self, theme: &Theme, columns: usize, wrapped: bool) -> Vec<Line<'static>> {
        let style = self.tone.style(theme);
        let indent = if self.key.is_empty() { 0 } else { KEYS + 1 };
        let parts = match wrapped {
            true => wrap(&self.value, columns.saturating_sub(indent).max(8)),
            false => vec![self.value.clone()],
        };
        let mut first = true;
        let line = |part: String| {
            let value = Span::styled(part, style);
            if self.key.is_empty() {
                return Line::from(vec![value]);
            }
            let key = if std::mem::take(&mut first) {
                format!("{:<KEYS$} ", self.key)
            } else {
                " ".repeat(KEYS + 1)
            };
            Line::from(vec![Span::styled(key, theme.muted), value])
        };
        parts.into_iter().map(line).collect()
    }
}

/// A line of YAML: the key apart from its value.
pub fn yaml_line(theme: &Theme, text: &str) -> Line<'static> {
    let body = text.trim_start_matches([' ', '-']);
    let lead = text.len() - body.len();
    let end = match body.find(": ") {
        Some(at) => Some(at + 1),
        None => body.ends_with(':').then_some(body.len()),
    };
    let Some(end) = end.filter(|end| !body.get(..*end).unwrap_or_default().contains(['"', ' ']))
    else {
        return Line::styled(text.to_owned(), value_style(theme, body));
    };
    let (key, value) = text.split_at(lead + end);
    Line::from(vec![
        Span::styled(key.to_owned(), theme.muted),
        Span::styled(value.to_owned(), value_style(theme, value)),
    ])
}

fn value_style(theme: &Theme, value: &str) -> Style {
    // What farwatch itself put there.
    if value.trim_start().trim_start_matches('"').starts_with('‹') {
        theme.accent
    } else {
        theme.base
    }
}
