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

fn pod(
    namespace: &'static str,
    name: &'static str,
    container: &'static str,
    node: &'static str,
    owner: (&'static str, &'static str),
    ip: &'static str,
) -> Pod {
    Pod {
        namespace,
        name,
        container,
        node,
        owner,
        ip,
        gpus: 0..0,
        cpu: 0.2,
        memory_gib: 0.4,
        from: 0.0,
        until: f64::INFINITY,
        ready_from: 0.0,
    }
}

pub const LOST_POD: &str = "vllm-llama-70b-7c9d8f6b5d-k2x9p";
pub const NEW_POD: &str = "vllm-llama-70b-7c9d8f6b5d-q8r4t";
pub const OTHER_POD: &str = "vllm-llama-70b-7c9d8f6b5d-w5z7n";

pub fn gpu_pods(story: &Story) -> Vec<Pod> {
    let llama = ("ReplicaSet", "vllm-llama-70b-7c9d8f6b5d");
    let oss = ("ReplicaSet", "vllm-gpt-oss-20b-5f6b9c7d8");
    let heavy = |p: Pod, gpus, cpu, memory_gib| Pod {
        gpus,
        cpu,
        memory_gib,
        ..p
    };
    let ds = ("DaemonSet", "nvidia-dcgm-exporter");
    let train = ("PyTorchJob", "llm-pretrain");
    vec![
        heavy(
            pod(
                "inference",
                LOST_POD,
                "vllm",
                BAD_NODE,
                llama,
                "10.128.5.31",
            ),
            0..4,
            6.0,
            92.0,
        )
        .until(story.gpu_lost()),
        heavy(
            pod(
                "inference",
                NEW_POD,
                "vllm",
                "gpu-a-03",
                llama,
                "10.128.6.44",
            ),
            0..4,
            6.0,
            92.0,
        )
        .from(story.gpu_lost(), story.replacement_serves()),
        heavy(
            pod(
                "inference",
                OTHER_POD,
                "vllm",
                BAD_NODE,
                llama,
                "10.128.5.32",
            ),
            4..8,
            6.0,
            92.0,
        ),
        heavy(
            pod(
                "inference",
                "vllm-gpt-oss-20b-5f6b9c7d8-b4v2m",
                "vllm",
                "gpu-a-03",
                oss,
                "10.128.6.40",
            ),
            4..6,
            3.0,
            41.0,
        ),
        heavy(
            pod(
                "ml-train",
                "llm-pretrain-worker-0",
                "pytorch",
                "gpu-a-01",
                train,
                "10.128.4.60",
            ),
            0..8,
            22.0,
            310.0,
        ),
        pod(
            "inference",
            "gateway-6d5f7c9b48-t7k2w",
            "gateway",
            "gpu-a-03",
            ("ReplicaSet", "gateway-6d5f7c9b48"),
            "10.128.6.41",
        ),
        pod(
            "nvidia-gpu-operator",
            "nvidia-dcgm-exporter-x7k2p",
            "nvidia-dcgm-exporter",
            "gpu-a-01",
            ds,
            "10.128.4.11",
        ),
        pod(
            "nvidia-gpu-operator",
            "nvidia-dcgm-exporter-m4c8d",
            "nvidia-dcgm-exporter",
            "gpu-a-02",
            ds,
            "10.128.5.11",
        ),
        pod(
            "nvidia-gpu-operator",
            "nvidia-dcgm-exporter-r9t3h",
            "nvidia-dcgm-exporter",
            "gpu-a-03",
            ds,
            "10.128.6.11",
        ),
        pod(
            "monitoring",
            "prometheus-k8s-0",
            "prometheus",
            "gpu-a-01",
            ("StatefulSet", "prometheus-k8s"),
            "10.128.4.20",
        ),
    ]
}

pub fn ran_pods(_: &Story) -> Vec<Pod> {
    let ptp = ("DaemonSet", "linuxptp-daemon");
    let sriov = ("DaemonSet", "sriov-network-config-daemon");
    let ptpd = "linuxptp-daemon-container";
    let config = "sriov-network-config-daemon";
    let op = "openshift-sriov-network-operator";
    let du = |name, node, ip| {
        let p = pod("ran-du", name, "l1", node, ("StatefulSet", "vdu-l1"), ip);
        Pod {
            cpu: 18.0,
            memory_gib: 24.0,
            ..p
        }
    };
    vec![
        pod(
            "openshift-ptp",
            "linuxptp-daemon-7hx4q",
            ptpd,
            "du-07-01",
            ptp,
            "192.0.2.11",
        ),
        pod(
            "openshift-ptp",
            "linuxptp-daemon-p2c9z",
            ptpd,
            "du-07-02",
            ptp,
            "192.0.2.12",
        ),
        pod(
            "openshift-ptp",
            "linuxptp-daemon-v8k5w",
            ptpd,
            "du-07-03",
            ptp,
            "192.0.2.13",
        ),
        pod(
            op,
            "sriov-network-config-daemon-4jm2b",
            config,
            "du-07-01",
            sriov,
            "192.0.2.11",
        ),
        pod(
            op,
            "sriov-network-config-daemon-9xt6f",
            config,
            "du-07-02",
            sriov,
            "192.0.2.12",
        ),
        pod(
            op,
            "sriov-network-config-daemon-k3d8s",
            config,
            "du-07-03",
            sriov,
            "192.0.2.13",
        ),
        du("vdu-l1-0", "du-07-01", "10.129.0.21"),
        du("vdu-l1-1", "du-07-02", "10.129.1.21"),
        du("vdu-l1-2", "du-07-03", "10.129.2.21"),
        pod(
            "ran-du",
            "vdu-l2-0",
            "l2",
            "du-07-03",
            ("StatefulSet", "vdu-l2"),
            "10.129.2.22",
        ),
        pod(
            "openshift-monitoring",
            "prometheus-k8s-0",
            "prometheus",
            "du-07-01",
            ("StatefulSet", "prometheus-k8s"),
            "10.129.0.30",
        ),
    ]
}

impl Pod {
    fn until(mut self, t: f64) -> Self {
        self.until = t;
        self
    }

    fn from(mut self, t: f64, ready: f64) -> Self {
        self.from = t;
        self.ready_from = ready;
        self
    }

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
