//! One screen a file. Each view owns its small state (selection, scroll, filter) and has
//! `update(&mut self, Command, &World) -> Vec<Effect>` and `draw(&self, &Ctx, Rect, &mut Buffer)`.

pub mod common;
