//! What is recorded is replayed: the same alerts, incidents and series as live; the demo; no secret
//! in a file; going back.
#![allow(clippy::duplicate_mod, reason = "the servers stand on the same wire")]

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "support/chat.rs"]
mod chat;
#[path = "support/faults.rs"]
mod faults;
#[path = "support/loki.rs"]
mod loki;
#[path = "support/prometheus.rs"]
mod prometheus;

#[path = "replay/allowed.rs"]
mod allowed;
#[path = "replay/ask.rs"]
mod ask;
#[path = "replay/demo.rs"]
mod demo;
#[path = "replay/explore.rs"]
mod explore;
#[path = "replay/handover.rs"]
mod handover;
#[path = "replay/headless.rs"]
mod headless;
#[path = "replay/record.rs"]
mod record;
#[path = "replay/show.rs"]
mod show;
