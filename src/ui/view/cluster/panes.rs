//! The lists of the cluster screen, drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{List, Tab};
use super::row::NodeFacts;
use super::rows::{Row, RowId};
use super::{Cluster, cell};
use crate::model::health::SourceKind;
use crate::state::world::ClusterState;
use crate::ui::Ctx;
use crate::ui::view::{common, rights};

impl Cluster {
    pub(super) fn draw_list(
        &self,
        ctx: &Ctx,
        (list, area): (List, Rect),
        buf: &mut Buffer,
        c: &ClusterState,
    ) {
        let focus = ctx.focus && self.list() == list;
        if list == List::Rights {
            return self.draw_rights(ctx, area, buf, c, focus);
        }
        let rows = self.rows(ctx.world, c, list);
        let mut title = self.title(list, rows.len(), c);
        if let Some((_, namespace, name)) = self.table(list).missing(&rows, Row::id) {
            let slash = if namespace.is_empty() { "" } else { "/" };
            title.push_str(&format!(" · {namespace}{slash}{name} is not among them"));
        }
        let inner = common::pane(ctx, area, buf, &title, &self.side(list), focus);
        if rows.is_empty() {
            let (text, style) = self.nothing(ctx, list, c);
            ctx.put(buf, (inner.x, inner.y), inner.width, &text, style);
            return;
        }
        let held = match list {
            List::Nodes => NodeFacts::new(ctx.world, c),
            _ => NodeFacts::default(),
        };
        let ctx = Ctx { focus, ..*ctx };
        let mut columns = list.columns(self.tab == Tab::Only(List::Nodes)).to_vec();
        let today = ctx.today();
        if rows
            .iter()
            .any(|row| row.first().is_some_and(|at| Some(at) < today))
        {
            // The date needs room.
            for time in columns.iter_mut().take(2) {
                (time.min, time.max) = (11, 11);
            }
        }
        self.table(list).draw(
            &ctx,
            inner,
            buf,
            (&columns, &rows),
            Row::id,
            |row, column| cell::cell(&ctx, &held, row, column),
        );
    }

    fn title(&self, list: List, shown: usize, c: &ClusterState) -> String {
        let of = |all: usize| match shown == all {
            true => list.counted(c, all),
            false => format!("{shown} of {}", list.counted(c, all)),
        };
        match list {
            List::Problems => format!("Problems {}", list.counted(c, shown)),
            List::Nodes => format!("Nodes {}", of(c.nodes.len())),
            List::Pods => format!("Pods {}", of(c.pods.len())),
            List::Workloads => format!("Workloads {}", of(c.workloads.len())),
            List::Events if self.each_event => format!("Events {}", of(c.events.len())),
            List::Events => match list.counted(c, c.events.len()).as_str() {
                "?" => "Events ?".into(),
                all => format!("Events {all} in {shown} groups"),
            },
            List::Operators => format!("Operators {}", of_operators(shown, c)),
            List::Capacity => "Capacity and blind spots".into(),
            List::Discovery if c.probes.is_empty() => "Discovery ?".into(),
            List::Discovery if shown < c.probes.len() => {
                format!("Discovery {shown} of {}", c.probes.len())
            }
            List::Discovery => format!("Discovery {shown}"),
            List::Sources => {
                let now_heard = c.sources.values();
                let live = now_heard
                    .filter(|h| h.fault().is_none() && h.last_ok.is_some())
                    .count();
                format!("Sources {live} of {} heard", c.sources.len())
            }
            List::Rights => "Identity and rights".into(),
        }
    }

    fn side(&self, list: List) -> String {
        let takes_turns = self.single && self.tab == Tab::Overview;
        let next = match list {
            List::Problems if takes_turns => "Tab: nodes",
            List::Nodes if takes_turns => "Tab: events",
            List::Events if takes_turns => "Tab: sources",
            _ if takes_turns => "Tab: problems",
            List::Events if self.each_event => "z: groups",
            List::Events => "z: each",
            _ => "",
        };
        let narrowed = match list {
            _ if !self.problems => "",
            List::Problems | List::Sources | List::Capacity => "",
            List::Events => "! warnings only",
            _ => "! problems only",
        };
        let between = if narrowed.is_empty() || next.is_empty() {
            ""
        } else {
            " · "
        };
        format!("{narrowed}{between}{next}")
    }

    /// Why a list is empty: none, not known, or not permitted.
    fn nothing(&self, ctx: &Ctx, list: List, c: &ClusterState) -> (String, ratatui::style::Style) {
        let muted = ctx.theme.muted;
        let unknown = |text: &str| (text.to_owned(), ctx.theme.unknown);
        if list == List::Sources && c.sources.is_empty() {
            return ("no source is configured".into(), muted);
        }
        if list == List::Discovery && c.probes.is_empty() {
            return unknown("not yet looked");
        }
        if let Some(text) = list.kinds().iter().find_map(|k| rights::refused(c, *k)) {
            return (text, ctx.theme.warn);
        }
        let unlisted = list.unlisted(c);
        let listed = list.needed().iter().any(|kind| c.is_listed(*kind));
        let some = listed || list.len(c).is_some_and(|n| n > 0);
        let heard = match c.sources.get(&SourceKind::Kubernetes) {
            None => return unknown("unknown: no kube context is configured for this cluster"),
            Some(h) if h.fault().is_some() && !some => {
                return unknown("unknown: the Kubernetes API is not heard");
            }
            Some(h) => h.last_ok.is_some(),
        };
        if !self.table(list).filter_text().is_empty() {
            return ("nothing passes the filter".into(), muted);
        }
        if self.problems && list.len(c).is_some_and(|n| n > 0) {
            return ("nothing is wrong among them: ! shows all".into(), muted);
        }
        let words: Vec<&str> = unlisted.iter().map(|kind| kind.word()).collect();
        match (list, unlisted.is_empty(), some, heard) {
            (List::Problems, true, ..) => {
                ("nothing is wrong in what is listed".into(), ctx.theme.ok)
            }
            (List::Operators, true, false, _) => ("none: this is no OpenShift".into(), muted),
            (_, true, ..) => ("none".into(), muted),
            (_, false, true, _) => {
                let lacks = words.join(", ");
                unknown(&format!("none in what is listed; not listed: {lacks}"))
            }
            (List::Operators, _, _, true) => {
                ("none: this is no OpenShift, or not listed".into(), muted)
            }
            (.., true) => ("not listed yet".into(), muted),
            (.., false) => ("not heard yet".into(), muted),
        }
    }

    fn draw_rights(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer, c: &ClusterState, focus: bool) {
        let inner = common::pane(ctx, area, buf, "Identity and rights", "", focus);
        let lines = rights::lines(ctx, c);
        let most = lines.len().saturating_sub(usize::from(inner.height));
        common::lines(ctx, inner, buf, &lines, self.skip.min(most));
    }

    pub(super) fn draw_detail(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let text = self
            .explain(ctx.world)
            .unwrap_or_else(|| "nothing chosen".into());
        common::detail(ctx, area, buf, &text, area.height / 2);
    }

    pub(super) fn table(&self, list: List) -> &crate::ui::widget::table::Table<RowId> {
        let table = self.tables.get(list as usize);
        table.unwrap_or(&self.spare)
    }
}

fn of_operators(shown: usize, c: &ClusterState) -> String {
    let shown = shown.saturating_sub(usize::from(c.version.is_some()));
    let all = List::Operators.counted(c, c.operators.len());
    match shown >= c.operators.len() {
        true => all,
        false => format!("{shown} of {all}"),
    }
}
