//! Cells of CSV files.

/// A cell that no spreadsheet takes for a formula: one that starts like a formula, also behind
/// blanks and in the wide forms of East Asia, gets an apostrophe. Line breaks become blanks.
pub fn harmless(cell: &str) -> String {
    let flat = cell.replace("\r\n", " ").replace(['\r', '\n'], " ");
    let starts = |c: char| "=+-@\t\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c);
    let tab = flat.starts_with('\t');
    match tab || flat.trim_start().starts_with(starts) {
        true => format!("'{flat}"),
        false => flat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in [
            "=1+1", "+1", "-1", "@x", "\t=1", "\tx", "  =1", "\n=1", "＝1", "\r\n@x",
        ] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        for cell in ["", "x=1", "1-1", "'=1", " x"] {
            assert_eq!(harmless(cell), cell, "{cell:?}");
        }
    }
}
