//! How well a cluster can be reached: state, score and the reasons for both.
//!
//! Says nothing of what runs there; that is [`super::Status`]. Pure: of the sources and the time.

use crate::model::health::{Health, SourceHealth, SourceKind};
use crate::model::time::Timestamp;
use crate::model::unit::age;

use super::{ClusterState, World};

/// Failed checks in a row before a part that answered counts as down.
const FAILED: u32 = 2;
/// So many changes within so long are a connection that comes and goes.
const TURNS: usize = 3;
const TURNS_MS: u64 = 600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Online,
    Degraded,
    Offline,
    /// Before the first check.
    Unknown,
}

impl Reach {
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Degraded => "DEGRADED",
            Self::Offline => "OFFLINE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// State and score; what cost how much stands in [`World::reach_reasons`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub reach: Reach,
    /// 0 (offline) to 100; `None`: a part that counts was not checked yet.
    pub points: Option<u8>,
}

/// What a part that is down costs while the cluster is not offline. Parts that are not configured cost
/// nothing; Alertmanager, exporters, `nvidia-smi`, proxies of clock events and the bus only show.
fn cost(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::Kubernetes => 50,
        SourceKind::Prometheus => 20,
        SourceKind::Tempo | SourceKind::Loki => 15,
        SourceKind::Alertmanager(_)
        | SourceKind::Exporter(_)
        | SourceKind::NvidiaSmi
        | SourceKind::ClockEvents(_)
        | SourceKind::Nats
        | SourceKind::Edge => 0,
    }
}

/// Down: refused, or two checks in a row failed or did not come. What never answered needs but one.
pub(super) fn is_down(source: &SourceHealth, now: Timestamp) -> bool {
    match &source.health {
        Health::Connecting => false,
        Health::Live => source.is_stale(now),
        Health::Failing { failures, .. } => {
            *failures >= FAILED || source.last_ok.is_none() || source.is_stale(now)
        }
        Health::Denied { .. } => source.missing_right().is_none(),
    }
}

/// Answered, and is not down since.
pub(super) fn is_up(source: &SourceHealth, now: Timestamp) -> bool {
    match &source.health {
        Health::Live => !source.is_stale(now),
        Health::Failing { .. } | Health::Denied { .. } => !is_down(source, now),
        Health::Connecting => false,
    }
}

impl ClusterState {
    pub fn score(&self, now: Timestamp) -> Score {
        let (mut lost, mut down, mut up) = (0u8, 0usize, 0usize);
        let (mut unheard, mut awaited) = (false, false);
        for (kind, source) in &self.sources {
            unheard |= source.health == Health::Connecting;
            awaited |= source.health == Health::Connecting && cost(*kind) > 0;
            if is_down(source, now) {
                down += 1;
                lost = lost.saturating_add(cost(*kind));
            } else if is_up(source, now) {
                up += 1;
            }
        }
        let api = self.sources.get(&SourceKind::Kubernetes);
        let reach = match (up, down) {
            (0, 0) => Reach::Unknown,
            _ if api.is_some_and(|s| is_down(s, now)) || up == 0 => Reach::Offline,
            (_, 0) => Reach::Online,
            _ => Reach::Degraded,
        };
        let points = match reach {
            Reach::Unknown => None,
            // Whatever its parts cost; what was not heard yet may be well.
            Reach::Offline => (!unheard).then_some(0),
            Reach::Online | Reach::Degraded => (!awaited).then(|| 100u8.saturating_sub(lost)),
        };
        Score { reach, points }
    }

    /// Notes that a part went down or came back.
    pub(super) fn note_turn(&mut self, before: &SourceHealth, kind: SourceKind, now: Timestamp) {
        let Some(after) = self.sources.get(&kind) else {
            return;
        };
        let went = is_up(before, now) && is_down(after, now);
        let came = is_down(before, now) && is_up(after, now);
        if went || came {
            self.turns.push_back(now);
        }
        while self.turns.len() > 32 {
            self.turns.pop_front();
        }
    }

    /// How often parts went and came in the last ten minutes, where that is often.
    pub fn intermittent(&self, now: Timestamp) -> Option<usize> {
        let lately = self
            .turns
            .iter()
            .filter(|at| now.age_since_ms(**at) <= TURNS_MS);
        Some(lately.count()).filter(|count| *count >= TURNS)
    }
}

impl World {
    /// What the score is made of, dearest first: points lost and why. Empty: every part is up.
    pub fn reach_reasons(&self, c: &ClusterState) -> Vec<(u8, String)> {
        let mut reasons: Vec<(u8, String)> = Vec::new();
        for (kind, source) in &c.sources {
            if is_down(source, self.now) {
                let why = match (source.fault(), source.last_ok) {
                    (Some(fault), _) => fault.what.clone(),
                    (None, Some(at)) => format!("no answer for {}", age(self.age_ms(at))),
                    (None, None) => "no answer".into(),
                };
                reasons.push((cost(*kind), format!("{kind} is down: {why}")));
            } else if let Some(fault) = source.missing_right() {
                reasons.push((0, format!("{kind} answers, but: {}", fault.what)));
            } else if source.fault().is_some() {
                reasons.push((
                    0,
                    format!("{kind} failed once; down after {FAILED} in a row"),
                ));
            } else if source.health == Health::Connecting {
                reasons.push((0, format!("{kind} is not heard yet")));
            }
        }
        if let Some(count) = c.intermittent(self.now) {
            let text = format!("intermittent: {count} changes in 10 min");
            reasons.push((0, text));
        }
        reasons.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Cluster, Config, Endpoint, Kube};
    use crate::model::fault::{Fault, FaultKind};
    use crate::model::id::ClusterId;
    use crate::model::telemetry::{Body, Telemetry};

    const NOW: i64 = 1_800_000_000_000;

    fn world() -> World {
        let endpoint = || Some(Endpoint::default());
        let config = Config {
            clusters: vec![Cluster {
                name: "a".into(),
                prometheus: endpoint(),
                alertmanagers: endpoint().into_iter().collect(),
                loki: endpoint(),
                tempo: endpoint(),
                kube: Some(Kube::default()),
                ..Cluster::default()
            }],
            ..Config::default()
        };
        World::new(&config, Timestamp(NOW))
    }

    fn tell(world: &mut World, kind: SourceKind, health: Health, last_ok: Option<i64>) {
        world.ingest(Telemetry {
            cluster: ClusterId(0),
            source: kind,
            received: world.now,
            body: Body::Health(SourceHealth {
                health,
                last_ok: last_ok.map(Timestamp),
                interval_ms: 30_000,
                ..SourceHealth::default()
            }),
        });
    }

    fn failing(failures: u32) -> Health {
        Health::Failing {
            fault: Fault {
                kind: FaultKind::Unreachable,
                cluster: "a".into(),
                endpoint: "https://a".into(),
                what: "connection refused".into(),
                hint: String::new(),
            },
            since: Timestamp(NOW),
            retry_at: Timestamp(NOW),
            failures,
        }
    }

    fn score(world: &World) -> (Reach, Option<u8>) {
        let score = world.clusters[0].score(world.now);
        (score.reach, score.points)
    }

    fn all() -> [SourceKind; 5] {
        use SourceKind::*;
        [Kubernetes, Prometheus, Tempo, Loki, Alertmanager(0)]
    }

    #[test]
    fn each_part_costs_what_it_is_worth() {
        let mut world = world();
        assert_eq!(score(&world), (Reach::Unknown, None));
        for kind in all() {
            tell(&mut world, kind, Health::Live, Some(NOW));
        }
        assert_eq!(score(&world), (Reach::Online, Some(100)));
        let mut seen = Vec::new();
        for kind in [
            SourceKind::Alertmanager(0),
            SourceKind::Loki,
            SourceKind::Tempo,
            SourceKind::Prometheus,
        ] {
            tell(&mut world, kind, failing(2), Some(NOW));
            seen.push(score(&world));
        }
        let degraded = [100, 85, 70, 50].map(|points| (Reach::Degraded, Some(points)));
        assert_eq!(seen, degraded);
        tell(&mut world, SourceKind::Kubernetes, failing(2), Some(NOW));
        assert_eq!(score(&world), (Reach::Offline, Some(0)));
        let reasons = world.reach_reasons(&world.clusters[0]);
        assert_eq!(
            reasons[0],
            (50, "kubernetes is down: connection refused".into())
        );
        assert!(
            reasons
                .iter()
                .any(|(_, text)| text.contains("intermittent: 5"))
        );
    }

    #[test]
    fn leaving_online_takes_two_failed_checks_and_coming_back_one() {
        let mut world = world();
        for kind in all() {
            tell(&mut world, kind, Health::Live, Some(NOW));
        }
        tell(&mut world, SourceKind::Kubernetes, failing(1), Some(NOW));
        assert_eq!(score(&world), (Reach::Online, Some(100)));
        assert!(world.clusters[0].is_heard(world.now));
        tell(&mut world, SourceKind::Kubernetes, failing(2), Some(NOW));
        assert_eq!(score(&world), (Reach::Offline, Some(0)));
        tell(&mut world, SourceKind::Kubernetes, Health::Live, Some(NOW));
        assert_eq!(score(&world), (Reach::Online, Some(100)));
        assert_eq!(
            world.clusters[0].intermittent(world.now),
            None,
            "two changes"
        );
    }

    /// A site with nothing but what costs no points is not well when all of it is gone.
    #[test]
    fn an_offline_cluster_has_no_points() {
        for kind in [SourceKind::Exporter(0), SourceKind::Edge, SourceKind::Nats] {
            let mut world = World::new(&Config::default(), Timestamp(NOW));
            world.clusters.extend(super::tests::world().clusters);
            world.clusters[0].sources.clear();
            tell(&mut world, kind, failing(1), None);
            assert_eq!(score(&world), (Reach::Offline, Some(0)), "{kind}");
            tell(
                &mut world,
                SourceKind::Exporter(1),
                Health::Connecting,
                None,
            );
            assert_eq!(score(&world), (Reach::Offline, None), "{kind}");
            tell(&mut world, SourceKind::Exporter(1), Health::Live, Some(NOW));
            assert_eq!(score(&world), (Reach::Degraded, Some(100)), "{kind}");
        }
    }

    #[test]
    fn silence_of_two_intervals_is_two_missed_checks() {
        let mut world = world();
        for kind in all() {
            tell(&mut world, kind, Health::Live, Some(NOW));
        }
        world.tick(Timestamp(NOW + 61_000));
        assert_eq!(score(&world), (Reach::Offline, Some(0)));
        let mut never = super::tests::world();
        tell(&mut never, SourceKind::Prometheus, failing(1), None);
        // Never was online; the others may be well or not, so the points are not known.
        assert_eq!(score(&never), (Reach::Offline, None));
        for kind in all().into_iter().filter(|k| *k != SourceKind::Prometheus) {
            tell(&mut never, kind, Health::Live, Some(NOW));
        }
        assert_eq!(score(&never), (Reach::Degraded, Some(80)));
    }

    fn denied(kind: FaultKind) -> Health {
        let Health::Failing { fault, since, .. } = failing(1) else {
            unreachable!("failing is Failing");
        };
        let fault = Fault {
            kind,
            what: "list pods: 403, no permission".into(),
            ..fault
        };
        Health::Denied { fault, since }
    }

    #[test]
    fn a_missing_right_is_no_outage_of_a_server_that_answers() {
        let mut world = world();
        for kind in all() {
            tell(&mut world, kind, Health::Live, Some(NOW));
        }
        let api = SourceKind::Kubernetes;
        tell(&mut world, api, denied(FaultKind::Forbidden), Some(NOW + 1));
        assert_eq!(score(&world), (Reach::Online, Some(100)));
        let (status, why) = world.standing(ClusterId(0));
        assert_eq!(status, super::super::Status::Unknown, "{why}");
        assert!(why.contains("list pods"), "{why}");
        let reasons = world.reach_reasons(&world.clusters[0]);
        assert!(reasons[0].1.contains("answers, but"), "{reasons:?}");
        // Nothing since the refusal, or nobody knows who we are: that is one.
        tell(&mut world, api, denied(FaultKind::Forbidden), Some(NOW));
        assert_eq!(score(&world), (Reach::Offline, Some(0)));
        tell(&mut world, api, denied(FaultKind::Auth), Some(NOW + 1));
        assert_eq!(score(&world), (Reach::Offline, Some(0)));
    }

    #[test]
    fn what_was_not_heard_yet_makes_nothing_green() {
        let mut world = world();
        tell(&mut world, SourceKind::Prometheus, Health::Live, Some(NOW));
        assert_eq!(score(&world), (Reach::Online, None));
        let (status, why) = world.standing(ClusterId(0));
        assert_eq!(status, super::super::Status::Unknown, "{why}");
        assert!(why.contains("not heard yet"), "{why}");
        for kind in all() {
            tell(&mut world, kind, Health::Live, Some(NOW));
        }
        assert_eq!(world.standing(ClusterId(0)).0, super::super::Status::Ok);
    }
}
