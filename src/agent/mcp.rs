//! The Model Context Protocol: our tools for other programs, and theirs for our agent.

pub mod client;
pub mod serve;
