//! Where panels stand: in rows of twelve columns, wider where the screen is narrow.

use ratatui::layout::Rect;

use crate::model::dashboard::{COLUMNS, Form, Panel};

/// Narrowest panel in which a curve can be read, and a number.
const LEAST: u16 = 38;
const LEAST_STAT: u16 = 18;

/// A panel or a heading, in rows from the top of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// `None`: the heading of the panel that follows.
    pub panel: Option<usize>,
    pub area: Rect,
}

/// Places for all panels on a board of this width.
pub fn spots(panels: &[Panel], width: u16) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::with_capacity(panels.len());
    let (mut top, mut height, mut used) = (0u16, 0u16, 0u8);
    let mut section = "";
    for (number, panel) in panels.iter().enumerate() {
        let columns = columns(panel, width);
        let heading = panel.section != section;
        if used + columns > COLUMNS || heading {
            stretch(&mut spots, top, height);
            top = top.saturating_add(height);
            (height, used) = (0, 0);
        }
        if heading {
            section = &panel.section;
            if !section.is_empty() {
                spots.push(Spot {
                    panel: None,
                    area: Rect::new(0, top, width, 1),
                });
                top = top.saturating_add(1);
            }
        }
        let x = cells(used, width);
        let rows = panel.height.unwrap_or_else(|| panel.form.rows());
        let wide = cells(used + columns, width) - x;
        spots.push(Spot {
            panel: Some(number),
            area: Rect::new(x, top, wide, rows),
        });
        used += columns;
        height = height.max(rows);
    }
    stretch(&mut spots, top, height);
    spots
}

/// Panels beside each other are as high as the highest of them.
fn stretch(spots: &mut [Spot], top: u16, height: u16) {
    let beside = |s: &&mut Spot| s.panel.is_some() && s.area.y == top;
    for spot in spots.iter_mut().rev().take_while(beside) {
        spot.area.height = height;
    }
}

fn columns(panel: &Panel, width: u16) -> u8 {
    let least = match panel.form {
        Form::Stat => LEAST_STAT,
        _ => LEAST,
    };
    let fits = |columns: &u8| cells(*columns, width) >= least;
    // Only widths that fill a row without a rest.
    [1, 2, 3, 4, 6, 12]
        .into_iter()
        .filter(|c| *c >= panel.width)
        .find(fits)
        .map_or(COLUMNS, |found| match fits(&panel.width) {
            true => panel.width,
            false => found,
        })
}

/// Cells that so many columns take from the left.
fn cells(columns: u8, width: u16) -> u16 {
    let cells = u32::from(width) * u32::from(columns) / u32::from(COLUMNS);
    u16::try_from(cells).unwrap_or(width)
}

/// Rows of the whole board.
pub fn height(spots: &[Spot]) -> u16 {
    spots.iter().map(|s| s.area.bottom()).max().unwrap_or(0)
}

/// Where to scroll so that these rows are in view.
pub fn scroll(top: u16, view: u16, area: Rect) -> u16 {
    if area.y < top || area.height >= view {
        return area.y;
    }
    top.max(area.bottom().saturating_sub(view))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(form: Form, width: u8, section: &str) -> Panel {
        Panel {
            form,
            width,
            section: section.into(),
            ..Panel::default()
        }
    }

    fn areas(panels: &[Panel], width: u16) -> Vec<(u16, u16, u16, u16)> {
        let spots = spots(panels, width);
        let of = |s: &Spot| (s.area.x, s.area.y, s.area.width, s.area.height);
        spots.iter().map(of).collect()
    }

    #[test]
    fn panels_stand_beside_each_other_where_there_is_room() {
        let two = [panel(Form::Lines, 6, ""), panel(Form::Lines, 6, "")];
        assert_eq!(areas(&two, 200), [(0, 0, 100, 12), (100, 0, 100, 12)]);
        assert_eq!(areas(&two, 80), [(0, 0, 40, 12), (40, 0, 40, 12)]);
        assert_eq!(areas(&two, 70), [(0, 0, 70, 12), (0, 12, 70, 12)]);
        let stats = [
            panel(Form::Stat, 3, ""),
            panel(Form::Stat, 3, ""),
            panel(Form::Stat, 3, ""),
            panel(Form::Stat, 3, ""),
            panel(Form::Logs, 12, ""),
        ];
        assert_eq!(
            areas(&stats, 80),
            [
                (0, 0, 20, 5),
                (20, 0, 20, 5),
                (40, 0, 20, 5),
                (60, 0, 20, 5),
                (0, 5, 80, 14)
            ]
        );
        assert_eq!(areas(&stats, 60)[2], (40, 0, 20, 5));
    }

    #[test]
    fn panels_beside_each_other_are_equally_high() {
        let mut all = [
            panel(Form::Lines, 6, ""),
            panel(Form::Table, 6, ""),
            panel(Form::Stat, 6, ""),
        ];
        all[2].height = Some(7);
        let areas = areas(&all, 200);
        assert_eq!((areas[0].3, areas[1].3, areas[2].3), (14, 14, 7));
    }

    #[test]
    fn a_section_starts_a_row_with_its_heading() {
        let all = [
            panel(Form::Stat, 3, ""),
            panel(Form::Lines, 6, "A"),
            panel(Form::Lines, 6, "A"),
            panel(Form::Lines, 6, "B"),
        ];
        let spots = spots(&all, 120);
        let rows: Vec<_> = spots.iter().map(|s| (s.panel, s.area.y)).collect();
        assert_eq!(
            rows,
            [
                (Some(0), 0),
                (None, 5),
                (Some(1), 6),
                (Some(2), 6),
                (None, 18),
                (Some(3), 19)
            ]
        );
        assert_eq!(height(&spots), 31);
    }

    #[test]
    fn the_panel_under_the_cursor_is_in_view() {
        assert_eq!(scroll(0, 20, Rect::new(0, 12, 9, 12)), 4);
        assert_eq!(scroll(30, 20, Rect::new(0, 12, 9, 12)), 12);
        assert_eq!(scroll(5, 20, Rect::new(0, 12, 9, 12)), 5);
        assert_eq!(scroll(0, 8, Rect::new(0, 12, 9, 12)), 12);
    }
}
