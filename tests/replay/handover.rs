//! An incident handed over: exported from a recording and from a screen, opened again with its
//! number, notes, conversation and data; cut, and without secrets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use farwatch::archive::Archive;
use farwatch::bundle::Reader;
use farwatch::cli::args::Start;
use farwatch::cli::headless::Headless;
use farwatch::cli::replay::Recording;
use farwatch::command::parse_keys;
use farwatch::config::Config;
use farwatch::export;
use farwatch::incident::Incident;
use farwatch::message::{Effect, Msg};
use farwatch::model::archive::{Keep, Past};
use farwatch::model::desk::Hand;
use farwatch::model::export::Kept;
use farwatch::model::finding::Evidence;
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::incident::Deed;
use farwatch::model::input::InputEvent;
use farwatch::model::label::Labels;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::talk::{Author, Message, Part, Session, SessionHead, SessionId};
use farwatch::model::telemetry::{Body, LogBatch, Telemetry};
use farwatch::ui;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::headless::{demo, run};
use crate::prometheus::Prometheus;
use crate::record::unpacked;

const SIZE: (u16, u16) = (160, 45);
const MINUTE: u64 = 60;

/// The demo at its sixteenth minute, as ada looks at it.
fn sender() -> Headless {
    let config = Config {
        operator: "ada".into(),
        ..Config::default()
    };
    let at = Start::After(std::time::Duration::from_secs(16 * MINUTE));
    Headless::open(&config, Recording::of(None), Some(at), SIZE).expect("opens")
}

fn opened(file: &Path) -> Headless {
    Headless::open(&Config::default(), Recording::of(Some(file)), None, SIZE).expect("opens")
}

/// Keys into a console; gives what it wants done last.
fn press(console: &mut Headless, keys: &str) -> Vec<Effect> {
    let mut last = Vec::new();
    for press in parse_keys(keys) {
        last = console.state.update(Msg::Input(InputEvent::Key(press)));
    }
    last
}

fn screen(console: &Headless) -> String {
    let (columns, rows) = SIZE;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui::draw(&console.state, &mut buffer);
    let rows = buffer.content.chunks(usize::from(columns));
    let lines = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

/// What the keys of the incidents screen write, in this folder.
fn written(console: &mut Headless, folder: &Path) -> std::path::PathBuf {
    press(console, "8");
    let mut effects = press(console, "<c-s>h");
    has(
        &screen(console),
        &["gathering what is held", "Esc leaves it"],
    );
    // Enter writes nothing before all is there.
    assert_eq!(press(console, "<enter>"), []);
    while let Some(effect) = effects.pop() {
        let Effect::Work(work) = effect else {
            panic!("{effect:?}");
        };
        work.run();
        effects.extend(console.state.update(Msg::Worked));
    }
    has(
        &screen(console),
        &[
            "Hand over INC-",
            "clusters",
            "does not go in",
            "traces, rules",
        ],
    );
    let effects = press(console, "<enter>");
    let [Effect::Save(export)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert!(matches!(export.kept, Kept::Parcel(_)));
    let (file, size) = export::write(export, folder).expect("written");
    let about = std::fs::metadata(&file).expect("there");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert_eq!(about.len(), size as u64);
    file
}

fn chosen(console: &Headless) -> Incident {
    let world = &console.state.world;
    let first = world.incidents.iter().find(|i| i.is_ours());
    first.expect("an incident").clone()
}

#[test]
fn an_incident_of_the_demo_makes_the_round_trip() {
    let folder = tempfile::tempdir().expect("folder");
    let mut sender = sender();
    press(
        &mut sender,
        "8Ya:note the vendor has case 4711, password=hunter2hunter2<enter>Yt",
    );
    press(&mut sender, "<enter>Yt<esc>");
    // A conversation about it, answered by the console itself.
    press(&mut sender, "a");
    press(&mut sender, "/why<enter><esc><esc>");
    let own = chosen(&sender);
    sender.update(Msg::Telemetry(Box::new(Telemetry {
        cluster: own.cluster,
        source: SourceKind::Loki,
        received: sender.state.world.now,
        body: Body::Logs(LogBatch {
            lines: vec![LogLine {
                at_ns: sender.state.world.now.0 * 1_000_000,
                labels: Labels::from_pairs([("pod", "login"), ("args", "--token hunter2hunter2")]),
                line: "Authorization: Bearer abcdef.hunter2hunter2".into(),
                level: Level::Info,
            }],
            dropped: 0,
            live: true,
        }),
    })));
    let file = written(&mut sender, folder.path());

    let bytes = std::fs::read(&file).expect("read");
    let all = unpacked(&bytes);
    assert!(
        !all.windows(7).any(|w| w == b"hunter2"),
        "a secret is in the file"
    );
    let reader = Reader::open(&file).expect("opens");
    assert!(reader.troubles().is_empty(), "{:?}", reader.troubles());
    let handover = reader.handover().expect("handed over");
    assert_eq!(handover.by.as_deref(), Some("ada"));
    assert_eq!(handover.about, Some(own.number));
    assert_eq!(handover.talks.len(), 1);
    let sent = &handover.incidents[0];
    assert_eq!(
        (sent.incident.number, &sent.incident.title),
        (own.number, &own.title)
    );
    assert_eq!(sent.incident.findings.len(), own.findings.len());
    assert!(!sent.causes.is_empty() && !sent.verdicts.is_empty());

    let mut receiver = opened(&file);
    let world = &receiver.state.world;
    let theirs = world
        .incidents
        .iter()
        .find(|i| i.number == own.number)
        .expect("at hand");
    assert!(!theirs.is_ours() && theirs.word(world.now) == "handed");
    assert_eq!(theirs.opened, own.opened);
    assert!(theirs.desk.acknowledged().is_some());
    assert!(
        theirs
            .desk
            .notes()
            .any(|(_, note)| note.contains("case 4711"))
    );
    // What is found here are others, with other numbers.
    let ours = || world.incidents.iter().filter(|i| i.is_ours());
    let most = handover.incidents.iter().map(|i| i.incident.number).max();
    assert!(ours().all(|i| Some(i.number) > most));
    assert!(ours().count() > 0, "the receiver looks for itself");
    // Each point of the evidence is there as the sender held it.
    let mut compared = 0;
    for finding in &own.findings {
        for piece in &finding.evidence {
            let Evidence::Series(key) = piece else {
                continue;
            };
            let there = sender.state.world.store.lookup(own.cluster, key);
            let here = world.store.lookup(theirs.cluster, key);
            let (Some(there), Some(here)) = (there, here) else {
                continue;
            };
            let held = sender
                .state
                .world
                .store
                .held(there, handover.from, handover.to);
            assert_eq!(
                world.store.held(here, handover.from, handover.to),
                held,
                "{key}"
            );
            compared += held.len();
        }
    }
    assert!(compared > 50, "{compared}");
    let pods = |c: &Headless, id: ClusterId| c.state.world.cluster(id).map(|c| c.pods.len());
    assert_eq!(pods(&receiver, theirs.cluster), pods(&sender, own.cluster));

    let number = own.number;
    press(&mut receiver, &format!(":incident {number}<enter><tab>"));
    has(
        &screen(&receiver),
        &[
            "handed over",
            "by ada",
            "causes, as the sender ranked them",
            "handed",
        ],
    );
    press(&mut receiver, "A/sessions<enter>");
    press(&mut receiver, "/resume 1<enter>");
    let said = format!("{:?}", receiver.state.chat.messages);
    assert!(said.contains("/why"), "{said}");
}

#[test]
fn the_command_writes_once_and_what_it_wrote_is_reported_on() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("inc.fwr");
    let (demo, out_text) = (demo(), out.display().to_string());
    let args = [
        "export",
        "--incident",
        "INC-1",
        "--replay",
        &demo,
        "--at",
        "16m",
        "--out",
        &out_text,
    ];
    let output = run(folder.path(), "", &args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    has(&told, &["1 cluster", "points", "incident", "not in it: "]);
    let mode = std::fs::metadata(&out).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&out).expect("read");
    let again = run(folder.path(), "", &args);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(
        std::fs::read(&out).expect("read"),
        before,
        "never overwritten"
    );

    let output = reported(folder.path(), &out_text);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    has(&told, &["INC-1", "handed"]);
    let ask = ["ask", "/why INC-1", "--replay", &out_text];
    let output = run(folder.path(), "", &ask);
    assert!(output.status.success(), "{output:?}");

    // Cut in the middle: what is whole is read, and it says so.
    let cut = folder.path().join("cut.fwr");
    std::fs::write(&cut, &before[..before.len() / 2]).expect("written");
    let cut_text = cut.display().to_string();
    let output = reported(folder.path(), &cut_text);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{output:?}");
    has(&told, &["was cut"]);
}

/// What `farwatch report` says of the incident in a file.
fn reported(folder: &Path, file: &str) -> Output {
    let asked = [
        "report",
        "incident",
        "--incident",
        "INC-1",
        "--replay",
        file,
    ];
    run(folder, "", &asked)
}

#[test]
fn a_range_of_chosen_clusters_and_what_is_called_wrongly() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("range.fwr");
    let (demo, out_text) = (demo(), out.display().to_string());
    let with = |more: &[&str]| {
        let mut args = vec![
            "export", "--replay", &demo, "--at", "16m", "--out", &out_text,
        ];
        args.extend(more);
        run(folder.path(), "", &args)
    };
    for (more, code, words) in [
        (
            &["--incident", "INC-99"][..],
            2,
            "there is no incident \"INC-99\"; there are INC-1",
        ),
        (
            &["--from", "10m", "--to", "5m"],
            2,
            "--from has to be before --to",
        ),
        (
            &["--from", "5m", "--cluster", "nope"],
            2,
            "there is no cluster \"nope\"",
        ),
        (&[], 2, "--incident"),
        (
            &["--from", "5m", "--to", "12m", "--cluster", "edge-ran-07"],
            0,
            "1 cluster",
        ),
    ] {
        let output = with(more);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{more:?}: {told}");
        assert!(told.contains(words), "{more:?}: {told}");
    }
    let reader = Reader::open(&out).expect("opens");
    let names: Vec<&str> = reader
        .header()
        .clusters
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["edge-ran-07"]);
    assert_eq!(reader.handover().and_then(|h| h.about), None);
}

/// Live: one cluster answers, one does not; the incident, its note and its conversation are what
/// the archive of this user holds.
#[tokio::test(flavor = "multi_thread")]
async fn live_takes_the_incident_from_the_archive_and_names_what_is_not_heard() {
    let prometheus = Prometheus::start("scrape_configs: []\n", "");
    let folder = tempfile::tempdir().expect("folder");
    let archive = folder.path().join("kept.db");
    let mut past = tokio::task::spawn_blocking(|| chosen(&sender()))
        .await
        .expect("ran");
    let now = farwatch::clock::now();
    (past.opened, past.changed, past.closed) = (now.plus_ms(-60_000), now, None);
    let mut incident = past.clone();
    let ada = Hand {
        by: "ada".into(),
        console: "c1".into(),
    };
    incident.take(Deed::Note("seen before".into()), &ada, now);
    let said = Message {
        author: Author::Operator,
        at: now,
        run: None,
        parts: vec![Part::Text("why gone?".into())],
        outcome: None,
        version: 1,
    };
    let talk = Session {
        head: SessionHead {
            id: SessionId(7),
            title: "why gone?".into(),
            persona: "default".into(),
            incident: Some(incident.id),
            used: now,
            questions: 1,
        },
        messages: vec![said],
    };
    let keep = [
        Keep::Incident(Box::new(Past {
            cluster: "gone".into(),
            signs: Vec::new(),
            incident,
        })),
        Keep::Session(Box::new(talk)),
    ];
    Archive::open(&archive)
        .expect("opens")
        .keep(&keep)
        .expect("kept");
    let config = format!(
        "[archive]\nfile = \"{}\"\n\n\
         [[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\" }}\n\n\
         [[clusters]]\nname = \"gone\"\nprometheus = {{ url = \"http://127.0.0.1:9\" }}\n",
        archive.display(),
        prometheus.url()
    );
    let out = folder.path().join("live.fwr");
    let text = out.display().to_string();
    let number = format!("INC-{}", past.number);
    let output = tokio::task::spawn_blocking(move || {
        let args = [
            "export",
            "--incident",
            &number,
            "--listen",
            "10s",
            "--out",
            &text,
        ];
        let output = run(folder.path(), &config, &args);
        (output, folder)
    });
    let (output, _folder) = output.await.expect("ran");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    has(
        &told,
        &[
            "gone: no metrics are held",
            "gone: prometheus: ",
            "1 conversation",
        ],
    );
    let reader = Reader::open(&out).expect("opens");
    let handover = reader.handover().expect("handed over");
    let desk = &handover.incidents[0].incident.desk;
    assert_eq!(
        desk.notes().next().map(|(_, note)| note),
        Some("seen before")
    );
    assert_eq!(handover.talks[0].head.title, "why gone?");
}
