//! Tools of other programs in `farwatch ask`, where nobody can be asked: only what the operator allowed
//! beforehand. The other program is a real one, over standard input and output.

use serde_json::{Value, json};

use crate::chat::{ChatServer, calls, text};
use crate::headless::{demo, run};

struct Tried {
    told: Value,
    /// What the model was sent, each time.
    requests: Vec<Value>,
    audit: Vec<Value>,
}

/// One question; the model calls the tool of the other program. `more`: lines of its table.
async fn tried(more: &str) -> Tried {
    let wanted = ("other.list_incidents", json!({}));
    let server = ChatServer::start(vec![calls(&[wanted]), text("Two incidents [1].")]).await;
    let folder = tempfile::tempdir().expect("folder");
    let empty = folder.path().join("empty.toml");
    std::fs::write(&empty, "").expect("written");
    let (program, demo) = (env!("CARGO_BIN_EXE_farwatch"), demo());
    let config = format!(
        "[agent]\nurl = \"{}\"\ntimeout = \"20s\"\n[[mcp]]\nname = \"other\"\n\
         command = [{program:?}, \"mcp\", \"--replay\", {demo:?}, \"--at\", \"3m\", \"--config\", {empty:?}]\n{more}\n",
        server.url()
    );
    let ran = tokio::task::spawn_blocking(move || {
        let args = ["ask", "why?", "--replay", &demo, "--at", "16m"];
        let args = [args.as_slice(), &["--output", "json"]].concat();
        let output = run(folder.path(), &config, &args);
        let audit = folder.path().join("farwatch/actions.jsonl");
        (output, std::fs::read_to_string(audit).unwrap_or_default())
    });
    let (output, audit) = ran.await.expect("ran");
    assert!(output.status.success(), "{output:?}");
    let lines = audit
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"));
    Tried {
        told: serde_json::from_slice(&output.stdout).expect("JSON"),
        requests: server.requests(),
        audit: lines.collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_was_allowed_is_called_and_written_down() {
    let tried = tried("allow = [\"list_incidents\"]").await;
    let tools = tried.requests[0]["tools"].to_string();
    assert_eq!(tools.matches("\"other.").count(), 1, "{tools}");
    let call = &tried.told["calls"][0];
    assert_eq!(
        (&call["tool"], &call["ok"]),
        (&json!("other.list_incidents"), &json!(true))
    );
    let result = call["result"].to_string();
    assert!(result.contains("INC-1"), "{result}");
    let stages: Vec<_> = tried.audit.iter().map(|l| &l["stage"]).collect();
    assert_eq!(stages, ["asked", "done"]);
    assert_eq!(tried.audit[0]["subject"], "other.list_incidents");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_allowed_is_not_offered_and_the_answer_says_so() {
    for more in [
        "",
        "tools = [\"list_incidents\"]",
        "allow = [\"list_alerts\"]",
    ] {
        let tried = tried(more).await;
        let tools = tried.requests[0]["tools"].to_string();
        assert!(!tools.contains("other.list_incidents"), "{more}: {tools}");
        let call = &tried.told["calls"][0];
        assert_eq!(call["ok"], false, "{more}: {call}");
        let is_told = tried.told["notes"]
            .to_string()
            .contains("`allow` names no tool");
        assert_eq!(
            is_told,
            !more.starts_with("allow"),
            "{more}: {}",
            tried.told
        );
        assert!(tried.audit.is_empty(), "{more}: nothing was called");
    }
}
