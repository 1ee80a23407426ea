//! Who holds a device, what it is a part of, and what it is.

use ratatui::text::Line;

use super::fields::Page;
use crate::model::gpu::Gpu;
use crate::model::sample::Sample;
use crate::model::unit::{Unit, age};
use crate::ui::view::common::{ago, heading, pair};

pub fn owner(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    page.push(heading(theme, "held by"));
    for (namespace, pod) in &gpu.holders {
        page.text(&format!("{namespace}/{pod} (exporter label)"), theme.base);
    }
    match gpu.holders.len() {
        0 => page.text("no pod told by the exporter", theme.muted),
        1 => {}
        many => page.text(&format!("shared by {many} pods"), theme.warn),
    }
    if let Some(idle_ms) = gpu.idle_ms(ctx.world.now) {
        let text = format!("idle for {}", age(idle_ms));
        page.text(
            &text,
            if gpu.pod.is_some() {
                theme.warn
            } else {
                theme.muted
            },
        );
    }
}

/// Instances of the same card: MIG, or AMD's partitions.
pub fn parts(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    if gpu.partition.is_none() {
        return;
    }
    let cluster = ctx.world.cluster(page.cluster);
    let same = |g: &&Gpu| g.node == gpu.node && g.uuid == gpu.uuid && g.partition.is_some();
    let all: Vec<&Gpu> = cluster
        .into_iter()
        .flat_map(|c| &c.gpus)
        .filter(same)
        .collect();
    let kind = if gpu.vendor == "nvidia" {
        "MIG"
    } else {
        "partitions"
    };
    let held = all.iter().filter(|g| g.pod.is_some()).count();
    let text = format!(
        "{kind} of GPU {}: {} parts, {held} held",
        gpu.index,
        all.len()
    );
    page.push(heading(ctx.theme, text));
    let last = all.len().saturating_sub(1);
    for (at, part) in all.iter().enumerate() {
        let write = |s: Option<Sample>, unit: Unit| s.map_or("n/a".into(), |s| unit.write(s.value));
        let branch = if at == last { "└" } else { "├" };
        let own = if part.partition == gpu.partition {
            "▶"
        } else {
            " "
        };
        let pod = part
            .pod
            .as_ref()
            .map_or("-".into(), |(n, p)| format!("{n}/{p}"));
        let text = format!(
            "{branch}{own}{} {} {} {pod}",
            part.partition.as_deref().unwrap_or(""),
            write(part.utilisation, Unit::Percent),
            write(part.memory_used_mib, Unit::Mebibytes),
        );
        page.push(Line::styled(text, ctx.theme.base));
    }
}

pub fn device(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    page.push(heading(theme, "device"));
    page.long("uuid", gpu.uuid.as_deref().unwrap_or("n/a"), theme.base);
    page.pair("vendor", gpu.vendor, theme.base);
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "n/a".into());
    page.pair("driver", known(&gpu.driver), theme.base);
    page.pair("bus", known(&gpu.bus), theme.base);
    let newest = gpu
        .newest()
        .map_or("none now".into(), |s| ago(ctx.world, s.at));
    page.push(pair(theme, "newest", newest, theme.base));
}

/// What is of `nvidia-smi`, how old it is and where it was read; the processes it sees.
pub fn smi(page: &mut Page<'_, '_>) {
    let (ctx, gpu) = (page.ctx, page.gpu);
    let theme = ctx.theme;
    let Some(smi) = &gpu.smi else {
        return;
    };
    page.push(heading(theme, "nvidia-smi"));
    page.pair("read", ago(ctx.world, smi.at), theme.base);
    page.long("in pod", &smi.read_in, theme.base);
    let fills = match smi.fills.is_empty() {
        true => "nothing: the exporter tells it all".to_owned(),
        false => smi.fills.join(", "),
    };
    page.long("tells", &fills, theme.base);
    if smi.processes.is_empty() {
        page.long("processes", "none seen from that pod", theme.muted);
    }
    for (at, process) in smi.processes.iter().enumerate() {
        let key = if at == 0 { "processes" } else { "" };
        let memory = process.memory_mib.map(|mib| Unit::Mebibytes.write(mib));
        let memory = memory.unwrap_or_else(|| "n/a".into());
        page.long(key, &format!("{memory} {}", process.name), theme.base);
    }
}
