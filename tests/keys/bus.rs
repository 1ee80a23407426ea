//! The bus by keys: what is followed, what is asked, and the way back.

use farwatch::message::Effect;
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::bus::{Encoding, Following, Start};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::id::ClusterId;

use crate::FULL;
use crate::bus_told::{message, tell};
use crate::scenario::{Console, NAMES, NOW};
use farwatch::message::Msg;

fn console(size: (u16, u16)) -> Console {
    let mut console = Console::new(&NAMES, size);
    tell(&mut console);
    console
}

/// What was asked of the buses to be followed last.
fn followed(console: &Console) -> Option<Vec<(ClusterId, Following)>> {
    let mut effects = console.effects.iter().rev();
    effects.find_map(|effect| match effect {
        Effect::FollowBus(wanted) => Some(wanted.clone()),
        _ => None,
    })
}

fn patterns(console: &Console) -> Vec<String> {
    let wanted = followed(console).unwrap_or_default();
    let of = |(_, f): &(ClusterId, Following)| {
        let patterns = f.patterns.iter().map(|p| p.as_str()).collect::<Vec<_>>();
        format!("{} / {}", patterns.join(" "), f.words)
    };
    wanted.iter().map(of).collect()
}

#[test]
fn subjects_are_followed_while_the_screen_is_in_view() {
    let mut console = console(FULL);
    assert_eq!(followed(&console), None);
    console.keys("ge");
    assert_eq!(patterns(&console), ["ai.> / "]);
    console.keys("1");
    assert_eq!(followed(&console), Some(Vec::new()));
    console.keys("ge");
    console.keys("f");
    console.has(":follow");
    console.keys("ran.events.*<space>ai.><space>/<space>Lyon<space>x<enter>");
    assert_eq!(patterns(&console), ["ran.events.* ai.> / Lyon x"]);
    console.keys("fa..b<enter>");
    console.has("a token is missing");
    console.keys("<esc><esc>foff<enter>");
    assert_eq!(patterns(&console), [" / "]);
    console.keys("fdefault<enter>");
    assert_eq!(patterns(&console), ["ai.> / "]);
}

#[test]
fn what_is_wrong_is_found() {
    let mut console = console(FULL);
    console.keys("ge");
    console.has("Streams 3, 3 consumers");
    console.has("18402▲");
    console.has("412 msg/s, showing 1 of 137");
    console.keys("!");
    console.has("problems only");
    console.lacks("CHANGE_LOG");
    console.keys("<esc>/JOBS<enter>");
    console.has("worker");
    console.lacks("rca-sink");
}

fn asked(console: &Console) -> Question {
    let mut effects = console.effects.iter().rev();
    let found = effects.find_map(|effect| match effect {
        Effect::Ask(question) => Some(question.clone()),
        _ => None,
    });
    found.expect("a question")
}

fn answer(console: &mut Console, question: Question, result: Result<Answer, Fault>) {
    console.update(Msg::Answer(Box::new(Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask,
        origin: "nats://nats:4222".into(),
        at: NOW,
        latency_ms: 3,
        warnings: Vec::new(),
        cut_from: None,
        result,
    })));
}

#[test]
fn what_a_stream_keeps_is_read_and_left_again() {
    let mut console = console(FULL);
    console.keys("ge<enter>");
    let question = asked(&console);
    let Ask::Messages { stream, start, .. } = &question.ask else {
        panic!("{question:?}");
    };
    assert_eq!((stream.as_str(), *start), ("RAN_EVENTS", Start::Last(100)));
    console.has("is asked for");
    let kept = message(7, "ran.events.n7", Encoding::MessagePack);
    answer(&mut console, question, Ok(Answer::Messages(vec![kept])));
    console.has("kept in RAN_EVENTS of edge-ran-07: the last 1");
    console.has("ran.events.n7");
    console.keys("<enter>");
    console.has("offset_ns: 1812 int");
    console.keys("z");
    console.has("84 a4 6b 69 6e 64");
    console.keys("<esc><esc>");
    console.has("tail ai.>");
    // A refusal is told in place of the messages.
    console.keys("<enter>");
    let question = asked(&console);
    let fault = Fault {
        kind: FaultKind::Forbidden,
        cluster: String::new(),
        endpoint: String::new(),
        what: "signed in, but not permitted: publish on $JS.API".into(),
        hint: String::new(),
    };
    answer(&mut console, question, Err(fault));
    console.has("not permitted: publish on $JS.API");
}

#[test]
fn a_work_queue_is_never_read() {
    let mut console = console(FULL);
    console.keys("ge/JOBS<enter>");
    let before = console.effects.len();
    console.keys("<enter>");
    let new = &console.effects[before..];
    assert!(!new.iter().any(|e| matches!(e, Effect::Ask(_))), "{new:?}");
    assert!(new.iter().any(|e| matches!(e, Effect::Say(_))), "{new:?}");
}

#[test]
fn a_narrow_screen_shows_a_pane_at_a_time() {
    let mut console = console((80, 24));
    console.keys("ge");
    console.has("RAN_EVENTS");
    console.lacks("tail ai.>");
    console.keys("<tab>");
    console.has("tail ai.>");
    console.has("ai.pipeline.trigger");
    console.keys("<tab>");
    console.has("subject");
    console.keys("<esc><esc>");
    console.has("RAN_EVENTS");
}
