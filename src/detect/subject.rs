//! What a series or an alert is about, told by its labels.

use crate::model::finding::Subject;
use crate::model::label::Labels;
use crate::model::sample::SeriesKey;
use crate::model::signal::Group;
use crate::model::{gpu, ptp, serving};

/// Subject of a series of a group. A directly scraped exporter is told by the metric's name.
pub fn subject_of(group: Group, key: &SeriesKey) -> Subject {
    let labels = &key.labels;
    let found = match group {
        Group::Gpu => gpu_of(labels),
        Group::Ptp => clock_of(labels),
        Group::Sriov => nic_of(labels),
        Group::Serving => model_of(labels),
        Group::Cluster | Group::Workload => None,
        Group::Exporter => by_name(&key.name, labels),
    };
    found.or_else(|| common(labels)).unwrap_or(Subject::Cluster)
}

/// Subject of an alert: the smallest thing that its labels name.
pub fn subject_of_alert(labels: &Labels) -> Subject {
    let ptp = labels.get("iface").and_then(|_| clock_of(labels));
    let gpu = labels
        .first_of(&["UUID", "gpu_uuid"])
        .and_then(|_| gpu_of(labels));
    let model = model_of(labels);
    gpu.or(ptp)
        .or(model)
        .or_else(|| common(labels))
        .unwrap_or(Subject::Cluster)
}

fn by_name(name: &str, labels: &Labels) -> Option<Subject> {
    if name.starts_with("DCGM_")
        || name.starts_with("gpu_")
        || name.starts_with("amd_gpu_")
        || name.starts_with("hw_")
    {
        gpu_of(labels)
    } else if name.starts_with("openshift_ptp_") {
        clock_of(labels)
    } else if name.starts_with("vllm:") {
        model_of(labels)
    } else if name.starts_with("sriov_") {
        nic_of(labels)
    } else {
        None
    }
}

fn gpu_of(labels: &Labels) -> Option<Subject> {
    let gpu = gpu::place_of(labels)?.into_owned();
    let node = gpu::node_of(labels).to_owned();
    Some(Subject::Gpu { node, gpu })
}

fn clock_of(labels: &Labels) -> Option<Subject> {
    let interface = labels.get("iface")?.to_owned();
    let node = ptp::node_of(labels).to_owned();
    Some(Subject::Clock { node, interface })
}

fn nic_of(labels: &Labels) -> Option<Subject> {
    let pf = labels.get("pf")?;
    let interface = match labels.get("vf") {
        Some(vf) => format!("{pf} vf {vf}"),
        None => pf.to_owned(),
    };
    let node = node_of(labels).unwrap_or_default();
    Some(Subject::Nic { node, interface })
}

fn model_of(labels: &Labels) -> Option<Subject> {
    let (namespace, model) = serving::subject_of(labels)?;
    Some(Subject::Model { namespace, model })
}

fn node_of(labels: &Labels) -> Option<String> {
    let node = labels.first_of(&["node", "Hostname", "hostname", "nodename", "instance"])?;
    Some(gpu::host_part(node).to_owned())
}

fn common(labels: &Labels) -> Option<Subject> {
    let namespace = labels.first_of(&["exported_namespace", "namespace"]);
    let pod = labels.first_of(&["exported_pod", "pod"]);
    let workload = labels.first_of(&["deployment", "statefulset", "daemonset", "job_name"]);
    let node = labels.first_of(&["node", "Hostname", "hostname", "nodename"]);
    let owned = |n: Option<&str>| n.unwrap_or("").to_owned();
    if let Some(name) = workload {
        let (namespace, name) = (owned(namespace), name.to_owned());
        return Some(Subject::Workload { namespace, name });
    }
    if let (Some(node), true) = (node, pod.is_none() || namespace.is_none()) {
        return Some(Subject::Node(gpu::host_part(node).to_owned()));
    }
    if let Some(pod) = pod {
        let (namespace, pod) = (owned(namespace), pod.to_owned());
        return Some(Subject::Pod { namespace, pod });
    }
    match (labels.get("job"), labels.get("instance"), namespace) {
        // A scrape target: named by job and address.
        (Some(job), Some(instance), None) => Some(Subject::Workload {
            namespace: job.to_owned(),
            name: instance.to_owned(),
        }),
        (None, Some(instance), None) => Some(Subject::Node(gpu::host_part(instance).to_owned())),
        (_, _, Some(namespace)) => Some(Subject::Namespace(namespace.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(group: Group, pairs: &[(&str, &str)]) -> String {
        let labels = Labels::from_pairs(pairs.iter().copied());
        subject_of(group, &SeriesKey::new("m", labels)).to_string()
    }

    #[test]
    fn names_the_smallest_thing() {
        let gpu = [
            ("Hostname", "n1"),
            ("gpu", "3"),
            ("pod", "p"),
            ("namespace", "x"),
        ];
        assert_eq!(of(Group::Gpu, &gpu), "n1 gpu 3");
        assert_eq!(
            of(Group::Ptp, &[("node", "n2"), ("iface", "ens1fx")]),
            "n2 clock ens1fx"
        );
        assert_eq!(
            of(Group::Serving, &[("namespace", "ml"), ("model_name", "q")]),
            "ml model q"
        );
        assert_eq!(
            of(Group::Workload, &[("namespace", "a"), ("pod", "b")]),
            "a/b"
        );
        assert_eq!(
            of(Group::Cluster, &[("instance", "10.0.0.7:9100")]),
            "node 10.0.0.7"
        );
        assert_eq!(of(Group::Cluster, &[]), "cluster");
        let alert = Labels::from_pairs([("alertname", "A"), ("node", "n1"), ("severity", "page")]);
        assert_eq!(subject_of_alert(&alert).to_string(), "node n1");
    }
}
