//! `farwatch watch`: real processes, a real nats-server, SIGKILL.

#[path = "watch/faults.rs"]
mod faults;
#[path = "watch/killed.rs"]
mod killed;
#[path = "support/nats.rs"]
mod nats;
#[path = "watch/shared.rs"]
mod shared;
#[path = "watch/site.rs"]
mod site;
#[path = "watch/told.rs"]
mod told;
