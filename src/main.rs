//! Flags and hooks, then over to `cli`.

fn main() {}
