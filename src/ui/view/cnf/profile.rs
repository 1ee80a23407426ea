//! The PtpConfig profile that the operator gave a node.

use crate::model::id::ClusterId;
use crate::model::ptp::PtpProfile;
use crate::state::world::World;

/// The one that matches the node; of several the one that counts most (lower priority wins).
pub fn of<'a>(world: &'a World, cluster: ClusterId, node: &str) -> Option<&'a PtpProfile> {
    let configs = world.cluster(cluster)?.ptp_configs.values();
    let matching = configs.flat_map(|config| {
        let names = config.matches.iter().filter(|(n, _)| n == node);
        names.filter_map(|(_, name)| config.profiles.iter().find(|p| p.name == *name))
    });
    matching.min_by_key(|p| (p.priority.unwrap_or(i64::MAX), p.name.as_str()))
}
