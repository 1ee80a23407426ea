//! Markdown as lines of at most a given width, in the colours of the theme.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use tui_markdown::{AlertKind, Options, StyleSheet};
use unicode_width::UnicodeWidthChar;

use crate::ui::Theme;

/// Styles of the theme for the parts of a document.
#[derive(Clone, Debug)]
struct Sheet {
    heading: Style,
    code: Style,
    link: Style,
    quote: Style,
    muted: Style,
    base: Style,
}

impl Sheet {
    fn new(theme: &Theme) -> Self {
        Self {
            heading: theme.title.add_modifier(Modifier::BOLD),
            code: theme.accent,
            link: theme.accent.add_modifier(Modifier::UNDERLINED),
            quote: theme.muted,
            muted: theme.muted,
            base: theme.base,
        }
    }
}

impl StyleSheet for Sheet {
    fn heading(&self, _level: u8) -> Style {
        self.heading
    }
    fn code(&self) -> Style {
        self.code
    }
    fn link(&self) -> Style {
        self.link
    }
    fn blockquote(&self) -> Style {
        self.quote
    }
    fn heading_meta(&self) -> Style {
        self.muted
    }
    fn metadata_block(&self) -> Style {
        self.muted
    }
    fn alert(&self, _kind: AlertKind) -> Style {
        self.heading
    }
    fn html(&self) -> Style {
        self.muted
    }
    fn footnote_ref(&self) -> Style {
        self.muted
    }
    fn footnote_def(&self) -> Style {
        self.muted
    }
    fn table_border(&self) -> Style {
        self.muted
    }
    fn list_marker(&self) -> Style {
        self.muted
    }
    fn image_alt(&self) -> Style {
        self.muted
    }
    fn definition_description(&self) -> Style {
        self.muted
    }
    fn math_inline(&self) -> Style {
        self.code
    }
    fn math_display(&self) -> Style {
        self.code
    }
    fn definition_term(&self) -> Style {
        self.heading
    }
    fn table_header(&self) -> Style {
        self.heading
    }
    fn table_cell(&self) -> Style {
        self.base
    }
    /// The stock ones are wide pictures, which terminals measure differently.
    fn alert_icon(&self, _kind: AlertKind) -> &str {
        ""
    }
}

/// `text` laid out in `width` columns. Text is data: unsafe characters are left out first.
pub fn lines(text: &str, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let text = crate::model::text::clean_lines(text, usize::MAX / 4);
    let columns = u16::try_from(width).unwrap_or(u16::MAX);
    let options = Options::new(Sheet::new(theme)).table_width(columns);
    let parsed = tui_markdown::from_str_with_options(&text, &options);
    let base = parsed.style.patch(theme.base);
    let mut out = Vec::new();
    let mut code = false;
    for mut line in parsed.lines {
        let text: String = line.spans.iter().map(|s| s.content.as_ref()).collect();
        if text.starts_with("```") {
            code = !code;
            continue;
        }
        if code {
            line.spans.insert(0, Span::raw("  "));
        } else {
            unmark(&mut line, &text);
        }
        wrap_line(&line, base, width.max(1), &mut out);
    }
    out
}

/// Takes away the marks of a heading or a quote that the style tells anyway.
fn unmark(line: &mut Line<'_>, text: &str) {
    let hashes = text.bytes().take_while(|b| *b == b'#').count();
    let heading = (1..=6).contains(&hashes) && text.as_bytes().get(hashes) == Some(&b' ');
    let mark = match text {
        _ if heading => text.get(..=hashes),
        t if t.starts_with("> ") || t == ">" => text.get(..1),
        _ => return,
    };
    let Some(first) = line.spans.first_mut() else {
        return;
    };
    let Some(rest) = mark.and_then(|mark| first.content.strip_prefix(mark)) else {
        return;
    };
    first.content = match heading {
        true => rest.to_owned(),
        false => format!("│{rest}"),
    }
    .into();
}

/// One styled line as several; broken at blanks where there are any.
fn wrap_line(line: &Line<'_>, base: Style, width: usize, out: &mut Vec<Line<'static>>) {
    let letters: Vec<(char, Style)> = line
        .spans
        .iter()
        .flat_map(|span| {
            let style = base.patch(line.style).patch(span.style);
            span.content
                .chars()
                .map(move |c| (c, style))
                .collect::<Vec<_>>()
        })
        .collect();
    let indent = letters
        .iter()
        .take_while(|(c, _)| *c == ' ')
        .count()
        .min(width / 2);
    let mut start = 0;
    while start < letters.len() || start == 0 {
        let lead = if start == 0 { 0 } else { indent };
        let rest = letters.get(start..).unwrap_or_default();
        let take = fitting(rest, width - lead);
        let part = rest.get(..take).unwrap_or_default();
        let mut spans = vec![Span::styled(" ".repeat(lead), base)];
        spans.extend(runs(part));
        out.push(Line::from(spans));
        start += take.max(1);
        // The blank at which a line is broken is not drawn at the start of the next one.
        while start < letters.len() && letters.get(start).is_some_and(|(c, _)| *c == ' ') {
            start += 1;
        }
    }
}

/// How many letters go into `width` columns.
fn fitting(letters: &[(char, Style)], width: usize) -> usize {
    let mut used = 0;
    let mut blank = None;
    for (index, (c, _)) in letters.iter().enumerate() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            return match blank {
                _ if *c == ' ' => index,
                Some(place) if place > 0 => place,
                _ => index.max(1),
            };
        }
        if *c == ' ' {
            blank = Some(index);
        }
        used += wide;
    }
    letters.len()
}

/// Letters of one style together.
fn runs(letters: &[(char, Style)]) -> Vec<Span<'static>> {
    letters
        .chunk_by(|a, b| a.1 == b.1)
        .map(|run| {
            let style = run.first().map(|l| l.1).unwrap_or_default();
            Span::styled(run.iter().map(|l| l.0).collect::<String>(), style)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, width: usize) -> Vec<String> {
        lines(text, &Theme::default(), width)
            .iter()
            .map(|l| l.to_string().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn wraps_and_keeps_every_word() {
        let text = "GNSS loss on **n-07-b** took `ens1f0` to HOLDOVER, then FREERUN.";
        for width in 1..70 {
            let shown = plain(text, width);
            assert!(
                shown.iter().all(|l| l.chars().count() <= width),
                "{width} {shown:?}"
            );
            let joined: String = shown.concat().split_whitespace().collect();
            assert!(
                joined.contains("GNSSlosson") && joined.contains("FREERUN"),
                "{joined}"
            );
        }
    }

    #[test]
    fn lists_headings_and_code() {
        let shown = plain("# Cause\n\n- one\n- two\n\n```\nup == 0\n```\n", 40).join("\n");
        for word in ["Cause", "- one", "- two", "up == 0"] {
            assert!(shown.contains(word), "{shown}");
        }
    }

    #[test]
    fn hostile_text_is_text() {
        let shown = plain(
            "\u{1b}[2J<b>x</b> \u{202e}evil [l](javascript:x) | a | b |",
            30,
        )
        .join("\n");
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
            "{shown:?}"
        );
        plain(&"*".repeat(2_000), 20);
        plain(&">".repeat(500), 20);
    }

    #[test]
    fn marks_that_the_style_tells_are_left_out() {
        let lines = lines(
            "## Cause\n\n```sh\n# not a heading\n```\n\n> told\n",
            &Theme::default(),
            40,
        );
        let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        assert!(text.contains("Cause") && !text.contains("## "), "{text}");
        assert!(
            text.contains("  # not a heading") && !text.contains("```"),
            "{text}"
        );
        assert!(text.contains("│ told"), "{text}");
    }
}
