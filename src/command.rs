//! What an operator can do inside a view; keys are mapped here, in one table.

use crate::model::input::KeyPress;

/// Meant by the operator, independent of the key. Views get these.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Left,
    Right,
    /// Enter: go deeper.
    Open,
    /// Esc within a view: clear selection or filter. Views return to the frame what they do not use.
    Back,
    NextPane,
    PreviousPane,
    /// `m`: next mode of the view.
    Mode,
    Sort,
    ReverseSort,
    /// `d`: detail pane.
    Detail,
    /// `w`
    Wrap,
    /// `!`: problems only.
    Problems,
    /// `e` / `E`
    NextProblem,
    PreviousProblem,
    /// Live text of the `/` prompt; empty clears.
    Filter(String),
    /// `p`
    Pause,
    /// `o`: edit the query of the view.
    Edit,
    /// A key for the view's own editor while it has the focus.
    Type(KeyPress),
    Paste(String),
    /// `r`
    Refresh,
    /// `yy`: copy the row.
    CopyRow,
    /// Mouse press at screen coordinates.
    Click {
        column: u16,
        row: u16,
    },
}
