//! Network functions that run as pods: which ones there are, by the names people give them.

use super::object::Pod;

/// What a pod is in a mobile network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CnfKind {
    /// Distributed unit: needs clock, fronthaul and exclusive processors.
    Vdu,
    /// Centralised unit.
    Vcu,
    /// User plane function.
    Upf,
    /// Access and mobility, session, repository.
    Amf,
    Smf,
    Nrf,
}

impl CnfKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Vdu => "vDU",
            Self::Vcu => "vCU",
            Self::Upf => "UPF",
            Self::Amf => "AMF",
            Self::Smf => "SMF",
            Self::Nrf => "NRF",
        }
    }

    /// Whether it has deadlines of microseconds, which a lost clock breaks.
    pub fn is_timed(self) -> bool {
        self == Self::Vdu
    }

    /// By name and namespace; `None`: no network function.
    pub fn of(pod: &Pod) -> Option<Self> {
        let (name, namespace) = (pod.name.to_lowercase(), pod.namespace.to_lowercase());
        let begins = |prefix: &str| name.starts_with(prefix) || namespace.starts_with(prefix);
        let word = |wanted: &str| words(&name).chain(words(&namespace)).any(|w| w == wanted);
        // The words of the core first: `5g-upf` in the namespace `du-lab` is no distributed unit.
        for (wanted, kind) in [
            ("upf", Self::Upf),
            ("amf", Self::Amf),
            ("smf", Self::Smf),
            ("nrf", Self::Nrf),
        ] {
            if word(wanted) {
                return Some(kind);
            }
        }
        let own = |wanted: &str| words(&name).any(|w| w == wanted);
        if name.contains("vdu") || begins("du-") || own("du") {
            return Some(Self::Vdu);
        }
        (name.contains("vcu") || begins("cu-") || own("cu")).then_some(Self::Vcu)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, name: &str) -> Pod {
        Pod {
            namespace: namespace.into(),
            name: name.into(),
            ..Pod::default()
        }
    }

    #[test]
    fn functions_are_known_by_their_names() {
        for (namespace, name, wanted) in [
            ("ran-du", "vdu-l1-0", Some(CnfKind::Vdu)),
            ("du-lyon", "high-phy-0", Some(CnfKind::Vdu)),
            ("ran", "cu-up-1", Some(CnfKind::Vcu)),
            ("core", "acme-vcu-cp-0", Some(CnfKind::Vcu)),
            ("core5g", "upf-0", Some(CnfKind::Upf)),
            ("amf", "main-7f", Some(CnfKind::Amf)),
            ("du-lab", "5g-smf-1", Some(CnfKind::Smf)),
            ("core", "nrf-6d5-x", Some(CnfKind::Nrf)),
            ("ran", "amarisoft-du-7c", Some(CnfKind::Vdu)),
            ("ran", "acme-cu-0", Some(CnfKind::Vcu)),
            ("shop", "cupcake-0", None),
            ("shop", "duck-0", None),
            ("kube-system", "coredns-1", None),
        ] {
            assert_eq!(
                CnfKind::of(&pod(namespace, name)),
                wanted,
                "{namespace}/{name}"
            );
        }
    }
}
