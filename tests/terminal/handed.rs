//! An incident handed over from one real console to another: written with its keys, opened with
//! `replay`, and what is said of a copy that is cut or has a wrong byte.

use std::path::{Path, PathBuf};

use super::*;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr");
const BEFORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/recordings/version2.fwr"
);

fn opened(file: &Path) -> Pty {
    let file = file.display().to_string();
    Pty::start(&Start {
        arguments: vec!["replay", &file],
        size: (180, 60),
        ..Start::default()
    })
}

/// Written by ada at the sixteenth minute of the demo, with a note and a conversation.
fn handed(folder: &Path) -> PathBuf {
    let mut pty = Pty::start(&Start {
        arguments: vec!["replay", ASSETS, "--at", "16m", "--speed", "1"],
        env: vec![("USER", "ada")],
        size: (180, 60),
        ..Start::default()
    });
    pty.see("Clusters 2");
    pty.keys("8").see("INC-1");
    pty.keys(":incident 1\r");
    pty.keys("Ynthe vendor has case 4711, password=hunter2hunter2\r")
        .see("case 4711");
    pty.keys("A/why INC-1\r").see("Conclusion");
    pty.keys("<esc><esc>");
    pty.keys("8:incident 1\r").keys("\x13h");
    pty.see("Hand over INC-1").see("does not go in");
    pty.see("1 conversation").see("traces, rules");
    pty.keys("\r").lose("Hand over INC-1");
    let kept = folder.join("inc.fwr");
    std::fs::copy(written(&pty.home()), &kept).expect("copied");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    kept
}

/// Waits for the file: it is packed as tightly as it goes, and stands there once it is whole.
fn written(home: &Path) -> PathBuf {
    for _ in 0..1_800 {
        let files = std::fs::read_dir(home).expect("home");
        let mut files = files.map(|file| file.expect("file").path());
        if let Some(file) = files.find(|f| f.extension().is_some_and(|e| e == "fwr")) {
            return file;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no recording in {}", home.display());
}

#[test]
fn an_incident_goes_from_one_console_to_another() {
    let folder = tempfile::tempdir().expect("folder");
    let file = handed(folder.path());
    let mut pty = opened(&file);
    pty.see("Clusters 1");
    pty.keys("~")
        .see("handed over by ada")
        .see("1 conversation");
    pty.keys("<esc>8").see("handed");
    pty.keys(":incident 1\r\t").see("by ada");
    pty.see("causes, as the sender ranked them");
    // What people said stands below the causes.
    pty.keys("G").see("case 4711").see("not in the file");
    assert!(!pty.screen().contains("hunter2"));
    pty.keys("A/sessions\r").see("1. /why INC-1");
    // How long it is hangs on the moment it was asked: one of its headings is in view.
    pty.keys("/resume 1\r");
    pty.wait("what the console said", |screen| {
        let headings = ["Conclusion", "Confidence", "Ruled out", "Next steps"];
        headings.iter().any(|heading| screen.contains(heading))
    });
    // A finding opens its evidence, which came along.
    pty.keys("<esc><esc>8:incident 1\r").see("findings");
    pty.keys("\r");
    pty.wait("the evidence", |screen| {
        !screen.contains("▸ Incidents") && !screen.contains("no data")
    });
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);

    let bytes = std::fs::read(&file).expect("read");
    let cut = folder.path().join("cut.fwr");
    std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).expect("written");
    let mut pty = opened(&cut);
    pty.see("INC-1");
    pty.keys("~").see("the recording was cut");
    pty.keys("<esc>8").see("INC-1");
    pty.keys(":incident 1\r\t").see("causes, as the sender");
    pty.keys("G").see("case 4711");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);

    let flipped = folder.path().join("flipped.fwr");
    let mut broken = bytes.clone();
    broken[bytes.len() * 2 / 3] ^= 0x10;
    std::fs::write(&flipped, broken).expect("written");
    let mut pty = opened(&flipped);
    pty.see("INC-");
    pty.keys("~").see("the recording is damaged in chunk");
    pty.keys("<esc>8").see("INC-1");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
}

#[test]
fn what_an_earlier_farwatch_handed_over_is_opened() {
    let mut pty = opened(Path::new(BEFORE));
    pty.see("edge-ran-07");
    pty.keys("~").see("handed over by");
    pty.keys("<esc>8").see("handed");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
}
