//! What outlives the program.

use super::site::{Site, Texts};
use super::*;

/// A console of this site that keeps what it knows in this file.
fn archived(site: &Site, file: &std::path::Path) -> String {
    site.config("alpha") + &format!("[archive]\nfile = \"{}\"\n", file.display())
}

fn wide(config: &str) -> Start<'_> {
    Start {
        config: Some(config),
        size: (160, 50),
        ..Start::default()
    }
}

#[test]
fn an_incident_and_what_was_said_of_it_are_there_after_a_restart() {
    let servers = servers();
    let site = servers.block_on(Site::start(Texts::default()));
    let folder = tempfile::tempdir().expect("folder");
    let config = archived(&site, &folder.path().join("kept/farwatch.db"));
    let start = wide(&config);
    let mut pty = Pty::start(&start);
    pty.see("Clusters 1");
    pty.keys("8").see("INC-1");
    pty.keys("/INC-1\r").see("filter INC-1");
    pty.keys("Ynriser card reseated\r").see("noted");
    pty.keys("Ya").see("acked");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);

    let mut pty = Pty::start(&start);
    pty.see("Clusters 1");
    pty.keys("8").see("INC-1");
    pty.keys("/INC-1\r").see("filter INC-1");
    pty.see("acked").see("riser card reseated");
    pty.keys("Ya").lose("acked");
    pty.keys("M\r").see("muted until");
    pty.keys("Yf").see("there is no finding under the cursor");
    pty.keys("m").see("Past incidents: the newest 0");
    pty.keys("m").see("INC-1");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
}

#[test]
fn a_file_that_is_no_archive_is_told_and_all_else_works() {
    let servers = servers();
    let site = servers.block_on(Site::start(Texts::default()));
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("farwatch.db");
    let letter = "a letter of somebody, and no database at all; ".repeat(60);
    std::fs::write(&file, &letter).expect("written");
    let archive = format!("[archive]\nfile = \"{}\"\n", file.display());
    let config = site.config("alpha") + &archive;
    let mut pty = Pty::start(&wide(&config));
    pty.see("file is not a database");
    pty.keys("8").see("INC-1");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), letter);
}

/// From the flag to its cause and on to the evidence: `8`, Enter, Tab, Shift-Tab, Enter.
#[test]
fn from_the_flag_to_the_cause_to_the_evidence_in_five_keys() {
    let servers = servers();
    let site = servers.block_on(Site::start(Texts::default()));
    let config = site.config("alpha");
    let mut pty = Pty::start(&wide(&config));
    pty.see("ClockLost");
    pty.keys("8").see("INC-1");
    pty.keys("\r").see("likely cause");
    pty.keys("\t").see("where it began").see("what was changed");
    // Of an alert it is the alert, of a pod its cluster.
    pty.keys("\x1b[Z\r");
    pty.wait("the evidence", |screen| {
        screen.contains("▸ Alerts") || screen.contains("▸ Cluster")
    });
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
}

/// Without a model: why, the screen behind what is cited, and the conversation after a restart.
#[test]
fn why_is_asked_its_evidence_opened_and_the_conversation_resumed_after_a_restart() {
    let servers = servers();
    let site = servers.block_on(Site::start(Texts::default()));
    let folder = tempfile::tempdir().expect("folder");
    let config = archived(&site, &folder.path().join("farwatch.db"));
    let start = wide(&config);
    let mut pty = Pty::start(&start);
    pty.see("ClockLost");
    pty.keys("8").see("INC-1");
    pty.keys("A/why INC-1\r").see("Conclusion");
    pty.see("list_alerts").see("[3]");
    // The calls, what is cited as [3], its screen.
    pty.keys("\t3o").see("\u{25b8} Alerts");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);

    let mut pty = Pty::start(&start);
    pty.see("Clusters 1");
    pty.keys("A/sessions\r").see("1. /why INC-1");
    pty.keys("/resume 1\r").see("Conclusion");
    pty.keys("/forget 1\r").see("Forgotten: /why INC-1");
    pty.keys("/sessions why\r").see("No conversation was kept");
    pty.keys("<esc>:quit\r");
    assert_eq!(pty.ended(), 0);
}
