//! State in glyph, word and style: never in colour alone.

use ratatui::style::Style;

use crate::model::alert::Severity;
use crate::model::health::{Health, SourceHealth};
use crate::model::time::Timestamp;
use crate::state::world::Status;
use crate::ui::Theme;

pub fn status(theme: &Theme, status: Status) -> (&'static str, &'static str, Style) {
    let (glyph, style) = match status {
        Status::Ok => ("●", theme.ok),
        Status::Warning => ("▲", theme.warn),
        Status::Critical => ("✗", theme.crit),
        Status::Unknown => ("?", theme.unknown),
    };
    (glyph, status.word(), style)
}

pub fn severity(theme: &Theme, severity: Severity) -> (&'static str, &'static str, Style) {
    let (glyph, style) = match severity {
        Severity::Info => ("i", theme.muted),
        Severity::Warning => ("▲", theme.warn),
        Severity::Critical => ("✗", theme.crit),
    };
    (glyph, severity.word(), style)
}

/// How well a source is heard.
pub fn source(
    theme: &Theme,
    health: &SourceHealth,
    now: Timestamp,
) -> (&'static str, &'static str, Style) {
    match &health.health {
        Health::Connecting => ("?", "connecting", theme.unknown),
        Health::Live if health.is_stale(now) => ("▲", "stale", theme.warn),
        Health::Live => ("●", "live", theme.ok),
        Health::Failing { .. } => ("✗", "failing", theme.crit),
        Health::Denied { .. } => ("⊘", "denied", theme.crit),
    }
}

/// An age in steps so coarse that an idle screen does not change: what is polled every 15 s and
/// comes in is always `<20s`; then 5 s below a minute, then whole minutes, hours and days.
pub fn age(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..=19 => "<20s".into(),
        20..=59 => format!("{}s", s / 5 * 5),
        60..=5_999 => format!("{}m", s / 60),
        6_000..=172_799 => format!("{}h", s / 3_600),
        _ => format!("{}d", s / 86_400),
    }
}

/// Time until something happens, in the same coarse steps.
pub fn wait(ms: u64) -> String {
    let s = ms.div_ceil(1000);
    match s {
        0 => "now".into(),
        1..=5 => "in <5s".into(),
        6..=59 => format!("in {}s", s.div_ceil(5) * 5),
        _ => format!("in {}m", s.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_seldom() {
        for (ms, text) in [
            (0, "<20s"),
            (19_999, "<20s"),
            (44_000, "40s"),
            (61_000, "1m"),
            (660_000, "11m"),
            (7_200_000, "2h"),
            (200_000_000, "2d"),
        ] {
            assert_eq!(age(ms), text);
        }
    }
}
