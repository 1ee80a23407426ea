//! What `assets/deploy` promises: two replicas that fit each other, least rights, nothing written,
//! nothing open. Read from the files themselves; the program's own parser and paths are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Parser;
use farwatch::cli::args::{Args, Command};
use farwatch::config::load::parse;
use farwatch::config::{Config, LogForm};
use farwatch::watch::serve::{HEALTH, READY};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy")
}

fn text(path: &str) -> String {
    let path = folder().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Every object of the folder `kubernetes`, with its file.
fn objects() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder().join("kubernetes")).expect("the folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a name").to_owned();
        if name.ends_with(".yaml") && name != "kustomization.yaml" {
            let read = documents(&text(&format!("kubernetes/{name}")));
            all.extend(read.into_iter().map(|value| (name.clone(), value)));
        }
    }
    all
}

fn object(kind: &str, name: &str) -> Value {
    let all = objects().into_iter().map(|(_, value)| value);
    let mut found: Vec<Value> = all
        .filter(|v| v["kind"] == kind && v["metadata"]["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{kind} {name}");
    found.remove(0)
}

fn pod() -> Value {
    object("StatefulSet", "farwatch")["spec"]["template"].clone()
}

/// Bytes of the volume of this name that each replica keeps.
fn claim(name: &str) -> Option<u64> {
    let set = object("StatefulSet", "farwatch");
    let claims = list(&set["spec"]["volumeClaimTemplates"]).clone();
    let claim = claims.iter().find(|c| c["metadata"]["name"] == name)?;
    let size = word(&claim["spec"]["resources"]["requests"]["storage"]);
    let gibibytes: u64 = size.strip_suffix("Gi")?.parse().ok()?;
    Some(gibibytes << 30)
}

fn container() -> Value {
    let containers = pod()["spec"]["containers"].clone();
    assert_eq!(containers.as_array().map(Vec::len), Some(1));
    containers[0].clone()
}

fn list(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// What the pod's configuration says, read as the program reads it.
fn config() -> Config {
    parse(
        &text("kubernetes/config.toml"),
        Path::new("/etc/farwatch/config.toml"),
    )
    .unwrap_or_else(|e| panic!("config.toml: {e}"))
}

#[test]
fn every_object_is_whole_and_none_is_a_secret() {
    let all = objects();
    let mut kinds = BTreeSet::new();
    for (file, value) in &all {
        for key in ["apiVersion", "kind"] {
            assert!(value[key].is_string(), "{file}: {key}");
        }
        assert!(value["metadata"]["name"].is_string(), "{file}");
        assert_ne!(value["kind"], "Secret", "{file}");
        let name = format!("{} {}", value["kind"], value["metadata"]["name"]);
        assert!(kinds.insert(name.clone()), "{name} stands twice");
    }
    for kind in [
        "Namespace",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "StatefulSet",
        "PodDisruptionBudget",
        "Service",
        "NetworkPolicy",
    ] {
        assert!(all.iter().any(|(_, v)| v["kind"] == kind), "{kind}");
    }
}

#[test]
fn the_kustomization_names_every_file_and_the_version() {
    let read = documents(&text("kubernetes/kustomization.yaml")).remove(0);
    let named: BTreeSet<&str> = list(&read["resources"]).iter().map(word).collect();
    let files = objects();
    let there: BTreeSet<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(named, there);
    let map = &list(&read["configMapGenerator"])[0];
    assert_eq!(map["files"], json!(["config.toml"]));
    let volumes = pod()["spec"]["volumes"].clone();
    let mounted = list(&volumes)
        .iter()
        .any(|v| v["configMap"]["name"] == map["name"]);
    assert!(mounted, "the pod mounts another ConfigMap");
    assert_eq!(read["namespace"], "farwatch");
    assert_eq!(
        object("Namespace", "farwatch")["metadata"]["name"],
        "farwatch"
    );
    let image = word(&container()["image"]).to_owned();
    let (name, tag) = image.rsplit_once(':').expect("a version");
    assert_eq!(tag, env!("CARGO_PKG_VERSION"));
    let set = &list(&read["images"])[0];
    assert_eq!((word(&set["name"]), word(&set["newTag"])), (name, tag));
}

#[test]
fn two_replicas_and_one_always_stays() {
    let set = object("StatefulSet", "farwatch");
    let spec = &set["spec"];
    assert_eq!(spec["replicas"], 2);
    assert_eq!(spec["podManagementPolicy"], "Parallel");
    assert_eq!(spec["updateStrategy"]["type"], "RollingUpdate");
    let service = object("Service", word(&spec["serviceName"]));
    assert_eq!(service["spec"]["clusterIP"], "None");
    assert_eq!(
        object("PodDisruptionBudget", "farwatch")["spec"]["minAvailable"],
        1
    );
    let spread = &list(&pod()["spec"]["topologySpreadConstraints"])[0].clone();
    assert_eq!(spread["topologyKey"], "kubernetes.io/hostname");
}

/// Every selector that should find the pods does.
#[test]
fn selectors_match_labels() {
    let labels = pod()["metadata"]["labels"].clone();
    let constraint = pod()["spec"]["topologySpreadConstraints"][0]["labelSelector"].clone();
    let selectors = [
        object("StatefulSet", "farwatch")["spec"]["selector"]["matchLabels"].clone(),
        object("PodDisruptionBudget", "farwatch")["spec"]["selector"]["matchLabels"].clone(),
        object("NetworkPolicy", "farwatch")["spec"]["podSelector"]["matchLabels"].clone(),
        object("Service", "farwatch")["spec"]["selector"].clone(),
        constraint["matchLabels"].clone(),
    ];
    for selector in selectors {
        let selector = selector.as_object().expect("labels");
        assert!(!selector.is_empty());
        for (name, value) in selector {
            assert_eq!(labels[name], *value, "{name}");
        }
    }
}

#[test]
fn the_pod_may_do_nothing_and_writes_nowhere_but_in_its_own_folder() {
    let spec = pod()["spec"].clone();
    let of_pod = &spec["securityContext"];
    assert_eq!(of_pod["runAsNonRoot"], true);
    assert!(of_pod["runAsUser"].as_u64() > Some(0));
    assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault");
    let container = container();
    let own = &container["securityContext"];
    assert_eq!(own["readOnlyRootFilesystem"], true);
    assert_eq!(own["allowPrivilegeEscalation"], false);
    assert_eq!(own["privileged"], false);
    assert_eq!(own["capabilities"], json!({"drop": ["ALL"]}));
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(spec[host].is_null(), "{host}");
    }
    assert_eq!(spec["serviceAccountName"], "farwatch");
    let volumes: BTreeMap<&str, &Value> = list(&spec["volumes"])
        .iter()
        .map(|v| (word(&v["name"]), v))
        .collect();
    assert!(volumes.values().all(|v| v["hostPath"].is_null()));
    for mount in list(&container["volumeMounts"]) {
        let is_own = claim(word(&mount["name"])).is_some();
        assert_ne!(mount["readOnly"] == true, is_own, "{mount}");
    }
    let enforced = &object("Namespace", "farwatch")["metadata"]["labels"];
    assert_eq!(enforced["pod-security.kubernetes.io/enforce"], "restricted");
}

#[test]
fn requests_and_limits_are_set() {
    let resources = container()["resources"].clone();
    for kind in ["requests", "limits"] {
        for what in ["cpu", "memory", "ephemeral-storage"] {
            assert!(resources[kind][what].is_string(), "{kind} {what}");
        }
    }
}

#[test]
fn probes_ask_what_is_served_where_it_is_served() {
    let container = container();
    let port = &list(&container["ports"])[0];
    let listen = config().watch.listen.expect("it listens");
    assert_eq!(port["containerPort"], listen.port());
    assert!(
        listen.ip().is_unspecified(),
        "probes come from outside the pod"
    );
    for (probe, path) in [
        ("startupProbe", HEALTH),
        ("livenessProbe", HEALTH),
        ("readinessProbe", READY),
    ] {
        let get = &container[probe]["httpGet"];
        assert_eq!(
            (&get["path"], &get["port"]),
            (&json!(path), &port["name"]),
            "{probe}"
        );
    }
    let service = object("Service", "farwatch");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    let policy = object("NetworkPolicy", "farwatch");
    assert_eq!(
        policy["spec"]["ingress"][0]["ports"][0]["port"],
        port["name"]
    );
    let expose = format!("EXPOSE {}", listen.port());
    assert!(text("Containerfile").lines().any(|l| l == expose));
}

#[test]
fn the_configuration_is_read_and_fits_the_pod() {
    let config = config();
    assert_eq!(config.clusters.len(), 1);
    let kube = config.clusters[0].kube.as_ref().expect("an API server");
    assert!(kube.in_cluster && !config.clusters[0].discover);
    assert_eq!(config.contexts, None, "no kubeconfig is looked for");
    assert!(config.team.is_some(), "two replicas need leases");
    assert_eq!(config.watch.log, LogForm::Json);
    assert!(
        !config.actions && !config.clusters[0].nvidia_smi,
        "the role reads only"
    );
    let container = container();
    let mounts = list(&container["volumeMounts"]);
    let mounted = |path: &Path| {
        let found = mounts
            .iter()
            .find(|m| path.starts_with(word(&m["mountPath"])));
        found
            .unwrap_or_else(|| panic!("{} is not mounted", path.display()))
            .clone()
    };
    let spool = config.watch.spool.expect("a spool");
    let mount = mounted(&spool);
    assert!(mount["readOnly"].is_null(), "the spool can be written");
    let room = claim(word(&mount["name"])).expect("a volume that outlives the pod");
    assert!(config.watch.spool_size_bytes < room, "the volume is larger");
    // Secrets are files of the mounted folder, each of them.
    for line in text("kubernetes/config.toml").lines() {
        for part in line.split("_file = \"").skip(1) {
            let path = part.split('"').next().expect("a path");
            assert!(path.starts_with("/etc/farwatch/secrets/"), "{line}");
            assert_eq!(mounted(Path::new(path))["name"], "secrets");
        }
    }
    let args: Vec<&str> = list(&container["args"]).iter().map(word).collect();
    let file = args
        .iter()
        .skip_while(|a| **a != "--config")
        .nth(1)
        .expect("a file");
    assert_eq!(mounted(Path::new(file))["name"], "config");
    let whole = std::iter::once("farwatch").chain(args.iter().copied());
    let read = Args::try_parse_from(whole).expect("flags of the program");
    assert!(matches!(read.command, Some(Command::Watch(_))));
}

/// Host and port of a URL in the cluster: namespace and port of its service.
fn service(url: &str) -> (String, u64) {
    let rest = url.split("://").nth(1).expect("a URL");
    let authority = rest.split('/').next().expect("a host");
    let (host, port) = authority.rsplit_once(':').expect("a port");
    let namespace = host.split('.').nth(1).expect("NAME.NAMESPACE.svc");
    assert!(host.ends_with(".svc"), "{host}");
    (namespace.to_owned(), port.parse().expect("a number"))
}

#[test]
fn the_network_is_closed_but_for_what_is_configured() {
    let closed = object("NetworkPolicy", "default-deny")["spec"].clone();
    assert_eq!(closed["podSelector"], json!({}));
    assert_eq!(closed["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(closed["ingress"].is_null() && closed["egress"].is_null());
    let policy = object("NetworkPolicy", "farwatch")["spec"].clone();
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    let mut open = BTreeSet::new();
    for rule in list(&policy["egress"]) {
        assert!(!list(&rule["to"]).is_empty() && !list(&rule["ports"]).is_empty());
        for (to, port) in list(&rule["to"])
            .iter()
            .flat_map(|t| list(&rule["ports"]).iter().map(move |p| (t, p)))
        {
            let labels = &to["namespaceSelector"]["matchLabels"];
            let name = labels["kubernetes.io/metadata.name"]
                .as_str()
                .unwrap_or("anywhere");
            open.insert((name.to_owned(), port["port"].as_u64().expect("a number")));
        }
    }
    for rule in list(&policy["ingress"]) {
        assert!(
            !list(&rule["from"]).is_empty(),
            "from somewhere, not from everywhere"
        );
    }
    let config = config();
    let cluster = &config.clusters[0];
    let mut urls = vec![cluster.prometheus.as_ref().expect("one").url.clone()];
    urls.extend(cluster.alertmanagers.iter().map(|e| e.url.clone()));
    urls.extend(config.watch.webhook.iter().map(|e| e.url.clone()));
    urls.extend(config.team.expect("a team").nats.urls);
    for url in urls {
        assert!(open.contains(&service(&url)), "{url} is not let out");
    }
    assert!(open.contains(&("kube-system".to_owned(), 53)), "names");
    let everywhere: Vec<u64> = open
        .iter()
        .filter(|(n, _)| n == "anywhere")
        .map(|(_, p)| *p)
        .collect();
    assert_eq!(everywhere, [443, 6443], "API servers");
}

/// The rules of a role as a set: group, resource, names, verbs.
fn rules(role: &Value) -> BTreeSet<(String, String, String, String)> {
    let words = |value: &Value| -> Vec<String> {
        let all = value.as_array().cloned().unwrap_or_default();
        all.iter().map(|w| word(w).to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in list(&role["rules"]) {
        assert!(rule["nonResourceURLs"].is_null());
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                for verb in words(&rule["verbs"]) {
                    let names = words(&rule["resourceNames"]).join(" ");
                    all.insert((group.clone(), resource.clone(), names.clone(), verb));
                }
            }
        }
    }
    all
}

#[test]
fn the_role_is_the_reading_one_and_no_more() {
    let role = object("ClusterRole", "farwatch-watch");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac.yaml");
    let documented = documents(&std::fs::read_to_string(path).expect("docs/rbac.yaml"));
    let reading = documented
        .iter()
        .find(|d| d["metadata"]["name"] == "farwatch-read");
    // Nobody asks a watcher for the log of a pod.
    let mut wanted = rules(reading.expect("farwatch-read"));
    wanted.retain(|(_, resource, ..)| resource != "pods/log");
    assert_eq!(rules(&role), wanted);
    for (group, resource, _, verb) in rules(&role) {
        let question = group.ends_with(".k8s.io") && resource.starts_with("selfsubject");
        let reads = ["get", "list", "watch"].contains(&verb.as_str());
        assert!(
            reads || (verb == "create" && question),
            "{verb} {resource}.{group}"
        );
        assert!(!resource.contains("secret") && !resource.contains('*') && group != "*");
    }
    let binding = object("ClusterRoleBinding", "farwatch-watch");
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    let subject = &list(&binding["subjects"])[0];
    let account = object("ServiceAccount", "farwatch");
    assert_eq!(subject["name"], account["metadata"]["name"]);
    assert_eq!(subject["namespace"], "farwatch");
    assert_eq!(list(&binding["subjects"]).len(), 1);
    // Only the pod that asks for the token gets it.
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(pod()["spec"]["automountServiceAccountToken"], true);
}

/// A tag of three numbers with what stands behind them, or a digest.
fn is_pinned(image: &str) -> bool {
    if let Some((_, digest)) = image.split_once("@sha256:") {
        return digest.len() == 64;
    }
    let Some((_, tag)) = image.rsplit_once(':') else {
        return false;
    };
    let version = tag.split('-').next().unwrap_or_default();
    let parts: Vec<&str> = version.split('.').collect();
    parts.len() >= 2 && parts.iter().all(|p| p.parse::<u32>().is_ok())
}

#[test]
fn the_image_is_built_apart_pinned_and_without_root() {
    let file = text("Containerfile");
    let lines: Vec<&str> = file.lines().filter(|l| !l.starts_with('#')).collect();
    let images: Vec<&str> = lines
        .iter()
        .filter_map(|l| l.strip_prefix("ARG ")?.split_once('='))
        .map(|(_, image)| image)
        .collect();
    assert_eq!(images.len(), 2);
    for image in &images {
        assert!(is_pinned(image) && !image.contains("latest"), "{image}");
    }
    let rust = format!("rust:{}.", env!("CARGO_PKG_RUST_VERSION"));
    assert!(images[0].contains(&rust), "{} is not {rust}", images[0]);
    let stages: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].starts_with("FROM "))
        .collect();
    assert_eq!(stages.len(), 2);
    for stage in &stages {
        assert!(lines[*stage].contains("${"), "an image without a pin");
    }
    let last = &lines[stages[1]..];
    assert!(
        !last
            .iter()
            .any(|l| l.starts_with("RUN") || l.starts_with("ADD")),
        "nothing is fetched"
    );
    let user = last
        .iter()
        .find_map(|l| l.strip_prefix("USER "))
        .expect("a user");
    let expected = pod()["spec"]["securityContext"].clone();
    assert_eq!(
        user,
        format!("{}:{}", expected["runAsUser"], expected["runAsGroup"])
    );
    let command = last
        .iter()
        .find_map(|l| l.strip_prefix("CMD "))
        .expect("a command");
    let command: Value = serde_json::from_str(command).expect("a list");
    assert_eq!(command, container()["args"]);
    assert!(lines.iter().any(|l| l.contains("cargo build --locked")));
    assert!(
        !is_pinned("rust")
            && !is_pinned("rust:latest")
            && !is_pinned("rust:1")
            && !is_pinned("rust@sha256:ab")
    );
}

/// Its patches meet what stands there: a path that does not exist fails when it is applied.
#[test]
fn the_overlay_for_openshift_fits() {
    let read = documents(&text("openshift/kustomization.yaml")).remove(0);
    assert_eq!(read["resources"], json!(["../kubernetes"]));
    for patch in list(&read["patches"]) {
        let target = &patch["target"];
        let object = object(word(&target["kind"]), word(&target["name"]));
        for step in list(&documents(word(&patch["patch"])).remove(0)) {
            let path = word(&step["path"]);
            match word(&step["op"]) {
                "remove" => assert!(object.pointer(path).is_some(), "{path}"),
                "add" => {
                    let list = path.strip_suffix("/-").expect("the end of a list");
                    assert!(object.pointer(list).is_some_and(Value::is_array), "{path}");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn gitops_points_at_a_version_of_these_files() {
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let there = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(
            path.join("kustomization.yaml").exists(),
            "{}",
            path.display()
        );
    };
    let argo = documents(&text("argocd/application.yaml")).remove(0);
    assert_eq!(argo["kind"], "Application");
    assert_eq!(argo["spec"]["source"]["targetRevision"], version);
    there(word(&argo["spec"]["source"]["path"]));
    assert_eq!(argo["spec"]["destination"]["namespace"], "farwatch");
    let flux = documents(&text("flux/kustomization.yaml"));
    assert_eq!(flux[0]["spec"]["ref"]["tag"], version);
    assert_eq!(
        flux[1]["spec"]["sourceRef"]["name"],
        flux[0]["metadata"]["name"]
    );
    there(word(&flux[1]["spec"]["path"]));
}
