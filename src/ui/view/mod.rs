//! One screen a file. Each view owns its small state (selection, scroll, filter) and has
//! `update(&mut self, Command, &Ctx) -> Vec<Effect>`, `draw(&self, &Ctx, Rect, &mut Buffer)` and,
//! where it asks, `answer(&mut self, &Answered)`. Beside them: `target(&Ctx) -> Option<Target>`
//! (where Enter leads), `takes_back()` (Esc would undo something here) and `editing()` (keys are
//! text now).

pub mod common;
pub mod target;
