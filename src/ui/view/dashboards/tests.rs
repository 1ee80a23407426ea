use super::*;
use crate::command::{Jump, parse_keys};
use crate::config::dashboard::parse;
use crate::model::ask::{Answer, Ask, Question};
use crate::model::dashboard::Origin;
use crate::model::export::{Cell, Format, Kept};
use crate::model::fault::{Fault, FaultKind};
use crate::model::label::Labels;
use crate::model::log::{Level, LogLine};
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};
use crate::ui::view::fake;

mod values;

const BOARD: &str = r#"
name = "shop"
about = "orders"

[[variables]]
name = "namespace"
query = "label_values(kube_pod_info, namespace)"

[[variables]]
name = "pod"
query = 'label_values(kube_pod_info{namespace="$namespace"}, pod)'
multi = true
all = ".+"

[[variables]]
name = "search"

[[panels]]
title = "up"
form = "stat"
width = 3
query = "sum(up)"

[[panels]]
title = "orders"
section = "Orders"
width = 6
unit = "per_second"
queries = [
  { query = 'rate(orders{namespace="$namespace",pod=~"$pod"}[$__rate_interval])', legend = "{{pod}}" },
  { query = 'sum(limit)', legend = "limit" },
]

[[panels]]
title = "table"
section = "Orders"
form = "table"
query = 'topk(3, orders)'

[[panels]]
title = "log"
form = "logs"
width = 12
query = '{namespace="$namespace"} |= "$search"'

[[panels]]
title = "rate of lines"
source = "loki"
query = 'sum(rate({namespace="$namespace"}[$__interval]))'

[[panels]]
title = "far below"
section = "Last"
query = 'last'
"#;

struct Desk {
    view: Dashboards,
    world: World,
    open: Vec<Question>,
    effects: Vec<Effect>,
}

impl Desk {
    fn new() -> Self {
        Self::over(&["alpha", "beta"])
    }

    fn over(clusters: &[&str]) -> Self {
        let mut world = fake::world(clusters);
        let board = parse(BOARD, "shop.toml", Origin::File("shop.toml".into())).expect("a board");
        world.dashboards = [Arc::new(board)].into();
        let mut desk = Self {
            view: Dashboards::default(),
            world,
            open: Vec::new(),
            effects: Vec::new(),
        };
        desk.view.place(Rect::new(0, 0, 120, 34), &desk.world);
        let effects = desk.view.enter(&fake::entry(None), &desk.world);
        desk.take(effects);
        desk
    }

    fn opened() -> Self {
        let mut desk = Self::new();
        desk.tell(Command::Open);
        desk
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(question) => self.open.push(question),
                Effect::Cancel(ids) => self.open.retain(|q| !ids.contains(&q.id)),
                other => self.effects.push(other),
            }
        }
    }

    fn tell(&mut self, command: Command) {
        let effects = self.view.update(command, &self.world);
        self.take(effects);
    }

    fn answer(&mut self, question: Question, result: Result<Answer, Fault>) {
        let answered = Answered {
            id: question.id,
            cluster: question.cluster,
            ask: question.ask,
            origin: "https://prometheus.example:9090/".into(),
            at: self.world.now,
            latency_ms: 12,
            warnings: Vec::new(),
            cut_from: None,
            result,
        };
        let effects = self.view.answer(&answered, &self.world);
        self.take(effects);
    }

    /// Answers every open question that is chosen.
    fn answer_all(&mut self, with: impl Fn(&Question) -> Option<Result<Answer, Fault>>) -> usize {
        let mut done = 0;
        while let Some(at) = self.open.iter().position(|q| with(q).is_some()) {
            let question = self.open.remove(at);
            let result = with(&question).expect("chosen");
            self.answer(question, result);
            done += 1;
        }
        done
    }

    fn values(&mut self) {
        self.answer_all(|q| match &q.ask {
            Ask::Instant { query, .. } if query.contains("(namespace)") => {
                Some(Ok(series(&[("namespace", "shop"), ("namespace", "bank")])))
            }
            Ask::Instant { query, .. } if query.contains("(pod)") => {
                Some(Ok(series(&[("pod", "api-0"), ("pod", "api-1")])))
            }
            _ => None,
        });
    }

    fn queries(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .open
            .iter()
            .map(|q| match &q.ask {
                Ask::Range { query, .. } | Ask::Instant { query, .. } => query.clone(),
                Ask::Logs { query, .. } | Ask::LogSeries { query, .. } => query.clone(),
                other => format!("{other:?}"),
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn screen(&self, width: u16, height: u16) -> String {
        let draw = |ctx: &Ctx, area, buf: &mut Buffer| self.view.draw(ctx, area, buf);
        fake::screen(&self.world, width, height, draw)
    }
}

fn series(labels: &[(&str, &str)]) -> Answer {
    let one = |pair: &(&str, &str)| SeriesSamples {
        key: SeriesKey::new("x", Labels::from_pairs([*pair])),
        kind: SampleKind::Gauge,
        points: (0..200)
            .map(|step| Sample {
                at: Timestamp(fake::NOW - (200 - step) * 15_000),
                value: (step % 40) as f64 + 1.0,
            })
            .collect(),
    };
    Answer::Series(std::sync::Arc::new(labels.iter().map(one).collect()))
}

fn fault(kind: FaultKind, what: &str) -> Fault {
    Fault {
        kind,
        cluster: "beta".into(),
        endpoint: "https://prometheus.beta.example".into(),
        what: what.into(),
        hint: "check the server".into(),
    }
}

fn lines() -> Answer {
    let line = |at: i64, text: &str| LogLine {
        at_ns: (fake::NOW - at) * 1_000_000,
        labels: Labels::from_pairs([("pod", "api-0")]),
        line: text.into(),
        level: Level::Error,
    };
    Answer::Logs(vec![line(1000, "newest"), line(9000, "oldest")])
}

/// Everything answered, but beta's orders.
fn filled(desk: &mut Desk) {
    desk.values();
    desk.answer_all(|q| match &q.ask {
        Ask::Logs { .. } => Some(Ok(lines())),
        Ask::Range { query, .. } if query.starts_with("rate") && q.cluster.0 == 1 => {
            Some(Err(fault(FaultKind::Timeout, "no answer in 10 s")))
        }
        Ask::Range { query, .. } if query == "sum(up)" => Some(Ok(series(&[("", "")]))),
        Ask::Range { query, .. } if query.starts_with("sum") => Some(Ok(series(&[]))),
        Ask::Range { .. } => Some(Ok(series(&[("pod", "api-0"), ("pod", "api-1")]))),
        _ => None,
    });
}

#[test]
fn panels_come_into_view_and_stand_alone() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    desk.tell(Command::Bottom);
    assert!(
        desk.queries().contains(&"last".to_owned()),
        "{:?}",
        desk.queries()
    );
    assert!(desk.screen(120, 34).contains("far below"));
    desk.tell(Command::Open);
    assert_eq!(desk.view.depth(), 2);
    assert!(!desk.screen(120, 34).contains("topk"));
    assert!(desk.view.back());
    assert!(desk.view.back(), "closes the board");
    assert!(desk.screen(120, 34).contains("dashboards 1"));
}

#[test]
fn a_panel_leads_to_its_screen_and_to_files() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    desk.tell(Command::Down);
    let goto = desk
        .view
        .leads(Jump::Metrics, &desk.world)
        .expect("metrics");
    assert_eq!(goto.screen, ScreenId::Metrics);
    let query = goto.query.expect("a query");
    assert!(
        query.starts_with(r#"rate(orders{namespace="bank""#),
        "{query}"
    );
    desk.tell(Command::CopyQuery);
    assert_eq!(desk.effects.pop(), Some(Effect::Copy(query)));
    desk.tell(Command::CopyCurl);
    let Some(Effect::Copy(curl)) = desk.effects.pop() else {
        panic!("curl");
    };
    assert!(
        curl.contains("curl -G 'https://prometheus.example:9090/api/v1/query_range'"),
        "{curl}"
    );
    assert!(
        curl.contains("--data-urlencode 'query=sum(limit)'"),
        "{curl}"
    );
    desk.tell(Command::Export(Format::Csv));
    let Some(Effect::Save(export)) = desk.effects.pop() else {
        panic!("a file");
    };
    let Kept::Series(kept) = &export.kept else {
        panic!("curves: {export:?}");
    };
    let names: Vec<&str> = kept.series.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["api-0", "api-1"]);
    let origin = &kept.origin;
    assert!(origin.starts_with("prometheus of alpha"), "{origin}");
    assert!(origin.contains("1 of 2 clusters did not answer"));
    // As a table: a row a series with its last value, a column a label.
    desk.tell(Command::Mode);
    desk.tell(Command::Mode);
    desk.tell(Command::Export(Format::Json));
    let Some(Effect::Save(export)) = desk.effects.pop() else {
        panic!("a file");
    };
    let Kept::Table(list) = &export.kept else {
        panic!("a list: {export:?}");
    };
    assert_eq!(
        list.columns[..5],
        ["series", "cluster", "metric", "time", "value"]
    );
    assert!(list.columns.iter().any(|c| c == "pod"), "{list:?}");
    assert_eq!(list.rows.len(), 2);
    assert!(matches!(list.rows[0][4], Cell::Number(_)), "{list:?}");
}

#[test]
fn loki_answers_with_numbers() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    desk.tell(Command::Bottom);
    let asked = desk
        .open
        .iter()
        .find(|q| matches!(&q.ask, Ask::LogSeries { .. }));
    let Some(Ask::LogSeries { query, .. }) = asked.map(|q| &q.ask) else {
        panic!("asks Loki: {:?}", desk.queries());
    };
    assert_eq!(query, r#"sum(rate({namespace="bank"}[15s]))"#);
}

#[test]
fn pictures() {
    let mut desk = Desk::new();
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        insta::assert_snapshot!(format!("list_{width}x{height}"), desk.screen(width, height));
    }
    desk.world.dashboard_faults =
        ["/x/a.toml:3: unknown key `titel` (did you mean `title`?)".into()].into();
    insta::assert_snapshot!("list_fault_80x24", desk.screen(80, 24));
    for (width, height) in [(200, 50), (120, 36), (80, 24)] {
        let mut desk = Desk::new();
        desk.view.place(Rect::new(0, 0, width, height), &desk.world);
        desk.tell(Command::Open);
        insta::assert_snapshot!(
            format!("asking_{width}x{height}"),
            desk.screen(width, height)
        );
        filled(&mut desk);
        insta::assert_snapshot!(
            format!("partial_{width}x{height}"),
            desk.screen(width, height)
        );
    }
}
