use super::*;
use crate::model::label::Labels;

/// Repeatable noise in -1..1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

struct Log {
    bursts: Bursts,
    minute: i64,
    out: Vec<Finding>,
    noise: Noise,
}

impl Log {
    fn new() -> Self {
        Self {
            bursts: Bursts::default(),
            minute: 29_000_000,
            out: Vec::new(),
            noise: Noise(0x9e37_79b9_7f4a_7c15),
        }
    }

    fn say(&mut self, pattern: u32, level: Level, pod: &str, count: u32) {
        let labels = Labels::from_pairs([("namespace", "shop"), ("pod", pod)]);
        for n in 0..count {
            let line = LineRef {
                at_ns: (self.minute * MINUTE_MS + i64::from(n % 50) * 1_000) * 1_000_000,
                labels: &labels,
                line: "the line",
                level,
            };
            self.bursts.count(pattern, line);
        }
    }

    /// A minute of the usual, then what is given.
    fn minute(&mut self, say: impl FnOnce(&mut Self)) -> Vec<Finding> {
        for (pattern, usual) in [(1, 100.0), (2, 40.0), (3, 8.0)] {
            let count = usual + 0.15 * usual * self.noise.next();
            self.say(pattern, Level::Info, "web-0", count as u32);
        }
        say(self);
        self.minute += 1;
        let at = Timestamp(self.minute * MINUTE_MS + GRACE_MS);
        let template = |n| format!("pattern {n} <*>");
        let mut out = Vec::new();
        self.bursts.close(ClusterId(3), at, template, &mut out);
        self.out.extend(out.iter().cloned());
        out
    }

    fn usual(&mut self, minutes: usize) {
        for _ in 0..minutes {
            self.minute(|_| {});
        }
    }
}

#[test]
fn hours_of_the_usual_tell_nothing() {
    let mut log = Log::new();
    log.usual(600);
    assert!(log.out.is_empty(), "{:#?}", log.out);
}

#[test]
fn a_burst_of_errors_is_told_with_its_numbers_and_ends() {
    let mut log = Log::new();
    for _ in 0..120 {
        log.minute(|log| log.say(7, Level::Error, "api-1", 2));
    }
    assert!(log.out.is_empty(), "{:#?}", log.out);
    let mut told = Vec::new();
    for _ in 0..6 {
        told.extend(log.minute(|log| log.say(7, Level::Error, "api-1", 300)));
    }
    let first = told.first().expect("a burst");
    assert_eq!(
        (first.kind, first.severity),
        (FindingKind::LogBurst, Severity::Warning)
    );
    assert_eq!(
        first.subject,
        Subject::Pod {
            namespace: "shop".into(),
            pod: "api-1".into()
        }
    );
    assert_eq!((first.cluster, first.seen), (ClusterId(3), Some(300.0)));
    assert!(first.expected.is_some_and(|(_, high)| high < 30.0));
    assert!(first.text.contains("300 lines/min") && first.text.contains("pattern 7 <*>"));
    assert!(
        matches!(first.evidence.as_slice(), [Evidence::Log { line, .. }] if &**line == "the line")
    );
    let begun = Timestamp((log.minute - 6) * MINUTE_MS);
    assert_eq!(first.since, begun);
    assert!(
        told.iter()
            .all(|f| f.key == first.key && f.since == begun && !f.over)
    );
    for _ in 0..10 {
        log.minute(|log| log.say(7, Level::Error, "api-1", 2));
    }
    let last = log.out.last().expect("its end");
    assert!(last.over && last.key == first.key);
}

#[test]
fn a_new_error_is_told_after_the_warm_up_only() {
    let mut log = Log::new();
    let mut early = log.minute(|_| {});
    for _ in 0..20 {
        early.extend(log.minute(|log| log.say(8, Level::Error, "api-1", 20)));
    }
    assert!(early.is_empty(), "{early:#?}");
    log.usual(40);
    // Two pods say it; a warning is no error, and a single line is not worth it.
    let told = log.minute(|log| {
        log.say(9, Level::Critical, "api-1", 6);
        log.say(9, Level::Critical, "api-2", 6);
        log.say(10, Level::Warning, "api-1", 50);
        log.say(11, Level::Error, "api-1", 1);
    });
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].subject, Subject::Namespace("shop".into()));
    assert!(
        told[0]
            .text
            .starts_with("new error in the log, 12 lines in 1 min: pattern 9")
    );
    log.usual(SILENT as usize);
    assert!(
        log.out
            .last()
            .is_some_and(|f| f.over && f.key == told[0].key)
    );
    // Said again later it is known.
    let again = log.minute(|log| log.say(9, Level::Critical, "api-1", 30));
    assert!(again.is_empty(), "{again:#?}");
}

#[test]
fn silence_is_told_where_lines_came_all_the_time() {
    let mut log = Log::new();
    for _ in 0..150 {
        log.minute(|log| {
            let count = 200.0 + 20.0 * log.noise.next();
            log.say(5, Level::Info, "beat-0", count as u32);
            log.say(6, Level::Info, "beat-0", 3);
        });
    }
    assert!(log.out.is_empty(), "{:#?}", log.out);
    log.usual(8);
    let told = log.out.first().expect("silence");
    assert_eq!((told.severity, told.seen), (Severity::Info, Some(0.0)));
    assert!(told.text.contains("gone silent") && told.text.contains("pattern 5"));
    assert!(
        log.out.iter().all(|f| f.key == told.key),
        "three lines a minute are no rate"
    );
}

#[test]
fn what_was_not_heard_whole_is_not_judged() {
    let mut log = Log::new();
    log.usual(120);
    // The tail is down for ten minutes, and comes back in the middle of one.
    for _ in 0..10 {
        log.minute += 1;
        let at = Timestamp(log.minute * MINUTE_MS + GRACE_MS);
        log.bursts.doubt(at);
        log.bursts
            .close(ClusterId(3), at, |_| String::new(), &mut log.out);
    }
    log.usual(60);
    // The machine slept, or the replay leapt.
    log.minute += 500;
    log.usual(60);
    assert!(log.out.is_empty(), "{:#?}", log.out);
}

#[test]
fn patterns_are_bounded() {
    let mut log = Log::new();
    for n in 0..5_000 {
        log.minute(|log| log.say(100 + n, Level::Info, "web-0", 1));
    }
    assert!(log.bursts.followed.len() <= MOST);
    assert!(
        log.bursts.followed.contains_key(&5_099),
        "room is made for new ones"
    );
}
