use super::*;
use crate::incident::IncidentState;
use crate::model::alert::Severity;
use crate::model::finding::{Evidence, Subject};
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use crate::ui::view::ScreenId;
use crate::ui::view::fake::{self, NOW};

fn finding(
    key: &str,
    subject: Subject,
    since: i64,
    severity: Severity,
    evidence: Evidence,
) -> Finding {
    Finding {
        cluster: ClusterId(0),
        subject,
        key: key.into(),
        kind: FindingKind::LevelShift,
        severity,
        score: 0.93,
        since: Timestamp(NOW - since * 1000),
        earlier: false,
        at: Timestamp(NOW),
        over: false,
        signal: key.into(),
        unit: Unit::Nanoseconds,
        seen: Some(4123.0),
        expected: Some((-20.0, 20.0)),
        method: "median/MAD of 60 min".into(),
        text: "offset 4.12 us, expected -20 ns to 20 ns, for 12 min".into(),
        evidence: vec![evidence],
    }
}

fn world() -> World {
    let mut world = fake::world(&["edge-ran-07"]);
    let key = SeriesKey::new(
        "openshift_ptp_offset_ns",
        Labels::from_pairs([("node", "n-07-b")]),
    );
    let clock = Subject::Clock {
        node: "n-07-b".into(),
        interface: "ens1f0".into(),
    };
    let pod = Subject::Pod {
        namespace: "ran-du".into(),
        pod: "du-high-0".into(),
    };
    world.incidents = vec![Incident {
        id: IncidentId(41),
        number: 41,
        cluster: ClusterId(0),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: "PTP lost on n-07-b, du-high restarts".into(),
        opened: Timestamp(NOW - 700_000),
        changed: Timestamp(NOW),
        closed: None,
        score: 0.93,
        subjects: vec![clock.clone(), pod.clone()],
        nodes: Default::default(),
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
        findings: vec![
            finding(
                "openshift_ptp_offset_ns",
                clock,
                722,
                Severity::Critical,
                Evidence::Series(key),
            ),
            finding(
                "restarts",
                pod,
                700,
                Severity::Warning,
                Evidence::Alert("f1".into()),
            ),
        ],
    }];
    world
}

#[test]
fn enter_leads_to_the_evidence() {
    let world = world();
    let mut view = Incidents::default();
    view.place(Rect::new(0, 0, 120, 32), &world);
    assert_eq!(view.open(&world), None);
    view.update(Command::Open, &world);
    let goto = view.open(&world).expect("evidence");
    assert_eq!(goto.screen, ScreenId::Metrics);
    assert_eq!(
        goto.query.as_deref(),
        Some("openshift_ptp_offset_ns{node=\"n-07-b\"}")
    );
    view.update(Command::Down, &world);
    assert_eq!(view.open(&world).map(|g| g.screen), Some(ScreenId::Alerts));
    assert_eq!(view.focus(&world), Some(Focus::Incident(IncidentId(41))));
    assert!(view.back() && !view.back());
}

#[test]
fn any_room_will_do() {
    let world = world();
    let mut view = Incidents::default();
    view.update(Command::Open, &world);
    for width in (0..130).step_by(9) {
        for height in 0..20 {
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf)
            });
        }
    }
}

#[test]
fn why_no_incident_is_shown() {
    let mut world = world();
    let mut view = Incidents::default();
    let text = |view: &Incidents, world: &World| {
        fake::screen(world, 100, 30, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    view.update(Command::Problems, &world);
    world
        .incidents
        .iter_mut()
        .for_each(|i| i.state = IncidentState::Resolved);
    let shown = text(&view, &world);
    assert!(
        shown.contains("no open incident, 1 resolved (! shows all)"),
        "{shown}"
    );
    world.incidents.clear();
    assert!(text(&view, &world).contains("no detector has found anything"));
}

#[test]
fn signs_of_another_day_tell_the_day() {
    let mut world = world();
    let text = |view: &Incidents, world: &World| {
        fake::screen(world, 160, 40, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    let view = Incidents::default();
    assert!(!text(&view, &world).contains("01-14"));
    let before = |at: Timestamp| at.plus_ms(-86_400_000);
    for incident in &mut world.incidents {
        incident.opened = before(incident.opened);
        for finding in &mut incident.findings {
            finding.since = before(finding.since);
        }
    }
    let shown = text(&view, &world);
    // In the title of the timeline, in the list of findings, and why.
    assert!(shown.matches("01-14 07:4").count() >= 3, "{shown}");
}

#[test]
fn the_causes_stand_beside_the_findings_and_in_full_one_key_further() {
    let mut world = world();
    let id = world.incidents[0].id;
    assert!(world.rank_next(Some(id)).is_none(), "few signs");
    for (width, height) in [(80, 21), (120, 33), (200, 47)] {
        let mut view = Incidents::default();
        view.place(Rect::new(0, 0, width, height), &world);
        let shown = |view: &Incidents| {
            fake::screen(&world, width, height, |ctx, area, buf| {
                view.draw(ctx, area, buf);
            })
        };
        view.update(Command::Open, &world);
        if width >= 120 {
            assert!(shown(&view).contains("began at: "), "{}", shown(&view));
        }
        if width == 120 {
            why_is_scrolled(&mut view, &world);
            view.place(Rect::new(0, 0, width, height), &world);
        }
        view.update(Command::NextPane, &world);
        let full = shown(&view);
        assert!(full.contains("where it began"), "{full}");
        assert!(full.contains("n-07-b clock ens1f0"), "{full}");
        view.update(Command::Down, &world);
        if height < 30 {
            // What does not fit is scrolled to: here also why the chosen finding is one.
            assert!(!shown(&view).contains("where it began"), "{}", shown(&view));
            view.update(Command::Bottom, &world);
            assert!(
                shown(&view).contains("series openshift_ptp"),
                "{}",
                shown(&view)
            );
        } else {
            assert!(!full.contains("why it was found"), "{full}");
        }
        assert_eq!(view.depth(), 1);
        assert!(view.back() && !view.back());
    }
}

/// What is too long for the pane beside the findings; of another part it begins anew.
fn why_is_scrolled(view: &mut Incidents, world: &World) {
    view.place(Rect::new(0, 0, 120, 24), world);
    let shown =
        |view: &Incidents| fake::screen(world, 120, 24, |ctx, area, buf| view.draw(ctx, area, buf));
    assert!(shown(view).contains("likely cause"), "{}", shown(view));
    view.update(Command::ScrollDown, world);
    assert!(!shown(view).contains("likely cause"), "{}", shown(view));
    view.update(Command::PreviousPane, world);
    assert!(shown(view).contains("likely cause"), "{}", shown(view));
    view.update(Command::ScrollDown, world);
    view.update(Command::Open, world);
    assert!(shown(view).contains("likely cause"), "{}", shown(view));
}

#[test]
fn causes_are_worked_out_anew_when_a_finding_comes() {
    let mut world = world();
    let mut view = Incidents::default();
    view.update(Command::Open, &world);
    view.update(Command::NextPane, &world);
    let shown = |view: &Incidents, world: &World| {
        fake::screen(world, 200, 47, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    assert!(!shown(&view, &world).contains("n-99"));
    let node = Subject::Node("n-99".into());
    let first = Evidence::Text("it went down".into());
    let sign = finding("ready", node, 900, Severity::Critical, first);
    if let Some(incident) = world.incidents.first_mut() {
        incident.findings.insert(0, sign);
    }
    view.work(&world);
    assert!(
        shown(&view, &world).contains("n-99"),
        "{}",
        shown(&view, &world)
    );
}

#[test]
fn curves_stand_under_each_other_on_the_axis_of_the_incident() {
    let mut world = world();
    let told = std::mem::take(&mut world.incidents);
    let values: Vec<f64> = (0..40)
        .map(|i| if i < 17 { f64::from(i % 3) } else { 4_000.0 })
        .collect();
    let labels = [("node", "n-07-b")];
    let name = "openshift_ptp_offset_ns";
    fake::samples(&mut world, 0, Group::Ptp, name, &labels, &values);
    world.incidents = told;
    let mut view = Incidents::default();
    view.place(Rect::new(0, 0, 120, 36), &world);
    view.update(Command::Open, &world);
    let seen = |view: &Incidents| {
        fake::screen(&world, 120, 36, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    let lanes = seen(&view);
    assert!(
        lanes.contains("first sign") && !lanes.contains("▁▁▁"),
        "{lanes}"
    );
    view.update(Command::Detail, &world);
    let curves = seen(&view);
    assert!(
        curves.contains("▁▁▁") && curves.contains("████"),
        "{curves}"
    );
    assert!(curves.contains("4.12 us"), "{curves}");
    assert!(
        curves.contains("1 of 2 findings have no curve"),
        "an alert has none: {curves}"
    );
}

#[test]
fn causes_of_many_signs_are_ranked_off_the_loop() {
    let mut world = world();
    let mut view = Incidents::default();
    view.update(Command::Open, &world);
    view.update(Command::NextPane, &world);
    let shown = |view: &Incidents, world: &World| {
        fake::screen(world, 120, 33, |ctx, area, buf| view.draw(ctx, area, buf))
    };
    assert!(shown(&view, &world).contains("causes not worked out"));
    for node in 0..40 {
        let subject = Subject::Node(format!("n-{node:02}"));
        let evidence = Evidence::Text("it went down".into());
        let sign = finding("ready", subject, 900, Severity::Critical, evidence);
        world.incidents[0].findings.push(sign);
    }
    let id = Some(world.incidents[0].id);
    let work = world.rank_next(id).expect("many signs");
    // It is asked for once; until it comes nothing is shown of it.
    assert!(world.rank_next(id).is_none());
    assert!(shown(&view, &world).contains("causes not worked out"));
    work.run();
    assert!(world.rank_next(id).is_none());
    assert!(shown(&view, &world).contains("where it began"));
    // More signs: as it was ranked last, until it is ranked anew.
    let sign = world.incidents[0].findings[0].clone();
    world.incidents[0].findings.push(sign);
    assert!(shown(&view, &world).contains("where it began"));
    let held = world.causes_so_far(&world.incidents[0]);
    assert!(std::sync::Arc::ptr_eq(
        &held,
        &world.causes(&world.incidents[0])
    ));
    assert!(world.rank_next(id).is_some());
    // What is in view is of this incident: of another it is worked out first.
    world.incidents[0].id = IncidentId(42);
    assert!(shown(&view, &world).contains("causes not worked out"));
}

#[test]
fn a_change_long_before_the_first_sign_is_named_on_the_timeline_too() {
    use crate::model::change::{Change, ChangeKind, Told};
    let mut world = world();
    let first = world.incidents[0].findings[0].since;
    let rollout = Change {
        at: first.plus_ms(-12 * 60_000),
        kind: ChangeKind::Rollout,
        subject: ("StatefulSet".into(), "du-high".into()),
        namespace: "ran-du".into(),
        what: "image du:1 -> du:2".into(),
        by: None,
        told: Told::Object,
        symptom: false,
        unwatched: None,
    };
    world.clusters[0].changes.push_back(rollout);
    let id = world.incidents[0].id;
    assert!(world.rank_next(Some(id)).is_none(), "few signs");
    let view = Incidents::default();
    let text = fake::screen(&world, 200, 47, |ctx, area, buf| view.draw(ctx, area, buf));
    let lane = text.lines().find(|l| l.contains("▼")).expect("its mark");
    assert!(!lane.contains("none seen"), "{lane}");
    assert!(
        lane.contains(" % du-high") || lane.contains("1, unlikely"),
        "{lane}"
    );
}
