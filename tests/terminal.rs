//! The real program in a real terminal: it starts, is used, ends in every way there is, and gives
//! the terminal back, checked byte by byte; and nothing from outside reaches the terminal as a
//! sequence.
#![allow(clippy::duplicate_mod, reason = "the servers stand on the same wire")]

#[path = "support/apiserver/mod.rs"]
mod apiserver;
#[path = "support/chat.rs"]
mod chat;
#[path = "support/faults.rs"]
mod faults;
#[path = "support/nats.rs"]
mod nats_server;
#[path = "support/prometheus.rs"]
mod prometheus_server;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/site.rs"]
mod site;
#[path = "support/stream.rs"]
mod stream;
#[path = "support/tempo.rs"]
mod tempo_server;

#[path = "terminal/approved.rs"]
mod approved;
#[path = "terminal/bus.rs"]
mod bus;
#[path = "terminal/clocks.rs"]
mod clocks;
#[path = "terminal/clusters.rs"]
mod clusters;
#[path = "terminal/ends.rs"]
mod ends;
#[path = "terminal/environment.rs"]
mod environment;
#[path = "terminal/explored.rs"]
mod explored;
#[path = "terminal/gpu.rs"]
mod gpu;
#[path = "terminal/handed.rs"]
mod handed;
#[path = "terminal/hostile.rs"]
mod hostile;
#[path = "terminal/kept.rs"]
mod kept;
#[path = "terminal/shared.rs"]
mod shared;
#[path = "terminal/used.rs"]
mod used;

use pty::{Pty, Start};
use stream::Stream;

/// Port 9 is nobody's: refused at once.
const DEAD: &str = r#"
[[clusters]]
name = "alpha"
prometheus = { url = "http://127.0.0.1:9" }
loki = { url = "http://127.0.0.1:9" }
[[clusters]]
name = "beta"
prometheus = { url = "http://127.0.0.1:9" }
alertmanager = { url = "http://127.0.0.1:9" }
[agent]
url = "http://127.0.0.1:9/v1"
"#;

/// What the program writes first and last: byte for byte.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const LEAVE: &str = "\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\
                     \x1b[0m\x1b[999;1H\x1b[?25h\x1b[?1049l";

/// The program looking at two clusters whose servers are dead.
fn dead() -> Pty {
    let pty = Pty::start(&Start {
        config: Some(DEAD),
        ..Start::default()
    });
    pty.see("alpha").see("Clusters 2");
    pty
}

/// Servers of a test; they answer on threads of their own while the test waits for the screen.
fn servers() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("runtime")
}

#[track_caller]
fn stream(pty: &Pty) -> Stream {
    match stream::parse(&pty.bytes(), LEAVE) {
        Ok(stream) => stream,
        Err(why) => panic!("{why}\nscreen:\n{}", pty.screen()),
    }
}

/// The terminal is as it was before: every byte since the start was one of ours, the first and the
/// last are the whole of taking and giving back, and the modes are the shell's.
#[track_caller]
fn assert_given_back(pty: &Pty) -> Stream {
    let stream = stream(pty);
    assert_eq!(stream.left_behind(), [""; 0]);
    // A frame that was cut may end within a character.
    let bytes = pty.bytes();
    let bytes = String::from_utf8_lossy(&bytes);
    let (before, rest) = bytes.split_once(ENTER).expect("entered");
    assert!(
        before.starts_with("pid ") && before.ends_with(".\r\n"),
        "{before:?}"
    );
    let (_, after) = rest.rsplit_once(LEAVE).expect("left");
    assert!(!after.contains('\u{1b}'), "{after:?}");
    pty.assert_cooked();
    pty.model(|screen| {
        assert!(!screen.alternate_screen());
        assert!(!screen.hide_cursor());
        assert!(!screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
        assert_eq!(screen.bgcolor(), vt100::Color::Default);
        assert!(!screen.bold() && !screen.inverse() && !screen.underline());
    });
    stream
}
