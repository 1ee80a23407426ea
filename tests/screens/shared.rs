//! Incidents that a team shares: others who look at them, what was set while apart, a bus that is
//! not heard, and a console that is not permitted.

use std::sync::Arc;

use farwatch::message::Msg;
use farwatch::model::desk::{Desk, Hand, What};
use farwatch::model::shared::{About, Doc, Line, Odd, Present, Shared};
use farwatch::model::time::Timestamp;

use crate::SIZES;
use crate::scenario::{Console, NAMES, NOW};

fn shot(name: &str, console: &Console, size: (u16, u16)) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    let name = format!("shared_{name}_{}x{}", size.0, size.1);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

fn tell(console: &mut Console, what: Shared) {
    console.update(Msg::Shared(Box::new(what)));
}

/// On its incidents, with a team that is heard.
fn console(size: (u16, u16)) -> Console {
    let mut console = Console::live(size);
    console.tell_standing();
    console.keys("8");
    let team = Shared::Begun {
        console: "c1".into(),
    };
    tell(&mut console, team);
    tell(&mut console, Shared::Anew);
    tell(&mut console, Shared::Line(Line::Online));
    console
}

fn about(console: &Console) -> About {
    let incident = &console.state.world.incidents[0];
    About::incident(incident, &Arc::from(NAMES[0]), NOW)
}

fn present(by: &str, at: About) -> Present {
    Present {
        console: format!("console of {by}").into(),
        by: by.into(),
        at: Some(at),
        age_ms: 2_000,
    }
}

/// What ben did before he heard of anything here.
fn of_ben(console: &Console) -> Doc {
    let hand = Hand {
        by: "ben".into(),
        console: "c2".into(),
    };
    let mut desk = Desk::default();
    for (seconds, what) in [
        (60, What::Acknowledged(true)),
        (40, What::Note("the vendor has case 4711".into())),
        (30, What::Assigned(Some("dora".into()))),
    ] {
        desk.write(what, &hand, Timestamp(NOW.0 - seconds * 1_000));
    }
    Doc {
        about: about(console),
        desk,
    }
}

#[test]
fn others_look_at_it_and_set_the_same_while_apart() {
    for size in SIZES {
        let mut console = console(size);
        console.keys(":assign carl<enter><enter>Yp");
        let doc = of_ben(&console);
        tell(&mut console, Shared::Docs(vec![doc]));
        let at = about(&console);
        let others = ["ben", "eve", "ida", "uwe"].map(|by| present(by, at.clone()));
        tell(&mut console, Shared::Present(others.into()));
        if size.0 == 80 {
            // There is room for it one key further.
            console.keys("<tab>G");
        }
        shot("apart", &console, size);
    }
}

#[test]
fn the_bus_is_not_heard() {
    for size in SIZES {
        let mut console = console(size);
        console.keys(":assign carl<enter>:note seen<enter>Ya<enter>");
        let why = "nobody answers: connection refused; check the address and port";
        tell(&mut console, Shared::Line(Line::Offline(why.into())));
        console.update(Msg::Tick(Timestamp(NOW.0 + 120_000)));
        shot("offline", &console, size);
        console.keys("<esc>");
        shot("offline_list", &console, size);
        let odd = Odd {
            unreadable: 3,
            edits: 1,
            why: "incident.00: version 2; this farwatch knows 1".into(),
            refused: Some("signed in, but not permitted: publish on $KV.farwatch-desk.>".into()),
        };
        tell(&mut console, Shared::LeftAlone(odd));
        console.keys("gs");
        shot("offline_diagnostics", &console, size);
    }
}
