//! All tools there are.

use super::args::act::{PROPOSE_GITOPS, PROPOSE_SILENCE, ProposeGitOps, ProposeSilence};
use super::args::asked::{
    DetectAnomalies, ErrorLogs, GetTrace, MetricLabels, MetricTrends, READ_RESULT, ReadResult,
    SearchTraces,
};
use super::args::look::{
    CnfWorkloads, CompareClusters, Nothing, OfNamespace, OneCluster, PodIssues, ReportArgs,
    RootCause, SimilarIncidents, TopConsumers, Topology,
};
use super::args::runbook::{FindRunbook, ReadRunbook};
use super::args::{
    Alerts, Changes, Clusters, Dpdk, Events, GitOps, Incidents, ListClusters, NatsStreams,
    PodLogsArgs, QueryLogs, QueryMetrics, TimeNow,
};
use super::{Needs, Tool};

pub(super) fn tools() -> Vec<Tool> {
    let parts = [clusters(), trouble(), asked(), devices(), proposals()];
    parts.into_iter().flatten().collect()
}

fn clusters() -> Vec<Tool> {
    vec![
        Tool::of::<ListClusters>(
            "list_clusters",
            "Clusters with status, sources, nodes, alerts and open incidents. Start here.",
        ),
        Tool::of::<Nothing>(
            "get_fleet_summary",
            "The fleet in counts, and each cluster that is not well.",
        ),
        Tool::of::<OneCluster>(
            "get_cluster_status",
            "Status of one cluster: sources, alerts, open incidents.",
        ),
        Tool::of::<OneCluster>(
            "get_cluster_details",
            "Version, nodes, room and contents of one cluster.",
        ),
        Tool::of::<OneCluster>(
            "get_cluster_health",
            "What is not well in one cluster, and what cannot be seen there.",
        ),
        Tool::of::<CompareClusters>("compare_clusters", "Two clusters side by side."),
        Tool::of::<OfNamespace>(
            "get_resource_usage",
            "Room, requests and use of a cluster, or of the pods of a namespace.",
        ),
        Tool::of::<TopConsumers>(
            "get_top_consumers",
            "Pods that use the most processor or memory, GPUs that are used most.",
        ),
        Tool::of::<Topology>(
            "get_topology",
            "What an object belongs to, and what belongs to it.",
        )
        .needing(Needs::Kubernetes),
        Tool::of::<TimeNow>("time_now", "The time now (UTC), as the console counts it."),
    ]
}

fn trouble() -> Vec<Tool> {
    vec![
        Tool::of::<Alerts>("list_alerts", "Alerts of clusters, worst and newest first."),
        Tool::of::<Incidents>(
            "list_incidents",
            "Incidents the console found: severity, since when, findings in numbers.",
        ),
        Tool::of::<RootCause>(
            "analyze_root_cause",
            "Causes of a cluster's incidents as the console ranks them, with evidence for and against.",
        ),
        Tool::of::<SimilarIncidents>(
            "find_similar_incidents",
            "Ended incidents like this one, and what was noted of them.",
        )
        .needing(Needs::Console),
        Tool::of::<Nothing>("describe_view", "What the operator has on the screen now, in words.")
            .needing(Needs::Console),
        Tool::of::<ReportArgs>(
            "generate_report",
            "A report in Markdown: summary, detailed, incident or capacity.",
        ),
        Tool::of::<FindRunbook>(
            "find_runbook",
            "Runbooks that fit an incident, or that say some words.",
        ),
        Tool::of::<ReadRunbook>("read_runbook", "The steps of one runbook."),
        Tool::of::<Changes>(
            "get_changes",
            "What was changed, newest first: rollouts, syncs, scaling, nodes, config, upgrades.",
        ),
        Tool::of::<Events>("get_events", "Kubernetes events, newest first.")
            .needing(Needs::Kubernetes),
        Tool::of::<PodIssues>(
            "get_pod_issues",
            "Pods in trouble: reason, since when, restarts, what to look at first.",
        )
        .needing(Needs::Kubernetes),
        Tool::of::<GitOps>(
            "get_gitops_status",
            "Argo CD and Flux applications: sync, health, revision, last operation; bad ones in full.",
        )
        .needing(Needs::GitOps),
        Tool::of::<NatsStreams>(
            "get_nats_streams",
            "Streams and consumers of the message bus: messages, lag, redeliveries, leader and copies; those in trouble first.",
        )
        .needing(Needs::Bus),
    ]
}

fn asked() -> Vec<Tool> {
    vec![
        Tool::of::<QueryMetrics>(
            "query_metrics",
            "Run PromQL on clusters. With start or step: a range; else the value now. Results are digested: last, min, max, mean, step change, some points.",
        )
        .asking(),
        Tool::of::<MetricLabels>("get_metric_labels", "Values of a label, or names of metrics.")
            .asking(),
        Tool::of::<MetricTrends>(
            "get_metric_trends",
            "How a query went over a period: extremes, mean, step change, points.",
        )
        .asking(),
        Tool::of::<DetectAnomalies>(
            "detect_anomalies",
            "Judge the series of a query with the console's engine: when each left what was usual.",
        )
        .asking(),
        Tool::of::<ReadResult>(
            READ_RESULT,
            "More of a result [n] than its digest: its rows in full, or those that hold some words.",
        )
        .needing(Needs::Results),
        Tool::of::<QueryLogs>(
            "query_logs",
            "Run LogQL (a log query with a selector such as {namespace=\"x\"} |= \"error\") on clusters. Results: counts by level, origin and pattern, and sample lines.",
        )
        .asking()
        .needing(Needs::Loki),
        Tool::of::<ErrorLogs>(
            "search_error_logs",
            "Lines that tell of errors, of a namespace or the pods of a service, as patterns with counts.",
        )
        .asking()
        .needing(Needs::Loki),
        Tool::of::<PodLogsArgs>(
            "get_pod_logs",
            "Log of one pod from the API server, where query_logs has no Loki.",
        )
        .asking()
        .needing(Needs::Kubernetes),
        Tool::of::<SearchTraces>(
            "search_traces",
            "Traces of a service or operation, failed and longest first.",
        )
        .asking()
        .needing(Needs::Tempo),
        Tool::of::<GetTrace>(
            "get_trace",
            "One trace: shares of the critical path, and what failed deepest.",
        )
        .asking()
        .needing(Needs::Tempo),
    ]
}

fn devices() -> Vec<Tool> {
    vec![
        Tool::of::<Clusters>(
            "get_gpu_summary",
            "GPUs: use, memory, temperature, power, throttling, XID errors, and served models.",
        )
        .needing(Needs::Gpus),
        Tool::of::<Clusters>("get_gpu_nodes", "Nodes with GPUs, each in one line.")
            .needing(Needs::Gpus),
        Tool::of::<Clusters>(
            "get_gpu_processes",
            "Processes on the GPUs, where they are told.",
        )
        .needing(Needs::Gpus),
        Tool::of::<OfNamespace>(
            "get_gpu_workloads",
            "Pods that ask for GPUs: which they hold, how used, what stands idle.",
        )
        .needing(Needs::Gpus),
        Tool::of::<Clusters>(
            "get_vllm_stats",
            "Model servers: queue, KV cache, latency, what holds them back, on which GPUs.",
        )
        .needing(Needs::Serving),
        Tool::of::<Clusters>(
            "get_ptp_status",
            "PTP clocks: state, offset, clock class, GNSS, per node and interface.",
        )
        .needing(Needs::Ptp),
        Tool::of::<Clusters>(
            "get_sriov_status",
            "SR-IOV: sync state, physical functions, configured and possible VFs.",
        )
        .needing(Needs::Sriov),
        Tool::of::<Dpdk>(
            "get_dpdk_stats",
            "DPDK ports of pods: packets, losses, memory, cores.",
        )
        .needing(Needs::Dpdk),
        Tool::of::<CnfWorkloads>(
            "get_cnf_workloads",
            "Network functions (vDU, UPF ...): whether each can meet its timing now, and why not.",
        )
        .needing(Needs::Functions),
    ]
}

/// The console's own actions, and no others.
fn proposals() -> Vec<Tool> {
    vec![
        Tool::of::<ProposeSilence>(PROPOSE_SILENCE, "Ask the operator to make a silence.")
            .needing(Needs::Operator),
        Tool::of::<ProposeGitOps>(
            PROPOSE_GITOPS,
            "Ask the operator to do this with an application.",
        )
        .needing(Needs::Operator),
    ]
}
