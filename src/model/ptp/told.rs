//! What cloud-event-proxy tells of a node's clocks: the current state of each of its resources, as
//! JSON in the manner of O-RAN's notifications. Words are kept as they come: each release adds some.

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// The state of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockTold {
    /// `/cluster/node/NAME/sync/ptp-status/lock-state`
    pub resource: String,
    /// `event.sync.ptp-status.ptp-state-change`; empty: not told.
    pub event: String,
    /// As the proxy dates it; `None`: it does not.
    pub at: Option<Timestamp>,
    pub values: Vec<ValueTold>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueTold {
    /// `/cluster/node/NAME/ens1f0/master`: what the value is of.
    pub address: String,
    /// `metric`; else a `notification`: the state itself.
    pub measured: bool,
    /// `LOCKED`, `-62`, `165`, as it came.
    pub value: String,
}

impl ClockTold {
    /// The node that its resource names; empty: it names none.
    pub fn node(&self) -> &str {
        node_of(&self.resource)
    }

    /// The last part of its resource: `lock-state`, `clock-class`.
    pub fn name(&self) -> &str {
        self.resource.rsplit('/').next().unwrap_or("")
    }

    /// Its states, each with what it is of: what makes another event when it changes. A resource
    /// that tells measures only (a clock class) has these for its state.
    pub fn states(&self) -> impl Iterator<Item = &ValueTold> {
        let only = self.values.iter().all(|v| v.measured);
        self.values.iter().filter(move |v| only || !v.measured)
    }

    /// `LOCKED`, or `LOCKED (ens1f0/master), FREERUN (CLOCK_REALTIME)`, with what was measured.
    pub fn words(&self) -> String {
        let states: Vec<&ValueTold> = self.states().collect();
        let each = states.iter().map(|state| {
            let place = place_of(&state.address, &self.resource);
            let measured = self.values.iter();
            let mut measured =
                measured.filter(|m| m.measured && !state.measured && m.address == state.address);
            let measured = measured.next().map(|m| m.value.as_str());
            match (place, measured) {
                ("", None) => state.value.clone(),
                (place, None) => format!("{} ({place})", state.value),
                ("", Some(measured)) => format!("{} ({measured} ns)", state.value),
                (place, Some(measured)) => format!("{} ({place}, {measured} ns)", state.value),
            }
        });
        each.collect::<Vec<_>>().join(", ")
    }

    /// The states are the same ones.
    pub fn is_as(&self, other: &Self) -> bool {
        let own = self.states().map(|v| (&v.address, &v.value));
        own.eq(other.states().map(|v| (&v.address, &v.value)))
    }
}

fn node_of(resource: &str) -> &str {
    let after = resource.split_once("/node/").map_or("", |(_, rest)| rest);
    after.split('/').next().unwrap_or("")
}

/// What a value is of, without the node; empty: the resource itself.
fn place_of<'a>(address: &'a str, resource: &str) -> &'a str {
    if address == resource {
        return "";
    }
    let node = node_of(address);
    let rest = address
        .split_once("/node/")
        .map_or(address, |(_, rest)| rest);
    rest.strip_prefix(node).unwrap_or(rest).trim_matches('/')
}
