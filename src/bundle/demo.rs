//! The recording that is part of the program: two clusters with a fault in each.

use super::{BundleError, Reader};

/// Made by `farwatch record` against the lab of `tests/lab`.
static RECORDING: &[u8] = include_bytes!("../../assets/demo.fwr");

/// How it is called on the screen.
pub const NAME: &str = "demo";

pub fn open() -> Result<Reader, BundleError> {
    Reader::from_bytes(RECORDING)
}
