//! Two real Alertmanagers of one cluster: a pair that gossips, and two that do not.

use std::sync::Arc;

use farwatch::clock;
use farwatch::config::{Cluster, Config, Roles};
use farwatch::model::action::{Action, ActionRequest};
use farwatch::model::alert::AlertState;
use farwatch::model::health::SourceKind;
use farwatch::model::id::ClusterId;
use farwatch::model::identity::Role;
use farwatch::model::telemetry::Telemetry;
use farwatch::source::Outlet;
use farwatch::source::actions::Actions;
use farwatch::source::supervisor::{Fleet, Pace};
use farwatch::state::world::{ClusterState, World};
use tokio::sync::mpsc::Receiver;

use crate::prometheus::{Alertmanager, Prometheus};
use crate::{cluster, endpoint, until};

const A: SourceKind = SourceKind::Alertmanager(0);
const B: SourceKind = SourceKind::Alertmanager(1);

const RULES: &str = "groups:
- name: g
  rules:
  - {alert: Burns, expr: vector(1), labels: {severity: critical}}
";

/// farwatch beside a Prometheus that sends to both.
struct Desk {
    managers: [Alertmanager; 2],
    config: Arc<Config>,
    world: World,
    fleet: Fleet,
    queue: Receiver<Telemetry>,
    _server: Prometheus,
}

fn desk(managers: [Alertmanager; 2]) -> Desk {
    let ports: Vec<String> = managers
        .iter()
        .map(|m| format!("'127.0.0.1:{}'", m.program.port))
        .collect();
    let alerting = format!(
        "alerting:\n  alertmanagers:\n  - static_configs: [{{targets: [{}]}}]\n",
        ports.join(", ")
    );
    let server = Prometheus::start(&alerting, RULES);
    let alpha = Cluster {
        alertmanagers: managers.iter().map(|m| endpoint(m.program.url())).collect(),
        ..cluster("alpha", Some(&server))
    };
    let config = Arc::new(Config {
        clusters: vec![alpha],
        actions: true,
        roles: Roles {
            default: Role::Operator,
            ..Roles::default()
        },
        ..Config::default()
    });
    let (outlet, queue) = Outlet::new(256);
    Desk {
        world: World::new(&config, clock::now()),
        fleet: Fleet::start_with(config.clone(), outlet, Pace::default()),
        config,
        queue,
        managers,
        _server: server,
    }
}

impl Desk {
    /// Waits until the world looks so.
    async fn sees(&mut self, what: &str, seen: impl Fn(&ClusterState, &World) -> bool) {
        let (world, fleet) = (&mut self.world, &self.fleet);
        until(&mut self.queue, what, |told| {
            world.ingest(told.clone());
            world.now = world.now.max(told.received);
            fleet.refresh(None);
            seen(world.cluster(ClusterId(0))?, world).then_some(())
        })
        .await;
    }

    /// Silences the alert as the screen would: at each place it names.
    async fn silence(&self) -> Vec<SourceKind> {
        let alpha = self.world.cluster(ClusterId(0)).expect("alpha");
        let burns = alpha.alerts.values().find(|a| a.name.as_ref() == "Burns");
        let places = alpha.to_silence(&burns.expect("told").fingerprint, clock::now());
        let actions = Actions::new(self.config.clone(), self.fleet.reach(), Some(self.audit()));
        for place in &places {
            let now = clock::now();
            let action = Action::Silence {
                matchers: vec![("alertname".into(), "Burns".into())],
                from: now,
                until: now.plus_ms(3_600_000),
                comment: "it may burn".into(),
            };
            let request = ActionRequest {
                server: alpha.sources[place].place.to_string(),
                ..ActionRequest::new(ClusterId(0), action, "alice")
            };
            actions.carry_out(request).await.result.expect("made");
        }
        places
    }

    fn audit(&self) -> std::path::PathBuf {
        self.managers[0].dir.path().join("actions.jsonl")
    }
}

fn told_by(alpha: &ClusterState, state: AlertState) -> Vec<SourceKind> {
    let burns = alpha.alerts.values().filter(|a| a.name.as_ref() == "Burns");
    let burns: Vec<_> = burns.collect();
    let [one] = burns.as_slice() else {
        return Vec::new();
    };
    if one.state != state {
        return Vec::new();
    }
    let tellings = alpha.tellings(&one.fingerprint).iter();
    tellings.map(|t| t.source).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_is_one_and_goes_on_when_half_of_it_is_down() {
    let mut desk = desk(Alertmanager::pair());
    desk.sees(
        "one alert that both know, and that they are a pair",
        |alpha, _| {
            told_by(alpha, AlertState::Firing) == [A, B] && alpha.alertmanagers() == [vec![A, B]]
        },
    )
    .await;
    assert_eq!(desk.silence().await, [A], "they tell each other");
    desk.sees("one silence, known to both", |alpha, _| {
        let ids: Vec<&String> = alpha.silences.keys().collect();
        ids.len() == 1
            && alpha.silence_held_at(ids[0]) == [A, B]
            && told_by(alpha, AlertState::Suppressed) == [A, B]
    })
    .await;
    desk.managers[0].program.kill();
    desk.sees("which one is down", |alpha, world| {
        alpha.alertmanagers_down(world.now) == [(A, true)]
    })
    .await;
    let alpha = desk.world.cluster(ClusterId(0)).expect("alpha");
    assert_eq!(
        told_by(alpha, AlertState::Suppressed),
        [A, B],
        "nothing is hidden"
    );
    assert_eq!(alpha.silences.len(), 1);
    // What is to be changed now is asked of the other.
    let id = alpha.silences.keys().next().expect("one").clone();
    assert_eq!(alpha.to_expire(&id, desk.world.now), Some(B));
    let actions = Actions::new(desk.config.clone(), desk.fleet.reach(), Some(desk.audit()));
    let request = ActionRequest {
        server: alpha.sources[&B].place.to_string(),
        ..ActionRequest::new(ClusterId(0), Action::Expire { id }, "alice")
    };
    actions.carry_out(request).await.result.expect("ended");
    desk.sees("the silence is over, and the alert fires", |alpha, _| {
        alpha.silences.is_empty() && told_by(alpha, AlertState::Firing).contains(&B)
    })
    .await;
    desk.fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_stand_alone_are_silenced_one_by_one() {
    let mut desk = desk([Alertmanager::start(), Alertmanager::start()]);
    desk.sees("one alert that both know, each for itself", |alpha, _| {
        let known = told_by(alpha, AlertState::Firing) == [A, B];
        known && alpha.alertmanagers() == [vec![A], vec![B]]
    })
    .await;
    assert_eq!(desk.silence().await, [A, B]);
    desk.sees("two silences, each where it was made", |alpha, _| {
        let mut held: Vec<_> = alpha
            .silences
            .keys()
            .map(|id| alpha.silence_held_at(id))
            .collect();
        held.sort();
        held == [vec![A], vec![B]] && told_by(alpha, AlertState::Suppressed) == [A, B]
    })
    .await;
    desk.fleet.shutdown().await;
}
