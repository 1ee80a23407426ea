//! The picture of the chosen incident: lanes, curves, or the curve of one finding.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Incidents, flagged, lanes};
use crate::incident::Incident;
use crate::ui::Ctx;

/// Rows of the picture of one curve at most.
const CHART: u16 = 18;

/// What is drawn of the chosen incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picture {
    #[default]
    Lanes,
    /// Of each finding its curve in a row.
    Curves,
    /// The curve of the chosen finding over what was usual for it.
    Flagged,
}

impl Picture {
    pub fn next(self) -> Self {
        match self {
            Self::Lanes => Self::Curves,
            Self::Curves => Self::Flagged,
            Self::Flagged => Self::Lanes,
        }
    }

    /// Rows that it needs for so many findings: title, axis and changes beside them.
    pub fn rows(self, findings: usize) -> u16 {
        match self {
            Self::Flagged => CHART,
            _ => u16::try_from(findings.saturating_add(5)).unwrap_or(u16::MAX),
        }
    }
}

impl Incidents {
    pub(super) fn draw_picture(
        &self,
        ctx: &Ctx<'_>,
        incident: &Incident,
        area: Rect,
        buf: &mut Buffer,
    ) {
        if self.picture == Picture::Flagged {
            let finding = self.finding(incident);
            return flagged::draw(ctx, (incident, finding), area, buf);
        }
        let causes = ctx.world.causes_so_far(incident);
        let curves = self.picture == Picture::Curves;
        lanes::draw(ctx, (incident, &causes), curves, area, buf);
    }
}
