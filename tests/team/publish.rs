//! What is told, from the disk to the bus: the publisher by itself with a real server.

use std::sync::Arc;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use farwatch::model::finding::Evidence;
use farwatch::model::news::{Change, Event};
use farwatch::team::publish::{Figures, Publisher};
use farwatch::team::spool::Spool;
use futures::StreamExt;
use tempfile::TempDir;

use crate::nats::{JETSTREAM, Nats};
use crate::{incident, nats, now, settings};

fn change(cluster: &str, id: u64, revision: u32) -> Change {
    let event = match revision {
        1 => Event::IncidentOpened,
        _ => Event::IncidentChanged,
    };
    let incident = Arc::new(incident(id, now()));
    Change::new(
        event,
        cluster.into(),
        "w1".into(),
        revision,
        incident,
        now(),
    )
}

fn start(url: &str, folder: &TempDir) -> Publisher {
    let (spool, _) = Spool::open(folder.path(), 64 << 20, now()).expect("opened");
    Publisher::start(Some(&settings(url)), spool, Box::new(|_| {}))
}

async fn tell(publisher: &Publisher, changes: Vec<Change>) {
    publisher.door().send(changes).await.expect("taken");
}

async fn until(what: &str, publisher: &Publisher, so: impl Fn(&Figures) -> bool) {
    let figures = publisher.figures();
    nats::until(what, async || so(&figures.borrow()).then_some(())).await;
}

/// Ids and changes of the stream, in their order.
async fn told(url: &str) -> Vec<(String, Change)> {
    let client = async_nats::connect(url).await.expect("connected");
    let stream = async_nats::jetstream::new(client)
        .get_stream("farwatch")
        .await;
    let stream = stream.expect("there");
    let consumer = stream
        .create_consumer(OrderedConfig::default())
        .await
        .expect("made");
    let left = consumer.cached_info().num_pending as usize;
    let messages = consumer.messages().await.expect("messages").take(left);
    let read = messages.map(|message| {
        let message = message.expect("read");
        let id = message.headers.as_ref().and_then(|h| h.get("Nats-Msg-Id"));
        let change = rmp_serde::from_slice(&message.payload).expect("a change");
        (id.expect("an id").to_string(), change)
    });
    read.collect().await
}

/// One subject that is not permitted holds up its own messages and no others; they go once it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_is_not_permitted_holds_up_nobody_else() {
    let deny = "authorization { users: [ {user: w, password: w, permissions: { publish: \
                { deny: [\"ai.farwatch.site-0.>\"] } } } ] }\nno_auth_user: w\n";
    let mut server = Nats::start(&format!("{JETSTREAM}{deny}"));
    let folder = tempfile::tempdir().expect("folder");
    let publisher = start(&server.url(), &folder);
    let all = |revision| {
        let sites = ["site-0", "site-1", "site-2"].into_iter().zip(1..);
        sites
            .map(|(site, id)| change(site, id, revision))
            .collect::<Vec<_>>()
    };
    tell(&publisher, all(1)).await;
    until("the others went", &publisher, |f| {
        f.published == 2 && f.pending == 1
    })
    .await;
    tell(&publisher, all(2)).await;
    until("and go on", &publisher, |f| {
        f.published == 4 && f.pending == 2
    })
    .await;
    until("counted", &publisher, |f| f.barred == 2).await;
    assert!(
        publisher.figures().borrow().ready,
        "the bus itself takes it"
    );
    assert!(
        told(&server.url())
            .await
            .iter()
            .all(|(_, c)| &*c.cluster != "site-0")
    );
    // It ends without waiting for what nobody permits, and forgets nothing.
    publisher.end().await;
    let publisher = start(&server.url(), &folder);
    until("it waits still", &publisher, |f| {
        f.pending == 2 && f.barred == 2
    })
    .await;
    server.kill();
    let conf = server.dir.path().join("nats.conf");
    let whole = std::fs::read_to_string(&conf)
        .expect("read")
        .replace("site-0", "site-9");
    std::fs::write(&conf, whole).expect("written");
    server.restart();
    until("all of it is there", &publisher, |f| {
        f.pending == 0 && f.barred == 0
    })
    .await;
    publisher.end().await;
    let all = told(&server.url()).await;
    let of_first: Vec<u32> = all
        .iter()
        .filter(|(_, c)| &*c.cluster == "site-0")
        .map(|(_, c)| c.revision)
        .collect();
    assert_eq!(
        (all.len(), of_first),
        (6, vec![1, 2]),
        "each once, in order"
    );
}

/// What no message can hold comes without its evidence, and is counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_this_server_is_cut() {
    let server = Nats::start(&format!("max_payload: 64KB\n{JETSTREAM}"));
    let folder = tempfile::tempdir().expect("folder");
    let publisher = start(&server.url(), &folder);
    let mut large = change("site-0", 1, 1);
    let finding = &mut Arc::make_mut(&mut large.incident).findings[0];
    finding.evidence = vec![Evidence::Text("x".repeat(10_000)); 20];
    tell(
        &publisher,
        vec![
            change("site-1", 2, 1),
            large.clone(),
            change("site-2", 3, 1),
        ],
    )
    .await;
    until("all went", &publisher, |f| f.published == 3).await;
    let figures = publisher.figures().borrow().clone();
    assert_eq!((figures.cut, figures.dropped, figures.pending), (1, 0, 0));
    let all = told(&server.url()).await;
    let cut: Vec<bool> = all.iter().map(|(_, c)| c.cut).collect();
    assert_eq!(cut, [false, true, false]);
    let (id, told) = &all[1];
    assert_eq!(
        (id, &told.incident.title),
        (&large.id, &large.incident.title)
    );
    assert!(told.incident.findings[0].evidence.is_empty());
    publisher.end().await;
}

/// A kill between the bus's promise and the note of it: what is sent again is known by its id, and what
/// waits goes in the order in which it was told.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_one_message_and_the_order_stays() {
    let server = Nats::jetstream();
    let folder = tempfile::tempdir().expect("folder");
    let mut wanted = Vec::new();
    let told_so_far = folder.path().join("told.log");
    let mut before = Vec::new();
    for round in 0..4_u64 {
        let publisher = start(&server.url(), &folder);
        let changes: Vec<Change> = (1..=40)
            .map(|n| change("site-0", round * 100 + n, 1))
            .collect();
        wanted.extend(changes.iter().map(|c| c.id.clone()));
        tell(&publisher, changes).await;
        until("written", &publisher, |f| f.published + f.pending >= 40).await;
        before = match round {
            // As if killed before the promise was noted.
            1 => std::fs::read(&told_so_far).expect("read"),
            _ => before,
        };
        until("there", &publisher, |f| f.pending == 0).await;
        publisher.end().await;
        if round == 1 {
            std::fs::write(&told_so_far, &before).expect("put back");
        }
    }
    let ids: Vec<String> = told(&server.url())
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, wanted);
}
