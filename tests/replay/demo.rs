//! The recording that is part of the program: its story, its marks, and what it must not hold.

use std::time::Duration;

use farwatch::bundle::demo;
use farwatch::incident::{Incident, IncidentState};
use farwatch::model::time::Timestamp;
use farwatch::state::world::World;

use crate::record::unpacked;
use crate::show::{Show, known, same};

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];
/// What the recording may take of the program.
const LIMIT: u64 = 3 << 20;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr");

async fn demo_at(minutes: f64) -> Show {
    let reader = demo::open().expect("the demo opens");
    let at = reader.start().plus_ms((minutes * 60_000.0) as i64);
    Show::at(reader, at).await
}

/// Incidents of a cluster with all that was found.
fn told(world: &World, cluster: &str) -> String {
    let id = world.cluster_by_name(cluster).expect("recorded").id;
    let of: Vec<&Incident> = world.incidents.iter().filter(|i| i.cluster == id).collect();
    format!("{of:#?}")
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

/// Where the history ends and the scrapes go on, nothing is wrong.
#[tokio::test]
async fn begins_in_peace() {
    let show = demo_at(1.5).await;
    let titles: Vec<_> = show
        .state
        .world
        .incidents
        .iter()
        .map(|i| &i.title)
        .collect();
    assert!(titles.is_empty(), "{titles:?}");
}

/// The first fault soon after the default start, then the others, then the lost GPU.
#[tokio::test]
async fn tells_its_story() {
    let mut show = demo_at(5.5).await;
    has(
        &told(&show.state.world, "gpu-train-1"),
        &["gpu-a-02", "XID", "clocks held down", "vllm_ttft_p95"],
    );
    for (keys, words) in [
        ("1", &["gpu-train-1", "edge-ran-07", "GPUXidError"][..]),
        ("5", &["XID 94", "hw thermal"]),
        ("7", &["GpuXid", "firing"]),
    ] {
        show.keys(keys);
        has(&show.screen((200, 50)), words);
    }
    show.keys("1}");
    show.until(|s| s.seeking.is_none()).await;
    let edge = told(&show.state.world, "edge-ran-07");
    has(&edge, &["FREERUN", "SR-IOV sync failed", "du-07-02"]);
    show.keys("6");
    has(&show.screen((200, 50)), &["FREERUN", "Failed", "HHH"]);
    show.keys("c4");
    has(&show.screen((200, 50)), &["no valid time of day"]);
    show.keys(":seek<space>22m<enter>");
    show.until(|s| s.seeking.is_none()).await;
    has(&told(&show.state.world, "gpu-train-1"), &["XID 79"]);
    show.keys(":seek<space>60m<enter>");
    show.until(|s| s.ended).await;
    has(&show.screen((120, 36)), &["The recording ends here"]);
    let edge = show.state.world.cluster_by_name("edge-ran-07");
    let edge = edge.expect("recorded");
    has(&format!("{:?}", edge.ptp), &["Locked"]);
    let all = &show.state.world.incidents;
    let open: Vec<&str> = all
        .iter()
        .filter(|i| i.state == IncidentState::Open)
        .map(|i| i.title.as_str())
        .collect();
    assert_eq!(open.len(), 1, "only the lost card: {open:?}");
    has(
        open[0],
        &[
            "gpu-a-02 gpu 3: XID 79",
            "no longer reported (NVIDIA's advice",
        ],
    );
    assert!(show.troubles.is_empty(), "{:?}", show.troubles);
}

#[tokio::test]
async fn says_replay_in_every_frame() {
    let mut show = demo_at(4.5).await;
    for keys in [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "<enter>",
        "gs",
        "?",
        "<esc>",
        "<c-p>gpu",
        "<esc>",
        "~",
        "<esc>",
        ":spe",
        "<esc>",
        "/x",
        "<esc>",
        "g",
        "<esc>",
        "8a",
        "what<enter>",
    ] {
        show.keys(keys);
        for size in SIZES {
            let screen = show.screen(size);
            let first = screen.lines().next().unwrap_or_default();
            assert!(first.contains("REPLAY"), "{keys:?} at {size:?}\n{screen}");
        }
    }
}

/// No clock of today: everything on the screen is as old as it was then.
#[tokio::test]
async fn is_of_its_own_time() {
    let mut show = demo_at(4.5).await;
    let now = show.state.world.now;
    let stamp = jiff::Timestamp::from_millisecond(now.0).expect("a time");
    let day = stamp.strftime("%F").to_string();
    show.keys("1");
    let fleet = show.screen((200, 50));
    has(
        &fleet,
        &[&format!("recording x.fwr of {day} UTC, 4:30 of ")],
    );
    has(&fleet, &["sources 8 of 8 fresh", "<20s"]);
    for keys in ["2", "3", "4", "5", "6", "7", "8", "gs"] {
        show.keys(keys);
        let screen = show.screen((200, 50));
        let old = |unit: &str| (2..9000).any(|n| screen.contains(&format!(" {n}{unit} ")));
        assert!(!old("d") && !old("w"), "{keys}\n{screen}");
        assert!(!screen.contains('~'), "nothing is stale: {keys}\n{screen}");
    }
    show.keys(":range<space>15:00-now<enter>");
    let window = show.state.screen.window;
    assert_eq!(window.end.unwrap_or(now), now);
}

#[tokio::test]
async fn going_back_is_as_if_played_there() {
    let fresh = demo_at(7.0).await;
    let mut back = demo_at(12.0).await;
    back.keys("(((((");
    back.until(|s| s.restarted).await;
    back.until(|s| s.seeking.is_none()).await;
    same(
        &known(&fresh.state.world),
        &known(&back.state.world),
        "a seek back and a fresh replay",
    );
    assert!(
        known(&fresh.state.world).len() > 100_000,
        "much is compared"
    );
}

/// Without a model, "explain" answers from what the console found, and says why.
#[tokio::test]
async fn explains_without_a_model() {
    let mut show = demo_at(5.0).await;
    show.keys("8a");
    let screen = show.screen((200, 50));
    has(&screen, &["No model is configured", "INC-1", "gpu-a-02"]);
}

#[test]
fn is_small_and_holds_no_secret() {
    let bytes = std::fs::read(FILE).expect("the demo");
    assert!((bytes.len() as u64) < LIMIT, "{} bytes", bytes.len());
    let text = String::from_utf8_lossy(&unpacked(&bytes)).to_lowercase();
    assert!(text.contains("gpu-a-02") && text.len() > bytes.len());
    for secret in [
        "authorization",
        "bearer",
        "basic ",
        "x-scope",
        "password",
        "passwd",
        "api_key",
        "apikey",
        "127.0.0.1",
        "/home/",
        "/root",
        "/tmp",
        "kubeconfig",
        "private key",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    // Addresses with a user: `//user:word@host`.
    let credentials = text
        .split("://")
        .skip(1)
        .filter_map(|rest| rest.split(['/', ' ', '"']).next())
        .any(|host| host.contains('@'));
    assert!(!credentials);
}

#[tokio::test]
async fn plays_on_at_the_speed_that_is_asked() {
    let mut show = demo_at(4.0).await;
    let before = show.state.world.now;
    show.keys(":speed<space>1000<enter><space>");
    let there = Timestamp(before.0 + 60_000);
    let minute = show.until(|s| s.now >= there);
    tokio::time::timeout(Duration::from_secs(60), minute)
        .await
        .expect("a minute passes");
}

/// Headless: keys in, a picture out, with what the screen would say.
#[test]
fn is_drawn_as_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("x.svg");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["screenshot", "--at", "5m", "--size", "120x36"])
        .args(["--press", "8a", "--theme", "light", "--out"])
        .arg(&out)
        .env("XDG_STATE_HOME", folder.path())
        .env_remove("FARWATCH_CONFIG")
        .output()
        .expect("started");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{told}");
    let picture = std::fs::read_to_string(out).expect("drawn");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    has(
        &picture,
        &[
            "REPLAY 17:45:31 x1",
            ">No model is configured</text>",
            "INC-1",
        ],
    );
}
