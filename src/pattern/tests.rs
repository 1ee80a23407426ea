use proptest::prelude::*;

use super::*;

fn same(miner: &mut Miner, lines: &[&str]) -> bool {
    let ids: Vec<_> = lines.iter().map(|l| miner.line(l)).collect();
    ids.windows(2).all(|pair| pair[0] == pair[1])
}

fn together(lines: &[&str]) {
    let mut miner = Miner::default();
    let all: Vec<_> = lines
        .iter()
        .map(|l| {
            let id = miner.line(l);
            miner.template(id)
        })
        .collect();
    assert!(all.windows(2).all(|p| p[0] == p[1]), "{all:#?}");
}

fn apart(a: &str, b: &str) {
    let mut miner = Miner::default();
    assert!(
        !same(&mut miner, &[a, b]),
        "{a} and {b} are one: {}",
        miner.template(PatternId(1))
    );
}

#[test]
fn values_do_not_tell_lines_apart() {
    together(&["took 5 ms", "took 1.5 s", "took 12 seconds"]);
    together(&[
        "sent 705 bytes to peer",
        "sent 2842 bytes (2.77 KB) to peer",
    ]);
    together(&["opened /var/log/a.log", "opened /b", "opened ./c.txt"]);
    together(&[
        "dial tcp 10.1.2.3:443: refused",
        "dial tcp api.example.com:6443: refused",
    ]);
    together(&[
        "uid=0 ruser= rhost=1.2.3.4 done",
        "uid=500 ruser=bob rhost=host done",
    ]);
    together(&[
        "id a1b2 gone",
        "id 0x1f gone",
        "id e4d gone",
        "id ens3f0 gone",
    ]);
    together(&["ready is true", "ready is false"]);
    together(&[
        "at Wed Jun 22 13:16:30 2005 gone",
        "at Sun Jul  3 23:16:09 2005 gone",
    ]);
    together(&["values 1, 2, 3 end", "values 4 end"]);
    together(&[
        "session opened for user root by x",
        "session opened for user cyrus by x",
    ]);
    together(&[
        "Failed password for root from 1.2.3.4",
        "Failed password for admin from 1.2.3.4",
    ]);
}

#[test]
fn words_do() {
    apart("layout begin", "layout end");
    apart("cupsd startup succeeded", "cupsd shutdown succeeded");
    apart(
        "state changed from NEW to RUNNING",
        "state changed from NEW to FAILED",
    );
    apart(
        "java.io.IOException: closed by peer",
        "java.lang.IllegalStateException: closed by peer",
    );
    apart("", "x");
    apart("ptp4l: port state", "phc2sys: port state");
}

#[test]
fn heads_are_cut_whatever_their_shape() {
    let mut miner = Miner::default();
    let alone = miner.message("connection lost, retrying");
    for head in [
        "2026-11-21T10:00:00.123Z ERROR ",
        "2026-11-21 10:00:00,123 WARN  [main] org.example.net.Client: ",
        "2026-11-21 10:00:00.008 25746 INFO nova.compute.manager [req-38101a0b - - -] ",
        "26/11/21 20:10:40 INFO executor.Backend: ",
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: ",
        "[Sun Dec 04 04:47:44 2005] [notice] ",
        "Nov 21 10:00:00 host-1 sshd[24200]: ",
        "Nov 21 10:00:00 host-1 kernel: ",
        "I1121 10:00:00.123456       1 server.go:123] ",
        "11-21 10:00:00.811  1702  2395 D WindowManager: ",
        "1800000000 ERROR ",
        "20261121-22:15:29:606|Net_Client|30002312|",
        "2026-11-21 10:00:00, Info                  CBS    ",
        "[INFO] ",
        "",
    ] {
        let line = format!("{head}connection lost, retrying");
        assert_eq!(
            miner.line(&line),
            alone,
            "{head:?} leaves {:?}",
            head::body(&line)
        );
    }
    let json = r#"{"level":"error","ts":1,"msg":"connection lost, retrying"}"#;
    assert_eq!(miner.line(json), alone);
    assert_eq!(
        miner.line(r#"ts=1 level=warn msg="connection lost, retrying" try=3"#),
        alone
    );
}

#[test]
fn names_in_one_place_are_values() {
    let mut miner = Miner::default();
    let lines = [
        "reconciled namespace kube-system without changes",
        "reconciled namespace openshift-ptp without changes",
        "reconciled namespace default without changes",
    ];
    assert!(same(&mut miner, &lines), "{} patterns", miner.len());
    assert_eq!(
        miner.template(PatternId(1)),
        "reconciled namespace kube-system without changes"
    );
}

#[test]
fn patterns_are_bounded_and_the_rest_is_gathered() {
    let mut miner = Miner::new(3);
    let words = ["alpha", "beta", "gamma", "delta", "epsilon"];
    let ids: Vec<_> = words.iter().map(|w| miner.line(w)).collect();
    assert_eq!(miner.len(), 3);
    assert_eq!(ids[3..], [PatternId::OTHER; 2]);
    assert_eq!(miner.line("alpha"), ids[0]);
    assert_eq!(miner.template(PatternId::OTHER), "(other lines)");
}

proptest! {
    /// Any text has a pattern, the same one each time, and a line of it is written without marks.
    #[test]
    fn any_line_has_one(lines in prop::collection::vec("\\PC{0,120}|[ -~]{0,200}|([a-z=\"'(\\[{<>)\\]}:/.|,;0-9 ]{0,80})", 1..30)) {
        let mut miner = Miner::new(10);
        for line in &lines {
            let id = miner.line(line);
            prop_assert_eq!(miner.line(line), id);
            let marks = miner.template(id).matches('\u{1}').count();
            prop_assert_eq!(marks, 0);
        }
        prop_assert!(miner.len() <= 10);
    }
}
