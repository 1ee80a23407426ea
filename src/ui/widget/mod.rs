//! Parts of the screen without knowledge of the domain.

pub mod chart;
pub mod heat;
pub mod text;
pub mod timeline;
