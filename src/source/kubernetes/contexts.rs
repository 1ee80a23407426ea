//! The contexts of the kubeconfig as clusters.

use std::collections::HashSet;
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
    let any = |patterns: &[String], name: &str| patterns.iter().any(|p| fits(p, name));
    let current = kubeconfig.current_context.as_deref();
    let of = |name: &str| way::context(kubeconfig, name);
    let mut chosen: Vec<&str> = Vec::new();
    for context in &kubeconfig.contexts {
        let name = context.name.as_str();
        let asked_for = wanted.only.is_empty() || any(&wanted.only, name);
        if !asked_for || any(&wanted.except, name) || named.contains(name) {
            continue;
        }
        let twin = |other: &str| of(other).zip(of(name)).is_some_and(|(a, b)| is_twin(a, b));
        if named.iter().any(|other| twin(other)) {
            continue;
        }
        match chosen.iter_mut().find(|other| twin(other)) {
            Some(other) if current == Some(name) => *other = name,
            Some(_) => {}
            None => chosen.push(name),
        }
    }
    chosen
}

/// The same but for the namespace.
fn is_twin(a: &Context, b: &Context) -> bool {
    a.cluster == b.cluster && a.user == b.user && a.namespace != b.namespace
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
