//! What a PTP clock class means and how bad it is: `assets/tables/clock_class.toml`, which names its
//! sources.

use std::sync::LazyLock;

use serde::Deserialize;

const SOURCE: &str = include_str!("../../assets/tables/clock_class.toml");

/// Better ones are less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Good,
    Note,
    /// What a clock says that has just started: bad only if it stays.
    Starting,
    Warning,
    Critical,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockClass {
    pub class: u8,
    pub meaning: String,
    pub standing: Standing,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    class: Vec<ClockClass>,
}

static FILE: LazyLock<File> = LazyLock::new(|| toml::from_str(SOURCE).unwrap_or_default());

/// `None`: no class of the standards; a value that is no whole number is none either.
pub fn of(value: f64) -> Option<&'static ClockClass> {
    let mut all = FILE.class.iter();
    all.find(|c| f64::from(c.class) == value)
}

/// Where the table comes from.
pub fn source() -> &'static str {
    &FILE.source
}

/// In words; also for classes that no standard names.
pub fn meaning(value: f64) -> &'static str {
    of(value).map_or("other class", |c| c.meaning.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_each_class_stands_once() {
        assert!(toml::from_str::<File>(SOURCE).is_ok());
        assert!(source().contains("G.8275.1"));
        let classes: Vec<u8> = FILE.class.iter().map(|c| c.class).collect();
        assert!(classes.is_sorted_by(|a, b| a < b), "{classes:?}");
        // The help text that linuxptp-daemon writes beside the metric names these.
        for told in [6, 7, 52, 187, 135, 165, 248, 255] {
            assert!(classes.contains(&told), "{told}");
        }
    }

    #[test]
    fn a_class_is_known_by_its_exact_value() {
        let standing = |v| of(v).map(|c| c.standing);
        assert_eq!(standing(6.0), Some(Standing::Good));
        assert_eq!(standing(7.0), Some(Standing::Warning));
        assert_eq!(standing(165.0), Some(Standing::Critical));
        assert_eq!(standing(248.0), Some(Standing::Starting));
        for none in [5.0, 6.5, -6.0, f64::NAN, 1e300] {
            assert_eq!(standing(none), None, "{none}");
        }
        assert_eq!(meaning(42.0), "other class");
    }
}
