use super::*;
use crate::agent::conversation::Conversation;
use crate::model::chat::{ChatEvent, Model, RunOutcome};
use crate::model::fault::{Fault, FaultKind};
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self, NOW};

fn keys(chat: &mut Chat, talk: &Conversation, text: &str) {
    for c in text.chars() {
        assert_eq!(chat.press(KeyPress::plain(Key::Char(c)), talk), None);
    }
}

fn asked() -> (Conversation, RunId) {
    let mut talk = Conversation::default();
    talk.apply(ChatEvent::Model(Model {
        name: "qwen3-32b".into(),
        context: Some(32_768),
        server: None,
    }));
    let request = talk
        .ask(
            "why did du-high restart?",
            "",
            crate::agent::persona::setting(
                &crate::state::world::World::default(),
                &crate::config::persona::built_in().remove(0),
                crate::model::limits::RunLimits::default(),
            ),
            Timestamp(NOW),
        )
        .expect("starts");
    let run = request.run;
    talk.apply(ChatEvent::ToolStarted {
        run,
        call: "c1".into(),
        tool: "get_ptp_status".into(),
        arguments: "{\"cluster\":\"edge-ran-07\"}".into(),
        number: 1,
    });
    talk.apply(ChatEvent::ToolEnded {
        run,
        call: "c1".into(),
        result: "n-07-b FREERUN\nn-07-a LOCKED".into(),
        rows: 2,
        ok: true,
        duration_ms: 210,
    });
    talk.apply(ChatEvent::Text {
        run,
        text: "**GNSS loss** on n-07-b took `ens1f0` to HOLDOVER, then FREERUN [1].".into(),
    });
    (talk, run)
}

/// Twenty questions with answers of a few lines.
fn long() -> Conversation {
    let mut talk = Conversation::default();
    for n in 0..20 {
        let question = format!("/what {n}");
        let answer = format!("answer {n}\n\n- one of {n}\n- two of {n}\n\nend of {n}");
        talk.answer_locally(Some(&question), answer, Timestamp(NOW));
    }
    talk
}

fn inner(screen: &str) -> Vec<&str> {
    let lines: Vec<&str> = screen.lines().collect();
    lines[1..lines.len() - 3].to_vec()
}

#[test]
fn only_what_is_seen_is_laid_out_and_looks_as_if_all_were() {
    let talk = long();
    let mut chat = Chat::default();
    let tall = show(&chat, &talk, true, (60, 400));
    let whole: Vec<&str> = inner(&tall);
    let end = whole
        .iter()
        .rposition(|l| l.contains("end of 19"))
        .expect("the last");
    let seen_once = Chat::default();
    show(&seen_once, &talk, true, (60, 20));
    assert!(
        seen_once.laid.borrow().count() < 10,
        "not all forty messages"
    );
    for up in (0..200).step_by(10) {
        let small = show(&chat, &talk, true, (60, 20));
        let seen = inner(&small);
        // A blank line ends each message.
        let first = (end + 2).saturating_sub(up + seen.len());
        assert_eq!(seen, whole[first..first + seen.len()], "{up} lines up");
        chat.scroll(10);
    }
}

fn show(chat: &Chat, talk: &Conversation, configured: bool, size: (u16, u16)) -> String {
    let world = fake::world(&["a"]);
    fake::screen(&world, size.0, size.1, |ctx, area, buf| {
        chat.draw(ctx, talk, configured, area, buf);
    })
}

#[test]
fn writes_sends_and_recalls() {
    let talk = Conversation::default();
    let mut chat = Chat::default();
    keys(&mut chat, &talk, "why");
    chat.press(KeyPress::ctrl('j'), &talk);
    keys(&mut chat, &talk, "now?");
    assert_eq!(
        chat.press(KeyPress::plain(Key::Enter), &talk),
        Some(ChatCommand::Send("why\nnow?".into()))
    );
    assert_eq!(chat.text(), "");
    assert_eq!(chat.press(KeyPress::plain(Key::Enter), &talk), None);
    chat.press(KeyPress::plain(Key::Up), &talk);
    assert_eq!(chat.text(), "why\nnow?");
    assert_eq!(
        chat.press(KeyPress::plain(Key::Esc), &talk),
        Some(ChatCommand::Leave)
    );
    chat.set_text("");
    chat.paste("a\u{1b}[31mb\nc\u{202e}");
    assert_eq!(chat.text(), "ab\nc");
}

#[test]
fn esc_stops_a_running_answer_and_tool_calls_unfold() {
    let (mut talk, run) = asked();
    let mut chat = Chat::default();
    assert_eq!(
        chat.press(KeyPress::plain(Key::Esc), &talk),
        Some(ChatCommand::Cancel(run))
    );
    let folded = show(&chat, &talk, true, (60, 20));
    assert!(
        !folded.contains("n-07-a LOCKED") && folded.contains("2 rows [1]"),
        "{folded}"
    );
    assert!(folded.contains('▌'), "the answer is still coming: {folded}");
    chat.press(KeyPress::plain(Key::Tab), &talk);
    let Some(ChatCommand::Toggle { message, part }) =
        chat.press(KeyPress::plain(Key::Enter), &talk)
    else {
        panic!("unfolds");
    };
    talk.toggle(message, part);
    let open = show(&chat, &talk, true, (60, 20));
    assert!(open.contains("n-07-a LOCKED"), "{open}");
}

#[test]
fn cold_and_warm_and_any_room() {
    let (mut talk, run) = asked();
    talk.apply(ChatEvent::Ended {
        run,
        outcome: RunOutcome::Answered {
            prompt_tokens: Some(8_192),
            completion_tokens: Some(100),
            first_token_ms: 200,
            total_ms: 3_800,
            context_tokens: Some(8_292),
            wrote_ms: Some(2_000),
        },
    });
    let chat = Chat::default();
    show(&chat, &talk, true, (54, 30));
    // What was laid out before gives the same picture.
    assert_eq!(
        show(&chat, &talk, true, (54, 30)),
        show(&Chat::default(), &talk, true, (54, 30))
    );
    for width in 0..30 {
        for height in 0..12 {
            show(&chat, &talk, true, (width, height));
        }
    }
}

#[test]
fn says_that_no_model_is_configured_and_how_a_run_failed() {
    let chat = Chat::default();
    let text = show(&chat, &Conversation::default(), false, (54, 20));
    assert!(
        text.contains("no model configured") && text.contains("[agent]"),
        "{text}"
    );
    let (mut talk, run) = asked();
    talk.apply(ChatEvent::Ended {
        run,
        outcome: RunOutcome::Failed(Fault {
            kind: FaultKind::Unreachable,
            cluster: String::new(),
            endpoint: "http://127.0.0.1:8000/v1".into(),
            what: "connection refused".into(),
            hint: "start the model server".into(),
        }),
    });
    let text = show(&chat, &talk, true, (54, 20));
    assert!(
        text.contains("connection refused") && text.contains("the model server"),
        "{text}"
    );
}

#[test]
fn what_a_run_has_taken_stands_above_the_input_while_it_goes_on() {
    use crate::model::limits::{RunLimits, Spent};
    let mut talk = Conversation::default();
    let setting = crate::agent::persona::setting(
        &crate::state::world::World::default(),
        &crate::config::persona::built_in().remove(0),
        RunLimits::default(),
    );
    let asked = talk
        .ask("why?", "", setting, Timestamp(NOW))
        .expect("starts");
    let spent = Spent {
        limits: RunLimits::default(),
        rounds: 2,
        tokens: 9_340,
        estimated: true,
        queries: 3,
    };
    talk.apply(ChatEvent::Spent {
        run: asked.run,
        spent,
    });
    let now = Timestamp(NOW + 12_000);
    let rule = |talk: &Conversation, width| body::rule(talk, now, width);
    let whole = "─ rounds 2/8 · ~9.3k/200k tok · 12/600 s · 3/40 queries ";
    assert!(rule(&talk, 70).starts_with(whole), "{}", rule(&talk, 70));
    assert!(
        rule(&talk, 40).starts_with("─ rounds 2/8 · ~9.3k/200k tok ─"),
        "{}",
        rule(&talk, 40)
    );
    for width in [0, 5, 40, 70] {
        assert_eq!(rule(&talk, width).chars().count(), width);
    }
    talk.cancel();
    assert_eq!(rule(&talk, 9), "─".repeat(9));
}
