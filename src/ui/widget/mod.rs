//! Parts of the screen without knowledge of the domain.

pub mod badge;
pub mod cell;
pub mod chart;
pub mod editor;
pub mod field;
pub mod filter;
pub mod heat;
pub mod markdown;
pub mod spark;
pub mod table;
pub mod text;
pub mod timeline;
