//! The screens that ask, in a replay: what the recording holds is shown, and what it does not hold
//! is said.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use farwatch::bundle::demo;
use farwatch::command::parse_keys;
use farwatch::message::{Effect, Msg};
use farwatch::model::input::InputEvent;
use farwatch::source::Lookup;
use farwatch::source::replay::{Opener, Recorded};

use crate::show::Show;

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

/// The demo after 16 minutes, with the recording to be asked.
async fn demo_at_16() -> (Show, Recorded) {
    let reader = demo::open().expect("the demo");
    let names = reader.header().clusters.iter().map(|c| c.name.clone());
    let names = names.collect();
    let at = reader.start().plus_ms(16 * 60_000);
    let open: Opener = Arc::new(demo::open);
    let clock = Arc::new(AtomicI64::new(at.0));
    let recorded = Recorded::new(open, "demo".into(), names, clock);
    (Show::at(reader, at).await, recorded)
}

/// Presses keys, and tells the answers of the recording to what they ask.
async fn press(show: &mut Show, recorded: &Recorded, keys: &str) {
    let mut effects = Vec::new();
    for press in parse_keys(keys) {
        let input = Msg::Input(InputEvent::Key(press));
        effects.extend(show.state.update(input));
    }
    while let Some(effect) = effects.pop() {
        let questions = match effect {
            Effect::Ask(question) => vec![question],
            Effect::AskSoon(questions) => questions,
            _ => continue,
        };
        for question in questions {
            let answered = recorded.ask(question).await;
            effects.extend(show.state.update(Msg::Answer(Box::new(answered))));
        }
    }
}

fn sees(show: &mut Show, words: &[&str]) {
    for size in SIZES {
        let screen = show.screen(size);
        // Sentences are wrapped, and panes stand between their lines.
        let plain: String = screen.chars().filter(|c| !"│┌┐└┘─".contains(*c)).collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(plain.contains(word), "{word} at {size:?} in\n{screen}");
        }
    }
}

#[tokio::test]
async fn traces_say_that_none_were_recorded() {
    let (mut show, recorded) = demo_at_16().await;
    press(&mut show, &recorded, "9").await;
    sees(&mut show, &["this recording holds no traces"]);
    press(&mut show, &recorded, "m").await;
    sees(
        &mut show,
        &["this recording holds neither traces nor rates"],
    );
    press(&mut show, &recorded, "<esc>o{ status = error }<enter>").await;
    sees(
        &mut show,
        &["this recording holds no traces", "{ status = error }"],
    );
    let id = "050b33be48b2e3ba59613f0e9e30dda0";
    press(&mut show, &recorded, &format!(":traceql {id}<enter>")).await;
    sees(&mut show, &["this recording holds no traces"]);
}

#[tokio::test]
async fn rules_are_unknown_and_alerts_are_there() {
    let (mut show, recorded) = demo_at_16().await;
    press(&mut show, &recorded, "7").await;
    sees(&mut show, &["Alerts:"]);
    press(&mut show, &recorded, "<tab><tab>").await;
    sees(
        &mut show,
        &["Rules: unknown", "rules are not in the recording"],
    );
    press(&mut show, &recorded, "<tab>").await;
    sees(
        &mut show,
        &["Digest: unknown", "the recording holds nothing of"],
    );
}

#[tokio::test]
async fn recorded_series_are_charted_and_computed_with() {
    let (mut show, recorded) = demo_at_16().await;
    let query = ":promql DCGM_FI_DEV_GPU_TEMP{gpu=\"3\"}<enter>";
    press(&mut show, &recorded, query).await;
    sees(&mut show, &["DCGM_FI_DEV_GPU_TEMP"]);
    let screen = show.screen((120, 36));
    assert!(!screen.contains("cannot answer"), "{screen}");
    let query = ":promql max by (gpu) (DCGM_FI_DEV_GPU_TEMP) > 20<enter>";
    press(&mut show, &recorded, query).await;
    sees(&mut show, &["8 series"]);
    press(&mut show, &recorded, ":promql sum(rate(up[5m]))<enter>").await;
    sees(&mut show, &["holds nothing of up"]);
}

#[tokio::test]
async fn recorded_lines_are_searched() {
    let (mut show, recorded) = demo_at_16().await;
    let query = ":logql {namespace=~\".+\"} |= \"Xid\"<enter>";
    press(&mut show, &recorded, query).await;
    sees(&mut show, &["Xid"]);
    press(
        &mut show,
        &recorded,
        ":logql sum(rate({a=\"b\"}[5m]))<enter>",
    )
    .await;
    sees(&mut show, &["a recording cannot answer this query"]);
}
