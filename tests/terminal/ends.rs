//! Every way to end, and to be stopped.

use rustix::process::Signal;

use super::pty::process_state;
use super::*;

/// Nothing but the shell's own words is on the terminal afterwards.
#[track_caller]
fn assert_silent(pty: &Pty, stream: &Stream) {
    let screen = pty.screen();
    assert!(
        screen.starts_with("pid "),
        "what was there before: {screen}"
    );
    let words: Vec<_> = stream.outside.split_whitespace().collect();
    assert!(
        matches!(words.as_slice(), ["pid", _, "ended", _]),
        "{:?}",
        stream.outside
    );
}

#[test]
fn by_keys() {
    for keys in ["q", ":quit\r", "\x03\x03", "?qq", "4\x03\x03"] {
        let mut pty = dead();
        assert!(pty.is_raw());
        pty.keys(keys);
        assert_eq!(pty.ended(), 0, "{keys:?}");
        assert_silent(&pty, &assert_given_back(&pty));
    }
}

#[test]
fn by_signals() {
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ] {
        let pty = dead();
        pty.signal(signal);
        assert_eq!(pty.ended(), code, "{signal:?}");
        assert_silent(&pty, &assert_given_back(&pty));
    }
}

/// The panic comes right behind the first frame, while that is still being written.
#[test]
fn by_a_panic() {
    for _ in 0..4 {
        let pty = Pty::start(&Start {
            config: Some(DEAD),
            env: vec![("FARWATCH_PANIC", "1")],
            size: (400, 120),
            ..Start::default()
        });
        assert_eq!(pty.ended(), 101);
        let stream = assert_given_back(&pty);
        let report = &stream.outside;
        assert!(report.contains("asked for by FARWATCH_PANIC"), "{report}");
        assert!(report.contains("stopped because of a bug"), "{report}");
        assert!(!report.contains("Clusters"), "a frame came after: {report}");
    }
}

/// While it is stopped the terminal is the shell's; then all of it is painted again.
fn stopped_and_continued(stop: impl Fn(&mut Pty)) {
    let mut pty = dead();
    stop(&mut pty);
    pty.see("stopped.");
    assert_eq!(process_state(pty.pid()), Some('T'));
    assert_given_back(&pty);
    let before = pty.bytes().len();
    pty.resize((100, 30));
    // The shell reads its line with echo, then `fg`.
    pty.keys("\r").see("Clusters 2").see("alpha");
    assert!(pty.is_raw());
    let bytes = pty.bytes();
    let since = String::from_utf8_lossy(&bytes[before..]).into_owned();
    assert!(since.contains(ENTER), "{since:?}");
    // The keyboard is heard again, and the new size is known.
    pty.keys("?").see("Help");
    pty.wait("100 columns", |screen| {
        screen.lines().all(|l| l.chars().count() <= 100)
    });
    pty.keys("<esc>q");
    assert_eq!(pty.ended(), 0);
    let stream = assert_given_back(&pty);
    assert_eq!(stream.entered, 2);
}

#[test]
fn stopped_by_ctrl_z() {
    stopped_and_continued(|pty| {
        pty.keys("\x1a");
    });
}

#[test]
fn stopped_by_sigtstp() {
    stopped_and_continued(|pty| pty.signal(Signal::TSTP));
}

/// SIGSTOP cannot be caught: the terminal stays taken, and is painted whole afterwards.
#[test]
fn stopped_without_a_word_and_continued() {
    let mut pty = dead();
    pty.signal(Signal::STOP);
    // Stopped in the middle of a frame, the shell's word may stand anywhere on the screen.
    pty.hear("stopped.");
    // The shell's terminal is raw: its line ends with a line feed.
    pty.keys("\n").see("Clusters 2").lose("stopped.");
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    let stream = super::stream::parse(&pty.bytes(), LEAVE);
    // What the shell says stands on our screen here, so only the end can be clean.
    assert!(stream.is_err() || stream.is_ok_and(|s| s.left_behind().is_empty()));
    pty.model(|screen| assert!(!screen.alternate_screen() && !screen.hide_cursor()));
}

#[test]
fn ended_while_stopped() {
    let mut pty = dead();
    pty.keys("\x1a").see("stopped.");
    pty.signal(Signal::TERM);
    pty.keys("\r");
    assert_eq!(pty.ended(), 143);
    assert_given_back(&pty);
}

#[test]
fn the_terminal_goes_away() {
    let mut pty = dead();
    let pid = pty.pid();
    pty.hang_up();
    Pty::assert_gone(pid);
}

#[test]
fn the_terminal_goes_away_while_stopped() {
    let mut pty = dead();
    let pid = pty.pid();
    pty.keys("\x1a").see("stopped.");
    pty.hang_up();
    Pty::assert_gone(pid);
}

/// Nobody reads: the pipe to the terminal is full, and a signal still ends it.
#[test]
fn ended_while_nobody_reads() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = dead();
        pty.deaf(true);
        // Enough frames that the kernel takes no more.
        for _ in 0..40 {
            pty.keys("?<esc>4132").keys("\x0c");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let pid = pty.pid();
        pty.signal(signal);
        Pty::assert_gone(pid);
        pty.assert_cooked();
        pty.deaf(false);
        // Frames that nobody read were thrown away, so that the farewell found room.
        assert_eq!(pty.ended(), code);
        assert_given_back(&pty);
    }
}
