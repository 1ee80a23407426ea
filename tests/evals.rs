//! The evaluation set: its format, what the console itself makes of it, and a scripted model that is
//! right, wrong, and wrong with confidence.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

#[path = "support/chat.rs"]
mod chat;

use chat::{ChatServer, calls, text};

/// Runs it over the cases of the project; gives the table and the scores.
fn evaluated(flags: &[&str]) -> (String, Vec<Value>) {
    let home = tempfile::tempdir().expect("a folder");
    let out = home.path().join("scores.jsonl");
    let done = Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(["evaluate", "agent", "--data", "tests/evals"])
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
    let server = ChatServer::start(script).await;
    let url = server.url();
    let run = move || evaluated(&["--url", &url, "--case", case]);
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

/// Without a model: what every model has to beat.
#[test]
fn the_console_itself_over_the_whole_set() {
    let (table, scores) = evaluated(&[]);
    println!("{table}");
    assert!(scores.len() >= 24, "{}", scores.len());
    let found = scores.iter().filter(|s| s["cause"] == true).count();
    assert!(found * 10 >= scores.len() * 7, "{table}");
    assert!(
        scores
            .iter()
            .all(|s| s["by"] == "console" && s["unsupported"] == 0),
        "{table}"
    );
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
