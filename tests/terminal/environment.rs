//! Terminals, locales and pipes of every kind.

use std::process::{Command, Stdio};

use super::*;

fn started(env: &[(&str, &str)], arguments: &[&str]) -> Pty {
    let pty = Pty::start(&Start {
        config: Some(DEAD),
        env: env.to_vec(),
        arguments: arguments.to_vec(),
        ..Start::default()
    });
    pty.see("alpha").see("Clusters 2");
    pty
}

/// Quits and gives what was written.
fn quit(mut pty: Pty) -> Stream {
    pty.keys("?").see("Help");
    // A lone ESC: decided by time alone.
    pty.keys("\x1b").lose("Help");
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty)
}

#[test]
fn no_color() {
    let stream = quit(started(&[("NO_COLOR", "1")], &[]));
    assert!(stream.colours.is_empty(), "{:?}", stream.colours);
    let stream = quit(started(&[("TERM", "vt100"), ("COLORTERM", "")], &[]));
    assert!(stream.colours.is_empty(), "{:?}", stream.colours);
}

#[test]
fn as_many_colours_as_the_terminal_has() {
    let sixteen = quit(started(&[("TERM", "xterm"), ("COLORTERM", "")], &[]));
    assert!(!sixteen.colours.is_empty());
    let rich = |c: &String| c.contains("8;5;") || c.contains("8;2;");
    assert!(!sixteen.colours.iter().any(rich), "{:?}", sixteen.colours);
    let many = quit(started(&[("COLORTERM", "")], &[]));
    assert!(!many.colours.iter().any(|c| c.contains("8;2;")));
    assert!(many.colours.iter().any(rich), "{:?}", many.colours);
    let all = quit(started(&[], &[]));
    assert!(all.colours.iter().any(|c| c.contains("8;2;")));
}

#[test]
fn ascii_only() {
    let c = quit(started(&[("LANG", "C")], &[]));
    assert!(c.inside.is_ascii(), "{}", c.inside);
    let console = quit(started(&[("TERM", "linux"), ("COLORTERM", "")], &[]));
    assert!(console.inside.is_ascii(), "{}", console.inside);
    let flag = quit(started(&[], &["--ascii"]));
    assert!(flag.inside.is_ascii(), "{}", flag.inside);
    let rich = quit(started(&[], &[]));
    assert!(!rich.inside.is_ascii(), "it can do more where it may");
}

/// A terminal that cannot place text: said in words, and nothing is sent to it but those.
#[test]
fn dumb() {
    for term in ["dumb", ""] {
        let pty = Pty::start(&Start {
            config: Some(DEAD),
            env: vec![("TERM", term)],
            ..Start::default()
        });
        assert_eq!(pty.ended(), 2);
        let text = String::from_utf8(pty.bytes()).expect("text");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.is_ascii(), "{text:?}");
        assert!(text.contains("cannot place text"), "{text:?}");
        pty.assert_cooked();
    }
}

/// No terminal at one end or both: a sentence on standard error, exit code 2, not one escape.
#[test]
fn no_terminal() {
    let home = tempfile::tempdir().expect("home");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farwatch"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.envs(pty::environment(home.path()));
        command.output().expect("run")
    };
    let out = run(&[]);
    let said = String::from_utf8(out.stderr).expect("text");
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(out.stdout.is_empty());
    assert!(said.contains("not a terminal"), "{said}");
    assert!(
        !said.contains('\u{1b}') && said.lines().count() == 1,
        "{said:?}"
    );
    // What has to be said into a pipe has no escapes either.
    for arguments in [&["--help"][..], &["--nonsense"], &["check"], &["--version"]] {
        let out = run(arguments);
        let both = [out.stdout, out.stderr].concat();
        assert!(!both.is_empty(), "{arguments:?}");
        assert!(!both.contains(&0x1b), "{arguments:?}");
    }
}

/// Standard input is a pipe, standard output a terminal.
#[test]
fn keyboard_is_a_pipe() {
    let pty = Pty::start(&Start {
        env: vec![("INPUT_FROM", "/dev/null")],
        config: Some(DEAD),
        ..Start::default()
    });
    assert_eq!(pty.ended(), 2);
    let text = String::from_utf8(pty.bytes()).expect("text");
    assert!(
        text.contains("not a terminal") && !text.contains('\u{1b}'),
        "{text:?}"
    );
}

/// Nothing is ever asked of the terminal, so one that answers nothing costs no time: the bytes of
/// every test here are checked to hold no query. Answers that nobody asked for are no keys.
#[test]
fn late_answers_to_others_are_no_keys() {
    let mut pty = dead();
    let before = pty.screen();
    for answer in [
        "\x1b[?62;22c",
        "\x1b[24;80R",
        "\x1b[?2026;2$y",
        "\x1b]11;rgb:0000/0000/qqqq\x1b\\",
        "\x1b]11;rgb:2222/3333/4444\x07",
        "\x1bP1+r544e=787465726d\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b[?1u",
    ] {
        pty.keys(answer);
    }
    // `?` is the next key that is understood: whatever was wrongly taken came before it.
    pty.keys("?").see("Help");
    pty.keys("<esc>").lose("Help");
    assert_eq!(first_lines(&pty.screen()), first_lines(&before));
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// What does not depend on the time.
fn first_lines(screen: &str) -> Vec<String> {
    let lines = screen.lines().filter(|l| l.contains("Clusters"));
    lines.map(str::to_owned).collect()
}
