//! The configuration: the shipped example, the snippet of the manual, and what is refused.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use farwatch::config::load::parse;
use farwatch::config::{
    self, Auth, ClusterKind, Config, ConfigError, ServicePort, ServiceRef, Target, Via, signal,
};
use farwatch::model::alert::Severity;

const EXAMPLE: &str = include_str!("../config.example.toml");
const PLACE: &str = "/etc/farwatch/config.toml";

fn read(text: &str) -> Result<Config, ConfigError> {
    parse(text, Path::new(PLACE))
}

fn refused(text: &str) -> (usize, String, String) {
    match read(text) {
        Err(ConfigError::Invalid {
            line, what, hint, ..
        }) => (line, what, hint),
        other => panic!("{text}\nwas not refused: {other:?}"),
    }
}

/// Settings that are switched off stand behind a "#" without a blank.
fn switched_on() -> String {
    EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with([' ', '#']) => rest,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn the_example_equals_the_defaults() {
    let mut config = read(EXAMPLE).expect("config.example.toml");
    assert_eq!(config.file.take(), Some(PathBuf::from(PLACE)));
    assert_eq!(config, Config::default());
    let mut bare = read(&without_comments(EXAMPLE)).expect("without comments");
    bare.file = None;
    assert_eq!(bare, Config::default());
}

#[test]
fn the_example_parses_with_every_setting_switched_on() {
    let text = switched_on();
    let config = read(&text).expect("switched on");
    assert_eq!(
        config,
        read(&without_comments(&text)).expect("and without comments")
    );
    assert_eq!(config.clusters.len(), 5);
    let alpha = &config.clusters[0];
    assert_eq!(alpha.kind, ClusterKind::Hub);
    let prometheus = alpha.prometheus.as_ref().expect("prometheus");
    assert_eq!(
        prometheus.auth,
        Auth::BearerFile(PathBuf::from("/etc/farwatch/alpha.token"))
    );
    let beta = config.clusters[2].prometheus.as_ref().expect("prometheus");
    assert_eq!(
        beta.timeout,
        Duration::from_secs(15),
        "an edge is given more time"
    );
    assert_eq!(config.ui.max_fps, Some(30));
    let cpu = config
        .signals
        .iter()
        .find(|s| s.name.as_ref() == "node_cpu_busy")
        .expect("in the catalogue");
    assert_eq!(cpu.limit.and_then(|l| l.crit), Some(0.98));
    assert!(
        config
            .signals
            .iter()
            .any(|s| s.name.as_ref() == "checkout_latency_p95")
    );
    assert_eq!(config.severities.of("p1"), Severity::Critical);
    assert_eq!(config.severities.of("page"), Severity::Critical);
    // What the example says about defaults outside its plain settings.
    let agent = config.agent.expect("agent");
    let defaults = read("[agent]\nurl = \"http://127.0.0.1:8000/v1\"")
        .expect("valid")
        .agent
        .expect("agent");
    assert_eq!(
        (agent.limits, agent.max_tokens, agent.temperature),
        (defaults.limits, defaults.max_tokens, defaults.temperature)
    );
    let (endpoint, usual) = (&agent.servers[0].endpoint, &defaults.servers[0].endpoint);
    assert_eq!(endpoint.timeout, usual.timeout);
    assert_eq!(endpoint.requests_per_minute, usual.requests_per_minute);
}

#[test]
fn one_alertmanager_or_several() {
    let urls = |text: &str| -> Vec<String> {
        let text = format!("[[clusters]]\nname = \"abc\"\n{text}");
        let config = read(&text).expect("valid");
        let all = config.clusters[0].alertmanagers.iter();
        all.map(|e| e.url.clone()).collect()
    };
    assert!(urls("").is_empty());
    assert_eq!(
        urls("alertmanager = { url = \"http://a:9093\" }"),
        ["http://a:9093"]
    );
    assert_eq!(
        urls("alertmanager.url = \"http://a:9093\""),
        ["http://a:9093"]
    );
    let both = "alertmanager = [{ url = \"http://a:9093\" }, { url = \"http://b:9093\" }]";
    assert_eq!(urls(both), ["http://a:9093", "http://b:9093"]);
    let tables = "[[clusters.alertmanager]]\nurl = \"http://a\"\n\
        [[clusters.alertmanager]]\nurl = \"http://b\"\n";
    assert_eq!(urls(tables), ["http://a", "http://b"]);
    // A mistake is told with its line, in either form.
    for wrong in [
        "alertmanager = { urk = \"http://a\" }",
        "alertmanager = [\n { url = \"http://a\", urk = 1 }]",
        "alertmanager = \"http://a\"",
        "alertmanager = [\"http://a\"]",
        "alertmanager = { url = \"ftp://a\" }",
        "alertmanager = [{ url = \"http://a\" }, { url = \"ftp://a\" }]",
    ] {
        let text = format!("[[clusters]]\nname = \"abc\"\n{wrong}");
        let told = read(&text).expect_err(wrong).to_string();
        let line = if wrong.contains('\n') { 4 } else { 3 };
        assert!(told.contains(&format!(".toml:{line}:")), "{wrong}: {told}");
    }
}

#[test]
fn a_service_stands_for_a_url() {
    let text = "[[clusters]]\nname = \"abc\"\nkube = {}\n\
        prometheus.service = \"monitoring/prometheus-k8s:web\"\n\
        alertmanager = { service = \"m/am:9093\", via = \"proxy\", path = \"am/\", tls = true }\n\
        exporters = [{ pods = \"gpu/app.kubernetes.io/name=x,y!=z:metrics\" }]";
    let config = read(text).expect("valid");
    let cluster = &config.clusters[0];
    let service = |namespace: &str, name: &str, port, tls| ServiceRef {
        namespace: namespace.into(),
        name: name.into(),
        port,
        tls,
    };
    let prometheus = cluster.prometheus.as_ref().expect("prometheus");
    let web = ServicePort::Name("web".into());
    let web = Target::Service(service("monitoring", "prometheus-k8s", web, false));
    assert_eq!(prometheus.via, Via::Forward(web));
    assert_eq!(prometheus.url, "http://prometheus-k8s.monitoring.svc");
    let alertmanager = cluster.alertmanagers.first().expect("alertmanager");
    let am = service("m", "am", ServicePort::Number(9093), true);
    assert_eq!(alertmanager.via, Via::Proxy(am));
    assert_eq!(alertmanager.url, "https://am.m.svc:9093/am");
    let words = alertmanager.via_words();
    assert_eq!(words.as_deref(), Some("via service proxy m/am:9093"));
    let pods = Target::Pods {
        namespace: "gpu".into(),
        selector: "app.kubernetes.io/name=x,y!=z".into(),
        port: ServicePort::Name("metrics".into()),
    };
    assert_eq!(cluster.exporters[0].via, Via::Forward(pods));
    assert_eq!(cluster.exporters[0].url, "http://pod.gpu");
}

#[test]
fn the_example_documents_every_key() {
    let documented = switched_on();
    let tables = [
        ("", "", &[][..]),
        ("[[clusters]]\nname = \"abc\"\n", "", &[]),
        ("[[clusters]]\nname = \"abc\"\nkube = { ", " }", &[]),
        ("[[clusters]]\nname = \"abc\"\nloki = { ", " }", &[]),
        ("[agent]\nurl = \"http://a\"\n", "", &["user_id"]),
        (
            "[[clusters]]\nname = \"abc\"\nnats = { ",
            " }",
            &[
                "urls",
                "nkey_file",
                "token_file",
                "tls_first",
                "inbox_prefix",
                "domain",
            ],
        ),
        ("[ui]\n", "", &[]),
        ("[team]\nnats = { url = \"nats://a\" }\n", "", &[]),
        ("[watch]\n", "", &[]),
        ("[limits]\n", "", &[]),
        ("[alerts]\n", "", &[]),
        ("[dpdk]\n", "", &[]),
        ("[dpdk.labels]\n", "", &[]),
        ("[[signals]]\nname = \"abc\"\n", "", &[]),
        ("[[metrics]]\nname = \"abc\"\n", "", &[]),
    ];
    for (before, after, named_in_words) in tables {
        let (_, what, hint) = refused(&format!("{before}qqqqqqqqqqqq = 1{after}"));
        assert!(what.contains("qqqqqqqqqqqq"), "{what}");
        let keys = hint.strip_prefix("known here: ").expect("a list of keys");
        for key in keys.split(", ") {
            let shown = documented.lines().any(|line| {
                let name = line.trim_start_matches('[').trim_end_matches(']');
                name == key
                    || name.ends_with(&format!(".{key}"))
                    || line.starts_with(&format!("{key} = "))
                    || line.contains(&format!("{{ {key} = "))
                    || line.contains(&format!(", {key} = "))
            });
            let in_words = named_in_words.contains(&key) && documented.contains(key);
            assert!(shown || in_words, "`{key}` is not documented");
        }
    }
}

/// As the manual shows it, word for word.
const SNIPPET: &str = r#"
[[clusters]]
name = "alpha"                      # also: type, environment, region, labels = { site = "lyon" }
kube = { context = "alpha" }        # optional; kubeconfig = "path" to name the file
prometheus = { url = "https://127.0.0.1:9090", bearer_file = "alpha.token", ca_file = "ca.pem" }
alertmanager = { url = "http://127.0.0.1:9093" }
loki = { url = "http://127.0.0.1:3100", headers = { "X-Scope-OrgID" = "ops" } }
tempo = { url = "http://127.0.0.1:3200" }
nats = { url = "nats://127.0.0.1:4222" }    # creds_file, nkey_file, token_file, user + password_file
exporters = [{ url = "http://127.0.0.1:9400/metrics" }]

[agent]
url = "http://127.0.0.1:8000/v1"    # model is asked from the server unless set; bearer_file, bearer_command

"#;

#[test]
fn the_snippet_of_the_manual_works() {
    let config = read(SNIPPET).expect("snippet");
    let alpha = &config.clusters[0];
    assert_eq!(alpha.name, "alpha");
    assert_eq!(alpha.kind, ClusterKind::Spoke);
    let prometheus = alpha.prometheus.as_ref().expect("prometheus");
    assert_eq!(
        prometheus.ca_file.as_deref(),
        Some(Path::new("/etc/farwatch/ca.pem"))
    );
    assert_eq!(prometheus.timeout, Duration::from_secs(10));
    let loki = alpha.loki.as_ref().expect("loki");
    assert_eq!(
        loki.headers,
        [("X-Scope-OrgID".to_owned(), "ops".to_owned())]
    );
    assert_eq!(alpha.exporters[0].url, "http://127.0.0.1:9400/metrics");
    let nats = alpha.nats.as_ref().expect("nats");
    assert_eq!(nats.urls, ["nats://127.0.0.1:4222"]);
}

#[test]
fn secrets_are_refused_with_line_and_remedy() {
    for (text, line) in [
        ("[agent]\nurl = \"http://a\"\nbearer = \"hunter2\"", 3),
        ("[agent]\nurl = \"http://me:hunter2@a/v1\"", 2),
        (
            "[agent]\nurl = \"http://a\"\n\nheaders = { Authorization = \"Bearer hunter2\" }",
            4,
        ),
        (
            "[nats]\nurl = \"nats://a\"\nuser = \"x\"\npassword = \"hunter2\"",
            4,
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki = { url = \"http://a\", token = \"hunter2\" }",
            3,
        ),
        (
            "[agent]\nurl = \"http://a\"\n[agent.headers]\nX-Api-Key = \"hunter2\"",
            4,
        ),
        // Where the wrong type or syntax would make a parser quote the line.
        (
            "[[clusters]]\nname = \"abc\"\nloki = \"http://u:hunter2@a\"",
            3,
        ),
        ("[agent]\nurl = \"http://a\"\nmodel = [\"hunter2", 3),
        (
            "[agent]\nurl = \"http://a\"\nbearer_command = \"echo hunter2\"",
            3,
        ),
    ] {
        let error = read(text).expect_err(text);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains(&format!("{PLACE}:{line}:")), "{shown}");
    }
    let (_, _, hint) = refused("[agent]\nurl = \"http://a\"\nbearer = \"hunter2\"");
    assert!(
        hint.contains("bearer_file") && hint.contains("bearer_command"),
        "{hint}"
    );
}

#[test]
fn mistakes_name_line_and_remedy() {
    for (text, line, what, hint) in [
        ("\n[ui]\nteme = \"dark\"", 3, "`teme`", "`theme`"),
        (
            "[alerts]\nseverity = { P1 = \"urgent\" }",
            2,
            "\"urgent\" is no severity",
            "\"critical\"",
        ),
        ("[[cluster]]\nname = \"abc\"", 1, "`cluster`", "`clusters`"),
        (
            "[[mcp]]\nname = \"abc\"\ncommand = [\"x\"]\ntools = [\"read\"]\nallow = [\"write\"]",
            5,
            "\"write\", which `tools` leaves out",
            "name it in `tools` too",
        ),
        (
            "[[clusters]]\nname = \"abc\"\ntype = \"huub\"",
            3,
            "`huub`",
            "`hub`",
        ),
        (
            "[[clusters]]\nname = \"Not a name\"",
            2,
            "no cluster name",
            "lower-case",
        ),
        (
            "[[clusters]]\nname = \"abc\"\n[[clusters]]\nname = \"abc\"",
            4,
            "twice",
            "of its own",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki = { url = \"127.0.0.1:3100\" }",
            3,
            "scheme",
            "http://",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki = { url = \"http://a:99999\" }",
            3,
            "host and port",
            "http://",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki = { url = \"http://a\", user = \"x\" }",
            3,
            "`password_file`",
            "bearer_file",
        ),
        ("[ui]\nmax_fps = 1000", 2, "max_fps", "60"),
        ("[limits]\nretention = \"2 hours\"", 2, "duration", ""),
        ("[agent]\nmodel = \"x\"", 1, "`url` is missing", ""),
        (
            "[[clusters]]\nname = \"abc\"\n\n[clusters.loki]\ntimeout = \"5s\"",
            4,
            "`url` is missing",
            "service",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki.service = \"a/b:c\"",
            3,
            "no `kube`",
            "kube = {",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki.service = \"loki:3100\"",
            4,
            "no namespace",
            "NAMESPACE/NAME:PORT",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki.service = \"logs/loki\"",
            4,
            "no port",
            "NAMESPACE/NAME:PORT",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki.service = \"logs/loki:0\"",
            4,
            "port",
            "NAMESPACE/NAME:PORT",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki = { url = \"http://a\", via = \"proxy\" }",
            4,
            "belong to a `service`",
            "url",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki = { service = \"a/b:1\", via = \"proxy\", bearer_from = \"kubeconfig\" }",
            4,
            "no credentials",
            "port-forward",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = {}\nloki = { url = \"http://far\", bearer_from = \"kubeconfig\" }",
            4,
            "without encryption",
            "https",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nloki = { url = \"https://far\", bearer_from = \"kubeconfig\" }",
            3,
            "no `kube`",
            "bearer_file",
        ),
        ("[[signals]]\nname = \"mine\"", 1, "mine", ""),
        (
            "[[clusters]]\nname = \"abc\"\nprometheus = \"http://a\"",
            3,
            "wrong type: text, expected a table",
            "{ url = \"http://host:port\" }",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nnats = \"nats://a\"",
            3,
            "wrong type: text, expected a table",
            "nats = { url = \"nats://host:4222\" }",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nkube = \"alpha\"",
            3,
            "wrong type: text, expected a table",
            "kube = { context =",
        ),
        (
            "[[clusters]]\nname = \"abc\"\nexporters = { url = \"http://a\" }",
            3,
            "wrong type: a table, expected a list",
            "[...]",
        ),
        (
            "[clusters]\nname = \"abc\"",
            1,
            "wrong type: a table, expected a list",
            "[[NAME]]",
        ),
        (
            "[[clusters]]\nname = \"abc\"\ntype = 1",
            3,
            "expected one of \"hub\", \"spoke\", \"edge\", \"far-edge\"",
            "",
        ),
        (
            "[team]\nnats = { url = \"nats://a\" }\nincidents = true",
            3,
            "wrong type: boolean, expected one of \"own\", \"watchers\"",
            "",
        ),
        (
            "[team]\nnats = { url = \"nats://a\", interval = \"5s\" }",
            2,
            "`interval` has no use",
            "leases",
        ),
    ] {
        let (at, said, remedy) = refused(text);
        assert_eq!(at, line, "{text}: {said}");
        assert!(said.contains(what), "{text}: {said}");
        assert!(remedy.contains(hint), "{text}: {remedy}");
    }
}

#[test]
fn flag_wins_over_environment_and_a_missing_file_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let flag = folder.path().join("flag.toml");
    let env = folder.path().join("env.toml");
    std::fs::write(&flag, "[ui]\ntheme = \"light\"").expect("write");
    std::fs::write(&env, "[ui]\ntheme = \"sixteen\"").expect("write");
    let theme =
        |flag: Option<&Path>, env: Option<&Path>| config::load(flag, env).expect("valid").ui.theme;
    assert_eq!(theme(Some(&flag), Some(&env)), "light");
    assert_eq!(theme(None, Some(&env)), "sixteen");
    let missing = folder.path().join("missing.toml");
    let error = config::load(None, Some(&missing)).expect_err("missing");
    let told = error.to_string();
    assert!(
        told.contains("missing.toml") && told.contains("FARWATCH_CONFIG"),
        "{told}"
    );
}

/// Every query of the catalogue is read by the real parser.
#[test]
fn promtool_accepts_every_query_of_the_catalogue() {
    let mut rules = String::from("groups:\n- name: catalogue\n  rules:\n");
    let catalogue = signal::parse(signal::SOURCE).expect("catalogue");
    for entry in &catalogue.signals {
        let query = serde_json::to_string(entry.query.as_ref()).expect("text");
        rules.push_str(&format!("  - record: {}\n    expr: {query}\n", entry.name));
    }
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules).expect("write");
    let output = Command::new("promtool")
        .arg("check")
        .arg("rules")
        .arg(&file)
        .output()
        .expect("promtool is installed by tests/run");
    let told = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains(&format!("{} rules found", catalogue.signals.len())),
        "{told}"
    );
}

fn farwatch(arguments: &[&str], home: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .args(arguments)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("KUBECONFIG", home.join("no-kubeconfig"))
        .env_remove("FARWATCH_CONFIG")
        .output()
        .expect("run")
}

#[test]
fn without_a_terminal_it_says_so_and_writes_no_escape() {
    let home = tempfile::tempdir().expect("folder");
    let output = farwatch(&[], home.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).expect("utf-8");
    assert!(
        told.contains("not a terminal") && !told.contains('\u{1b}'),
        "{told:?}"
    );
}

#[test]
fn check_refuses_what_is_not_configured_right() {
    let home = tempfile::tempdir().expect("folder");
    let nothing = farwatch(&["check"], home.path());
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");

    let wrong = home.path().join("wrong.toml");
    std::fs::write(&wrong, "[ui]\nteme = \"dark\"").expect("write");
    let path = wrong.to_str().expect("utf-8");
    let refused = farwatch(&["check", "--config", path], home.path());
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("wrong.toml:2:") && told.contains("did you mean"),
        "{told}"
    );

    let themed = farwatch(&["check", "--theme", "drak"], home.path());
    assert_eq!(themed.status.code(), Some(2));
    let told = String::from_utf8_lossy(&themed.stderr).into_owned();
    assert!(told.contains("did you mean \"dark\""), "{told}");
}

fn dashboard(arguments: &[&str]) -> (bool, String, String) {
    let folder = tempfile::tempdir().expect("folder");
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "").expect("written");
    std::fs::create_dir(folder.path().join("dashboards")).expect("folder");
    let broken = folder.path().join("dashboards/broken.toml");
    std::fs::write(&broken, "name = \"x\"\npanel = 1\n").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_farwatch"))
        .arg("dashboard")
        .args(arguments)
        .args([std::ffi::OsStr::new("--config"), config.as_os_str()])
        .output()
        .expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn dashboards_are_listed_shown_and_imported() {
    let (good, out, told) = dashboard(&["list"]);
    assert!(out.contains("node ") && out.contains("built in"), "{out}");
    assert!(
        !good && told.contains("broken.toml:2: unknown key `panel` (did you mean `panels`?)"),
        "{told}"
    );

    let (good, out, _) = dashboard(&["show", "node"]);
    assert!(good);
    assert_eq!(out, include_str!("../assets/dashboards/node.toml"));
    let (good, _, told) = dashboard(&["show", "nodes"]);
    assert!(!good && told.contains("did you mean \"node\"?"), "{told}");

    let json = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/grafana/new.json"
    );
    let (good, out, told) = dashboard(&["import", json]);
    assert!(good && out.starts_with("name = \"Shop\"\n"), "{out}");
    assert!(
        told.contains("\"Shop\": 6 of 10 panels, 7 variables taken over, 19 remarks"),
        "{told}"
    );

    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("shop.toml");
    let path = file.to_str().expect("a path");
    assert!(dashboard(&["import", json, "--out", path]).0);
    assert_eq!(std::fs::read_to_string(&file).expect("there"), out);
    let (good, _, told) = dashboard(&["import", json, "--out", path]);
    assert!(
        !good && told.contains("is there already (--force takes its place)"),
        "{told}"
    );
    assert!(dashboard(&["import", json, "--out", path, "--force"]).0);

    let (good, _, told) = dashboard(&["import", path]);
    assert!(!good && told.contains("not JSON"), "{told}");
}

#[test]
fn the_names_of_dpdk_make_queries() {
    let text = "[dpdk]\nrx_packets = 'app_packets_total{dir=\"rx\"}'\ntx_packets = []\n\
                rx_missed = [\"a_missed\", \"b_missed\"]\nlabels = { port = [\"nic\"] }\n\
                [[signals]]\nname = \"dpdk_rx_missed\"\nbad = \"high\"";
    let config = read(text).expect("valid");
    let query = |name: &str| {
        let found = config.signals.iter().find(|s| &*s.name == name);
        found.map(|s| s.query.to_string())
    };
    let own = "rate(app_packets_total{dir=\"rx\"}[2m])";
    assert_eq!(query("dpdk_rx_packets").as_deref(), Some(own));
    assert_eq!(query("dpdk_tx_packets"), None, "switched off");
    let both = "rate(a_missed[2m]) or rate(b_missed[2m])";
    assert_eq!(query("dpdk_rx_missed").as_deref(), Some(both));
    assert!(query("dpdk_rx_errors").is_some_and(|q| q.contains("dpdk_counters_rx_errors")));
    assert_eq!(config.dpdk.port, ["nic".into()]);
    for (wrong, said) in [
        ("rx_packets = 'rate(a[1m])'", "names no series"),
        ("rx_packets = 'a{b=~\"c\"}'", "names no series"),
        ("rx_packets = 7", "expected a name, or a list of names"),
        ("rx_paquets = 'a'", "unknown key `rx_paquets`"),
    ] {
        let (line, what, hint) = refused(&format!("[dpdk]\n{wrong}"));
        assert_eq!(line, 2, "{wrong}");
        assert!(what.contains(said), "{wrong}: {what} {hint}");
    }
}

#[test]
fn how_much_is_told_is_read_and_nonsense_refused() {
    let text = "[[sensitivity]]\nsignal = \"node_*\"\nlabels = { namespace = \"batch\" }\nlevel = \"low\"\n";
    let config = read(text).expect("fine");
    let told: Vec<String> = config
        .sensitivities
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told, ["low for node_*, namespace=batch"]);
    let (line, what, _) = refused("\n[[sensitivity]]\nlevel = \"low\"\n");
    assert_eq!((line, what.as_str()), (2, "this sensitivity is of nothing"));
    let (_, what, _) = refused("[[sensitivity]]\nsignal = \"no_such\"\nlevel = \"off\"\n");
    assert_eq!(what, "nothing is learned of \"no_such\"");
    let (_, what, _) = refused("[[sensitivity]]\nsignal = \"*\"\nlevel = \"loud\"\n");
    assert!(what.contains("loud"), "{what}");
}
