//! Quantities and how people write them.

use serde::{Deserialize, Serialize};

/// Unit of a value as stored (always the base unit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// No unit: counts and unknown things.
    #[default]
    None,
    /// 0 to 1, written as per cent.
    Ratio,
    /// 0 to 100.
    Percent,
    Bytes,
    /// Mebibytes, as DCGM reports memory.
    Mebibytes,
    BytesPerSecond,
    BitsPerSecond,
    Seconds,
    Nanoseconds,
    Celsius,
    Watts,
    Megahertz,
    PerSecond,
    /// An enumeration; the number is a code.
    State,
}

impl Unit {
    /// Writes a value for a person: at most four significant digits, scaled, with its unit.
    /// NaN and infinities are named.
    pub fn write(self, value: f64) -> String {
        if value.is_nan() {
            return "NaN".into();
        }
        if value.is_infinite() {
            return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
        }
        match self {
            Unit::None | Unit::State => plain(value),
            Unit::Ratio => format!("{}%", short(value * 100.0)),
            Unit::Percent => format!("{}%", short(value)),
            Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]),
            Unit::Mebibytes => scaled(value, 1024.0, &["MiB", "GiB", "TiB", "PiB"]),
            Unit::BytesPerSecond => scaled(value, 1000.0, &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]),
            Unit::BitsPerSecond => scaled(
                value,
                1000.0,
                &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
            ),
            Unit::Seconds => seconds(value),
            Unit::Nanoseconds => scaled(value, 1000.0, &["ns", "us", "ms", "s"]),
            Unit::Celsius => format!("{} C", short(value)),
            Unit::Watts => scaled(value, 1000.0, &["W", "kW", "MW"]),
            Unit::Megahertz => format!("{} MHz", short(value)),
            Unit::PerSecond => format!("{}/s", plain(value)),
        }
    }
}

/// Up to three significant digits without a trailing fraction of zeros.
fn short(value: f64) -> String {
    let magnitude = value.abs();
    let digits = if magnitude >= 100.0 || magnitude == 0.0 {
        0
    } else if magnitude >= 10.0 {
        1
    } else if magnitude >= 1.0 {
        2
    } else {
        // Below one the zeros behind the point tell nothing.
        (2 - magnitude.log10().floor().max(-4.0) as i32).unsigned_abs() as usize
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    if text == "-0" { "0".into() } else { text }
}

fn plain(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && magnitude < 0.001 {
        return format!("{value:.2e}");
    }
    if magnitude >= 1e15 {
        return format!("{value:.3e}");
    }
    if magnitude >= 100_000.0 {
        return scaled(value, 1000.0, &["", "k", "M", "G", "T"]).replace(' ', "");
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    if magnitude < 1.0 {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        short(value)
    }
}

fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut chosen = 0;
    while scaled.abs() >= base && chosen + 1 < units.len() {
        scaled /= base;
        chosen += 1;
    }
    let unit = units.get(chosen).copied().unwrap_or_default();
    format!("{} {unit}", short(scaled))
}

fn seconds(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0 s".into()
    } else if magnitude < 1e-6 {
        format!("{} ns", short(value * 1e9))
    } else if magnitude < 1e-3 {
        format!("{} us", short(value * 1e6))
    } else if magnitude < 1.0 {
        format!("{} ms", short(value * 1e3))
    } else if magnitude < 120.0 {
        format!("{} s", short(value))
    } else if magnitude < 7200.0 {
        format!("{} min", short(value / 60.0))
    } else if magnitude < 172_800.0 {
        format!("{} h", short(value / 3600.0))
    } else {
        format!("{} d", short(value / 86400.0))
    }
}

/// `1 change`, `2 changes`.
pub fn counted(count: usize, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}

/// An age as shown beside values: `3s`, `41s`, `12m`, `5h`, `2d`.
pub fn age(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..=99 => format!("{s}s"),
        100..=5999 => format!("{}m", s / 60),
        6000..=172_799 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_for_people() {
        assert_eq!(Unit::Ratio.write(0.714), "71.4%");
        assert_eq!(Unit::Bytes.write(1536.0), "1.5 KiB");
        assert_eq!(Unit::Seconds.write(0.0123), "12.3 ms");
        assert_eq!(Unit::Nanoseconds.write(-4123.0), "-4.12 us");
        assert_eq!(Unit::None.write(f64::NAN), "NaN");
        assert_eq!(Unit::None.write(1234567.0), "1.23M");
        assert_eq!(age(41_000), "41s");
        assert_eq!(age(660_000), "11m");
    }
}
