//! Points in time as the sources give them: UTC, milliseconds.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From seconds with a fraction, as Prometheus writes them. Not finite: the epoch.
    pub fn from_seconds(seconds: f64) -> Self {
        if seconds.is_finite() {
            Self((seconds * 1000.0).round() as i64)
        } else {
            Self(0)
        }
    }

    /// From an RFC 3339 text, as Kubernetes and Alertmanager write them.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|t| Self(t.as_millisecond()))
    }

    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// RFC 3339 in UTC with milliseconds; for exports, tools and logs.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => format!("{t:.3}"),
            Err(_) => format!("{} ms since 1970", self.0),
        }
    }

    /// How long after `earlier` this is; zero if it is before (clock skew is not a negative age).
    pub fn age_since_ms(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc3339() {
        let t = Timestamp::parse_rfc3339("2026-11-21T03:06:58.000Z").expect("valid");
        assert_eq!(t.rfc3339(), "2026-11-21T03:06:58.000Z");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }
}
