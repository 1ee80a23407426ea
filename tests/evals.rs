//! The evaluation set: its format, what the console itself makes of it, and a scripted model that is
//! right, wrong, and wrong with confidence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

#[path = "support/chat.rs"]
mod chat;
#[path = "detection/fault_table.rs"]
mod fault_table;
#[path = "detection/site.rs"]
mod site;
#[path = "support/stage.rs"]
mod stage;
#[path = "support/taped.rs"]
mod taped;

use chat::{ChatServer, calls, text};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/evals");

/// A folder with the cases of the project and the recordings whose names have this in them.
fn folder(of: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["demo.toml", "site.toml"] {
        std::fs::copy(Path::new(CASES).join(name), folder.path().join(name)).expect("copied");
    }
    let site = folder.path().join("site");
    std::fs::create_dir(&site).expect("a folder");
    let wanted = taped::RECORDINGS.iter().filter(|r| r.file.contains(of));
    for recording in wanted {
        recording.write(&site);
    }
    folder
}

/// Runs it over the cases of a folder; gives the table and the scores.
fn evaluated(data: &Path, flags: &[&str]) -> (String, Vec<Value>) {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("scores.jsonl");
    let done = Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["evaluate", "agent", "--data"])
        .arg(data)
        .args(["--out", out.to_str().expect("text")])
        .args(flags)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HOME", home.path())
        .env_remove("FARWATCH_CONFIG")
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .expect("run");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{told}");
    let lines = std::fs::read_to_string(&out).expect("written");
    let scores = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"));
    let table = String::from_utf8_lossy(&done.stdout).into_owned();
    (table, scores.collect())
}

/// Of the script, where the test waits for the program outside the runtime's threads.
async fn by_model(script: Vec<chat::Say>, case: &'static str) -> Value {
    by_model_in(script, case, PathBuf::from(CASES)).await
}

async fn by_model_in(script: Vec<chat::Say>, case: &'static str, data: PathBuf) -> Value {
    let server = ChatServer::start(script).await;
    let url = server.url();
    let run = move || evaluated(&data, &["--url", &url, "--case", case]);
    let (_, scores) = tokio::task::spawn_blocking(run).await.expect("run");
    assert_eq!(scores.len(), 1);
    scores[0].clone()
}

const CASE: &str = "slow-llama-6m";

fn looked() -> chat::Say {
    calls(&[
        ("get_gpu_summary", json!({})),
        ("list_incidents", json!({})),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_answer_is_found_right() {
    let said = "## Conclusion\nGPU 3 of gpu-a-02 is throttled by heat [1].\n## Evidence\n\
        - 87 C, hardware thermal slowdown [1]\n- tokens come slower since then [2]\n## Ruled out\n- a rollout [2]\n";
    let score = by_model(vec![looked(), text(said)], CASE).await;
    assert_eq!(score["cause"], true, "{score}");
    assert_eq!(
        (&score["evidence"], &score["evidence_needed"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(score["unsupported"], 0);
    assert_eq!(
        score["forbidden"],
        json!([]),
        "what is ruled out may be named"
    );
    assert_eq!(score["calls"], 2);
    assert_eq!(score["model"], "lab");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_is_found_wrong() {
    let said = "## Conclusion\nA rollout of the model slowed it down.\n## Evidence\n\
        - it was deployed at noon\n- the GPUs are fine [1]\n";
    let score = by_model(vec![looked(), text(said)], CASE).await;
    assert_eq!(score["cause"], false, "{score}");
    assert_eq!(score["evidence"], 1, "only what is cited counts");
    assert_eq!(score["unsupported"], 1);
    assert_eq!(score["forbidden"], json!(["rollout"]));
    let broken = chat::Say::Json(400, r#"{"error": "no"}"#.into());
    let score = by_model(vec![broken], CASE).await;
    assert_eq!(score["cause"], false, "{score}");
    assert_eq!(score["evidence"], 0, "{score}");
    assert!(
        score["ended"]
            .as_str()
            .is_some_and(|e| e.contains("refused")),
        "{score}"
    );
    assert_eq!(score["by"], "console", "its own findings are no model's");
}

/// On a site whose recording was made for it: the fault, and what is none.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_is_an_answer_and_a_false_alarm_is_none() {
    let folder = folder("good-deploy");
    let data = || folder.path().to_path_buf();
    let looked = || calls(&[("get_changes", json!({})), ("list_incidents", json!({}))]);
    let calm = "## Conclusion\nNothing is wrong: cart runs as before [2].\n## Evidence\n\
        - the image of cart changed [1]\n- no incident is open [2]\n";
    let score = by_model_in(vec![looked(), text(calm)], "good-deploy", data()).await;
    assert_eq!(score["cause"], true, "{score}");
    assert_eq!(score["evidence"], 1, "{score}");
    assert_eq!(score["forbidden"], json!([]));
    assert_eq!(score["set"], "site, nothing wrong");
    let alarm = "## Conclusion\nThe rollout of cart is to blame: roll back [1].\n## Evidence\n\
        - the image of cart changed [1]\n";
    let score = by_model_in(vec![looked(), text(alarm)], "good-deploy", data()).await;
    assert_eq!(score["cause"], false, "{score}");
    assert_eq!(score["forbidden"], json!(["to blame", "roll back"]));
}

/// What the console's own words miss, and docs/evaluation.md says so.
const MISSED: [&str; 4] = [
    "site-dpdk-loss",
    "site-grandmaster",
    "site-node-network",
    "site-noisy-neighbour",
];

/// Without a model: what every model has to beat.
#[test]
fn the_console_itself_over_the_whole_set() {
    let folder = folder("");
    let (table, scores) = evaluated(folder.path(), &[]);
    println!("{table}");
    assert!(scores.len() >= 40, "{}", scores.len());
    let sets: BTreeSet<&str> = scores.iter().filter_map(|s| s["set"].as_str()).collect();
    assert_eq!(
        Vec::from_iter(sets),
        ["demo", "site", "site, nothing wrong"]
    );
    let missed = scores.iter().filter(|s| s["cause"] != true);
    let names: Vec<&str> = missed.filter_map(|s| s["case"].as_str()).collect();
    let new: Vec<_> = names.iter().filter(|n| !MISSED.contains(n)).collect();
    assert!(new.is_empty(), "{new:?}:\n{table}");
    for score in &scores {
        assert_eq!(score["by"], "console", "{score}");
        assert_eq!(score["unsupported"], 0, "{score}");
        assert_eq!(score["forbidden"], json!([]), "{score}");
    }
}

/// A case that no right answer could win tells nothing.
#[test]
fn each_case_can_be_won_with_the_tools_of_its_persona() {
    let personas = farwatch::config::persona::built_in();
    let mut recordings = BTreeSet::new();
    for file in ["demo.toml", "site.toml"] {
        let text = std::fs::read_to_string(Path::new(CASES).join(file)).expect("there");
        let cases: Value = toml::from_str(&text).expect("TOML");
        for case in cases["case"].as_array().expect("cases") {
            let persona = personas.iter().find(|p| p.id == case["persona"]);
            let offered = &persona.expect("a built-in one").tools;
            for group in case["evidence"].as_array().expect("groups") {
                let each = group.as_array().expect("tools");
                let known = each
                    .iter()
                    .all(|t| t.as_str().is_some_and(farwatch::agent::tools::is_known));
                assert!(known, "{group} of {case}");
                let won = each.iter().any(|t| offered.iter().any(|o| t == o));
                assert!(won, "{group} of {case}");
            }
            recordings.extend(case["replay"].as_str().map(str::to_owned));
        }
    }
    for recording in taped::RECORDINGS {
        let used = recordings.contains(&format!("site/{}.fwr", recording.file));
        assert!(
            used,
            "no case asks of {} ({})",
            recording.file,
            recording.truth()
        );
    }
}

#[test]
fn a_recording_that_was_not_made_is_told_before_anything_is_asked() {
    let folder = folder("no such recording");
    let done = Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["evaluate", "agent", "--case", "site-", "--data"])
        .arg(folder.path())
        .env("HOME", folder.path())
        .env_remove("FARWATCH_CONFIG")
        .output()
        .expect("run");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(told.contains("gpu-lost.fwr is not there"), "{told}");
    assert!(done.stdout.is_empty());
}

#[test]
fn mistakes_in_cases_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let fine = std::fs::read_to_string(Path::new("tests/evals/demo.toml")).expect("there");
    for (text, what) in [
        ("", "no case"),
        ("[[case]]\nname = \"a\"", "missing field"),
        (
            &fine.replace("at = \"3m\"", "at = \"noon\""),
            "neither a time",
        ),
        (&format!("{fine}{fine}"), "twice"),
    ] {
        std::fs::write(folder.path().join("cases.toml"), text).expect("written");
        let done = Command::new(env!("CARGO_BIN_EXE_farwatch"))
            .args(["evaluate", "agent", "--data"])
            .arg(folder.path())
            .env("HOME", folder.path())
            .output()
            .expect("run");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.contains(what) || what == "no case", "{what}: {told}");
    }
}
