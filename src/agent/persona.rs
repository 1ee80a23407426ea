//! Which tools a persona is offered: those it names and that some cluster has something for.

use std::sync::Arc;

use super::tools::{self, Needs};
use crate::model::chat::Setting;
use crate::model::cnf::CnfKind;
use crate::model::health::SourceKind;
use crate::model::limits::RunLimits;
use crate::model::persona::Persona;
use crate::state::world::{ClusterState, World};

/// The one to begin with.
pub fn first(all: &[Arc<Persona>]) -> Arc<Persona> {
    let none = || Persona {
        id: "default".into(),
        about: "general operations".into(),
        method: String::new(),
        tools: tools::all().iter().map(|t| t.name.to_owned()).collect(),
    };
    all.first().cloned().unwrap_or_else(|| Arc::new(none()))
}

/// Where and with what a run works now.
pub fn setting(world: &World, persona: &Arc<Persona>, limits: RunLimits) -> Setting {
    Setting {
        clusters: world.clusters.iter().map(|c| c.name.to_string()).collect(),
        tools: offered(world, persona),
        persona: Arc::clone(persona),
        limits,
    }
}

/// Names of the offered tools that read, in the order of the table.
pub fn offered(world: &World, persona: &Persona) -> Vec<&'static str> {
    let named = tools::all().iter();
    // Whoever reads shortened results may open them.
    let of_run = |tool: &&tools::Tool| tool.needs == Needs::Results;
    let named =
        named.filter(|tool| of_run(tool) || persona.tools.iter().any(|name| name == tool.name));
    named
        .filter(|tool| {
            let always = tool.needs == Needs::Nothing || !tool.stands_alone();
            let always = always && !tool.proposes();
            always || world.clusters.iter().any(|c| has(c, tool.needs))
        })
        .map(|tool| tool.name)
        .collect()
}

/// Names of tools that a persona asks for and that do not exist.
pub fn unknown(persona: &Persona) -> Vec<&str> {
    let names = persona.tools.iter().map(String::as_str);
    names.filter(|name| !tools::is_known(name)).collect()
}

fn has(c: &ClusterState, needs: Needs) -> bool {
    let source = |kind| c.sources.contains_key(&kind);
    match needs {
        Needs::Nothing => true,
        Needs::Kubernetes => source(SourceKind::Kubernetes) || !c.pods.is_empty(),
        Needs::Loki => source(SourceKind::Loki),
        Needs::Tempo => source(SourceKind::Tempo),
        Needs::Gpus => !c.gpus.is_empty(),
        Needs::Serving => !c.serving.is_empty() || !c.inference.is_empty(),
        Needs::Ptp => !c.ptp.is_empty() || !c.ptp_configs.is_empty(),
        Needs::Sriov => !c.sriov.is_empty(),
        Needs::Dpdk => !c.dpdk.apps.is_empty(),
        Needs::Functions => c.pods.values().any(|pod| CnfKind::of(pod).is_some()),
        Needs::GitOps => !c.apps.is_empty(),
        Needs::Bus => source(SourceKind::Nats),
        Needs::Results | Needs::Console => true,
        // The world does not know who may act: `State::proposals` does.
        Needs::Operator => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_shipped_name_tools_that_exist() {
        for persona in crate::config::persona::built_in() {
            assert_eq!(unknown(&persona), Vec::<&str>::new(), "{}", persona.id);
        }
    }

    #[test]
    fn what_no_cluster_has_is_not_offered() {
        let all = crate::config::persona::built_in();
        let gpu = all.iter().find(|p| p.id == "gpu-expert").expect("shipped");
        let offered = offered(&World::default(), gpu);
        assert!(offered.contains(&"query_metrics"), "{offered:?}");
        assert!(!offered.contains(&"get_gpu_summary"), "{offered:?}");
    }
}
