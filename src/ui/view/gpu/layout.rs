//! Where the parts of the screen stand, and what is copied of it.

use ratatui::layout::Rect;

use super::{Gpu, Mode, Part, detail, holders, serving};
use crate::state::world::World;
use crate::ui::view::common::{above, beside};

/// From this width on the device stands beside the map.
pub const WIDE: u16 = 100;

/// Width or height 0: left out.
pub struct Layout {
    pub devices: Rect,
    pub detail: Option<Rect>,
    pub serving: Rect,
}

impl Gpu {
    pub(super) fn layout(&self, area: Rect, models: usize) -> Layout {
        let wanted = match models {
            0 => 0,
            n => u16::try_from(n)
                .unwrap_or(u16::MAX)
                .saturating_add(3)
                .min(area.height / 3),
        };
        let (top, serving) = above(area, wanted);
        let show = self.detail.unwrap_or(area.width >= WIDE);
        let (devices, detail) = match show {
            false => (top, None),
            true if area.width >= WIDE => beside(top, WIDE, (area.width * 2 / 5).max(44)),
            true => (Rect { width: 0, ..top }, Some(top)),
        };
        Layout {
            devices,
            detail,
            serving,
        }
    }

    /// The row under the cursor in words.
    pub(super) fn copy(&self, world: &World) -> Option<String> {
        if self.part == Part::Serving {
            let model = self.model(&self.models(world))?;
            return Some(serving::plain(world, model));
        }
        if self.mode == Mode::Holders {
            let all = self.holders(world);
            let at = self.held.position(&all, holders::Holder::id)?;
            return all.get(at).map(|holder| holders::plain(world, holder));
        }
        let rows = self.rows(world);
        let (cluster, gpu) = self.current(&rows)?;
        Some(detail::plain(world, cluster, gpu))
    }
}
