//! Times as operators write them: `15m`, `2h`, `14:10-14:30`, `14:10 +30m`, RFC 3339.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::model::time::Timestamp;
use crate::ui::Window;

/// Shortest and longest window that can be asked for, milliseconds.
pub const LEAST_MS: i64 = 10_000;
pub const MOST_MS: i64 = 31 * 86_400_000;

/// A window of time; `now` is its end when only a span is given.
pub fn window(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Window, String> {
    let wrong = || format!("`{text}` is no time range; try 15m, 2h, 14:10-14:30 or RFC 3339");
    let text = text.trim();
    if let Some(span_ms) = span(text.trim_start_matches("last ")) {
        return checked(None, span_ms);
    }
    if let Some((from, plus)) = text.split_once('+')
        && let (Some(from), Some(span_ms)) = (moment(from.trim(), now, zone), span(plus.trim()))
    {
        return checked(Some(from.plus_ms(span_ms)), span_ms);
    }
    if let Some((from, to)) = halves(text, now, zone) {
        return match to.0.saturating_sub(from.0) {
            span_ms if span_ms > 0 => checked(Some(to), span_ms),
            _ => Err("the range ends before it begins".into()),
        };
    }
    // One moment: half an hour around it.
    let at = moment(text, now, zone).ok_or_else(wrong)?;
    checked(Some(at.plus_ms(900_000).min(now.max(at))), 1_800_000)
}

fn checked(end: Option<Timestamp>, span_ms: i64) -> Result<Window, String> {
    match span_ms {
        LEAST_MS..=MOST_MS => Ok(Window { end, span_ms }),
        _ => Err("a range is 10 s to 31 days long".into()),
    }
}

/// `FROM-TO`, `FROM to TO`, `FROM/TO`, `FROM..TO`: dates hold dashes too, so each is tried.
fn halves(text: &str, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    ["/", "..", " to ", "-"].iter().find_map(|separator| {
        text.match_indices(separator).find_map(|(at, _)| {
            let from = moment(text.get(..at)?.trim(), now, zone)?;
            let to = text.get(at + separator.len()..)?.trim();
            Some((
                from,
                if to == "now" {
                    now
                } else {
                    moment(to, now, zone)?
                },
            ))
        })
    })
}

/// A point in time. A time of day is the latest one that has passed.
pub fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if text == "now" {
        return Some(now);
    }
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let here = jiff::Timestamp::from_millisecond(now.0)
        .ok()?
        .to_zoned(zone.clone());
    let (text, days) = match text.strip_prefix("yesterday") {
        Some(rest) => (rest.trim(), 1),
        None => (text, 0),
    };
    if let Ok(date_time) = text.replace(' ', "T").parse::<jiff::civil::DateTime>()
        && text.len() > 8
    {
        let at = date_time.to_zoned(zone.clone()).ok()?;
        return Some(Timestamp(at.timestamp().as_millisecond()));
    }
    let time = time_of_day(text)?;
    let mut day = here.date();
    if days > 0 || time > here.time() {
        day = day.yesterday().ok()?;
    }
    let at = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
    Some(Timestamp(at.timestamp().as_millisecond()))
}

fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    parts
        .next()
        .is_none()
        .then(|| Time::new(hour, minute, second, 0).ok())?
}

/// `90s`, `15m`, `2h`, `1h30m`, `7d`.
pub fn span(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.chars().next()?;
        let ms = match unit {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            'w' => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(ms)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-21T14:32:07Z").expect("valid")
    }

    fn bounds(text: &str) -> Option<(String, i64)> {
        let window = window(text, now(), &TimeZone::UTC).ok()?;
        let end = window.end.map_or("live".into(), |end| end.rfc3339());
        Some((end, window.span_ms / 1000))
    }

    #[test]
    fn ranges() {
        for (text, end, seconds) in [
            ("15m", "live", 900),
            ("1h30m", "live", 5400),
            ("14:10-14:30", "2026-11-21T14:30:00.000Z", 1200),
            ("14:10:30 - 14:30", "2026-11-21T14:30:00.000Z", 1170),
            ("23:50-23:59", "2026-11-20T23:59:00.000Z", 540),
            ("yesterday 14:00 +30m", "2026-11-20T14:30:00.000Z", 1800),
            (
                "2026-11-21T10:00:00Z/2026-11-21T11:00:00Z",
                "2026-11-21T11:00:00.000Z",
                3600,
            ),
            (
                "2026-11-21T10:00:00Z-2026-11-21T11:00:00Z",
                "2026-11-21T11:00:00.000Z",
                3600,
            ),
            (
                "2026-11-21 10:00-2026-11-21 10:30",
                "2026-11-21T10:30:00.000Z",
                1800,
            ),
            ("14:00-now", "2026-11-21T14:32:07.000Z", 1927),
            ("12:00", "2026-11-21T12:15:00.000Z", 1800),
        ] {
            assert_eq!(bounds(text), Some((end.into(), seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for text in [
            "",
            "x",
            "5",
            "14:30-14:10",
            "99d",
            "1s",
            "25:00",
            "999999999999999999h",
            "-",
        ] {
            assert_eq!(bounds(text), None, "{text}");
        }
    }
}
