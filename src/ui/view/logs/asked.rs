//! A LogQL query on its way to the clusters of the scope and back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Logs;
use super::levels::{Levels, Told};
use crate::message::Effect;
use crate::model::ask::{Answer, Answered, Ask, PodLogs, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::log::LogLine;
use crate::pattern::Miner;
use crate::state::world::World;
use crate::store::logs::LogRing;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::view::editing::Shown as Query;
use crate::ui::{Ctx, Window};

/// Lines whose patterns are found at once, which takes a few milliseconds; the others follow with
/// the next message.
const READ: usize = 4_096;

/// Lines asked of each cluster or container; Loki's own default limit is 5000.
pub const LIMIT: u32 = 2_000;

#[derive(Debug)]
pub struct Asked {
    pub query: String,
    /// The log of one pod, from the API server in place of Loki.
    pub pod: Option<PodLogs>,
    pending: Vec<RequestId>,
    got: Vec<(ClusterId, LogRing)>,
    /// Patterns of the lines that came.
    pub miner: Miner,
    faults: Vec<Fault>,
    warnings: Vec<String>,
    /// What is shown still answers the query before this one.
    former: bool,
    /// A cluster gave as many lines as were asked for: there are more.
    cut: bool,
    latency_ms: u32,
    /// Who answered last.
    origin: String,
    without: usize,
    /// The last question, and how many answers came: what changes when the lines do.
    number: u64,
    answers: usize,
    levels: Levels,
    /// Lines of one stream around one of them, or lines that are loaded on: they join those held.
    joins: bool,
    /// Clusters that gave as many lines as were asked for.
    short: Vec<ClusterId>,
}

impl Asked {
    pub fn new(
        query: &str,
        world: &World,
        scope: Option<ClusterId>,
        window: Window,
        numbers: &mut Numbers,
        before: Option<Asked>,
    ) -> (Self, Vec<Effect>) {
        let (start, end) = window.bounds(world.now);
        let mut pending = Vec::new();
        let mut effects = Vec::new();
        let mut without = 0;
        for cluster in clusters(world, scope) {
            if !cluster.sources.contains_key(&SourceKind::Loki) {
                without += 1;
                continue;
            }
            let id = numbers.take();
            pending.push(id);
            effects.push(Effect::Ask(Question {
                id,
                cluster: cluster.id,
                ask: Ask::Logs {
                    query: query.to_owned(),
                    start,
                    end,
                    limit: LIMIT,
                    backward: true,
                },
            }));
        }
        let last = pending.last().map_or(0, |id: &RequestId| id.0);
        let asked_of: Vec<ClusterId> = effects.iter().filter_map(cluster_of).collect();
        let (levels, more) = Levels::ask(query, &asked_of, (start, end), numbers);
        effects.extend(more);
        let (got, miner) = before.map(|b| (b.got, b.miner)).unwrap_or_default();
        let asked = Self {
            query: query.to_owned(),
            pod: None,
            former: !got.is_empty(),
            pending,
            got,
            miner,
            faults: Vec::new(),
            warnings: Vec::new(),
            cut: false,
            latency_ms: 0,
            origin: String::new(),
            without,
            number: last,
            answers: 0,
            levels,
            joins: false,
            short: Vec::new(),
        };
        (asked, effects)
    }

    /// The log of a pod, asked of its cluster's API server.
    pub fn of_pod(
        cluster: ClusterId,
        pod: PodLogs,
        numbers: &mut Numbers,
        before: Option<Asked>,
    ) -> (Self, Vec<Effect>) {
        let id = numbers.take();
        let effect = Effect::Ask(Question {
            id,
            cluster,
            ask: Ask::PodLogs(pod.clone()),
        });
        let same = |b: &Asked| {
            let former = b.pod.as_ref();
            former.is_some_and(|p| (&p.namespace, &p.pod) == (&pod.namespace, &pod.pod))
        };
        let before = before.filter(same).map(|b| (b.got, b.miner));
        let (got, miner) = before.unwrap_or_default();
        let asked = Self {
            query: super::pod::told(&pod),
            former: !got.is_empty(),
            pod: Some(pod),
            pending: vec![id],
            got,
            miner,
            faults: Vec::new(),
            warnings: Vec::new(),
            cut: false,
            latency_ms: 0,
            origin: String::new(),
            without: 0,
            number: id.0,
            answers: 0,
            levels: Levels::default(),
            joins: false,
            short: Vec::new(),
        };
        (asked, vec![effect])
    }

    /// Changes whenever the lines do.
    pub fn version(&self) -> (u64, usize) {
        (self.number, self.answers)
    }

    /// Takes an answer; one to an older query is dropped.
    pub fn take(&mut self, answered: &Answered) {
        if self.levels.take(answered) {
            return;
        }
        let Some(place) = self.pending.iter().position(|id| *id == answered.id) else {
            return;
        };
        self.pending.remove(place);
        self.origin = answered.origin.clone();
        self.answers += 1;
        if std::mem::take(&mut self.former) {
            self.got.clear();
            self.miner = Miner::default();
        }
        self.latency_ms = self.latency_ms.max(answered.latency_ms);
        self.warnings.extend(answered.warnings.iter().cloned());
        match &answered.result {
            Ok(Answer::Logs(list)) => {
                // A pod may have many containers, each with as many lines as were asked for.
                let most = LIMIT as usize;
                let cut = answered.cut_from.is_some() || list.len() >= most;
                self.took(answered.cluster, list, cut);
            }
            Ok(_) => {}
            Err(fault) => self.faults.push(fault.clone()),
        }
    }

    fn took(&mut self, cluster: ClusterId, list: &[LogLine], cut: bool) {
        self.short.retain(|c| *c != cluster);
        let held = self.got.iter_mut().find(|(c, _)| *c == cluster);
        let grown = match held.filter(|_| self.joins) {
            Some((_, ring)) => {
                let before = ring.len();
                for line in list {
                    ring.push(line, &mut self.miner);
                }
                ring.len() > before
            }
            None => {
                let ring = LogRing::of(list.to_vec());
                self.got.push((cluster, ring));
                self.got.sort_by_key(|(cluster, _)| *cluster);
                true
            }
        };
        if cut && grown {
            self.short.push(cluster);
        }
        // After loading on only the clusters that were asked again tell whether there is more.
        self.cut = cut || !self.short.is_empty() || self.cut && !self.joins;
    }

    /// The lines around one, asked of its own stream.
    pub fn around(query: &str, questions: &[Question]) -> Self {
        Self {
            query: query.to_owned(),
            pod: None,
            pending: questions.iter().map(|q| q.id).collect(),
            got: Vec::new(),
            miner: Miner::default(),
            faults: Vec::new(),
            warnings: Vec::new(),
            former: false,
            cut: false,
            latency_ms: 0,
            origin: String::new(),
            without: 0,
            number: questions.last().map_or(0, |q| q.id.0),
            answers: 0,
            levels: Levels::default(),
            joins: true,
            short: Vec::new(),
        }
    }

    /// Asked of Loki, not of a pod's API server.
    pub fn is_logql(&self) -> bool {
        self.pod.is_none()
    }

    /// Lines held.
    pub fn count(&self) -> usize {
        self.got.iter().map(|(_, ring)| ring.len()).sum()
    }

    /// Where a limit left lines out, with the time of the oldest one there is.
    pub fn cut_short(&self) -> Vec<(ClusterId, i64)> {
        let short = self.got.iter().filter(|(c, _)| self.short.contains(c));
        let oldest = short.filter_map(|(c, ring)| Some((*c, ring.first()?.at_ns)));
        oldest.collect()
    }

    /// More of the same is asked for.
    pub fn more(&mut self, questions: &[Question]) {
        self.pending.extend(questions.iter().map(|q| q.id));
        self.joins |= !questions.is_empty();
    }

    pub fn levels(&self, start_ns: i64, slot_ns: i64, slots: usize) -> Option<Told> {
        self.levels.told(start_ns, slot_ns, slots)
    }

    /// Finds the patterns of some more lines: called while patterns are shown.
    pub fn find_patterns(&mut self) {
        let mut left = READ;
        for (_, ring) in &mut self.got {
            left = left.saturating_sub(ring.find_patterns(&mut self.miner, left));
        }
    }

    pub fn rings(&self, scope: Option<ClusterId>) -> Vec<(ClusterId, &LogRing)> {
        self.got
            .iter()
            .filter(|(c, _)| scope.is_none_or(|s| s == *c))
            .map(|(c, ring)| (*c, ring))
            .collect()
    }

    fn status(&self) -> String {
        if self.former {
            return "asking …".into();
        }
        let count = self.count();
        let mut text = if self.cut {
            let loads = self.is_logql() && !self.short.is_empty();
            let more = if loads { " · W loads on" } else { "" };
            format!("{count} of ≥ {count} lines, limit hit{more}")
        } else {
            format!("{count} lines")
        };
        let from = match &self.pod {
            Some(_) => self.origin.clone(),
            None => format!("{} clusters", self.got.len()),
        };
        text.push_str(&format!(" · {from} · {} ms", self.latency_ms));
        if !self.pending.is_empty() {
            text.push_str(&format!(" · {} asked …", self.pending.len()));
        }
        if self.without > 0 {
            text.push_str(&format!(" · {} without Loki", self.without));
        }
        text
    }
}

fn cluster_of(effect: &Effect) -> Option<ClusterId> {
    match effect {
        Effect::Ask(question) => Some(question.cluster),
        _ => None,
    }
}

impl Logs {
    pub(super) fn draw_query(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        if let Some(counted) = &self.counted {
            counted.draw_query(ctx, area, buf, &self.editing);
            return;
        }
        let asked = self.asked.as_ref();
        let faults: Vec<&Fault> = asked.iter().flat_map(|a| &a.faults).collect();
        let warnings = asked.iter().flat_map(|a| &a.warnings).map(String::as_str);
        let warnings: Vec<&str> = warnings.collect();
        let title = match asked.and_then(|a| a.pod.as_ref()) {
            Some(_) => "log of a pod (Tab container, P run before)",
            None => "logql (o edit)",
        };
        let query = Query {
            title,
            status: &asked.map(Asked::status).unwrap_or_default(),
            told: "",
            text: asked.map_or("", |a| &a.query),
            faults: &faults,
            warnings: &warnings,
        };
        self.editing.draw(ctx, area, buf, &query);
    }
}
