//! Plain facts of the trade, without I/O and without a screen.

pub mod action;
pub mod alert;
pub mod api;
pub mod ask;
pub mod change;
pub mod chat;
pub mod clock_class;
pub mod cnf;
pub mod combine;
pub mod condition;
pub mod dashboard;
pub mod discovery;
pub mod exemplar;
pub mod export;
pub mod fault;
pub mod fields;
pub mod finding;
pub mod gitops;
pub mod gpu;
pub mod grid;
pub mod health;
pub mod id;
pub mod identity;
pub mod image;
pub mod input;
pub mod label;
pub mod log;
pub mod object;
pub mod openshift;
pub mod ptp;
pub mod rights;
pub mod sample;
pub mod serving;
pub mod signal;
pub mod sriov;
pub mod stability;
pub mod telemetry;
pub mod text;
pub mod thin;
pub mod time;
pub mod trace;
pub mod unit;
pub mod workload;
pub mod xid;

#[cfg(test)]
mod exposed;
