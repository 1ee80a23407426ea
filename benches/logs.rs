//! A million lines in the buffer: what they weigh, how fast they come in, what a frame, a filter
//! and a search cost then.

#[path = "../tests/support/scenario.rs"]
mod scenario;
mod tool;

use std::fmt::Write as _;

use farwatch::message::{Effect, Msg};
use farwatch::model::ask::{Answer, Answered, Ask};
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::label::Labels;
use farwatch::model::log::{Level, LogLine};
use farwatch::model::telemetry::{Body, LogBatch, Telemetry};
use farwatch::model::time::Timestamp;
use farwatch::pattern::Miner;
use farwatch::store::logs::LogRing;
use farwatch::term::paint::Painter;
use farwatch::term::{Capabilities, ColorDepth};
use farwatch::ui;
use scenario::{Console, NOW};
use tool::{Goal, cpu, heap, judged, median, time, told, wanted};

const LINES: i64 = 1_000_000;
/// Lines that come at once, as the tail delivers them.
const BATCH: i64 = 500;

/// An answer of a query, as many lines as ten containers may give: taken, its patterns found.
fn answer() {
    let streams = streams();
    let mut console = Console::with_log_memory(&["one"], (200, 60), 64 << 20);
    console.keys("4");
    let asked = console.keys(":logql {a=\"b\"}<enter>").effects.clone();
    let question = asked.iter().find_map(|e| match e {
        Effect::Ask(q) if matches!(q.ask, Ask::Logs { .. }) => Some(q.clone()),
        _ => None,
    });
    let question = question.expect("asked");
    let answered = Msg::Answer(Box::new(Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask,
        origin: String::new(),
        at: NOW,
        latency_ms: 1,
        warnings: Vec::new(),
        cut_from: None,
        result: Ok(Answer::Logs(
            (0..20_000).map(|n| line(n, &streams)).collect(),
        )),
    }));
    let taken = cpu(|| console.state.update(answered)) / 1e6;
    told("answer: 20,000 lines taken, on the loop", taken, "ms CPU");
    let (longest, off) = settle(&mut console, "m");
    judged(
        "answer: their patterns found: longest on the loop",
        longest,
        "ms CPU",
        Goal::Most(16.0, 5.0),
    );
    told("answer: their patterns found: off the loop", off, "ms CPU");
}

fn main() {
    if wanted("answer") {
        answer();
    }
    if wanted("buffer") {
        buffer();
    }
    if wanted("screen") {
        screen();
    }
}

fn streams() -> Vec<Labels> {
    let of = |n: usize| {
        Labels::from_pairs([
            ("namespace", format!("team-{}", n % 8)),
            ("pod", format!("api-{n}-7d9f8c6b5-abcde")),
            ("container", "main".to_owned()),
        ])
    };
    (0..200).map(of).collect()
}

/// A line of some 120 bytes, of one of thirty kinds.
fn line(n: i64, streams: &[Labels]) -> LogLine {
    let mixed = (n * 7_919 + 13) % 1_000_003;
    let mut text = String::with_capacity(160);
    let _ = match n % 3 {
        0 => write!(
            text,
            r#"{{"level":"info","msg":"request of kind {} done","id":{mixed},"took":"{}ms","route":"/api/v1/items","node":"worker-{}"}}"#,
            n % 10,
            n % 97,
            n % 40
        ),
        1 => write!(
            text,
            "time=2026-11-21T14:32:07Z level=info msg=\"reconciled part {}\" object=team-{}/cm-{mixed} generation={n} took=0.00{}s",
            n % 10,
            n % 8,
            n % 10
        ),
        _ => write!(
            text,
            "10.1.{}.7 - - [21/Nov/2026:14:32:07 +0000] \"GET /api/v{}/items/{mixed} HTTP/1.1\" 200 {} \"curl/8.5.0\" 0.0{}",
            n % 200,
            n % 10,
            n * 7 % 100_000,
            n % 100
        ),
    };
    LogLine {
        at_ns: (NOW.0 - (LINES - n)) * 1_000_000,
        labels: streams[(mixed as usize) % streams.len()].clone(),
        line: text.into(),
        level: if mixed % 1_000 == 0 {
            Level::Error
        } else {
            Level::Info
        },
    }
}

fn buffer() {
    let streams = streams();
    let mut miner = Miner::default();
    let mut text = 0;
    let (heap, ring) = heap(|| {
        let mut ring = LogRing::new(0);
        for n in 0..LINES {
            let line = line(n, &streams);
            text += line.line.len();
            ring.push(&line, &mut miner);
        }
        ring
    });
    assert_eq!(ring.len(), LINES as usize);
    told(
        "buffer: text of a line",
        text as f64 / LINES as f64,
        "bytes",
    );
    judged(
        "buffer: memory of 1,000,000 lines",
        heap.kept as f64 / text as f64,
        "x the text",
        Goal::Most(1.5, 1.3),
    );
    told(
        "buffer: the same as it reckons itself",
        ring.bytes() as f64 / heap.kept as f64,
        "x",
    );
    drop(ring);
    let lines: Vec<LogLine> = (0..200_000).map(|n| line(n, &streams)).collect();
    let mined = time(3, || lines.iter().map(|l| miner.line(&l.line).0).max());
    let push = |order: &mut dyn Iterator<Item = &LogLine>, miner: &mut Miner| {
        let mut ring = LogRing::new(64 << 20);
        for line in order {
            ring.push(line, miner);
        }
        ring.taken()
    };
    let each = |ns: f64| ns / lines.len() as f64;
    let in_order = time(3, || push(&mut lines.iter(), &mut miner));
    told(
        "buffer: a line pushed, its pattern found",
        each(in_order),
        "ns",
    );
    told("buffer: of it for the pattern", each(mined), "ns");
    judged(
        "buffer: lines pushed",
        1e9 / each(in_order),
        "/s",
        Goal::Least(300_000.0, 1_000_000.0),
    );
    // Every eighth line comes 4,000 lines late.
    let mut late: Vec<(usize, &LogLine)> = lines.iter().enumerate().collect();
    late.sort_by_key(|(n, _)| n + if n % 8 == 0 { 4_000 } else { 0 });
    let took = time(3, || push(&mut late.iter().map(|(_, l)| *l), &mut miner));
    told("buffer: the same, every eighth line late", each(took), "ns");
    let crowd: Vec<LogLine> = lines
        .iter()
        .map(|l| LogLine {
            at_ns: 7,
            ..l.clone()
        })
        .collect();
    let took = time(3, || push(&mut crowd.iter(), &mut miner));
    told("buffer: the same, all of one nanosecond", each(took), "ns");
}

fn batch(from: i64, count: i64, streams: &[Labels]) -> Msg {
    let batch = LogBatch {
        lines: (from..from + count).map(|n| line(n, streams)).collect(),
        dropped: 0,
        live: true,
    };
    Msg::Telemetry(Box::new(Telemetry {
        cluster: ClusterId(0),
        source: SourceKind::Loki,
        received: Timestamp(NOW.0),
        body: Body::Logs(batch),
    }))
}

/// Keys until nothing is left to be looked at; the longest slice on the loop, and all work off it.
fn settle(console: &mut Console, keys: &str) -> (f64, f64) {
    let (mut longest, mut off) = (0.0_f64, 0.0);
    let mut effects = Vec::new();
    for press in farwatch::command::parse_keys(keys) {
        let msg = Msg::Input(farwatch::model::input::InputEvent::Key(press));
        longest = longest.max(cpu(|| effects.extend(console.state.update(msg.clone()))));
    }
    while let Some(effect) = effects.pop() {
        let Effect::Work(work) = effect else { continue };
        off += cpu(|| work.run());
        longest = longest.max(cpu(|| effects.extend(console.state.update(Msg::Worked))));
    }
    (longest / 1e6, off / 1e6)
}

fn screen() {
    let streams = streams();
    let mut console = Console::with_log_memory(&["one"], (200, 60), 400 << 20);
    let mut from = 0;
    while from < LINES {
        console.update(batch(from, BATCH, &streams));
        from += BATCH;
    }
    console.keys("4");
    settle(&mut console, "k");
    let caps = Capabilities {
        depth: ColorDepth::True,
        ..Capabilities::default()
    };
    let mut painter = Painter::new(200, 60, &caps);
    let mut frame =
        |console: &Console| cpu(|| painter.frame(|buf| ui::draw(&console.state, buf)).len()) / 1e6;
    let mut scroll = |console: &mut Console, keys: &str| {
        let mut one = |console: &mut Console| {
            let update = cpu(|| console.keys(keys).effects.len()) / 1e6;
            update + frame(console)
        };
        median((0..40).map(|_| one(console)).collect())
    };
    let goal = Goal::Most(8.0, 2.0);
    judged(
        "screen: a page up and its frame",
        scroll(&mut console, "<pgup>"),
        "ms CPU",
        goal,
    );
    console.keys("g");
    judged(
        "screen: a page down from the start",
        scroll(&mut console, "<pgdn>"),
        "ms CPU",
        goal,
    );
    console.keys("G");
    let mut live = Vec::new();
    for _ in 0..40 {
        live.push(
            cpu(|| console.update(batch(from, 50, &streams))) / 1e6 + scroll(&mut console, ""),
        );
        from += 50;
    }
    judged(
        "screen: fifty lines come and a frame",
        median(live),
        "ms CPU",
        goal,
    );
    for (what, keys) in [
        ("a search that hits 1 of 1,000", "/items/13<enter>"),
        ("a filter of two words", "&kind done<enter>"),
        ("a filter by pod", "&pod=api-7-7d9f8c6b5-abcde<enter>"),
    ] {
        // Back from wherever that leads to.
        console.keys("<esc><esc><esc>4");
        let (longest, off) = settle(&mut console, keys);
        judged(
            &format!("screen: {what}: longest on the loop"),
            longest,
            "ms CPU",
            goal,
        );
        told(&format!("screen: {what}: off the loop"), off, "ms CPU");
        judged(
            &format!("screen: {what}: a frame then"),
            scroll(&mut console, "<pgup>"),
            "ms CPU",
            goal,
        );
    }
    console.keys("<esc><esc><esc>4");
    // Lines are a millisecond apart: ten minutes beside the ten minutes before them.
    console.keys("<esc>:range 10m<enter>");
    let (longest, off) = settle(&mut console, "^");
    judged(
        "screen: two ranges compared: longest on the loop",
        longest,
        "ms CPU",
        Goal::Most(16.0, 8.0),
    );
    told("screen: two ranges compared: off the loop", off, "ms CPU");
    judged(
        "screen: two ranges compared: a frame then",
        frame(&console),
        "ms CPU",
        Goal::Most(16.0, 8.0),
    );
    console.keys("<esc>:range 1h<enter>");
    for mode in ["patterns", "volume"] {
        settle(&mut console, "m");
        console.update(batch(from, 50, &streams));
        from += 50;
        judged(
            &format!("screen: {mode}, after lines came"),
            frame(&console),
            "ms CPU",
            Goal::Most(16.0, 8.0),
        );
    }
}
