//! The values of variables: chosen, typed, asked of every cluster.

use super::*;

#[test]
fn what_needs_a_value_waits_for_it() {
    let mut desk = Desk::opened();
    let asked = desk.queries();
    assert_eq!(
        asked,
        [
            "group by (namespace) (kube_pod_info)",
            "sum(up)",
            "topk(3, orders)"
        ],
        "pods depend on the namespace"
    );
    assert!(desk.screen(120, 34).contains("namespace: asking …"));
    desk.values();
    let asked = desk.queries().join("\n");
    assert!(
        asked.contains(r#"rate(orders{namespace="bank",pod=~".+"}[60s])"#),
        "{asked}"
    );
    assert!(asked.contains("sum(limit)"), "{asked}");
    assert!(!asked.contains("last"), "not in view: {asked}");
}

#[test]
fn another_value_asks_only_what_depends_on_it() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    assert!(desk.open.is_empty(), "{:?}", desk.queries());
    desk.tell(Command::NextPane);
    desk.tell(Command::Open);
    assert!(desk.screen(120, 34).contains("[x] bank"));
    desk.tell(Command::Down);
    desk.tell(Command::Open);
    let asked = desk.queries().join("\n");
    assert!(
        asked.contains(r#"group by (pod) (kube_pod_info{namespace="shop"})"#),
        "{asked}"
    );
    assert!(!asked.contains("sum(up)"), "it is known: {asked}");
}

#[test]
fn several_values_and_all() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    for command in [
        Command::NextPane,
        Command::NextPane,
        Command::Open,
        Command::Down,
        Command::Open,
        Command::Down,
        Command::Open,
        Command::NextPane,
    ] {
        desk.tell(command);
    }
    let asked = desk.queries().join("\n");
    assert!(asked.contains(r#"pod=~"(api-0|api-1)""#), "{asked}");
    assert!(desk.screen(120, 34).contains("api-0 +1 (2)"));
}

#[test]
fn a_text_is_typed() {
    let mut desk = Desk::opened();
    filled(&mut desk);
    desk.tell(Command::PreviousPane);
    desk.tell(Command::Open);
    assert!(desk.view.typing());
    for press in parse_keys("time\"out<enter>") {
        desk.tell(Command::Type(press));
    }
    let asked = desk.queries().join("\n");
    // The log stands below what is in view; it is asked when it comes into view.
    for _ in 0..3 {
        desk.tell(Command::Down);
    }
    let asked = format!("{asked}\n{}", desk.queries().join("\n"));
    assert!(
        asked.contains(r#"{namespace="bank"} |= "time\"out""#),
        "{asked}"
    );
}

#[test]
fn when_no_server_has_a_value() {
    let mut desk = Desk::opened();
    desk.answer_all(|q| match &q.ask {
        Ask::Instant { .. } => Some(Err(fault(FaultKind::Unreachable, "connection refused"))),
        _ => Some(Ok(series(&[]))),
    });
    let screen = desk.screen(120, 34);
    assert!(screen.contains("namespace: no answer"), "{screen}");
    assert!(
        screen.contains("no series: the query matched nothing"),
        "{screen}"
    );
}

#[test]
fn every_cluster_is_asked_for_values() {
    let names: Vec<String> = (0..40).map(|n| format!("edge-{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut desk = Desk::over(&names);
    desk.tell(Command::Open);
    let of = |q: &&Question| matches!(&q.ask, Ask::Instant { query, .. } if query.contains("(namespace)"));
    assert_eq!(desk.open.iter().filter(of).count(), 40);
}
