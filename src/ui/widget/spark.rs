//! Short curves of one row: eight heights, gaps stay blank.

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Values scaled between `low` and `high`; what is not finite is a gap.
pub fn line(values: &[f64], low: f64, high: f64) -> String {
    let mut out = String::with_capacity(3 * values.len());
    out.extend(values.iter().map(|value| cell(*value, low, high)));
    out
}

fn cell(value: f64, low: f64, high: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    let span = high - low;
    let part = if span > 0.0 {
        ((value - low) / span).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let at = (part * 7.0).round() as usize;
    HEIGHTS.get(at).copied().unwrap_or('█')
}

/// Greatest of each of `cells` equal slices of `values`.
pub fn squeeze(values: &[f64], cells: usize) -> Vec<f64> {
    let cells = cells.max(1);
    if values.len() <= cells {
        return values.to_vec();
    }
    (0..cells)
        .map(|i| {
            let (from, to) = (i * values.len() / cells, (i + 1) * values.len() / cells);
            values
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .copied()
                .filter(|v| v.is_finite())
                .fold(f64::NAN, f64::max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_and_gaps() {
        assert_eq!(line(&[0.0, 0.5, 1.0, f64::NAN, 9.0], 0.0, 1.0), "▁▅█ █");
        assert_eq!(line(&[3.0, 3.0], 3.0, 3.0), "▁▁");
    }

    #[test]
    fn squeeze_keeps_peaks() {
        assert_eq!(squeeze(&[1.0, 9.0, 2.0, 3.0], 2), [9.0, 3.0]);
        assert_eq!(squeeze(&[1.0], 5), [1.0]);
    }
}
