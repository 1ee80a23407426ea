//! The Model Context Protocol: our tools for other programs.

pub mod serve;
