//! A LogQL query on its way to the clusters of the scope and back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Logs;
use super::around::MOST;
use super::levels::{Levels, Told};
use super::mining::Mining;
use crate::message::{Effect, Work};
use crate::model::ask::{Answer, Answered, Ask, PodLogs, Question};
use crate::model::fault::Fault;
use crate::model::health::SourceKind;
use crate::model::id::{ClusterId, RequestId};
use crate::model::log::LogLine;
use crate::model::time::Timestamp;
use crate::state::world::World;
use crate::store::logs::LogRing;
use crate::ui::view::common::{Numbers, clusters};
use crate::ui::view::editing::Shown as Query;
use crate::ui::{Ctx, Window};

/// Lines asked of each cluster or container; Loki's own default limit is 5000.
pub const LIMIT: u32 = 2_000;

#[derive(Debug, Default)]
pub struct Asked {
    pub query: String,
    /// The time that was asked for; a pod's log tells none.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The log of one pod, from the API server in place of Loki.
    pub pod: Option<PodLogs>,
    /// When a pod's log was asked for.
    asked_at: Option<Timestamp>,
    pending: Vec<RequestId>,
    got: Vec<(ClusterId, LogRing)>,
    /// Patterns of the lines that came.
    pub mining: Mining,
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
    /// Lines of a time, asked of every cluster of the scope that has a Loki.
    pub fn lines(
        query: &str,
        world: &World,
        scope: Option<ClusterId>,
        (start, end): (Timestamp, Timestamp),
        numbers: &mut Numbers,
    ) -> (Self, Vec<Question>) {
        let mut questions = Vec::new();
        let mut without = 0;
        for cluster in clusters(world, scope) {
            if !cluster.sources.contains_key(&SourceKind::Loki) {
                without += 1;
                continue;
            }
            questions.push(Question {
                id: numbers.take(),
                cluster: cluster.id,
                ask: Ask::Logs {
                    query: query.to_owned(),
                    start,
                    end,
                    limit: LIMIT,
                    backward: true,
                },
            });
        }
        let asked = Self {
            query: query.to_owned(),
            span: Some((start, end)),
            pending: questions.iter().map(|q| q.id).collect(),
            number: questions.last().map_or(0, |q| q.id.0),
            without,
            ..Self::default()
        };
        (asked, questions)
    }

    /// The same with how many lines there are of each level; what was there before stays in view
    /// until an answer comes.
    pub fn new(
        query: &str,
        world: &World,
        scope: Option<ClusterId>,
        window: Window,
        numbers: &mut Numbers,
        before: Option<Asked>,
    ) -> (Self, Vec<Effect>) {
        let span = window.bounds(world.now);
        let (mut asked, questions) = Self::lines(query, world, scope, span, numbers);
        let of: Vec<ClusterId> = questions.iter().map(|q| q.cluster).collect();
        let (levels, more) = Levels::ask(query, &of, span, numbers);
        asked.levels = levels;
        // Patterns keep their numbers from query to query, until there are too many.
        let before = before.filter(|b| !b.mining.is_full());
        (asked.got, asked.mining) = before.map(|b| (b.got, b.mining)).unwrap_or_default();
        asked.former = !asked.got.is_empty();
        let mut effects: Vec<Effect> = questions.into_iter().map(Effect::Ask).collect();
        effects.extend(more);
        (asked, effects)
    }

    /// The log of a pod, asked of its cluster's API server.
    pub fn of_pod(
        cluster: ClusterId,
        pod: PodLogs,
        now: Timestamp,
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
            let here = b.got.iter().all(|(of, _)| *of == cluster);
            here && former.is_some_and(|p| (&p.namespace, &p.pod) == (&pod.namespace, &pod.pod))
        };
        let before = before.filter(same).map(|b| (b.got, b.mining));
        let (got, mining) = before.unwrap_or_default();
        let asked = Self {
            query: super::pod::told(&pod),
            former: !got.is_empty(),
            pod: Some(pod),
            asked_at: Some(now),
            pending: vec![id],
            got,
            mining,
            number: id.0,
            ..Self::default()
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
                let joined = list.iter().filter(|line| ring.join(line));
                joined.count() > 0
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
            pending: questions.iter().map(|q| q.id).collect(),
            number: questions.last().map_or(0, |q| q.id.0),
            joins: true,
            ..Self::default()
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

    /// Goes on finding patterns, off the loop: called while patterns are shown. Those of `other`
    /// are numbered with them.
    pub fn find_patterns(&mut self, other: Option<&mut Asked>) -> Option<Work> {
        let others = other.into_iter().flat_map(|o| &mut o.got);
        let mut rings: Vec<&mut LogRing> = self.got.iter_mut().map(|(_, ring)| ring).collect();
        rings.extend(others.map(|(_, ring)| ring));
        self.mining.work(&mut rings)
    }

    /// Nanoseconds of which all lines came, for each cluster that answered: where a limit was hit,
    /// from the oldest line on.
    pub fn covered(&self) -> Vec<(ClusterId, (i64, i64))> {
        let Some((start, end)) = self.span.filter(|_| !self.former) else {
            return Vec::new();
        };
        let ns = |at: Timestamp| at.0.saturating_mul(1_000_000);
        let of = |(cluster, ring): &(ClusterId, LogRing)| {
            let oldest = ring.first().map(|l| l.at_ns);
            let cut = oldest.filter(|_| self.short.contains(cluster));
            (*cluster, (cut.unwrap_or(ns(start)), ns(end)))
        };
        self.got.iter().map(of).collect()
    }

    /// The time that the lines tell of: of what came later, or stands beside it, nobody was asked.
    pub fn tells_of(&self, window: Window, now: Timestamp) -> (Timestamp, Timestamp) {
        let ms = |ns: i64| Timestamp(ns.div_euclid(1_000_000));
        let held = || {
            let rings = || self.got.iter().map(|(_, ring)| ring);
            let first = rings().filter_map(|r| r.first()).map(|l| l.at_ns).min()?;
            let last = rings().filter_map(|r| r.last()).map(|l| l.at_ns).max()?;
            Some((ms(first), ms(last)))
        };
        match (self.span, self.asked_at) {
            (Some(span), _) => span,
            (None, Some(at)) => window.bounds(at),
            // Around one line only so much is known as came.
            (None, None) => held().unwrap_or_else(|| window.bounds(now)),
        }
    }

    /// Answers that are still to come.
    pub fn awaited(&self) -> usize {
        self.pending.len()
    }

    /// A cluster gave as many lines as were asked for.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Why there is no line.
    pub fn why_empty(&self) -> String {
        match (self.awaited(), self.faults.first()) {
            (1.., _) => "asking …".into(),
            (_, Some(fault)) if !self.has_answer() => format!("no cluster answered: {fault}"),
            (_, Some(_)) => "no line matches in the clusters that answered".into(),
            (_, None) if !self.has_answer() => "no cluster of the scope has a Loki".into(),
            (_, None) => "no line matches".into(),
        }
    }

    /// A cluster answered: what is not there is known not to be.
    pub fn has_answer(&self) -> bool {
        !self.got.is_empty()
    }

    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
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
        if !self.has_answer() {
            return match self.pending.len() {
                0 => "no answer".into(),
                n => format!("{n} asked …"),
            };
        }
        let count = self.count();
        let mut text = if self.cut {
            let loads = self.is_logql() && !self.short.is_empty() && count < MOST;
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

impl Logs {
    pub(super) fn draw_query(&self, ctx: &Ctx<'_>, area: Rect, buf: &mut Buffer) {
        if let Some(counted) = &self.counted {
            counted.draw_query(ctx, area, buf, &self.editing);
            return;
        }
        let asked = self.asked.as_ref();
        let both = || asked.into_iter().chain(self.compared_with());
        let faults: Vec<&Fault> = both().flat_map(Asked::faults).collect();
        let warnings = both().flat_map(Asked::warnings).map(String::as_str);
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
