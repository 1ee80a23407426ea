//! Each kind of evidence by itself.

use super::aspect::Aspect;
use super::picture::*;
use super::*;

mod any;
mod changes;
mod signs;

const BEGINS: f64 = 6000.0;

/// Objects by name; a minute is a step, the incident lasts four.
fn picture(objects: &[&str]) -> Picture {
    Picture {
        objects: objects.iter().map(|o| (*o).to_owned()).collect(),
        window: Window {
            begins: BEGINS,
            ends: BEGINS + 240.0,
            step: 60.0,
            others: Vec::new(),
        },
        ..Picture::default()
    }
}

/// A series at `quiet` (a hundredth of noise), and at `during` from the begin on.
fn series(object: usize, name: &str, quiet: f64, during: f64) -> Series {
    let points = (0..105).map(|step| {
        let at = f64::from(step) * 60.0;
        let noise = 1.0 + 0.01 * f64::from(step % 3 - 1);
        (at, if at >= BEGINS { during } else { quiet * noise })
    });
    Series {
        place: Place::Object(object),
        name: name.to_owned(),
        points: points.collect(),
    }
}

fn lines(object: usize, text: &str, quiet: f64, during: f64) -> Count {
    let points = (90..104).map(|step| {
        let at = f64::from(step) * 60.0;
        (at, if at >= BEGINS { during } else { quiet }, None)
    });
    Count {
        object,
        what: Counted::Lines,
        text: text.to_owned(),
        points: points.filter(|(_, n, _)| *n > 0.0).collect(),
    }
}

fn spans(object: usize, text: &str, quiet: f64, during: f64) -> Count {
    let mut count = lines(object, text, 10.0, 10.0);
    count.what = Counted::Spans;
    for (at, _, duration) in &mut count.points {
        *duration = Some(if *at >= BEGINS { during } else { quiet });
    }
    count
}

fn sign(object: usize, text: &str, after: f64) -> Sign {
    Sign {
        object,
        name: "signal".to_owned(),
        text: text.to_owned(),
        score: 0.8,
        since: BEGINS + after,
        step: 60.0,
        origin: "a test".to_owned(),
        ..Sign::default()
    }
}

fn first(picture: &Picture) -> Option<&str> {
    match rank(picture).place()?.what {
        What::Object(at) => picture.objects.get(at).map(String::as_str),
        _ => None,
    }
}

#[test]
fn nothing_seen_is_not_enough_evidence() {
    let mut quiet = picture(&["a", "b"]);
    assert_eq!(first(&quiet), None);
    quiet.series = vec![
        series(0, "cpu_pct", 10.0, 10.2),
        series(1, "cpu_pct", 10.0, 10.1),
    ];
    let ranking = rank(&quiet);
    assert!(ranking.place().is_none() && ranking.change().is_none());
    assert!(ranking.places.iter().all(|c| c.probability < 0.5));
}

#[test]
fn a_shift_counts_only_beyond_what_matters() {
    let mut seen = picture(&["steady", "busy"]);
    // A hundred times its noise, and nothing to anybody; a core full.
    seen.series = vec![
        series(0, "cpu_pct", 1.0, 2.0),
        series(1, "cpu_pct", 60.0, 95.0),
    ];
    assert_eq!(first(&seen), Some("busy"));
    let ranking = rank(&seen);
    let shown = &ranking.place().expect("one").evidence;
    let says: Vec<&str> = shown.iter().map(|e| e.says.as_str()).collect();
    assert_eq!(says, ["cpu_pct 60.0 -> 95.0"]);
    assert_eq!(ranking.series.first(), Some(&1));
}

#[test]
fn units_do_not_change_the_order() {
    for scale in [1.0, 1e6] {
        let mut seen = picture(&["small", "large"]);
        seen.series = vec![
            series(0, "mem_bytes", 100.0 * scale, 104.0 * scale),
            series(1, "mem_bytes", 50.0 * scale, 100.0 * scale),
        ];
        assert_eq!(first(&seen), Some("large"), "{scale}");
    }
}

#[test]
fn a_fault_that_quiet_times_show_too_is_none() {
    let mut seen = picture(&["restless", "struck"]);
    let mut restless = series(0, "cpu_pct", 10.0, 90.0);
    for (step, (at, value)) in restless.points.iter_mut().enumerate() {
        if *at < BEGINS && step % 4 == 0 {
            *value = 92.0;
        }
    }
    seen.series = vec![restless, series(1, "cpu_pct", 10.0, 22.0)];
    assert_eq!(first(&seen), Some("struck"));
}

#[test]
fn waiting_is_laid_on_whom_it_begins_at() {
    let mut seen = picture(&["web", "shop", "db"]);
    seen.calls = vec![(0, 1), (1, 2)];
    seen.symptom = Some((0, Aspect::Latency));
    seen.series = vec![
        series(0, "latency_avg", 0.2, 1.2),
        series(1, "latency_avg", 0.1, 1.1),
        series(2, "latency_avg", 0.3, 1.25),
    ];
    assert_eq!(first(&seen), Some("db"));
    // Not below the symptom: another story.
    seen.calls = vec![(0, 1)];
    assert_eq!(first(&seen), Some("shop"));
}

#[test]
fn times_when_the_symptom_shows_are_compared() {
    let mut seen = picture(&["web", "a", "b"]);
    seen.calls = vec![(0, 1), (0, 2)];
    seen.symptom = Some((0, Aspect::Success));
    let dip = |object, when: std::ops::Range<usize>| {
        let mut series = series(object, "availability", 100.0, 100.0);
        for (at, (_, value)) in series.points.iter_mut().enumerate() {
            *value = if when.contains(&at) { 60.0 } else { 100.0 };
        }
        series
    };
    // Both fall for one of five rows; one of them with the symptom.
    seen.series = vec![dip(0, 102..103), dip(1, 100..101), dip(2, 102..103)];
    assert_eq!(first(&seen), Some("b"));
}

#[test]
fn lines_that_went_together_and_do_not_any_more() {
    let mut seen = picture(&["busier", "broken"]);
    seen.counts = vec![
        lines(1, "INFO asked", 10.0, 12.0),
        lines(1, "INFO answered", 10.0, 0.0),
        lines(1, "ERROR no answer", 0.0, 12.0),
        // More of everything is load.
        lines(0, "INFO asked", 10.0, 40.0),
        lines(0, "INFO done", 10.0, 40.0),
    ];
    assert_eq!(first(&seen), Some("broken"));
    let ranking = rank(&seen);
    let busier = ranking.places.iter().find(|c| c.what == What::Object(0));
    assert!(busier.expect("ranked").score < 0.5, "{busier:?}");
}

#[test]
fn a_line_that_many_write_tells_less() {
    let mut seen = picture(&["frame", "program", "other", "third"]);
    seen.counts = vec![
        lines(0, "ERROR servlet threw", 0.0, 10.0),
        lines(2, "ERROR servlet threw", 0.0, 0.0),
        lines(3, "ERROR servlet threw", 0.0, 0.0),
        lines(1, "ERROR no contact of that id", 0.0, 10.0),
    ];
    assert_eq!(first(&seen), Some("program"));
}

#[test]
fn lost_time_that_nobody_owns_up_to_is_the_way() {
    let mut seen = picture(&["a", "b", "slow way", "fine"]);
    seen.calls = vec![(0, 2), (1, 2), (0, 3)];
    seen.counts = vec![
        spans(0, "HTTP GET", 0.02, 2.0),
        spans(1, "HTTP GET", 0.02, 2.0),
        spans(2, "/contacts", 0.01, 0.01),
        spans(3, "/orders", 0.01, 0.01),
    ];
    // Both callers wait for one, and one of them calls another too.
    assert_eq!(first(&seen), Some("slow way"));
}
