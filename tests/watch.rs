//! `farwatch watch`: real processes, a real nats-server, SIGKILL.

#[path = "watch/console.rs"]
mod console;
#[path = "watch/faults.rs"]
mod faults;
#[path = "watch/killed.rs"]
mod killed;
#[path = "watch/leader.rs"]
mod leader;
#[path = "support/nats.rs"]
mod nats;
#[path = "watch/shared.rs"]
mod shared;
#[path = "watch/site.rs"]
mod site;
#[path = "watch/told.rs"]
mod told;
