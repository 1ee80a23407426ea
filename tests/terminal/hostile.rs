//! Text that wants to be more than text.

use super::chat::{ChatServer, text};
use super::site::{Site, Texts};
use super::*;

/// Title, clipboard, wiping, colours, queries, 8-bit controls, text from right to left, text of no
/// width, back spaces and tags; `EVIL` must still be read.
const EVIL: &str = "\u{1b}]0;PWNED\u{7}\u{1b}]52;c;UFdORUQ=\u{1b}\\\u{1b}[2J\u{1b}[31mEVIL\u{1b}[0m\
    \u{9b}5n\u{9d}0;t\u{9c}\u{1b}[6n\u{1b}P+q544e\u{1b}\\\u{1b}c\u{202e}rtl\u{202c}\u{200b}\u{200d}\
    \u{feff}\u{8}\u{7f}\u{0}\u{e0041}\u{1b}[?1049l\u{1b}[?1000h\u{fe0f}\u{301}\u{301}\r\n\tend\u{1b}";

#[test]
fn in_every_field_of_every_server() {
    let servers = servers();
    let long = "L".repeat(100_000);
    let (evil, endless, agent) = servers.block_on(async {
        let texts = |value: String| Texts {
            line: format!("level=error {value}"),
            tail: value.clone(),
            value,
        };
        (
            Site::start(texts(EVIL.to_owned())).await,
            Site::start(texts(format!("{EVIL}{long}"))).await,
            ChatServer::start(vec![text(&format!("ANSWER {EVIL}"))]).await,
        )
    });
    let agent = format!("[agent]\nurl = \"{}\"\n", agent.url());
    let config = evil.config("alpha") + &endless.config("beta") + &agent;
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (200, 50),
        ..Start::default()
    });
    pty.see("Clusters 2");
    pty.keys("7").see("EVIL");
    pty.keys("d").keys("jj").keys("\r").keys("<esc>");
    // Recorded objects of Kubernetes, with more behind each name.
    pty.keys("2").see("▸ Cluster").see("EVIL");
    pty.keys("d").keys("m").keys("m").keys("m").keys("<esc>");
    pty.keys("3").see("▸ Metrics");
    pty.keys("\r").keys("<esc>");
    pty.keys("4").see("EVIL");
    pty.keys("d").keys("w").keys("jjj").keys("\r").keys("<esc>");
    pty.keys("5")
        .keys("m")
        .keys("6")
        .keys("m")
        .keys("8")
        .keys("\r")
        .keys("<esc>");
    pty.keys("gs").see("farwatch itself");
    pty.keys("]")
        .keys("]")
        .keys("2")
        .keys("4")
        .keys("7")
        .see("EVIL");
    // The palette lists names from outside.
    pty.keys("\x10").keys("EV").keys("<esc>");
    pty.keys("~").keys("<esc>");
    pty.keys("Awhat?\r").see("ANSWER EVIL");
    pty.keys("<esc>").keys("<esc>").keys("1");
    pty.see("Clusters 2");
    // Not q: that would close the chat first if the answer were still coming when Esc was pressed.
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    let stream = assert_given_back(&pty);
    assert!(
        !stream.inside.contains("PWNED"),
        "the text of a sequence stays out"
    );
    assert_eq!(stream.entered, 1);
}

/// A paste of a megabyte into each place that takes text, and where none is taken.
#[test]
fn a_paste_of_a_megabyte() {
    let mut pty = dead();
    let mut paste = "x\u{1b}[31m日 ".repeat(110_000);
    paste.push_str("THE END");
    assert!(paste.len() > 1_000_000);
    pty.paste(paste.as_bytes());
    pty.keys("?").see("Help");
    pty.keys("<esc>").lose("Help");
    pty.keys("/").paste(paste.as_bytes()).see("Clusters 0 of 2");
    pty.keys("<esc>").see("Clusters 2");
    pty.keys("A").paste(paste.as_bytes()).see("x日");
    pty.keys("\r")
        .keys("<esc>")
        .keys("<esc>")
        .keys("<esc>")
        .lose("x日 x日");
    pty.keys("?").see("Help");
    pty.keys("<esc>").keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// The same from a terminal that does not mark what is pasted: every character is a key. Frames
/// go on meanwhile, and a signal is heard in the middle of it.
#[test]
fn a_megabyte_of_keys() {
    let mut pty = dead();
    pty.keys("/");
    for _ in 0..1024 {
        pty.type_bytes(&[b'y'; 1024]);
    }
    pty.see("Clusters 0 of 2");
    pty.keys("<esc>").see("Clusters 2");
    pty.signal(rustix::process::Signal::TERM);
    assert_eq!(pty.ended(), 143);
    assert_given_back(&pty);
}

/// Random bytes from the keyboard: no key, no crash, and Ctrl-C still works.
#[test]
fn noise_from_the_keyboard() {
    let mut pty = dead();
    let mut seed = 99_u32;
    let noise: Vec<u8> = (0..20_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as u8
        })
        // Neither quits, nor stops, nor begins a paste that nobody ends.
        .filter(|b| !matches!(b, 0x03 | 0x1a | b'q' | b'Q' | b'~'))
        .collect();
    for piece in noise.chunks(512) {
        pty.type_bytes(piece);
    }
    pty.type_bytes(b"\x1b[201~");
    pty.signal(rustix::process::Signal::TERM);
    assert_eq!(pty.ended(), 143);
    assert_given_back(&pty);
}
