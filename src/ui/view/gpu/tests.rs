mod told;

use super::*;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::ui::view::fake::{self};

mod known;

fn tell(world: &mut World, name: &str, node: &str, gpu: u32, value: f64) {
    let index = gpu.to_string();
    let labels = [
        ("Hostname", node),
        ("gpu", index.as_str()),
        ("UUID", "GPU-9f"),
        ("modelName", "NVIDIA H100 80GB HBM3"),
    ];
    fake::samples(world, 1, Group::Gpu, name, &labels, &[value]);
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for node in ["n-12", "n-13", "n-14"] {
        for gpu in 0..8 {
            tell(
                &mut world,
                "DCGM_FI_DEV_GPU_UTIL",
                node,
                gpu,
                f64::from(gpu) * 14.0,
            );
            tell(&mut world, "DCGM_FI_DEV_POWER_USAGE", node, gpu, 600.0);
            tell(&mut world, "DCGM_FI_DEV_GPU_TEMP", node, gpu, 70.0);
        }
    }
    tell(&mut world, "DCGM_FI_DEV_XID_ERRORS", "n-14", 3, 79.0);
    tell(&mut world, "DCGM_FI_DEV_FB_USED", "n-14", 3, 71_000.0);
    tell(&mut world, "DCGM_FI_DEV_FB_FREE", "n-14", 3, 10_000.0);
    let labels = [("model_name", "llama-70b"), ("namespace", "infer")];
    fake::samples(
        &mut world,
        1,
        Group::Serving,
        "vllm:num_requests_running",
        &labels,
        &[7.0],
    );
    fake::samples(
        &mut world,
        1,
        Group::Serving,
        "vllm:num_requests_waiting",
        &labels,
        &[14.0],
    );
    fake::samples(
        &mut world,
        1,
        Group::Serving,
        "vllm:kv_cache_usage_perc",
        &labels,
        &[0.97],
    );
    world
}

#[test]
fn starts_at_the_trouble_and_moves_over_the_map() {
    let world = world();
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    let at = |view: &Gpu| match view.focus(&world) {
        Some(Focus::Gpu { node, gpu, .. }) => format!("{node}/{gpu}"),
        other => format!("{other:?}"),
    };
    assert_eq!(at(&view), "n-14/3");
    view.update(Command::Up, &world);
    view.update(Command::Right, &world);
    assert_eq!(at(&view), "n-13/4");
    view.update(Command::NextProblem, &world);
    assert_eq!(at(&view), "n-14/3");
    view.update(Command::Filter("n-12".into()), &world);
    assert_eq!(at(&view), "n-12/0");
    assert!(view.back() && !view.back());
    view.update(Command::Problems, &world);
    assert_eq!(view.rows(&world).len(), 1);
}

#[test]
fn what_the_exporter_lacks_is_not_zero() {
    let world = world();
    let view = Gpu::default();
    let text = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("tensor      n/a (profiling"), "{text}");
    assert!(text.contains("XID 79"), "{text}");
}

#[test]
fn table_and_any_room() {
    let world = world();
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    view.update(Command::Mode, &world);
    let text = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("n-12/0") && text.contains("MEMORY"), "{text}");
    for width in (0..130).step_by(9) {
        for height in 0..14 {
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf)
            });
        }
    }
    view.update(Command::Top, &world);
    view.update(Command::NextProblem, &world);
    let rows = table::rows(&view.rows(&world));
    let marked = view.devices.position(&rows, |(c, g)| Id::of(*c, g));
    let marked = marked.and_then(|at| rows.get(at)).map(|r| r.1.label());
    assert_eq!(
        marked.as_deref(),
        Some("n-14/3"),
        "the table's cursor goes too"
    );
    view.update(Command::Mode, &world);
    view.update(Command::Problems, &world);
    assert_eq!(view.holders(&world).len(), 0, "no pod is in trouble");
    let calm = fake::screen(&world, 120, 12, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(calm.contains(" 0.0 GPU hours wasted"), "{calm}");
    assert!(calm.contains("no pod wastes a GPU"), "{calm}");
    let none = fake::world(&["a"]);
    let text = fake::screen(&none, 80, 12, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("nothing known yet"), "{text}");
}

#[test]
fn a_device_that_is_gone_keeps_its_last_values_and_their_age() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let device = |gpu| [("Hostname", "n-14"), ("gpu", gpu)];
    let name = "DCGM_FI_DEV_GPU_TEMP";
    let put = |world: &mut World, gpu, values: &[f64]| {
        fake::samples(world, 1, Group::Gpu, name, &device(gpu), values);
    };
    put(&mut world, "0", &[60.0; 20]);
    let old: Vec<f64> = [91.0; 10].into_iter().chain([f64::NAN; 10]).collect();
    put(&mut world, "3", &old);
    fake::samples(
        &mut world,
        1,
        Group::Gpu,
        "DCGM_FI_DEV_XID_ERRORS",
        &device("3"),
        &[79.0],
    );
    let rows = order::rows(&world, None, Order::Node, Measure::Utilisation);
    let (cluster, gpu) = rows
        .iter()
        .flat_map(|r| r.gpus.iter().map(|g| (r.cluster, *g)))
        .find(|(_, g)| g.index == "3")
        .expect("told by its XID");
    assert_eq!(gpu.temperature_c, None, "not told now");
    let text = fake::screen(&world, 60, 60, |ctx, area, buf| {
        let text = detail::lines(ctx, cluster, gpu, usize::from(area.width));
        crate::ui::view::common::lines(ctx, area, buf, &text, 0);
    });
    assert!(text.contains("no longer reported since"), "{text}");
    assert!(text.contains("91 C 5m~"), "{text}");
    assert!(text.contains("util") && text.contains("n/a"), "{text}");
    assert!(text.contains("temp  "), "bars of the window\n{text}");
}

#[test]
fn no_trouble_and_nothing_told_are_two_things() {
    let mut world = fake::world(&["gpu-train-1", "gpu-train-2"]);
    let mut view = Gpu::default();
    view.update(Command::Problems, &world);
    let text = |view: &Gpu, world: &World| {
        fake::screen(world, 90, 20, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    assert!(text(&view, &world).contains("nothing known yet"));
    tell(&mut world, "DCGM_FI_DEV_GPU_UTIL", "n-12", 0, 5.0);
    let shown = text(&view, &world);
    assert!(
        shown.contains("no trouble told of the devices of 1 nodes"),
        "{shown}"
    );
}

#[test]
fn a_long_detail_is_scrolled_and_no_further_than_its_end() {
    let world = world();
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 80, 14), &world);
    view.update(Command::Open, &world);
    let text =
        |view: &Gpu| fake::screen(&world, 80, 14, |ctx, area, buf| view.draw(ctx, area, buf));
    let top = text(&view);
    (0..200).for_each(|_| drop(view.update(Command::ScrollDown, &world)));
    let end = text(&view);
    assert!(!top.contains("newest") && end.contains("newest"), "{end}");
    view.update(Command::ScrollUp, &world);
    assert!(text(&view) != end, "one step back moves");
}

#[test]
fn the_map_goes_by_other_measures_and_orders() {
    let mut world = world();
    let held = |world: &mut World, node: &str, gpu: &str, pod: &str, value: f64| {
        let labels = [
            ("Hostname", node),
            ("gpu", gpu),
            ("exported_namespace", "ml"),
            ("exported_pod", pod),
        ];
        fake::samples(
            world,
            1,
            Group::Gpu,
            "DCGM_FI_DEV_SM_CLOCK",
            &labels,
            &[value],
        );
    };
    held(&mut world, "n-12", "0", "train-0", 1980.0);
    held(&mut world, "n-13", "0", "train-1", 990.0);
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    let text =
        |view: &Gpu| fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text(&view).contains("utilisation by node"));
    view.update(Command::Sort, &world);
    let jobs = text(&view);
    assert!(
        jobs.contains("ml/train") && jobs.contains("(held by no pod)"),
        "{jobs}"
    );
    view.update(Command::Sort, &world);
    let measures = Measure::ALL.len();
    for _ in 1..measures {
        view.update(Command::Column, &world);
    }
    let clock = text(&view);
    assert!(clock.contains("SM clock most first"), "{clock}");
    let at = |name: &str| clock.find(&format!("│{name}")).expect("a row");
    assert!(
        at("n-12") < at("n-13") && at("n-13") < at("n-14"),
        "{clock}"
    );
    view.update(Command::Column, &world);
    assert!(text(&view).contains("utilisation most"), "round again");
}

#[test]
fn holders_are_told_with_what_they_waste() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for gpu in ["0", "1"] {
        let labels = [
            ("Hostname", "n-12"),
            ("gpu", gpu),
            ("exported_namespace", "ml"),
            ("exported_pod", "notebook-0"),
        ];
        // Forty minutes of nothing, one value each 30 s.
        let name = "DCGM_FI_DEV_GPU_UTIL";
        fake::samples(&mut world, 1, Group::Gpu, name, &labels, &[0.0; 81]);
    }
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let text = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(text.contains("ml/notebook-0"), "{text}");
    assert!(
        text.contains("held 2 · idle 2 · 1.3 GPU hours wasted"),
        "{text}"
    );
    view.update(Command::Problems, &world);
    assert_eq!(view.holders(&world).len(), 1, "it wastes what it holds");
    assert!(
        text.contains("requested n/a"),
        "Kubernetes has not told\n{text}"
    );
    // What nobody saw is not wasted.
    world.tick(Timestamp(fake::NOW + 36_000_000));
    let later = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(later.contains("idle 2 · 1.3 GPU hours"), "{later}");
    view.update(Command::Filter("nobody".into()), &world);
    let none = fake::screen(&world, 120, 32, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(none.contains("no pod matches"), "{none}");
}

#[test]
fn a_model_is_told_whole_with_what_limits_it() {
    let mut world = world();
    let labels = |q| {
        [
            ("model_name", "llama-70b"),
            ("namespace", "infer"),
            ("quantile", q),
        ]
    };
    for (q, value) in [("0.5", 0.4), ("0.99", 9.5)] {
        fake::samples(
            &mut world,
            1,
            Group::Serving,
            "vllm_ttft_spread",
            &labels(q),
            &[value],
        );
    }
    let ended = [
        ("model_name", "llama-70b"),
        ("namespace", "infer"),
        ("finished_reason", "abort"),
    ];
    fake::samples(
        &mut world,
        1,
        Group::Serving,
        "vllm_finished",
        &ended,
        &[0.5],
    );
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 40), &world);
    view.update(Command::NextPane, &world);
    let text = fake::screen(&world, 120, 40, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(
        text.contains("memory-bound: the KV cache is 97% full"),
        "{text}"
    );
    assert!(
        text.contains("first token    400 ms      n/a    9.5 s"),
        "{text}"
    );
    assert!(text.contains("abort       0.5/s  100%"), "{text}");
    assert!(text.contains("its series name no pod"), "{text}");
}
