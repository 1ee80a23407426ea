//! The log of one pod, asked of its API server where there is no Loki, or on demand.

use super::Logs;
use super::asked::{Asked, LIMIT};
use crate::command::Command;
use crate::language::logql::write::{NAMESPACE, POD, name_of, quoted};
use crate::message::Effect;
use crate::model::ask::PodLogs;
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::log::{PodTail, Tail};
use crate::state::world::World;

pub const HINTS: &[(&str, &str)] = &[
    ("G", "follow"),
    ("Tab", "container"),
    ("P", "run before"),
    ("t", "since"),
    ("/", "find"),
    ("r", "ask again"),
    ("Esc", "leave"),
];

/// What the API server can be asked and no Loki answers.
pub fn is_asked(world: &World, cluster: ClusterId) -> bool {
    world.cluster(cluster).is_some_and(|c| {
        let has = |kind| c.sources.contains_key(&kind);
        has(SourceKind::Kubernetes) && !has(SourceKind::Loki) && world.replay.is_none()
    })
}

/// What its Loki is asked for the lines of a pod, with the names that its labels have there as far
/// as lines of that cluster are held. `None`: there is no Loki, or what is held is all there is.
pub fn query(world: &World, cluster: ClusterId, (namespace, pod): (&str, &str)) -> Option<String> {
    let known = world.cluster(cluster)?;
    if !known.sources.contains_key(&SourceKind::Loki) || world.replay.is_some() {
        return None;
    }
    let newest = known.logs.blocks().next_back();
    let sets = newest.map_or(&[][..], |(_, block)| block.sets());
    let mut labels: Vec<String> = sets
        .iter()
        .flat_map(|set| set.iter().map(|(name, _)| name.to_owned()))
        .collect();
    labels.sort_unstable();
    labels.dedup();
    let named = |candidates, value| {
        let label = name_of(candidates, &labels).or_else(|| name_of(candidates, &[]))?;
        Some(format!("{label}={}", quoted(value)))
    };
    let namespace = named(NAMESPACE, namespace)?;
    let pod = named(POD, pod)?;
    Some(format!("{{{namespace}, {pod}}}"))
}

/// What is asked, in words.
pub fn told(pod: &PodLogs) -> String {
    let container = match &pod.container {
        Some(name) => format!("container {name}"),
        None => "all containers".into(),
    };
    let run = if pod.previous {
        " · the run before"
    } else {
        ""
    };
    format!("pod {}/{} · {container}{run}", pod.namespace, pod.pod)
}

impl Logs {
    /// Asks the API server for the log of the pod that led here.
    pub(super) fn ask_pod(&mut self, world: &World) -> Vec<Effect> {
        let Some((_, namespace, pod)) = self.pod.clone() else {
            return Vec::new();
        };
        self.set_filter("");
        let wanted = PodLogs {
            namespace,
            pod,
            container: None,
            previous: false,
            since_s: None,
            lines: LIMIT,
        };
        self.ask_for(wanted, world)
    }

    pub(super) fn ask_for(&mut self, wanted: PodLogs, world: &World) -> Vec<Effect> {
        let Some((cluster, ..)) = self.pod else {
            return Vec::new();
        };
        let (start, _) = self.window.bounds(world.now);
        let seconds = world.now.age_since_ms(start) / 1_000;
        let wanted = PodLogs {
            // What ran before may have ended long ago.
            since_s: (!wanted.previous).then(|| u32::try_from(seconds).unwrap_or(u32::MAX)),
            ..wanted
        };
        self.cursor = None;
        let before = self.asked.take();
        let (asked, effects) = Asked::of_pod(cluster, wanted, world.now, &mut self.numbers, before);
        self.asked = Some(asked);
        effects
    }

    /// Commands that mean something else, or only something, for the log of a pod.
    pub(super) fn pod_command(&mut self, command: &Command, world: &World) -> Option<Vec<Effect>> {
        if *command == Command::PodLog {
            return Some(self.ask_pod(world));
        }
        let shown = self.asked.as_ref()?.pod.clone()?;
        let effects = match command {
            Command::NextPane | Command::PreviousPane => {
                let by = if *command == Command::NextPane { 1 } else { -1 };
                let container = self.container_after(&shown, by, world);
                let wanted = PodLogs { container, ..shown };
                self.ask_for(wanted, world)
            }
            Command::PreviousRun => {
                let previous = !shown.previous;
                let wanted = PodLogs { previous, ..shown };
                self.ask_for(wanted, world)
            }
            Command::Bottom => self.follow_pod(shown),
            _ => return None,
        };
        Some(effects)
    }

    /// The lines that come, in place of those that were asked for.
    fn follow_pod(&mut self, shown: PodLogs) -> Vec<Effect> {
        self.cursor = None;
        let Some((cluster, ..)) = self.pod else {
            return Vec::new();
        };
        let mut filter = format!("namespace={} pod={}", shown.namespace, shown.pod);
        if let Some(container) = &shown.container {
            filter.push_str(&format!(" container={container}"));
        }
        self.asked = None;
        self.set_filter(&filter);
        let tail = Tail::Pod(PodTail {
            namespace: shown.namespace,
            pod: shown.pod,
            container: shown.container,
        });
        vec![Effect::TailLogs(vec![(cluster, tail)])]
    }

    /// All containers, then one after the other.
    fn container_after(&self, shown: &PodLogs, by: isize, world: &World) -> Option<String> {
        let (cluster, ..) = self.pod.as_ref()?;
        let key = (shown.namespace.as_str().into(), shown.pod.as_str().into());
        let known = world.cluster(*cluster).and_then(|c| c.pods.get(&key));
        let mut names: Vec<String> = known
            .map(|pod| pod.names.iter().map(|n| n.to_string()).collect())
            .unwrap_or_default();
        // What the watch does not tell, the lines do.
        let rings = self
            .asked
            .as_ref()
            .map(|a| a.rings(None))
            .unwrap_or_default();
        for (_, ring) in rings {
            for set in ring.blocks().flat_map(|(_, block)| block.sets()) {
                let name = set.get("container").unwrap_or_default();
                if !name.is_empty() && !names.iter().any(|n| n == name) {
                    names.push(name.to_owned());
                }
            }
        }
        let at = shown
            .container
            .as_ref()
            .and_then(|c| names.iter().position(|n| n == c));
        let at = at.map_or(0, |at| at as isize + 1);
        let next = (at + by).rem_euclid(names.len() as isize + 1);
        let next = usize::try_from(next).ok()?.checked_sub(1)?;
        names.get(next).cloned()
    }
}
