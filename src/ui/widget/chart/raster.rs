//! Dots of curves on a grid: 2 × 4 a cell in braille, one a cell in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// ASCII symbols of the curves, in turn; also shown in legends.
pub const SYMBOLS: [char; 8] = ['*', '+', 'o', 'x', '#', '@', '%', '&'];

#[derive(Clone, Copy, Default)]
struct Dots {
    bits: u8,
    curve: usize,
}

pub struct Raster {
    columns: i64,
    rows: i64,
    ascii: bool,
    cells: Vec<Dots>,
}

impl Raster {
    pub fn new(columns: u16, rows: u16, ascii: bool) -> Self {
        Self {
            columns: i64::from(columns),
            rows: i64::from(rows),
            ascii,
            cells: vec![Dots::default(); usize::from(columns) * usize::from(rows)],
        }
    }

    fn dots_a_row(&self) -> i64 {
        if self.ascii { 1 } else { 4 }
    }

    /// Row of dots for a share of the height; 0 is the top.
    pub fn dot_row(&self, share: f64) -> i64 {
        let last = self.rows * self.dots_a_row() - 1;
        ((1.0 - share) * last as f64).round() as i64
    }

    pub fn dot(&mut self, x: i64, y: i64, curve: usize) {
        let (wide, high) = if self.ascii { (1, 1) } else { (2, 4) };
        let (column, row) = (x.div_euclid(wide), y.div_euclid(high));
        if !(0..self.columns).contains(&column) || !(0..self.rows).contains(&row) {
            return;
        }
        let bit = if self.ascii {
            1
        } else {
            braille_bit(x.rem_euclid(2), y.rem_euclid(4))
        };
        let index = usize::try_from(row * self.columns + column).unwrap_or(usize::MAX);
        if let Some(cell) = self.cells.get_mut(index) {
            cell.bits |= bit;
            cell.curve = curve;
        }
    }

    /// A straight line of dots; only the part that can be seen is walked.
    pub fn line(&mut self, from: (i64, i64), to: (i64, i64), curve: usize) {
        let (x0, y0) = from;
        let (x1, y1) = to;
        let last = self.columns * if self.ascii { 1 } else { 2 } - 1;
        if x1 < 0 || x0 > last {
            return;
        }
        let span = x1 - x0;
        if span <= 0 {
            for y in y0.min(y1)..=y0.max(y1) {
                self.dot(x1, y, curve);
            }
            return;
        }
        let mut before = None;
        for x in x0.max(0)..=x1.min(last) {
            let y = y0 + ((y1 - y0) as f64 * (x - x0) as f64 / span as f64).round() as i64;
            let start = before.unwrap_or(y);
            for fill in start.min(y)..=start.max(y) {
                // Steep parts are filled half and half, so that the line is not broken.
                self.dot(x, fill, curve);
            }
            before = Some(y);
        }
    }

    pub fn paint(&self, area: Rect, buf: &mut Buffer, style: impl Fn(usize) -> Style) {
        let width = usize::from(area.width).max(1);
        for (index, dots) in self.cells.iter().enumerate() {
            if dots.bits == 0 {
                continue;
            }
            let x = area.x + u16::try_from(index % width).unwrap_or(0);
            let y = area.y + u16::try_from(index / width).unwrap_or(0);
            if let Some(cell) = buf.cell_mut((x, y)) {
                let glyph = if self.ascii {
                    SYMBOLS
                        .get(dots.curve % SYMBOLS.len())
                        .copied()
                        .unwrap_or('*')
                } else {
                    char::from_u32(0x2800 + u32::from(dots.bits)).unwrap_or('·')
                };
                cell.set_char(glyph).set_style(style(dots.curve));
            }
        }
    }
}

/// Unicode numbers the dots of a braille cell in columns, the fourth row last.
fn braille_bit(x: i64, y: i64) -> u8 {
    match (x, y) {
        (0, 0) => 0x01,
        (0, 1) => 0x02,
        (0, 2) => 0x04,
        (0, _) => 0x40,
        (_, 0) => 0x08,
        (_, 1) => 0x10,
        (_, 2) => 0x20,
        _ => 0x80,
    }
}
