//! The terminal's clipboard, set by OSC 52: works over SSH, asks nothing back.

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

use super::caps::Multiplexer;

/// Terminals take no more than about so much, encoded.
pub const LIMIT: usize = 48 * 1024;

/// The bytes that set the clipboard. tmux and GNU screen take the sequence themselves or pass the
/// wrapped one on, as they are configured: they get both.
pub fn copy(text: &str, multiplexer: Multiplexer) -> Vec<u8> {
    let mut plain = String::new();
    // Writing into a string does not fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain);
    let wrapped = match multiplexer {
        Multiplexer::None => String::new(),
        Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
        Multiplexer::Screen => in_pieces(&plain),
    };
    (plain + &wrapped).into_bytes()
}

/// GNU screen passes on at most 768 bytes at once.
fn in_pieces(sequence: &str) -> String {
    let mut out = String::new();
    let mut rest = sequence;
    while !rest.is_empty() {
        // The sequence is ASCII; the end of a piece must not part ESC from its backslash.
        let mut end = rest.len().min(500);
        if rest.get(..end).is_some_and(|piece| piece.ends_with('\x1b')) && end < rest.len() {
            end -= 1;
        }
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str("\x1bP");
        out.push_str(piece);
        out.push_str("\x1b\\");
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_and_wraps() {
        let text = |m| String::from_utf8(copy("héllo", m)).expect("ascii");
        let plain = text(Multiplexer::None);
        assert!(plain.starts_with("\x1b]52;c;aMOpbGxv"), "{plain:?}");
        assert!(text(Multiplexer::Tmux).contains("\x1bPtmux;\x1b\x1b]52;c;"));
        let long = copy(&"x".repeat(3000), Multiplexer::Screen);
        let long = String::from_utf8(long).expect("ascii");
        assert!(long.matches("\x1bP").count() > 6);
    }
}
