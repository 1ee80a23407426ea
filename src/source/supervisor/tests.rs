//! The supervisor against sources that misbehave on purpose.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

use super::*;
use crate::clock;
use crate::model::ask::{Answered, Question};
use crate::model::telemetry::{Body, Telemetry};
use crate::source::error::Cause;

struct Scripted<F>(F);

impl<F> Source for Scripted<F>
where
    F: FnMut(u32) -> Result<(), Cause> + Send,
{
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            for n in 0.. {
                (self.0)(n).map_err(|cause| SourceError::new("c", "e", cause))?;
                line.heard(Heard::default()).await;
                line.rest(clock::instant() + Duration::from_millis(5)).await;
            }
            Ok(())
        })
    }
}

struct Nobody;

impl Lookup for Nobody {
    fn ask(&self, _: Question) -> BoxFuture<'_, Answered> {
        Box::pin(std::future::pending())
    }
}

fn plan<F, G>(make: G) -> Plan
where
    F: FnMut(u32) -> Result<(), Cause> + Send + 'static,
    G: Fn() -> F + Send + Sync + 'static,
{
    Plan {
        kind: SourceKind::Prometheus,
        cluster: "c".into(),
        endpoint: "e".into(),
        via: None,
        work: Work::Kept(Box::new(move || Ok(Box::new(Scripted(make()))))),
    }
}

fn start(plans: Vec<Vec<Plan>>) -> (Fleet, mpsc::Receiver<Telemetry>) {
    let (outlet, queue) = Outlet::new(64);
    let pace = Pace {
        shortest: Duration::from_millis(5),
        longest: Duration::from_millis(40),
        denied: Duration::from_millis(30),
        ..Pace::default()
    };
    let fleet = Fleet::start_plans(plans, Arc::new(Nobody), outlet, pace);
    (fleet, queue)
}

async fn until(
    queue: &mut mpsc::Receiver<Telemetry>,
    cluster: u16,
    wanted: impl Fn(&Health) -> bool,
) -> crate::model::health::SourceHealth {
    let found = async {
        while let Some(telemetry) = queue.recv().await {
            if let (ClusterId(id), Body::Health(health)) = (telemetry.cluster, telemetry.body)
                && id == cluster
                && wanted(&health.health)
            {
                return health;
            }
        }
        panic!("the queue ended");
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("in time")
}

fn failing(health: &Health) -> bool {
    matches!(health, Health::Failing { .. })
}

fn live(health: &Health) -> bool {
    matches!(health, Health::Live)
}

#[tokio::test]
async fn a_dead_cluster_delays_no_other_and_recovers() {
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let sick = plan(move || {
        let calls = seen.clone();
        move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            0..=12 => Err(Cause::Unreachable("refused".into())),
            _ => Ok(()),
        }
    });
    let well = plan(|| |_| Ok(()));
    let (fleet, mut queue) = start(vec![vec![sick], vec![well]]);
    until(&mut queue, 1, live).await;
    let health = until(&mut queue, 0, |h| {
        matches!(h, Health::Failing { failures: 11.., .. })
    })
    .await;
    assert_eq!(health.last_ok, None);
    assert!(health.failures >= 11);
    until(&mut queue, 0, live).await;
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_panic_is_told_and_forgiven_three_times() {
    let made = Arc::new(AtomicU32::new(0));
    let seen = made.clone();
    let mad = plan(move || {
        seen.fetch_add(1, Ordering::SeqCst);
        |_| panic!("on purpose")
    });
    let (fleet, mut queue) = start(vec![vec![mad]]);
    let failing = until(&mut queue, 0, failing).await;
    assert!(failing.fault().unwrap().to_string().contains("on purpose"));
    until(&mut queue, 0, |h| matches!(h, Health::Denied { .. })).await;
    assert_eq!(made.load(Ordering::SeqCst), 4);
    fleet.shutdown().await;
}

#[tokio::test]
async fn waits_as_long_as_the_server_asks() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let busy = plan(move || {
        let times = seen.clone();
        move |_| {
            let mut times = times.lock().unwrap();
            times.push(clock::instant());
            match times.len() {
                1 => Err(Cause::RateLimited(Some(Duration::from_millis(300)))),
                _ => Ok(()),
            }
        }
    });
    let (fleet, mut queue) = start(vec![vec![busy]]);
    until(&mut queue, 0, live).await;
    let times = times.lock().unwrap().clone();
    assert!(times[1] - times[0] >= Duration::from_millis(300));
    drop(fleet);
}

#[tokio::test]
async fn forbidden_is_denied_and_a_refresh_tries_at_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let barred = plan(move || {
        let calls = seen.clone();
        move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Cause::Forbidden(String::new())),
            _ => Ok(()),
        }
    });
    let (outlet, mut queue) = Outlet::new(64);
    let fleet = Fleet::start_plans(
        vec![vec![barred]],
        Arc::new(Nobody),
        outlet,
        Pace::default(),
    );
    until(&mut queue, 0, |h| matches!(h, Health::Denied { .. })).await;
    // Without the refresh this would take five minutes.
    fleet.refresh(None);
    until(&mut queue, 0, live).await;
    fleet.shutdown().await;
}

/// A stream: what does not fit is lost. It says this much, then pauses this long.
struct Stream(u32, Duration);

impl Source for Stream {
    fn run<'a>(&'a mut self, line: &'a Line) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            loop {
                for _ in 0..self.0 {
                    line.offer(Body::Alerts(Vec::new()), 1);
                }
                tokio::time::sleep(self.1).await;
            }
        })
    }
}

fn stream(burst: u32, pause_ms: u64) -> Plan {
    let pause = Duration::from_millis(pause_ms);
    Plan {
        work: Work::Kept(Box::new(move || Ok(Box::new(Stream(burst, pause))))),
        ..plan(|| |_| Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_babbling_cluster_shuts_out_no_other() {
    let (outlet, mut queue) = Outlet::new(8);
    let fleet = Fleet::start_plans(
        vec![vec![stream(1_000, 1)], vec![stream(1, 20)]],
        Arc::new(Nobody),
        outlet.clone(),
        Pace::default(),
    );
    let mut heard = 0;
    for _ in 0..1_000 {
        let told = queue.recv().await.expect("the queue is open");
        let said = matches!(told.body, Body::Alerts(_));
        heard += u32::from(said && told.cluster == ClusterId(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(outlet.dropped() > 1_000, "more is said than can be taken");
    // Said 100 times in these two seconds, and all of it was heard.
    assert!((95..=101).contains(&heard), "{heard}");
    assert!(fleet.depth().0 <= 2 * SHARE.0);
    fleet.shutdown().await;
}
