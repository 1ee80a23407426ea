//! GPUs from what exporters really write.

use super::*;
use crate::model::exposed::exporter;
use crate::model::sample::SeriesKey;

fn gpus(series: &[(SeriesKey, Sample)]) -> Vec<Gpu> {
    read(series.iter().map(|(k, s)| (k, *s)))
}

/// Name, labels and value of a series.
type Point<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// Under these names and labels, all at this second.
fn told(series: &[Point<'_>], at: i64) -> Vec<(SeriesKey, Sample)> {
    let one = |(name, labels, value): &Point<'_>| {
        let labels = Labels::from_pairs(labels.iter().copied());
        let at = Timestamp(at * 1_000);
        (SeriesKey::new(*name, labels), Sample { at, value: *value })
    };
    series.iter().map(one).collect()
}

fn value(sample: Option<Sample>) -> Option<f64> {
    sample.map(|s| s.value)
}

#[test]
fn reads_pods_and_totals() {
    let all = gpus(&exporter!("dcgm_4xa100_pods.prom"));
    assert_eq!(all.len(), 4);
    assert_eq!(all.iter().filter(|g| g.pod.is_some()).count(), 3);
    for gpu in &all {
        assert_eq!(
            (gpu.vendor, gpu.model.as_deref()),
            ("nvidia", Some("NVIDIA A100-SXM4-80GB"))
        );
        assert!(
            gpu.memory_total_mib
                .is_some_and(|t| (80_000.0..82_500.0).contains(&t)),
            "{gpu:?}"
        );
        assert!(gpu.temperature_c.is_some() && gpu.power_w.is_some());
        assert_eq!(gpu.xid, None);
    }
}

#[test]
fn reads_the_same_card_under_new_and_old_names() {
    for series in [
        exporter!("dcgm_46_field_names.prom"),
        exporter!("dcgm_old_namespace.prom"),
    ] {
        let all = gpus(&series);
        let first = &all[0];
        assert_eq!(&*first.node, "gpu-worker-01");
        assert_eq!(
            first.uuid.as_deref(),
            Some("GPU-eee65f53-e942-1ce5-0211-670eae679f02")
        );
        assert!(first.utilisation.is_some() && first.temperature_c.is_some());
        assert!(first.power_w.is_some() && first.memory_used_mib.is_some());
        assert_eq!(first.pod.as_ref().map(|p| p.0.as_str()), Some("ml-prod"));
    }
}

#[test]
fn keeps_mig_instances_apart() {
    let all = gpus(&exporter!("dcgm_8xh100_mig.prom"));
    let cards: std::collections::BTreeSet<_> = all.iter().map(|g| g.index.as_str()).collect();
    assert_eq!(cards.len(), 8);
    let parts: Vec<_> = all.iter().filter(|g| g.partition.is_some()).collect();
    assert!(parts.len() > 2, "{}", parts.len());
    assert!(
        parts
            .iter()
            .any(|g| g.partition.as_deref() == Some("1g.10gb#7"))
    );
    assert!(
        parts.iter().all(|g| g.utilisation.is_some()),
        "engine activity stands in"
    );
}

#[test]
fn the_power_of_a_card_counts_once_for_all_its_parts() {
    let all = gpus(&exporter!("dcgm_8xh100_mig.prom"));
    let parts = all.iter().filter(|g| g.partition.is_some());
    // Two cards: 231 W and 402 W.
    assert_eq!(power_of(parts).map(f64::round), Some(634.0));
    assert_eq!(power_of(std::iter::empty()), None);
}

#[test]
fn decodes_xid_and_throttle() {
    let all = gpus(&exporter!("dcgm_xid_throttle.prom"));
    let xids: Vec<_> = all.iter().map(|g| g.xid.as_ref().map(|x| x.0)).collect();
    assert_eq!(xids, [None, Some(94), Some(45), Some(79)]);
    assert_eq!(
        all[3].xid.as_ref().map(|x| x.1.as_str()),
        Some("GPU has fallen off the bus")
    );
    assert_eq!(all[0].throttle, ["power cap"]);
    assert_eq!(all[1].throttle, [""; 0]);
    assert_eq!(all[2].throttle, ["hw thermal", "hw slowdown", "sw thermal"]);
    assert_eq!(all[1].healthy, Some(false));
    assert_eq!(all[0].healthy, Some(true));
    assert_eq!(all[3].temperature_c, None, "a lost card tells nothing more");
}

#[test]
fn a_shared_card_is_one_card() {
    let all = gpus(&exporter!("dcgm_timeslicing.prom"));
    assert_eq!(all.len(), 1);
    let pods: Vec<&str> = all[0].holders.iter().map(|h| h.1.as_str()).collect();
    assert_eq!(pods, ["embed-0", "rerank-0"]);
    assert_eq!(value(all[0].temperature_c), Some(61.0));
}

#[test]
fn reads_amd_cards_and_partitions() {
    let all = gpus(&exporter!("amd_8xmi300x.prom"));
    assert_eq!(all.len(), 8);
    assert_eq!((&*all[0].node, all[0].vendor), ("mi300x-node-02", "amd"));
    assert_eq!(value(all[0].utilisation), Some(100.0));
    assert!(all.iter().any(|g| g.healthy == Some(false)));
    assert!(
        all.iter().any(|g| g.pod.is_none()),
        "an idle card has no pod"
    );
    let parts = gpus(&exporter!("amd_mi300x_cpx_prefix.prom"));
    assert_eq!(parts.len(), 8);
    assert_eq!(parts.iter().filter(|g| g.power_w.is_some()).count(), 1);
}

#[test]
fn drops_blank_sentinels_and_the_exporters_own_pod() {
    let labels = Labels::from_pairs([
        ("Hostname", "n1"),
        ("gpu", "0"),
        ("pod", "nvidia-dcgm-exporter-x2x"),
        ("namespace", "gpu-operator"),
        ("instance", "10.0.0.1:9400"),
    ]);
    let at = crate::model::time::Timestamp(1);
    let series = [
        ("DCGM_FI_DEV_GPU_TEMP", 51.0),
        ("DCGM_FI_DEV_POWER_USAGE", 9_223_372_036_854_775_794.0),
    ]
    .map(|(n, value)| (SeriesKey::new(n, labels.clone()), Sample { at, value }));
    let all = gpus(&series);
    assert_eq!(value(all[0].temperature_c), Some(51.0));
    assert_eq!((all[0].power_w, all[0].pod.clone()), (None, None));
}

const SMI: &[(&str, &str)] = &[("node", "worker-1"), ("gpu", "0"), ("UUID", "GPU-a")];
const SMI_ABOUT: &[(&str, &str)] = &[
    ("node", "worker-1"),
    ("gpu", "0"),
    ("UUID", "GPU-a"),
    ("driver_version", "570.1"),
    ("read_in", "gpu/driver-x"),
];
const DCGM: &[(&str, &str)] = &[("Hostname", "dcgm-x7"), ("gpu", "3"), ("UUID", "GPU-a")];

fn of_smi(at: i64) -> Vec<(SeriesKey, Sample)> {
    let process = [SMI, &[("pid", "7"), ("process", "python3"), ("type", "C")]].concat();
    told(
        &[
            (smi::TEMPERATURE, SMI, 55.0),
            (smi::POWER_LIMIT, SMI, 700.0),
            (smi::FAN, SMI, 30.0),
            (smi::ECC_UNCORRECTED, SMI, 2.0),
            (smi::REASONS, SMI, 64.0),
            (smi::PROCESS, &process, 1_073_741_824.0),
            (smi::CARD, SMI_ABOUT, 1.0),
        ],
        at,
    )
}

#[test]
fn nvidia_smi_fills_what_the_exporter_lacks_whichever_came_first() {
    let dcgm = told(&[("DCGM_FI_DEV_GPU_TEMP", DCGM, 60.0)], 100);
    for all in [
        [of_smi(100), dcgm.clone()].concat(),
        [dcgm.clone(), of_smi(100)].concat(),
    ] {
        let all = gpus(&all);
        assert_eq!(all.len(), 1, "one card by its UUID: {all:?}");
        let gpu = &all[0];
        assert_eq!((&*gpu.node, gpu.index.as_str()), ("dcgm-x7", "3"));
        assert_eq!(value(gpu.temperature_c), Some(60.0), "the exporter's own");
        assert_eq!(gpu.power_limit_w, Some(700.0));
        assert_eq!(value(gpu.fan), Some(30.0));
        assert_eq!(gpu.ecc_uncorrected, Some(2.0));
        assert_eq!(gpu.throttle, ["hw thermal"]);
        assert_eq!(gpu.driver.as_deref(), Some("570.1"));
        let smi = gpu.smi.as_ref().expect("read");
        assert_eq!(smi.fills, ["ECC", "clock reasons", "fan", "power limit"]);
        assert_eq!(
            (smi.at, smi.read_in.as_str()),
            (Timestamp(100_000), "gpu/driver-x")
        );
        assert_eq!(smi.processes.len(), 1);
        assert_eq!(smi.processes[0].name, "7 python3 (C)");
        assert_eq!(smi.processes[0].memory_mib, Some(1_024.0));
    }
    // An exporter that fell silent minutes ago.
    let late = gpus(&[dcgm, of_smi(300)].concat());
    assert_eq!(value(late[0].temperature_c), Some(55.0));
}

#[test]
fn nvidia_smi_alone_is_a_card_and_its_processes_end() {
    let mut all = of_smi(100);
    let ended = [SMI, &[("pid", "6"), ("process", "gone"), ("type", "C")]].concat();
    all.extend(told(&[(smi::PROCESS, &ended, 5.0)], 40));
    let all = gpus(&all);
    let gpu = &all[0];
    assert_eq!(gpu.label(), "worker-1/0");
    assert_eq!(
        (gpu.vendor, value(gpu.temperature_c)),
        ("nvidia", Some(55.0))
    );
    let smi = gpu.smi.as_ref().expect("read");
    assert!(smi.fills.contains(&"temperature"), "{smi:?}");
    assert_eq!(smi.processes.len(), 1, "those of the same run");
}

#[test]
fn parts_of_a_card_get_what_holds_for_the_card_and_no_more() {
    let part = [SMI, &[("GPU_I_PROFILE", "MIG"), ("GPU_I_ID", "7")]].concat();
    let mut smi = of_smi(100);
    smi.extend(told(
        &[(smi::TOTAL, &part, 10_485_760.0), (smi::CARD, &part, 1.0)],
        100,
    ));
    smi.extend(told(&[(smi::TOTAL, SMI, 83_886_080.0)], 100));
    let alone = gpus(&smi);
    assert_eq!(alone.len(), 1, "a card is known by its parts");
    let dcgm = [DCGM, &[("GPU_I_PROFILE", "1g.10gb"), ("GPU_I_ID", "7")]].concat();
    let both = [told(&[("DCGM_FI_DEV_FB_USED", &dcgm, 4.0)], 100), smi].concat();
    let both = gpus(&both);
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].partition.as_deref(), Some("1g.10gb#7"));
    for gpu in [&alone[0], &both[0]] {
        assert_eq!(gpu.memory_total_mib, Some(10.0), "its own, not the card's");
        assert_eq!(gpu.power_limit_w, Some(700.0), "the card's");
        assert_eq!(gpu.ecc_uncorrected, Some(2.0));
        assert!(gpu.smi.is_some());
    }
}

#[test]
fn a_fault_that_is_told_by_being_there_ends_when_it_is_told_no_more() {
    let at = |minute: i64| crate::model::time::Timestamp(minute * 60_000);
    let of = |name: &str, more: &[(&'static str, &'static str)], value, minute| {
        let labels = [("hostname", "m1"), ("gpu_id", "2")];
        let labels = labels.into_iter().chain(more.iter().copied());
        let key = SeriesKey::new(name, Labels::from_pairs(labels.collect::<Vec<_>>()));
        let at = at(minute);
        (key, Sample { at, value })
    };
    let checks = |minute| {
        let fault = of("gpu_afid_errors", &[("severity", "fatal")], 30.0, 0);
        let beside = of("gpu_junction_temperature", &[], 61.0, minute);
        gpus(&[fault, beside])[0].checks.clone()
    };
    assert_eq!(checks(5), ["AFID 30 fatal"]);
    assert_eq!(checks(30), [""; 0]);
    // An answer of good paths only says so.
    let mut drafts = Drafts::default();
    let name = "DCGM_EXP_P2P_STATUS";
    let peer = [("peer_gpu", "5"), ("link_status", "NoLink")];
    let told = [of(name, &peer, 2.0, 0), of(name, &[], 0.0, 0)];
    drafts.retake(name, told.iter().map(|(k, s)| (k, *s)));
    assert_eq!(drafts.gpus()[0].peers_cut, ["GPU 5: NoLink"]);
    let told = [of(name, &[], 0.0, 1)];
    drafts.retake(name, told.iter().map(|(k, s)| (k, *s)));
    assert_eq!(drafts.gpus()[0].peers_cut, [""; 0]);
    // The best of them being bad tells of no peer.
    let told = [of(name, &[], 2.0, 2)];
    drafts.retake(name, told.iter().map(|(k, s)| (k, *s)));
    assert_eq!(drafts.gpus()[0].peers_cut, [""; 0]);
}

#[test]
fn the_driver_is_told_under_either_name() {
    let driver = |series: &[(SeriesKey, Sample)]| gpus(series)[0].driver.clone();
    let new = driver(&exporter!("dcgm_46_field_names.prom"));
    assert_eq!(new.as_deref(), Some("580.95.05"));
    let old = driver(&exporter!("dcgm_timeslicing.prom"));
    assert_eq!(old.as_deref(), Some("570.172.08"));
}
