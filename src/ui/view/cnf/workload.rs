//! Network functions, and for each the question whether it can meet its timing now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::list::{self, Row, RowId};
use crate::model::id::ClusterId;
use crate::state::world::World;
use crate::state::world::timing::{Timing, Workload};
use crate::ui::view::Focus;
use crate::ui::view::common::{clusters, lines, name, pane};
use crate::ui::widget::table::{Column, Table};
use crate::ui::widget::text::wrap;
use crate::ui::{Ctx, Theme};

const COLUMNS: [Column; 8] = [
    Column::new("S", 1, 1),
    Column::new("TYPE", 4, 4),
    Column::new("CLUSTER", 8, 14).priority(4),
    Column::new("POD", 12, 34),
    Column::new("NODE", 8, 16).priority(3),
    Column::new("PHASE", 7, 10).priority(2),
    Column::new("TIMING", 7, 7),
    Column::new("BECAUSE", 12, 90).priority(1),
];

pub struct WorkloadRow<'a> {
    pub cluster: ClusterId,
    pub workload: Workload<'a>,
}

pub fn rows(world: &World, scope: Option<ClusterId>) -> Vec<WorkloadRow<'_>> {
    let mut rows: Vec<WorkloadRow<'_>> = clusters(world, scope)
        .flat_map(|c| {
            let found = c.network_functions(world.now);
            found.into_iter().map(move |workload| WorkloadRow {
                cluster: c.id,
                workload,
            })
        })
        .collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.workload.timing()));
    rows
}

impl Row for WorkloadRow<'_> {
    fn id(&self) -> RowId {
        let pod = self.workload.pod;
        (self.cluster, pod.namespace.clone(), pod.name.clone())
    }

    fn fields<'b>(&'b self, world: &'b World) -> Vec<(&'b str, &'b str)> {
        let pod = self.workload.pod;
        vec![
            ("pod", &*pod.name),
            ("namespace", &*pod.namespace),
            ("cluster", name(world, self.cluster)),
            ("type", self.workload.kind.word()),
            ("node", pod.node.as_deref().unwrap_or("")),
            ("timing", self.workload.timing().word()),
        ]
    }

    fn focus(&self) -> Focus {
        let pod = self.workload.pod;
        Focus::Pod {
            cluster: self.cluster,
            namespace: pod.namespace.to_string(),
            pod: pod.name.to_string(),
        }
    }

    fn plain(&self, world: &World) -> String {
        let pod = self.workload.pod;
        let mut out = format!(
            "{} {} {}/{} on {}: can meet its timing: {}",
            name(world, self.cluster),
            self.workload.kind.word(),
            pod.namespace,
            pod.name,
            pod.node.as_deref().unwrap_or("no node"),
            self.workload.timing().word(),
        );
        for need in &self.workload.needs {
            out.push_str(&format!("; {} {}", need.what, need.text));
        }
        out
    }

    fn is_bad(&self) -> bool {
        self.workload.timing() != Timing::Met
    }

    /// Each need with what is known of it.
    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer, skip: usize) {
        let theme = ctx.theme;
        let pod = self.workload.pod;
        let title = format!("{} {}", self.workload.kind.word(), pod.name);
        let timing = self.workload.timing();
        let inner = pane(ctx, area, buf, &title, "", false);
        let question = format!(
            "can this {} meet its timing now? ",
            self.workload.kind.word()
        );
        let mut text = vec![
            Line::from(vec![
                Span::styled(question, theme.base),
                Span::styled(timing.word(), style(theme, timing).1),
            ]),
            Line::default(),
        ];
        let width = usize::from(inner.width).saturating_sub(14);
        for need in &self.workload.needs {
            let (glyph, colour) = style(theme, need.timing);
            for (at, part) in wrap(&need.text, width).into_iter().enumerate() {
                let head = match at {
                    0 => format!("{glyph} {:<11} ", need.what),
                    _ => " ".repeat(14),
                };
                text.push(Line::from(vec![
                    Span::styled(head, colour),
                    Span::styled(part, theme.base),
                ]));
            }
        }
        let most = text.len().saturating_sub(usize::from(inner.height));
        lines(ctx, inner, buf, &text, skip.min(most));
    }
}

impl WorkloadRow<'_> {
    /// What decides the answer: the needs that are as bad as the whole.
    fn because(&self) -> String {
        let timing = self.workload.timing();
        let needs = self.workload.needs.iter();
        let deciding = needs.filter(|n| n.timing == timing && timing != Timing::Met);
        let told: Vec<String> = deciding
            .map(|n| format!("{}: {}", n.what, n.text))
            .collect();
        told.join("; ")
    }
}

fn style(theme: &Theme, timing: Timing) -> (&'static str, Style) {
    match timing {
        Timing::Met => ("●", theme.ok),
        Timing::Unknown => ("?", theme.unknown),
        Timing::NotMet => ("✗", theme.crit),
    }
}

pub fn draw<'a>(
    ctx: &Ctx<'a>,
    area: Rect,
    buf: &mut Buffer,
    (rows, table): (&'a [WorkloadRow<'a>], &Table<RowId>),
) {
    let count = |timing| {
        let all = rows.iter().map(|r| r.workload.timing());
        all.filter(|t| *t == timing).count()
    };
    let title = format!("network functions {}", rows.len());
    let right = format!(
        "timing met {} · not {} · unknown {}",
        count(Timing::Met),
        count(Timing::NotMet),
        count(Timing::Unknown)
    );
    let why = "no pod is named as a network function (vdu, vcu, upf, amf, smf, nrf), or none \
               matches the filter";
    list::draw(
        ctx,
        area,
        buf,
        (&title, &right, why),
        &COLUMNS,
        (rows, table),
        |row, column| cell(ctx, row, column),
    );
}

fn cell<'a>(ctx: &Ctx<'a>, row: &WorkloadRow<'a>, column: usize) -> Line<'a> {
    let theme = ctx.theme;
    let (glyph, colour) = style(theme, row.workload.timing());
    let pod = row.workload.pod;
    match column {
        0 => Line::styled(glyph, colour),
        1 => Line::styled(row.workload.kind.word(), theme.base),
        2 => Line::styled(name(ctx.world, row.cluster), theme.muted),
        3 => Line::styled(format!("{}/{}", pod.namespace, pod.name), theme.base),
        4 => match &pod.node {
            Some(node) => Line::styled(node.as_ref(), theme.base),
            None => Line::styled("-", theme.muted),
        },
        5 => Line::styled(pod.phase.as_str(), theme.muted),
        6 => Line::styled(row.workload.timing().word(), colour),
        _ => Line::styled(row.because(), theme.muted),
    }
}
