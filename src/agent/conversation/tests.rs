//! Pieces, cancelling, queueing and bounds of the conversation.

use super::*;
use crate::model::limits::RunLimits;

const NOW: Timestamp = Timestamp(1_000);

fn text(run: RunId, text: &str) -> ChatEvent {
    ChatEvent::Text {
        run,
        text: text.into(),
    }
}

fn setting() -> Setting {
    Setting {
        clusters: Vec::new(),
        persona: crate::config::persona::built_in().remove(0),
        tools: Vec::new(),
        limits: RunLimits::default(),
    }
}

#[test]
fn pieces_become_parts() {
    let mut chat = Conversation::default();
    let run = chat.ask("why?", "", setting(), NOW).expect("starts").run;
    chat.apply(text(run, "a"));
    chat.apply(text(run, "b"));
    chat.apply(ChatEvent::ToolStarted {
        run,
        call: "c".into(),
        tool: "list_alerts".into(),
        arguments: "{}".into(),
        number: 1,
    });
    chat.apply(ChatEvent::ToolEnded {
        run,
        call: "c".into(),
        result: "r".into(),
        rows: 3,
        ok: true,
        duration_ms: 5,
    });
    chat.apply(text(run, "c [1]"));
    let message = chat.messages.last().expect("answer");
    assert_eq!(message.text(), "ab\n\nc [1]");
    assert!(
        matches!(&message.parts[1], Part::Tool(t) if t.done.as_ref().is_some_and(|d| d.rows == 3))
    );
}

#[test]
fn nothing_of_a_cancelled_run_gets_in() {
    let mut chat = Conversation::default();
    let run = chat.ask("why?", "", setting(), NOW).expect("starts").run;
    chat.apply(text(run, "a"));
    assert_eq!(chat.cancel(), Some(run));
    assert!(!chat.apply(text(run, "b")));
    assert!(!chat.apply(ChatEvent::Ended {
        run,
        outcome: RunOutcome::Limit("x".into())
    }));
    let message = chat.messages.last().expect("answer");
    assert_eq!(message.outcome, Some(RunOutcome::Cancelled));
    assert_eq!(message.text(), "a");
    assert_eq!(chat.cancel(), None);
}

#[test]
fn questions_queue_behind_a_run() {
    let mut chat = Conversation::default();
    let first = chat.ask("one", "", setting(), NOW).expect("starts").run;
    assert_eq!(chat.ask("two", "ctx", setting(), NOW), None);
    assert_eq!(chat.next_request(setting(), NOW), None);
    chat.apply(text(first, "done"));
    chat.apply(ChatEvent::Ended {
        run: first,
        outcome: RunOutcome::Cancelled,
    });
    let next = chat.next_request(setting(), NOW).expect("queued");
    assert_eq!((next.text.as_str(), next.context.as_str()), ("two", "ctx"));
    assert_eq!(
        next.history,
        [(true, "one".to_owned()), (false, "done".to_owned())]
    );
    assert_ne!(next.run, first);
}

#[test]
fn bounded() {
    let mut chat = Conversation::default();
    for i in 0..300 {
        chat.answer_locally(Some(&format!("q{i}")), "a".into(), NOW);
    }
    assert_eq!(chat.messages.len(), MESSAGES);
}
