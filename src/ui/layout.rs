//! Pure geometry: area -> named regions. Drawing, mouse and paging share it.

use ratatui::layout::Rect;

/// The smallest screen that shows everything that must be seen.
pub const MIN_COLUMNS: u16 = 60;
pub const MIN_ROWS: u16 = 18;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    pub header: Rect,
    /// Filter and freshness; not there where rows or columns are few.
    pub status: Option<Rect>,
    pub body: Rect,
    pub chat: Option<Rect>,
    pub hints: Rect,
}

/// Too small to be of use.
pub fn too_small(area: Rect) -> bool {
    area.width < MIN_COLUMNS || area.height < MIN_ROWS
}

/// Nothing to spare: side panes go, tables keep what matters.
pub fn is_compact(area: Rect) -> bool {
    area.width < 100 || area.height < 30
}

pub fn frame(area: Rect, chat: bool) -> Regions {
    let row = |y: u16| Rect::new(area.x, area.y + y, area.width, 1).intersection(area);
    let top = if is_compact(area) { 1 } else { 2 };
    let height = area.height.saturating_sub(top + 1);
    let body = Rect::new(area.x, area.y.saturating_add(top), area.width, height).intersection(area);
    let (body, chat) = match chat {
        false => (body, None),
        true if area.width < 100 => (Rect { width: 0, ..body }, Some(body)),
        true => {
            let side = u16::try_from(u32::from(body.width) * 45 / 100).unwrap_or(0);
            let (left, right) = split_right(body, side);
            (left, Some(right))
        }
    };
    Regions {
        header: row(0),
        status: (top == 2).then(|| row(1)),
        body,
        chat,
        hints: row(area.height.saturating_sub(1)),
    }
}

/// Left part and `columns` at the right.
pub fn split_right(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    let left = Rect {
        width: area.width - columns,
        ..area
    };
    let right = Rect {
        x: left.right(),
        width: columns,
        ..area
    };
    (left, right)
}

/// Upper part and `rows` at the bottom.
pub fn split_bottom(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect {
        height: area.height - rows,
        ..area
    };
    let lower = Rect {
        y: upper.bottom(),
        height: rows,
        ..area
    };
    (upper, lower)
}

/// A box in the middle, at most so large.
pub fn middle(area: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(area.width), rows.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 3,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_fill_the_screen_and_do_not_overlap() {
        for (width, height) in [
            (200, 50),
            (120, 36),
            (80, 24),
            (60, 18),
            (3, 2),
            (1, 1),
            (0, 0),
        ] {
            for chat in [false, true] {
                let area = Rect::new(0, 0, width, height);
                let regions = frame(area, chat);
                let parts = [
                    Some(regions.header),
                    regions.status,
                    Some(regions.body),
                    regions.chat,
                ];
                let sum: u32 = parts.iter().flatten().map(|r| r.area()).sum();
                let hints = if height > 1 { regions.hints.area() } else { 0 };
                assert_eq!(sum + hints, area.area(), "{width}x{height} {chat}");
                assert!(
                    parts
                        .iter()
                        .flatten()
                        .all(|r| area.union(*r) == area || r.is_empty())
                );
            }
        }
    }

    #[test]
    fn chat_takes_45_percent_or_all() {
        let wide = frame(Rect::new(0, 0, 120, 36), true);
        assert_eq!(wide.chat.map(|c| c.width), Some(54));
        let small = frame(Rect::new(0, 0, 80, 24), true);
        assert_eq!(small.chat.map(|c| c.width), Some(80));
    }
}
