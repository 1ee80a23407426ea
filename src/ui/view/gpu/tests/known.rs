//! Cards, their parts and models: what is known of them now, and what is not.

use super::*;

#[test]
fn pods_that_share_a_card_all_hold_it() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for pod in ["embed-0", "rerank-0"] {
        let labels = [
            ("Hostname", "gpu-t4-02"),
            ("gpu", "0"),
            ("exported_namespace", "rag"),
            ("exported_pod", pod),
        ];
        let name = "DCGM_FI_DEV_GPU_TEMP";
        fake::samples(&mut world, 1, Group::Gpu, name, &labels, &[61.0]);
    }
    let rows = holders::rows(&world, None, &Filter::default(), (None, false));
    let held: Vec<_> = rows.iter().map(|r| (r.pod, r.gpus.len())).collect();
    assert_eq!(held, [("embed-0", 1), ("rerank-0", 1)]);
    assert!(holders::title(&rows).contains("held 1 "), "one card");
    let mut view = Gpu::default();
    view.update(Command::Filter("rerank-0".into()), &world);
    assert_eq!(view.rows(&world).len(), 1, "found by each of them");
}

#[test]
fn a_device_that_nobody_tells_of_is_not_green() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let device = [("Hostname", "n-12"), ("gpu", "0")];
    let polled = |world: &mut World, name: &str, value: f64| {
        fake::polled(world, (1, Group::Gpu), name, &device, &[value], 120_000);
    };
    polled(&mut world, "DCGM_FI_DEV_GPU_TEMP", 60.0);
    polled(&mut world, "DCGM_FI_DEV_GPU_UTIL", 90.0);
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    view.update(Command::Mode, &world);
    let text = |view: &Gpu, world: &World| {
        fake::screen(world, 80, 12, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    world.tick(Timestamp(fake::NOW + 200_000));
    let shown = text(&view, &world);
    assert!(
        shown.contains("● n-12/0") && !shown.contains('~'),
        "{shown}"
    );
    world.tick(Timestamp(fake::NOW + 3_600_000));
    let shown = text(&view, &world);
    assert!(
        shown.contains("? n-12/0") && shown.contains("90% 60m~"),
        "{shown}"
    );
}

/// The page of a model with these numbers, so many seconds after they were told.
fn pressed(waiting: Option<f64>, cache: Option<f64>, after_s: i64) -> String {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let labels = [("model_name", "llama-70b"), ("namespace", "infer")];
    let told = [
        ("vllm:num_requests_running", Some(7.0)),
        ("vllm:num_requests_waiting", waiting),
        ("vllm:kv_cache_usage_perc", cache),
        ("vllm_ttft_p95", Some(0.4)),
    ];
    for (name, value) in told {
        let value: Vec<f64> = value.into_iter().collect();
        if !value.is_empty() {
            fake::samples(&mut world, 1, Group::Serving, name, &labels, &value);
        }
    }
    world.tick(Timestamp(fake::NOW + after_s * 1_000));
    let model = served::Served::Model(&world.clusters[1].serving[0]);
    fake::screen(&world, 70, 40, |ctx, area, buf| {
        let text = model::lines(ctx, (ClusterId(1), model), usize::from(area.width));
        crate::ui::view::common::lines(ctx, area, buf, &text, 0);
    })
}

#[test]
fn a_model_is_only_said_to_be_calm_where_all_that_counts_is_told() {
    let first = |text: &str| text.lines().next().unwrap_or("").trim_end().to_owned();
    for (waiting, cache, said) in [
        (
            Some(0.0),
            Some(0.7),
            "● not pressed: nothing waits, the cache has room",
        ),
        (Some(14.0), Some(0.7), "▲ 14 wait: nothing tells why"),
        (Some(14.0), None, "▲ 14 wait: nothing tells why"),
        (
            Some(0.0),
            None,
            "● nothing waits; how full the cache is is not told",
        ),
        (None, Some(0.7), "? how many wait is not told"),
        (None, None, "? whether it is pressed is not told"),
    ] {
        assert_eq!(first(&pressed(waiting, cache, 0)), said);
    }
    let old = pressed(Some(0.0), Some(0.7), 3_600);
    assert_eq!(first(&old), "? whether it is pressed was told 60m ago");
    assert!(old.contains("400 ms~"), "{old}");
}

#[test]
fn a_part_and_a_card_are_found_by_their_own_names() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    let whole = [("Hostname", "n-12"), ("gpu", "1")];
    let part = [
        ("Hostname", "n-12"),
        ("gpu", "0"),
        ("GPU_I_PROFILE", "1g.10gb"),
        ("GPU_I_ID", "1"),
    ];
    let name = "DCGM_FI_DEV_GPU_TEMP";
    fake::samples(&mut world, 1, Group::Gpu, name, &part, &[50.0]);
    fake::samples(&mut world, 1, Group::Gpu, name, &whole, &[50.0]);
    for place in ["1", "0 1g.10gb#1"] {
        let focus = Focus::Gpu {
            cluster: ClusterId(1),
            node: "n-12".into(),
            gpu: place.into(),
        };
        let mut view = Gpu::default();
        view.enter(&fake::entry(Some(focus.clone())), &world);
        assert_eq!(view.focus(&world), Some(focus));
    }
}

#[test]
fn a_click_in_a_long_row_chooses_what_is_seen_there() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for gpu in 0..14 {
        tell(&mut world, "DCGM_FI_DEV_GPU_UTIL", "n-12", gpu, 50.0);
    }
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 72, 24), &world);
    let chosen = |view: &Gpu| match view.focus(&world) {
        Some(Focus::Gpu { gpu, .. }) => gpu,
        other => format!("{other:?}"),
    };
    let text = |view: &Gpu| fake::screen(&world, 72, 24, |ctx, a, buf| view.draw(ctx, a, buf));
    // Seven fit beside the numbers and the mark: the last ones are shown.
    (0..13).for_each(|_| drop(view.update(Command::Right, &world)));
    assert_eq!(chosen(&view), "13");
    let shown = text(&view);
    let row = shown
        .lines()
        .position(|l| l.contains("n-12"))
        .expect("a row");
    let line = shown.lines().nth(row).expect("there");
    let cells = line.matches('▅').count() / 2;
    assert!(line.contains(&format!("{cells}/14")), "{cells}\n{shown}");
    let first = 14 - cells;
    let at = |column: u16| Command::Click {
        column,
        row: u16::try_from(row).expect("small"),
    };
    // The name of the node has 24 columns, after the border.
    view.update(at(26), &world);
    assert_eq!(chosen(&view), first.to_string(), "{shown}");
    let before = chosen(&view);
    view.update(at(26 + 3 * u16::try_from(cells).expect("small")), &world);
    assert_eq!(chosen(&view), before, "the numbers are no device");
}

#[test]
fn parts_are_no_cards_and_draw_no_power_of_their_own() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for part in ["1", "2", "3"] {
        let labels = [
            ("Hostname", "n-12"),
            ("gpu", "0"),
            ("GPU_I_PROFILE", "1g.10gb"),
            ("GPU_I_ID", part),
            ("exported_namespace", "ml"),
            ("exported_pod", "notebook-0"),
        ];
        let name = "DCGM_FI_DEV_POWER_USAGE";
        fake::samples(&mut world, 1, Group::Gpu, name, &labels, &[402.0]);
    }
    tell(&mut world, "DCGM_FI_DEV_POWER_USAGE", "n-12", 1, 300.0);
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 160, 32), &world);
    let text = |view: &Gpu| fake::screen(&world, 160, 32, |ctx, a, buf| view.draw(ctx, a, buf));
    let shown = text(&view);
    assert!(
        shown.contains("devices: 2 GPUs in 4 parts on 1 nodes"),
        "{shown}"
    );
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    let shown = text(&view);
    let row = shown.lines().find(|l| l.contains("ml/notebook-0"));
    let row = row.unwrap_or_else(|| panic!("{shown}"));
    assert!(row.contains("n/a") && !row.contains("402 W"), "{row}");
}

#[test]
fn a_power_cap_is_usual_at_the_limit_and_is_not_far_below_it() {
    let mut world = fake::world(&["edge-ran-07", "gpu-train-1"]);
    for (gpu, watts) in [(0, 690.0), (1, 390.0)] {
        tell(&mut world, "DCGM_FI_DEV_GPU_UTIL", "n-12", gpu, 99.0);
        tell(&mut world, "DCGM_FI_DEV_POWER_USAGE", "n-12", gpu, watts);
        let limit = "DCGM_FI_DEV_ENFORCED_POWER_LIMIT";
        tell(&mut world, limit, "n-12", gpu, 700.0);
        let reasons = "DCGM_FI_DEV_CLOCKS_EVENT_REASONS";
        tell(&mut world, reasons, "n-12", gpu, 4.0);
    }
    let mut view = Gpu::default();
    view.place(Rect::new(0, 0, 160, 32), &world);
    let text = |view: &Gpu| fake::screen(&world, 160, 32, |ctx, a, buf| view.draw(ctx, a, buf));
    assert!(text(&view).contains("1 throttled"), "{}", text(&view));
    assert!(!text(&view).contains("▲ clocks"), "{}", text(&view));
    view.update(Command::Mode, &world);
    let shown = text(&view);
    assert!(
        shown.contains("● n-12/0") && shown.contains("▲ n-12/1"),
        "{shown}"
    );
}
