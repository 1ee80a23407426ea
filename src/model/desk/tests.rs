use proptest::prelude::*;

use super::*;
use crate::model::incident::Opinion;
use crate::model::text;

fn hand(n: usize) -> Hand {
    let (by, console) = [("ana", "c1"), ("ben", "c2"), ("ana", "c3")][n % 3];
    Hand {
        by: by.into(),
        console: console.into(),
    }
}

fn what() -> impl Strategy<Value = What> {
    let opinion = prop_oneof![Just(Opinion::True), Just(Opinion::False)];
    prop_oneof![
        any::<bool>().prop_map(What::Acknowledged),
        proptest::option::of("[a-c]").prop_map(What::Assigned),
        proptest::option::of(0i64..3).prop_map(|until| What::Muted(until.map(Timestamp))),
        "[a-c]{1,2}".prop_map(What::Note),
        ("[a-c]", any::<bool>()).prop_map(|(text, on)| What::Pinned { text, on }),
        proptest::option::of((opinion, 0.0..1.0f64))
            .prop_map(|v| What::Verdict(v.map(|(o, s)| (o, s.into())))),
    ]
}

/// Whatever may stand in a bucket: also marks that two edits share.
fn edit() -> impl Strategy<Value = Edit> {
    (0i64..6, 0u32..3, 0usize..3, what()).prop_map(|(ms, count, by, what)| {
        let Hand { by, console } = hand(by);
        Edit {
            mark: Mark {
                ms,
                count,
                by,
                console,
            },
            at: Timestamp(ms),
            seen: None,
            what,
        }
    })
}

/// More than is kept of a field.
fn desk() -> impl Strategy<Value = Desk> {
    proptest::collection::vec(edit(), 0..150).prop_map(|edits| Desk::of(edits).0)
}

fn merged(a: &Desk, b: &Desk) -> Desk {
    let mut both = a.clone();
    both.merge(b);
    both
}

proptest! {
    #[test]
    fn laying_together_knows_no_order(a in desk(), b in desk(), c in desk()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a.clone());
        let both = merged(&a, &b);
        prop_assert!(both.holds(&a) && both.holds(&b));
        prop_assert_eq!(a.holds(&b), both == a);
    }

    /// Three consoles that work, whose clocks are hours apart, and hear of each other now and then.
    #[test]
    fn consoles_come_to_the_same_whatever_they_heard_when(
        steps in proptest::collection::vec((0usize..3, 0usize..3, what(), any::<bool>()), 1..80),
    ) {
        let mut consoles = [Desk::default(), Desk::default(), Desk::default()];
        for (now, (here, there, what, hears)) in steps.iter().enumerate() {
            let off = [0, 7_200_000, -7_200_000][*here];
            if *hears {
                let theirs = consoles[*there].clone();
                consoles[*here].merge(&theirs);
            } else {
                consoles[*here].write(what.clone(), &hand(*here), Timestamp(now as i64 + off));
            }
        }
        let [a, b, c] = &consoles;
        let whole = merged(&merged(a, b), c);
        prop_assert_eq!(&whole, &merged(&merged(c, a), b));
        prop_assert_eq!(&whole, &merged(&merged(b, c), &merged(a, c)));
        for one in &consoles {
            prop_assert!(whole.holds(one));
        }
    }

    /// Texts full of credentials grow when these are masked: what one console keeps, every other one
    /// takes, and keeps as it is.
    #[test]
    fn what_is_safe_stays_as_it_is(
        pieces in proptest::collection::vec("(pwd=[a-z]{3}|--token [a-z]{1,3}|[a-z]{1,9}|\\PC{1,3}|\u{1b}\\[2J)", 1..500),
        pin in any::<bool>(),
    ) {
        let long = pieces.join(" ");
        let text = text::clean(&long, if pin { PIN } else { NOTE });
        let what = match pin {
            true => What::Pinned { text, on: true },
            false => What::Note(text),
        };
        let mut a = Desk::default();
        prop_assert!(a.write(what, &hand(0), Timestamp(1)).is_some());
        let (b, left_out) = Desk::of(a.edits().to_vec());
        prop_assert_eq!((b, left_out), (a, 0));
    }

    #[test]
    fn what_is_written_is_read_as_it_was(desk in desk()) {
        let bytes = rmp_serde::to_vec_named(&desk).expect("written");
        prop_assert_eq!(rmp_serde::from_slice::<Desk>(&bytes).expect("read"), desk);
    }
}

#[test]
fn a_clock_that_is_ahead_does_not_win_for_ever() {
    let mut a = Desk::default();
    a.write(
        What::Assigned(Some("zoe".into())),
        &hand(0),
        Timestamp(9_000_000),
    );
    let mut b = a.clone();
    // By ben's clock it is long before that.
    b.write(
        What::Assigned(Some("ben".into())),
        &hand(1),
        Timestamp(1_000),
    );
    assert_eq!(b.assigned().map(|(who, _)| who), Some("ben"));
    a.merge(&b);
    let (who, stamp) = a.assigned().expect("assigned");
    assert_eq!(
        (who, stamp.at),
        ("ben", Timestamp(1_000)),
        "shown by the author's clock"
    );
    assert_eq!(a.clashes(), [], "ben had it in view");
}

#[test]
fn what_two_set_while_apart_is_a_clash_and_what_one_saw_is_none() {
    let mut a = Desk::default();
    a.write(What::Acknowledged(true), &hand(0), Timestamp(1));
    let mut b = a.clone();
    a.write(What::Assigned(Some("carl".into())), &hand(0), Timestamp(10));
    a.write(What::Assigned(Some("dora".into())), &hand(0), Timestamp(12));
    b.write(What::Assigned(Some("ben".into())), &hand(1), Timestamp(11));
    a.merge(&b);
    let [clash] = a.clashes()[..] else {
        panic!("{:?}", a.clashes());
    };
    assert_eq!(clash.lost.what, What::Assigned(Some("ben".into())));
    assert_eq!(clash.won.what, What::Assigned(Some("dora".into())));
    assert_eq!(a.assigned().map(|(who, _)| who), Some("dora"));
    // Two who acknowledge mean the same.
    let mut c = Desk::default();
    c.write(What::Acknowledged(true), &hand(1), Timestamp(2));
    c.merge(&a);
    assert_eq!(c.clashes().len(), 1);
}

#[test]
fn what_is_taken_back_stays_so() {
    let mut a = Desk::default();
    assert!(
        a.write(What::Muted(None), &hand(0), Timestamp(1)).is_none(),
        "it was not"
    );
    a.write(What::Muted(Some(Timestamp(99))), &hand(0), Timestamp(1));
    let before = a.clone();
    a.write(What::Muted(None), &hand(1), Timestamp(1));
    a.merge(&before);
    assert_eq!(a.muted(), None);
    let pin = |on| What::Pinned {
        text: "a line".into(),
        on,
    };
    a.write(pin(true), &hand(0), Timestamp(3));
    assert_eq!(a.pins().len(), 1);
    a.write(pin(false), &hand(1), Timestamp(3));
    assert!(a.pins().is_empty());
    assert_eq!(a.edits().len(), 4, "the history tells of all");
}

#[test]
fn what_waits_is_known_until_the_team_has_it() {
    let mut a = Desk::default();
    let first = a
        .write(What::Note("one".into()), &hand(0), Timestamp(1))
        .expect("written");
    a.wait(first);
    let mut theirs = a.clone();
    let second = a
        .write(What::Note("two".into()), &hand(0), Timestamp(1))
        .expect("written");
    a.wait(second);
    assert_eq!(a.waiting(), 2);
    assert!(a.sent(&theirs) && !a.sent(&theirs));
    assert_eq!(a.waiting(), 1);
    assert!(!theirs.holds(&a));
    theirs.merge(&a);
    assert!(theirs.holds(&a) && a.sent(&theirs));
    assert_eq!(a.waiting(), 0);
}

#[test]
fn each_edit_has_a_mark_of_its_own() {
    let mut a = Desk::default();
    for what in [What::Acknowledged(true), What::Note("n".into())] {
        let mark = a.write(what, &hand(0), Timestamp(1)).expect("written");
        a.wait(mark);
    }
    assert_eq!(a.waiting(), 2, "in the same millisecond");
}

#[test]
fn edits_of_a_clock_far_ahead_are_left_out_or_brought_back() {
    let mut a = Desk::default();
    a.write(What::Acknowledged(true), &hand(0), Timestamp(50));
    let ahead = a.write(
        What::Assigned(Some("ben".into())),
        &hand(0),
        Timestamp(9_000),
    );
    let mut others = a.clone();
    assert_eq!(others.drop_after(Timestamp(100)), 1);
    assert!(others.assigned().is_none() && others.acknowledged().is_some());
    a.wait(ahead.expect("written"));
    assert_eq!(a.bring_back(Timestamp(100), Timestamp(60)), 1);
    let (_, stamp) = a.assigned().expect("still said");
    assert_eq!((stamp.at, a.waiting()), (Timestamp(60), 1));
    assert_eq!(a.clone().drop_after(Timestamp(100)), 0);
}

/// They are of an earlier run, which knew of no team: nothing says that they wait.
#[test]
fn a_mute_of_a_clock_a_year_ahead_lasts_as_long_as_it_was_to() {
    let (year, hour) = (365 * 86_400_000, 3_600_000);
    let mut a = Desk::default();
    let until = Timestamp(year + 2 * hour);
    a.write(What::Muted(Some(until)), &hand(0), Timestamp(year));
    assert_eq!(a.bring_back(Timestamp(hour), Timestamp(0)), 1);
    assert_eq!(a.muted().map(|(end, _)| end), Some(Timestamp(2 * hour)));
    assert_eq!(a.waiting(), 1, "nobody else has it");
    assert_eq!(a.bring_back(Timestamp(hour), Timestamp(0)), 0, "once");
}

/// The newest stay, however many come at once and in whatever order.
#[test]
fn many_thousand_notes_are_bounded() {
    let edits = (0..20_000).rev().map(|n| Edit {
        mark: Mark {
            ms: n,
            count: 0,
            by: "eve".into(),
            console: "c".into(),
        },
        at: Timestamp(n),
        seen: None,
        what: What::Note("n".into()),
    });
    let (desk, left_out) = Desk::of(edits.collect());
    assert_eq!((desk.notes().count(), left_out), (200, 0));
    assert_eq!(
        desk.notes().next().map(|(stamp, _)| stamp.at.0),
        Some(19_800)
    );
}

#[test]
fn what_older_consoles_wrote_is_read_and_they_read_ours() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Before {
        acknowledged: Option<Stamp>,
        assigned: Option<(String, Stamp)>,
        muted: Option<(Timestamp, Stamp)>,
        notes: Vec<(Stamp, String)>,
    }
    let stamp = |at| Stamp {
        by: "ana".into(),
        at: Timestamp(at),
    };
    let before = Before {
        acknowledged: Some(stamp(1)),
        assigned: None,
        muted: Some((Timestamp(9), stamp(2))),
        notes: vec![(stamp(3), "one".into()), (stamp(3), "two".into())],
    };
    let bytes = rmp_serde::to_vec_named(&before).expect("written");
    let desk: Desk = rmp_serde::from_slice(&bytes).expect("read");
    assert_eq!(desk.acknowledged(), Some(stamp(1)));
    assert_eq!(desk.muted(), Some((Timestamp(9), stamp(2))));
    assert_eq!(
        desk.notes().map(|(_, text)| text).collect::<Vec<_>>(),
        ["one", "two"]
    );
    let bytes = rmp_serde::to_vec_named(&desk).expect("written");
    assert_eq!(
        rmp_serde::from_slice::<Before>(&bytes).expect("read"),
        before
    );
}

#[test]
fn texts_of_others_are_made_safe_once_and_too_long_ones_are_nobodys() {
    let note = |text: String| Edit {
        mark: Mark {
            ms: 1,
            count: 0,
            by: "e\u{1b}[31mve".into(),
            console: "c".into(),
        },
        at: Timestamp(1),
        seen: None,
        what: What::Note(text),
    };
    let long = "x".repeat(NOTE + 200);
    let (desk, left_out) = Desk::of(vec![note("a\u{1b}]0;t\u{7}b".into()), note(long)]);
    assert_eq!(left_out, 1);
    let (stamp, text) = desk.notes().next().expect("one");
    assert_eq!((stamp.by.as_ref(), text), ("eve", "ab"));
    assert_eq!(
        Desk::of(desk.edits().to_vec()).0,
        desk,
        "once more changes nothing"
    );
    // What this console cuts, others take.
    let cut = text::clean(&"y".repeat(9_000), NOTE);
    assert_eq!(Desk::of(vec![note(cut)]).1, 0);
}
