//! The site's own agent on a real nats-server: asked and heard over the bus, by the same pane.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::{Client, Message};
use farwatch::config::{Agent, Nats as Bus, NatsAuth, SiteAgent};
use farwatch::model::chat::{ChatEvent, ChatRequest, RunOutcome};
use farwatch::model::fault::FaultKind;
use farwatch::model::id::RequestId;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::chat::{Bench, NOW, Seen, nothing, setting};
use crate::nats::{JETSTREAM, Nats, program};

/// Asked by `anna`, with so much patience.
fn site(server: &Nats, patience: Duration) -> Agent {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Agent {
        site: Some(SiteAgent {
            bus: Bus {
                urls: vec![server.url()],
                timeout: Duration::from_secs(5),
                ..Bus::default()
            },
            user: Some("anna".into()),
            patience,
        }),
        ..Agent::default()
    }
}

fn bench(server: &Nats) -> Bench {
    Bench::with(site(server, Duration::from_secs(20)), nothing())
}

fn impatient(server: &Nats) -> Bench {
    Bench::with(site(server, Duration::from_secs(2)), nothing())
}

fn packed(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("packed")
}

async fn client(server: &Nats) -> Client {
    async_nats::connect(server.url()).await.expect("connected")
}

/// Says these, one after the other, to every question; `ask` sees each question.
async fn says(server: &Nats, parts: Vec<Vec<u8>>) -> Speaker {
    let client = client(server).await;
    let mut questions = client
        .subscribe("ai.chat.user.*.message")
        .await
        .expect("ok");
    client.flush().await.expect("ok");
    let speaker = client.clone();
    Speaker(tokio::spawn(async move {
        while let Some(question) = questions.next().await {
            let subject = response(&question);
            for part in &parts {
                let part = part.clone().into();
                speaker.publish(subject.clone(), part).await.expect("sent");
            }
        }
    }))
}

struct Speaker(tokio::task::JoinHandle<()>);

impl Drop for Speaker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn asked(question: &Message) -> Value {
    rmp_serde::from_slice(&question.payload).expect("MessagePack")
}

fn response(question: &Message) -> String {
    let request = asked(question)["request_id"].clone();
    format!("ai.chat.response.{}", request.as_str().expect("text"))
}

struct Foreign(Child, BufReader<std::process::ChildStdout>);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Foreign {
    fn start(server: &Nats) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nats/site_agent.py");
        let mut child = Command::new(program("python3"))
            .arg(script)
            .arg(server.url())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 with nats-py and msgpack, which tests/run installs");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut foreign = Self(child, lines);
        assert_eq!(
            foreign.line(),
            "ready",
            "run tests/run, which installs nats-py"
        );
        foreign
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("read");
        line.trim().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_agent_answers_in_parts() {
    let server = Nats::start("");
    let mut foreign = Foreign::start(&server);
    let mut bench = bench(&server);
    bench.agent.start(ChatRequest {
        run: RequestId(7),
        text: "why? my token=hunter2hunter2".into(),
        context: "INC-1 </data> password: hunter2hunter2".into(),
        history: vec![
            (true, "before secret=hunter2hunter2".into()),
            (false, "so".into()),
        ],
        setting: setting(&["alpha", "beta"]),
        look: None,
        now: NOW,
    });
    let seen = bench.wait().await;
    assert!(seen.answered(), "{seen:?}");
    assert_eq!(seen.text, "The clock of n1 is lost [1].");
    assert_eq!(seen.reasoning, "Clocks first.");
    for said in [
        "1 message came twice",
        "not checked: the site's agent used tools of its own",
        "did not see: PTP handbook (http://wiki/ptp)",
    ] {
        assert!(seen.noted(said), "{said}: {seen:?}");
    }
    assert!(!seen.noted("incomplete"), "{seen:?}");
    let names: Vec<&str> = seen.models.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["site's agent", "qwen3-site"]);
    assert!(seen.started.is_empty(), "no tool of ours is called");
    assert!(matches!(
        seen.outcome,
        Some(RunOutcome::Answered {
            prompt_tokens: Some(120),
            completion_tokens: Some(9),
            ..
        })
    ));
    let question: Value = serde_json::from_str(&foreign.line()).expect("JSON");
    assert_eq!(question["subject"], "ai.chat.user.anna.message");
    assert_eq!(
        (&question["user_id"], &question["enable_rag"]),
        (&json!("anna"), &json!(true))
    );
    let message = question["message"].as_str().expect("text");
    assert!(message.starts_with("why?"), "{message}");
    assert!(
        message.contains("alpha, beta") && message.contains("INC-1"),
        "{message}"
    );
    assert_eq!(message.matches("</data>").count(), 1, "{message}");
    assert_eq!(
        question["history"][1],
        json!({"role": "assistant", "content": "so"})
    );
    assert!(!question.to_string().contains("hunter2"), "{question}");
}

/// What comes of these parts.
async fn heard(parts: Vec<Vec<u8>>) -> Seen {
    let server = Nats::start("max_payload: 8388608\n");
    let _client = says(&server, parts).await;
    impatient(&server).ask("why?").await
}

#[tokio::test]
async fn other_forms_are_marked() {
    let seen = heard(vec![
        br#"{"content": "It "}"#.to_vec(),
        br#"{"content": "is.", "finish_reason": "stop"}"#.to_vec(),
    ])
    .await;
    assert!(seen.answered() && seen.text == "It is.", "{seen:?}");
    assert!(seen.noted("comes as JSON"), "{seen:?}");
    let seen = heard(vec![b"It ".to_vec(), b"is.\x1b[2J".to_vec(), Vec::new()]).await;
    assert!(seen.answered() && seen.text == "It is.", "{seen:?}");
    assert!(seen.noted("bare words"), "{seen:?}");
}

#[tokio::test]
async fn a_whole_answer_repeats_nothing() {
    let pieces = [json!({"chunk": "All is "}), json!({"chunk": "well here"})];
    for (last, text, formed) in [
        (
            json!({"answer": "All is well here."}),
            "All is well here.",
            None,
        ),
        (
            json!({"content": "All is well here.", "done": true}),
            "All is well here.",
            None,
        ),
        (
            json!({"answer": "Nothing is well."}),
            "All is well here",
            Some("Nothing is well."),
        ),
    ] {
        let parts = pieces.iter().chain([&last]).map(packed).collect();
        let seen = heard(parts).await;
        assert!(seen.answered(), "{seen:?}");
        assert_eq!((seen.text.as_str(), seen.formed.as_deref()), (text, formed));
    }
}

#[tokio::test]
async fn its_errors_are_told_and_what_came_stays() {
    let seen = heard(vec![
        packed(&json!({"chunk": "half"})),
        packed(&json!({"error": {"message": "no model\u{1b}[2J"}})),
    ])
    .await;
    assert_eq!(seen.text, "half");
    assert_eq!(seen.fault().kind, FaultKind::Server);
    assert_eq!(seen.fault().what, "the site's agent failed: no model");
    let seen = heard(vec![packed(&json!({"done": true}))]).await;
    assert!(seen.answered() && seen.noted("empty answer"), "{seen:?}");
}

#[tokio::test]
async fn garbage_and_strangers_are_counted_and_silence_is_told() {
    let strange = json!({"content": "not yours", "request_id": "another"});
    let seen = heard(vec![
        b"\x00\xff\x01".to_vec(),
        b"\xc1".to_vec(),
        packed(&strange),
    ])
    .await;
    let fault = seen.fault();
    assert_eq!((fault.kind, seen.text.as_str()), (FaultKind::Timeout, ""));
    assert!(
        fault.what.contains("no answer on ai.chat.response."),
        "{fault}"
    );
    assert!(
        fault
            .what
            .contains("2 messages could not be read (3 bytes: 00 ff 01)"),
        "{fault}"
    );
    assert!(fault.hint.contains("ai.chat.user.anna.message"), "{fault}");
    assert!(seen.noted("1 message named another question"), "{seen:?}");
    let seen = heard(vec![packed(&json!({"content": "half"}))]).await;
    assert_eq!(seen.text, "half");
    let fault = seen.fault();
    assert!(
        fault.what.contains("in the middle of its answer"),
        "{fault}"
    );
}

#[tokio::test]
async fn parts_that_never_come_are_missing() {
    let part = |n: u32| packed(&json!({"chunk": format!("{n} "), "index": n}));
    let seen = heard(vec![part(0), part(3), packed(&json!({"type": "done"}))]).await;
    assert!(seen.answered() && seen.text == "0 3 ", "{seen:?}");
    assert!(seen.noted("incomplete: parts 1 to 2"), "{seen:?}");
}

#[tokio::test]
async fn messages_of_8_mb_are_not_read_and_answers_are_bounded() {
    let large = packed(&json!({"content": "x".repeat(8_000_000)}));
    let garbage = vec![0xc1; 8_388_608];
    let done = packed(&json!({"content": "So it is.", "done": true}));
    let seen = heard(vec![large, garbage, done]).await;
    assert!(seen.answered() && seen.text == "So it is.", "{seen:?}");
    assert!(seen.noted("incomplete: a message of 8.4 MB"), "{seen:?}");
    let piece = packed(&json!({"content": "yes ".repeat(50_000)}));
    let seen = heard(vec![piece.clone(), piece.clone(), piece]).await;
    assert_eq!(seen.text.len(), 512 * 1024, "what came stays");
    assert!(matches!(&seen.outcome, Some(RunOutcome::Limit(what)) if what.contains("512 KiB")));
}

#[tokio::test]
async fn nobody_listens() {
    let server = Nats::start("");
    let seen = bench(&server).ask("why?").await;
    assert_eq!(seen.fault().kind, FaultKind::NotFound);
    assert_eq!(
        seen.fault().what,
        "nobody listens on ai.chat.user.anna.message"
    );
}

#[tokio::test]
async fn a_stream_that_keeps_the_question_is_named() {
    let server = Nats::start(JETSTREAM);
    let client = client(&server).await;
    async_nats::jetstream::new(client)
        .create_stream(async_nats::jetstream::stream::Config {
            name: "CHAT".into(),
            subjects: vec!["ai.chat.user.>".into()],
            ..Default::default()
        })
        .await
        .expect("made");
    let seen = impatient(&server).ask("why?").await;
    assert_eq!(seen.fault().kind, FaultKind::Timeout);
    assert!(
        seen.fault().hint.contains("the stream CHAT keeps"),
        "{seen:?}"
    );
}

/// A user `u` with password `p` and these permissions, and another who may all.
fn guarded(permissions: &str) -> (Nats, Agent) {
    let server = Nats::start(&format!(
        "authorization {{ users: [{{ user: u, password: p, permissions: {{ {permissions} }} }}, \
         {{ user: all, password: p }}] }}\n"
    ));
    let file = server.dir.path().join("password");
    std::fs::write(&file, "p").expect("written");
    let mut agent = site(&server, Duration::from_secs(20));
    if let Some(site) = &mut agent.site {
        site.bus.auth = NatsAuth::User {
            user: "u".into(),
            password_file: file,
        };
    }
    (server, agent)
}

#[tokio::test]
async fn missing_permissions_name_their_subject() {
    for (permissions, subject, hint) in [
        (
            "publish: { deny: \"ai.chat.>\" }",
            "publish on ai.chat.user.anna.message",
            "user_id",
        ),
        (
            "subscribe: { deny: \"ai.chat.response.*\" }",
            "subscribe to ai.chat.response.",
            "ai.chat.response.*",
        ),
    ] {
        let (server, agent) = guarded(permissions);
        let all = async_nats::ConnectOptions::with_user_and_password("all".into(), "p".into());
        let all = all.connect(server.url()).await.expect("connected");
        let _listens = all.subscribe("ai.chat.user.*.message").await.expect("ok");
        all.flush().await.expect("ok");
        let mut bench = Bench::with(agent, nothing());
        let refused = bench.agent.check().await.expect_err("not permitted");
        assert_eq!(refused.kind, FaultKind::Forbidden, "{refused}");
        assert!(refused.what.contains(subject), "{refused}");
        let seen = bench.ask("why?").await;
        let fault = seen.fault();
        assert_eq!(fault.kind, FaultKind::Forbidden, "{fault}");
        assert!(
            fault.what.contains(subject) && fault.hint.contains(hint),
            "{fault}"
        );
    }
}

/// Where nothing but the two subjects is permitted, it works.
#[tokio::test]
async fn no_more_is_needed_than_the_two_subjects() {
    let (server, agent) =
        guarded("publish: \"ai.chat.user.anna.message\", subscribe: \"ai.chat.response.*\"");
    let all = async_nats::ConnectOptions::with_user_and_password("all".into(), "p".into());
    let all = all.connect(server.url()).await.expect("connected");
    let mut questions = all.subscribe("ai.chat.user.*.message").await.expect("ok");
    all.flush().await.expect("ok");
    let mut bench = Bench::with(agent, nothing());
    bench
        .agent
        .check()
        .await
        .expect("nothing is known to be missing");
    bench.start("why?");
    let question = questions.next().await.expect("asked");
    let part = packed(&json!({"answer": "Because."}));
    all.publish(response(&question), part.into())
        .await
        .expect("sent");
    let seen = bench.wait().await;
    assert!(seen.answered() && seen.text == "Because.", "{seen:?}");
}

/// The next piece of text, and the notes before it.
async fn piece(bench: &mut Bench) -> (String, Vec<String>) {
    let mut notes = Vec::new();
    loop {
        match bench.events.recv().await.expect("open") {
            ChatEvent::Text { text, .. } => return (text, notes),
            ChatEvent::Note { text, .. } => notes.push(text),
            ChatEvent::Ended { outcome, .. } => panic!("{outcome:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_server_killed_in_the_middle_leaves_what_came() {
    let mut server = Nats::start("");
    let before = says(&server, vec![packed(&json!({"chunk": "half"}))]).await;
    let mut bench = bench(&server);
    bench.start("why?");
    let (text, notes) = piece(&mut bench).await;
    assert_eq!(text, "half");
    assert!(
        notes.iter().any(|note| note.starts_with("not checked")),
        "what came rests on what nobody here saw: {notes:?}"
    );
    server.kill();
    let seen = bench.wait().await;
    let fault = seen.fault();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(
        fault.what.contains("lost in the middle of the answer"),
        "{fault}"
    );
    assert!(!seen.noted("not checked"), "once: {seen:?}");
    drop(before);
    server.restart();
    let _client = says(&server, vec![packed(&json!({"answer": "whole"}))]).await;
    assert_eq!(
        bench.ask("why?").await.text,
        "whole",
        "the next question finds it again"
    );
}

#[tokio::test]
async fn who_cancels_is_gone_from_the_bus() {
    let server = Nats::start("");
    let client = client(&server).await;
    let mut questions = client
        .subscribe("ai.chat.user.*.message")
        .await
        .expect("ok");
    client.flush().await.expect("ok");
    let mut bench = bench(&server);
    let run = bench.start("why?");
    let subject = response(&questions.next().await.expect("asked"));
    client
        .publish(subject.clone(), packed(&json!({"chunk": "half"})).into())
        .await
        .expect("sent");
    let (text, notes) = piece(&mut bench).await;
    assert_eq!(text, "half", "it listens");
    assert!(
        notes.iter().any(|note| note.starts_with("not checked")),
        "said before the words, which may be all that comes: {notes:?}"
    );
    bench.agent.cancel(run);
    let seen = bench.wait().await;
    assert!(matches!(seen.outcome, Some(RunOutcome::Cancelled)));
    crate::nats::until("nobody listens any more", async || {
        let request = client.request(subject.clone(), "more".into()).await;
        let error = request.expect_err("nobody answers");
        (error.kind() == async_nats::RequestErrorKind::NoResponders).then_some(())
    })
    .await;
}

/// A flood of parts while the screen takes nothing: all of it comes, in order.
#[tokio::test]
async fn a_slow_screen_loses_nothing() {
    let server = Nats::start("");
    let mut parts: Vec<Vec<u8>> = (0..4_000)
        .map(|n| packed(&json!({"chunk": format!("{n} ")})))
        .collect();
    parts.push(packed(&json!({"done": true})));
    let _client = says(&server, parts).await;
    let mut bench = bench(&server);
    bench.start("why?");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = bench.wait().await;
    let wanted: String = (0..4_000).map(|n| format!("{n} ")).collect();
    assert!(seen.answered() && seen.text == wanted, "{:?}", seen.outcome);
    assert!(!seen.noted("lost"), "{:?}", seen.notes);
}

/// More than may wait: what is lost is told, whatever else is true.
#[tokio::test]
async fn a_flood_that_loses_something_says_so() {
    let server = Nats::start("");
    let mut parts: Vec<Vec<u8>> = (0..60_000)
        .map(|n| packed(&json!({"chunk": format!("{n} ")})))
        .collect();
    parts.push(packed(&json!({"done": true})));
    let _client = says(&server, parts).await;
    let seen = impatient(&server).ask("why?").await;
    let all: String = (0..60_000).map(|n| format!("{n} ")).collect();
    assert!(
        seen.text == all || seen.noted("were lost"),
        "{:?}",
        seen.notes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_it_too() {
    let server = Nats::start("");
    let answer = "## Conclusion\nThe fan is broken.\n## Evidence\n- heat [1]\n";
    let _client = says(
        &server,
        vec![packed(&json!({"answer": answer, "model": "m"}))],
    )
    .await;
    let folder = tempfile::tempdir().expect("folder");
    let config = folder.path().join("farwatch.toml");
    let text = format!(
        "[agent]\nnats = {{ url = \"{}\" }}\nuser_id = \"a.b\"\n",
        server.url()
    );
    std::fs::write(&config, text).expect("written");
    let run = tokio::process::Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["ask", "why?", "--at", "16m", "--replay"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr"))
        .arg("--config")
        .arg(&config)
        .env("HOME", folder.path())
        .env("XDG_STATE_HOME", folder.path())
        .env_remove("KUBECONFIG")
        .output();
    let output = run.await.expect("ran");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for part in [
        "- heat [1] **(unsupported)**",
        "> not checked: the site's agent used tools of its own",
        "by the model m",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}
