//! One query over many clusters: partial answers, failures, what is asked again, cancelled, cut.

use super::*;
use crate::message::Work;
use crate::model::exemplar::Exemplar;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};

/// A metrics screen over three clusters that has asked.
pub(super) struct Desk {
    pub(super) view: Metrics,
    pub(super) world: World,
    pub(super) open: Vec<Question>,
    pub(super) cancelled: Vec<RequestId>,
    /// Handed over to be reckoned elsewhere.
    handed: Vec<Work>,
    /// What the servers warn of.
    pub(super) warned: Vec<String>,
}

impl Desk {
    pub(super) fn new(query: &str) -> Self {
        let mut desk = Self {
            view: Metrics::default(),
            world: fake::world(&["alpha", "beta", "gamma"]),
            open: Vec::new(),
            cancelled: Vec::new(),
            handed: Vec::new(),
            warned: Vec::new(),
        };
        let entry = Entry {
            query: Some(query.into()),
            ..fake::entry(None)
        };
        let effects = desk.view.enter(&entry, &desk.world);
        desk.take(&effects);
        desk
    }

    pub(super) fn take(&mut self, effects: &[Effect]) {
        self.cancelled.extend(cancels(effects));
        let cancelled = &self.cancelled;
        self.open.extend(ranges(effects));
        self.open.retain(|q| !cancelled.contains(&q.id));
        self.handed
            .extend(effects.iter().filter_map(|effect| match effect {
                Effect::Work(work) => Some(work.clone()),
                _ => None,
            }));
    }

    /// What was handed over is done, and what that leads to. How much that was.
    pub(super) fn work(&mut self) -> usize {
        let mut done = 0;
        while !self.handed.is_empty() {
            let handed = std::mem::take(&mut self.handed);
            done += handed.len();
            handed.iter().for_each(Work::run);
            let effects = self.view.work(&self.world);
            self.take(&effects);
        }
        done
    }

    pub(super) fn tell(&mut self, command: Command) {
        let effects = self.view.update(command, &self.world);
        self.take(&effects);
    }

    /// The question to this cluster, and its range.
    pub(super) fn asked(&mut self, cluster: u16) -> (Question, Timestamp, Timestamp, u32) {
        let place = self.open.iter().position(|q| q.cluster.0 == cluster);
        let question = self.open.remove(place.expect("asked"));
        let Ask::Range {
            start,
            end,
            step_ms,
            ..
        } = question.ask
        else {
            panic!("a range");
        };
        (question, start, end, step_ms)
    }

    pub(super) fn answer(
        &mut self,
        question: &Question,
        result: Result<Answer, Fault>,
        cut: Option<usize>,
    ) {
        let answered = Answered {
            id: question.id,
            cluster: question.cluster,
            ask: question.ask.clone(),
            origin: "test".into(),
            at: self.world.now,
            latency_ms: 12 + u32::from(question.cluster.0),
            warnings: self.warned.clone(),
            cut_from: cut,
            result,
        };
        let effects = self.view.answer(&answered, &self.world);
        self.take(&effects);
    }

    /// The cluster answers with a steady value on each step, of so many nodes.
    pub(super) fn steady(&mut self, cluster: u16, value: f64, nodes: usize) {
        let (question, start, end, step) = self.asked(cluster);
        let points: Vec<Sample> = (start.0..=end.0)
            .step_by(step as usize)
            .map(|at| Sample {
                at: Timestamp(at),
                value,
            })
            .collect();
        let series = (0..nodes).map(|n| series(&[("node", &format!("n{n}"))], &points));
        let all = Arc::new(series.collect());
        self.answer(&question, Ok(Answer::Series(all)), None);
    }

    pub(super) fn fail(&mut self, cluster: u16, what: &str) {
        let (question, ..) = self.asked(cluster);
        let fault = Fault {
            kind: FaultKind::Unreachable,
            cluster: self.world.clusters[usize::from(cluster)].name.to_string(),
            endpoint: "http://127.0.0.1:9".into(),
            what: what.into(),
            hint: "is it running?".into(),
        };
        self.answer(&question, Err(fault), None);
    }

    fn screen(&self) -> String {
        fake::screen(&self.world, 120, 36, |ctx, area, buf| {
            self.view.draw(ctx, area, buf);
        })
    }

    pub(super) fn has(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in\n{screen}");
    }

    pub(super) fn tick(&mut self, ms: i64) {
        self.world.now = self.world.now.plus_ms(ms);
        let effects = self.view.work(&self.world);
        self.take(&effects);
    }
}

pub(super) fn series(labels: &[(&str, &str)], points: &[Sample]) -> SeriesSamples {
    SeriesSamples {
        key: SeriesKey::new("value", Labels::from_pairs(labels.iter().copied())),
        kind: SampleKind::Gauge,
        points: points.iter().copied().collect(),
    }
}

#[test]
fn partial_answers_stay_while_others_load_or_fail() {
    let mut desk = Desk::new("rate(x_total[5m])");
    desk.has("asking …");
    desk.steady(0, 2.0, 2);
    desk.has("1 of 3 clusters");
    desk.has("2 asked …");
    desk.fail(2, "connection refused");
    desk.has("1 failed");
    desk.has("gamma: http://127.0.0.1:9: connection refused");
    desk.has("n1");
    desk.tell(Command::Detail);
    for text in ["● answered", "asking 0s", "✗ failed", "12 ms", "SAMPLES"] {
        desk.has(text);
    }
    desk.steady(1, 3.0, 1);
    desk.has("2 of 3 clusters");
}

#[test]
fn clusters_are_combined_step_by_step() {
    let mut desk = Desk::new("up");
    desk.steady(0, 2.0, 1);
    desk.steady(1, 3.0, 1);
    desk.fail(2, "connection refused");
    assert_eq!(desk.view.shown(&desk.world).len(), 2, "side by side");
    desk.tell(Command::Combine);
    let shown = desk.view.shown(&desk.world);
    assert_eq!(
        (shown.len(), shown[0].figures.range),
        (1, Some((5.0, 5.0, 5.0)))
    );
    drop(shown);
    desk.has("sum over 2 of 3 clusters");
    desk.tell(Command::Combine);
    assert_eq!(
        desk.view.shown(&desk.world)[0].figures.range,
        Some((2.5, 2.5, 2.5))
    );
    desk.tell(Command::Combine);
    desk.has("min over 2 of 3");
    desk.tell(Command::Combine);
    assert_eq!(
        desk.view.shown(&desk.world)[0].figures.range,
        Some((3.0, 3.0, 3.0))
    );
}

#[test]
fn only_the_clusters_marked_are_asked() {
    let mut desk = Desk::new("up");
    assert_eq!(desk.open.len(), 3);
    desk.tell(Command::Clusters);
    desk.has("clusters to ask");
    desk.tell(Command::Down);
    desk.tell(Command::Open);
    desk.has("[x] beta");
    desk.tell(Command::Clusters);
    assert_eq!(desk.cancelled.len(), 3 + 3, "with their exemplars");
    let asked: Vec<u16> = desk.open.iter().map(|q| q.cluster.0).collect();
    assert_eq!(asked, [1]);
    desk.has("1 marked (@)");
    desk.tell(Command::Clusters);
    desk.tell(Command::FoldAll);
    assert!(desk.view.back(), "Esc leaves it as it was");
    desk.has("1 marked (@)");
    desk.tell(Command::Clusters);
    desk.tell(Command::FoldAll);
    desk.tell(Command::Clusters);
    desk.has("3 marked (@)");
}

#[test]
fn ctrl_c_stops_what_runs_and_keeps_what_came() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, 1);
    let effects = desk.view.cancel().expect("something runs");
    desk.take(&effects);
    assert_eq!(
        desk.cancelled.len(),
        2 + 3,
        "two ranges, three for exemplars"
    );
    assert!(desk.open.is_empty());
    desk.has("2 stopped");
    desk.has("n0");
    assert_eq!(desk.view.cancel(), None);
}

#[test]
fn a_new_query_shows_the_former_one_until_it_is_answered() {
    let mut desk = Desk::new("up");
    for cluster in 0..3 {
        desk.steady(cluster, 7.0, 1);
    }
    let entry = Entry {
        query: Some("other".into()),
        ..fake::entry(None)
    };
    let effects = desk.view.enter(&entry, &desk.world);
    desk.take(&effects);
    desk.has("asking 3 clusters");
    assert_eq!(desk.view.shown(&desk.world).len(), 3, "still in view");
    desk.steady(1, 9.0, 1);
    assert_eq!(desk.view.shown(&desk.world).len(), 1);
}

#[test]
fn a_limit_is_announced() {
    let mut desk = Desk::new("up");
    let (question, start, ..) = desk.asked(0);
    let points = [Sample {
        at: start,
        value: 1.0,
    }];
    let many = (0..30).map(|n| series(&[("node", &format!("n{n}"))], &points));
    desk.answer(
        &question,
        Ok(Answer::Series(Arc::new(many.collect()))),
        Some(7_312),
    );
    desk.has("first 30 of ≥ 7312 series (1 cut)");
    desk.has("legend 30 series · top 20 by |Δ|, 10 others not drawn");
}

#[test]
fn hidden_curves_and_one_alone() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, 3);
    desk.tell(Command::Hide);
    desk.has("1 hidden");
    desk.tell(Command::Hide);
    desk.tell(Command::Down);
    desk.tell(Command::Open);
    desk.has("one alone");
    desk.tell(Command::Open);
    desk.has("3 series");
}

#[test]
fn the_legend_is_filtered_and_sorted() {
    let mut desk = Desk::new("up");
    desk.steady(0, 1.0, 3);
    desk.steady(1, 5.0, 1);
    let first = |desk: &Desk| desk.view.legend_ids(&desk.world)[0].cluster;
    assert_eq!(first(&desk), Some(ClusterId(0)));
    for _ in 0..4 {
        desk.tell(Command::Sort);
    }
    assert_eq!(
        first(&desk),
        Some(ClusterId(1)),
        "greatest last value first"
    );
    desk.tell(Command::Filter("@alpha node=n2".into()));
    assert_eq!(desk.view.legend_ids(&desk.world).len(), 1);
    assert!(desk.view.back() && desk.view.legend_ids(&desk.world).len() == 4);
}

#[test]
fn exemplars_lead_to_their_traces() {
    let mut desk = Desk::new("rate(http_request_duration_seconds_bucket[5m])");
    desk.steady(0, 1.0, 1);
    let at = desk.world.now.plus_ms(-600_000);
    let exemplar = |seconds: i64, trace: &str| Exemplar {
        series: SeriesKey::new("http_request_duration_seconds_bucket", Labels::default()),
        labels: Labels::from_pairs([("trace_id", trace)]),
        value: 0.25,
        at: at.plus_ms(seconds * 1000),
    };
    let id = Ask::Exemplars {
        query: String::new(),
        start: at,
        end: at,
    };
    let first = desk.view.numbers.clone().take().0;
    // The exemplars were asked for after the three ranges.
    let question = Question {
        id: RequestId(first - 3),
        cluster: ClusterId(0),
        ask: id,
    };
    let found = vec![exemplar(0, "aa01"), exemplar(60, "bb02")];
    desk.answer(&question, Ok(Answer::Exemplars(found)), None);
    desk.has("⇡ exemplar (xt)");
    let lead = desk.view.leads(Jump::Traces, &desk.world).expect("a trace");
    assert_eq!(
        lead.query.as_deref(),
        Some("0000000000000000000000000000bb02")
    );
    desk.view.point(Some(at.plus_ms(2_000)));
    let lead = desk.view.leads(Jump::Traces, &desk.world).expect("a trace");
    assert_eq!(
        lead.query.as_deref(),
        Some("0000000000000000000000000000aa01")
    );
    let beside = desk.view.beside(Some(at), true, &desk.world);
    assert_eq!(beside, Some(at.plus_ms(60_000)));
}

#[test]
fn every_form_at_any_size() {
    let mut desk = Desk::new("sum by (le) (rate(x_seconds_bucket[5m]))");
    let (question, start, end, step) = desk.asked(0);
    let points = |value: f64| -> Vec<Sample> {
        (start.0..=end.0)
            .step_by(step as usize)
            .map(|at| Sample {
                at: Timestamp(at),
                value,
            })
            .collect()
    };
    let all = ["0.1", "1", "+Inf"].map(|le| series(&[("le", le)], &points(le.len() as f64)));
    desk.answer(&question, Ok(Answer::Series(Arc::new(all.to_vec()))), None);
    for word in [
        "heat map (m)",
        "table (m)",
        "stat (m)",
        "line (m)",
        "stacked (m)",
    ] {
        desk.has(word);
        for (width, height) in [(60, 12), (80, 20), (200, 50), (5, 3)] {
            let area = Rect::new(0, 0, width, height);
            desk.view.place(area, &desk.world);
            for ascii in [false, true] {
                let buf = fake::paint(&desk.world, (width, height), ascii, |ctx, area, buf| {
                    desk.view.draw(ctx, area, buf);
                });
                assert!(
                    !ascii || crate::ui::widget::text::dump(&buf).is_ascii(),
                    "{word}"
                );
            }
        }
        desk.tell(Command::Mode);
    }
}

#[test]
fn a_step_is_chosen_and_left_to_the_range_again() {
    let mut desk = Desk::new("up");
    assert_eq!(desk.asked(0).3, 15_000);
    desk.tell(Command::Step(Some(60_000)));
    // The three ranges and their exemplars.
    assert_eq!(desk.cancelled.len(), 6, "nobody waits for the other step");
    assert_eq!(desk.asked(0).3, 60_000);
    assert_eq!(desk.view.every_ms(), Some(60_000));
    desk.tell(Command::Step(Some(1_000)));
    assert_eq!(desk.asked(0).3, 1_000);
    desk.tell(Command::Step(None));
    assert_eq!(desk.asked(0).3, 15_000);
}
