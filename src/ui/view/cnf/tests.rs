use super::*;
use crate::model::health::SourceKind;
use crate::model::object::{Object, ObjectKind};
use crate::model::ptp::{ClockTold, ValueTold};
use crate::model::signal::Group;
use crate::model::sriov::{PhysicalFunction, SriovNodeState, VfGroup, VirtualFunction};
use crate::model::telemetry::{Body, ObjectBatch};
use crate::ui::view::fake;

mod known;

fn clock(world: &mut World, node: &str, states: &[f64], offsets: &[f64]) {
    let labels = [
        ("node", node),
        ("process", "ptp4l"),
        ("iface", "ens1fx"),
        ("from", "master"),
    ];
    fake::samples(
        world,
        0,
        Group::Ptp,
        "openshift_ptp_clock_state",
        &labels,
        states,
    );
    fake::samples(
        world,
        0,
        Group::Ptp,
        "openshift_ptp_offset_ns",
        &labels,
        offsets,
    );
    let class = if states.last() == Some(&1.0) {
        6.0
    } else {
        248.0
    };
    fake::samples(
        world,
        0,
        Group::Ptp,
        "openshift_ptp_clock_class",
        &labels[..2],
        &[class],
    );
    let process = [
        ("node", node),
        ("process", "ptp4l"),
        ("config", "ptp4l.0.config"),
    ];
    fake::samples(
        world,
        0,
        Group::Ptp,
        "openshift_ptp_process_status",
        &process,
        &[1.0],
    );
}

fn function(name: &str, wanted: u32, have: u32) -> PhysicalFunction {
    PhysicalFunction {
        name: name.into(),
        pci_address: "0000:5e:00.0".into(),
        vendor: "NVIDIA".into(),
        driver: Some("mlx5_core".into()),
        mtu: Some(1500),
        link_speed: Some("25000 Mb/s".into()),
        num_vfs: have,
        total_vfs: 16,
        desired_vfs: Some(wanted),
        vfs: have,
        functions: (0..have).map(virtual_function).collect(),
        groups: vec![VfGroup {
            resource: "fronthaul".into(),
            device_type: Some("vfio-pci".into()),
            policy: None,
            range: Some(format!("{name}#0-7")),
        }],
        ..PhysicalFunction::default()
    }
}

fn virtual_function(index: u32) -> VirtualFunction {
    VirtualFunction {
        index,
        pci_address: format!("0000:5e:01.{index}"),
        driver: Some("vfio-pci".into()),
        mac: (index == 0).then(|| "02:00:00:00:00:01".into()),
        vlan: (index == 0).then_some(101),
        mtu: None,
    }
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07"]);
    let steady: Vec<f64> = (0..120).map(|i| f64::from(i % 7) - 3.0).collect();
    let lost: Vec<f64> = (0..120)
        .map(|i| {
            if i < 90 {
                3.0
            } else {
                40.0 * f64::from(i - 89)
            }
        })
        .collect();
    let states: Vec<f64> = (0..120)
        .map(|i| [1.0, 2.0, 0.0][usize::from(i >= 90) + usize::from(i >= 100)])
        .collect();
    clock(&mut world, "n-07-a", &[1.0; 120], &steady);
    clock(&mut world, "n-07-b", &states, &lost);
    let state = |node: &str, status: &str, error: Option<&str>, have| {
        Object::SriovNodeState(SriovNodeState {
            node: node.into(),
            sync_status: Some(status.into()),
            last_sync_error: error.map(str::to_owned),
            desired_state: Some("Drain_Required".into()),
            current_state: Some("Draining".into()),
            interfaces: vec![function("ens2f0", 8, have)],
        })
    };
    let batch = ObjectBatch {
        kind: ObjectKind::SriovNodeState,
        reset: true,
        upserts: vec![
            state("n-07-a", "Succeeded", None, 8),
            state(
                "n-07-b",
                "Failed",
                Some("timed out waiting for the condition"),
                4,
            ),
        ],
        ..ObjectBatch::empty(ObjectKind::SriovNodeState)
    };
    fake::tell(&mut world, 0, Body::Objects(batch));
    world
}

#[test]
fn worst_first_and_its_past_in_letters() {
    let world = world();
    let view = Cnf::default();
    let rows = view.nodes(&world);
    let told: Vec<_> = rows
        .iter()
        .map(|(_, n)| (n.node.as_ref(), n.state))
        .collect();
    assert_eq!(
        told,
        [
            ("n-07-b", Some(ClockState::Freerun)),
            ("n-07-a", Some(ClockState::Locked))
        ]
    );
    let text = fake::screen(&world, 120, 32, |ctx, area, buf| {
        let series = ribbon::States::of(ctx, std::iter::once(rows[0].0));
        let row = ribbon::states(ctx, &series, rows[0], 24);
        let line = ribbon::line(ctx.theme, &row);
        super::super::common::lines(ctx, area, buf, &[line], 0);
    });
    let ribbon = text.lines().next().unwrap_or("");
    assert!(
        ribbon.contains("LLLLLLLLLLLLLLLL") && ribbon.ends_with("FFF"),
        "{ribbon}"
    );
    assert!(ribbon.contains("LH") && ribbon.contains("HF"), "{ribbon}");
}

#[test]
fn what_a_proxy_tells_stands_among_the_changes_with_its_age() {
    let mut world = world();
    let told = |value: &str| {
        Body::Clocks(vec![ClockTold {
            resource: "/cluster/node/n-07-b/sync/ptp-status/lock-state".into(),
            event: String::new(),
            at: None,
            values: vec![ValueTold {
                address: "/cluster/node/n-07-b/ens1f0/master".into(),
                measured: false,
                value: value.into(),
            }],
        }])
    };
    for value in ["LOCKED", "FREERUN"] {
        fake::tell_of(&mut world, 0, SourceKind::ClockEvents(0), told(value));
    }
    let mut view = Cnf::default();
    view.place(Rect::new(0, 0, 160, 32), &world);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let text = fake::screen(&world, 160, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    for wanted in [
        "as cloud-event-proxy tells it",
        "lock-state FREERUN (ens1f0/master)",
        "lock-state LOCKED (ens1f0/master)",
        "ago",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn sync_failure_is_told_with_its_error() {
    let world = world();
    let mut view = Cnf::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    view.update(Command::NextPane, &world);
    let text = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("timed out waiting") && text.contains("1 Failed"),
        "{text}"
    );
    assert_eq!(
        view.focus(&world),
        Some(Focus::Node {
            cluster: ClusterId(0),
            node: "n-07-b".into()
        })
    );
    view.update(Command::Problems, &world);
    assert_eq!(view.below(&world).len(), 1);
    assert!(view.back() && view.back() && !view.back());
}

#[test]
fn each_virtual_function_is_told_as_far_as_it_is_known() {
    let mut world = world();
    let labels = [
        ("node", "n-07-b"),
        ("pf", "ens2f0"),
        ("vf", "3"),
        ("pciAddr", "0000:5e:01.3"),
    ];
    fake::samples(
        &mut world,
        0,
        Group::Sriov,
        "sriov_vf_rx_bits",
        &labels,
        &[2.1e9],
    );
    fake::samples(
        &mut world,
        0,
        Group::Sriov,
        "sriov_vf_rx_dropped",
        &labels,
        &[800.0],
    );
    fake::samples(
        &mut world,
        0,
        Group::Sriov,
        "sriov_vf_tx_dropped",
        &labels,
        &[12.0],
    );
    let owner = [
        ("node", "n-07-b"),
        ("pciAddr", "0000:5e:01.3"),
        ("namespace", "ran"),
        ("pod", "du-0"),
    ];
    let name = "sriov_kubepoddevice";
    fake::samples(&mut world, 0, Group::Sriov, name, &owner, &[1.0]);
    let mut view = Cnf::default();
    view.place(Rect::new(0, 0, 80, 22), &world);
    view.update(Command::NextPane, &world);
    assert!(view.open(&world).is_none(), "opens the functions first");
    view.update(Command::Open, &world);
    let text = fake::screen(&world, 100, 22, |ctx, area, buf| {
        let rows = sriov::rows(&world, None);
        function::draw(ctx, area, buf, &rows[0], 0);
    });
    let row = |vf: &str| {
        let found = text.lines().find(|l| l.contains(&format!(" {vf} 0000:")));
        found
            .unwrap_or_else(|| panic!("no VF {vf} in\n{text}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        row("0"),
        "│ 0 0000:5e:01.0 vfio-pci 02:00:00:00:00:01 101 - n/a n/a n/a - │"
    );
    assert_eq!(
        row("3"),
        "│ 3 0000:5e:01.3 vfio-pci - - - 2.1 Gbit/s n/a 812/s ran/du-0 │"
    );
    for words in [
        "8 wanted, 4 configured, 4 listed, 16 possible",
        "fronthaul vfio-pci ens2f0#0-7 (no policy told)",
        "draining → required",
        "last error \"timed",
    ] {
        assert!(text.contains(words), "{words} not in\n{text}");
    }
    // On a small screen it lies over the list; Enter then goes on to the node.
    let text = fake::screen(&world, 80, 22, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("8 wanted, 4 configured"), "{text}");
    assert!(view.open(&world).is_some());
    assert!(view.back() && view.part == Part::Sriov);
}

#[test]
fn any_room_will_do() {
    let world = world();
    let mut view = Cnf::default();
    view.update(Command::NextPane, &world);
    for _ in 0..4 {
        for width in (0..130).step_by(9) {
            for height in 0..20 {
                fake::screen(&world, width, height, |ctx, area, buf| {
                    view.draw(ctx, area, buf)
                });
            }
        }
        view.update(Command::Mode, &world);
    }
}
