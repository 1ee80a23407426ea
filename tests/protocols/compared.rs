//! Two ranges of logs beside each other: from the key to the server and back to the screen.

use farwatch::message::{Effect, Msg};
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::input::InputEvent;

use super::client;
use super::loki_lines::{Lines, LinesServer};
use super::scenario::{Console, NOW};

/// An hour of one kind of line, `ago` hours before now.
fn said(count: i64, ago: i64, what: &'static str) -> Vec<(i64, &'static str, String)> {
    let end = (NOW.0 - ago * 3_600_000) * 1_000_000;
    let line = |n: i64| {
        (
            end - (n + 1) * 3_599_000_000_000 / count,
            "a",
            format!("{what} {n}"),
        )
    };
    (0..count).map(line).collect()
}

/// What a console does beside its loop: the server is asked, work is done.
async fn carry_out(console: &mut Console, server: &LinesServer, mut effects: Vec<Effect>) {
    while let Some(effect) = effects.pop() {
        let msg = match effect {
            Effect::Work(work) => {
                work.run();
                Msg::Worked
            }
            Effect::Ask(question) => match answer(server, question).await {
                Some(answered) => Msg::Answer(Box::new(answered)),
                None => continue,
            },
            _ => continue,
        };
        effects.extend(console.state.update(msg));
    }
}

async fn answer(server: &LinesServer, question: Question) -> Option<Answered> {
    let Ask::Logs {
        query,
        start,
        end,
        limit,
        backward,
    } = &question.ask
    else {
        return None;
    };
    let loki = client(&server.url());
    let found = loki
        .query_range(query, *start, *end, *limit, *backward)
        .await;
    Some(Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: server.url(),
        at: NOW,
        latency_ms: 1,
        warnings: Vec::new(),
        cut_from: None,
        result: match found {
            Ok((lines, _)) => Ok(Answer::Logs(lines)),
            Err(error) => Err(error.fault()),
        },
    })
}

async fn keys(console: &mut Console, server: &LinesServer, keys: &str) {
    for press in farwatch::command::parse_keys(keys) {
        let effects = console.state.update(Msg::Input(InputEvent::Key(press)));
        carry_out(console, server, effects).await;
    }
}

#[tokio::test]
async fn what_changed_since_the_hour_before_is_asked_found_and_shown() {
    let lines = [
        said(200, 0, "served request"),
        said(50, 0, "E1121 14:00:00.0 1 main.go:2] upstream refused"),
        said(210, 1, "served request"),
        said(30, 1, "cache is warm after"),
    ];
    let server = LinesServer::start(Lines {
        lines: lines.concat(),
        ..Lines::default()
    })
    .await;
    let mut console = Console::new(&["alpha"], (120, 30));
    keys(&mut console, &server, ":logql {namespace=\"shop\"}<enter>").await;
    keys(&mut console, &server, "^").await;
    let asked = server.queries();
    let start = |hours: i64| ((NOW.0 - hours * 3_600_000) * 1_000_000).to_string();
    let of = |hours: i64| {
        let start = start(hours);
        asked
            .iter()
            .filter(|r| r.param("start") == Some(start.as_str()))
            .count()
    };
    assert_eq!((of(1), of(2)), (1, 1), "{asked:?}");
    let text = console.screen();
    let row = |what: &str| {
        let row = text.lines().find(|l| l.contains(what));
        row.unwrap_or_else(|| panic!("no {what} in {text}"))
            .to_owned()
    };
    assert!(text.contains("1 new · 1 gone · 0 more · 0 less"), "{text}");
    let refused = row("upstream refused <*>");
    assert!(
        refused.contains("new") && refused.contains(" 50 "),
        "{refused}"
    );
    assert!(row("cache is warm after").contains("gone"));
    assert!(row("served request <*>").contains("same"));
    // The lines of what is new, then the other range as it was a day before: nothing was said then.
    keys(&mut console, &server, "<enter>").await;
    let text = console.screen();
    assert!(text.contains("upstream refused 0"), "{text}");
    keys(&mut console, &server, "<esc>").await;
    keys(&mut console, &server, ":compare 1d<enter>").await;
    let text = console.screen();
    assert!(text.contains("2 new · 0 gone"), "{text}");
}
