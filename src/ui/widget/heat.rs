//! Values as blocks: heat cells and bar strips on a fixed scale.

/// Eight heights, low to high.
pub const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Block for a share of 0 to 1. A known nothing is the lowest block, not a blank.
pub fn block(share: f64) -> char {
    if share.is_nan() {
        return ' ';
    }
    let top = BLOCKS.len() - 1;
    let index = (share.clamp(0.0, 1.0) * top as f64).round() as usize;
    BLOCKS.get(index).copied().unwrap_or('█')
}

/// Bars over `0..=max`; `None` and values that are no numbers stay blank.
pub fn bars(values: &[Option<f64>], max: f64) -> String {
    values
        .iter()
        .map(|value| match value {
            Some(v) if v.is_finite() && max > 0.0 => block(v / max),
            Some(v) if v.is_finite() => '▁',
            _ => ' ',
        })
        .collect()
}

/// A horizontal bar of `columns` cells, for a share of 0 to 1.
pub fn meter(share: f64, columns: usize) -> String {
    if share.is_nan() {
        return " ".repeat(columns);
    }
    let full = (share.clamp(0.0, 1.0) * columns as f64).round() as usize;
    let mut out = "█".repeat(full);
    out.push_str(&"·".repeat(columns.saturating_sub(full)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_and_known_nothing_differ() {
        assert_eq!(
            bars(&[None, Some(0.0), Some(10.0), Some(f64::NAN)], 10.0),
            " ▁█ "
        );
        assert_eq!(bars(&[Some(0.0)], 0.0), "▁");
        assert_eq!(block(f64::NAN), ' ');
        assert_eq!(meter(0.5, 4), "██··");
        assert_eq!(meter(7.0, 4), "████");
    }
}
