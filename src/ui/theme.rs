//! Roles -> styles, from the files in `themes/`, brought down to what the terminal can show.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::Theme;

/// Names that `theme` and the configuration take.
pub const NAMES: [&str; 4] = ["dark", "light", "high-contrast", "sixteen"];

/// Colours the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Modifiers only.
    None,
    Sixteen,
    Indexed,
    #[default]
    True,
}

/// What the screen has to be drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    pub depth: Depth,
    /// Only ASCII characters.
    pub ascii: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: Role,
    muted: Role,
    ok: Role,
    warn: Role,
    crit: Role,
    unknown: Role,
    title: Role,
    border: Role,
    border_focus: Role,
    selected: Role,
    accent: Role,
    key: Role,
    replay: Role,
    series: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    reverse: bool,
    /// Carries no text: contrast is not asked of it.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the contrast test")]
    decoration: bool,
}

impl Theme {
    /// The theme of this name; `None` if there is none. Without colours there is one theme only.
    pub fn named(name: &str, depth: Depth) -> Option<Self> {
        let text = source(name)?;
        match depth {
            Depth::None => Some(Self::mono(name)),
            // A theme in full colour has no meaning in sixteen.
            Depth::Sixteen => read(name, source("sixteen")?, depth),
            Depth::Indexed | Depth::True => read(name, text, depth),
        }
    }

    /// The configured theme, or the dark one when the name is unknown.
    pub fn or_default(name: &str, depth: Depth) -> Self {
        Self::named(name, depth)
            .or_else(|| Self::named("dark", depth))
            .unwrap_or_else(|| Self::mono(name))
    }

    /// No colour at all: an empty colour command would reset the cell and hide the selection.
    fn mono(name: &str) -> Self {
        let plain = Style::new();
        Self {
            name: name.into(),
            base: plain,
            muted: plain,
            ok: plain,
            warn: plain.add_modifier(Modifier::BOLD),
            crit: plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            unknown: plain,
            title: plain.add_modifier(Modifier::BOLD),
            border: plain,
            border_focus: plain.add_modifier(Modifier::BOLD),
            selected: plain.add_modifier(Modifier::REVERSED),
            accent: plain.add_modifier(Modifier::UNDERLINED),
            key: plain.add_modifier(Modifier::BOLD),
            replay: plain.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            series: Vec::new(),
            bold: Modifier::BOLD,
        }
    }
}

fn source(name: &str) -> Option<&'static str> {
    match name {
        "dark" => Some(include_str!("../../themes/dark.toml")),
        "light" => Some(include_str!("../../themes/light.toml")),
        "high-contrast" => Some(include_str!("../../themes/high-contrast.toml")),
        "sixteen" => Some(include_str!("../../themes/sixteen.toml")),
        _ => None,
    }
}

fn read(name: &str, text: &str, depth: Depth) -> Option<Theme> {
    let file: File = toml::from_str(text).ok()?;
    let style = |role: &Role| role.style(depth);
    Some(Theme {
        name: name.into(),
        base: style(&file.base),
        muted: style(&file.muted),
        ok: style(&file.ok),
        warn: style(&file.warn),
        crit: style(&file.crit),
        unknown: style(&file.unknown),
        title: style(&file.title),
        border: style(&file.border),
        border_focus: style(&file.border_focus),
        selected: style(&file.selected),
        accent: style(&file.accent),
        key: style(&file.key),
        replay: style(&file.replay),
        series: file.series.iter().filter_map(|c| color(c, depth)).collect(),
        bold: Modifier::BOLD,
    })
}

impl Role {
    fn style(&self, depth: Depth) -> Style {
        let mut style = Style::new();
        style.fg = self.fg.as_deref().and_then(|c| color(c, depth));
        style.bg = self.bg.as_deref().and_then(|c| color(c, depth));
        for (on, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

fn color(text: &str, depth: Depth) -> Option<Color> {
    let color: Color = text.parse().ok()?;
    match (color, depth) {
        (Color::Rgb(r, g, b), Depth::Indexed) => Some(Color::Indexed(nearest(r, g, b))),
        (color, _) => Some(color),
    }
}

/// The nearest colour of the 6x6x6 cube or the grey ramp.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let near = |v: u8| {
        (0u8..6)
            .zip(STEPS)
            .min_by_key(|(_, step)| step.abs_diff(v))
            .unwrap_or((0, 0))
    };
    let ((ri, rv), (gi, gv), (bi, bv)) = (near(r), near(g), near(b));
    let distance = |x: u8, y: u8, z: u8| {
        let d = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        d(x, r) + d(y, g) + d(z, b)
    };
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = 8 + 10 * step;
    if distance(grey, grey, grey) < distance(rv, gv, bv) {
        232 + step
    } else {
        16 + 36 * ri + 6 * gi + bi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(text: &str) -> f64 {
        let Color::Rgb(r, g, b) = text.parse().expect("a colour") else {
            panic!("{text} is no RGB colour");
        };
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_role_can_be_read() {
        for name in ["dark", "light", "high-contrast"] {
            let file: toml::Table = toml::from_str(source(name).expect("known")).expect("valid");
            let get = |role: &str, part: &str| {
                file[role]
                    .get(part)
                    .and_then(|v| v.as_str())
                    .map(str::to_owned)
            };
            let ground = get("base", "bg").expect("background");
            let lit = get("selected", "bg").expect("selection");
            for (role, table) in &file {
                let decoration = table.get("decoration").is_some();
                let Some(fg) = get(role, "fg").filter(|_| !decoration) else {
                    continue;
                };
                let bg = get(role, "bg").unwrap_or_else(|| ground.clone());
                assert!(
                    contrast(&fg, &bg) >= 4.5,
                    "{name} {role}: {}",
                    contrast(&fg, &bg)
                );
                // A selected row keeps the colours of its cells, unless the theme sets one.
                if get("selected", "fg").is_none() && get(role, "bg").is_none() {
                    assert!(
                        contrast(&fg, &lit) >= 4.5,
                        "{name} {role} selected: {}",
                        contrast(&fg, &lit)
                    );
                }
            }
        }
    }

    #[test]
    fn all_themes_load_at_every_depth() {
        for name in NAMES {
            for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
                let theme = Theme::named(name, depth).expect("loads");
                assert_eq!(theme.name, name);
                assert_ne!(theme.selected, theme.base);
            }
        }
        assert!(Theme::named("neon", Depth::True).is_none());
        assert_eq!(Theme::or_default("neon", Depth::True).name, "dark");
    }

    #[test]
    fn no_colour_means_none() {
        let theme = Theme::or_default("light", Depth::None);
        let all = format!("{theme:?}");
        assert!(!all.contains("Rgb") && !all.contains(".red"), "{all}");
        assert!(theme.base.fg.is_none() && theme.selected.bg.is_none() && theme.series.is_empty());
    }

    #[test]
    fn nearest_of_256() {
        assert_eq!(nearest(255, 0, 0), 196);
        assert_eq!(nearest(128, 128, 128), 244);
    }
}
