//! Watches against an API server that restarts, forgets, refuses and falls silent.

#[path = "watches/actions.rs"]
mod actions;
#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "watches/basic.rs"]
mod basic;
#[path = "watches/certificate.rs"]
mod certificate;
#[path = "watches/console.rs"]
mod console;
#[path = "watches/ends.rs"]
mod ends;
#[path = "watches/identity.rs"]
mod identity;
#[path = "watches/limits.rs"]
mod limits;
#[path = "support/memory.rs"]
mod memory;
#[path = "watches/pods.rs"]
mod pods;
#[path = "watches/resume.rs"]
mod resume;
#[path = "watches/weight.rs"]
mod weight;
