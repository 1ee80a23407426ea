//! The bus is there.

use farwatch::message::Msg;
use farwatch::model::desk::Hand;
use farwatch::model::incident::Deed;
use farwatch::model::shared::{About, Doc, Line, Share, Shared};
use farwatch::team::Team;
use tokio::sync::mpsc;

use crate::nats::Nats;
use crate::{Member, incident, now, settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_does_the_others_see_and_who_looks() {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    // Ben's console saw it begin a little earlier: another id, the same incident.
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    let mut ben = Member::new(
        &server.url(),
        "ben",
        Some(incident(2, since.plus_ms(-15_000))),
    );
    until("both are there", &mut [&mut ana, &mut ben], |all| {
        all[0].shows("ben looks at this too") && all[1].shows("ana looks at this too")
    })
    .await;
    ana.keys("Ya:note the vendor has case 4711<enter>");
    ben.keys(":assign carl<enter>");
    until("all of it at both", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| {
            m.incident().desk.acknowledged().is_some()
                && m.assigned().as_deref() == Some("carl")
                && m.notes() == ["the vendor has case 4711"]
                && m.waiting() == 0
        })
    })
    .await;
    assert!(ben.shows("acknowledged by ana"), "{}", ben.console.screen());
    assert_eq!(ana.incident().desk, ben.incident().desk);
    // Evidence, a mute and a verdict.
    ana.keys("<enter>YpYf");
    ben.keys(":quiet 2h<enter>");
    until("evidence and mute", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| {
            let finding = &m.incident().findings[0];
            m.incident().desk.pins().len() == 1
                && m.incident().is_muted(now())
                && m.console.state.world.verdict(finding).is_some()
        })
    })
    .await;
    // A third comes later and reads all of it, once.
    let mut eve = Member::new(&server.url(), "eve", Some(incident(3, since)));
    until("the third", &mut [&mut ana, &mut ben, &mut eve], |all| {
        all[2].incident().desk.edits() == all[0].incident().desk.edits()
            && all[0].shows("2 others look at this: ben, eve")
    })
    .await;
    eve.leave().await;
    until("she left", &mut [&mut ana, &mut ben], |all| {
        all[0].shows("ben looks at this too")
    })
    .await;
}

/// A write that knows nothing of what stands there takes nothing away: no console that is still
/// there has to mend it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_merged_with_what_stands_there() {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    ana.keys(":note by ana<enter>");
    until("written", &mut [&mut ana], |all| {
        all[0].waiting() == 0 && all[0].console.state.world.shared.held() == 1
    })
    .await;
    ana.leave().await;
    let (tell, mut told) = mpsc::channel(16);
    let mut team = Team::start(&settings(&server.url()), "ben".into(), tell);
    let online = Msg::Shared(Box::new(Shared::Line(Line::Online)));
    while told.recv().await.expect("told") != online {}
    let mut alone = incident(1, since);
    let ben = Hand {
        by: "ben".into(),
        console: "c2".into(),
    };
    alone.take(Deed::Note("by ben".into()), &ben, now());
    team.share(Share::Docs(vec![Doc {
        about: About::incident(&alone, &"edge-ran-07".into(), now()),
        desk: alone.desk,
    }]));
    let mut eve = Member::new(&server.url(), "eve", Some(incident(1, since)));
    until("both", &mut [&mut eve], |all| {
        all[0].notes() == ["by ana", "by ben"]
    })
    .await;
    team.leave().await;
}

/// Whoever writes at the same time as others loses nothing: it is read again and merged.
#[tokio::test(flavor = "multi_thread")]
async fn three_that_write_at_once_lose_nothing() {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let member = |by, id| Member::new(&server.url(), by, Some(incident(id, since)));
    let (mut ana, mut ben, mut eve) = (member("ana", 1), member("ben", 1), member("eve", 1));
    until("all online", &mut [&mut ana, &mut ben, &mut eve], |all| {
        all.iter().all(|m| m.is_online())
    })
    .await;
    for n in 0..20 {
        for member in [&mut ana, &mut ben, &mut eve] {
            member.keys(&format!(":note number {n}<enter>"));
        }
    }
    until("sixty notes", &mut [&mut ana, &mut ben, &mut eve], |all| {
        all.iter()
            .all(|m| m.notes().len() == 60 && m.waiting() == 0)
    })
    .await;
    assert_eq!(ana.incident().desk, eve.incident().desk);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_reads_and_does_not_write() {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    let mut guest = Member::new(&server.url(), "guest", Some(incident(1, since)));
    let cluster = &mut guest.console.state.world.clusters[0];
    let identity = cluster.identity.as_mut().expect("known");
    identity.role = farwatch::model::identity::Role::Viewer;
    identity.role_from = String::new();
    until("online", &mut [&mut ana, &mut guest], |all| {
        all.iter().all(|m| m.is_online())
    })
    .await;
    ana.keys("Ya");
    guest.keys(":note mine<enter>");
    // The prompt stays open with what is wrong.
    let shown = guest.console.screen();
    assert!(shown.contains("is viewer"), "{shown}");
    guest.keys("<esc>Ya");
    let told = guest.notices();
    assert!(told.contains("operator is needed to write"), "{told}");
    until("read", &mut [&mut ana, &mut guest], |all| {
        all[1].incident().desk.acknowledged().is_some()
    })
    .await;
    assert!(guest.notes().is_empty() && ana.notes().is_empty());
    // Where the API server never answered, the role is that of whom nobody knows.
    guest.console.state.world.clusters[0].identity = None;
    guest.keys("Ya");
    let told = guest.notices();
    assert!(
        told.contains("who you are on edge-ran-07 is not known"),
        "{told}"
    );
    let mut config = (*guest.console.state.config).clone();
    config.roles.default = farwatch::model::identity::Role::Operator;
    guest.console.state.config = std::sync::Arc::new(config);
    guest.keys(":note mine<enter>");
    until("written", &mut [&mut ana, &mut guest], |all| {
        all.iter().all(|m| m.notes() == ["mine"])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_waits_for_who_finds_the_incident_later() {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    let mut ben = Member::new(&server.url(), "ben", None);
    ana.keys("Ya:note seen<enter>");
    until("it is there", &mut [&mut ana, &mut ben], |all| {
        all[0].waiting() == 0 && all[0].is_online() && all[1].console.state.world.shared.held() == 1
    })
    .await;
    let found = incident(7, since.plus_ms(-5_000));
    ben.console.state.world.incidents.push(found);
    ben.console.update(Msg::Tick(now()));
    until("adopted", &mut [&mut ana, &mut ben], |all| {
        all[1].notes() == ["seen"] && all[1].incident().desk.acknowledged().is_some()
    })
    .await;
}
