//! Everything known about one device.

use ratatui::text::{Line, Span};

use super::map::trouble;
use super::past;
use crate::model::gpu::Gpu;
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::unit::Unit;
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::view::common::{ago, heading, name, pair, reading};
use crate::ui::widget::heat::meter;
use crate::ui::widget::text::wrap;

pub fn title(world: &World, cluster: ClusterId, gpu: &Gpu) -> String {
    let model = gpu.model.as_deref().unwrap_or("model n/a");
    format!("{} {} · {model}", name(world, cluster), gpu.label())
}

pub fn lines<'a>(ctx: &Ctx<'_>, cluster: ClusterId, gpu: &'a Gpu, width: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out = Vec::new();
    if let Some(trouble) = trouble(gpu) {
        for part in wrap(&format!("✗ {trouble}"), width) {
            out.push(Line::styled(part, theme.crit));
        }
    }
    if !gpu.throttle.is_empty() {
        let text = format!("▲ clocks held down: {}", gpu.throttle.join(", "));
        out.extend(
            wrap(&text, width)
                .into_iter()
                .map(|p| Line::styled(p, theme.warn)),
        );
    }
    if gpu.newest().is_none()
        && let Some(last) = past::last(ctx, cluster, gpu, &["DCGM_FI_DEV_GPU_TEMP"])
    {
        let text = format!(
            "no longer reported since {}: last values",
            ctx.clock_or_day(last.at)
        );
        out.push(Line::styled(text, theme.warn));
    }
    // What is no longer told is not what was never told.
    let read = |key: &'a str, now: Option<Sample>, name: &str, unit: Unit| {
        let sample = now.or_else(|| past::last(ctx, cluster, gpu, &[name]));
        Line::from(vec![
            Span::styled(format!("{key:<12}"), theme.muted),
            reading(ctx, sample, unit, theme.base),
        ])
    };
    let util = gpu.utilisation;
    out.push(read(
        "utilisation",
        util,
        "DCGM_FI_DEV_GPU_UTIL",
        Unit::Percent,
    ));
    let tensor = gpu.tensor_active;
    out.push(read(
        "tensor",
        tensor,
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        Unit::Ratio,
    ));
    let dram = gpu.dram_active;
    out.push(read(
        "mem bandw.",
        dram,
        "DCGM_FI_PROF_DRAM_ACTIVE",
        Unit::Ratio,
    ));
    out.push(memory(ctx, gpu, width));
    out.push(power(ctx, gpu));
    let temp = gpu.temperature_c;
    out.push(read(
        "temperature",
        temp,
        "DCGM_FI_DEV_GPU_TEMP",
        Unit::Celsius,
    ));
    let temp = gpu.memory_temperature_c;
    out.push(read(
        "mem temp.",
        temp,
        "DCGM_FI_DEV_MEMORY_TEMP",
        Unit::Celsius,
    ));
    let clock = gpu.sm_clock_mhz;
    out.push(read(
        "SM clock",
        clock,
        "DCGM_FI_DEV_SM_CLOCK",
        Unit::Megahertz,
    ));
    let xid = match &gpu.xid {
        Some((number, text)) => (format!("{number} {text}"), theme.crit),
        None => ("none told".into(), theme.muted),
    };
    out.push(pair(theme, "XID", xid.0, xid.1));
    let remap = match gpu.row_remap_failure {
        Some(true) => ("failed ✗", theme.crit),
        Some(false) => ("no failure", theme.ok),
        None => ("n/a", theme.muted),
    };
    out.push(pair(theme, "row remap", remap.0, remap.1));
    if let Some(healthy) = gpu.healthy {
        let told = if healthy {
            ("healthy", theme.ok)
        } else {
            ("unhealthy ✗", theme.crit)
        };
        out.push(pair(theme, "health", told.0, told.1));
    }
    out.extend(past::lines(ctx, cluster, gpu, width));
    owner(ctx, gpu, width, &mut out);
    out
}

fn memory<'a>(ctx: &Ctx<'_>, gpu: &Gpu, width: usize) -> Line<'a> {
    let theme = ctx.theme;
    let used = reading(ctx, gpu.memory_used_mib, Unit::Mebibytes, theme.base);
    let mut spans = vec![Span::styled("memory      ", theme.muted), used];
    match gpu.memory_total_mib {
        Some(total) => {
            spans.push(Span::styled(
                format!(" of {}  ", Unit::Mebibytes.write(total)),
                theme.base,
            ));
            if let Some(used) = gpu.memory_used_mib.filter(|_| total > 0.0) {
                let room = width.saturating_sub(38).min(20);
                spans.push(Span::styled(meter(used.value / total, room), theme.accent));
            }
        }
        None => spans.push(Span::styled(" of n/a", theme.muted)),
    }
    Line::from(spans)
}

fn power<'a>(ctx: &Ctx<'_>, gpu: &Gpu) -> Line<'a> {
    let limit = gpu
        .power_limit_w
        .map_or("n/a".into(), |w| Unit::Watts.write(w));
    Line::from(vec![
        Span::styled("power       ", ctx.theme.muted),
        reading(ctx, gpu.power_w, Unit::Watts, ctx.theme.base),
        Span::styled(format!(" of {limit}"), ctx.theme.base),
    ])
}

fn owner<'a>(ctx: &Ctx<'_>, gpu: &'a Gpu, width: usize, out: &mut Vec<Line<'a>>) {
    let theme = ctx.theme;
    out.push(heading(theme, "held by"));
    match &gpu.pod {
        Some((namespace, pod)) => {
            let text = format!("{namespace}/{pod} (exporter label)");
            let parts = wrap(&text, width).into_iter();
            out.extend(parts.map(|p| Line::styled(p, theme.base)));
            if gpu.pods > 1 {
                let text = format!("shared by {} pods", gpu.pods);
                out.push(Line::styled(text, theme.warn));
            }
        }
        None => out.push(Line::styled("no pod told by the exporter", theme.muted)),
    }
    out.push(heading(theme, "device"));
    let uuid = wrap(
        gpu.uuid.as_deref().unwrap_or("n/a"),
        width.saturating_sub(12),
    );
    for (part, key) in uuid.into_iter().zip(["uuid", "", ""]) {
        out.push(pair(theme, key, part, theme.base));
    }
    out.push(pair(theme, "vendor", gpu.vendor, theme.base));
    let newest = gpu
        .newest()
        .map_or("none now".into(), |s| ago(ctx.world, s.at));
    out.push(pair(theme, "newest", newest, theme.base));
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
    if !gpu.throttle.is_empty() {
        out.push_str(&format!(", throttled by {}", gpu.throttle.join(", ")));
    }
    if let Some((namespace, pod)) = &gpu.pod {
        out.push_str(&format!(", held by {namespace}/{pod}"));
    }
    out
}
