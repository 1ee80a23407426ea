//! What one frame costs: each screen of twenty clusters, drawn and turned into bytes, at 200x60.

#[path = "tool/load.rs"]
mod load;
#[path = "../tests/support/scenario.rs"]
mod scenario;
mod tool;

use farwatch::message::Msg;
use farwatch::term::paint::Painter;
use farwatch::term::{Capabilities, ColorDepth};
use farwatch::ui;
use load::Load;
use scenario::{Console, NOW};
use tool::{Goal, heap, judged, time, told, wanted};

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

fn main() {
    let config = load::config();
    let names: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
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
