//! What is shared over the team's bus: what watchers tell, who watches what, what people did about
//! incidents, who is there. The only code that speaks with that bus.

pub mod console;
pub mod desk;
pub mod found;
pub mod lease;
pub mod look;
mod pack;
pub mod presence;
pub mod publish;
pub mod read;
pub mod share;
pub mod spool;
pub mod stream;

pub use console::Team;
