//! Which element of the output is which series, and how its words become a number.

use std::collections::BTreeMap;

use crate::model::gpu::smi::{
    CLOCK, DECODER, ECC_CORRECTED, ECC_UNCORRECTED, ENCODER, FAN, MEMORY_ACTIVITY, MEMORY_CLOCK,
    MEMORY_TEMPERATURE, POWER, POWER_LIMIT, REASONS, RECOVERY, ROW_FAILURE, ROW_PENDING,
    ROWS_CORRECTED, ROWS_UNCORRECTED, TEMPERATURE, TOTAL, USED, UTILISATION,
};

/// Series by name. A value that is told in several ways is kept with the rank of the way.
pub type Told = BTreeMap<&'static str, (u8, f64)>;

/// How the words of an element are read.
#[derive(Clone, Copy)]
enum Words {
    /// A number with this unit, and the factor to the unit of the series.
    Amount(&'static str, f64),
    /// `Yes` or `No`.
    Flag,
    /// `Active` or `Not Active`: a bit of the mask of clock-event reasons.
    Bit(u32),
    /// What the driver asks for, in words.
    Action,
    /// `Yes` stands for this action.
    Asks(f64),
}

/// What several elements of one series make together.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    /// The first of these ways that tells it: 0 goes before 1.
    Rank(u8),
    Sum,
    Greatest,
}

use Join::{Greatest, Rank, Sum};
use Words::{Action, Amount, Asks, Flag};

const MIB: f64 = 1_048_576.0;
const MHZ: f64 = 1e6;
const COUNT: Words = Amount("", 1.0);
const PER_CENT: Words = Amount("%", 1.0);

/// Path below the card (or below its part), series, words, join.
#[rustfmt::skip]
const ELEMENTS: &[(&str, &str, Words, Join)] = &[
    ("fan_speed", FAN, PER_CENT, Rank(0)),
    ("utilization/gpu_util", UTILISATION, PER_CENT, Rank(0)),
    ("utilization/memory_util", MEMORY_ACTIVITY, PER_CENT, Rank(0)),
    ("utilization/encoder_util", ENCODER, PER_CENT, Rank(0)),
    ("utilization/decoder_util", DECODER, PER_CENT, Rank(0)),
    ("fb_memory_usage/used", USED, Amount("MiB", MIB), Rank(0)),
    ("fb_memory_usage/total", TOTAL, Amount("MiB", MIB), Rank(0)),
    ("temperature/gpu_temp", TEMPERATURE, Amount("C", 1.0), Rank(0)),
    ("temperature/memory_temp", MEMORY_TEMPERATURE, Amount("C", 1.0), Rank(0)),
    // The average where there is one: exporters tell that, too.
    ("gpu_power_readings/power_draw", POWER, Amount("W", 1.0), Rank(0)),
    ("gpu_power_readings/average_power_draw", POWER, Amount("W", 1.0), Rank(1)),
    ("gpu_power_readings/instant_power_draw", POWER, Amount("W", 1.0), Rank(2)),
    ("power_readings/power_draw", POWER, Amount("W", 1.0), Rank(3)),
    ("gpu_power_readings/current_power_limit", POWER_LIMIT, Amount("W", 1.0), Rank(0)),
    ("power_readings/enforced_power_limit", POWER_LIMIT, Amount("W", 1.0), Rank(1)),
    ("power_readings/power_limit", POWER_LIMIT, Amount("W", 1.0), Rank(2)),
    ("clocks/sm_clock", CLOCK, Amount("MHz", MHZ), Rank(0)),
    ("clocks/mem_clock", MEMORY_CLOCK, Amount("MHz", MHZ), Rank(0)),
    ("ecc_errors/volatile/single_bit/total", ECC_CORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/sram_correctable", ECC_CORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/dram_correctable", ECC_CORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/double_bit/total", ECC_UNCORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/sram_uncorrectable", ECC_UNCORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/sram_uncorrectable_parity", ECC_UNCORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/sram_uncorrectable_secded", ECC_UNCORRECTED, COUNT, Sum),
    ("ecc_errors/volatile/dram_uncorrectable", ECC_UNCORRECTED, COUNT, Sum),
    ("remapped_rows/remapped_row_corr", ROWS_CORRECTED, COUNT, Rank(0)),
    ("remapped_rows/remapped_row_unc", ROWS_UNCORRECTED, COUNT, Rank(0)),
    ("remapped_rows/remapped_row_pending", ROW_PENDING, Flag, Rank(0)),
    ("remapped_rows/remapped_row_failure", ROW_FAILURE, Flag, Rank(0)),
    ("gpu_recovery_action", RECOVERY, Action, Greatest),
    ("gpu_reset_status/reset_required", RECOVERY, Asks(1.0), Greatest),
    ("gpu_reset_status/drain_and_reset_recommended", RECOVERY, Asks(4.0), Greatest),
];

/// Ends of the names of clock-event reasons, once "throttle reasons", and their bits in NVML.
const REASON_BITS: [(&str, u32); 9] = [
    ("gpu_idle", 0x01),
    ("applications_clocks_setting", 0x02),
    ("sw_power_cap", 0x04),
    ("hw_slowdown", 0x08),
    ("sync_boost", 0x10),
    ("sw_thermal_slowdown", 0x20),
    ("hw_thermal_slowdown", 0x40),
    ("hw_power_brake_slowdown", 0x80),
    ("display_clocks_setting", 0x100),
];

/// Words of `gpu_recovery_action`, and their codes in NVML.
const ACTIONS: [(&str, f64); 5] = [
    ("none", 0.0),
    ("reset", 1.0),
    ("reboot", 2.0),
    ("drain p2p", 3.0),
    ("drain and reset", 4.0),
];

/// Takes what one element says; what is not known, or says nothing, is passed over.
pub fn take(told: &mut Told, path: &str, value: &str) {
    if let Some(bit) = reason(path) {
        if let Some(on) = number(Words::Bit(bit), value) {
            let (_, mask) = told.entry(REASONS).or_insert((0, 0.0));
            // Each reason stands once: its bit is added once.
            *mask = f64::from(*mask as u32 | on as u32);
        }
        return;
    }
    let found = ELEMENTS.iter().find(|(known, ..)| *known == path);
    let Some((_, name, words, join)) = found else {
        return;
    };
    let Some(new) = number(*words, value) else {
        return;
    };
    let rank = match join {
        Rank(rank) => *rank,
        Sum | Greatest => 0,
    };
    let Some((held, old)) = told.get_mut(name) else {
        told.insert(name, (rank, new));
        return;
    };
    match join {
        Rank(rank) if rank < held => (*held, *old) = (*rank, new),
        Rank(_) => {}
        Sum => *old += new,
        Greatest => *old = old.max(new),
    }
}

fn reason(path: &str) -> Option<u32> {
    let name = path
        .strip_prefix("clocks_event_reasons/clocks_event_reason_")
        .or_else(|| path.strip_prefix("clocks_throttle_reasons/clocks_throttle_reason_"))?;
    let known = REASON_BITS.iter().find(|(end, _)| *end == name)?;
    Some(known.1)
}

fn number(words: Words, value: &str) -> Option<f64> {
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    match words {
        Amount(unit, factor) => amount(value, unit).map(|v| v * factor),
        Flag if is("yes") => Some(1.0),
        Flag if is("no") => Some(0.0),
        Words::Bit(bit) if is("active") => Some(f64::from(bit)),
        Words::Bit(_) if is("not active") => Some(0.0),
        Action => ACTIONS.iter().find(|(word, _)| is(word)).map(|(_, c)| *c),
        Asks(code) if is("yes") => Some(code),
        Asks(_) if is("no") => Some(0.0),
        _ => None,
    }
}

/// A plain number with exactly this unit. No card has less than nothing of any of these.
fn amount(value: &str, unit: &str) -> Option<f64> {
    let digits = value.strip_suffix(unit)?.trim_end();
    let plain = |b: u8| b.is_ascii_digit() || b == b'.';
    if digits.is_empty() || !digits.bytes().all(plain) {
        return None;
    }
    digits.parse().ok().filter(|v: &f64| v.is_finite())
}

/// Bytes of `410 MiB`.
pub fn bytes(value: &str) -> Option<f64> {
    number(Amount("MiB", MIB), value)
}
