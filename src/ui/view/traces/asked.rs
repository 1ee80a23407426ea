//! A search on its way to the clusters of the scope and back, and one trace likewise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::language::traceql::traceql;
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, Question};
use crate::model::fault::{Fault, FaultKind};
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::time::Timestamp;
use crate::model::trace::{Summary, Trace, TraceId};
use crate::state::world::World;
use crate::ui::Window;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::widget::table::Table;

/// Traces asked of each cluster.
pub const LIMIT: u32 = 100;

/// Questions to the clusters that have a Tempo, and how many have none.
#[derive(Debug, Default)]
pub struct Asking {
    pub pending: Vec<RequestId>,
    pub without: usize,
    pub answered: usize,
    pub slowest_ms: u32,
    pub faults: Vec<Fault>,
    pub warnings: Vec<String>,
}

impl Asking {
    fn new(
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
        ask: &Ask,
    ) -> (Self, Vec<Effect>) {
        let mut asking = Self::default();
        let mut effects = Vec::new();
        for cluster in clusters(world, scope) {
            if !cluster.sources.contains_key(&SourceKind::Tempo) {
                asking.without += 1;
                continue;
            }
            let id = numbers.take();
            asking.pending.push(id);
            effects.push(Effect::Ask(Question {
                id,
                cluster: cluster.id,
                ask: ask.clone(),
            }));
        }
        (asking, effects)
    }

    /// Whether it answers one of these questions; what is not the answer itself is kept.
    fn takes(&mut self, answered: &Answered) -> bool {
        let Some(place) = self.pending.iter().position(|id| *id == answered.id) else {
            return false;
        };
        self.pending.remove(place);
        self.slowest_ms = self.slowest_ms.max(answered.latency_ms);
        self.warnings.extend(answered.warnings.iter().cloned());
        match &answered.result {
            Ok(_) => self.answered += 1,
            Err(fault) => self.faults.push(fault.clone()),
        }
        true
    }

    /// Nobody could be asked.
    pub fn nobody(&self) -> bool {
        self.pending.is_empty() && self.answered == 0 && self.faults.is_empty()
    }
}

/// A trace that was found, and where.
#[derive(Clone, Debug)]
pub struct Row {
    pub cluster: ClusterId,
    pub found: Summary,
}

impl Row {
    pub fn id(&self) -> (ClusterId, TraceId) {
        (self.cluster, self.found.id)
    }
}

#[derive(Debug)]
pub struct Search {
    /// As typed.
    pub text: String,
    /// As sent; an error where the words make no query.
    pub query: Result<String, String>,
    pub asking: Asking,
    /// Newest first.
    pub rows: Vec<Row>,
    /// Clusters whose rows still are of the search before this one, and when those came.
    pub former: BTreeMap<ClusterId, Timestamp>,
    /// When the rows of each cluster came.
    came: BTreeMap<ClusterId, Timestamp>,
    /// The search before this one asked the same: its rows stay where no answer comes.
    same: bool,
    /// An answer held as many as were asked for: there may be more.
    pub full: bool,
}

impl Search {
    pub fn new(
        text: &str,
        world: &World,
        (scope, window): (Option<ClusterId>, Window),
        numbers: &mut Numbers,
        before: Option<Search>,
    ) -> (Self, Vec<Effect>) {
        let (start, end) = window.bounds(world.now);
        let query = traceql(text).map_err(|wrong| wrong.text);
        let (asking, effects) = match &query {
            Ok(query) => {
                let ask = Ask::Traces {
                    query: query.clone(),
                    start,
                    end,
                    limit: LIMIT,
                };
                Asking::new(world, scope, numbers, &ask)
            }
            Err(_) => Default::default(),
        };
        let before = before.filter(|_| !effects.is_empty());
        let same = before.as_ref().is_some_and(|b| b.text == text);
        let came = before.as_ref().map(|b| b.came.clone()).unwrap_or_default();
        let (rows, mut former) = before.map(|b| (b.rows, b.former)).unwrap_or_default();
        former.extend(came);
        let search = Self {
            text: text.to_owned(),
            query,
            asking,
            rows,
            came: BTreeMap::new(),
            former,
            same,
            full: false,
        };
        (search, effects)
    }

    /// Still asking, and nothing of this search came yet.
    pub fn is_begun(&self) -> bool {
        !self.asking.pending.is_empty() && self.asking.answered == 0 && !self.former.is_empty()
    }

    /// When the rows came that no answer has replaced, the oldest.
    pub fn stale(&self) -> Option<Timestamp> {
        let waits = !self.asking.pending.is_empty();
        self.former.values().min().copied().filter(|_| !waits)
    }

    /// Takes an answer; one to an older search is dropped.
    pub fn take(&mut self, answered: &Answered) {
        if !self.asking.takes(answered) {
            return;
        }
        let cluster = answered.cluster;
        let Ok(Answer::Traces(found)) = &answered.result else {
            if !self.same {
                self.drop_former(cluster);
            }
            return;
        };
        self.drop_former(cluster);
        self.came.insert(cluster, answered.at);
        let found = found.iter().cloned();
        self.rows.extend(found.map(|found| Row { cluster, found }));
        self.rows
            .sort_by_key(|r| std::cmp::Reverse((r.found.start_ns, r.id())));
        self.full |= answered.cut_from.is_some();
    }

    fn drop_former(&mut self, cluster: ClusterId) {
        if self.former.remove(&cluster).is_some() {
            self.rows.retain(|row| row.cluster != cluster);
        }
    }
}

/// One trace that is looked at.
#[derive(Debug)]
pub struct Opened {
    pub id: TraceId,
    pub asking: Asking,
    /// From the first cluster that has it.
    pub got: Option<(ClusterId, Arc<Trace>)>,
    /// It was asked for again: what is held came at this time.
    pub former: Option<Timestamp>,
    came: Option<Timestamp>,
    /// Positions of the nodes whose branches are folded.
    pub folded: BTreeSet<usize>,
    /// The cursor, by the position of its node.
    pub table: Table<usize>,
    /// Lines of the detail that are scrolled past.
    pub scroll: usize,
}

impl Opened {
    pub fn new(
        id: TraceId,
        world: &World,
        scope: Option<ClusterId>,
        numbers: &mut Numbers,
    ) -> (Self, Vec<Effect>) {
        let (asking, effects) = Asking::new(world, scope, numbers, &Ask::Trace { id });
        let opened = Self {
            id,
            asking,
            got: None,
            former: None,
            came: None,
            folded: BTreeSet::new(),
            table: Table::default(),
            scroll: 0,
        };
        (opened, effects)
    }

    pub fn take(&mut self, answered: &Answered) {
        if !self.asking.takes(answered) {
            return;
        }
        let wanted = self.got.is_none() || self.former.is_some();
        if let Some(Answer::Trace(trace)) = answered.result.as_ref().ok().filter(|_| wanted) {
            self.got = Some((answered.cluster, Arc::clone(trace)));
            (self.former, self.came) = (None, Some(answered.at));
        }
        // Where one cluster has it, that the others have not is no fault.
        if self.got.is_some() && self.former.is_none() {
            self.asking.faults.retain(|f| f.kind != FaultKind::NotFound);
        }
    }

    /// What was held of the trace before it was asked for again stays until it is answered.
    pub fn keep(&mut self, before: Opened) {
        self.former = before
            .came
            .or(before.former)
            .filter(|_| before.got.is_some());
        (self.got, self.came) = (before.got, before.came);
        (self.folded, self.table, self.scroll) = (before.folded, before.table, before.scroll);
    }

    pub fn trace(&self) -> Option<&Trace> {
        self.got.as_ref().map(|(_, trace)| trace.as_ref())
    }

    /// Positions of the nodes that are not within a folded branch.
    pub fn visible(&self) -> Vec<usize> {
        let nodes = self.trace().map_or(&[][..], |t| &t.nodes);
        let mut visible = Vec::new();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            visible.push(at);
            at += if self.folded.contains(&at) {
                node.below + 1
            } else {
                1
            };
        }
        visible
    }

    /// The node under the cursor.
    pub fn under(&self) -> Option<usize> {
        let visible = self.visible();
        let at = self.table.position(&visible, |at| *at)?;
        visible.get(at).copied()
    }

    /// Puts the cursor on a node, and unfolds what hides it.
    pub fn select(&mut self, at: usize) {
        let mut above = self.trace().and_then(|t| t.nodes.get(at)?.parent);
        while let Some(parent) = above {
            self.folded.remove(&parent);
            above = self.trace().and_then(|t| t.nodes.get(parent)?.parent);
        }
        self.table.select(at);
        self.scroll = 0;
    }

    /// Folds the branch under the cursor, or unfolds it; of a leaf, its parent's.
    pub fn fold(&mut self) {
        let Some(at) = self.under() else { return };
        let node = self.trace().and_then(|t| t.nodes.get(at));
        let Some((below, parent)) = node.map(|n| (n.below, n.parent)) else {
            return;
        };
        let branch = if below > 0 { Some(at) } else { parent };
        if let Some(branch) = branch {
            if !self.folded.remove(&branch) {
                self.folded.insert(branch);
            }
            self.table.select(branch);
        }
    }

    /// Folds all branches below the top, or unfolds all.
    pub fn fold_all(&mut self) {
        if !self.folded.is_empty() {
            self.folded.clear();
            return;
        }
        let nodes = self.trace().map_or(&[][..], |t| &t.nodes);
        let branches = nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| n.below > 0 && n.depth > 0);
        self.folded = branches.map(|(at, _)| at).collect();
    }

    /// The next span that failed, or the one before; round at the ends.
    pub fn next_failing(&self, on: bool) -> Option<usize> {
        let here = self.under();
        let nodes = self.trace()?.nodes.iter().enumerate();
        let failing: Vec<usize> = nodes
            .filter(|(_, n)| n.span.failed())
            .map(|(at, _)| at)
            .collect();
        let next = match on {
            true => failing.iter().find(|at| here.is_none_or(|h| **at > h)),
            false => failing.iter().rfind(|at| here.is_some_and(|h| **at < h)),
        };
        let round = if on { failing.first() } else { failing.last() };
        next.or(round).copied()
    }
}
