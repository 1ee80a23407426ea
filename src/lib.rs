//! farwatch: every cluster in one terminal.
//!
//! Data flows one way: `source` -> `model::telemetry` -> `store` -> `detect` -> `incident` -> `ui`.
//! `state` holds what is known and how it is looked at; `app` is the loop that feeds it, `watch`
//! the one without a screen; `effect` carries out what it wants done. Effects happen only in
//! `source`, `team`, `agent`, `archive`, `effect`, `term`, `cli`, `watch`. The module rules stand in `tests/architecture.rs`.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::todo,
    clippy::unimplemented,
    clippy::dbg_macro
)]

pub mod agent;
pub mod app;
pub mod archive;
pub mod bundle;
pub mod cause;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod detect;
pub mod edge;
pub mod effect;
pub mod export;
pub mod incident;
pub mod language;
pub mod message;
pub mod model;
pub mod pattern;
pub mod promql;
pub mod report;
pub mod source;
pub mod state;
pub mod store;
pub mod team;
pub mod term;
pub mod ui;
pub mod watch;
