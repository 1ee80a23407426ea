//! gpu-train-1: DCGM and vLLM as their exporters name things.

use super::noise::{around, hash, ramp, unit, wave};
use super::series::{Kind, Page, Target};
use super::story::{
    BAD_GPU, BAD_NODE, GPU_NODES, LOST_POD, NEW_POD, OTHER_POD, Pod, Story, gpu_pods, gpus_of,
};

const TTFT: [f64; 22] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
];
const ITL: [f64; 19] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
const E2E: [f64; 21] = [
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
];

pub fn targets(story: &Story, t: f64) -> Vec<Target> {
    let pods: Vec<Pod> = gpu_pods(story).into_iter().filter(|p| p.there(t)).collect();
    let mut out = Vec::new();
    for node in GPU_NODES {
        let Some(exporter) = pods
            .iter()
            .find(|p| p.node == node && p.name.contains("dcgm"))
        else {
            continue;
        };
        out.push(Target {
            job: "nvidia-dcgm-exporter",
            instance: format!("{}:9400", exporter.ip),
            labels: pod_labels(exporter, "nvidia-dcgm-exporter"),
            honor: false,
            path: format!("/dcgm/{node}"),
            kind: Kind::Dcgm(node),
        });
    }
    for pod in pods
        .iter()
        .filter(|p| p.container == "vllm" && p.ready(story, t))
    {
        out.push(Target {
            job: "vllm",
            instance: format!("{}:8000", pod.ip),
            labels: pod_labels(pod, "vllm"),
            honor: false,
            path: format!("/vllm/{}", pod.name),
            kind: Kind::Vllm(pod.name),
        });
    }
    out
}

fn pod_labels(pod: &Pod, service: &str) -> Vec<(&'static str, String)> {
    vec![
        ("namespace", pod.namespace.to_owned()),
        ("pod", pod.name.to_owned()),
        ("container", pod.container.to_owned()),
        ("service", service.to_owned()),
    ]
}

struct Card {
    util: f64,
    temp: f64,
    power: f64,
    clock: f64,
    used: f64,
    reasons: u32,
    violation_ns: f64,
    xid: (u32, &'static str),
    lost: bool,
}

fn card(story: &Story, t: f64, node: &str, gpu: usize, pod: Option<&Pod>) -> Card {
    let name = format!("{node}/{gpu}");
    let w = |what: &str| wave(hash(&format!("{name}/{what}")), t);
    let busy = pod.is_some_and(|p| p.ready(story, t));
    let spread = unit(hash(&name), 7);
    let mut card = if busy {
        let kind = pod.map_or("", |p| p.container);
        let util = if kind == "pytorch" { 97.0 } else { 88.0 };
        Card {
            util: util + 3.0 * w("util"),
            temp: 58.0 + 8.0 * spread + 1.5 * w("temp"),
            power: 560.0 + 60.0 * spread + 35.0 * w("power"),
            clock: 1980.0,
            used: 72_100.0 + 700.0 * spread,
            reasons: 0,
            violation_ns: 0.0,
            xid: (0, "No Error"),
            lost: false,
        }
    } else {
        Card {
            util: 0.0,
            temp: 32.0 + 4.0 * spread + 0.6 * w("temp"),
            power: 72.0 + 4.0 * w("power"),
            clock: 345.0,
            used: 4.0,
            reasons: 1,
            violation_ns: 0.0,
            xid: (0, "No Error"),
            lost: false,
        }
    };
    let slow = story.gpu_slow(t);
    if node == BAD_NODE && gpu == BAD_GPU {
        sicken(story, t, &mut card, slow, w("sick"));
    } else if node == BAD_NODE && gpu < 4 && busy {
        // Tensor parallel: the others wait for the slow one.
        card.util -= 34.0 * slow;
        card.power -= 210.0 * slow;
        card.temp -= 7.0 * slow;
    }
    card
}

fn sicken(story: &Story, t: f64, card: &mut Card, slow: f64, noise: f64) {
    if t >= story.gpu_lost() {
        card.lost = true;
        card.xid = (79, "GPU has fallen off the bus");
        return;
    }
    let heat = ramp(t, story.fault - 240.0, 240.0);
    card.temp += (25.0 - 2.0 * ramp(t, story.fault + 60.0, 120.0)) * heat + 0.5 * noise;
    if t >= story.fault - 60.0 {
        card.reasons = 0x20;
        card.clock = 1410.0 + 30.0 * noise;
        card.violation_ns = 2.1e8;
    }
    if t >= story.fault {
        card.reasons = 0x48;
        card.clock = 720.0 + 45.0 * noise;
        card.power = 298.0 + 14.0 * noise;
        card.violation_ns = 6.4e8;
        card.xid = (94, "Contained ECC error");
    }
    card.util += 9.0 * slow;
}

pub fn dcgm(story: &Story, page: &mut Page, node: &str) {
    let t = page.t;
    let pods: Vec<Pod> = gpu_pods(story).into_iter().filter(|p| p.there(t)).collect();
    for gpu in 0..gpus_of(node) {
        let pod = pods
            .iter()
            .find(|p| p.node == node && p.gpus.contains(&gpu) && !p.pending(t));
        let card = card(story, t, node, gpu, pod);
        let seed = hash(&format!("{node}/{gpu}"));
        let uuid = format!(
            "GPU-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            seed as u32,
            seed >> 48,
            (seed >> 32) & 0xffff,
            (seed >> 16) & 0xffff,
            seed & 0xffff_ffff_ffff
        );
        let index = gpu.to_string();
        let bus = format!("00000000:{:02X}:00.0", 0x07 + 0x0b * gpu);
        let device = format!("nvidia{gpu}");
        let mut labels = vec![
            ("gpu", index.as_str()),
            ("UUID", &uuid),
            ("pci_bus_id", &bus),
            ("device", &device),
            ("modelName", "NVIDIA H100 80GB HBM3"),
            ("hostname", node),
            ("DCGM_FI_DRIVER_VERSION", "570.172.08"),
        ];
        let own = pods
            .iter()
            .find(|p| p.node == node && p.name.contains("dcgm"));
        if let Some(holder) = pod.or(own) {
            labels.push(("container", holder.container));
            labels.push(("namespace", holder.namespace));
            labels.push(("pod", holder.name));
        }
        one_card(page, &labels, &card);
    }
}

fn one_card(page: &mut Page, labels: &[(&str, &str)], card: &Card) {
    let code = card.xid.0.to_string();
    let mut with = labels.to_vec();
    with.extend([("err_code", code.as_str()), ("err_msg", card.xid.1)]);
    page.gauge("DCGM_FI_DEV_XID_ERRORS", &with, f64::from(card.xid.0));
    if card.lost {
        return;
    }
    let total = 81_559.0;
    let dram = (card.util / 100.0 * 0.52).max(0.0);
    let gauges = [
        ("DCGM_FI_DEV_GPU_UTIL", card.util.clamp(0.0, 100.0).round()),
        (
            "DCGM_FI_DEV_MEM_COPY_UTIL",
            (card.util * 0.48).clamp(0.0, 100.0).round(),
        ),
        ("DCGM_FI_DEV_FB_USED", card.used.round()),
        ("DCGM_FI_DEV_FB_FREE", (total - 562.0 - card.used).round()),
        ("DCGM_FI_DEV_FB_RESERVED", 562.0),
        ("DCGM_FI_DEV_GPU_TEMP", card.temp.round()),
        ("DCGM_FI_DEV_MEMORY_TEMP", (card.temp + 7.0).round()),
        (
            "DCGM_FI_DEV_POWER_USAGE",
            (card.power * 1000.0).round() / 1000.0,
        ),
        ("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", 700.0),
        ("DCGM_FI_DEV_SM_CLOCK", (card.clock / 15.0).round() * 15.0),
        ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", f64::from(card.reasons)),
        ("DCGM_FI_DEV_ROW_REMAP_FAILURE", 0.0),
        (
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
            (card.util / 100.0 * 0.97).clamp(0.0, 1.0),
        ),
        (
            "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
            (card.util / 100.0 * 0.41).clamp(0.0, 1.0),
        ),
        ("DCGM_FI_PROF_DRAM_ACTIVE", dram.clamp(0.0, 1.0)),
    ];
    for (name, value) in gauges {
        page.gauge(name, labels, (value * 10_000.0).round() / 10_000.0);
    }
    page.counter(
        "DCGM_FI_DEV_THERMAL_VIOLATION",
        labels,
        0.0,
        card.violation_ns,
    );
    page.counter(
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        labels,
        6.1e9,
        card.power * 1000.0,
    );
    let ecc = if card.xid.0 == 94 { 1.0 } else { 0.0 };
    page.gauge("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", labels, ecc);
}

/// How a server of the model is doing, 0 well.
struct Load {
    rate: f64,
    slow: f64,
    queue_s: f64,
    running: f64,
    waiting: f64,
    kv: f64,
    preemptions: f64,
}

fn load(story: &Story, t: f64, pod: &str) -> Load {
    let n = |what: &str, base, amplitude| around(&format!("{pod}/{what}"), t, base, amplitude);
    let mut load = Load {
        rate: n("rate", 4.6, 0.10),
        slow: 1.0,
        queue_s: 0.012,
        running: n("running", 37.0, 0.12),
        waiting: 0.0,
        kv: n("kv", 0.54, 0.08),
        preemptions: 0.0,
    };
    if pod == LOST_POD {
        let (slow, queue) = (story.gpu_slow(t), story.queue(t));
        load.slow = 1.0 + 2.4 * slow;
        load.queue_s += 14.0 * queue;
        load.running += (64.0 - load.running) * slow;
        load.waiting = (58.0 * queue * n("waiting", 1.0, 0.15)).round();
        load.kv += (0.985 - load.kv) * slow.max(queue);
        load.preemptions = 0.45 * queue;
        load.rate *= 1.0 - 0.55 * slow;
    } else if pod == OTHER_POD && t >= story.gpu_lost() && t < story.replacement_serves() + 60.0 {
        load.rate *= 1.7;
        load.slow = 1.5;
        load.queue_s = 1.4;
        load.running = 62.0;
        load.waiting = n("waiting", 7.0, 0.4).round();
        load.kv = n("kv", 0.93, 0.03);
    } else if pod == NEW_POD {
        load.kv *= ramp(t, story.replacement_serves(), 120.0);
    }
    load
}

pub fn vllm(story: &Story, page: &mut Page, pod: &str) {
    let small = pod.contains("gpt-oss");
    let model = if small {
        "openai/gpt-oss-20b"
    } else {
        "meta-llama/Llama-3.3-70B-Instruct"
    };
    let l = [("engine", "0"), ("model_name", model)];
    let load = load(story, page.t, pod);
    let quick = if small { 0.45 } else { 1.0 };
    page.gauge("vllm:num_requests_running", &l, load.running.round());
    page.gauge("vllm:num_requests_waiting", &l, load.waiting);
    page.gauge("vllm:kv_cache_usage_perc", &l, load.kv.clamp(0.0, 1.0));
    let awake = [
        ("engine", "0"),
        ("model_name", model),
        ("sleep_state", "awake"),
    ];
    page.gauge("vllm:engine_sleep_state", &awake, 1.0);
    page.counter("vllm:num_preemptions_total", &l, 0.0, load.preemptions);
    let prompt = load.rate * 910.0;
    page.counter("vllm:prompt_tokens_total", &l, 8.1e6, prompt);
    page.counter("vllm:generation_tokens_total", &l, 1.7e6, load.rate * 265.0);
    page.counter("vllm:prefix_cache_queries_total", &l, 8.1e6, prompt);
    page.counter("vllm:prefix_cache_hits_total", &l, 3.5e6, prompt * 0.43);
    let failing = if load.waiting > 20.0 { 0.06 } else { 0.002 };
    for (reason, share) in [
        ("stop", 0.93),
        ("length", 0.06),
        ("abort", failing),
        ("error", 0.0),
    ] {
        let with = [
            ("engine", "0"),
            ("finished_reason", reason),
            ("model_name", model),
        ];
        page.counter("vllm:request_success_total", &with, 0.0, load.rate * share);
    }
    let ttft = 0.21 * quick * load.slow + load.queue_s;
    page.histogram(
        "vllm:time_to_first_token_seconds",
        &l,
        &TTFT,
        load.rate,
        (ttft, 0.45),
    );
    let itl = 0.027 * quick * load.slow;
    page.histogram(
        "vllm:inter_token_latency_seconds",
        &l,
        &ITL,
        load.rate * 264.0,
        (itl, 0.35),
    );
    let e2e = 7.4 * quick * load.slow + load.queue_s;
    page.histogram(
        "vllm:e2e_request_latency_seconds",
        &l,
        &E2E,
        load.rate,
        (e2e, 0.5),
    );
    page.histogram(
        "vllm:request_queue_time_seconds",
        &l,
        &E2E,
        load.rate,
        (load.queue_s, 0.6),
    );
}
