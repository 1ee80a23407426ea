//! `nvidia-smi` run in pods of GPU nodes: what it prints comes as series, whatever goes wrong is
//! told, and nothing is run without switch, role, right and audit line.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use farwatch::config::{Cluster, Config, Kube, Roles};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::gpu::{self, smi};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::identity::Role;
use farwatch::model::telemetry::{Body, Telemetry};
use farwatch::source::Outlet;
use farwatch::source::kubernetes::Server;
use farwatch::source::nvidia_smi::{Setup, try_once};
use farwatch::source::supervisor::{Fleet, Pace};
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use crate::apiserver::{ApiServer, Fault as ApiFault, User, manifest};
use crate::exec::{Command, Execs};

pub const A10G: &str = include_str!("../fixtures/nvidia_smi/a10g.xml");
const MIG: &str = include_str!("../fixtures/nvidia_smi/a100-sxm4-v12.xml");

fn pod(node: &str, name: &str, app: &str, container: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "gpu-operator", "name": name, "labels": {"app": app},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": app,
                "uid": "1", "controller": true}]},
        "spec": {"nodeName": node, "containers": [{"name": "sidecar"}, {"name": container}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

/// With a driver pod `driver-NODE` and a device plugin `plugin-NODE`.
pub fn gpu_node(api: &ApiServer, node: &str) {
    for (kind, app, container) in [
        ("driver", "nvidia-driver-daemonset", "nvidia-driver-ctr"),
        (
            "plugin",
            "nvidia-device-plugin-daemonset",
            "nvidia-device-plugin",
        ),
    ] {
        api.put(pod(node, &format!("{kind}-{node}"), app, container));
    }
}

struct Lab {
    api: ApiServer,
    execs: Execs,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        Self::speaking("v5.channel.k8s.io").await
    }

    async fn speaking(protocol: &'static str) -> Self {
        let api = ApiServer::start().await;
        gpu_node(&api, "n1");
        Self {
            execs: Execs::speaking(&api, protocol),
            folder: tempfile::tempdir().unwrap(),
            api,
        }
    }

    fn kube(&self) -> Kube {
        Kube {
            context: Some("lab".into()),
            kubeconfig: vec![self.api.kubeconfig()],
            ..Kube::default()
        }
    }

    fn audit(&self) -> std::path::PathBuf {
        self.folder.path().join("actions.jsonl")
    }

    fn setup(&self, role: Role) -> Setup {
        let mut config = self.config();
        config.roles.default = role;
        self.set_up(&config)
    }

    fn set_up(&self, config: &Config) -> Setup {
        let server = Server::new("alpha", &self.kube());
        Setup::new(config, &config.clusters[0], server)
    }

    /// One run on the one node.
    async fn run(&self, command: Command) -> Result<String, Fault> {
        self.execs.pod("driver-n1", command);
        let ran = try_once(self.setup(Role::Operator)).await;
        ran.map(|(driver, _)| driver)
    }

    fn config(&self) -> Config {
        let cluster = Cluster {
            name: "alpha".into(),
            kube: Some(self.kube()),
            nvidia_smi: true,
            ..Cluster::default()
        };
        Config {
            clusters: vec![cluster],
            audit_file: Some(self.audit()),
            roles: Roles {
                default: Role::Operator,
                ..Roles::default()
            },
            ..Config::default()
        }
    }
}

fn audited(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_pod_is_asked_under_either_protocol() {
    for protocol in ["v5.channel.k8s.io", "v4.channel.k8s.io"] {
        let lab = Lab::speaking(protocol).await;
        let driver = lab.run(Command::Prints(A10G.into())).await.unwrap();
        assert_eq!(driver, "515.105.01");
        let asked = lab.execs.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            asked[0].path,
            "/api/v1/namespaces/gpu-operator/pods/driver-n1/exec"
        );
        assert_eq!(asked[0].param("container"), Some("nvidia-driver-ctr"));
        let command: Vec<&str> = asked[0]
            .query
            .iter()
            .filter(|(name, _)| name == "command")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(command, ["nvidia-smi", "-q", "-x"]);
        assert_ne!(asked[0].param("stdin"), Some("true"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_is_told_with_its_place() {
    let half = A10G.as_bytes()[..A10G.len() / 2].to_vec();
    let no_driver =
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n";
    let runtime =
        "OCI runtime exec failed: exec: \"nvidia-smi\": executable file not found in $PATH";
    let lab = Lab::new().await;
    for (command, kind, words) in [
        (
            Command::Ends(9, no_driver, ""),
            FaultKind::Server,
            "code 9 (the driver is not loaded): NVIDIA-SMI has failed",
        ),
        (
            Command::Ends(15, "<?xml", "GPU is lost"),
            FaultKind::Server,
            "fallen off the bus, or is otherwise inaccessible): GPU is lost",
        ),
        (
            Command::NotStarted(runtime),
            FaultKind::Server,
            "not started: OCI runtime exec failed",
        ),
        (
            Command::Cut(half.clone()),
            FaultKind::Unreachable,
            "broke off after",
        ),
        (
            Command::Cut(A10G.into()),
            FaultKind::Unreachable,
            "broke off after",
        ),
        (
            Command::EndsOddly,
            FaultKind::Unreachable,
            "broke off after 0 bytes",
        ),
        (Command::Floods, FaultKind::BadPayload, "more than 8 MiB"),
        (
            Command::Prints(half),
            FaultKind::BadPayload,
            "it ends in the middle",
        ),
        (
            Command::Prints(b"\xff\xfe".to_vec()),
            FaultKind::BadPayload,
            "not what it prints",
        ),
    ] {
        let fault = lab.run(command.clone()).await.expect_err(words);
        assert_eq!(fault.kind, kind, "{fault:?}");
        assert!(fault.what.contains(words), "{words}: {fault:?}");
        assert!(fault.what.contains("gpu-operator/driver-n1"), "{fault:?}");
        assert_eq!(fault.cluster, "alpha");
        assert!(!fault.hint.is_empty(), "{fault:?}");
    }
    // One infoROM is corrupt: the output is whole.
    let out: &'static str = A10G;
    assert!(
        lab.run(Command::Ends(14, out, "WARNING: infoROM is corrupted"))
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_is_not_waited_for() {
    let lab = Lab::new().await;
    lab.execs.pod("driver-n1", Command::Hangs);
    let setup = Setup {
        time: Duration::from_millis(300),
        ..lab.setup(Role::Operator)
    };
    let fault = try_once(setup).await.expect_err("a time-out");
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(
        fault
            .what
            .contains("gpu-operator/driver-n1: not done within"),
        "{fault:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_run_without_role_right_and_audit_line() {
    let lab = Lab::new().await;
    lab.execs.pod("driver-n1", Command::Prints(A10G.into()));
    let fault = try_once(lab.setup(Role::Viewer))
        .await
        .expect_err("a viewer");
    assert_eq!(fault.kind, FaultKind::Forbidden);
    assert!(
        fault
            .what
            .contains("your role here is viewer, operator is needed"),
        "{fault:?}"
    );

    let unwritten = Config {
        audit_file: None,
        ..lab.config()
    };
    let unwritten = lab.set_up(&unwritten);
    let fault = try_once(unwritten).await.expect_err("no audit file");
    assert!(
        fault.what.contains("the audit file cannot be written"),
        "{fault:?}"
    );

    // Everything but the exec, then one of its two rights.
    for given in ["", "get"] {
        let mut user = User::bound("ops", &[], manifest(&["farwatch-read"]));
        if !given.is_empty() {
            user = user.allow(given, "", "pods/exec");
        }
        lab.api.user("lab-view-token", user);
        let fault = try_once(lab.setup(Role::Operator))
            .await
            .expect_err("no right");
        assert_eq!(fault.kind, FaultKind::Forbidden);
        let right = if given.is_empty() { "get" } else { "create" };
        let words = format!("not permitted: {right} pods/exec in gpu-operator");
        assert!(fault.what.contains(&words), "{fault:?}");
        assert!(fault.hint.contains("farwatch-nvidia-smi"), "{fault:?}");
    }
    assert!(lab.execs.asked().is_empty(), "nothing was asked");
    assert!(audited(&lab.audit()).is_empty());
}

/// The review said yes, and the server says no all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_exec_is_told_and_audited_as_refused() {
    let lab = Lab::new().await;
    let path = "/api/v1/namespaces/gpu-operator/pods/driver-n1/exec";
    lab.api.fault(ApiFault::forbidden("get", path));
    let fault = lab
        .run(Command::Prints(A10G.into()))
        .await
        .expect_err("403");
    assert_eq!(fault.kind, FaultKind::Forbidden, "{fault:?}");
    assert!(fault.what.contains("pods/exec"), "{fault:?}");
    let stages: Vec<Value> = audited(&lab.audit())
        .iter()
        .map(|l| l["stage"].clone())
        .collect();
    assert_eq!(stages, ["asked", "refused"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_pod_of_the_driver_it_says_so() {
    let lab = Lab::new().await;
    for kind in ["driver", "plugin"] {
        lab.api.delete("Pod", "gpu-operator", &format!("{kind}-n1"));
    }
    let fault = try_once(lab.setup(Role::Operator))
        .await
        .expect_err("no pod");
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(
        fault
            .what
            .contains("no ready pod of a DaemonSet of the GPU driver"),
        "{fault:?}"
    );
}

/// What the source said next.
async fn heard(queue: &mut Receiver<Telemetry>) -> Body {
    let next = async {
        loop {
            let telemetry = queue.recv().await.expect("the sources run");
            if telemetry.source == SourceKind::NvidiaSmi {
                return telemetry.body;
            }
        }
    };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, next).await.expect("in time")
}

/// Its health after the next round, and the nodes of which it brought series.
async fn round(queue: &mut Receiver<Telemetry>) -> (SourceHealth, BTreeSet<String>) {
    let mut nodes = BTreeSet::new();
    loop {
        match heard(queue).await {
            Body::Samples(batch) => {
                assert_eq!(batch.query.as_ref(), "nvidia-smi -q -x");
                let of = |s: &farwatch::model::sample::SeriesSamples| {
                    s.key.labels.get("node").unwrap_or_default().to_owned()
                };
                nodes.extend(batch.series.iter().map(of));
                let cards = gpu::read(batch.series.iter().map(|s| (&s.key, s.points[0])));
                assert!(
                    cards
                        .iter()
                        .all(|g| g.smi.is_some() && g.temperature_c.is_some())
                );
                assert!(
                    batch
                        .series
                        .iter()
                        .any(|s| s.key.name.as_ref() == smi::CARD)
                );
            }
            Body::Health(health) if health.health != Health::Connecting => return (health, nodes),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_node_leaves_the_others_and_its_next_pod_is_tried() {
    let lab = Lab::new().await;
    gpu_node(&lab.api, "n2");
    lab.execs.pod("driver-n1", Command::Prints(MIG.into()));
    lab.execs
        .pod("driver-n2", Command::NotStarted("no such file"));
    lab.execs.pod("plugin-n2", Command::Prints(A10G.into()));
    let (outlet, mut queue) = Outlet::new(1_024);
    let fleet = Fleet::start_with(Arc::new(lab.config()), outlet, Pace::default());
    let (health, nodes) = round(&mut queue).await;
    assert_eq!(nodes, BTreeSet::from(["n1".to_owned()]));
    let fault = health.fault().expect("a fault");
    assert!(
        fault.what.contains("not started: no such file"),
        "{fault:?}"
    );
    assert!(fault.what.contains("(1 of 2 nodes failed)"), "{fault:?}");
    assert!(health.last_ok.is_some() && health.interval_ms == 60_000);
    fleet.refresh(None);
    let (health, nodes) = round(&mut queue).await;
    assert_eq!(health.health, Health::Live);
    assert_eq!(nodes.len(), 2);
    fleet.refresh(None);
    let (health, _) = round(&mut queue).await;
    assert_eq!(health.health, Health::Live);
    fleet.shutdown().await;
    // Two lines for each of three places, however often it was asked.
    let lines = audited(&lab.audit());
    let seen: Vec<(String, String)> = lines
        .iter()
        .map(|l| {
            (
                l["subject"].as_str().unwrap().into(),
                l["stage"].as_str().unwrap().into(),
            )
        })
        .collect();
    assert_eq!(seen.len(), 6, "{seen:?}");
    for (pod, node, stage) in [
        ("driver-n1", "n1", "done"),
        ("driver-n2", "n2", "failed"),
        ("plugin-n2", "n2", "done"),
    ] {
        let subject = format!("Pod gpu-operator/{pod} on {node}");
        for stage in ["asked", stage] {
            assert!(
                seen.contains(&(subject.clone(), stage.into())),
                "{subject} {stage}: {seen:?}"
            );
        }
    }
    assert!(
        lines
            .iter()
            .all(|l| l["action"] == "nvidia-smi" && l["user"] == "root")
    );
    let path = lines[0]["path"].as_str().unwrap();
    assert!(
        path.ends_with("command=nvidia-smi&command=-q&command=-x"),
        "{path}"
    );
    assert_eq!(lab.execs.asked().len(), 6);
}
