//! What if the sensitivity were another: flags of the held hours, as they are and as they would be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common;
use crate::state::world::whatif::{SPAN_MS, WhatIf};
use crate::ui::Ctx;
use crate::ui::widget::text::{fit, fit_right};

/// Why `now` may differ from what was told.
const NOTE: &str = "both judged anew from there: the first points of each series tell nothing";
/// Columns of a number.
const NUMBER: usize = 8;

pub fn draw(ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, whatif: &WhatIf) {
    let title = format!("What if sensitivity were {}", whatif.said);
    let inner = common::sheet(ctx, area, (90, area.height), buf, &title, "Esc closes");
    let sum = whatif.sum();
    let theme = ctx.theme;
    let mut lines = vec![
        (told(whatif), theme.base),
        (span(whatif), theme.muted),
        (NOTE.into(), theme.muted),
        (String::new(), theme.base),
        (
            row(
                inner,
                "SIGNAL",
                ["SERIES", "NOW", "THEN", ""].map(String::from),
            ),
            theme.muted,
        ),
    ];
    let rows = whatif.rows();
    let most = rows.len().saturating_sub(1);
    for (name, flags) in rows.into_iter().skip(whatif.scroll.min(most)) {
        let style = match flags.then.cmp(&flags.now) {
            std::cmp::Ordering::Less => theme.ok,
            std::cmp::Ordering::Equal => theme.base,
            std::cmp::Ordering::Greater => theme.warn,
        };
        let off = i64::from(flags.then) - i64::from(flags.now);
        let off = if off == 0 {
            "=".to_owned()
        } else {
            format!("{off:+}")
        };
        let numbers = [flags.series, flags.now, flags.then].map(|n| n.to_string());
        let [series, now, then] = numbers;
        lines.push((row(inner, name, [series, now, then, off]), style));
    }
    if sum.now + sum.then == 0 && whatif.is_done() {
        let none = match sum.series {
            0 => "no series that is compared with its past is held yet",
            _ => "nothing was told of any of them, and nothing would be",
        };
        lines.push((none.into(), theme.muted));
    }
    for (y, (text, style)) in (inner.y..inner.bottom()).zip(&lines) {
        ctx.put(buf, (inner.x, y), inner.width, text, *style);
    }
}

/// The sum in a sentence.
fn told(whatif: &WhatIf) -> String {
    let sum = whatif.sum();
    let more = if whatif.is_done() { "" } else { " so far …" };
    format!(
        "{} flags now, {} then, of {} series{more}",
        sum.now, sum.then, sum.series
    )
}

/// How much of the day is held: no more can be judged again.
fn span(whatif: &WhatIf) -> String {
    let Some((from, to)) = whatif.span() else {
        return "nothing is held yet".into();
    };
    let hours = to.age_since_ms(from) as f64 / 3.6e6;
    let day = SPAN_MS / 3_600_000;
    match hours < 0.95 * day as f64 {
        true => format!("{hours:.1} h are held of the last {day} ([limits] retention)"),
        false => format!("the last {day} h"),
    }
}

fn row(inner: Rect, name: &str, numbers: [String; 4]) -> String {
    let wide = usize::from(inner.width).saturating_sub(4 * NUMBER);
    let mut out = fit(name, wide);
    for number in numbers {
        out.push_str(&fit_right(&number, NUMBER));
    }
    out
}
