//! Bodies scrape after scrape.

use super::*;

fn read(memory: &mut Memory, body: &str, at: i64) -> Vec<(Group, Vec<SeriesSamples>)> {
    memory
        .read(body.as_bytes(), Format::Text, true, Timestamp(at))
        .1
}

fn flat(groups: &[(Group, Vec<SeriesSamples>)]) -> Vec<(String, f64)> {
    let all = groups.iter().flat_map(|(_, s)| s);
    all.map(|s| (s.key.to_string(), s.points[0].value))
        .collect()
}

#[test]
fn counters_become_rates_and_survive_resets() {
    let mut memory = Memory::new("h:1", 1000);
    let body = |n: u32| format!("# TYPE x_total counter\nx_total{{pod=\"\",a=\"b\"}} {n}\n");
    assert!(flat(&read(&mut memory, &body(100), 0)).is_empty());
    let name = r#"x_total:rate{a="b", instance="h:1"}"#.to_owned();
    assert_eq!(
        flat(&read(&mut memory, &body(150), 10_000)),
        [(name.clone(), 5.0)]
    );
    assert_eq!(flat(&read(&mut memory, &body(20), 20_000)), [(name, 2.0)]);
}

#[test]
fn a_counter_without_a_value_has_no_rate() {
    let mut memory = Memory::new("h:1", 1000);
    let name = "DCGM_FI_DEV_PCIE_REPLAY_COUNTER";
    let mut told = |value: &str, at_s: i64| {
        let body = format!("# TYPE {name} counter\n{name}{{gpu=\"0\"}} {value}\n");
        let flat = flat(&read(&mut memory, &body, at_s * 1_000));
        flat.first().map(|(_, rate)| *rate)
    };
    let blank = "9223372036854775794";
    for at in 0..3 {
        assert_eq!(told(blank, at * 10), None, "unknown is not none");
    }
    assert_eq!(told("5", 30), None);
    assert_eq!(told("15", 40), Some(1.0));
    assert_eq!(told("NaN", 50), None);
    assert_eq!(told("110", 60), None, "not all of it in one step");
    assert_eq!(told("130", 70), Some(2.0));
}

#[test]
fn groups_follow_names_and_blanks_are_dropped() {
    let mut memory = Memory::new("h:1", 1000);
    let body = "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 40\nDCGM_FI_DEV_FB_USED{gpu=\"0\"} 9223372036854775794\n\
                openshift_ptp_clock_state 1\nsriov_kubepoddevice 1\nvllm:num_requests_running 2\nload 3\n";
    let groups: Vec<Group> = read(&mut memory, body, 0)
        .iter()
        .map(|(g, s)| {
            assert_eq!(s.len(), 1);
            *g
        })
        .collect();
    assert_eq!(
        groups,
        [
            Group::Gpu,
            Group::Serving,
            Group::Ptp,
            Group::Sriov,
            Group::Exporter
        ]
    );
}

#[test]
fn series_that_are_gone_are_forgotten() {
    let mut memory = Memory::new("h:1", 1000);
    for i in 0..100 {
        read(&mut memory, &format!("a{{x=\"{i}\"}} 1\n"), i);
    }
    assert!(memory.known.all.len() <= 5, "{}", memory.known.all.len());
    assert!(memory.texts.0.len() <= 9, "{:?}", memory.texts);
}

#[test]
fn vllm_latencies_come_under_the_catalogues_names() {
    let mut memory = Memory::new("h:1", 5000);
    let body = |n: u32| {
        format!(
            "# TYPE vllm:e2e_request_latency_seconds histogram\n\
             vllm:e2e_request_latency_seconds_bucket{{le=\"1.0\",model_name=\"m\"}} {n}\n\
             vllm:e2e_request_latency_seconds_bucket{{le=\"+Inf\",model_name=\"m\"}} {n}\n"
        )
    };
    assert!(read(&mut memory, &body(0), 0).is_empty());
    let told = flat(&read(&mut memory, &body(100), 15_000));
    let spread = r#"vllm_e2e_spread{instance="h:1", model_name="m", quantile="#;
    assert_eq!(
        told,
        [
            (
                r#"vllm_e2e_p95{instance="h:1", model_name="m"}"#.to_owned(),
                0.95
            ),
            (format!("{spread}\"0.5\"}}"), 0.5),
            (format!("{spread}\"0.99\"}}"), 0.99),
        ]
    );
}

#[test]
fn order_and_gaps_do_not_matter() {
    let mut memory = Memory::new("h:1", 1000);
    let body = |names: &[&str]| {
        let lines = names
            .iter()
            .map(|n| format!("m{{n=\"{n}\"}} {}\n", n.len()));
        lines.collect::<String>()
    };
    let orders: [&[&str]; 5] = [
        &["a", "bb", "ccc", "dddd"],
        &["dddd", "a", "ccc"],
        &["ccc", "new", "bb", "bb"],
        &["new", "a"],
        &["a", "bb", "ccc", "dddd", "new"],
    ];
    for (at, names) in orders.iter().enumerate() {
        let told = flat(&read(&mut memory, &body(names), at as i64));
        let mut wanted: Vec<&str> = names.to_vec();
        wanted.dedup();
        let wanted: Vec<(String, f64)> = wanted
            .iter()
            .map(|n| (format!("m{{instance=\"h:1\", n=\"{n}\"}}"), n.len() as f64))
            .collect();
        assert_eq!(told, wanted);
    }
    for at in 5..20 {
        read(&mut memory, &body(&["new", "zz"]), at);
    }
    assert_eq!(memory.known.all.len(), 2);
    assert_eq!(flat(&read(&mut memory, &body(&["zz", "new"]), 20)).len(), 2);
}
