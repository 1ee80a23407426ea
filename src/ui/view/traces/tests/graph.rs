//! The service graph: of metrics, and of the traces that were found.

use super::pictures::keep;
use super::*;
use crate::model::export::Format;
use crate::model::label::Labels;
use crate::model::sample::{Sample, SampleKind, SeriesKey, SeriesSamples};

/// Clusters with a Prometheus; `alpha` has a Tempo as well.
fn both(names: &[&str]) -> World {
    let clusters = names.iter().map(|name| Cluster {
        name: (*name).to_owned(),
        prometheus: Some(Endpoint::default()),
        tempo: (*name == "alpha").then(Endpoint::default),
        ..Cluster::default()
    });
    let config = Config {
        clusters: clusters.collect(),
        ..Config::default()
    };
    World::new(&config, Timestamp(NOW))
}

fn series(client: &str, server: &str, value: f64) -> SeriesSamples {
    let labels = Labels::from_pairs([("client", client), ("server", server)]);
    SeriesSamples {
        key: SeriesKey::new("", labels),
        kind: SampleKind::Gauge,
        points: [Sample {
            at: Timestamp(NOW),
            value,
        }]
        .into_iter()
        .collect(),
    }
}

/// Searched, with two traces found, and the graph asked for.
fn begun(world: &World) -> (Traces, Vec<Question>) {
    let mut view = Traces::default();
    shown(&mut view, world, (120, 36));
    let search = asked(&view.enter(&entry(None), world));
    let few = vec![found(2, 40, 0), found(1, 3, 0)];
    answer(&mut view, &search[0], Ok(Answer::Traces(few)), world);
    let questions = asked(&view.update(Command::Mode, world));
    (view, questions)
}

#[test]
fn edges_of_metrics_have_rates_failures_and_times() {
    let world = both(&["alpha"]);
    let (mut view, questions) = begun(&world);
    assert_eq!(questions.len(), 3);
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("asking …"), "{text}");
    let calls = vec![
        series("gateway", "checkout", 12.5),
        series("checkout", "pay", 4.0),
        series("checkout", "cart", 8.0),
    ];
    answer(
        &mut view,
        &questions[0],
        Ok(Answer::Series(calls.into())),
        &world,
    );
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("n/a"), "not yet known is not 0: {text}");
    let failed = vec![series("checkout", "pay", 1.0)];
    answer(
        &mut view,
        &questions[1],
        Ok(Answer::Series(failed.into())),
        &world,
    );
    let slow = vec![series("checkout", "pay", 1.38)];
    let more = answer(
        &mut view,
        &questions[2],
        Ok(Answer::Series(slow.into())),
        &world,
    );
    assert!(
        more.is_empty(),
        "no trace is sampled where there are metrics"
    );
    for size in [(200, 50), (120, 36), (80, 24)] {
        let text = shown(&mut view, &world, size);
        for words in [
            "from metrics, mean of 60 min",
            "gateway",
            "→ checkout",
            "  → pay",
            "12.5/s",
            "25.0%",
            "1.38 s",
        ] {
            assert!(text.contains(words), "{words} at {size:?} in {text}");
        }
    }
    view.update(Command::Problems, &world);
    let rows = view.map.as_ref().unwrap().rows().len();
    assert_eq!(rows, 1);
    let opened = asked(&view.update(Command::Open, &world));
    assert!(view.map.is_none());
    assert!(matches!(&opened[0].ask, Ask::Traces { query, .. }
        if query == "{ resource.service.name = \"checkout\" } > { resource.service.name = \"pay\" && status = error }"));
}

#[test]
fn without_metrics_the_traces_found_are_sampled() {
    let world = both(&["alpha"]);
    let (mut view, questions) = begun(&world);
    let mut more = Vec::new();
    for question in &questions {
        more = answer(
            &mut view,
            question,
            Ok(Answer::Series(Arc::default())),
            &world,
        );
    }
    assert_eq!(more.len(), 2, "those that the search found");
    let mut pay = span(2, 1, 5, 45, "Authorize");
    pay.service = Arc::from("pay \"x\"");
    let spans = vec![span(1, 0, 0, 50, "POST"), pay];
    let trace = Trace::new(TraceId(2), spans);
    answer(
        &mut view,
        &more[0],
        Ok(Answer::Trace(Arc::new(trace))),
        &world,
    );
    let gone = Err(fault("no trace there", FaultKind::NotFound));
    answer(&mut view, &more[1], gone, &world);
    let text = shown(&mut view, &world, (80, 24));
    assert!(text.contains("from 1 of 2 traces found"), "{text}");
    assert!(
        text.contains("→ pay \"x\"") && text.contains("40 ms"),
        "{text}"
    );
    view.update(Command::Down, &world);
    let metrics = view.leads(Jump::Metrics, &world).unwrap().query.unwrap();
    assert!(
        metrics.contains("client=\"checkout\",server=\"pay \\\"x\\\"\""),
        "{metrics}"
    );
    // Esc leads back to the list, and from there `m` asks anew.
    assert!(view.back() && view.map.is_none());
}

#[test]
fn what_cannot_be_known_is_said() {
    let world = both(&["alpha", "beta"]);
    let (mut view, questions) = begun(&world);
    assert_eq!(questions.len(), 6);
    let silent = || Err(fault("connection refused", FaultKind::Unreachable));
    for question in &questions {
        for trace in answer(&mut view, question, silent(), &world) {
            answer(&mut view, &trace, silent(), &world);
        }
    }
    for size in [(120, 36), (80, 24)] {
        let text = shown(&mut view, &world, size);
        assert!(text.contains("connection refused"), "{text}");
        assert!(text.contains("alpha: from 0 of 2 traces found"), "{text}");
    }
    let nobody = World::new(&Config::default(), Timestamp(NOW));
    let mut view = Traces::default();
    view.update(Command::Mode, &nobody);
    let text = shown(&mut view, &nobody, (80, 24));
    assert!(text.contains("neither Prometheus nor Tempo"), "{text}");
}

#[test]
fn from_a_waterfall_and_back() {
    let world = both(&["alpha"]);
    let mut view = opened(&world, (120, 36));
    view.update(Command::Mode, &world);
    assert_eq!(view.depth(), 2);
    assert!(view.back() && view.opened.is_some());
    view.update(Command::Mode, &world);
    view.update(Command::Mode, &world);
    assert!(view.map.is_none() && view.opened.is_some());
}

/// Every state of the service graph, at three sizes.
#[test]
fn the_graph_from_begin_to_end() {
    let mut world = both(&["alpha"]);
    let (mut view, questions) = begun(&world);
    keep("graph_loading", &mut view, &world, &["asking …"]);
    let calls = vec![
        series("gateway", "checkout", 12.5),
        series("checkout", "pay", 4.0),
        series("checkout", "cart", 8.0),
        series("cart", "checkout", 0.5),
    ];
    answer(
        &mut view,
        &questions[0],
        Ok(Answer::Series(calls.into())),
        &world,
    );
    let down = || Err(fault("no answer within 10 s", FaultKind::Timeout));
    answer(&mut view, &questions[1], down(), &world);
    answer(&mut view, &questions[2], down(), &world);
    keep(
        "graph_partial",
        &mut view,
        &world,
        &["12.5/s", "n/a", "no answer within 10 s"],
    );
    let again = asked(&view.update(Command::Refresh, &world));
    world.now = Timestamp(NOW + 42_000);
    for question in &again {
        for more in answer(&mut view, question, down(), &world) {
            answer(&mut view, &more, down(), &world);
        }
    }
    keep("graph_stale", &mut view, &world, &["12.5/s", "stale"]);
}

#[test]
fn a_graph_of_nothing_and_one_that_cannot_be_had() {
    let world = both(&["alpha"]);
    let (mut view, questions) = begun(&world);
    let gone = || Err(fault("connection refused", FaultKind::Unreachable));
    for question in &questions {
        for more in answer(&mut view, question, gone(), &world) {
            answer(&mut view, &more, gone(), &world);
        }
    }
    keep("graph_error", &mut view, &world, &["connection refused"]);
    let (mut view, questions) = begun(&world);
    for question in &questions {
        for more in answer(
            &mut view,
            question,
            Ok(Answer::Series(Arc::default())),
            &world,
        ) {
            let alone = Trace::new(TraceId(2), vec![span(1, 0, 0, 50, "POST")]);
            let alone = Ok(Answer::Trace(Arc::new(alone)));
            answer(&mut view, &more, alone, &world);
        }
    }
    keep(
        "graph_empty",
        &mut view,
        &world,
        &["from 2 of 2 traces found"],
    );
}

#[test]
fn there_is_no_graph_without_the_calls() {
    let world = both(&["alpha"]);
    let (mut view, questions) = begun(&world);
    let slow = |value| {
        Ok(Answer::Series(
            vec![series("checkout", "pay", value)].into(),
        ))
    };
    answer(&mut view, &questions[2], slow(1.38), &world);
    let rows = |view: &Traces| view.map.as_ref().map_or(0, |m| m.rows().len());
    assert_eq!(rows(&view), 0, "the calls are still to come");
    let down = || Err(fault("no answer within 10 s", FaultKind::Timeout));
    answer(&mut view, &questions[0], down(), &world);
    let more = answer(&mut view, &questions[1], slow(0.5), &world);
    assert_eq!(more.len(), 2, "the traces found are asked for");
    let spans = vec![span(1, 0, 0, 50, "POST")];
    let trace = Answer::Trace(Arc::new(Trace::new(TraceId(2), spans)));
    answer(&mut view, &more[0], Ok(trace), &world);
    let text = shown(&mut view, &world, (120, 36));
    assert!(!text.contains("pay"), "no edge without calls: {text}");
    // Asked again, the former stays until the calls have come.
    let (mut view, questions) = begun(&world);
    for question in &questions {
        answer(&mut view, question, slow(12.5), &world);
    }
    assert!(shown(&mut view, &world, (120, 36)).contains("12.5/s"));
    let again = asked(&view.update(Command::Refresh, &world));
    answer(&mut view, &again[2], slow(1.38), &world);
    let text = shown(&mut view, &world, (120, 36));
    assert!(text.contains("12.5/s"), "the former stays: {text}");
}

#[test]
fn that_the_graph_is_not_written_to_a_file_is_said() {
    let world = both(&["alpha"]);
    let (mut view, _) = begun(&world);
    let said = view.update(Command::Export(Format::Csv), &world);
    assert!(matches!(said[..], [Effect::Say(_)]), "{said:?}");
}
