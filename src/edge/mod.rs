//! Sites with exporters and no Prometheus: what is held of them, and how it travels.
//!
//! Pure: bytes in and out, no I/O, no clock. [`Window`] holds what exporters told, compressed and
//! bounded; [`Encoder`] and [`Decoder`] carry it over thin lines, to the last bit; [`Thinner`] says
//! what is left out where a line bears less than there is.

mod batch;
mod decode;
mod head;
mod piece;
mod thin;
mod value;
mod window;

pub use batch::Encoder;
pub use decode::{Decoder, Event, Heard, Wrong};
pub use head::{Head, Packed};
pub use piece::Found;
pub use thin::{Bucket, Level, Priority, Thinner};
pub use window::{Gap, Standing, Window};

/// Bits of the value that marks the end of a series: Prometheus' staleness marker.
const ENDED: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether this value says that its series ended.
pub fn has_ended(value: f64) -> bool {
    value.to_bits() == ENDED.to_bits()
}

#[cfg(test)]
mod tests;
