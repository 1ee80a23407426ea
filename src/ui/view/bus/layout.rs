//! Where the three panes stand.

use ratatui::layout::Rect;

use super::Part;
use crate::ui::view::common::{above, beside};

/// From this width on all three are in view.
const WIDE: u16 = 120;
/// From this height on the tree stands below the messages.
const HIGH: u16 = 14;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Places {
    pub streams: Rect,
    pub messages: Rect,
    pub tree: Rect,
}

/// A pane that is not in view is empty.
pub fn places(area: Rect, part: Part) -> Places {
    let mut places = Places::default();
    let (left, right) = beside(area, WIDE, area.width * 45 / 100);
    if let Some(right) = right {
        places.streams = left;
        (places.messages, places.tree) = above(right, right.height / 2);
        return places;
    }
    match part {
        Part::Streams => places.streams = area,
        Part::Tree => places.tree = area,
        Part::Messages if area.height >= HIGH => {
            (places.messages, places.tree) = above(area, area.height / 2);
        }
        Part::Messages => places.messages = area,
    }
    places
}
