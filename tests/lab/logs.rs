//! Log lines that go with the metrics. Which lines fall into a second is a function of the story.

use super::common::Site;
use super::noise::{hash, unit};
use super::ran::offset;
use super::story::{BAD_DU, BAD_NODE, LOST_POD, NEW_POD, OTHER_POD, Ptp, RAN_NODES, Story};

#[derive(Clone, Debug)]
pub struct Line {
    pub at_ns: i64,
    pub labels: Vec<(&'static str, String)>,
    pub level: &'static str,
    pub text: String,
}

struct Writer<'a> {
    site: Site,
    second: i64,
    out: &'a mut Vec<Line>,
}

impl Writer<'_> {
    fn pod(
        &mut self,
        namespace: &str,
        pod: &str,
        app: &str,
        node: &str,
        level: &'static str,
        text: String,
    ) {
        let place = hash(&format!("{pod}{text}{}", self.second));
        let labels = vec![
            ("app", app.to_owned()),
            ("cluster", self.site.name().to_owned()),
            ("namespace", namespace.to_owned()),
            ("node", node.to_owned()),
            ("pod", pod.to_owned()),
        ];
        self.push(place, labels, level, text);
    }

    fn journal(&mut self, node: &str, unit_name: &str, level: &'static str, text: String) {
        let place = hash(&format!("{node}{text}"));
        let labels = vec![
            ("cluster", self.site.name().to_owned()),
            ("job", "systemd-journal".to_owned()),
            ("namespace", "node".to_owned()),
            ("node", node.to_owned()),
            ("unit", unit_name.to_owned()),
        ];
        self.push(place, labels, level, text);
    }

    fn push(
        &mut self,
        place: u64,
        labels: Vec<(&'static str, String)>,
        level: &'static str,
        text: String,
    ) {
        let at_ns = self.second * 1_000_000_000 + (place % 999_000_000).cast_signed();
        self.out.push(Line {
            at_ns,
            labels,
            level,
            text,
        });
    }
}

/// The lines of one second, in time order.
pub fn second(site: Site, story: &Story, second: i64) -> Vec<Line> {
    let mut out = Vec::new();
    let mut writer = Writer {
        site,
        second,
        out: &mut out,
    };
    match site {
        Site::Gpu => gpu(story, &mut writer),
        Site::Ran => ran(story, &mut writer),
    }
    out.sort_by_key(|l| l.at_ns);
    out
}

fn every(second: i64, period: i64, name: &str) -> bool {
    (second + (hash(name) % 1_000).cast_signed()) % period == 0
}

/// True in the one second in which `t` falls.
fn at(second: i64, t: f64) -> bool {
    second == t.floor() as i64
}

fn stamp(second: i64) -> String {
    let text = farwatch::model::time::Timestamp(second * 1000).rfc3339();
    text.get(..19).unwrap_or(&text).to_owned()
}

fn gpu(story: &Story, w: &mut Writer) {
    let (s, t) = (w.second, w.second as f64);
    let time = stamp(s);
    let short = time.get(5..).unwrap_or_default().replace('T', " ");
    let slow = story.gpu_slow(t);
    let queue = story.queue(t);
    for (pod, node) in [
        (LOST_POD, BAD_NODE),
        (OTHER_POD, BAD_NODE),
        (NEW_POD, "gpu-a-03"),
        ("vllm-gpt-oss-20b-5f6b9c7d8-b4v2m", "gpu-a-03"),
    ] {
        let here = match pod {
            LOST_POD => t < story.gpu_lost(),
            NEW_POD => t >= story.replacement_serves(),
            _ => true,
        };
        if !here {
            continue;
        }
        let hit = pod == LOST_POD;
        let (waiting, kv) = if hit {
            (58.0 * queue, 0.54 + 0.445 * slow.max(queue))
        } else {
            (0.0, 0.54)
        };
        let tokens = 1_190.0 * if hit { 1.0 - 0.6 * slow } else { 1.0 };
        if every(s, 10, pod) {
            let jitter = unit(hash(pod), s);
            w.pod("inference", pod, "vllm", node, "info", format!(
                "INFO {short} [loggers.py:127] Engine 000: Avg prompt throughput: {:.1} tokens/s, Avg generation throughput: {:.1} tokens/s, Running: {:.0} reqs, Waiting: {waiting:.0} reqs, GPU KV cache usage: {:.1}%, Prefix cache hit rate: 43.{}%",
                tokens * 3.4 + 90.0 * jitter, tokens + 40.0 * jitter, if hit { 37.0 + 27.0 * slow } else { 36.0 + 3.0 * jitter }, kv * 100.0, s % 10));
        }
        if every(s, 4, pod) {
            let port = 40_000 + s % 9_000;
            w.pod(
                "inference",
                pod,
                "vllm",
                node,
                "info",
                format!(
                    "INFO:     10.128.6.41:{port} - \"POST /v1/chat/completions HTTP/1.1\" 200 OK"
                ),
            );
        }
        if hit && queue > 0.5 && every(s, 9, "preempt") {
            w.pod("inference", pod, "vllm", node, "warning", format!("WARNING {short} [scheduler.py:512] Sequence group is preempted by PreemptionMode.RECOMPUTE because there is not enough KV cache space. This can affect the end-to-end performance. total_num_cumulative_preemption={}", (queue * 400.0) as i64));
        }
    }
    if queue > 0.35 && every(s, 5, "gateway") {
        w.pod("inference", "gateway-6d5f7c9b48-t7k2w", "gateway", "gpu-a-03", "error", format!("{{\"ts\":\"{time}Z\",\"level\":\"error\",\"msg\":\"upstream timeout\",\"upstream\":\"vllm-llama-70b\",\"pod\":\"{LOST_POD}\",\"status\":504,\"duration_ms\":{}}}", 30_000 + s % 900));
    } else if every(s, 6, "gateway-ok") {
        w.pod("inference", "gateway-6d5f7c9b48-t7k2w", "gateway", "gpu-a-03", "info", format!("{{\"ts\":\"{time}Z\",\"level\":\"info\",\"msg\":\"request served\",\"upstream\":\"vllm-llama-70b\",\"status\":200,\"duration_ms\":{}}}", 6_900 + (unit(7, s) * 2_000.0) as i64));
    }
    if every(s, 15, "train") {
        let step = 184_000 + s / 15 % 9_000;
        w.pod("ml-train", "llm-pretrain-worker-0", "llm-pretrain", "gpu-a-01", "info", format!("time={time}Z level=info msg=\"train step\" step={step} loss={:.4} tokens_per_s={:.0} grad_norm={:.3}", 1.82 + 0.02 * unit(3, s), 402_000.0 + 3_000.0 * unit(4, s), 0.31 + 0.05 * unit(5, s)));
    }
    faults(story, w, t);
}

fn faults(story: &Story, w: &mut Writer, t: f64) {
    let s = w.second;
    let bus = "0000:28:00";
    if at(s, story.fault - 58.0) {
        w.journal(
            BAD_NODE,
            "kernel",
            "warning",
            format!("NVRM: GPU at PCI:{bus}: temperature 85 C, SW thermal slowdown active"),
        );
    }
    if at(s, story.fault) {
        w.journal(BAD_NODE, "kernel", "error", format!("NVRM: Xid (PCI:{bus}): 94, pid=184233, name=VLLM::Worker_TP, Ch 00000008, Contained ECC error"));
        w.journal(
            BAD_NODE,
            "kernel",
            "error",
            format!(
                "NVRM: GPU at PCI:{bus}: HW thermal slowdown active, clocks reduced to 720 MHz"
            ),
        );
    }
    if t > story.fault && t < story.gpu_lost() && every(s, 45, "thermal") {
        w.journal(
            BAD_NODE,
            "nvidia-persistenced",
            "warning",
            format!(
                "device {bus} thermal slowdown still active, temperature {:.0} C",
                88.0 + 3.0 * unit(9, s)
            ),
        );
    }
    if at(s, story.gpu_lost()) {
        w.journal(BAD_NODE, "kernel", "critical", format!("NVRM: Xid (PCI:{bus}): 79, pid=184233, name=VLLM::Worker_TP, GPU has fallen off the bus."));
    }
    if at(s, story.gpu_lost() + 1.0) {
        let stamp = stamp(s);
        w.pod("inference", LOST_POD, "vllm", BAD_NODE, "error", format!("ERROR {stamp} [core.py:1001] EngineCore encountered a fatal error.\nTraceback (most recent call last):\n  File \"/usr/lib/python3.12/site-packages/vllm/v1/engine/core.py\", line 992, in run_engine_core\n    engine_core.run_busy_loop()\ntorch.AcceleratorError: CUDA error: unknown error"));
        w.pod("inference", LOST_POD, "vllm", BAD_NODE, "error", "(Worker_TP3 pid=184233) ERROR NCCL watchdog thread terminated with exception: unhandled cuda error".into());
    }
    if at(s, story.gpu_lost() + 64.0) {
        w.pod("inference", NEW_POD, "vllm", "gpu-a-03", "info", "INFO [core.py:60] Initializing a V1 LLM engine with config: model='meta-llama/Llama-3.3-70B-Instruct', tensor_parallel_size=4".into());
    }
    if at(s, story.replacement_serves()) {
        w.pod(
            "inference",
            NEW_POD,
            "vllm",
            "gpu-a-03",
            "info",
            "INFO:     Application startup complete.".into(),
        );
    }
}

fn ran(story: &Story, w: &mut Writer) {
    let (s, t) = (w.second, w.second as f64);
    for (node, daemon, du) in [
        (RAN_NODES[0], "linuxptp-daemon-7hx4q", "vdu-l1-0"),
        (RAN_NODES[1], "linuxptp-daemon-p2c9z", "vdu-l1-1"),
        (RAN_NODES[2], "linuxptp-daemon-v8k5w", "vdu-l1-2"),
    ] {
        let state = story.ptp(node, t);
        let servo = match state {
            Ptp::Locked => "s2",
            Ptp::Holdover => "s1",
            Ptp::Freerun => "s0",
        };
        let ns = offset(story, node, t);
        if every(s, 8, daemon) {
            w.pod("openshift-ptp", daemon, "linuxptp-daemon", node, "info", format!("ptp4l[{s}.{:03}]: [ptp4l.0.config:6] master offset {ns:10.0} {servo} freq   -2130 path delay        91", s % 997));
        }
        if every(s, 8, &format!("{daemon}/phc")) {
            w.pod("openshift-ptp", daemon, "linuxptp-daemon", node, "info", format!("phc2sys[{s}.{:03}]: [ptp4l.0.config:6] CLOCK_REALTIME phc offset {:9.0} {servo} freq  -76011 delay    498", s % 991, ns * 0.6));
        }
        if every(s, 12, du) && !(node == BAD_DU && story.cells_down(t)) {
            let late = if state == Ptp::Freerun { 2_300 } else { 0 };
            let level = if late > 0 { "warning" } else { "info" };
            w.pod("ran-du", du, "vdu-l1", node, level, format!("{{\"level\":\"{level}\",\"msg\":\"fronthaul window\",\"cell\":{},\"late_pkts\":{late},\"early_pkts\":0,\"ue\":{}}}", s % 3 + 1, 40 + s % 13));
        }
    }
    if every(s, 30, "operator") {
        w.pod("openshift-sriov-network-operator", "sriov-network-config-daemon-4jm2b", "sriov-network-config-daemon", "du-07-01", "info", "I1121 00:00:00.000000 1 daemon.go:412] nodeStateSyncHandler(): no changes, generation is current".into());
    }
    ran_faults(story, w, t);
}

fn ran_faults(story: &Story, w: &mut Writer, t: f64) {
    let s = w.second;
    let (ns, daemon, app) = ("openshift-ptp", "linuxptp-daemon-p2c9z", "linuxptp-daemon");
    let mut say = |when: f64, level, text: &str| {
        if at(s, when) {
            w.pod(ns, daemon, app, BAD_DU, level, format!("{text} ({s})"));
        }
    };
    let lost = story.ptp_lost();
    say(
        lost,
        "warning",
        "ptp4l: [ptp4l.0.config:6] port 1 (ens4f0): SLAVE to LISTENING on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES",
    );
    say(
        lost + 1.0,
        "warning",
        "T-BC-STATUS: ens4fx state LOCKED -> HOLDOVER, clock class 6 -> 135",
    );
    say(
        lost + 2.0,
        "info",
        "cloud-event-proxy: event /cluster/node/du-07-02/sync/ptp-status/lock-state HOLDOVER sent to 2 subscribers",
    );
    say(
        story.ptp_free(),
        "error",
        "T-BC-STATUS: ens4fx state HOLDOVER -> FREERUN, holdover timeout of 180 s exceeded, clock class 135 -> 165",
    );
    say(
        story.ptp_free() + 60.0,
        "error",
        "ptp4l: [ptp4l.0.config:6] clock class 165 -> 248, free running",
    );
    say(
        story.ptp_back(),
        "info",
        "ptp4l: [ptp4l.0.config:6] port 1 (ens4f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED, state LOCKED",
    );
    let (ns, daemon, app) = (
        "openshift-sriov-network-operator",
        "sriov-network-config-daemon-9xt6f",
        "sriov-network-config-daemon",
    );
    if at(s, story.sriov_failed()) || story.sriov_is_failed(t) && every(s, 60, "sriov") {
        w.pod(ns, daemon, app, BAD_DU, "error", format!("E1121 00:00:00.{:06} 1 daemon.go:498] nodeStateSyncHandler(): sync failed: cannot allocate 16 VFs on 0000:3b:00.0: device or resource busy", s % 999_983));
    }
    if at(s, story.sriov_back()) {
        w.pod(
            ns,
            daemon,
            app,
            BAD_DU,
            "info",
            "I1121 00:00:00.000000 1 daemon.go:512] nodeStateSyncHandler(): sync succeeded".into(),
        );
    }
    if story.cells_down(t) && every(s, 7, "cells") {
        w.pod("ran-du", "vdu-l1-1", "vdu-l1", BAD_DU, "error", format!("{{\"level\":\"error\",\"msg\":\"no valid time of day, cell is barred\",\"cell\":{},\"phase_error_ns\":{:.0}}}", s % 3 + 1, offset(story, BAD_DU, t)));
    }
}
