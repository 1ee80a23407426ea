//! Where clocks, detail and what stands below them are drawn.

use ratatui::layout::Rect;

use super::{Cnf, Part, WIDE};
use crate::ui::view::common::{above, beside};

/// Where the parts stand; width or height 0: left out.
pub struct Layout {
    pub clocks: Rect,
    pub detail: Option<Rect>,
    pub sriov: Rect,
}

impl Cnf {
    pub(super) fn layout(&self, area: Rect, clocks: usize, functions: usize) -> Layout {
        let none = Rect { height: 0, ..area };
        let wide = area.width >= WIDE;
        let show = self.detail.unwrap_or(wide);
        // On a small screen one part at a time.
        if !wide || area.height < 16 {
            if show {
                return Layout {
                    clocks: Rect { width: 0, ..area },
                    detail: Some(area),
                    sriov: none,
                };
            }
            let (clocks, sriov) = match self.part {
                Part::Clocks => (area, none),
                Part::Sriov | Part::Workloads => (Rect { width: 0, ..area }, area),
            };
            return Layout {
                clocks,
                detail: None,
                sriov,
            };
        }
        // Border, header and what is said of the chosen row.
        let all = u16::try_from(functions + 6).unwrap_or(u16::MAX);
        let wanted = match (functions, clocks) {
            (0, _) => 4,
            (_, 0) => all,
            _ => all.min(area.height / 2),
        };
        let (top, sriov) = above(area, wanted.min(area.height.saturating_sub(6)));
        let (clocks, detail) = match show {
            true => beside(top, WIDE, (area.width * 9 / 20).max(48)),
            false => (top, None),
        };
        Layout {
            clocks,
            detail,
            sriov,
        }
    }
}
