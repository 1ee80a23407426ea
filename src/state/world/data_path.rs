//! What the DPDK application of a pod says of its data path.

use std::sync::Arc;

use crate::model::dpdk::{App, LOSSES};
use crate::model::object::Pod;
use crate::model::sample::Sample;
use crate::model::signal::Group;
use crate::model::time::Timestamp;
use crate::model::unit::{Unit, age};

use super::ClusterState;
use super::timing::{Need, Timing};

/// Packets a second that a port may lose.
const LOST: f64 = 1.0;

impl ClusterState {
    /// The node an application runs on: as its series say, else where its pod is.
    pub fn node_of_app<'a>(&'a self, app: &'a App) -> Option<&'a Arc<str>> {
        let pod = app.pod.as_ref().and_then(|place| self.pods.get(place));
        app.node.as_ref().or(pod.and_then(|p| p.node.as_ref()))
    }

    /// `None`: nothing tells of DPDK in this pod.
    pub(super) fn data_path(&self, pod: &Pod, now: Timestamp) -> Option<Need> {
        let app = self.dpdk.in_pod(&pod.namespace, &pod.name)?;
        let current_ms = self.current_ms(Group::Sriov);
        let fresh = |s: &Sample| now.age_since_ms(s.at) <= current_ms;
        let need = |timing, text| Need {
            what: "DPDK",
            timing,
            text,
        };
        let told: Vec<_> = app
            .ports
            .iter()
            .filter_map(|port| Some((port, port.lost()?)))
            .collect();
        let Some(oldest) = told.iter().map(|(_, lost)| lost.at).min() else {
            let text = format!("{}; losses are not told", ports(app.ports.len()));
            return Some(need(Timing::Unknown, text));
        };
        let losing = told.iter().filter(|(_, s)| fresh(s) && s.value >= LOST);
        if let Some((port, lost)) = losing.max_by(|a, b| a.1.value.total_cmp(&b.1.value)) {
            let why = port
                .reason()
                .map_or(String::new(), |(_, why)| format!(": {why}"));
            let rate = Unit::PerSecond.write(lost.value);
            let text = format!("{} loses {rate}{why}", port.name);
            return Some(need(Timing::NotMet, text));
        }
        if now.age_since_ms(oldest) > current_ms {
            let age = age(now.age_since_ms(oldest));
            return Some(need(Timing::Unknown, format!("as told {age} ago")));
        }
        if told.len() < app.ports.len() {
            let text = format!(
                "losses of {} of {} are told",
                told.len(),
                ports(app.ports.len())
            );
            return Some(need(Timing::Unknown, text));
        }
        let mut words = vec![ports(app.ports.len())];
        let lost: f64 = told.iter().map(|(_, lost)| lost.value).sum();
        words.push(match lost > 0.0 {
            true => format!("{} lost", Unit::PerSecond.write(lost)),
            false if told.iter().all(|(port, _)| whole(port)) => "nothing lost".into(),
            false => "nothing lost of what is told".into(),
        });
        if let Some((core, busy)) = app.busiest().filter(|(_, s)| fresh(s)) {
            words.push(format!(
                "core {core} {} busy",
                Unit::Ratio.write(busy.value)
            ));
        }
        Some(need(Timing::Met, words.join(", ")))
    }
}

/// All reasons for losses are told.
fn whole(port: &crate::model::dpdk::Port) -> bool {
    LOSSES
        .iter()
        .all(|(measure, ..)| port.of(*measure).is_some())
}

fn ports(count: usize) -> String {
    match count {
        1 => "1 port".into(),
        n => format!("{n} ports"),
    }
}

#[cfg(test)]
mod tests;
