//! What nobody of the team wrote, and what the bus does not let us do.

use async_nats::jetstream;
use async_nats::jetstream::kv::Config;
use farwatch::model::id::IncidentId;
use farwatch::model::shared::About;

use crate::nats::{JETSTREAM, Nats};
use crate::{Member, incident, now, settings, until};

/// What stands in a value, with more than this version knows where `version` is greater.
fn value(about: &About, version: u32, note: &str, ms: i64) -> Vec<u8> {
    let edit = serde_json::json!({
        "mark": { "ms": ms, "count": 0, "by": "e\u{1b}[31mve", "console": "c9" },
        "at": ms,
        "what": { "note": note },
    });
    let about = serde_json::to_value(about).expect("about");
    let body = serde_json::json!({ "version": version, "about": about, "edits": [edit] });
    rmp_serde::to_vec_named(&body).expect("written")
}

fn about(id: u64, since: farwatch::model::time::Timestamp) -> About {
    let one = incident(id, since);
    About::incident(&one, &"edge-ran-07".into(), now())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_is_left_alone_and_counted() {
    let server = Nats::start(&format!("max_payload: 16777216\n{JETSTREAM}"));
    let client = async_nats::connect(server.url()).await.expect("connected");
    let context = jetstream::new(client);
    let bucket = context
        .create_key_value(Config {
            bucket: "farwatch-desk".into(),
            history: 2,
            ..Config::default()
        })
        .await
        .expect("made");
    let since = now().plus_ms(-60_000);
    let newer = about(4, since);
    let evil = about(5, since);
    let ahead = about(6, since);
    let large = vec![0x91; 8 << 20];
    let key = |about: &About| about.key().to_string();
    let values = [
        ("incident.garbage".to_owned(), vec![0xc1; 100]),
        (format!("incident.{:016x}", 9), large),
        (key(&newer), value(&newer, 2, "of tomorrow", now().0)),
        (
            key(&evil),
            value(
                &evil,
                1,
                "a\u{1b}]52;c;AAAA\u{7}b password=hunter2hunter2",
                now().0,
            ),
        ),
        (
            key(&ahead),
            value(&ahead, 1, "by a wrong clock", now().0 + 86_400_000),
        ),
        (
            "verdict.0000000000000001".to_owned(),
            value(&evil, 1, "of another key", now().0),
        ),
    ];
    for (key, bytes) in &values {
        bucket.put(key, bytes.clone().into()).await.expect("put");
    }
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    until("online", &mut [&mut ana], |all| {
        all[0].is_online() && all[0].notes().len() == 1
    })
    .await;
    let notes = ana.notes();
    assert!(
        notes[0].starts_with("ab password=") && !notes[0].contains("hunter2"),
        "{notes:?}"
    );
    let odd = ana.console.state.world.shared.odd().clone();
    assert_eq!((odd.unreadable, odd.edits), (4, 1), "{odd:?}");
    ana.keys("gs");
    assert!(
        ana.shows("4 entries and 1 edits left alone"),
        "{}",
        ana.console.screen()
    );
    // What is written here goes where it can be merged; the rest is as it was.
    ana.keys("8:note mine<enter>");
    until("written", &mut [&mut ana], |all| all[0].waiting() == 0).await;
    for (key, bytes) in values.iter().filter(|(k, _)| *k != self::key_of(&evil)) {
        let now = bucket.get(key).await.expect("asked").expect("there");
        assert!(
            now == bytes.as_slice() || *key == self::key_of(&ahead),
            "{key}"
        );
    }
}

fn key_of(about: &About) -> String {
    about.key().to_string()
}

/// Ten thousand notes, one of a megabyte, times and types of no console: the incident shows what is
/// taken of it, and what is written here goes on.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_bounded_and_what_is_written_here_goes_on() {
    let server = Nats::start(&format!("max_payload: 16777216\n{JETSTREAM}"));
    let client = async_nats::connect(server.url()).await.expect("connected");
    let context = jetstream::new(client);
    let config = Config {
        bucket: "farwatch-desk".into(),
        ..Config::default()
    };
    let bucket = context.create_key_value(config).await.expect("made");
    let since = now().plus_ms(-60_000);
    let note = |ms: i64, text: &str| {
        serde_json::json!({
            "mark": { "ms": ms, "count": u32::MAX, "by": "eve", "console": "c9" },
            "at": i64::MAX,
            "what": { "note": text },
        })
    };
    let body = |of: &About, edits: Vec<serde_json::Value>| {
        let of = serde_json::to_value(of).expect("about");
        let body = serde_json::json!({ "version": 1, "about": of, "edits": edits });
        rmp_serde::to_vec_named(&body).expect("written")
    };
    let own = about(1, since);
    let mut edits: Vec<_> = (0..9_000).rev().map(|n| note(-n, "n")).collect();
    edits.push(note(1, &"x".repeat(900_000)));
    edits.push(serde_json::json!({
        "mark": { "ms": 2, "count": 0, "by": "eve", "console": "c9" },
        "at": i64::MIN,
        "what": { "muted": i64::MAX },
    }));
    let bytes = body(&own, edits);
    assert!(bytes.len() < 1 << 21, "{}", bytes.len());
    // Larger than a desk is: left alone. A second one, within the size, is taken as far as it goes.
    bucket.put(key_of(&own), bytes.into()).await.expect("put");
    let other = about(2, since);
    let some: Vec<_> = (0..7_000).rev().map(|n| note(-n, "n")).collect();
    let bytes = body(&other, some);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    bucket.put(key_of(&other), bytes.into()).await.expect("put");
    let mut ana = Member::new(&server.url(), "ana", Some(incident(2, since)));
    until("bounded", &mut [&mut ana], |all| {
        all[0].is_online() && all[0].notes().len() == 200
    })
    .await;
    assert!(!ana.incident().is_muted(now()));
    ana.keys("Ya:note mine<enter>");
    until("written", &mut [&mut ana], |all| all[0].waiting() == 0).await;
    assert_eq!(ana.notes().last().map(String::as_str), Some("mine"));
    let odd = ana.console.state.world.shared.odd().clone();
    assert_eq!(odd.unreadable, 1, "{odd:?}");
}

/// The entry of our own incident is of a newer version: it is not overwritten, and that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_entry_of_the_same_incident_is_not_overwritten() {
    let server = Nats::jetstream();
    let client = async_nats::connect(server.url()).await.expect("connected");
    let context = jetstream::new(client);
    let config = Config {
        bucket: "farwatch-desk".into(),
        ..Config::default()
    };
    let bucket = context.create_key_value(config).await.expect("made");
    let since = now().plus_ms(-60_000);
    let newer = about(1, since);
    let bytes = value(&newer, 2, "of tomorrow", now().0);
    bucket
        .put(key_of(&newer), bytes.clone().into())
        .await
        .expect("put");
    let mut ana = Member::new(&server.url(), "ana", Some(incident(1, since)));
    until("online", &mut [&mut ana], |all| all[0].is_online()).await;
    assert_eq!(ana.incident().id, IncidentId(1));
    ana.keys("Ya");
    until("said", &mut [&mut ana], |all| {
        all[0].shows("shared: not taken, 1 change waits")
    })
    .await;
    let there = bucket
        .get(key_of(&newer))
        .await
        .expect("asked")
        .expect("there");
    assert_eq!(there, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_and_a_missing_bucket_are_named() {
    let permissions = "authorization { users: [ { user: ana, password: p, permissions: { \
        publish: { deny: [\"$KV.farwatch-desk.>\"] } } } ] }";
    let server = Nats::start(&format!("{JETSTREAM}{permissions}\n"));
    let folder = tempfile::tempdir().expect("folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "p").expect("written");
    let mut team = settings(&server.url());
    team.nats.auth = farwatch::config::NatsAuth::User {
        user: "ana".into(),
        password_file: password,
    };
    let since = now().plus_ms(-60_000);
    let mut ana = Member::of(&team, "ana", Some(incident(1, since)));
    until("online", &mut [&mut ana], |all| all[0].is_online()).await;
    ana.keys("Ya");
    until("the subject is named", &mut [&mut ana], |all| {
        all[0].shows("not permitted: publish on")
    })
    .await;
    assert_eq!(ana.waiting(), 1, "it is kept");
    let empty = Nats::jetstream();
    let mut team = settings(&empty.url());
    team.create = false;
    let mut ben = Member::of(&team, "ben", Some(incident(1, since)));
    until("the bucket is named", &mut [&mut ben], |all| {
        all[0].shows("farwatch-desk is missing")
    })
    .await;
}
