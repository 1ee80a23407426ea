//! Faults of GPUs and model servers, each with its healthy twin: an exporter's page every 15 s, read
//! as a direct scrape reads it, into the world; what is found comes out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use farwatch::model::alert::Severity;
use farwatch::model::health::SourceKind;
use farwatch::model::label::Labels;
use farwatch::model::object::{Node, Object, ObjectKind};
use farwatch::model::telemetry::{Body, SampleBatch};
use farwatch::source::exposition::Format;
use farwatch::source::scrape::Memory;

use crate::stage::{STEP_MS, Stage};

/// What is wrong with GPU 3 of a node of eight; the rest of the fleet is well.
#[derive(Clone)]
struct Card {
    util: f64,
    tensor: f64,
    temp: f64,
    power: f64,
    limit: f64,
    clock: f64,
    /// MiB in use at a minute.
    used: fn(f64) -> f64,
    reasons: u32,
    xid: u32,
    double_bit: f64,
    pending: u32,
    failed: u32,
    recovery: u32,
    health: u32,
    peer: u32,
    /// Growth per second.
    heat_ns: f64,
    flits: f64,
    replays: f64,
    pod: Option<&'static str>,
    there: bool,
}

fn card(gpu: usize) -> Card {
    Card {
        util: 96.0,
        tensor: 0.45,
        temp: 58.0,
        power: 610.0,
        limit: 700.0,
        clock: 1980.0,
        used: |_| 61_000.0,
        reasons: 0,
        xid: 0,
        double_bit: 0.0,
        pending: 0,
        failed: 0,
        recovery: 0,
        health: 0,
        peer: 0,
        heat_ns: 0.0,
        flits: 0.0,
        replays: 0.0,
        pod: Some(if gpu < 4 { "train-0" } else { "train-1" }),
        there: true,
    }
}

fn page(minute: f64, change: &dyn Fn(usize, &mut Card)) -> String {
    let seconds = minute * 60.0;
    let mut families: Vec<(&str, &str, String)> = Vec::new();
    for gpu in 0..8 {
        let mut c = card(gpu);
        change(gpu, &mut c);
        let pod = c.pod.map_or(String::new(), |pod| {
            format!(",container=\"main\",namespace=\"ml\",pod=\"{pod}\"")
        });
        let labels = format!(
            "gpu=\"{gpu}\",UUID=\"GPU-{gpu}\",modelName=\"NVIDIA H100\",hostname=\"n1\"{pod}"
        );
        let mut put = |name, kind, more: &str, value: f64| {
            families.push((name, kind, format!("{{{labels}{more}}} {value}")));
        };
        let code = format!(",err_code=\"{}\",err_msg=\"\"", c.xid);
        put("DCGM_FI_DEV_XID_ERRORS", "gauge", &code, f64::from(c.xid));
        if !c.there {
            continue;
        }
        let used = (c.used)(minute);
        for (name, value) in [
            ("DCGM_FI_DEV_GPU_UTIL", c.util),
            ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", c.tensor),
            ("DCGM_FI_DEV_GPU_TEMP", c.temp),
            ("DCGM_FI_DEV_POWER_USAGE", c.power),
            ("DCGM_FI_DEV_ENFORCED_POWER_LIMIT", c.limit),
            ("DCGM_FI_DEV_SM_CLOCK", c.clock),
            ("DCGM_FI_DEV_FB_USED", used),
            ("DCGM_FI_DEV_FB_FREE", 81_559.0 - used),
            ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", f64::from(c.reasons)),
            ("DCGM_FI_DEV_ROW_REMAP_PENDING", f64::from(c.pending)),
            ("DCGM_FI_DEV_ROW_REMAP_FAILURE", f64::from(c.failed)),
            ("DCGM_FI_DEV_GET_GPU_RECOVERY_ACTION", f64::from(c.recovery)),
        ] {
            put(name, "gauge", "", value);
        }
        let watch = ",health_error_code=\"DCGM_FR_X\",health_watch=\"PCIE\"";
        put(
            "DCGM_EXP_GPU_HEALTH_STATUS",
            "gauge",
            watch,
            f64::from(c.health),
        );
        let peer = ",link_status=\"NoLink\",peer_gpu=\"5\"";
        put("DCGM_EXP_P2P_STATUS", "gauge", peer, f64::from(c.peer));
        for (name, value) in [
            ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", c.double_bit),
            ("DCGM_FI_DEV_THERMAL_VIOLATION", c.heat_ns * seconds),
            (
                "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL",
                c.flits * seconds,
            ),
            ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", c.replays * seconds),
        ] {
            put(name, "counter", "", value);
        }
    }
    written(families)
}

fn written(mut families: Vec<(&str, &str, String)>) -> String {
    families.sort_by_key(|(name, ..)| *name);
    let mut text = String::new();
    let mut last = "";
    for (name, kind, line) in families {
        if name != last {
            let _ = writeln!(text, "# TYPE {name} {kind}");
            last = name;
        }
        let _ = writeln!(text, "{name}{line}");
    }
    text
}

/// Severity and text of all that was found while these pages were told.
fn found(
    minutes: f64,
    start: impl FnOnce(&mut Stage),
    page: impl Fn(f64) -> String,
) -> BTreeSet<(Severity, String)> {
    let mut stage = Stage::new(&["alpha"]);
    stage.live(0, Stage::at(0.0));
    start(&mut stage);
    let mut memory = Memory::new("10.0.0.1:9400", 50_000);
    let mut seen = BTreeSet::new();
    let steps = (minutes * 60_000.0) as i64 / STEP_MS;
    for step in 0..=steps {
        let minute = (step * STEP_MS) as f64 / 60_000.0;
        let at = Stage::at(minute);
        let body = page(minute);
        let (summary, groups) = memory.read(body.as_bytes(), Format::Text, true, at);
        assert_eq!(summary.bad_lines, 0, "{body}");
        for (group, series) in groups {
            let batch = SampleBatch {
                group,
                name: "http://10.0.0.1:9400/metrics".into(),
                query: "http://10.0.0.1:9400/metrics".into(),
                at,
                interval_ms: STEP_MS as u32,
                backfill: false,
                series,
                cut_from: None,
            };
            stage.tell(0, SourceKind::Exporter(0), at, Body::Samples(batch));
        }
        stage.world.tick(at);
        let incidents = stage.world.incidents.iter();
        let findings = incidents.flat_map(|i| &i.findings).filter(|f| !f.over);
        seen.extend(findings.map(|f| (f.severity, f.text.clone())));
    }
    seen
}

type Change = fn(f64, usize, &mut Card);

struct Case {
    name: &'static str,
    minutes: f64,
    fault: Change,
    /// Looks like it, and is none.
    twin: Change,
    wanted: (Severity, &'static str),
}

/// Only GPU 3.
macro_rules! third {
    (|$minute:ident, $card:ident| $change:expr) => {
        |$minute, gpu, $card| {
            let _ = $minute;
            if gpu == 3 {
                $change
            }
        }
    };
}

/// One reading of GPU 3: what is a fault, and what is none.
macro_rules! field {
    ($name:literal, $minutes:literal, $field:ident: $bad:expr, $good:expr, $wanted:expr) => {
        Case {
            name: $name,
            minutes: $minutes,
            fault: third!(|m, c| c.$field = $bad),
            twin: third!(|m, c| c.$field = $good),
            wanted: $wanted,
        }
    };
}

const CRITICAL: Severity = Severity::Critical;
const WARNING: Severity = Severity::Warning;

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "fallen off the bus",
            minutes: 6.0,
            fault: third!(|m, c| if m > 2.0 {
                c.xid = 79;
                c.there = false;
            }),
            twin: third!(|m, c| c.temp = 60.0 + m),
            wanted: (CRITICAL, "XID 79 (GPU has fallen off the bus)"),
        },
        field!("an XID that needs a procedure", 3.0, xid: 48, 0, (CRITICAL, "XID 48 (double-bit ECC error)")),
        Case {
            name: "an XID of the application",
            minutes: 3.0,
            fault: third!(|m, c| c.xid = 31),
            twin: third!(|m, c| c.temp = 64.0),
            wanted: (WARNING, "XID 31 (memory page fault)"),
        },
        Case {
            name: "hot and slowed by hardware",
            minutes: 3.0,
            fault: third!(|m, c| {
                c.reasons = 0x48;
                c.temp = 88.0;
            }),
            // Idle, application clocks, sync boost: nothing is held down.
            twin: third!(|m, c| c.reasons = 0x13),
            wanted: (
                CRITICAL,
                "clocks held down: hw thermal, hw slowdown at 88 C",
            ),
        },
        Case {
            name: "slowed by the power supply",
            minutes: 3.0,
            fault: third!(|m, c| c.reasons = 0x80),
            // At its limit under full load: usual.
            twin: third!(|m, c| {
                c.reasons = 0x04;
                c.power = 698.0;
            }),
            wanted: (WARNING, "clocks held down: hw power brake at 58 C"),
        },
        Case {
            name: "capped far below the limit",
            minutes: 8.0,
            fault: third!(|m, c| {
                c.reasons = 0x04;
                c.power = 390.0;
            }),
            twin: third!(|m, c| c.power = 590.0),
            wanted: (WARNING, "held at a power cap while it draws 390 W of 700 W"),
        },
        field!("time lost to heat, no reasons exported", 4.0, heat_ns: 3.0e8, 1.0e6, (WARNING, "held down by heat for 30% of the time at 58 C")),
        field!("uncorrectable memory errors", 3.0, double_bit: 2.0, 0.0, (CRITICAL, "uncorrectable memory errors: 2, data was lost")),
        // Recorded, and in effect since the last reset.
        field!("row remapping waits for a reset", 3.0, pending: 1, 0, (WARNING, "row remapping is pending")),
        field!("row remapping failed", 3.0, failed: 1, 0, (CRITICAL, "row remapping failed")),
        field!("NVLink degrades", 4.0, flits: 40.0, 0.01, (WARNING, "NVLink degrades: 40/s errors")),
        // 6: the exporter does not know.
        field!("no direct path to a peer", 3.0, peer: 2, 6, (WARNING, "no direct path to GPU 5: NoLink")),
        field!("PCIe sends again", 9.0, replays: 12.0, 0.05, (WARNING, "PCIe sends again: 12/s")),
        field!("the driver asks for a reset", 3.0, recovery: 4, 0, (CRITICAL, "the driver asks to drain and reset the GPU")),
        field!("the driver asks for less than a reset", 3.0, recovery: 3, 0, (WARNING, "the driver asks to drain peer-to-peer work")),
        field!("a health check fails", 3.0, health: 20, 0, (CRITICAL, "health check failed: PCIE X")),
        field!("a health check warns", 3.0, health: 10, 0, (WARNING, "health check warns: PCIE X")),
        Case {
            name: "a straggler of its job by its clock",
            minutes: 5.0,
            fault: third!(|m, c| c.clock = 1_200.0),
            twin: |_, _, c| c.clock = 1_200.0,
            wanted: (
                WARNING,
                "straggler of ml/train: SM clock 1200 MHz, its 7 peers 1980 MHz",
            ),
        },
        Case {
            name: "a straggler of its job by its use",
            minutes: 5.0,
            fault: third!(|m, c| c.util = 20.0),
            // Half of the job does other work.
            twin: |_, gpu, c| {
                if gpu % 2 == 0 {
                    c.util = 20.0;
                }
            },
            wanted: (WARNING, "straggler of ml/train: utilisation 20%"),
        },
        Case {
            name: "a power limit unlike its neighbours'",
            minutes: 3.0,
            fault: third!(|m, c| c.limit = 350.0),
            twin: |_, _, c| c.limit = 650.0,
            wanted: (WARNING, "power limit 350 W"),
        },
        Case {
            name: "a memory leak",
            minutes: 50.0,
            fault: third!(|m, c| c.used = |minute| 40_000.0 + minute * 120.0),
            // An allocator that gives back.
            twin: third!(|m, c| c.used = |minute| 40_000.0 + (minute % 4.0) * 2_000.0),
            wanted: (WARNING, "memory in use grows by 7.03 GiB an hour"),
        },
        Case {
            name: "held and idle",
            minutes: 62.0,
            fault: |_, gpu, c| {
                if gpu >= 4 {
                    (c.util, c.power, c.clock, c.tensor) = (0.0, 80.0, 1980.0, 0.45);
                }
            },
            // Idle, and free for others.
            twin: |_, gpu, c| {
                if gpu >= 4 {
                    (c.util, c.power, c.clock, c.pod) = (0.0, 80.0, 1980.0, None);
                }
            },
            wanted: (WARNING, "4 of 4 GPUs it holds are idle"),
        },
    ]
}

#[test]
fn each_gpu_fault_is_found_and_its_healthy_twin_is_not() {
    for case in cases() {
        let told = |change: Change| {
            found(
                case.minutes,
                |_| {},
                |minute| page(minute, &|gpu, card| change(minute, gpu, card)),
            )
        };
        let of = |all: &BTreeSet<(Severity, String)>| {
            all.iter()
                .any(|(s, t)| *s == case.wanted.0 && t.starts_with(case.wanted.1))
        };
        let faulty = told(case.fault);
        assert!(of(&faulty), "{}: {faulty:#?}", case.name);
        let twin = told(case.twin);
        assert!(twin.is_empty(), "twin of {}: {twin:#?}", case.name);
    }
}

/// A node that is well.
fn whole(name: &str) -> Node {
    Node {
        name: name.into(),
        ready: Some(true),
        kubelet_version: "v1.33.0".into(),
        ..Node::default()
    }
}

#[test]
fn a_gpu_that_only_the_node_still_counts_is_lost() {
    let node = |count: &'static str| {
        move |stage: &mut Stage| {
            let node = Object::Node(Node {
                labels: Labels::from_pairs([("nvidia.com/gpu.count", count)]),
                ..whole("n1")
            });
            stage.objects(0, ObjectKind::Node, Stage::at(0.0), vec![node]);
        }
    };
    let healthy = |minute| page(minute, &|_, _| {});
    let lost = found(3.0, node("9"), healthy);
    let text = "8 of 9 GPUs are reported";
    assert!(
        lost.iter()
            .any(|(s, t)| *s == CRITICAL && t.starts_with(text)),
        "{lost:?}"
    );
    let whole = found(3.0, node("8"), healthy);
    assert!(whole.is_empty(), "{whole:?}");
}

/// `running`, `waiting`, cache, whether the engine is awake.
fn vllm((running, waiting, cache, awake): (u32, u32, f64, bool)) -> String {
    let l = "engine=\"0\",model_name=\"qwen\"";
    let awake = u32::from(awake);
    format!(
        "vllm:num_requests_running{{{l}}} {running}\nvllm:num_requests_waiting{{{l}}} {waiting}\n\
         vllm:kv_cache_usage_perc{{{l}}} {cache}\n\
         vllm:engine_sleep_state{{{l},sleep_state=\"awake\"}} {awake}\n\
         vllm:engine_sleep_state{{{l},sleep_state=\"weights_offloaded\"}} {}\n",
        1 - awake
    )
}

#[test]
fn a_pressed_model_server_says_by_what_and_a_calm_one_nothing() {
    let cases = [
        (
            (64, 30, 0.97, true),
            (64, 0, 0.62, true),
            "saturated: 30 requests wait, KV cache 97% full: memory-bound",
        ),
        (
            (64, 0, 0.94, true),
            (64, 0, 0.80, true),
            "KV cache 94% full, no request waits yet",
        ),
        (
            (16, 9, 0.2, true),
            (16, 0, 0.2, true),
            "9 requests wait: queue-bound (9 wait while the KV cache is 20% full",
        ),
        // Whatever limits it, for a minute.
        ((64, 30, 0.7, true), (64, 0, 0.7, true), "30 requests wait"),
        (
            (0, 4, 0.0, false),
            (0, 0, 0.0, false),
            "4 requests wait while an engine sleeps (weights_offloaded)",
        ),
    ];
    for (fault, twin, wanted) in cases {
        let told = found(5.0, |_| {}, |_| vllm(fault));
        let is = |(s, t): &(Severity, String)| *s == WARNING && t.starts_with(wanted);
        assert!(told.iter().any(is), "{wanted}: {told:#?}");
        let calm = found(5.0, |_| {}, |_| vllm(twin));
        assert!(calm.is_empty(), "twin of {wanted}: {calm:#?}");
    }
}

/// AMD cards say it otherwise.
#[test]
fn amd_faults_are_found_and_healthy_cards_are_not() {
    let body = |health: u32, errors: u32, heat: u32| {
        let l = "gpu_id=\"2\",hostname=\"m1\",card_model=\"MI300X\"";
        format!(
            "gpu_health{{{l}}} {health}\ngpu_ecc_uncorrect_total{{{l}}} {errors}\n\
             gpu_violation_socket_thermal_residency_percentage{{{l}}} {heat}\n\
             gpu_junction_temperature{{{l}}} 64\n"
        )
    };
    let calm = found(4.0, |_| {}, |_| body(1, 0, 0));
    assert!(calm.is_empty(), "{calm:?}");
    for (page, wanted) in [
        (body(0, 0, 0), "health check failed"),
        (body(1, 3, 0), "uncorrectable memory errors: 3"),
        (body(1, 0, 40), "held down by heat for 40% of the time"),
    ] {
        let told = found(4.0, |_| {}, |_| page.clone());
        assert!(
            told.iter().any(|(_, t)| t.starts_with(wanted)),
            "{wanted}: {told:?}"
        );
    }
}
