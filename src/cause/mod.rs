//! What caused an incident: candidates ranked by the evidence for and against each.
//!
//! Pure: a [`Picture`] goes in, a [`Ranking`] comes out. Two questions are kept apart, because they
//! have different answers: where it began (an object), and what was done before (a change). Each
//! may be answered with "none of these". Weights are natural logs of odds and add up; each piece
//! tells where it is from.

pub mod aspect;
mod change;
mod count;
mod diff;
mod flow;
mod knowledge;
pub mod picture;
mod place;
mod rank;
mod shift;
mod sign;
mod span;
mod words;

pub use knowledge::Fix;
pub use picture::Picture;
pub use rank::{Cause, Evidence, Ranking, What, rank};

#[cfg(test)]
mod tests;
