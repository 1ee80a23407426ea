//! The agent against servers that replay recorded answers and misbehave in every known way.
#![allow(clippy::duplicate_mod, reason = "both servers stand on the same wire")]

#[path = "support/chat.rs"]
mod chat;
#[path = "support/nats.rs"]
mod nats;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/vllm.rs"]
mod vllm;

#[path = "agent/asked.rs"]
mod asked;
#[path = "agent/attacks.rs"]
mod attacks;
#[path = "agent/budgets.rs"]
mod budgets;
#[path = "agent/faults.rs"]
mod faults;
#[path = "agent/foreign.rs"]
mod foreign;
#[path = "agent/proposed.rs"]
mod proposed;
#[path = "agent/recorded.rs"]
mod recorded;
#[path = "agent/servers.rs"]
mod servers;
#[path = "agent/site.rs"]
mod site;
#[path = "agent/tools.rs"]
mod tools;
