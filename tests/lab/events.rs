//! Kubernetes Events of the lab: what the components of the clusters say of the story.

use serde_json::{Value, json};

use super::common::Site;
use super::objects::time;
use super::story::{BAD_DU, BAD_NODE, LOST_POD, NEW_POD, Story};

struct Happening {
    at: fn(&Story) -> f64,
    /// Namespace, kind and name of the object.
    about: (&'static str, &'static str, &'static str),
    warning: bool,
    reason: &'static str,
    message: &'static str,
    by: &'static str,
}

const SRIOV: &str = "openshift-sriov-network-operator";

const GPU: [Happening; 10] = [
    Happening {
        at: |s| s.fault - 3_100.0,
        about: ("ml-train", "Pod", "llm-pretrain-worker-0"),
        warning: false,
        reason: "Pulled",
        message: "Container image \"registry.example/pytorch:1\" already present on machine",
        by: "kubelet",
    },
    Happening {
        at: |s| s.fault + 4.0,
        about: ("default", "Node", BAD_NODE),
        warning: true,
        reason: "GPUXidError",
        message: "GPU 3 (PCI 0000:28:00.0) reported XID 94: Contained ECC error",
        by: "node-problem-detector",
    },
    Happening {
        at: |s| s.fault + 95.0,
        about: ("inference", "Pod", LOST_POD),
        warning: true,
        reason: "Unhealthy",
        message: "Readiness probe failed: Get \"http://10.128.5.31:8000/health\": context deadline exceeded",
        by: "kubelet",
    },
    Happening {
        at: |s| s.fault + 180.0,
        about: ("inference", "HorizontalPodAutoscaler", "vllm-llama-70b"),
        warning: false,
        reason: "SuccessfulRescale",
        message: "New size: 2; reason: pods metric vllm_num_requests_waiting above target, capped by quota",
        by: "horizontal-pod-autoscaler",
    },
    Happening {
        at: |s| s.gpu_lost(),
        about: ("default", "Node", BAD_NODE),
        warning: true,
        reason: "GPUXidError",
        message: "GPU 3 (PCI 0000:28:00.0) reported XID 79: GPU has fallen off the bus",
        by: "node-problem-detector",
    },
    Happening {
        at: |s| s.gpu_lost() + 2.0,
        about: ("inference", "Pod", LOST_POD),
        warning: true,
        reason: "BackOff",
        message: "Container vllm exited with code 1",
        by: "kubelet",
    },
    Happening {
        at: |s| s.gpu_lost() + 3.0,
        about: ("inference", "ReplicaSet", "vllm-llama-70b-7c9d8f6b5d"),
        warning: false,
        reason: "SuccessfulCreate",
        message: "Created pod: vllm-llama-70b-7c9d8f6b5d-q8r4t",
        by: "replicaset-controller",
    },
    Happening {
        at: |s| s.gpu_lost() + 4.0,
        about: ("inference", "Pod", NEW_POD),
        warning: true,
        reason: "FailedScheduling",
        message: "0/3 nodes are available: 1 node(s) had untolerated taint {nvidia.com/reserved: batch}, 2 Insufficient nvidia.com/gpu",
        by: "default-scheduler",
    },
    Happening {
        at: |s| s.gpu_lost() + 60.0,
        about: ("inference", "Pod", NEW_POD),
        warning: false,
        reason: "Scheduled",
        message: "Successfully assigned inference/vllm-llama-70b-7c9d8f6b5d-q8r4t to gpu-a-03",
        by: "default-scheduler",
    },
    Happening {
        at: |s| s.replacement_serves(),
        about: ("inference", "Pod", NEW_POD),
        warning: false,
        reason: "Started",
        message: "Started container vllm",
        by: "kubelet",
    },
];

const RAN: [Happening; 8] = [
    Happening {
        at: |s| s.fault - 2_000.0,
        about: ("ran-du", "Pod", "vdu-l2-0"),
        warning: false,
        reason: "Pulled",
        message: "Container image \"registry.example/l2:1\" already present on machine",
        by: "kubelet",
    },
    Happening {
        at: |s| s.ptp_lost() + 2.0,
        about: ("openshift-ptp", "Node", BAD_DU),
        warning: true,
        reason: "PtpHoldover",
        message: "ens4fx: LOCKED -> HOLDOVER, clock class 135",
        by: "linuxptp-daemon",
    },
    Happening {
        at: |s| s.sriov_failed(),
        about: (SRIOV, "SriovNetworkNodeState", BAD_DU),
        warning: true,
        reason: "SyncFailed",
        message: "cannot allocate 16 VFs on 0000:3b:00.0: device or resource busy",
        by: "sriov-network-config-daemon",
    },
    Happening {
        at: |s| s.ptp_free(),
        about: ("openshift-ptp", "Node", BAD_DU),
        warning: true,
        reason: "PtpFreerun",
        message: "ens4fx: HOLDOVER -> FREERUN, clock class 165",
        by: "linuxptp-daemon",
    },
    Happening {
        at: |s| s.ptp_free() + 61.0,
        about: ("ran-du", "Pod", "vdu-l1-1"),
        warning: true,
        reason: "Unhealthy",
        message: "Liveness probe failed: no valid time of day",
        by: "kubelet",
    },
    Happening {
        at: |s| s.ptp_free() + 75.0,
        about: ("ran-du", "Pod", "vdu-l1-1"),
        warning: true,
        reason: "BackOff",
        message: "Back-off restarting failed container l1 in pod vdu-l1-1",
        by: "kubelet",
    },
    Happening {
        at: |s| s.ptp_back() + 1.0,
        about: ("openshift-ptp", "Node", BAD_DU),
        warning: false,
        reason: "PtpLocked",
        message: "ens4fx: FREERUN -> LOCKED, clock class 6",
        by: "linuxptp-daemon",
    },
    Happening {
        at: |s| s.sriov_back(),
        about: (SRIOV, "SriovNetworkNodeState", BAD_DU),
        warning: false,
        reason: "SyncSucceeded",
        message: "node state is in sync",
        by: "sriov-network-config-daemon",
    },
];

/// All events with their times.
pub fn events(site: Site, story: &Story) -> Vec<(f64, Value)> {
    let table: &[Happening] = match site {
        Site::Gpu => &GPU,
        Site::Ran => &RAN,
    };
    table
        .iter()
        .enumerate()
        .map(|(i, h)| {
            let at = (h.at)(story);
            let (namespace, kind, name) = h.about;
            let sort = if h.warning { "Warning" } else { "Normal" };
            let event = json!({"apiVersion": "v1", "kind": "Event",
                "metadata": {"name": format!("{name}.{i:x}"), "namespace": namespace, "uid": format!("uid-event-{i}"), "creationTimestamp": time(at)},
                "involvedObject": {"kind": kind, "name": name, "namespace": namespace},
                "reason": h.reason, "message": h.message, "type": sort, "count": 1,
                "firstTimestamp": time(at), "lastTimestamp": time(at), "eventTime": null,
                "source": {"component": h.by}, "reportingComponent": h.by, "reportingInstance": ""});
            (at, event)
        })
        .collect()
}
