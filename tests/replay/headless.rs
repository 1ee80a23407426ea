//! `farwatch ask` and `farwatch report` as they are run: on the demo with and without a model, on a
//! real Prometheus, and called wrongly.

use std::path::Path;
use std::process::{Command, Output};

use farwatch::agent::prompt::PROPOSING;
use farwatch::agent::tools;
use farwatch::config::persona::built_in;
use serde_json::{Value, json};

use crate::chat::{ChatServer, Say, calls, text};
use crate::prometheus::Prometheus;

const SCRAPED: &str = "scrape_configs: []\n";

/// In a folder of its own, with this configuration.
pub fn run(folder: &Path, config: &str, args: &[&str]) -> Output {
    let file = folder.join("farwatch.toml");
    std::fs::write(&file, config).expect("written");
    Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(args)
        .arg("--config")
        .arg(&file)
        .env("XDG_STATE_HOME", folder)
        .env_remove("KUBECONFIG")
        .env("HOME", folder)
        .output()
        .expect("started")
}

pub fn demo() -> String {
    format!("{}/assets/demo.fwr", env!("CARGO_MANIFEST_DIR"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn why_needs_no_model() {
    let folder = tempfile::tempdir().expect("folder");
    let demo = demo();
    let args = [
        "ask",
        "/why INC-1",
        "--replay",
        &demo,
        "--at",
        "16m",
        "--output",
        "json",
    ];
    let output = run(folder.path(), "", &args);
    assert!(output.status.success(), "{output:?}");
    let told = json_of(&output);
    assert_eq!(told["by"], "console");
    assert_eq!(told["model"], Value::Null);
    let conclusion = told["conclusion"].as_str().expect("text");
    assert!(
        conclusion.starts_with("It began at gpu-a-02 gpu 3 [1]."),
        "{conclusion}"
    );
    let evidence = told["evidence"].as_array().expect("lines");
    assert!(
        evidence.len() > 3 && evidence.iter().all(|c| c["supported"] == true),
        "{told}"
    );
    assert_eq!(told["calls"][0]["tool"], "analyze_root_cause");
}

/// Asks this server's model about the demo at its sixteenth minute.
async fn ask_model(server: &ChatServer, more: &'static [&'static str]) -> Output {
    let config = format!("[agent]\nurl = \"{}\"\ntimeout = \"20s\"\n", server.url());
    let folder = tempfile::tempdir().expect("folder");
    let demo = demo();
    let ran = tokio::task::spawn_blocking(move || {
        let mut args = vec!["ask", "why?", "--replay", &demo, "--at", "16m"];
        args.extend(more);
        run(folder.path(), &config, &args)
    });
    ran.await.expect("ran")
}

/// The model says one thing that it read and one that it did not.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_and_what_it_did_not_read_is_marked() {
    let answer = "## Conclusion\nGPU 3 of gpu-a-02 is too hot [1].\n## Evidence\n\
        - XID and heat on gpu-a-02 [1]\n- the fan is broken\n";
    let server =
        ChatServer::start(vec![calls(&[("get_gpu_summary", json!({}))]), text(answer)]).await;
    let output = ask_model(&server, &["--persona", "gpu-expert"]).await;
    assert!(output.status.success(), "{output:?}");
    let markdown = said(&output);
    for part in [
        "- the fan is broken **(unsupported)**",
        "- [1] `get_gpu_summary {}`:",
        "> unsupported: 1 of 2 statements",
        "by the model lab",
    ] {
        assert!(markdown.contains(part), "{part} in {markdown}");
    }
    assert!(
        !markdown.contains("heat on gpu-a-02 [1] **(uns"),
        "{markdown}"
    );
    let requests = server.requests();
    let tools = requests[0]["tools"].as_array().expect("tools");
    let offered: Vec<_> = tools.iter().map(|t| &t["function"]["name"]).collect();
    assert!(offered.contains(&&json!("get_gpu_nodes")), "{offered:?}");
    assert!(!offered.contains(&&json!("query_logs")), "{offered:?}");
    let read = requests[1]["messages"].to_string();
    assert!(read.contains("gpu-a-02"), "the recording was read: {read}");
}

/// What `farwatch report incident --by-model` prints, and its standard error.
async fn report_by_model(server: &ChatServer) -> (String, String) {
    let config = format!("[agent]\nurl = \"{}\"\ntimeout = \"20s\"\n", server.url());
    let folder = tempfile::tempdir().expect("folder");
    let demo = demo();
    let ran = tokio::task::spawn_blocking(move || {
        let args = [
            "report",
            "incident",
            "--replay",
            &demo,
            "--at",
            "16m",
            "--by-model",
        ];
        run(folder.path(), &config, &args)
    });
    let output = ran.await.expect("ran");
    assert!(output.status.success(), "{output:?}");
    (
        said(&output),
        String::from_utf8_lossy(&output.stderr).into(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_summarised_by_a_model_from_what_it_says() {
    let words = "The GPU of gpu-a-02 is hot. token=hunter2hunter2";
    let server = ChatServer::start(vec![text(words)]).await;
    let (markdown, _) = report_by_model(&server).await;
    let labelled = "## Summary by a model\n\nWritten by lab, not checked; what was heard stands below.\n\n\
        > The GPU of gpu-a-02 is hot.";
    assert!(markdown.contains(labelled), "{markdown}");
    assert!(!markdown.contains("hunter2"), "{markdown}");
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].get("tools").is_none());
    let asked = requests[0]["messages"][1]["content"]
        .as_str()
        .expect("text");
    assert!(
        asked.starts_with("<data from=\"report\">") && asked.contains("INC-2"),
        "{asked}"
    );

    let refused = Say::Json(500, json!({"error": "out of memory"}).to_string());
    let (markdown, told) = report_by_model(&ChatServer::start(vec![refused]).await).await;
    assert!(
        markdown.contains("- No summary by a model: ") && markdown.contains("INC-2"),
        "{markdown}"
    );
    assert!(told.contains("no summary by a model"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_leaves_the_console_s_own_findings() {
    let refused = Say::Json(500, json!({"error": "out of memory"}).to_string());
    let server = ChatServer::start(vec![refused]).await;
    let output = ask_model(&server, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let markdown = said(&output);
    assert!(markdown.contains("The model gave no answer"), "{markdown}");
    assert!(
        markdown.contains("INC-1") && markdown.contains("500"),
        "{markdown}"
    );
}

#[test]
fn wrong_words_end_with_2_and_say_what_there_is() {
    let folder = tempfile::tempdir().expect("folder");
    let one = "[[clusters]]\nname = \"alpha\"\nprometheus = { url = \"http://127.0.0.1:9\" }\n";
    for (config, args, wanted) in [
        (
            one,
            &["ask", "x", "--cluster", "beta"][..],
            "there is no cluster \"beta\"; there are alpha",
        ),
        (
            one,
            &["ask", "x", "--persona", "nobody"],
            "there is no persona \"nobody\"",
        ),
        (
            one,
            &["report", "--cluster", "beta"],
            "there is no cluster \"beta\"",
        ),
        (one, &["report", "weather"], "invalid value 'weather'"),
        (one, &["report", "--hours", "0"], "0 is not in 1..=720"),
    ] {
        let output = run(folder.path(), config, args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(wanted), "{args:?}: {told}");
    }
    let demo = demo();
    let args = [
        "report",
        "incident",
        "--incident",
        "INC-99",
        "--replay",
        &demo,
    ];
    let output = run(folder.path(), "", &args);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn reports_of_each_kind_in_each_form() {
    let folder = tempfile::tempdir().expect("folder");
    let demo = demo();
    for (kind, wanted) in [
        ("summary", "2 incidents in the period, 2 of them open."),
        ("detailed", "du-07-02"),
        ("incident", "Likely cause: du-07-02 clock ens4fx"),
        ("capacity", "of the processors"),
    ] {
        let of = |format: &str| {
            let args = [
                "report", kind, "--replay", &demo, "--at", "16m", "--format", format,
            ];
            let output = run(folder.path(), "", &args);
            assert!(output.status.success(), "{kind} {format}: {output:?}");
            output
        };
        assert!(
            said(&of("markdown")).contains(wanted),
            "{kind}: {}",
            said(&of("markdown"))
        );
        let told = json_of(&of("json"));
        assert_eq!(told["recording"], "demo.fwr", "{kind}");
        assert!(
            told["data_gaps"].is_array() && told["sections"].is_array(),
            "{kind}"
        );
        let page = said(&of("html"));
        assert!(
            page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"),
            "{kind}"
        );
        assert_eq!(page.contains("<polyline"), kind == "incident", "{kind}");
    }
    let out = folder.path().join("r.md");
    let path = out.display().to_string();
    let args = ["report", "--replay", &demo, "--out", &path];
    assert!(run(folder.path(), "", &args).status.success());
    let kept = std::fs::read(&out).expect("written");
    let again = run(folder.path(), "", &args);
    assert_eq!(
        again.status.code(),
        Some(1),
        "a file that is there is not written over"
    );
    assert_eq!(std::fs::read(&out).expect("there"), kept);
}

/// Whoever may act by keys is still before no screen here: nothing is offered, nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn no_action_is_proposed_where_nobody_can_be_asked() {
    let silence = json!({"cluster": "alpha", "matchers": {"alertname": "Down"}, "reason": "x"});
    let says = vec![calls(&[("propose_silence", silence)]), text("Not done.")];
    let server = ChatServer::start(says).await;
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nalertmanager = {{ url = \"http://127.0.0.1:9\" }}\n\
         [agent]\nurl = \"{}\"\n[actions]\nenabled = true\n[roles]\ndefault = \"admin\"\n",
        server.url()
    );
    let folder = tempfile::tempdir().expect("folder");
    let asked = tokio::task::spawn_blocking(move || {
        let ask = ["ask", "silence all", "--listen", "1s", "--output", "json"];
        run(folder.path(), &config, &ask)
    });
    let told = said(&asked.await.expect("ran"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "{told}");
    assert!(!requests[0]["tools"].to_string().contains("propose_"));
    let answered = requests[1]["messages"].to_string();
    assert!(
        answered.contains("there is no tool `propose_silence`"),
        "{answered}"
    );
}

/// One cluster that answers, one whose server is gone.
#[tokio::test(flavor = "multi_thread")]
async fn live_clusters_are_heard_first_and_one_that_is_down_is_named() {
    let prometheus = Prometheus::start(SCRAPED, "");
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\" }}\n\n\
         [[clusters]]\nname = \"gone\"\nprometheus = {{ url = \"http://127.0.0.1:9\" }}\n",
        prometheus.url()
    );
    let folder = tempfile::tempdir().expect("folder");
    let (asked, audit, report) = tokio::task::spawn_blocking(move || {
        let ask = [
            "ask",
            "/query vector(1) #token=hunter2hunter2",
            "--listen",
            "10s",
        ];
        let asked = run(folder.path(), &config, &ask);
        let audit = folder.path().join("farwatch/actions.jsonl");
        (
            asked,
            std::fs::read_to_string(audit).unwrap_or_default(),
            run(folder.path(), &config, &["report", "--listen", "10s"]),
        )
    })
    .await
    .expect("ran");
    // What was asked of whom is written down.
    let line: Value = serde_json::from_str(audit.trim()).expect("one line");
    assert_eq!(line["action"], "agent call");
    assert_eq!(line["subject"], "query_metrics");
    assert_eq!(line["cluster"], "alpha, gone");
    let body = line["body"].as_str().expect("arguments");
    assert!(
        body.contains("vector(1)") && !body.contains("hunter2"),
        "{body}"
    );
    let markdown = said(&asked);
    assert!(markdown.contains("PARTIAL_RESULTS: 1 of 2"), "{markdown}");
    assert!(markdown.contains("cluster gone: FAILED"), "{markdown}");
    let report = said(&report);
    assert!(report.contains("- gone: not heard now"), "{report}");
    for invented in ["nodes 0", "unhealthy pods 0", "GPUs 0"] {
        assert!(!report.contains(invented), "{invented} in {report}");
    }
}

/// A model of 8k context still has room to work: whatever the persona, what it is told first, with
/// the tools and the worst incident, takes at most 4,000 tokens.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_prompt_fits_a_small_model() {
    let mut long = Vec::new();
    for persona in [
        &["--persona", "default"],
        &["--persona", "platform-ops"],
        &["--persona", "gpu-expert"],
        &["--persona", "network-cnf"],
        &["--persona", "telco-5g"],
    ] {
        let server = ChatServer::start(vec![text("Nothing [1].")]).await;
        let output = ask_model(&server, persona).await;
        assert!(output.status.success(), "{output:?}");
        let persona = persona[1];
        let request = &server.requests()[0];
        // An operator who may act is offered these too.
        let all = built_in();
        let own = all.iter().find(|p| p.id == persona).expect("shipped");
        let named = own.tools.iter().map(String::as_str);
        let named: Vec<&str> = named.filter(|tool| tool.starts_with("propose_")).collect();
        assert!(!named.is_empty(), "{persona}");
        let proposals = tools::specs(&named);
        let proposals = format!("{PROPOSING}{}", Value::from(proposals));
        let told = format!("{}{}{proposals}", request["messages"], request["tools"]);
        let tokens = tokens(&told);
        println!(
            "{persona}: {} characters, about {tokens} tokens ({} of them for proposals)",
            told.len(),
            self::tokens(&proposals)
        );
        assert!(told.contains("INC-"), "the incidents are told: {told}");
        if tokens > 4_000 {
            long.push(format!("{persona}: {tokens} tokens"));
        }
    }
    assert_eq!(long, [""; 0]);
}

/// About what a tokenizer of today's models makes of JSON: a word of up to six letters is one token,
/// every further four letters one more, each digit and each two signs one.
fn tokens(text: &str) -> usize {
    let kind = |c: char| match c {
        c if c.is_alphabetic() => 0,
        c if c.is_numeric() => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let letters: Vec<char> = text.chars().collect();
    let runs = letters.chunk_by(|a, b| kind(*a) == kind(*b));
    runs.map(|run| match run.first().map_or(2, |c| kind(*c)) {
        0 => 1 + run.len().saturating_sub(6).div_ceil(4),
        1 => run.len(),
        2 => 0,
        _ => run.len().div_ceil(2),
    })
    .sum()
}
