//! Colours as the terminal can show them, and how they are written.

use std::io::Write;

use ratatui::style::Color;

use super::caps::ColorDepth;

/// The nearest colour of this depth.
pub fn shade(color: Color, depth: ColorDepth) -> Color {
    match depth {
        ColorDepth::True => match color {
            // The same colour in fewer bytes.
            Color::Rgb(r, g, b) if rgb(cube(r, g, b)) == (r, g, b) => Color::Indexed(cube(r, g, b)),
            other => other,
        },
        ColorDepth::None => Color::Reset,
        ColorDepth::Ansi256 => match color {
            Color::Rgb(r, g, b) => Color::Indexed(cube(r, g, b)),
            other => other,
        },
        ColorDepth::Ansi16 => match color {
            Color::Rgb(r, g, b) => sixteen(r, g, b),
            Color::Indexed(n) => indexed_as_sixteen(n),
            other => other,
        },
    }
}

/// Parameters of one colour, each with its semicolon; `base` 30 is the foreground.
pub fn write(out: &mut Vec<u8>, color: Color, base: u8) {
    let ansi = |n: u8| if n < 8 { base + n } else { base + 60 + n - 8 };
    // Writing into memory does not fail.
    let _ = match color {
        Color::Reset => write!(out, "{};", base + 9),
        Color::Indexed(n) if n < 16 => write!(out, "{};", ansi(n)),
        Color::Indexed(n) => write!(out, "{};5;{n};", base + 8),
        Color::Rgb(r, g, b) => write!(out, "{};2;{r};{g};{b};", base + 8),
        named => write!(out, "{};", ansi(number_of(named))),
    };
}

/// Its number among the sixteen.
pub fn number_of(color: Color) -> u8 {
    match color {
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => 0,
    }
}

/// The nearest of the 6x6x6 cube and the greys.
fn cube(r: u8, g: u8, b: u8) -> u8 {
    if r == g && g == b {
        return match r {
            0..8 => 16,
            239.. => 231,
            _ => 232 + (r - 8) / 10,
        };
    }
    let step = |v: u8| match v {
        0..48 => 0,
        48..115 => 1,
        _ => (v - 35) / 40,
    };
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

/// By the channels that are on, and how brightly.
fn sixteen(r: u8, g: u8, b: u8) -> Color {
    let most = r.max(g).max(b);
    let least = r.min(g).min(b);
    if most - least < 32 {
        return match most {
            0..48 => Color::Black,
            48..128 => Color::DarkGray,
            128..208 => Color::Gray,
            _ => Color::White,
        };
    }
    let on = |v: u8| u8::from(u16::from(v) * 3 > u16::from(most) * 2);
    let number = on(r) + 2 * on(g) + 4 * on(b);
    Color::Indexed(if most > 160 { number + 8 } else { number })
}

fn indexed_as_sixteen(n: u8) -> Color {
    if n < 16 {
        return Color::Indexed(n);
    }
    let (r, g, b) = rgb(n);
    sixteen(r, g, b)
}

/// What xterm shows for a number of the cube or the greys (16 to 255).
fn rgb(n: u8) -> (u8, u8, u8) {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |i: u8| LEVELS.get(usize::from(i % 6)).copied().unwrap_or(0);
    if n >= 232 {
        let grey = 8 + 10 * (n - 232);
        return (grey, grey, grey);
    }
    let n = n.saturating_sub(16);
    (level(n / 36), level(n / 6), level(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_brought_to_what_the_terminal_has() {
        assert_eq!(cube(255, 0, 0), 196);
        let exact = shade(Color::Rgb(148, 148, 148), ColorDepth::True);
        assert_eq!(exact, Color::Indexed(246), "in fewer bytes");
        let other = Color::Rgb(149, 148, 148);
        assert_eq!(shade(other, ColorDepth::True), other);
        assert_eq!(cube(128, 128, 128), 244);
        assert_eq!(sixteen(220, 40, 40), Color::Indexed(9));
        assert_eq!(sixteen(10, 10, 12), Color::Black);
        assert_eq!(indexed_as_sixteen(196), Color::Indexed(9));
    }
}
