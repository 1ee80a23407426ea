//! A model that wants something done, before an operator who says no, and before one who says yes;
//! with a real Alertmanager, in which is looked afterwards.

use serde_json::{Value, json};

use super::chat::{ChatServer, calls, text};
use super::prometheus_server::Alertmanager;
use super::site::{Site, Texts};
use super::*;

const ANSWER: &str = "## Conclusion\nThe clock of node-1 lost its satellites [1].\n\
    ## Confidence\nhigh: it was read\n## Evidence\n- ClockLost fires on node-1 [1]\n\
    ## Ruled out\n- nothing\n## Next steps\n- look at the antenna\n";

/// What an incident, its operator and a model need.
struct Scene {
    servers: tokio::runtime::Runtime,
    manager: Alertmanager,
    agent: ChatServer,
    /// Holds the archive.
    folder: tempfile::TempDir,
    config: String,
    _site: Site,
}

impl Scene {
    fn new() -> Self {
        let servers = servers();
        let manager = Alertmanager::start();
        let silence = json!({"cluster": "alpha", "hours": 4, "reason": "the antenna is replaced",
            "matchers": {"alertname": "ClockLost", "node": "node-1"}});
        let says = vec![
            calls(&[("list_alerts", json!({}))]),
            calls(&[("propose_silence", silence)]),
            text(ANSWER),
        ];
        let (site, agent) = servers.block_on(async {
            fire(&manager).await;
            (
                Site::start(Texts::default()).await,
                ChatServer::start(says).await,
            )
        });
        let folder = tempfile::tempdir().expect("folder");
        // Without an API server nobody tells who the operator is.
        let config = format!(
            "[[clusters]]\nname = \"alpha\"\nprometheus = {{ url = \"{}\" }}\n\
             alertmanager = {{ url = \"{}\" }}\n[agent]\nurl = \"{}\"\n\
             [archive]\nfile = \"{}/farwatch.db\"\n\
             [actions]\nenabled = true\n[roles]\ndefault = \"operator\"\n",
            site.url(),
            manager.program.url(),
            agent.url(),
            folder.path().display()
        );
        Self {
            servers,
            manager,
            agent,
            folder,
            config,
            _site: site,
        }
    }

    fn start(&self) -> Pty {
        Pty::start(&Start {
            config: Some(&self.config),
            size: (160, 50),
            ..Start::default()
        })
    }

    /// Asks why of the incident, up to the dialog whose keys count.
    fn asked(&self) -> Pty {
        let mut pty = self.start();
        pty.see("Clusters 1");
        pty.keys("7").see("ClockLost");
        pty.keys("8").see("INC-1");
        pty.keys("a");
        pty.see("The agent asks: send this? silence")
            .see("POST /api/v2/silences")
            .see("it says: the antenna is replaced")
            .see("\"value\":\"ClockLost\"");
        assert_eq!(self.silences(), json!([]), "asked about, not made");
        pty.see("y sends it, once");
        pty
    }

    /// What Alertmanager holds.
    fn silences(&self) -> Value {
        let url = format!("{}/api/v2/silences", self.manager.program.url());
        self.servers.block_on(async {
            let text = reqwest::get(url).await.expect("asked").text().await;
            serde_json::from_str(&text.expect("text")).expect("JSON")
        })
    }

    /// What the model was told of its proposal.
    fn told(&self) -> String {
        let requests = self.agent.requests();
        let last = requests.last().expect("asked");
        let messages = last["messages"].as_array().expect("messages");
        let mut tools = messages.iter().filter(|m| m["role"] == "tool");
        let told = tools.next_back().expect("two calls")["content"].as_str();
        told.expect("text").to_owned()
    }
}

async fn fire(manager: &Alertmanager) {
    let labels = json!({"alertname": "ClockLost", "severity": "critical", "node": "node-1"});
    let other = json!({"alertname": "Other", "severity": "critical", "node": "node-1"});
    let alerts = json!([{"labels": labels}, {"labels": other}]).to_string();
    let url = format!("{}/api/v2/alerts", manager.program.url());
    let client = reqwest::Client::new();
    let request = client.post(url).header("Content-Type", "application/json");
    let answer = request.body(alerts).send().await.expect("sent");
    assert!(answer.status().is_success(), "{answer:?}");
}

fn audit(pty: &Pty) -> Vec<Value> {
    let file = pty.home().join("state/farwatch/actions.jsonl");
    let text = std::fs::read_to_string(file).expect("written");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let (calls, deeds): (Vec<Value>, Vec<Value>) =
        lines.partition(|line: &Value| line["action"] == "agent call");
    let read: Vec<&Value> = calls.iter().map(|call| &call["subject"]).collect();
    assert_eq!(read, ["list_alerts"], "what only reads has its line too");
    deeds
}

#[test]
fn refused_cited_and_resumed_after_a_restart() {
    let scene = Scene::new();
    let mut pty = scene.asked();
    pty.keys("n").lose("The agent asks").see("refused by you");
    pty.see("The clock of node-1 lost its satellites");
    assert!(
        scene.told().contains("refused by the operator"),
        "{}",
        scene.told()
    );
    // The call that is cited as [1] opens the screen that shows it.
    pty.keys("\t1o").see("▸ Alerts");
    pty.keys(":quit\r");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
    assert_eq!(scene.silences(), json!([]), "refused");
    let lines = audit(&pty);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["stage"], "refused");
    assert_eq!(lines[0]["proposed_by"], "agent");

    let mut pty = scene.start();
    pty.see("Clusters 1");
    pty.keys("A/sessions\r").see("1. ");
    pty.keys("/resume 1\r")
        .see("The clock of node-1 lost its satellites");
    pty.see("refused by you");
    pty.keys("<esc>:quit\r");
    assert_eq!(pty.ended(), 0);
    assert_eq!(scene.silences(), json!([]), "nor by going on with it");
    assert!(scene.folder.path().join("farwatch.db").exists());
}

#[test]
fn allowed_and_exactly_that_silence_is_made() {
    let scene = Scene::new();
    let mut pty = scene.asked();
    pty.keys("y").see("allowed by you; ");
    pty.see("The clock of node-1 lost its satellites");
    assert!(
        scene.told().contains("done: accepted, silence "),
        "{}",
        scene.told()
    );
    let held = scene.silences();
    let held = held.as_array().expect("a list");
    assert_eq!(held.len(), 1, "{held:?}");
    let silence = &held[0];
    let exact = |name: &str, value: &str| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
    assert_eq!(
        silence["matchers"],
        json!([exact("alertname", "ClockLost"), exact("node", "node-1")])
    );
    assert_eq!(
        silence["comment"],
        "proposed by the agent: the antenna is replaced"
    );
    assert_eq!(silence["createdBy"], "farwatch");
    assert_eq!(silence["status"]["state"], "active");
    pty.keys("<esc>:quit\r");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
    let lines = audit(&pty);
    let of = |field: &str| -> Vec<&Value> { lines.iter().map(|line| &line[field]).collect() };
    assert_eq!(of("stage"), ["asked", "done"]);
    assert_eq!(of("proposed_by"), ["agent", "agent"]);
    assert_eq!(of("allowed_by"), ["farwatch", "farwatch"]);
    // What was shown is what is held.
    let body: Value = serde_json::from_str(lines[0]["body"].as_str().expect("text")).expect("JSON");
    assert_eq!(body["endsAt"], silence["endsAt"]);
}
