//! The contexts of the kubeconfig as clusters.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{Context, Kubeconfig};
use tokio::sync::mpsc;

use super::{kubeconfig, way};
use crate::config::name::{fits, names};
use crate::config::{Cluster, Config, Contexts, Kube};
use crate::model::fault::{Fault, FaultKind};

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(10);
/// The cluster of a farwatch that runs in a pod and has neither configuration nor kubeconfig.
const OWN: &str = "in-cluster";

/// Adds a cluster for each context that the configuration wants and does not name itself. Asks
/// nobody. The error is a kubeconfig that cannot be read.
pub fn add(config: &mut Config) -> Result<(), Fault> {
    let Some(wanted) = config.contexts.clone() else {
        return Ok(());
    };
    let files = kubeconfig::files(&wanted.files);
    let called = kubeconfig::called(&files);
    let fault = |what: String| Fault {
        kind: FaultKind::Config,
        cluster: String::new(),
        endpoint: String::new(),
        what,
        hint: "`kubectl config get-contexts` reads the same files".into(),
    };
    if !files.iter().any(|f| f.exists()) {
        if !wanted.files.is_empty() {
            return Err(fault(format!("[kubeconfig]: there is no {called}")));
        }
        if config.clusters.is_empty() && way::is_in_pod() {
            config.clusters.push(in_pod());
        }
        return Ok(());
    }
    let kubeconfig = kubeconfig::read(&files).map_err(fault)?;
    let found = choose(&kubeconfig, &wanted, &named(&config.clusters, &kubeconfig));
    let taken: HashSet<String> = config.clusters.iter().map(|c| c.name.clone()).collect();
    let made = names(&found, &taken);
    for (context, name) in found.iter().zip(made) {
        config.clusters.push(Cluster {
            name,
            kube: Some(Kube {
                context: Some((*context).to_owned()),
                kubeconfig: files.clone(),
                ..Kube::default()
            }),
            discover: true,
            ..Cluster::default()
        });
    }
    Ok(())
}

fn in_pod() -> Cluster {
    Cluster {
        name: OWN.into(),
        kube: Some(Kube {
            in_cluster: true,
            ..Kube::default()
        }),
        discover: true,
        ..Cluster::default()
    }
}

/// Contexts that stand in the configuration file under a name of their own.
fn named<'a>(clusters: &'a [Cluster], kubeconfig: &'a Kubeconfig) -> HashSet<&'a str> {
    let contexts = clusters.iter().filter_map(|c| c.kube.as_ref());
    contexts
        .filter(|k| !k.in_cluster && k.server.is_none())
        .filter_map(|k| {
            k.context
                .as_deref()
                .or(kubeconfig.current_context.as_deref())
        })
        .collect()
}

/// In the order of the files. `oc project` leaves a context for each namespace: those that lead
/// the same user to the same server are one cluster.
fn choose<'a>(
    kubeconfig: &'a Kubeconfig,
    wanted: &Contexts,
    named: &HashSet<&str>,
) -> Vec<&'a str> {
    // The first of a name counts, as everywhere.
    let mut of: HashMap<&str, &Context> = HashMap::new();
    for named in &kubeconfig.contexts {
        if let Some(context) = &named.context {
            of.entry(&named.name).or_insert(context);
        }
    }
    let key = |context: &'a Context| (context.cluster.as_str(), context.user.as_deref());
    // Namespaces under which a cluster and a user stand already, and which place is theirs.
    let mut known: HashMap<_, Vec<(Option<&str>, Option<usize>)>> = HashMap::new();
    for context in named.iter().filter_map(|name| of.get(name)) {
        let seen = known.entry(key(context)).or_default();
        seen.push((context.namespace.as_deref(), None));
    }
    let any = |patterns: &[String], name: &str| patterns.iter().any(|p| fits(p, name));
    let current = kubeconfig.current_context.as_deref();
    let mut chosen: Vec<&str> = Vec::new();
    for context in &kubeconfig.contexts {
        let name = context.name.as_str();
        let asked_for = wanted.only.is_empty() || any(&wanted.only, name);
        if !asked_for || any(&wanted.except, name) || named.contains(name) {
            continue;
        }
        let Some(one) = of.get(name) else {
            chosen.push(name);
            continue;
        };
        let namespace = one.namespace.as_deref();
        let seen = known.entry(key(one)).or_default();
        match seen.iter_mut().find(|(other, _)| *other != namespace) {
            // One that the configuration names stays.
            Some((_, None)) => {}
            Some((other, Some(place))) if current == Some(name) => {
                *other = namespace;
                if let Some(former) = chosen.get_mut(*place) {
                    *former = name;
                }
            }
            Some(_) => {}
            None => {
                seen.push((namespace, Some(chosen.len())));
                chosen.push(name);
            }
        }
    }
    chosen
}

/// What became of the contexts since the start, to be told once.
#[derive(Debug)]
pub struct Watch {
    wanted: Contexts,
    files: Vec<PathBuf>,
    stamps: kubeconfig::Stamps,
    known: Vec<String>,
    own: Vec<String>,
}

impl Watch {
    /// `None`: the configuration does not ask for contexts.
    pub fn new(config: &Config) -> Option<Self> {
        let wanted = config.contexts.clone()?;
        let files = kubeconfig::files(&wanted.files);
        let stamps = kubeconfig::stamps(&files);
        let contexts = config.clusters.iter().filter_map(|c| c.kube.as_ref());
        let own: Vec<String> = contexts.filter_map(|k| k.context.clone()).collect();
        Some(Self {
            wanted,
            files,
            stamps,
            known: own.clone(),
            own,
        })
    }

    /// Tells until nobody listens.
    pub async fn follow(mut self, told: mpsc::Sender<String>) {
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = told.closed() => return,
                _ = look.tick() => {}
            }
            for text in self.news() {
                if told.send(text).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Sentences about contexts that came or went; looks at the files only.
    pub fn news(&mut self) -> Vec<String> {
        let stamps = kubeconfig::stamps(&self.files);
        if stamps == self.stamps {
            return Vec::new();
        }
        // A file half written is looked at again.
        let Ok(kubeconfig) = kubeconfig::read(&self.files) else {
            return Vec::new();
        };
        self.stamps = stamps;
        let own: HashSet<&str> = self.own.iter().map(String::as_str).collect();
        let mut now: Vec<String> = choose(&kubeconfig, &self.wanted, &own)
            .into_iter()
            .map(str::to_owned)
            .collect();
        now.extend(
            self.own
                .iter()
                .filter(|c| way::context(&kubeconfig, c).is_some())
                .cloned(),
        );
        let called = kubeconfig::called(&self.files);
        let clean = |name: &str| crate::model::text::clean(name, 100);
        let came = now.iter().filter(|c| !self.known.contains(c));
        let mut told: Vec<String> = came
            .map(|c| {
                format!(
                    "context {} is new in {called}: start farwatch again to watch it",
                    clean(c)
                )
            })
            .collect();
        let went = self.known.iter().filter(|c| !now.contains(c));
        told.extend(went.map(|c| format!("context {} is no longer in {called}", clean(c))));
        self.known = now;
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, cluster, user, namespace.
    fn kubeconfig(contexts: &[(&str, &str, &str, &str)], current: &str) -> Kubeconfig {
        let mut text = format!("current-context: {current}\ncontexts:\n");
        for (name, cluster, user, namespace) in contexts {
            text += &format!(
                "- {{name: {name}, context: {{cluster: {cluster}, user: {user}, namespace: {namespace}}}}}\n"
            );
        }
        Kubeconfig::from_yaml(&text).unwrap()
    }

    #[test]
    fn contexts_that_differ_in_the_namespace_are_one_cluster() {
        let own = [
            ("web", "prod", "jane", "web"),
            ("lab", "lab", "jane", "x"),
            ("db", "prod", "jane", "db"),
            ("root", "prod", "root", "db"),
            ("web2", "prod", "jane", "web"),
        ];
        let all = Contexts::default();
        let chosen = |current, named: &[&str]| {
            let named = named.iter().copied().collect();
            choose(&kubeconfig(&own, current), &all, &named).join(" ")
        };
        assert_eq!(chosen("lab", &[]), "web lab root web2");
        // The current one stands for them; one named in the configuration leaves none.
        assert_eq!(chosen("db", &[]), "db lab root");
        assert_eq!(chosen("db", &["web"]), "lab root web2");
    }

    #[test]
    fn thousands_of_contexts_are_no_trouble() {
        let names: Vec<String> = (0..5_000).map(|n| format!("c{n}")).collect();
        let own: Vec<_> = names
            .iter()
            .map(|n| (n.as_str(), n.as_str(), "jane", "x"))
            .collect();
        let kubeconfig = kubeconfig(&own, "c0");
        let (told, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let named = HashSet::from(["c7"]);
            told.send(choose(&kubeconfig, &Contexts::default(), &named).len())
        });
        let chosen = done.recv_timeout(Duration::from_secs(60));
        assert_eq!(chosen, Ok(4_999));
    }
}
