//! A folder laid out like the data sets, made up here.

use std::fmt::Write as _;

use super::*;

const CASES: &str = r#"{"cases":[{"id":"a/1","suite":"a","metrics":"m.csv","graph":"g.csv",
"incident_t":600,"end_t":780,"kinds":["service","metric"],"services":["web","db"],
"symptom":{"service":"web","metric":"latency"}},
{"id":"a/2","suite":"a","metrics":"m.csv","changes":"c.json","alert":"alert.json",
"patterns":"p.json","incident_t":600,"end_t":780,"kinds":["change"],"services":["web"],
"candidates":["c1","c2","none"]}]}"#;

const CHANGES: &str = r#"{"commits":[
{"sha":"c1","timestamp":"1970-01-01T00:08:00Z","message":"Simplify the ledger writer",
 "files_changed":["services/web/ledger.go"],"diff":"-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.rows[k]++"},
{"sha":"c2","timestamp":"1970-01-01T00:09:00Z","message":"docs: tell how to run it",
 "files_changed":["docs/run.md"],"diff":null}],
"deploys":[{"timestamp":"1970-01-01T00:09:00Z","service":"web","commit_sha":"c1"}]}"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let mut metrics = String::from("t,web|latency_avg,web|requests,db|latency_avg,db|requests\n");
    for row in 0..14 {
        let t = row * 60;
        let late = if t >= 600 { 0.8 } else { 0.1 };
        let below = if t >= 600 {
            0.7
        } else {
            0.01 + f64::from(row % 2) * 0.001
        };
        writeln!(metrics, "{t},{late},10,{below},10").expect("text");
    }
    let pattern = r#"[{"signature":"fatal: concurrent write to ledger rows","service":"web",
"count":90,"delta_vs_baseline":"+90","sentiment":"negative"}]"#;
    let alert =
        r#"{"service":"web","metric":"latency","monitor":"m","summary":"ledger writes fail"}"#;
    let files = [
        ("cases.json", CASES),
        ("m.csv", metrics.as_str()),
        ("g.csv", "caller,callee\nweb,db\n"),
        ("c.json", CHANGES),
        ("p.json", pattern),
        ("alert.json", alert),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

#[test]
fn each_kind_that_is_asked_for_is_answered() {
    let folder = folder();
    let table = table(folder.path()).expect("read");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.first(), Some(&"case,kind,rank,cause"));
    // The caller waits for the one below.
    assert!(rows.contains(&"a/1,service,1,db"), "{table}");
    assert!(rows.contains(&"a/1,service,2,web"), "{table}");
    assert!(rows.contains(&"a/1,metric,1,db|latency_avg"), "{table}");
    assert!(rows.contains(&"a/2,change,1,c1"), "{table}");
    assert!(rows.contains(&"a/2,change,3,c2"), "{table}");
}

#[test]
fn the_answers_are_not_opened() {
    let folder = folder();
    let before = table(folder.path()).expect("read");
    std::fs::create_dir(folder.path().join("truth.json")).expect("a folder cannot be read");
    assert_eq!(table(folder.path()).expect("read"), before);
}

#[test]
fn what_is_missing_is_named() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("g.csv")).expect("removed");
    let error = format!("{:#}", table(folder.path()).expect_err("no graph"));
    assert!(error.contains("a/1") && error.contains("g.csv"), "{error}");
    std::fs::write(folder.path().join("cases.json"), "{").expect("written");
    let error = format!("{:#}", table(folder.path()).expect_err("cut"));
    assert!(error.contains("cases.json"), "{error}");
}
