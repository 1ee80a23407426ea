//! A buffer of cells as an SVG picture: rectangles, text, and shapes for what fonts draw unevenly.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Size of a cell, and where its text stands.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 17.0;
const BASELINE: f32 = 12.8;
const INK: &str = "#d4d4d4";
const PAPER: &str = "#121212";

pub fn draw(buffer: &Buffer) -> String {
    let (width, height) = (
        f32::from(buffer.area.width) * WIDTH,
        f32::from(buffer.area.height) * HEIGHT,
    );
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"{PAPER}\"/>\n"
    );
    for row in 0..buffer.area.height {
        for run in runs(buffer, row) {
            run.paper(&mut out);
        }
        for run in runs(buffer, row) {
            run.ink(&mut out);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cells of a row that look alike.
struct Run<'a> {
    column: u16,
    row: u16,
    columns: u16,
    style: (String, String, Modifier),
    shape: bool,
    cells: Vec<(u16, &'a str)>,
}

fn runs(buffer: &Buffer, row: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut column = 0;
    while column < buffer.area.width {
        let Some(cell) = buffer.cell((column, row)) else {
            break;
        };
        let symbol = cell.symbol();
        let columns = u16::try_from(symbol.width()).unwrap_or(1).max(1);
        let shape = !outline(symbol).is_empty();
        let style = style(cell);
        // A character of two columns stands for itself: fonts disagree on its width.
        let joins = columns == 1
            && runs.last().is_some_and(|r| {
                r.style == style && r.shape == shape && r.columns as usize == r.cells.len()
            });
        match runs.last_mut().filter(|_| joins) {
            Some(run) => {
                run.cells.push((column, symbol));
                run.columns += 1;
            }
            None => runs.push(Run {
                column,
                row,
                columns,
                style,
                shape,
                cells: vec![(column, symbol)],
            }),
        }
        column += columns;
    }
    runs
}

fn style(cell: &Cell) -> (String, String, Modifier) {
    let (mut ink, mut paper) = (hex(cell.fg, INK), hex(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    (ink, paper, cell.modifier)
}

impl Run<'_> {
    fn paper(&self, out: &mut String) {
        let (_, paper, _) = &self.style;
        if paper == PAPER {
            return;
        }
        let (x, y) = corner(self.column, self.row);
        let width = f32::from(self.columns) * WIDTH;
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" \
             fill=\"{paper}\"/>"
        );
    }

    fn ink(&self, out: &mut String) {
        let (ink, _, modifier) = &self.style;
        if self.shape {
            let _ = write!(out, "<path fill=\"{ink}\" d=\"");
            for (column, symbol) in &self.cells {
                let (x, y) = corner(*column, self.row);
                for [left, top, width, height] in outline(symbol) {
                    let (left, top) = (x + left * WIDTH, y + top * HEIGHT);
                    let (width, height) = (width * WIDTH, height * HEIGHT);
                    let _ = write!(
                        out,
                        "M{left:.1} {top:.1}h{width:.1}v{height:.1}h-{width:.1}z"
                    );
                }
            }
            out.push_str("\"/>\n");
            return;
        }
        let mut dress = String::new();
        for (flag, attribute) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            (Modifier::DIM, " opacity=\"0.6\""),
        ] {
            if modifier.contains(flag) {
                dress.push_str(attribute);
            }
        }
        for (columns, text) in self.texts() {
            let (_, y) = corner(0, self.row);
            let places: Vec<String> = columns
                .iter()
                .map(|column| format!("{:.1}", f32::from(*column) * WIDTH))
                .collect();
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{:.1}\" fill=\"{ink}\"{dress}>{}</text>",
                places.join(" "),
                y + BASELINE,
                escape(&text)
            );
        }
    }

    /// Texts with the column of each character, so that no font and no viewer moves them; of
    /// several blanks one is kept. A symbol of several characters stands for itself.
    fn texts(&self) -> Vec<(Vec<u16>, String)> {
        let mut texts: Vec<(Vec<u16>, String)> = Vec::new();
        let mut joins = false;
        for (column, symbol) in &self.cells {
            let plain = symbol.chars().count() == 1;
            match texts.last_mut() {
                Some((columns, text)) if joins && plain => {
                    if symbol.trim().is_empty() && text.ends_with(' ') {
                        continue;
                    }
                    columns.push(*column);
                    text.push_str(symbol);
                }
                _ if symbol.trim().is_empty() => continue,
                _ => texts.push((vec![*column], (*symbol).to_owned())),
            }
            joins = plain;
        }
        for (columns, text) in &mut texts {
            if text.ends_with(' ') {
                text.pop();
                columns.pop();
            }
        }
        texts
    }
}

fn corner(column: u16, row: u16) -> (f32, f32) {
    (f32::from(column) * WIDTH, f32::from(row) * HEIGHT)
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A rectangle in parts of the cell: left, top, width, height.
type Part = [f32; 4];

/// Braille dots, block elements and box lines as rectangles; anything else as nothing.
fn outline(symbol: &str) -> Vec<Part> {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else {
        return Vec::new();
    };
    let code = u32::from(c);
    match code {
        0x2801..=0x28ff => dots(code - 0x2800),
        0x2581..=0x2588 => {
            let part = (code - 0x2580) as f32 / 8.0;
            vec![[0.0, 1.0 - part, 1.0, part]]
        }
        0x2589..=0x258f => vec![[0.0, 0.0, (0x2590 - code) as f32 / 8.0, 1.0]],
        0x2580 => vec![[0.0, 0.0, 1.0, 0.5]],
        0x2590 => vec![[0.5, 0.0, 0.5, 1.0]],
        0x2594 => vec![[0.0, 0.0, 1.0, 0.125]],
        _ => lines(c),
    }
}

fn dots(bits: u32) -> Vec<Part> {
    const PLACES: [(u8, u8); 8] = [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
        (0, 3),
        (1, 3),
    ];
    let dot = |(column, row): (u8, u8)| {
        let (x, y) = (f32::from(column), f32::from(row));
        [0.14 + 0.5 * x, 0.07 + 0.25 * y, 0.24, 0.12]
    };
    let set = PLACES.iter().enumerate();
    set.filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, place)| dot(*place))
        .collect()
}

/// Arms to the left, right, top and bottom of the middle.
fn lines(c: char) -> Vec<Part> {
    let arms = match c {
        '─' | '━' | '╌' | '┄' => [true, true, false, false],
        '│' | '┃' | '┆' | '╎' => [false, false, true, true],
        '┌' | '╭' => [false, true, false, true],
        '┐' | '╮' => [true, false, false, true],
        '└' | '╰' => [false, true, true, false],
        '┘' | '╯' => [true, false, true, false],
        '├' => [false, true, true, true],
        '┤' => [true, false, true, true],
        '┬' => [true, true, false, true],
        '┴' => [true, true, true, false],
        '┼' => [true, true, true, true],
        _ => return Vec::new(),
    };
    let (thin, low) = (0.13, 0.065);
    let parts = [
        [0.0, 0.5 - low / 2.0, 0.5 + thin / 2.0, low],
        [0.5 - thin / 2.0, 0.5 - low / 2.0, 0.5 + thin / 2.0, low],
        [0.5 - thin / 2.0, 0.0, thin, 0.5 + low / 2.0],
        [0.5 - thin / 2.0, 0.5 - low / 2.0, thin, 0.5 + low / 2.0],
    ];
    let chosen = arms.into_iter().zip(parts);
    chosen.filter(|(arm, _)| *arm).map(|(_, p)| p).collect()
}

fn hex(color: Color, reset: &str) -> String {
    const SIXTEEN: [&str; 16] = [
        "#000000", "#cc4444", "#4e9a51", "#c4a000", "#3f6fb5", "#8f5a9e", "#2aa1a8", "#d3d7cf",
        "#666a66", "#ef5555", "#7ad97f", "#f0d55a", "#729fcf", "#c08ac9", "#5fd7d7", "#eeeeec",
    ];
    let sixteen = |n: u8| SIXTEEN.get(usize::from(n)).map(|s| (*s).to_owned());
    let named = match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Indexed(n @ 0..16) => sixteen(n),
        Color::Indexed(n @ 232..) => {
            Some(8 + 10 * (n - 232)).map(|v| format!("#{v:02x}{v:02x}{v:02x}"))
        }
        Color::Indexed(n) => {
            let level = |i: u8| match i % 6 {
                0 => 0,
                i => 55 + 40 * i,
            };
            let n = n - 16;
            let (r, g, b) = (level(n / 36), level(n / 6), level(n));
            Some(format!("#{r:02x}{g:02x}{b:02x}"))
        }
        named => sixteen(crate::term::color::number_of(named)),
    };
    named.unwrap_or_else(|| reset.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_picture_of_text_and_shapes() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 14, 2));
        let red = Style::new().fg(Color::Red).bg(Color::Rgb(1, 2, 3));
        buffer.set_string(0, 0, "a<b&c", red);
        buffer.set_string(0, 1, "│⣿▄日x", Style::new());
        buffer.set_string(6, 0, " b c  d", Style::new());
        let svg = draw(&buffer);
        assert!(svg.contains(">a&lt;b&amp;c</text>"), "{svg}");
        assert!(
            svg.contains("<text x=\"58.8 67.2 75.6 84.0 100.8\"") && svg.contains(">b c d</text>"),
            "{svg}"
        );
        assert!(
            svg.contains("fill=\"#010203\"") && svg.contains("#cc4444"),
            "{svg}"
        );
        assert_eq!(svg.matches("<path").count(), 1, "{svg}");
        assert_eq!(
            svg.matches("h-").count(),
            2 + 8 + 1,
            "│ is two rectangles, ⣿ eight dots, ▄ one: {svg}"
        );
        assert!(
            svg.contains(">日</text>") && svg.contains(">x</text>"),
            "{svg}"
        );
    }
}
