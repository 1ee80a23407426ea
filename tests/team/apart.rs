//! The bus goes away and comes back.

use crate::nats::Nats;
use crate::{Member, incident, now, until};

/// Ana and Ben with one note that both have, on the same incident under these ids.
async fn together(ids: [u64; 2]) -> (Nats, [Member; 2]) {
    let server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let member = |by, id| Member::new(&server.url(), by, Some(incident(id, since)));
    let (mut ana, mut ben) = (member("ana", ids[0]), member("ben", ids[1]));
    ana.keys(":note before<enter>");
    until("together", &mut [&mut ana, &mut ben], |all| {
        all.iter()
            .all(|m| m.notes() == ["before"] && m.waiting() == 0)
    })
    .await;
    (server, [ana, ben])
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_made_apart_are_merged_on_return_and_what_gave_way_is_told() {
    let (mut server, [mut ana, mut ben]) = together([1, 2]).await;
    server.kill();
    until("both apart", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| m.shows("shared: offline since"))
    })
    .await;
    ana.keys(":assign carl<enter>:note by ana<enter>");
    ben.keys(":assign dora<enter>:note by ben<enter>Ya");
    assert_eq!((ana.waiting(), ben.waiting()), (2, 3));
    assert!(ana.shows("2 changes wait"), "{}", ana.console.screen());
    server.restart();
    until("together again", &mut [&mut ana, &mut ben], |all| {
        let same = all[0].incident().desk == all[1].incident().desk;
        same && all.iter().all(|m| m.waiting() == 0 && m.is_online())
    })
    .await;
    // Ben was later: his holds, and both are told of the other.
    assert_eq!(ana.assigned().as_deref(), Some("dora"));
    assert_eq!(ana.notes(), ["before", "by ana", "by ben"]);
    assert_eq!(ana.incident().desk.edits().len(), 6, "nothing is doubled");
    for member in [&mut ana, &mut ben] {
        let told = member.notices();
        let clash = "`assigned to carl` by ana gave way to `assigned to dora` by ben";
        assert_eq!(told.matches(clash).count(), 1, "{told}");
        assert!(
            !member.shows("shared: offline"),
            "{}",
            member.console.screen()
        );
        member.keys("<tab><tab>G");
        assert!(member.shows("set while apart") || member.shows("gave way to"));
    }
    // Once more apart, and nothing is told anew.
    server.kill();
    until("apart", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| !m.is_online())
    })
    .await;
    server.restart();
    until("back", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| m.is_online())
    })
    .await;
    assert_eq!(ana.notices().matches("gave way to").count(), 1);
    assert_eq!(ana.incident().desk.edits().len(), 6);
}

/// The console ends while the bus is away; the archive has what it did.
#[tokio::test(flavor = "multi_thread")]
async fn edits_made_apart_survive_a_restart_of_the_console() {
    let (mut server, [mut ana, mut ben]) = together([1, 1]).await;
    server.kill();
    until("apart", &mut [&mut ana, &mut ben], |all| {
        all.iter().all(|m| !m.is_online())
    })
    .await;
    ana.keys(":note apart<enter>:assign carl<enter>");
    let kept = std::mem::take(&mut ana.kept);
    ana.leave().await;
    let mut ana = Member::again(&server.url(), "ana", kept);
    ana.turn();
    assert_eq!(ana.waiting(), 2, "only what the team has not yet");
    server.restart();
    until("merged", &mut [&mut ana, &mut ben], |all| {
        all.iter()
            .all(|m| m.notes() == ["before", "apart"] && m.assigned().is_some() && m.waiting() == 0)
    })
    .await;
    assert_eq!(ben.incident().desk.edits().len(), 3);
}

/// Whoever lost the bucket writes it anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_lost_everything_gets_it_back() {
    let mut server = Nats::jetstream();
    let since = now().plus_ms(-60_000);
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    ana.keys("Ya:note one<enter>");
    until("there", &mut [&mut ana], |all| {
        all[0].waiting() == 0 && all[0].is_online() && all[0].console.state.world.shared.held() == 1
    })
    .await;
    server.kill();
    std::fs::remove_dir_all(server.dir.path().join("data")).expect("removed");
    until("apart", &mut [&mut ana], |all| !all[0].is_online()).await;
    server.restart();
    let mut ben = Member::new(&server.url(), "ben", Some(incident(1, since)));
    until("there again", &mut [&mut ana, &mut ben], |all| {
        all[1].notes() == ["one"] && all[1].incident().desk.acknowledged().is_some()
    })
    .await;
}
