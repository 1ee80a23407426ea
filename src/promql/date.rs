//! The calendar, in UTC, of any number of seconds since 1970. Ours, because samples hold numbers
//! that no calendar of a library takes: years of twelve digits, NaN.

/// Years begin to be counted here, as Go counts them, so that all seconds are after it. It is the
/// first year of a cycle of 400.
const YEAR_ZERO: i64 = -292_277_022_399;
/// Seconds from there to 1970, as the number that is left when 64 bits overflow.
const TO_1970: u64 = 9_223_372_028_715_321_600;
const DAY_S: u64 = 86_400;
const CYCLE_DAYS: u64 = 146_097;

pub(super) type Date = fn(i64) -> f64;

/// The function of this name that takes seconds since 1970.
pub(super) fn named(name: &str) -> Option<Date> {
    Some(match name {
        "minute" => |s| (since_zero(s) % 3600 / 60) as f64,
        "hour" => |s| (since_zero(s) % DAY_S / 3600) as f64,
        // The first day of the cycle was a Monday.
        "day_of_week" => |s| ((since_zero(s) / DAY_S + 1) % 7) as f64,
        "day_of_month" => |s| day(s).day as f64,
        "day_of_year" => |s| day(s).of_year as f64,
        "days_in_month" => |s| day(s).month_days as f64,
        "month" => |s| day(s).month as f64,
        "year" => |s| day(s).year as f64,
        _ => return None,
    })
}

/// What a processor makes of a float that no integer holds.
pub(super) fn whole(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match (-LIMIT..LIMIT).contains(&value) {
        true => value as i64,
        false => i64::MIN,
    }
}

fn since_zero(s: i64) -> u64 {
    (s as u64).wrapping_add(TO_1970)
}

struct Day {
    year: i64,
    /// From 1.
    month: usize,
    day: u64,
    of_year: u64,
    month_days: u64,
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn day(s: i64) -> Day {
    let days = since_zero(s) / DAY_S;
    let (cycles, mut left) = (days / CYCLE_DAYS, days % CYCLE_DAYS);
    // Years of this cycle, 1 to 400, like those of our era.
    let mut year = 1;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let of_year = left + 1;
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut found = (12, 31);
    for (index, length) in months.into_iter().enumerate() {
        if left < length {
            found = (index + 1, length);
            break;
        }
        left -= length;
    }
    Day {
        year: YEAR_ZERO
            .wrapping_add((cycles as i64).wrapping_mul(400))
            .wrapping_add(year as i64 - 1),
        month: found.0,
        day: left + 1,
        of_year,
        month_days: found.1,
    }
}
