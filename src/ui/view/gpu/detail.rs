//! Everything known about one device.

use ratatui::text::{Line, Span};

use super::fields::Page;
use super::map::trouble;
use super::{identity, past};
use crate::model::alert::Severity;
use crate::model::gpu::{Gpu, Hold, Lacking, about, memory};
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::model::xid;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{heading, name, reading};
use crate::ui::widget::heat::meter;

pub fn title(world: &World, cluster: ClusterId, gpu: &Gpu) -> String {
    let model = gpu.model.as_deref().unwrap_or("model n/a");
    format!("{} {} · {model}", name(world, cluster), gpu.label())
}

pub fn lines<'a>(ctx: &Ctx<'_>, cluster: ClusterId, gpu: &'a Gpu, width: usize) -> Vec<Line<'a>> {
    let ctx = &ctx.polled(cluster, Group::Gpu);
    let mut page = Page {
        ctx,
        cluster,
        gpu,
        width,
        out: Vec::new(),
    };
    headline(&mut page);
    use_of(&mut page);
    heat(&mut page);
    let history = past::lines(ctx, cluster, gpu, width);
    page.out.extend(history);
    errors(&mut page);
    identity::owner(&mut page);
    identity::parts(&mut page);
    reasons(&mut page);
    links(&mut page);
    identity::device(&mut page);
    identity::smi(&mut page);
    page.out
}

fn headline(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    if let Some(trouble) = trouble(gpu) {
        page.text(&format!("✗ {trouble}"), theme.crit);
    }
    let slowed: Vec<&str> = gpu.slowed().collect();
    if !slowed.is_empty() {
        let text = format!("▲ clocks held down: {}", slowed.join(", "));
        page.text(&text, theme.warn);
    }
    let temperature = ["DCGM_FI_DEV_GPU_TEMP"];
    if gpu.newest().is_none()
        && let Some(last) = past::last(ctx, page.cluster, gpu, &temperature)
    {
        let text = format!(
            "no longer reported since {}: last values",
            ctx.clock_or_day(last.at)
        );
        page.push(Line::styled(text, theme.warn));
    }
}

fn use_of(page: &mut Page<'_, '_>) {
    let gpu = page.gpu;
    page.value(
        "utilisation",
        gpu.utilisation,
        Unit::Percent,
        Lacking::Utilisation,
        &["DCGM_FI_DEV_GPU_UTIL"],
    );
    page.value(
        "engine",
        gpu.engine_active,
        Unit::Ratio,
        Lacking::Profiling,
        &["DCGM_FI_PROF_GR_ENGINE_ACTIVE"],
    );
    page.value(
        "tensor",
        gpu.tensor_active,
        Unit::Ratio,
        Lacking::Profiling,
        &["DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"],
    );
    page.value(
        "mem bandw.",
        gpu.dram_active.or(gpu.memory_activity.map(|s| Sample {
            value: s.value / 100.0,
            ..s
        })),
        Unit::Ratio,
        Lacking::MemoryActivity,
        &["DCGM_FI_PROF_DRAM_ACTIVE"],
    );
    occupancy(page);
}

fn occupancy(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    let used = reading(ctx, gpu.memory_used_mib, Unit::Mebibytes, theme.base);
    let mut spans = vec![Span::styled("memory      ", theme.muted), used];
    match gpu.memory_total_mib {
        Some(total) => {
            let text = format!(" of {}  ", Unit::Mebibytes.write(total));
            spans.push(Span::styled(text, theme.base));
            if let Some(share) = gpu.memory_share() {
                let room = page.width.saturating_sub(38).min(20);
                spans.push(Span::styled(meter(share, room), theme.accent));
            }
        }
        None => spans.push(Span::styled(" of n/a", theme.muted)),
    }
    page.push(Line::from(spans));
    if let Some(growth) = gpu.growth {
        let rate = Unit::Mebibytes.write(growth.mib_per_hour);
        let text = format!(
            "grows by {rate} an hour since {}",
            ctx.clock_or_day(growth.since)
        );
        page.pair("", text, theme.warn);
    }
}

fn heat(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    let limit = match gpu.power_limit_w {
        Some(watts) => format!(" of {}", Unit::Watts.write(watts)),
        None => format!(" (limit n/a: {})", gpu.absent(Lacking::PowerLimit)),
    };
    let mut spans = vec![Span::styled("power       ", theme.muted)];
    match gpu.power_w {
        None => {
            let text = format!("n/a ({})", gpu.absent(Lacking::Power));
            spans.push(Span::styled(text, theme.muted));
        }
        power => {
            spans.push(reading(ctx, power, Unit::Watts, theme.base));
            spans.push(Span::styled(limit, theme.base));
        }
    }
    page.push(Line::from(spans));
    page.value(
        "temperature",
        gpu.temperature_c,
        Unit::Celsius,
        Lacking::Other,
        &["DCGM_FI_DEV_GPU_TEMP"],
    );
    page.value(
        "mem temp.",
        gpu.memory_temperature_c,
        Unit::Celsius,
        Lacking::MemoryTemperature,
        &["DCGM_FI_DEV_MEMORY_TEMP"],
    );
    page.value(
        "SM clock",
        gpu.sm_clock_mhz,
        Unit::Megahertz,
        Lacking::Clock,
        &["DCGM_FI_DEV_SM_CLOCK"],
    );
    page.value(
        "mem clock",
        gpu.memory_clock_mhz,
        Unit::Megahertz,
        Lacking::Clock,
        &[],
    );
    // Cards of servers have none: those who have it tell it.
    if gpu.fan.is_some() {
        page.value("fan", gpu.fan, Unit::Percent, Lacking::Other, &[]);
    }
    let shares = (gpu.thermal_share, gpu.power_share);
    page.both(
        "lost to",
        shares,
        " heat, power ",
        Unit::Ratio,
        Lacking::Share,
    );
}

/// Each reason with what it means.
fn reasons(page: &mut Page<'_, '_>) {
    let (theme, gpu) = (page.ctx.theme, page.gpu);
    page.push(heading(theme, "clocks"));
    if !gpu.reasons_known {
        let text = format!("n/a ({})", gpu.absent(Lacking::Reasons));
        page.pair("held by", text, theme.muted);
    } else if gpu.throttle.is_empty() {
        page.pair("held by", "nothing", page.well());
    }
    for reason in &gpu.throttle {
        let known = about(reason);
        let bad = known.is_some_and(|e| e.hold == Hold::Critical);
        let style = if bad { theme.crit } else { theme.warn };
        let means = known.map_or("", |e| e.about.as_str());
        page.long("held by", &format!("{reason}: {means}"), style);
    }
}

fn links(page: &mut Page<'_, '_>) {
    let (theme, gpu) = (page.ctx.theme, page.gpu);
    page.push(heading(theme, "links"));
    let pcie = (gpu.pcie_sent, gpu.pcie_received);
    page.both(
        "PCIe",
        pcie,
        " sent, received ",
        Unit::BytesPerSecond,
        Lacking::Profiling,
    );
    page.value(
        "replays",
        gpu.pcie_replays,
        Unit::PerSecond,
        Lacking::Pcie,
        &[],
    );
    page.value("NVLink", gpu.link, Unit::BytesPerSecond, Lacking::Link, &[]);
    page.value(
        "link errors",
        gpu.link_errors,
        Unit::PerSecond,
        Lacking::LinkErrors,
        &[],
    );
    for peer in &gpu.peers_cut {
        page.long("cut off", peer, theme.warn);
    }
    let video = (gpu.encoder, gpu.decoder);
    page.both(
        "video",
        video,
        " encoder, decoder ",
        Unit::Percent,
        Lacking::Video,
    );
}

fn errors(page: &mut Page<'_, '_>) {
    let (theme, gpu) = (page.ctx.theme, page.gpu);
    page.push(heading(theme, "errors"));
    match &gpu.xid {
        Some((code, text)) => {
            let known = xid::of(*code);
            let style = match known.severity {
                Severity::Critical => theme.crit,
                Severity::Warning => theme.warn,
                Severity::Info => theme.base,
            };
            page.long("XID", &format!("{code} {text}"), style);
            page.long(
                "class",
                &format!("{} · {}", known.severity.word(), known.class),
                style,
            );
            page.long("do", known.advice, theme.base);
        }
        None if gpu.vendor == "nvidia" => page.pair("XID", "none told", theme.muted),
        None => page.pair(
            "XID",
            format!("n/a ({})", gpu.absent(Lacking::Xid)),
            theme.muted,
        ),
    }
    let ecc = (gpu.ecc_corrected, gpu.ecc_uncorrected);
    page.counts("ECC", ecc, ("corrected", "uncorrected"), Lacking::Ecc);
    let rows = (gpu.remapped_corrected, gpu.remapped_uncorrected);
    page.counts(
        "rows",
        rows,
        ("remapped", "after lost data"),
        Lacking::Remap,
    );
    let means = memory();
    match (gpu.row_remap_failure, gpu.remap_pending) {
        (Some(true), _) => page.long(
            "row remap",
            &format!("failed ✗ {}", means.failed),
            theme.crit,
        ),
        (_, Some(true)) => page.long(
            "row remap",
            &format!("pending ▲ {}", means.pending),
            theme.warn,
        ),
        (Some(false), _) => page.pair("row remap", "no failure", page.well()),
        (None, _) => {
            let text = format!("n/a ({})", gpu.absent(Lacking::Remap));
            page.pair("row remap", text, theme.muted);
        }
    }
    match gpu.healthy {
        Some(true) if !gpu.checks.is_empty() => page.pair("health", "warns ▲", theme.warn),
        Some(true) => page.pair("health", "healthy", page.well()),
        Some(false) => page.pair("health", "unhealthy ✗", theme.crit),
        None => page.pair("health", "n/a (not exported)", theme.muted),
    }
    for check in &gpu.checks {
        page.long("", check, theme.warn);
    }
    if let Some(action) = gpu.recovery {
        let style = match action.severity {
            Severity::Critical => theme.crit,
            Severity::Warning | Severity::Info => theme.warn,
        };
        let text = format!("the driver asks to {}", action.word);
        page.long("recovery", &text, style);
    }
}

/// The device in words; for the clipboard and the agent.
pub fn plain(world: &World, cluster: ClusterId, gpu: &Gpu) -> String {
    let write = |sample: Option<Sample>, unit: Unit| match sample {
        Some(s) => unit.write(s.value),
        None => "n/a".into(),
    };
    let mut out = format!(
        "{} {} {}: util {}, memory {}, temp {}, power {}",
        name(world, cluster),
        gpu.label(),
        gpu.model.as_deref().unwrap_or("model n/a"),
        write(gpu.utilisation, Unit::Percent),
        write(gpu.memory_used_mib, Unit::Mebibytes),
        write(gpu.temperature_c, Unit::Celsius),
        write(gpu.power_w, Unit::Watts),
    );
    if let Some(trouble) = trouble(gpu) {
        out.push_str(&format!(", {trouble}"));
    }
    if let Some((code, _)) = &gpu.xid {
        out.push_str(&format!(" (advice: {})", xid::of(*code).advice));
    }
    if !gpu.throttle.is_empty() {
        out.push_str(&format!(", throttled by {}", gpu.throttle.join(", ")));
    }
    if let Some((namespace, pod)) = &gpu.pod {
        out.push_str(&format!(", held by {namespace}/{pod}"));
    }
    out
}
