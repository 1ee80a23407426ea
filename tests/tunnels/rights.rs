//! Who signs in is what `docs/rbac.yaml` says, read from the file: the API server refuses nothing
//! that the console asks, and the file grants nothing that it never asks.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Kube, Roles, Target, Via};
use farwatch::model::action::{Action, ActionRequest};
use farwatch::model::ask::{Answer, Ask, PodLogs, Question};
use farwatch::model::gitops::AppKind;
use farwatch::model::id::{ClusterId, RequestId};
use farwatch::model::identity::Role;
use farwatch::model::object::ObjectKind;
use farwatch::model::rights::NEEDS;
use farwatch::model::telemetry::Body;
use farwatch::source::Outlet;
use farwatch::source::actions::{Actions, Reach};
use farwatch::source::supervisor::{Fleet, Pace};
use serde_json::json;

use crate::apiserver::{Options, Used, User, manifest};
use crate::cards;
use crate::exec::{Command, Execs};
use crate::{Lab, QUERY, SERVICE, endpoint, forward, stub, to};

const ROLES: [&str; 4] = [
    "farwatch-read",
    "farwatch-tunnel",
    "farwatch-act",
    "farwatch-nvidia-smi",
];
const OPENSHIFT: &str = "config.openshift.io";
const PATIENCE: Duration = Duration::from_secs(60);

/// With one object of every kind that is watched there.
async fn lab(options: Options) -> Lab {
    let openshift = options.openshift;
    let lab = Lab::with(options).await;
    lab.api
        .user("lab-view-token", User::bound("ops", &[], manifest(&ROLES)));
    for kind in kinds(openshift) {
        let api = kind.api();
        let version = match api.group {
            "" => api.version.to_owned(),
            group => format!("{group}/{}", api.version),
        };
        let mut object = json!({"apiVersion": version, "kind": api.kind, "metadata": {"name": "one"},
            "spec": {"nodeName": "one", "containers": [{"name": "main"}]}});
        if api.namespaced {
            object["metadata"]["namespace"] = "shop".into();
        }
        if kind == ObjectKind::ClusterVersion {
            object["metadata"]["name"] = "version".into();
        }
        lab.api.put(object);
    }
    lab.api.put(json!({"apiVersion": "route.openshift.io/v1", "kind": "Route",
        "metadata": {"namespace": "shop", "name": "one"}, "spec": {"host": "one.farwatch.invalid"}}));
    lab
}

fn kinds(openshift: bool) -> impl Iterator<Item = ObjectKind> {
    let watched = NEEDS
        .iter()
        .filter(move |n| openshift || n.group != OPENSHIFT);
    watched.filter_map(|n| n.kind)
}

fn config(lab: &Lab, folder: &Path) -> Config {
    Config {
        audit_file: Some(folder.join("actions.jsonl")),
        clusters: vec![Cluster {
            name: "alpha".into(),
            kube: Some(Kube {
                context: Some("lab".into()),
                kubeconfig: vec![lab.api.kubeconfig()],
                ..Kube::default()
            }),
            discover: true,
            nvidia_smi: true,
            ..Cluster::default()
        }],
        actions: true,
        roles: Roles {
            default: Role::Operator,
            ..Roles::default()
        },
        ..Config::default()
    }
}

/// The console as it runs: everything is watched, reviewed and looked for, and `check` passes.
async fn console(lab: &Lab, openshift: bool) {
    let folder = tempfile::tempdir().unwrap();
    let config = Arc::new(config(lab, folder.path()));
    cards::gpu_node(&lab.api, "gpu-1");
    let execs = Execs::serve(&lab.api);
    execs.pod("driver-gpu-1", Command::Prints(cards::A10G.into()));
    for row in farwatch::cli::check::check(&config).await {
        assert!(row.ok, "{row:?}");
    }
    let (outlet, mut queue) = Outlet::new(1_024);
    let fleet = Fleet::start_with(config.clone(), outlet, Pace::default());
    let mut missing: BTreeSet<ObjectKind> = kinds(openshift).collect();
    let (mut known, mut found) = (false, false);
    let all = async {
        while !(missing.is_empty() && known && found) {
            match queue.recv().await.expect("the sources run").body {
                Body::Objects(batch) => drop(missing.remove(&batch.kind)),
                Body::Identity(_) => known = true,
                Body::Discovery(_) => found = true,
                _ => {}
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!("identity {known}, discovery {found}, not listed {missing:?}");
    }
    for kind in kinds(openshift) {
        object(&fleet, kind).await;
    }
    let logs = Ask::PodLogs(PodLogs {
        namespace: "shop".into(),
        pod: "one".into(),
        container: None,
        previous: false,
        since_s: None,
        lines: 10,
    });
    let logs = ask(&fleet, logs).await;
    assert!(matches!(logs, Answer::Logs(_)), "{logs:?}");
    act(lab, config).await;
    // After its list, each kind is watched.
    let watched = async {
        while !kinds(openshift).all(|kind| lab.api.count("watch", kind.api().plural) > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watched)
        .await
        .expect("watches");
    fleet.shutdown().await;
}

async fn ask(fleet: &Fleet, ask: Ask) -> Answer {
    let question = Question {
        id: RequestId(1),
        cluster: ClusterId(0),
        ask,
    };
    fleet.lookup().ask(question).await.result.unwrap()
}

async fn object(fleet: &Fleet, kind: ObjectKind) {
    let api = kind.api();
    let name = match kind {
        ObjectKind::ClusterVersion => "version",
        _ => "one",
    };
    let wanted = Ask::Object {
        kind: api,
        namespace: if api.namespaced { "shop" } else { "" }.into(),
        name: name.into(),
    };
    let text = ask(fleet, wanted).await;
    assert!(matches!(text, Answer::Object(_)), "{text:?}");
}

/// Everything that can be acted on.
async fn act(lab: &Lab, config: Arc<Config>) {
    let folder = tempfile::tempdir().unwrap();
    let reach = Reach {
        server: Some(lab.server.clone()),
        alertmanagers: Vec::new(),
    };
    let audit = folder.path().join("actions.jsonl");
    let actions = Actions::new(config, Arc::new(move |_| reach.clone()), Some(audit));
    let (namespace, name) = (String::from("shop"), String::from("one"));
    let reconcile = |kind| Action::Reconcile {
        kind,
        namespace: namespace.clone(),
        name: name.clone(),
        at: clock::now(),
    };
    let mut all = vec![Action::Refresh {
        namespace: namespace.clone(),
        name: name.clone(),
        hard: false,
    }];
    all.extend(
        [
            AppKind::Kustomization,
            AppKind::HelmRelease,
            AppKind::GitRepository,
            AppKind::OciRepository,
            AppKind::HelmRepository,
            AppKind::HelmChart,
            AppKind::Bucket,
        ]
        .map(reconcile),
    );
    for action in all {
        let request = ActionRequest::new(ClusterId(0), action, "ops");
        let acted = actions.carry_out(request).await;
        assert!(acted.result.is_ok(), "{acted:?}");
    }
}

/// Both ways to a service, and the certificate of the authority of one that speaks TLS.
async fn tunnels(lab: &Lab) {
    let backend = stub().await;
    lab.works("prometheus-k8s-0", backend.address);
    lab.api
        .backend("monitoring", SERVICE, "web", backend.address);
    for via in [forward(), Via::Proxy(to(SERVICE))] {
        let door = lab.door(via);
        let query = [("query", "up")];
        door.get(QUERY, &query).await.unwrap();
        door.post_form(QUERY, &query).await.unwrap();
    }
    let mut guarded = to(SERVICE);
    guarded.tls = true;
    let door = lab.open(&endpoint(Via::Forward(Target::Service(guarded))));
    // It speaks no TLS; its authority was asked for all the same.
    door.get(QUERY, &[]).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifest_grants_what_is_asked_and_nothing_else() {
    let mut used: BTreeSet<Used> = BTreeSet::new();
    for openshift in [true, false] {
        // Lists and their watches, then lists as watches.
        let options = Options {
            version: openshift.then(|| "v1.31.4".into()),
            openshift,
            ..Options::default()
        };
        let lab = lab(options).await;
        tunnels(&lab).await;
        console(&lab, openshift).await;
        used.extend(lab.api.used());
    }
    let refused: Vec<&Used> = used.iter().filter(|u| !u.allowed).collect();
    assert!(refused.is_empty(), "asked, but not granted: {refused:#?}");
    let mut unused = Vec::new();
    for rule in manifest(&ROLES) {
        let ([group], [resource]) = (&rule.groups[..], &rule.resources[..]) else {
            panic!("one resource a rule: {rule:?}");
        };
        for verb in &rule.verbs {
            let is = |u: &Used| {
                (&u.verb, &u.group, &u.resource) == (verb, group, resource)
                    && (rule.names.is_empty() || rule.names.contains(&u.name))
            };
            if !used.iter().any(is) {
                unused.push(format!("{verb} {resource}.{group} {:?}", rule.names));
            }
        }
    }
    assert!(unused.is_empty(), "granted, but never asked: {unused:#?}");
}
