//! State = World (what is known) + Screen (how it is looked at).

pub mod world;
