//! Every screen at three sizes and in three states, as text; and what may never be drawn.

#[path = "screens/approval.rs"]
mod approval;
#[path = "screens/bus.rs"]
mod bus;
#[path = "support/bus_told.rs"]
mod bus_told;
#[path = "screens/demo.rs"]
mod demo;
#[path = "screens/gitops.rs"]
mod gitops;
#[path = "screens/gpu.rs"]
mod gpu;
#[path = "support/platform.rs"]
mod platform;
#[path = "support/played.rs"]
mod played;
#[path = "support/scenario.rs"]
mod scenario;
#[path = "screens/shared.rs"]
mod shared;
#[path = "screens/sriov.rs"]
mod sriov;
#[path = "screens/watched.rs"]
mod watched;

use farwatch::message::Msg;
use farwatch::model::alert::{Alert, Severity};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::label::Labels;
use farwatch::model::object::ObjectKind;
use farwatch::model::telemetry::{Body, ClusterFacts};
use farwatch::model::text::is_unsafe;
use farwatch::ui::theme::NAMES as THEMES;
use scenario::{Console, NAMES, NOW};

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];
const SCREENS: [(&str, &str); 13] = [
    ("fleet", "1"),
    ("cluster", "2"),
    ("metrics", "3"),
    ("logs", "4"),
    ("gpu", "5"),
    ("cnf", "6"),
    ("alerts", "7"),
    ("incidents", "8"),
    ("gitops", "0"),
    ("traces", "9"),
    ("diagnostics", "gs"),
    ("help", "?"),
    ("palette", "<c-p>"),
];

/// The screens that say by themselves that nothing was heard, or that sources fail.
const KEPT: [&str; 3] = ["fleet", "cluster", "diagnostics"];

#[test]
fn nothing_heard_and_sources_that_fail() {
    for size in SIZES {
        for (state, make) in [
            (
                "empty",
                (|size| Console::new(&NAMES, size)) as fn((u16, u16)) -> Console,
            ),
            ("failing", Console::failing),
        ] {
            for (name, keys) in SCREENS.iter().filter(|(name, _)| KEPT.contains(name)) {
                let mut console = make(size);
                console.keys(keys);
                insta::assert_snapshot!(
                    format!("{name}_{state}_{}x{}", size.0, size.1),
                    console.screen()
                );
            }
        }
    }
}

/// Fleet in groups, folded, and with the health of a cluster and its reasons.
#[test]
fn fleet_in_groups_and_in_detail() {
    for size in SIZES {
        for (name, keys) in [("groups", "1m"), ("folded", "1mmjz"), ("health", "1d")] {
            let mut console = Console::failing(size);
            console.keys(keys);
            let name = format!("fleet_{name}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, console.screen());
        }
    }
}

/// Every tab of the cluster screen, and the detail of its worst problem.
#[test]
fn cluster_in_tabs() {
    for size in SIZES {
        for (name, keys) in [
            ("overview", "2"),
            ("problem", "2d"),
            ("workloads", "2mm"),
            ("nodes", "2mmm"),
            ("events", "2mmmm"),
            ("operators", "2mmmmm"),
            ("capacity", "2mmmmmm"),
            ("discovery", "2mmmmmmm"),
        ] {
            let mut console = Console::live(size);
            platform::tell(&mut console);
            console.tell_standing();
            console.keys(keys);
            let name = format!("cluster_{name}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, console.screen());
        }
    }
}

/// What the operator wants to be told of is not what holds by itself: it is said where one looks.
#[test]
fn a_sensitivity_that_is_not_default_is_shown() {
    for size in SIZES {
        let mut console = Console::live(size);
        console.keys(":sensitivity no_such_signal low<enter>");
        console.has("nothing is learned of `no_such_signal`");
        console.keys("<esc>:sensitivity node_cpu* cluster=edge-* low<enter>");
        console.keys(":sensitivity namespace=batch off<enter>");
        console.keys("8");
        console.has("sensitivity: 2 not default (gs)");
        console.keys("gs");
        let name = format!("diagnostics_sensitivity_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, console.screen());
        console.keys(":sensitivity reset<enter>8");
        assert!(!console.screen().contains("sensitivity: "));
    }
}

#[test]
fn first_run() {
    for size in SIZES {
        let name = format!("first_run_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, Console::new(&[], size).screen());
    }
}

#[test]
fn small_screens_say_what_they_need() {
    let mut console = Console::live((20, 5));
    console.has("farwatch needs 60x18");
    console.has("this is 20x5");
    console.resize((60, 18));
    console.has("edge-ran-07");
}

#[test]
fn no_size_panics() {
    for (_, keys) in SCREENS {
        let mut console = Console::failing((80, 24));
        console.keys(keys);
        for width in [1, 2, 3, 5, 19, 59, 60, 61, 79, 80, 99, 100, 120, 199, 400] {
            for height in [1, 2, 3, 4, 5, 17, 18, 19, 24, 29, 30, 50, 120] {
                console.resize((width, height));
                console.screen();
            }
        }
    }
}

#[test]
fn ascii_means_ascii() {
    for (name, keys) in SCREENS {
        for size in SIZES {
            let mut console = Console::ascii(&NAMES, size);
            console.tell_live();
            platform::tell(&mut console);
            console.keys(keys);
            let screen = console.screen();
            let odd = screen.chars().find(|c| !c.is_ascii());
            assert_eq!(odd, None, "{name}\n{screen}");
        }
    }
}

#[test]
fn no_colour_means_no_colour() {
    use ratatui::style::Color;
    for (name, keys) in SCREENS {
        let mut console = Console::ascii(&NAMES, (120, 36));
        console.tell_live();
        console.keys(keys);
        let buf = console.buffer();
        let coloured = buf
            .content
            .iter()
            .find(|c| c.fg != Color::Reset || c.bg != Color::Reset);
        assert!(coloured.is_none(), "{name}: {coloured:?}");
    }
}

#[test]
fn themes_change_colours_and_nothing_else() {
    let mut console = Console::live((120, 36));
    let text = console.screen();
    let mut looks = Vec::new();
    for theme in THEMES {
        console.keys(&format!(":theme {theme}<enter><esc>"));
        assert_eq!(console.screen(), text, "{theme}");
        looks.push(format!("{:?}", console.buffer()));
    }
    looks.dedup();
    assert_eq!(looks.len(), THEMES.len(), "every theme looks different");
}

/// What an attacker may put into any field: escapes, right-to-left, zero width, sheer length.
fn hostile() -> String {
    let mut text =
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gpj.exe\u{200b}\u{feff}\u{7f}\r\n\t\0é漢字👩‍👩‍👧"
            .to_owned();
    text.push_str(&"A".repeat(100_000));
    text
}

#[test]
fn hostile_text_reaches_no_cell() {
    for (name, keys) in SCREENS {
        for size in SIZES {
            let mut console = Console::new(&NAMES, size);
            console.tell_live();
            tell_hostile(&mut console);
            console.keys(keys);
            for more in [
                "", "<tab>", "<tab>", "<tab>", "d", "<down>d", "m", "m", "m", "m",
            ] {
                console.keys(more);
                for cell in &console.buffer().content {
                    let bad = cell.symbol().chars().any(|c| is_unsafe(c) || c == '\u{1b}');
                    assert!(!bad, "{name} {size:?}: {:?}", cell.symbol());
                }
            }
        }
    }
}

fn tell_hostile(console: &mut Console) {
    let text = hostile();
    let fault = Fault {
        kind: FaultKind::Server,
        cluster: text.clone(),
        endpoint: text.clone(),
        what: text.clone(),
        hint: text.clone(),
    };
    let health = SourceHealth {
        health: Health::Denied { fault, since: NOW },
        version: Some(text.clone()),
        ..scenario::live()
    };
    console.tell(0, SourceKind::Loki, Body::Health(health));
    console.tell(
        0,
        SourceKind::Kubernetes,
        Body::Facts(ClusterFacts {
            kubernetes_version: Some(text.clone()),
            openshift_version: Some(text.clone()),
            prometheus_version: Some(text.clone()),
            capabilities: None,
            ..ClusterFacts::default()
        }),
    );
    let nodes = vec![scenario::node(&text, false)];
    console.tell(
        0,
        SourceKind::Kubernetes,
        scenario::objects(ObjectKind::Node, nodes),
    );
    let pods = vec![scenario::pod(&text, &text, Some(&text), 3)];
    console.tell(
        0,
        SourceKind::Kubernetes,
        scenario::objects(ObjectKind::Pod, pods),
    );
    let alert = Alert {
        name: text.as_str().into(),
        labels: Labels::from_pairs([("alertname", &text), (&text, &text)]),
        annotations: Labels::from_pairs([("summary", &text)]),
        ..scenario::alert("x", Severity::Critical)
    };
    console.tell(0, SourceKind::Alertmanager(0), Body::Alerts(vec![alert]));
    console.update(Msg::Notice { error: true, text });
}
