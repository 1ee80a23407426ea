//! Everything known about one served model: load, latency, what limits it, where it runs.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::served::{self, Row, Served};
use crate::model::gpu::Gpu;
use crate::model::id::ClusterId;
use crate::model::sample::Sample;
use crate::model::serving::{InferenceService, Latency, Serving};
use crate::model::signal::Group;
use crate::model::unit::Unit;
use crate::state::world::{ClusterState, World};
use crate::ui::Ctx;
use crate::ui::view::common::{ago, heading, name, pair, reading};
use crate::ui::widget::text::wrap;

pub fn title(world: &World, (cluster, model): Row<'_>) -> String {
    format!("{} {}", name(world, cluster), model.name())
}

pub fn lines<'a>(ctx: &Ctx<'_>, (cluster, row): Row<'a>, width: usize) -> Vec<Line<'a>> {
    match row {
        Served::Model(model) => told(ctx, cluster, model, width),
        Served::Silent(service) => silent(ctx, cluster, service, width),
    }
}

fn told<'a>(ctx: &Ctx<'_>, cluster: ClusterId, model: &'a Serving, width: usize) -> Vec<Line<'a>> {
    let ctx = &ctx.polled(cluster, Group::Serving);
    let theme = ctx.theme;
    let state = ctx.world.cluster(cluster);
    let gpus = state.map_or(Vec::new(), |c| model.gpus(&c.gpus));
    let mut out = Vec::new();
    let (said, style) = pressed(ctx, model, &gpus);
    let parts = wrap(&said, width.max(1)).into_iter();
    out.extend(parts.map(|p| Line::styled(p, style)));
    load(ctx, model, &mut out);
    latency(ctx, model, &mut out);
    finished(ctx, model, &mut out);
    let polled = ctx.polled(cluster, Group::Gpu);
    place(&polled, model, &gpus, width, &mut out);
    if let Some(state) = state {
        kserve(ctx, state, model, width, &mut out);
    }
    let newest = model
        .running
        .map_or("none now".into(), |s| ago(ctx.world, s.at));
    out.push(pair(theme, "newest", newest, theme.base));
    out
}

/// Whether it is pressed and by what, as far as it is told now: nothing known is not well.
fn pressed(ctx: &Ctx<'_>, model: &Serving, gpus: &[&Gpu]) -> (String, Style) {
    let theme = ctx.theme;
    let told = [model.waiting, model.kv_cache].into_iter().flatten();
    let Some(at) = told.map(|sample| sample.at).min() else {
        return ("? whether it is pressed is not told".into(), theme.unknown);
    };
    if ctx.is_old(at) {
        let text = format!(
            "? whether it is pressed was told {} ago",
            ago(ctx.world, at)
        );
        return (text, theme.unknown);
    }
    if let Some((bound, why)) = model.bound(gpus) {
        return (format!("▲ {}: {why}", bound.word()), theme.warn);
    }
    match (model.waiting, model.kv_cache) {
        (Some(waiting), _) if waiting.value > 0.0 => {
            let text = format!("▲ {:.0} wait: nothing tells why", waiting.value);
            (text, theme.warn)
        }
        (Some(_), Some(_)) => (
            "● not pressed: nothing waits, the cache has room".into(),
            theme.ok,
        ),
        (Some(_), None) => (
            "● nothing waits; how full the cache is is not told".into(),
            theme.ok,
        ),
        (None, _) => ("? how many wait is not told".into(), theme.unknown),
    }
}

/// A value of a row of several; what is old is marked.
fn beside(ctx: &Ctx<'_>, sample: Option<Sample>, unit: Unit) -> String {
    match sample {
        Some(s) if s.value.is_nan() => "idle".into(),
        Some(s) if ctx.is_old(s.at) => format!("{}~", unit.write(s.value)),
        Some(s) => unit.write(s.value),
        None => "n/a".into(),
    }
}

fn row<'a>(ctx: &Ctx<'_>, key: &'a str, sample: Option<Sample>, unit: Unit) -> Line<'a> {
    let value = match sample {
        Some(s) if s.value.is_nan() => Span::styled("idle", ctx.theme.muted),
        sample => reading(ctx, sample, unit, ctx.theme.base),
    };
    Line::from(vec![
        Span::styled(format!("{key:<12}"), ctx.theme.muted),
        value,
    ])
}

fn load<'a>(ctx: &Ctx<'_>, model: &'a Serving, out: &mut Vec<Line<'a>>) {
    out.push(row(ctx, "running", model.running, Unit::None));
    out.push(row(ctx, "waiting", model.waiting, Unit::None));
    if model.swapped.is_some() {
        out.push(row(ctx, "swapped out", model.swapped, Unit::None));
    }
    out.push(row(ctx, "KV cache", model.kv_cache, Unit::Ratio));
    out.push(row(ctx, "prefix hits", model.prefix_hits, Unit::Ratio));
    out.push(row(
        ctx,
        "preempted",
        model.preemptions_per_s,
        Unit::PerSecond,
    ));
    out.push(row(ctx, "rejected", model.rejected_per_s, Unit::PerSecond));
    out.push(row(
        ctx,
        "prompt tok",
        model.prompt_tokens_per_s,
        Unit::PerSecond,
    ));
    out.push(row(
        ctx,
        "gen tok",
        model.generation_tokens_per_s,
        Unit::PerSecond,
    ));
    if let Some(state) = &model.asleep {
        let text = format!("an engine sleeps: {state}");
        out.push(pair(ctx.theme, "asleep", text, ctx.theme.warn));
    }
}

fn latency<'a>(ctx: &Ctx<'_>, model: &'a Serving, out: &mut Vec<Line<'a>>) {
    let theme = ctx.theme;
    let columns = format!("{:<12}{:>9}{:>9}{:>9}", "2 min", "p50", "p95", "p99");
    out.push(Line::styled(columns, theme.title));
    let write = |s: Option<Sample>| beside(ctx, s, Unit::Seconds);
    let mut line = |key: &'a str, l: &Latency| {
        let text = format!("{:>9}{:>9}{:>9}", write(l.p50), write(l.p95), write(l.p99));
        out.push(Line::from(vec![
            Span::styled(format!("{key:<12}"), theme.muted),
            Span::styled(text, theme.base),
        ]));
    };
    line("first token", &model.ttft);
    line("between", &model.itl);
    line("end to end", &model.e2e);
    let queue = Latency {
        p95: model.queue_p95_s,
        ..Latency::default()
    };
    line("in queue", &queue);
}

fn finished<'a>(ctx: &Ctx<'_>, model: &'a Serving, out: &mut Vec<Line<'a>>) {
    let theme = ctx.theme;
    out.push(heading(theme, "finished"));
    if model.finished.is_empty() {
        out.push(Line::styled(
            "n/a (not exported, or no history yet)",
            theme.muted,
        ));
        return;
    }
    let all: f64 = model.finished.iter().map(|(_, rate)| rate.value).sum();
    for (reason, rate) in &model.finished {
        let share = match all > 0.0 {
            true => format!("  {}", Unit::Ratio.write(rate.value / all)),
            false => String::new(),
        };
        let bad = matches!(reason.as_str(), "abort" | "error") && rate.value > 0.0;
        let style = if bad { theme.warn } else { theme.base };
        let text = format!("{}{share}", beside(ctx, Some(*rate), Unit::PerSecond));
        out.push(pair(theme, reason, text, style));
    }
}

/// Which GPUs serve it.
fn place<'a>(
    ctx: &Ctx<'_>,
    model: &'a Serving,
    gpus: &[&Gpu],
    width: usize,
    out: &mut Vec<Line<'a>>,
) {
    let theme = ctx.theme;
    let engines = match model.engines {
        0 => String::new(),
        n => format!(", {n} engines"),
    };
    let text = format!(
        "served by {} pods{engines}, {} GPUs",
        model.pods.len(),
        gpus.len()
    );
    out.push(heading(theme, text));
    for (namespace, pod) in &model.pods {
        let parts = wrap(&format!("{namespace}/{pod}"), width.max(1)).into_iter();
        out.extend(parts.map(|p| Line::styled(p, theme.base)));
    }
    if gpus.is_empty() {
        let why = match model.pods.is_empty() {
            true => "which GPUs is not told: its series name no pod",
            false => "no exporter names these pods on a GPU",
        };
        out.push(Line::styled(why, theme.muted));
    }
    for gpu in gpus {
        out.push(Line::styled(gpu_words(ctx, gpu), theme.base));
    }
}

fn gpu_words(ctx: &Ctx<'_>, gpu: &Gpu) -> String {
    let write = |s: Option<Sample>, unit: Unit| beside(ctx, s, unit);
    format!(
        "{} {} tensor {} {}",
        gpu.label(),
        write(gpu.utilisation, Unit::Percent),
        write(gpu.tensor_active, Unit::Ratio),
        write(gpu.memory_used_mib, Unit::Mebibytes),
    )
}

/// The InferenceService whose predictor pods serve it.
fn kserve<'a>(
    ctx: &Ctx<'_>,
    state: &ClusterState,
    model: &Serving,
    width: usize,
    out: &mut Vec<Line<'a>>,
) {
    let own = |s: &&InferenceService| served::serves(s, model);
    for service in state.inference.values().filter(own) {
        out.push(heading(ctx.theme, format!("KServe {}", service.name)));
        service_lines(ctx, service, width, out);
    }
}

/// What is known of an InferenceService that tells nothing of its work.
fn silent<'a>(
    ctx: &Ctx<'_>,
    cluster: ClusterId,
    service: &InferenceService,
    width: usize,
) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut out = Vec::new();
    service_lines(ctx, service, width, &mut out);
    let Some(state) = ctx.world.cluster(cluster) else {
        return out;
    };
    let mut push = |text: &str, style| {
        let parts = wrap(text, width.max(1)).into_iter();
        out.extend(parts.map(|p| Line::styled(p, style)));
    };
    let why = served::why_silent(state, service);
    push(&format!("metrics n/a: {why}"), theme.muted);
    let pods = served::pods(state, service);
    push(
        &format!("{} pods, asks for {} GPUs", pods.len(), service.gpus),
        theme.title,
    );
    for pod in &pods {
        let why = pod.reason.as_deref().unwrap_or(&pod.phase);
        let text = format!(
            "{}/{} {why} {}/{} ready, {}",
            pod.namespace,
            pod.name,
            pod.ready,
            pod.containers,
            pod.node.as_deref().unwrap_or("on no node"),
        );
        let well = pod.ready == pod.containers && pod.reason.is_none();
        push(&text, if well { theme.base } else { theme.warn });
    }
    let polled = ctx.polled(cluster, Group::Gpu);
    for gpu in served::gpus(state, service) {
        push(&gpu_words(&polled, gpu), theme.base);
    }
    out
}

fn service_lines<'a>(
    ctx: &Ctx<'_>,
    service: &InferenceService,
    width: usize,
    out: &mut Vec<Line<'a>>,
) {
    let theme = ctx.theme;
    let (said, style) = match service.ready {
        Some(true) => ("ready", theme.ok),
        Some(false) => ("not ready ✗", theme.crit),
        None => ("not told yet", theme.muted),
    };
    let transition = service.transition.as_deref().unwrap_or("");
    out.push(pair(theme, "state", format!("{said} {transition}"), style));
    let mut long = |key: &'static str, value: &str, style| {
        let parts = wrap(value, width.saturating_sub(12).max(1)).into_iter();
        for (at, part) in parts.enumerate() {
            out.push(pair(theme, if at == 0 { key } else { "" }, part, style));
        }
    };
    if service.ready != Some(true) {
        let bad = service
            .conditions
            .iter()
            .filter(|c| c.status == Some(false));
        for condition in bad {
            let words = [&condition.reason, &condition.message].map(|w| w.trim());
            let text = format!("{}: {}", condition.kind, words.join(" "));
            long("why", text.trim(), theme.warn);
        }
    }
    if let Some(failure) = &service.failure {
        long("failed", failure, theme.crit);
    }
    for (key, value) in [("runtime", &service.runtime), ("url", &service.url)] {
        if let Some(value) = value {
            long(key, value, theme.base);
        }
    }
}
