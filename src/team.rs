//! What is shared over the team's bus: what watchers tell, who watches what, what people did about
//! incidents, who is there. The only code that speaks with that bus.

pub mod spool;
