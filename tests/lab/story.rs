//! What happens in the lab, and when. Everything is told relative to the fault.
//!
//! gpu-train-1 (`f` = the fault):
//!   f-4m  GPU 3 of gpu-a-02 grows hot        f-1m  software thermal slowdown
//!   f     XID 94, hardware thermal slowdown: the pod that computes on it gets slow, its queue grows
//!   f+15m XID 79: the GPU falls off the bus, the pod dies, a new one waits for GPUs elsewhere
//!   f+19m the new pod serves, latency falls
//! edge-ran-07 (`p` = f+2m):
//!   p     du-07-02 loses its PTP master: HOLDOVER    p+1m  SR-IOV sync fails on it
//!   p+3m  FREERUN, the offset grows, the vDU loses frames    p+17m locked again, p+18m synced

/// Times in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// When history begins.
    pub start: f64,
    pub fault: f64,
}

pub const BAD_NODE: &str = "gpu-a-02";
pub const BAD_GPU: usize = 3;
pub const BAD_DU: &str = "du-07-02";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ptp {
    Locked,
    Holdover,
    Freerun,
}

impl Story {
    pub fn gpu_lost(&self) -> f64 {
        self.fault + 15.0 * 60.0
    }

    pub fn replacement_serves(&self) -> f64 {
        self.fault + 19.0 * 60.0
    }

    /// 0: well, 1: as slow as it gets.
    pub fn gpu_slow(&self, t: f64) -> f64 {
        if t < self.fault - 60.0 || t >= self.gpu_lost() {
            0.0
        } else if t < self.fault {
            0.25
        } else {
            0.25 + 0.75 * super::noise::ramp(t, self.fault, 90.0)
        }
    }

    /// How far the queue has grown, 0 to 1.
    pub fn queue(&self, t: f64) -> f64 {
        if t >= self.gpu_lost() {
            return 0.0;
        }
        super::noise::ramp(t, self.fault + 20.0, 240.0)
    }

    pub fn ptp_lost(&self) -> f64 {
        self.fault + 120.0
    }

    pub fn ptp_free(&self) -> f64 {
        self.ptp_lost() + 180.0
    }

    pub fn ptp_back(&self) -> f64 {
        self.ptp_lost() + 17.0 * 60.0
    }

    pub fn sriov_failed(&self) -> f64 {
        self.ptp_lost() + 60.0
    }

    pub fn sriov_back(&self) -> f64 {
        self.ptp_back() + 60.0
    }

    pub fn ptp(&self, node: &str, t: f64) -> Ptp {
        if node != BAD_DU || t < self.ptp_lost() || t >= self.ptp_back() {
            Ptp::Locked
        } else if t < self.ptp_free() {
            Ptp::Holdover
        } else {
            Ptp::Freerun
        }
    }

    pub fn sriov_is_failed(&self, t: f64) -> bool {
        t >= self.sriov_failed() && t < self.sriov_back()
    }

    /// The vDU cannot hold its cells without time.
    pub fn cells_down(&self, t: f64) -> bool {
        t >= self.ptp_free() + 60.0 && t < self.ptp_back() + 45.0
    }
}

/// A pod of the lab and when it is there.
#[derive(Clone, Debug)]
pub struct Pod {
    pub namespace: &'static str,
    pub name: &'static str,
    pub container: &'static str,
    pub node: &'static str,
    pub owner: (&'static str, &'static str),
    pub ip: &'static str,
    pub gpus: std::ops::Range<usize>,
    pub cpu: f64,
    pub memory_gib: f64,
    pub from: f64,
    pub until: f64,
    /// Running and ready from here on.
    pub ready_from: f64,
}

pub const LOST_POD: &str = "vllm-llama-70b-7c9d8f6b5d-k2x9p";
pub const NEW_POD: &str = "vllm-llama-70b-7c9d8f6b5d-q8r4t";
pub const OTHER_POD: &str = "vllm-llama-70b-7c9d8f6b5d-w5z7n";

/// Namespace, pod, container, node, owner, address, first GPU and number of GPUs.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    (&'static str, &'static str),
    &'static str,
    (usize, usize),
);

const LLAMA: (&str, &str) = ("ReplicaSet", "vllm-llama-70b-7c9d8f6b5d");
const OSS: (&str, &str) = ("ReplicaSet", "vllm-gpt-oss-20b-5f6b9c7d8");
const TRAIN: (&str, &str) = ("PyTorchJob", "llm-pretrain");
const GATEWAY: (&str, &str) = ("ReplicaSet", "gateway-6d5f7c9b48");
const DCGM: (&str, &str) = ("DaemonSet", "nvidia-dcgm-exporter");
const PROMETHEUS: (&str, &str) = ("StatefulSet", "prometheus-k8s");
const PTP: (&str, &str) = ("DaemonSet", "linuxptp-daemon");
const SRIOV: (&str, &str) = ("DaemonSet", "sriov-network-config-daemon");
const L1: (&str, &str) = ("StatefulSet", "vdu-l1");
const L2: (&str, &str) = ("StatefulSet", "vdu-l2");
const SRIOV_NAMESPACE: &str = "openshift-sriov-network-operator";
const EXPORTER: &str = "nvidia-dcgm-exporter";
const PTPD: &str = "linuxptp-daemon-container";
const CONFIG: &str = "sriov-network-config-daemon";

#[rustfmt::skip]
const GPU_PODS: [Row; 10] = [
    ("inference", LOST_POD, "vllm", "gpu-a-02", LLAMA, "10.128.5.31", (0, 4)),
    ("inference", NEW_POD, "vllm", "gpu-a-03", LLAMA, "10.128.6.44", (0, 4)),
    ("inference", OTHER_POD, "vllm", "gpu-a-02", LLAMA, "10.128.5.32", (4, 4)),
    ("inference", "vllm-gpt-oss-20b-5f6b9c7d8-b4v2m", "vllm", "gpu-a-03", OSS, "10.128.6.40", (4, 2)),
    ("ml-train", "llm-pretrain-worker-0", "pytorch", "gpu-a-01", TRAIN, "10.128.4.60", (0, 8)),
    ("inference", "gateway-6d5f7c9b48-t7k2w", "gateway", "gpu-a-03", GATEWAY, "10.128.6.41", (0, 0)),
    ("nvidia-gpu-operator", "nvidia-dcgm-exporter-x7k2p", EXPORTER, "gpu-a-01", DCGM, "10.128.4.11", (0, 0)),
    ("nvidia-gpu-operator", "nvidia-dcgm-exporter-m4c8d", EXPORTER, "gpu-a-02", DCGM, "10.128.5.11", (0, 0)),
    ("nvidia-gpu-operator", "nvidia-dcgm-exporter-r9t3h", EXPORTER, "gpu-a-03", DCGM, "10.128.6.11", (0, 0)),
    ("monitoring", "prometheus-k8s-0", "prometheus", "gpu-a-01", PROMETHEUS, "10.128.4.20", (0, 0)),
];

#[rustfmt::skip]
const RAN_PODS: [Row; 11] = [
    ("openshift-ptp", "linuxptp-daemon-7hx4q", PTPD, "du-07-01", PTP, "192.0.2.11", (0, 0)),
    ("openshift-ptp", "linuxptp-daemon-p2c9z", PTPD, "du-07-02", PTP, "192.0.2.12", (0, 0)),
    ("openshift-ptp", "linuxptp-daemon-v8k5w", PTPD, "du-07-03", PTP, "192.0.2.13", (0, 0)),
    (SRIOV_NAMESPACE, "sriov-network-config-daemon-4jm2b", CONFIG, "du-07-01", SRIOV, "192.0.2.11", (0, 0)),
    (SRIOV_NAMESPACE, "sriov-network-config-daemon-9xt6f", CONFIG, "du-07-02", SRIOV, "192.0.2.12", (0, 0)),
    (SRIOV_NAMESPACE, "sriov-network-config-daemon-k3d8s", CONFIG, "du-07-03", SRIOV, "192.0.2.13", (0, 0)),
    ("ran-du", "vdu-l1-0", "l1", "du-07-01", L1, "10.129.0.21", (0, 0)),
    ("ran-du", "vdu-l1-1", "l1", "du-07-02", L1, "10.129.1.21", (0, 0)),
    ("ran-du", "vdu-l1-2", "l1", "du-07-03", L1, "10.129.2.21", (0, 0)),
    ("ran-du", "vdu-l2-0", "l2", "du-07-03", L2, "10.129.2.22", (0, 0)),
    ("openshift-monitoring", "prometheus-k8s-0", "prometheus", "du-07-01", PROMETHEUS, "10.129.0.30", (0, 0)),
];

pub fn gpu_pods(story: &Story) -> Vec<Pod> {
    let mut pods: Vec<Pod> = GPU_PODS.iter().map(pod).collect();
    for pod in &mut pods {
        match pod.name {
            LOST_POD => pod.until = story.gpu_lost(),
            NEW_POD => {
                pod.from = story.gpu_lost();
                pod.ready_from = story.replacement_serves();
            }
            _ => {}
        }
    }
    pods
}

pub fn ran_pods() -> Vec<Pod> {
    RAN_PODS.iter().map(pod).collect()
}

fn pod(row: &Row) -> Pod {
    let (namespace, name, container, node, owner, ip, (first, count)) = *row;
    let (cpu, memory_gib) = match container {
        "vllm" if count == 2 => (3.0, 41.0),
        "vllm" => (6.0, 92.0),
        "pytorch" => (22.0, 310.0),
        "l1" => (18.0, 24.0),
        _ => (0.2, 0.4),
    };
    Pod {
        namespace,
        name,
        container,
        node,
        owner,
        ip,
        gpus: first..first + count,
        cpu,
        memory_gib,
        from: 0.0,
        until: f64::INFINITY,
        ready_from: 0.0,
    }
}

impl Pod {
    pub fn there(&self, t: f64) -> bool {
        t >= self.from && t < self.until
    }

    pub fn ready(&self, story: &Story, t: f64) -> bool {
        let starved = self.name == "vdu-l1-1" && story.cells_down(t);
        self.there(t) && t >= self.ready_from && !starved
    }

    /// Pending until its GPUs are found, a minute after it was made.
    pub fn pending(&self, t: f64) -> bool {
        self.ready_from > 0.0 && t < self.from + 60.0
    }
}

pub const GPU_NODES: [&str; 3] = ["gpu-a-01", "gpu-a-02", "gpu-a-03"];
pub const RAN_NODES: [&str; 3] = ["du-07-01", "du-07-02", "du-07-03"];

pub fn gpus_of(node: &str) -> usize {
    if node == "gpu-a-03" { 6 } else { 8 }
}
