//! Plain facts of the trade, without I/O and without a screen.

pub mod alert;
pub mod ask;
pub mod chat;
pub mod fault;
pub mod finding;
pub mod gpu;
pub mod health;
pub mod id;
pub mod input;
pub mod label;
pub mod log;
pub mod object;
pub mod ptp;
pub mod sample;
pub mod serving;
pub mod signal;
pub mod sriov;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod unit;
pub mod xid;

#[cfg(test)]
mod exposed;
