//! Keys, mouse, pastes and garbage.

use super::*;
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Vec<InputEvent> {
    let (mut parser, mut out) = (Parser::default(), Vec::new());
    parser.feed(bytes, &mut out);
    parser.flush(&mut out);
    out
}

fn key(key: Key) -> InputEvent {
    plain(key)
}

#[test]
fn reads_keys() {
    assert_eq!(
        parse("qé\r\t".as_bytes()),
        [Key::Char('q'), Key::Char('é'), Key::Enter, Key::Tab].map(key)
    );
    assert_eq!(
        parse(b"\x1b[A\x1bOB\x1b[5~\x1b[Z\x1b[15~\x1bOP\x1b[[A"),
        [
            Key::Up,
            Key::Down,
            Key::PageUp,
            Key::BackTab,
            Key::F(5),
            Key::F(1),
            Key::F(1)
        ]
        .map(key)
    );
    assert_eq!(parse(b"\x1b"), [key(Key::Esc)]);
    assert_eq!(parse(b"\x1b\x1b"), [key(Key::Esc), key(Key::Esc)]);
    assert_eq!(parse(b"\x03"), [InputEvent::Key(KeyPress::ctrl('c'))]);
    assert_eq!(parse(b"\x1bx"), [alt('x')]);
    assert_eq!(parse(b"\x1b[1;5A"), [modified(Key::Up, 4)]);
}

#[test]
fn reads_mouse_and_focus_and_swallows_the_rest() {
    assert_eq!(
        parse(b"\x1b[<0;10;5M\x1b[<64;1;1M\x1b[I"),
        [
            InputEvent::Mouse {
                kind: MouseKind::Press,
                column: 9,
                row: 4
            },
            InputEvent::Mouse {
                kind: MouseKind::ScrollUp,
                column: 0,
                row: 0
            },
            InputEvent::FocusGained,
        ]
    );
    assert_eq!(parse(b"\x1b[?62;4c\x1b[24;80R"), []);
    assert_eq!(parse(b"\xff\xfe\xc3"), []);
}

#[test]
fn answers_to_others_are_swallowed() {
    for answer in [
        &b"\x1b]11;rgb:2222/3333/4444\x07"[..],
        b"\x1b]11;rgb:2222/3333/4444\x1b\\",
        b"\x1bP1+r544e=787465726d\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
    ] {
        for cut in 2..answer.len() {
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            parser.feed(&answer[..cut], &mut out);
            parser.feed(&answer[cut..], &mut out);
            parser.feed(b"q", &mut out);
            assert_eq!(out, [key(Key::Char('q'))], "{answer:?} cut at {cut}");
        }
    }
    assert_eq!(parse(b"\x1b]0;no end\x1b[A"), [key(Key::Up)]);
    assert_eq!(parse(b"\x1b]"), [alt(']')]);
    assert_eq!(parse(b"\x1b[\x1bO"), [alt('O')]);
}

#[test]
fn a_paste_is_cut_cleaned_and_never_acts_as_keys() {
    let mut bytes = b"\x1b[200~first\rsecond \x1b[31mred".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 1 << 20));
    bytes.extend_from_slice(b"\x1b[201~j");
    let (mut parser, mut out) = (Parser::default(), Vec::new());
    for piece in bytes.chunks(1000) {
        parser.feed(piece, &mut out);
    }
    let [InputEvent::Paste(text), last] = out.as_slice() else {
        panic!("{} events", out.len());
    };
    assert!(text.starts_with("first\nsecond redxxx"), "{}", &text[..40]);
    assert!(text.len() <= PASTE_LIMIT + 32, "{}", text.len());
    assert_eq!(*last, key(Key::Char('j')));
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_does_not_matter(
        keys in proptest::collection::vec(prop_oneof![
            Just(&b"\x1b[A"[..]), Just(&b"\x1b[200~a\x1b[Zb\x1b[201~"[..]), Just(&b"q"[..]),
            Just(&b"\x1b[<0;10;5M"[..]), Just("日".as_bytes()), Just(&b"\x1b[1;2D"[..]),
        ], 0..20),
        cut in 1usize..7,
    ) {
        let bytes = keys.concat();
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        for piece in bytes.chunks(cut) {
            parser.feed(piece, &mut out);
        }
        prop_assert_eq!(out, parse(&bytes));
    }

    #[test]
    fn garbage_never_panics_nor_piles_up(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'[')], 0..2000),
    ) {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        for piece in bytes.chunks(37) {
            parser.feed(piece, &mut out);
            prop_assert!(parser.paste.is_some() || parser.rest.len() < SEQUENCE_LIMIT + 37);
        }
    }
}
