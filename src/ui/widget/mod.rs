//! Parts of the screen without knowledge of the domain.
