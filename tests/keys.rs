//! Behaviour: keys in, screen out, on a headless state.

#[path = "keys/actions.rs"]
mod actions;
#[path = "keys/bus.rs"]
mod bus;
#[path = "support/bus_told.rs"]
mod bus_told;
#[path = "keys/jumps.rs"]
mod jumps;
#[path = "keys/memory.rs"]
mod memory;
#[path = "keys/proposals.rs"]
mod proposals;
#[path = "support/scenario.rs"]
mod scenario;
#[path = "keys/talk.rs"]
mod talk;

use farwatch::message::{Effect, Msg, ReplayCommand, ReplayStatus};
use farwatch::model::id::ClusterId;
use farwatch::model::input::{InputEvent, MouseKind};
use farwatch::model::signal::Group;
use farwatch::model::time::Timestamp;
use scenario::{Console, NAMES, NOW};

const FULL: (u16, u16) = (120, 36);

/// Keys, then what has to be on the screen.
#[test]
fn keys_in_screen_out() {
    for (keys, wanted) in [
        ("", "Clusters 3 · sort risk"),
        ("2", "farwatch ▸ Cluster ▸ edge-ran-07"),
        ("j<enter>", "farwatch ▸ Cluster ▸ gpu-train-1"),
        ("jj<enter>", "▸ prod-eu-1"),
        ("jjjjjj<enter>", "▸ prod-eu-1"),
        ("G<enter>", "▸ prod-eu-1"),
        ("Ggg<enter>", "▸ edge-ran-07"),
        ("jj<enter><esc>", "Clusters 3"),
        ("<enter>2<esc>", "Clusters 3"),
        ("/gpu<enter>", "Clusters 1 of 3"),
        ("/gpu<enter><esc>", "Clusters 3"),
        ("/gpu<esc>", "Clusters 3"),
        ("!", "Clusters 2 of 3"),
        ("gs", "farwatch itself"),
        ("0", "unknown in 3"),
        ("go", "farwatch ▸ GitOps"),
        ("7", "PtpOutOfSync"),
        ("8<c-s>h", "Hand over INC-1"),
        ("8<c-s>h<esc>", "Incidents: "),
        ("<c-s>h", "there is no incident under the cursor"),
        (":handover 1h<enter>", "Hand over a range of time"),
        (":handover soon<enter>", "`soon` is no span of time"),
        ("g", "f fleet"),
        ("g<esc>", "Clusters 3"),
        ("?", "Help · Fleet"),
        ("??", "Help · Fleet"),
        ("?<esc>", "Clusters 3"),
        ("?q", "Clusters 3"),
        ("~", "Notices"),
        (":theme light<enter>", "theme light"),
        (":theme neon<enter>", "no theme `neon`"),
        (":thm<enter>", "no command `thm`; did you mean `theme`"),
        (":clus<tab>prod<enter>", "Cluster ▸ prod-eu-1"),
        (":cluster prod-eu-1<enter>", "Cluster ▸ prod-eu-1"),
        (
            ":scope gpu-train-1<enter>",
            "Fleet  all 3 (scope gpu-train-1)",
        ),
        (":scope gpu-train-1<enter>7", "Alerts ▸ gpu-train-1"),
        (":scope gpu-train-1<enter>c", "all 3"),
        ("]]", "(scope gpu-train-1)"),
        ("[", "(scope prod-eu-1)"),
        ("t15m<enter>", "last 15m ● LIVE"),
        ("t14:00-14:30<enter>", "last 30m AT 14:30"),
        ("t14:00-14:30<enter>=", "last 30m ● LIVE"),
        ("tnonsense<enter>", "is no time range"),
        ("p", "AT 14:32"),
        ("pp", "● LIVE"),
        ("<c-p>", "Palette"),
        ("<c-p>default/web-3<enter>", "Cluster ▸"),
        ("<c-p>diagno<enter>", "farwatch itself"),
        ("<c-p>prod<down><up><enter>", "Cluster ▸ prod-eu-1"),
        ("2`", "Clusters 3"),
        ("<tab><tab><enter>", "Cluster ▸ edge-ran-07"),
        ("2jd", "du-high-0  CrashLoopBackOff"),
        ("2m", "Pods 9"),
        ("<c-c>", "Ctrl-c again quits"),
        ("4m", "patterns "),
        ("4mm", "volume by origin 1"),
        ("4mmm", "following"),
        ("4/offset<enter>", "find \"offset\" 20/20"),
        (
            "4/offset<enter>NN",
            "find \"offset\" 18/20 · lag edge-ran-07 1.0 s · paused",
        ),
        ("4/offset<c-t><enter>", "filter offset"),
        ("4&offset<c-t>", "find \"offset\" 20/20"),
        ("4/offset<esc>", "following"),
        ("4/offset<enter><esc><esc>", "following"),
        ("4m<esc>", "following"),
        ("4mm<enter>", "filter pod=du-high-0"),
    ] {
        let mut console = Console::live(FULL);
        console.keys(keys);
        let screen = console.screen();
        assert!(
            screen.contains(wanted),
            "{keys}: no {wanted:?} in\n{screen}"
        );
    }
}

/// From a row to another screen about the same thing, and back by one Esc.
#[test]
fn x_jumps_from_a_row() {
    for (from, jump, wanted) in [
        ("1", "xl", "Logs ▸ edge-ran-07"),
        ("1", "xc", "CNF ▸ edge-ran-07"),
        ("7", "xn", "Cluster ▸ edge-ran-07"),
        ("7", "xl", "filter n-07-b"),
        ("7", "xi", "INC-1 edge-ran-07"),
        ("2j", "xp", "Cluster ▸ edge-ran-07"),
        ("2j", "xa", "no alert matches"),
        ("2j", "xl", "filter du-high-0"),
        ("2j", "xn", "Nodes 3"),
        ("4", "xp", "Cluster ▸ edge-ran-07"),
        ("4", "xm", "Metrics ▸ edge-ran-07"),
        ("gs", "xu", "GPU ▸ edge-ran-07"),
        ("1", "xg", "GitOps ▸ edge-ran-07"),
        ("2d<tab>", "xg", "GitOps ▸ edge-ran-07"),
        ("2", "x", "l to-logs"),
    ] {
        let mut console = Console::live(FULL);
        console.keys(from);
        let before = console.state.screen.at;
        console.keys(jump);
        let screen = console.screen();
        assert!(
            screen.contains(wanted),
            "{from}{jump}: no {wanted:?} in\n{screen}"
        );
        if console.state.screen.at != before {
            console.keys("<esc>");
        }
        assert_eq!(console.state.screen.at, before, "{from}{jump} and back");
    }
    let mut console = Console::live(FULL);
    console.keys("6xi");
    console.has("there is no row here to jump from");
    // A number key takes no filter along.
    let mut console = Console::live(FULL);
    console.keys("27");
    console.has("filter (none)");
}

#[test]
fn esc_never_quits_and_q_does_at_the_top() {
    let mut console = Console::live(FULL);
    console.keys("<esc><esc><esc>2<enter><esc><esc><esc><esc>");
    assert!(!console.effects.contains(&Effect::Quit));
    console.keys("2q");
    assert!(
        !console.effects.contains(&Effect::Quit),
        "q leaves the screen first"
    );
    console.keys("q");
    assert!(console.effects.contains(&Effect::Quit));
}

#[test]
fn esc_leads_back_to_the_row_that_was_opened() {
    let mut console = Console::live(FULL);
    console.keys("2<enter>");
    console.has("farwatch ▸ Object ▸ edge-ran-07");
    console.has("[describe]");
    console.keys("<esc>");
    console.has("farwatch ▸ Cluster ▸ edge-ran-07");
    // What the operator opened there is undone first.
    console.keys("<enter>/du<enter><esc>");
    console.has("farwatch ▸ Object");
    console.keys("<esc>");
    console.has("farwatch ▸ Cluster ▸ edge-ran-07");
    // Nothing of the visit is left on the screen that was visited.
    console.keys("4");
    console.lacks("{namespace=");
    console.keys("<esc><esc>");
    console.has("farwatch ▸ Fleet  all 3 ");
}

#[test]
fn hints_are_of_what_has_the_keyboard() {
    let last = |console: &Console| {
        console
            .screen()
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned()
    };
    let mut console = Console::live(FULL);
    for (keys, wanted) in [
        ("", "Enter open  / filter"),
        ("<c-p>", "Up/Down choose"),
        ("<esc>?", "j/k scroll"),
        ("<esc>A", "Enter send  Esc leave"),
        ("<esc>8", "Enter findings"),
    ] {
        console.keys(keys);
        assert!(
            last(&console).contains(wanted),
            "{keys}: {}",
            last(&console)
        );
    }
    console.resize((60, 18));
    console.keys("5");
    assert!(!last(&console).contains('…'), "cut: {}", last(&console));
}

/// What a key begins is told by the keys that end it, and all of it fits.
#[test]
fn the_rest_of_a_chord_is_told_whole() {
    for size in [FULL, (80, 24)] {
        let mut console = Console::live(size);
        console.keys("<c-s>");
        let screen = console.screen();
        let last = screen.lines().last().unwrap_or_default();
        assert!(last.starts_with("c export-csv "), "{last}");
        assert!(last.trim_end().ends_with("h hand-over"), "{last}");
        assert!(!last.contains('<') && !last.contains("c-s"), "{last}");
    }
    let mut console = Console::live((120, 200));
    console.keys("?");
    console.has("  Ctrl-s h ");
}

#[test]
fn help_begins_with_the_keys_that_work_here() {
    let mut console = Console::live(FULL);
    console.keys("4?");
    let screen = console.screen();
    let here = screen.find("On this screen").expect("heading");
    let patterns = screen.find("patterns").expect("m patterns");
    assert!(
        here < patterns && screen.contains("Help · Logs"),
        "{screen}"
    );
}

/// What must be typed is never cut, however narrow the screen.
#[test]
fn help_tells_all_that_is_typed() {
    for size in [(200, 300), (120, 300), (80, 600)] {
        let mut console = Console::live(size);
        console.keys("?");
        let screen = console.screen();
        let mut whole = 0;
        for entry in farwatch::command::ENTRIES {
            let typed = entry.keys.is_empty().then(|| entry.help.split_once(": "));
            // Some stand there in a replay only.
            let told = |typed: &str| {
                let first = typed.split(' ').next().unwrap_or_default();
                screen.contains(&format!(":{first} "))
            };
            if let Some((typed, _)) = typed.flatten().filter(|(typed, _)| told(typed)) {
                assert!(
                    screen.contains(&format!(":{typed}")),
                    "{size:?} {typed}\n{screen}"
                );
                whole += 1;
            }
        }
        assert!(whole > 3, "{size:?}: {whole}\n{screen}");
    }
}

#[test]
fn changing_the_screen_keeps_the_scope() {
    let mut console = Console::live(FULL);
    for screen in ["3", "4", "5", "6", "7", "8", "gs"] {
        console.keys(screen);
        console.has("  all 3 ");
    }
    console.keys("1j2");
    console.has("farwatch ▸ Cluster ▸ gpu-train-1");
    for screen in ["3", "4", "5", "6", "7", "8"] {
        console.keys(screen);
        console.has(" ▸ gpu-train-1");
    }
    console.keys("gs");
    console.has("all 3 (scope gpu-train-1)");
}

#[test]
fn interrupt_twice_quits_but_not_with_a_key_between() {
    let mut console = Console::live(FULL);
    console.keys("<c-c>j<c-c>");
    assert!(!console.effects.contains(&Effect::Quit));
    console.keys("<c-c>");
    assert!(console.effects.contains(&Effect::Quit));
}

#[test]
fn interrupt_works_inside_a_prompt() {
    let mut console = Console::live(FULL);
    console.keys(":the<c-c>");
    console.lacks(":the");
    console.keys("<c-c>");
    assert!(console.effects.contains(&Effect::Quit));
}

#[test]
fn demand_follows_screen_and_scope() {
    let mut console = Console::live(FULL);
    console.effects.clear();
    console.keys("j<enter>");
    let wanted = vec![
        (ClusterId(1), Group::Cluster),
        (ClusterId(1), Group::Workload),
    ];
    assert_eq!(console.effects, [Effect::Demand(wanted)]);
    console.effects.clear();
    console.keys("jk");
    assert_eq!(console.effects, [], "moving asks for nothing");
    console.keys("1");
    assert_eq!(console.effects, [Effect::Demand(vec![])]);
}

#[test]
fn the_selection_stays_on_its_row_when_the_order_changes() {
    let mut console = Console::live(FULL);
    console.keys("G");
    // prod-eu-1 becomes the worst.
    let alerts = (0..9)
        .map(|n| {
            scenario::alert(
                &format!("Bad{n}"),
                farwatch::model::alert::Severity::Critical,
            )
        })
        .collect();
    console.tell(
        2,
        farwatch::model::health::SourceKind::Alertmanager(0),
        farwatch::model::telemetry::Body::Alerts(alerts),
    );
    let screen = console.screen();
    let at = |name: &str| screen.find(name).expect("listed");
    assert!(at("prod-eu-1") < at("edge-ran-07"), "{screen}");
    console.keys("<enter>");
    console.has("▸ prod-eu-1");
}

#[test]
fn idle_time_draws_nothing() {
    let mut console = Console::live(FULL);
    console.update(Msg::Tick(NOW));
    console.state.take_dirty();
    let mut frames = 0;
    for second in 1..=15 {
        console.update(Msg::Tick(Timestamp(NOW.0 + second * 1000)));
        frames += usize::from(console.state.take_dirty());
    }
    assert_eq!(
        frames, 0,
        "14:32:07 to 14:32:22: nothing to be seen changed"
    );
    console.update(Msg::Tick(Timestamp(NOW.0 + 60_000)));
    assert!(console.state.take_dirty(), "the clock and the ages did");
}

#[test]
fn what_is_drawn_is_unchanged_when_not_dirty() {
    for keys in ["", "2", "gs", "7"] {
        let mut console = Console::live(FULL);
        console.keys(keys);
        console.update(Msg::Tick(NOW));
        console.state.take_dirty();
        let mut before = console.screen();
        for second in 1..400 {
            console.update(Msg::Tick(Timestamp(NOW.0 + second * 1000)));
            let now = console.screen();
            if console.state.take_dirty() {
                before = now;
            } else {
                assert_eq!(before, now, "{keys} {second}");
            }
        }
    }
}

fn replay() -> ReplayStatus {
    ReplayStatus {
        file: "demo".into(),
        start: Timestamp(NOW.0 - 1_800_000),
        end: Timestamp(NOW.0 + 600_000),
        now: NOW,
        speed: 10.0,
        paused: false,
        ended: false,
        seeking: None,
        restarted: false,
    }
}

#[test]
fn replay_is_marked_in_every_frame_and_obeys_its_keys() {
    let mut console = Console::live(FULL);
    console.keys("<space>");
    assert!(
        !console
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Replay(_))),
        "nothing is replayed"
    );
    console.update(Msg::Replay(replay()));
    for keys in ["", "2", "?", "<esc>", "<c-p>", "<esc>", ":", "<esc>", "gs"] {
        console.keys(keys);
        console.has("REPLAY 14:32:07 x10");
    }
    console.effects.clear();
    console.keys("<space><gt>(");
    console.keys("<lt>");
    let replayed: Vec<_> = console
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::Replay(_)))
        .collect();
    assert_eq!(
        replayed,
        [
            &Effect::Replay(ReplayCommand::Pause(true)),
            &Effect::Replay(ReplayCommand::Speed(20.0)),
            &Effect::Replay(ReplayCommand::Seek(Timestamp(NOW.0 - 60_000))),
            &Effect::Replay(ReplayCommand::Speed(10.0)),
        ]
    );
    console.update(Msg::Replay(ReplayStatus {
        paused: true,
        ..replay()
    }));
    console.has("PAUSED");
    for size in [(20, 5), (80, 24), (60, 18)] {
        console.resize(size);
        console.has("REPLAY");
    }
}

fn seeks(console: &mut Console, keys: &str) -> Vec<i64> {
    console.effects.clear();
    console.keys(keys);
    let effects = console.effects.iter();
    effects
        .filter_map(|e| match e {
            Effect::Replay(ReplayCommand::Seek(to)) => Some((to.0 - NOW.0) / 1000),
            _ => None,
        })
        .collect()
}

#[test]
fn a_replay_is_moved_in_its_own_time() {
    let mut console = Console::live(FULL);
    let at = |now: i64| {
        Msg::Replay(ReplayStatus {
            now: Timestamp(NOW.0 + now),
            ..replay()
        })
    };
    console.update(at(0));
    assert_eq!(seeks(&mut console, "((("), [-60, -120, -180], "they add up");
    console.has("SEEKING");
    console.update(at(-180_000));
    assert!(!console.screen().contains("SEEKING"));
    assert_eq!(seeks(&mut console, "}"), [420]);
    console.update(at(0));
    // NOW is 14:32:07; what is still to come in the recording is not yesterday's.
    for (typed, to) in [
        ("14:35", 173),
        ("14:30", -127),
        ("+2m", 120),
        ("-90s", -90),
        ("10m", -1200),
        ("2026-11-21T14:32:10Z", 3),
        ("+5h", 600),
    ] {
        let keys = format!(":seek<space>{typed}<enter>");
        assert_eq!(seeks(&mut console, &keys), [to], "{typed}");
        console.update(at(0));
    }
    assert!(seeks(&mut console, ":seek<space>soon<enter>").is_empty());
    console.has("`soon` is no time");
}

#[test]
fn the_end_of_a_recording_is_said() {
    let mut console = Console::live(FULL);
    console.update(Msg::Replay(replay()));
    console.update(Msg::Replay(ReplayStatus {
        ended: true,
        ..replay()
    }));
    console.has("The recording ends here. ( goes back a minute");
    console.has(" END ");
    console.effects.clear();
    console.keys("<esc><space>");
    assert!(console.effects.is_empty(), "there is nothing to pause");
    console.has("The recording ends here.");
}

#[test]
fn after_a_seek_the_questions_on_the_screen_are_asked_again() {
    let mut console = Console::live(FULL);
    console.update(Msg::Replay(replay()));
    console.keys(":promql<space>up<enter>");
    console.effects.clear();
    console.update(Msg::Replay(ReplayStatus {
        seeking: Some(NOW),
        restarted: true,
        ..replay()
    }));
    assert!(console.effects.is_empty());
    console.update(Msg::Replay(replay()));
    let asked = console.effects.iter();
    let asked = asked.filter(|e| matches!(e, Effect::Ask(_))).count();
    assert_eq!(asked, NAMES.len());
}

#[test]
fn a_notice_in_a_fast_replay_stays_as_long_as_it_takes_to_read() {
    let mut console = Console::live(FULL);
    console.update(Msg::Replay(replay()));
    console.update(Msg::Notice {
        error: false,
        text: "look".into(),
    });
    console.update(Msg::Tick(Timestamp(NOW.0 + 40_000)));
    console.has("look");
    console.update(Msg::Tick(Timestamp(NOW.0 + 60_000)));
    assert!(!console.screen().contains("look"), "six seconds at x10");
}

#[test]
fn going_back_in_a_replay_forgets_what_was_known() {
    let mut console = Console::live(FULL);
    assert_eq!(console.state.world.clusters[0].alerts.len(), 2);
    console.update(Msg::Replay(ReplayStatus {
        restarted: true,
        ..replay()
    }));
    assert!(console.state.world.clusters[0].alerts.is_empty());
}

#[test]
fn mouse() {
    let mut console = Console::live(FULL);
    let row = console
        .screen()
        .lines()
        .position(|l| l.contains("prod-eu-1"))
        .expect("listed") as u16;
    let press = |column, row| {
        Msg::Input(InputEvent::Mouse {
            kind: MouseKind::Press,
            column,
            row,
        })
    };
    console.update(press(5, row));
    console.keys("<enter>");
    console.has("▸ prod-eu-1");
    console.keys("1gg");
    console.update(Msg::Input(InputEvent::Mouse {
        kind: MouseKind::ScrollDown,
        column: 5,
        row,
    }));
    console.keys("<enter>");
    console.has("▸ prod-eu-1");
    // Outside of everything, and far outside of the screen.
    console.update(press(0, 0));
    console.update(press(u16::MAX, u16::MAX));
}

/// The time cursor, zoom and pan by keys.
#[test]
fn time_is_moved_by_keys() {
    for (keys, wanted) in [
        ("3+", "last 30m ● LIVE"),
        ("3++", "last 15m ● LIVE"),
        ("3-", "last 2h ● LIVE"),
        ("3,", "last 1h AT 14:02"),
        ("3,.", "last 1h ● LIVE"),
        ("3,=", "last 1h ● LIVE"),
        ("3h", "cursor 14:32"),
        ("3hhhhhhhhhhhhhhhhhhhhh", "cursor 14:2"),
        ("3hhh<esc>", "last 1h ● LIVE"),
        ("3v", "put the cursor somewhere first"),
        ("3:every soon<enter>", "`soon` is no interval"),
        ("7,", "last 1h AT 14:02"),
    ] {
        let mut console = Console::live((200, 50));
        console.keys(keys);
        console.has(wanted);
    }
    let mut console = Console::live((200, 50));
    console.keys("3hhvhhhhhhhhhhv");
    assert!(
        console.state.screen.window.end.is_some(),
        "what was selected"
    );
    assert!(console.state.screen.window.span_ms < 600_000);
    assert_eq!(console.state.screen.cursor.at, None);
    // One cursor for all screens; Esc on a screen without charts leaves it.
    console.keys("3=hh7<esc>");
    assert!(console.state.screen.cursor.at.is_some());
}

/// A press in a chart puts the cursor there, a drag selects, the wheel zooms.
#[test]
fn time_is_moved_by_the_mouse() {
    let mut console = Console::live((200, 50));
    console.keys("3");
    let mouse = |kind, column| {
        Msg::Input(InputEvent::Mouse {
            kind,
            column,
            row: 10,
        })
    };
    console.update(mouse(MouseKind::Press, 100));
    let at = console.state.screen.cursor.at.expect("a cursor");
    console.update(mouse(MouseKind::Release, 100));
    assert_eq!(
        console.state.screen.window.span_ms, 3_600_000,
        "a click is no drag"
    );
    console.update(mouse(MouseKind::Press, 100));
    console.update(mouse(MouseKind::Drag, 110));
    console.update(mouse(MouseKind::Drag, 130));
    let (from, to) = console.state.screen.cursor.selection().expect("selected");
    assert!(from == at && to > from);
    console.update(mouse(MouseKind::Release, 130));
    let window = console.state.screen.window;
    assert_eq!((window.end, window.span_ms), (Some(to), to.0 - from.0));
    console.update(mouse(MouseKind::ScrollDown, 100));
    assert_eq!(console.state.screen.window.span_ms, 2 * (to.0 - from.0));
    // A drag that begins elsewhere selects nothing.
    console.update(mouse(MouseKind::Press, 2));
    console.update(mouse(MouseKind::Drag, 100));
    console.update(mouse(MouseKind::Release, 120));
    assert_eq!(console.state.screen.window.span_ms, 2 * (to.0 - from.0));
}

#[test]
fn paste_goes_where_the_keyboard_is() {
    let mut console = Console::live(FULL);
    console.keys("/");
    console.update(Msg::Input(InputEvent::Paste("gpu\n".into())));
    console.has("Clusters 1 of 3");
    console.keys("<esc>");
    console.update(Msg::Input(InputEvent::Paste("q:quit".into())));
    console.has("Clusters 3");
    assert!(!console.effects.contains(&Effect::Quit));
}

#[test]
fn first_run_says_what_to_do() {
    let console = Console::new(&[], (80, 24));
    console.has("farwatch demo");
    console.has("[[clusters]]");
    console.has("farwatch check");
}

#[test]
fn every_command_of_the_table_can_be_run_on_every_screen() {
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "0", "gs"] {
        for entry in farwatch::command::ENTRIES {
            let mut console = Console::live((100, 30));
            console.update(Msg::Replay(replay()));
            console.keys(screen);
            for keys in entry.keys {
                console.keys(keys);
            }
            console
                .keys("<esc>")
                .keys(":")
                .keys(entry.name)
                .keys("<enter>");
            console.screen();
        }
    }
}

fn console_with_agent() -> Console {
    let mut console = Console::live(FULL);
    let mut config = (*console.state.config).clone();
    config.agent = Some(farwatch::config::Agent {
        servers: vec![farwatch::config::ModelServer::default()],
        ..farwatch::config::Agent::default()
    });
    console.state.config = std::sync::Arc::new(config);
    console.effects.clear();
    console
}

fn request(console: &Console) -> farwatch::model::chat::ChatRequest {
    let found = console
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Chat(request) => Some(request.clone()),
            _ => None,
        });
    found.expect("a run was asked for")
}

#[test]
fn explain_this_on_an_incident() {
    let mut console = console_with_agent();
    console.keys("8a");
    let request = request(&console);
    assert!(request.text.contains("INC-1"), "{}", request.text);
    assert!(request.context.contains("du-high-0"), "{}", request.context);
    assert_eq!(request.setting.clusters, scenario::NAMES);
    console.has("INC-1: Explain this");
}

#[test]
fn a_question_goes_with_what_is_on_the_screen() {
    let mut console = console_with_agent();
    console.keys("Awhy?<enter>");
    let request = request(&console);
    assert_eq!(request.text, "why?");
    assert!(
        request.context.contains("gpu-train-1: warning"),
        "{}",
        request.context
    );
    // The keyboard is in the pane: letters are text, not commands.
    console.keys("q7?");
    console.has("q7?");
    assert!(!console.effects.contains(&Effect::Quit));
}

#[test]
fn the_answer_is_drawn_and_stale_pieces_are_not() {
    use farwatch::model::chat::ChatEvent;
    let mut console = console_with_agent();
    console.keys("Awhy?<enter>");
    let run = request(&console).run;
    console.update(Msg::Chat(ChatEvent::Started { run }));
    console.update(Msg::Chat(ChatEvent::Text {
        run,
        text: "The clock lost GNSS.".into(),
    }));
    console.has("The clock lost GNSS.");
    console.effects.clear();
    console.keys("<esc>");
    assert_eq!(console.effects, [Effect::CancelChat(run)]);
    console.update(Msg::Chat(ChatEvent::Text {
        run,
        text: "LATE".into(),
    }));
    console.lacks("LATE");
    // Esc again leaves the pane, and once more closes it.
    console.keys("<esc>j<enter>");
    console.has("▸ gpu-train-1");
    console.has("The clock lost GNSS.");
    console.keys("<esc>");
    console.lacks("The clock lost GNSS.");
}

#[test]
fn a_model_that_is_gone_is_not_called_unconfigured() {
    use farwatch::model::chat::{ChatEvent, RunOutcome};
    use farwatch::model::fault::{Fault, FaultKind};
    let mut console = console_with_agent();
    console.keys("8a");
    console.has("waiting 0 s · Esc stops");
    let run = request(&console).run;
    let fault = Fault {
        kind: FaultKind::Unreachable,
        cluster: "agent".into(),
        endpoint: "http://127.0.0.1:8000".into(),
        what: "nobody answers".into(),
        hint: "is the server up?".into(),
    };
    let outcome = RunOutcome::Failed(fault);
    console.update(Msg::Chat(ChatEvent::Ended { run, outcome }));
    console.has("nobody answers");
    console.has("The model gave no answer");
    console.lacks("No model is configured");
}

#[test]
fn interrupt_cancels_the_run_before_it_quits() {
    let mut console = console_with_agent();
    console.keys("Awhy?<enter>");
    let run = request(&console).run;
    console.effects.clear();
    console.keys("<c-c>");
    assert_eq!(console.effects, [Effect::CancelChat(run)]);
}

#[test]
fn without_an_agent_the_console_tells_what_it_knows() {
    let mut console = Console::live(FULL);
    console.keys("8a");
    assert!(!console.effects.iter().any(|e| matches!(e, Effect::Chat(_))));
    console.has("INC-1: Explain this");
    console.has("du-high-0");
}

#[test]
fn a_tool_of_the_agent_is_answered_from_the_world() {
    use farwatch::model::chat::WorldQuery;
    use farwatch::model::id::RequestId;
    let mut console = console_with_agent();
    console.update(Msg::WorldQuery(WorldQuery {
        run: RequestId(7),
        call: "c1".into(),
        tool: "list_clusters".into(),
        arguments: serde_json::json!({}),
        clusters: vec![ClusterId(0), ClusterId(1), ClusterId(2)],
    }));
    match console.effects.as_slice() {
        [
            Effect::WorldAnswer {
                run,
                text,
                ok: true,
                ..
            },
        ] => {
            assert_eq!(*run, RequestId(7));
            assert!(text.contains("prod-eu-1"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}
