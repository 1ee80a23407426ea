//! The chat pane without a model: slash words, the screen behind a citation, personas, kept
//! conversations.

use farwatch::message::{Effect, Msg};
use farwatch::model::archive::{Keep, Past, Recall, Recalled};
use farwatch::model::chat::{ChatEvent, ModelWords, WorldQuery};
use farwatch::model::export::Kept;
use farwatch::model::id::{IncidentId, RequestId};
use farwatch::model::talk::{Session, SessionHead, SessionId};

use serde_json::json;

use super::FULL;
use super::scenario::Console;
use super::{console_with_agent, request};

fn begun() -> Console {
    let mut console = Console::live(FULL);
    console.update(Msg::Recalled(Box::new(Recalled::Begin {
        incidents: Vec::new(),
        verdicts: Vec::new(),
        numbered: 0,
    })));
    console.effects.clear();
    console
}

fn last_text(console: &Console) -> String {
    let last = console.state.chat.messages.last();
    last.map(|m| m.text()).unwrap_or_default()
}

#[test]
fn why_is_answered_in_the_form_with_its_evidence() {
    let mut console = Console::live(FULL);
    console.keys("8A/why<enter>");
    let said = last_text(&console);
    for part in [
        "## Conclusion\nIt began at",
        "INC-1 critical",
        "## Confidence",
        "## Evidence\n- ",
        "[1]",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let last = console.state.chat.messages.last().expect("said");
    assert_eq!(last.good(), [1, 2, 3]);
    assert!(
        !console.effects.iter().any(|e| matches!(e, Effect::Chat(_))),
        "no task is needed"
    );
    console.keys("/why INC-99<enter>");
    assert!(last_text(&console).contains("no incident `INC-99`"));
}

#[test]
fn a_runbook_is_named_found_and_read() {
    let mut console = Console::live(FULL);
    console.keys("8A/runbook<enter>");
    let said = last_text(&console);
    assert!(said.starts_with("INC-1 ") && said.contains("- `"), "{said}");
    let id = said.split('`').nth(1).expect("a name").to_owned();
    console.keys("/why<enter>");
    let why = last_text(&console);
    assert!(why.contains(&format!("- `/runbook {id}`")), "{why}");
    console.keys(&format!("/runbook {id}<enter>"));
    assert!(last_text(&console).contains("## Look\n1. "));
    console.keys("/runbook antenna jamming<enter>");
    assert!(last_text(&console).starts_with("- `ptp-freerun`"));
    console.keys("/runbook qqqq<enter>");
    assert!(last_text(&console).contains("No runbook says anything of `qqqq`"));
}

/// A tool of another program waits for a word that is typed whole; nothing else allows it.
#[test]
fn a_call_of_another_program_is_allowed_by_word() {
    for (word, allowed) in [("/allow", true), ("/deny", false)] {
        let mut console = console_with_agent();
        console.keys("8Awhy?<enter>");
        let run = request(&console).run;
        console.keys("/allow<enter>");
        let allowed_now = |console: &Console| {
            console.effects.iter().rev().find_map(|e| match e {
                Effect::Approve { call, allow, .. } => Some((call.clone(), *allow)),
                _ => None,
            })
        };
        assert_eq!(allowed_now(&console), None, "nothing waits yet");
        console.update(Msg::Chat(ChatEvent::Approval {
            run,
            call: "c1".into(),
            tool: "tickets.search".into(),
            arguments: "{\"text\":\"gpu\"}".into(),
        }));
        console.has("tickets.search {\"text\":\"gpu\"}");
        console.has("─ /allow or /deny? ─");
        console.keys("yes<enter>");
        assert_eq!(
            allowed_now(&console),
            None,
            "a question in the queue is no word"
        );
        console.keys(&format!("{word}<enter>"));
        assert_eq!(allowed_now(&console), Some(("c1".to_owned(), allowed)));
        console.keys(&format!("{word}<enter>"));
        let told = console
            .effects
            .iter()
            .filter(|e| matches!(e, Effect::Approve { .. }));
        assert_eq!(told.count(), 1, "once");
    }
}

#[test]
fn a_citation_opens_the_screen_that_shows_it() {
    let mut console = Console::live(FULL);
    console.keys("A/why<enter>");
    // Tab: the calls; 3: what is cited as [3], the alerts.
    console.keys("<tab>3o");
    console.has("▸ Alerts");
    // The keyboard comes back to the calls.
    console.keys("A1o");
    console.has("▸ Incidents");
}

#[test]
fn a_query_is_asked_at_the_time_that_is_looked_at() {
    let mut console = Console::live(FULL);
    console.keys("A/query up == 0<enter>");
    let request = request(&console);
    let look = request.look.expect("no model");
    assert_eq!(look.calls[0].0, "query_metrics");
    assert_eq!(look.calls[0].1["query"], "up == 0");
    assert!(
        request.setting.tools.contains(&"compare_clusters"),
        "no persona limits the operator"
    );
    console.keys("<esc>/logs<enter>");
    assert!(last_text(&console).contains("Write what to ask: LogQL"));
    console.keys("/compare edge-ran-07 gpu-train-1<enter>");
    let last = console.state.chat.messages.last().expect("said");
    assert_eq!(last.good(), [1], "{last:?}");
    console.keys("/compare edge-ran-07<enter>");
    assert!(last_text(&console).contains("two names"));
}

#[test]
fn personas_are_chosen_and_limit_the_model() {
    let mut console = console_with_agent();
    console.keys("A/persona<enter>");
    assert!(last_text(&console).contains("`default` general operations (now)"));
    console.keys("/persona nobody<enter>");
    assert!(last_text(&console).contains("no persona `nobody`"));
    console.keys("/persona gpu-expert<enter>why?<enter>");
    let request = request(&console);
    assert_eq!(request.setting.persona.id, "gpu-expert");
    assert!(request.setting.tools.contains(&"get_metric_labels"));
    assert!(
        !request.setting.tools.contains(&"query_logs"),
        "{:?}",
        request.setting.tools
    );
}

#[test]
fn conversations_are_kept_listed_and_gone_on_with() {
    let mut console = begun();
    console.keys("8A/why<enter>");
    let effects = console.state.keep(true);
    let kept = effects.iter().find_map(|e| match e {
        Effect::Keep(all) => all.iter().find_map(|k| match k {
            Keep::Session(session) => Some((**session).clone()),
            _ => None,
        }),
        _ => None,
    });
    let kept = kept.expect("kept");
    assert_eq!(kept.head.title, "/why");
    assert!(console.state.keep(true).is_empty(), "once");

    console.keys("/sessions clock<enter>");
    let asked = Effect::Recall(Recall::Sessions("clock".into()));
    assert!(console.effects.contains(&asked), "{:?}", console.effects);
    console.update(Msg::Recalled(Box::new(Recalled::Sessions {
        words: "clock".into(),
        heads: vec![kept.head.clone()],
    })));
    assert!(
        last_text(&console).contains("1. /why (1 questions"),
        "{}",
        last_text(&console)
    );
    console.keys("/resume 2<enter>");
    assert!(last_text(&console).contains("by its number"));
    console.keys("/new<enter>");
    console.effects.clear();
    console.keys("/resume 1<enter>");
    assert_eq!(
        console.effects.last(),
        Some(&Effect::Recall(Recall::Session(kept.head.id)))
    );
    console.update(Msg::Recalled(Box::new(Recalled::Session(Some(Box::new(
        kept.clone(),
    ))))));
    let said = |all: &[farwatch::model::talk::Message]| -> Vec<String> {
        all.iter().map(|m| m.text()).collect()
    };
    assert_eq!(said(&console.state.chat.messages), said(&kept.messages));
    console.has("INC-1");
    console.update(Msg::Recalled(Box::new(Recalled::Session(None))));
    assert!(last_text(&console).contains("not kept any more"));
}

#[test]
fn what_was_said_is_kept_before_a_new_conversation_begins() {
    let mut console = begun();
    console.keys("8A/why<enter>");
    console.effects.clear();
    console.keys("/new<enter>");
    let kept = console.effects.iter().any(|e| match e {
        Effect::Keep(all) => all.iter().any(|k| matches!(k, Keep::Session(_))),
        _ => false,
    });
    assert!(kept, "{:?}", console.effects);
    assert!(console.state.chat.messages.is_empty());
}

#[test]
fn without_an_archive_it_is_said() {
    let mut console = Console::live(FULL);
    console.keys("A/sessions<enter>");
    assert!(last_text(&console).contains("no archive takes them"));
}

#[test]
fn a_branch_begins_before_a_question_and_leaves_the_other_whole() {
    let mut console = begun();
    console.keys("A/compare edge-ran-07 gpu-train-1<enter>/why<enter>");
    let before = console.state.chat.session("default").expect("said");
    console.effects.clear();
    console.keys("/branch 2<enter>");
    let kept = console.effects.iter().any(|e| {
        matches!(e, Effect::Keep(all) if matches!(all.as_slice(), [Keep::Session(s)] if **s == before))
    });
    assert!(kept, "{:?}", console.effects);
    assert_eq!(console.state.chat.messages.len(), 2);
    assert_eq!(console.state.screen.views.chat.text(), "/why");
    console.keys("<enter>/branch 9<enter>");
    assert!(last_text(&console).contains("by its number"));
}

#[test]
fn a_conversation_goes_to_a_file() {
    let mut console = Console::live(FULL);
    console.keys("A/export<enter>");
    assert!(last_text(&console).contains("Nothing was asked yet"));
    console.keys("/new<enter>/why<enter>/export<enter>");
    let text = console.effects.iter().find_map(|e| match e {
        Effect::Save(export) => match &export.kept {
            farwatch::model::export::Kept::Text(text) => Some(text.text.clone()),
            _ => None,
        },
        _ => None,
    });
    let text = text.expect("saved");
    assert!(
        text.starts_with("# /why\n") && text.contains("### Conclusion"),
        "{text}"
    );
    assert!(text.contains("[1] `analyze_root_cause"), "{text}");
}

#[test]
fn a_list_tells_of_each_conversation_in_one_line() {
    let mut console = begun();
    let head = SessionHead {
        id: SessionId(1),
        title: "why is it slow?".into(),
        persona: "default".into(),
        incident: None,
        used: console.state.world.now.plus_ms(-120_000),
        questions: 3,
    };
    console.keys("A/sessions<enter>");
    console.update(Msg::Recalled(Box::new(Recalled::Sessions {
        words: String::new(),
        heads: vec![head.clone()],
    })));
    console.has("why is it slow? (3 questions, 2m ago)");
    console.effects.clear();
    console.keys("/forget 1<enter>");
    assert!(
        console
            .effects
            .contains(&Effect::Keep(vec![Keep::Forget(SessionId(1))]))
    );
    let empty = Session {
        head,
        messages: Vec::new(),
    };
    assert_eq!(empty.markdown(), "# why is it slow?\n");
}

/// What stands in the pane ends with it: else the next thing said would bring it back.
#[test]
fn the_conversation_at_hand_stays_forgotten() {
    let mut console = begun();
    console.keys("A/why<enter>");
    let kept = console.state.chat.session("default").expect("said");
    console.update(Msg::Recalled(Box::new(Recalled::Sessions {
        words: String::new(),
        heads: vec![kept.head.clone()],
    })));
    console.keys("/forget 1<enter>");
    console.has("Forgotten: /why");
    let later = console.state.world.now.plus_ms(60_000);
    console.effects.clear();
    console.update(Msg::Tick(later));
    let again = |e: &Effect| matches!(e, Effect::Keep(all) if all.iter().any(|one| matches!(one, Keep::Session(_))));
    assert!(!console.effects.iter().any(again), "{:?}", console.effects);
    assert_eq!(console.state.chat.session("default"), None);
}

#[test]
fn a_result_is_opened_by_its_number() {
    let mut console = Console::live(FULL);
    console.keys("A/why<enter>");
    let opened = |console: &mut Console, words: &str| {
        console.effects.clear();
        console.keys(&format!("/result {words}<enter>"));
        console.effects.iter().find_map(|e| match e {
            Effect::OpenResult(wanted) => Some(wanted.clone()),
            _ => None,
        })
    };
    let wanted = opened(&mut console, "[3] 41 disk full").expect("asked for");
    assert_eq!((wanted.number, wanted.from), (3, 41));
    assert_eq!(wanted.contains, "disk full");
    assert!(!wanted.digest.is_empty());
    let wanted = opened(&mut console, "1 oom").expect("asked for");
    assert_eq!((wanted.from, wanted.contains.as_str()), (1, "oom"));
    assert_eq!(opened(&mut console, "9"), None);
    assert!(last_text(&console).contains("no result [9]"));
    assert_eq!(opened(&mut console, "x"), None);
    assert!(last_text(&console).contains("by its number"));
    let text = "Result [1], rows 1 to 1 of 1 rows\n\n~~~~\nalpha: a row\n~~~~\n".to_owned();
    console.keys("/why<enter>");
    let asked = "/result 1".to_owned();
    console.update(Msg::Chat(ChatEvent::Opened { asked, text }));
    console.has("alpha: a row");
}

fn context(console: &Console) -> String {
    request(console).context
}

#[test]
fn a_reference_is_chosen_from_a_list_and_told_to_the_model() {
    let mut console = console_with_agent();
    console.keys("7A");
    console.keys("what of @");
    console.has("@screen-alerts");
    console.has("@INC-1");
    // What is typed narrows; the chosen one stands in the text.
    console.keys("inc-1<enter>");
    console.lacks("@screen-alerts");
    assert_eq!(console.state.screen.views.chat.text(), "what of @INC-1 ");
    console.keys("and @edge-ran-07");
    console.keys("<tab>?<enter>");
    let told = context(&console);
    assert!(told.contains("The operator refers to @INC-1"), "{told}");
    assert!(
        told.contains("The operator refers to @edge-ran-07 (cluster, "),
        "{told}"
    );
    assert!(told.contains("as it was at "), "{told}");
    let asked = &request(&console).text;
    assert_eq!(asked, "what of @INC-1 and @edge-ran-07 ?");
}

#[test]
fn what_is_no_reference_opens_no_list_and_what_was_taken_out_is_not_told() {
    let mut console = console_with_agent();
    console.keys("A");
    console.keys("mail me@");
    console.lacks("@screen-fleet");
    console.keys("<c-u> @INC-1<tab>");
    for _ in 0..7 {
        console.keys("<bs>");
    }
    console.keys("@nothing-is-called-so");
    console.has("nothing is called so");
    console.keys("<esc>");
    console.lacks("nothing is called so");
    console.keys("<enter>");
    assert!(!context(&console).contains("refers to"));
}

fn world_query(tool: &str, arguments: serde_json::Value) -> Msg {
    Msg::WorldQuery(WorldQuery {
        run: RequestId(1),
        call: "c1".into(),
        tool: tool.into(),
        arguments,
        clusters: Vec::new(),
    })
}

fn answer_of(effects: &[Effect]) -> Option<(String, bool)> {
    effects.iter().find_map(|e| match e {
        Effect::WorldAnswer { text, ok, .. } => Some((text.clone(), *ok)),
        _ => None,
    })
}

#[test]
fn the_agent_is_told_what_is_on_the_screen() {
    let mut console = Console::live(FULL);
    console.keys("8");
    console.effects.clear();
    console.update(world_query("describe_view", json!({})));
    let (text, ok) = answer_of(&console.effects).expect("at once");
    assert!(
        ok && text.starts_with("The operator looks at: Incidents"),
        "{text}"
    );
    assert!(text.contains("Under the cursor: INC-"), "{text}");
}

#[test]
fn the_agent_is_told_what_was_like_an_incident_once_the_archive_has_answered() {
    let ask = || world_query("find_similar_incidents", json!({"incident": "INC-1"}));
    let mut console = Console::live(FULL);
    console.effects.clear();
    console.update(ask());
    let (text, ok) = answer_of(&console.effects).expect("at once");
    assert!(ok && text.contains("the archive was not asked"), "{text}");

    let mut console = begun();
    console.update(ask());
    assert_eq!(
        answer_of(&console.effects),
        None,
        "the archive has not answered"
    );
    let id = console.effects.iter().find_map(|e| match e {
        Effect::Recall(Recall::Like { id, .. }) => Some(*id),
        _ => None,
    });
    let id = id.expect("asked");
    let mut before = console.state.world.incident(id).expect("there").clone();
    before.id = IncidentId(77);
    before.number = 77;
    let past = vec![Past {
        cluster: "gpu-train-1".into(),
        signs: Vec::new(),
        incident: before,
    }];
    let like = Recalled::Like { id, past };
    console.update(Msg::Recalled(Box::new(like.clone())));
    let (text, _) = answer_of(&console.effects).expect("answered");
    assert!(
        text.contains("100 % alike") && text.contains("INC-77 on gpu-train-1"),
        "{text}"
    );
    console.effects.clear();
    console.update(Msg::Recalled(Box::new(like)));
    assert_eq!(answer_of(&console.effects), None, "answered once");
    console.update(world_query(
        "find_similar_incidents",
        json!({"incident": "INC-99"}),
    ));
    let (text, ok) = answer_of(&console.effects).expect("at once");
    assert!(!ok && text.contains("no incident `INC-99`"), "{text}");
}

#[test]
fn a_reference_written_by_hand_counts_and_goes_before_the_cursor() {
    let mut console = console_with_agent();
    // The cursor is on the worst incident.
    console.keys("8A");
    console.keys("why @INC-2, please?<enter>");
    let told = context(&console);
    assert!(told.contains("The operator refers to @INC-2 ("), "{told}");
    assert_eq!(told.matches("refers to").count(), 1, "{told}");

    let mut console = Console::live(FULL);
    console.keys("8A");
    console.keys("why @inc-2?<esc><enter>");
    let said = last_text(&console);
    assert!(
        said.contains("INC-2 ") && !said.contains("INC-1 "),
        "{said}"
    );
    console.keys("/why @INC-2<enter>");
    assert!(last_text(&console).contains("INC-2 "));
}

#[test]
fn a_report_waits_for_the_model_and_is_saved_in_any_case() {
    let mut console = Console::live(FULL);
    console.keys("8A/report model<enter>");
    assert!(last_text(&console).contains("No model is configured"));

    for words in [
        Ok(ModelWords {
            model: "lab".into(),
            text: "Two clusters are in trouble.".into(),
        }),
        Err(farwatch::agent::not_configured()),
    ] {
        let mut console = console_with_agent();
        console.keys("8A/report INC-1 model<enter>");
        let asked = console.effects.iter().find_map(|effect| match effect {
            Effect::Summarise(text) => Some(text.clone()),
            _ => None,
        });
        assert!(asked.expect("asked").contains("INC-1"));
        assert!(saved(&console).is_none(), "it waits");
        console.keys("/report model<enter>");
        assert!(last_text(&console).contains("still at work"));
        let told = words.is_ok();
        console.update(Msg::Summarised(words));
        let text = saved(&console).expect("saved");
        assert_eq!(
            text.contains("> Two clusters are in trouble."),
            told,
            "{text}"
        );
        assert_eq!(text.contains("No summary by a model"), !told, "{text}");
    }
}

/// The report that was saved last.
fn saved(console: &Console) -> Option<String> {
    let mut effects = console.effects.iter().rev();
    effects.find_map(|effect| match effect {
        Effect::Save(export) => match &export.kept {
            Kept::Text(text) if text.name == "report" => Some(text.text.clone()),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn what_an_answer_may_take_is_shown_and_set() {
    let mut console = console_with_agent();
    console.keys("8A/budget<enter>");
    let told = last_text(&console);
    assert!(
        told.contains("- rounds of tools: 8\n") && told.contains("- time: 10m\n"),
        "{told}"
    );
    console.keys("/budget time 2m<enter>");
    assert!(
        last_text(&console).contains("- time: 2m (configured: 10m)"),
        "{}",
        last_text(&console)
    );
    console.keys("/budget rounds 99<enter>");
    assert!(
        last_text(&console).contains("`rounds` goes from 1 to 30"),
        "{}",
        last_text(&console)
    );
    console.keys("why?<enter>");
    let limits = request(&console).setting.limits;
    assert_eq!((limits.time.as_secs(), limits.rounds), (120, 8));
    console.keys("/budget usual<enter>");
    assert_eq!(console.state.limits.time.as_secs(), 600);
}
