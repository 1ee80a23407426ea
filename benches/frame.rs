//! What one frame costs: each screen of twenty clusters, drawn and turned into bytes, at 200x60.
//! And how long the loop is held up while twenty clusters answer with five thousand series each.

#[path = "tool/cards.rs"]
mod cards;
#[path = "tool/clocks.rs"]
mod clocks;
#[path = "tool/load.rs"]
mod load;
#[path = "../tests/support/scenario.rs"]
mod scenario;
#[path = "tool/streams.rs"]
mod streams;
#[path = "tool/talk.rs"]
mod talk;
mod tool;

use std::sync::Arc;

use farwatch::command::parse_keys;
use farwatch::message::{Effect, Msg};
use farwatch::model::archive::Recalled;
use farwatch::model::ask::{Answer, Answered, Ask, Question};
use farwatch::model::input::InputEvent;
use farwatch::model::label::Labels;
use farwatch::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use farwatch::model::telemetry::Telemetry;
use farwatch::model::time::Timestamp;
use farwatch::term::paint::Painter;
use farwatch::term::{Capabilities, ColorDepth};
use farwatch::ui;
use load::Load;
use scenario::{Console, NOW};
use tool::{Goal, cpu, heap, judged, time, told, wanted};

const SIZE: (u16, u16) = (200, 60);
const SCREENS: [(&str, &str); 8] = [
    ("fleet", "1"),
    ("cluster", "2"),
    ("metrics", "3"),
    ("logs", "4"),
    ("gpu", "5"),
    ("cnf", "6"),
    ("alerts", "7"),
    ("incidents", "8"),
];

/// Series of one answer.
const SERIES: usize = 5_000;
const QUERY: &str = "rate(container_cpu_usage_seconds_total[5m])";

fn main() {
    let config = load::config();
    let names: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
    if wanted("answers") {
        answers(&names);
    }
    if wanted("gpus") {
        gpus();
    }
    if wanted("clocks") {
        ports();
    }
    if wanted("bus") {
        bus();
    }
    if wanted("talk") {
        conversation();
    }
    let mut console = Console::new(&names, SIZE);
    console.tell_live();
    let load = Load::new(&config, NOW.plus_ms(-240 * 15_000), 15_000);
    for step in 0..=240 {
        for telemetry in load.deliveries(step) {
            console.update(Msg::Telemetry(Box::new(telemetry)));
        }
    }
    for (name, keys) in SCREENS.iter().filter(|(name, _)| wanted(name)) {
        console.keys(keys);
        frame(name, &console);
    }
    if wanted("handover") {
        gathered(&mut console);
    }
}

/// An hour of all clusters laid ready for another console: the longest time that the loop did
/// nothing else.
fn gathered(console: &mut Console) {
    let mut held = Held::default();
    for press in parse_keys(":handover 1h<enter>") {
        held.tell(console, Msg::Input(InputEvent::Key(press)));
    }
    console.has("Enter writes a new file");
    held.told("handover: an hour of 20 clusters x 500 series");
}

fn frame(name: &str, console: &Console) {
    let caps = Capabilities {
        depth: ColorDepth::True,
        ..Capabilities::default()
    };
    let mut painter = Painter::new(SIZE.0, SIZE.1, &caps);
    let mut draw = || painter.frame(|buf| ui::draw(&console.state, buf)).len();
    let bytes = draw();
    let (heap, _) = heap(&mut draw);
    let still = time(60, &mut draw) / 1e6;
    if name == "fleet" {
        judged(
            "fleet: one frame built and compared",
            still,
            "ms CPU",
            Goal::Most(4.0, 2.0),
        );
        judged(
            "fleet: allocations",
            heap.allocations as f64,
            "",
            Goal::Most(1_000.0, 200.0),
        );
    } else {
        told(&format!("{name}: one frame"), still, "ms CPU");
        told(&format!("{name}: allocations"), heap.allocations as f64, "");
    }
    told(
        &format!("{name}: bytes of the first frame"),
        bytes as f64,
        "",
    );
}

/// 4,096 GPUs: what an answer costs the loop, and a step of the cursor with its frame, on each way
/// of showing them.
fn gpus() {
    let mut console = Console::new(&cards::CLUSTERS, SIZE);
    let fleet = format!("gpus: {} GPUs", cards::ALL);
    rounds(&fleet, &mut console, cards::answers);
    for (what, keys) in [
        ("map", "5"),
        ("map by job", "s"),
        ("map, most first", "s"),
        ("table", "m"),
        ("pods", "m"),
    ] {
        console.keys(keys);
        scrolled(&format!("{fleet}: {what}"), &mut console);
    }
}

/// 1,000 streams, the same way: as they come, and those with a problem.
fn bus() {
    let mut console = Console::new(&cards::CLUSTERS, SIZE);
    let all = format!("bus: {} streams", streams::ALL);
    rounds(&all, &mut console, streams::answers);
    for (what, keys) in [("all", "ge"), ("problems", "!")] {
        console.keys(keys);
        scrolled(&format!("{all}: {what}"), &mut console);
    }
}

/// 2,000 PTP ports, the same way: the list of clocks, and what is told of one beside it.
fn ports() {
    let mut console = Console::new(&cards::CLUSTERS, SIZE);
    let fleet = format!("clocks: {} PTP ports", clocks::ALL);
    rounds(&fleet, &mut console, clocks::answers);
    for (what, keys) in [
        ("list and clock", "6"),
        ("list and TDEV, MTIE", "m"),
        ("list and changes", "m"),
        ("list and chain", "m"),
    ] {
        console.keys(keys);
        scrolled(&format!("{fleet}: {what}"), &mut console);
    }
}

/// Two hundred messages: opened, scrolled through, and what comes of an answer drawn below them.
fn conversation() {
    let mut console = Console::new(&cards::CLUSTERS, SIZE);
    console.keys("A");
    let session = Box::new(talk::session(NOW));
    let name = format!("talk: {} messages", session.messages.len());
    let kept = Msg::Recalled(Box::new(Recalled::Session(Some(session))));
    let caps = Capabilities {
        depth: ColorDepth::True,
        ..Capabilities::default()
    };
    let mut painter = Painter::new(SIZE.0, SIZE.1, &caps);
    let opened = cpu(|| {
        console.update(kept);
        painter.frame(|buf| ui::draw(&console.state, buf)).len()
    });
    console.has("rotate the logs");
    let goal = || Goal::Most(16.0, 8.0);
    judged(
        &format!("{name}: opened, with its frame"),
        opened / 1e6,
        "ms CPU",
        goal(),
    );
    let mut draw = || painter.frame(|buf| ui::draw(&console.state, buf)).len();
    let still = time(60, &mut draw) / 1e6;
    judged(&format!("{name}: one more frame"), still, "ms CPU", goal());
    let mut longest = 0.0_f64;
    for _ in 0..400 {
        let took = cpu(|| {
            console.keys("<pgup>");
            painter.frame(|buf| ui::draw(&console.state, buf)).len()
        });
        longest = longest.max(took);
    }
    console.has("and what of node 0?");
    judged(
        &format!("{name}: longest page up with its frame"),
        longest / 1e6,
        "ms CPU",
        goal(),
    );
}

/// Five minutes of answers: what the last round cost, and the longest single answer.
fn rounds<A: Iterator<Item = Telemetry>>(
    fleet: &str,
    console: &mut Console,
    answers: impl Fn(Timestamp) -> A,
) {
    let minutes = 5;
    let rounds = minutes * 4;
    let mut longest = 0.0_f64;
    let mut round = 0.0_f64;
    for step in 0..=rounds {
        let at = NOW.plus_ms((step - rounds) * 15_000);
        let mut whole = 0.0;
        for telemetry in answers(at) {
            let msg = Msg::Telemetry(Box::new(telemetry));
            let took = cpu(|| console.update(msg));
            // The first ones make everything anew.
            if step > 1 {
                longest = longest.max(took);
            }
            whole += took;
        }
        round = whole;
    }
    told(
        &format!("{fleet}: a round of answers"),
        round / 1e6,
        "ms CPU",
    );
    let name = format!("{fleet}: longest piece on the loop of one answer");
    judged(&name, longest / 1e6, "ms CPU", Goal::Most(16.0, 8.0));
}

/// A step down and the frame after it, in turn, through many rows.
fn scrolled(name: &str, console: &mut Console) {
    let caps = Capabilities {
        depth: ColorDepth::True,
        ..Capabilities::default()
    };
    let mut painter = Painter::new(SIZE.0, SIZE.1, &caps);
    let step = time(60, || {
        console.keys("j");
        painter.frame(|buf| ui::draw(&console.state, buf)).len()
    });
    let name = format!("{name}: a step with its frame");
    judged(&name, step / 1e6, "ms CPU", Goal::Most(16.0, 8.0));
}

/// Twenty answers, merged and then summed: the longest time that the loop did nothing else.
fn answers(names: &[&str]) {
    let mut console = Console::new(names, SIZE);
    console.tell_live();
    console.keys("3o").keys("<c-u>");
    console.update(Msg::Input(InputEvent::Paste(QUERY.into())));
    console.keys("<enter>");
    let asked: Vec<Question> = std::mem::take(&mut console.effects)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Ask(question) if matches!(question.ask, Ask::Range { .. }) => Some(question),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), names.len());
    let mut held = Held::default();
    for question in &asked {
        held.tell(&mut console, Msg::Answer(Box::new(answered(question))));
    }
    held.told("answers: 20 clusters x 5,000 series, merged");
    let mut held = Held::default();
    for press in parse_keys("F") {
        held.tell(&mut console, Msg::Input(InputEvent::Key(press)));
    }
    held.told("answers: the same summed");
}

/// How long the loop was held up at most, nanoseconds of its processor time.
#[derive(Default)]
struct Held {
    update: f64,
    draw: f64,
}

impl Held {
    /// What the loop does: takes it, draws; work goes elsewhere meanwhile.
    fn tell(&mut self, console: &mut Console, msg: Msg) {
        let mut messages = vec![msg];
        while let Some(msg) = messages.pop() {
            let mut effects = Vec::new();
            let took = cpu(|| effects = console.state.update(msg));
            self.update = self.update.max(took);
            self.draw = self.draw.max(cpu(|| console.buffer()));
            for effect in effects {
                if let Effect::Work(work) = effect {
                    work.run();
                    messages.push(Msg::Worked);
                }
            }
        }
    }

    fn told(&self, what: &str) {
        let name = format!("{what}: longest piece on the loop");
        judged(&name, self.update / 1e6, "ms CPU", Goal::Most(5.0, 2.0));
        let name = format!("{what}: longest frame");
        judged(&name, self.draw / 1e6, "ms CPU", Goal::Most(16.0, 8.0));
    }
}

/// An hour of five thousand containers; the same names in every cluster.
fn answered(question: &Question) -> Answered {
    let Ask::Range {
        start,
        end,
        step_ms,
        ..
    } = question.ask
    else {
        unreachable!("only ranges are answered");
    };
    let series = (0..SERIES).map(|i| SeriesSamples {
        key: SeriesKey::new(
            "",
            Labels::from_pairs([
                ("namespace", format!("team-{}", i % 50)),
                ("pod", format!("api-{}-{:04x}", i % 50, i / 4)),
                ("container", format!("c{}", i % 4)),
                ("node", format!("worker-{:03}", i % 100)),
            ]),
        ),
        kind: SampleKind::Gauge,
        points: (start.0..=end.0)
            .step_by(step_ms as usize)
            .map(|at| Sample {
                at: Timestamp(at),
                value: (i % 97) as f64 + (at / 15_000 % 40) as f64,
            })
            .collect(),
    });
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask.clone(),
        origin: "http://127.0.0.1:9090".into(),
        at: NOW,
        latency_ms: 12,
        warnings: Vec::new(),
        cut_from: None,
        result: Ok(Answer::Series(Arc::new(series.collect()))),
    }
}
