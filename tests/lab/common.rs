//! What every cluster exposes: node_exporter, kube-state-metrics, cAdvisor, API server, operators.

use super::noise::{around, hash, unit};
use super::series::{Kind, Page, Target};
use super::story::{
    BAD_DU, GPU_NODES, LOST_POD, NEW_POD, Pod, RAN_NODES, Story, gpu_pods, gpus_of, ran_pods,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Gpu,
    Ran,
}

impl Site {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu-train-1",
            Self::Ran => "edge-ran-07",
        }
    }

    pub fn nodes(self) -> [&'static str; 3] {
        match self {
            Self::Gpu => GPU_NODES,
            Self::Ran => RAN_NODES,
        }
    }

    pub fn pods(self, story: &Story) -> Vec<Pod> {
        match self {
            Self::Gpu => gpu_pods(story),
            Self::Ran => ran_pods(),
        }
    }

    /// Everything that is scraped at `t`.
    pub fn targets(self, story: &Story, t: f64) -> Vec<Target> {
        let mut out = match self {
            Self::Gpu => super::gpu::targets(story, t),
            Self::Ran => super::ran::targets(t),
        };
        let plain = |job, instance: &str, honor, path: &str, kind| Target {
            job,
            instance: instance.to_owned(),
            labels: Vec::new(),
            honor,
            path: path.to_owned(),
            kind,
        };
        for node in self.nodes() {
            out.push(plain(
                "node-exporter",
                node,
                false,
                &format!("/node/{node}"),
                Kind::Node(node),
            ));
        }
        out.push(plain(
            "kube-state-metrics",
            "10.128.4.15:8443",
            true,
            "/state",
            Kind::State,
        ));
        out.push(plain(
            "kubelet",
            "10.20.0.11:10250",
            true,
            "/cadvisor",
            Kind::Cadvisor,
        ));
        out.push(plain(
            "apiserver",
            "10.20.0.10:6443",
            false,
            "/api",
            Kind::Api,
        ));
        if self == Self::Ran {
            let place = "10.129.0.14:9099";
            out.push(plain(
                "cluster-version-operator",
                place,
                false,
                "/operators",
                Kind::Operators,
            ));
        }
        out
    }

    pub fn scrape(self, story: &Story, page: &mut Page, kind: &Kind) {
        match kind {
            Kind::Dcgm(node) => super::gpu::dcgm(story, page, node),
            Kind::Vllm(pod) => super::gpu::vllm(story, page, pod),
            Kind::Ptp(node) => super::ran::ptp(story, page, node),
            Kind::Sriov(node) => super::ran::sriov(story, page, node),
            Kind::Node(node) => self.node(story, page, node),
            Kind::State => self.state(story, page),
            Kind::Cadvisor => self.cadvisor(story, page),
            Kind::Api => api(page),
            Kind::Operators => operators(page),
        }
    }

    fn node(self, story: &Story, page: &mut Page, node: &str) {
        let t = page.t;
        let at =
            |what: &str, base, amplitude| around(&format!("{node}/{what}"), t, base, amplitude);
        let down = self == Self::Ran && node == BAD_DU && story.cells_down(t);
        let busy = at("cpu", if self == Self::Gpu { 0.34 } else { 0.52 }, 0.12)
            * if down { 0.6 } else { 1.0 };
        for cpu in 0..8 {
            let cpu_text = cpu.to_string();
            let share = (busy * (0.9 + 0.2 * unit(hash(node), cpu))).clamp(0.01, 0.99);
            for (mode, part) in [
                ("idle", 1.0 - share),
                ("user", share * 0.78),
                ("system", share * 0.19),
                ("iowait", share * 0.03),
            ] {
                page.seconds(
                    "node_cpu_seconds_total",
                    &[("cpu", &cpu_text), ("mode", mode)],
                    90_000.0,
                    part,
                );
            }
        }
        self.node_rest(story, page, node);
    }

    fn node_rest(self, story: &Story, page: &mut Page, node: &str) {
        let t = page.t;
        let at =
            |what: &str, base, amplitude| around(&format!("{node}/{what}"), t, base, amplitude);
        let total = if self == Self::Gpu { 2.16e12 } else { 2.7e11 };
        page.gauge("node_memory_MemTotal_bytes", &[], total);
        page.gauge(
            "node_memory_MemAvailable_bytes",
            &[],
            (total * (1.0 - at("mem", 0.41, 0.03))).round(),
        );
        page.gauge("node_load1", &[], at("load", 21.0, 0.2));
        page.gauge("node_memory_HugePages_Total", &[], 32.0);
        page.gauge(
            "node_memory_HugePages_Free",
            &[],
            if self == Self::Ran { 8.0 } else { 32.0 },
        );
        let disk = [
            ("device", "/dev/nvme0n1p4"),
            ("fstype", "xfs"),
            ("mountpoint", "/var"),
        ];
        page.gauge("node_filesystem_size_bytes", &disk, 9.6e11);
        page.gauge(
            "node_filesystem_avail_bytes",
            &disk,
            (9.6e11 * (0.55 - (t - story.start) * 1e-7)).round(),
        );
        page.seconds(
            "node_disk_io_time_seconds_total",
            &[("device", "nvme0n1")],
            4_000.0,
            at("disk", 0.07, 0.3),
        );
        for (device, base) in [("ens1f0", 2.4e9), ("ens1f1", 6.0e7)] {
            let l = [("device", device)];
            let bytes = at(device, base / 8.0, 0.2);
            page.counter("node_network_receive_bytes_total", &l, 5e12, bytes);
            page.counter("node_network_transmit_bytes_total", &l, 4e12, bytes * 0.8);
            for name in [
                "receive_drop",
                "receive_errs",
                "transmit_drop",
                "transmit_errs",
            ] {
                page.counter(&format!("node_network_{name}_total"), &l, 3.0, 0.0);
            }
            page.gauge("node_network_up", &l, 1.0);
        }
        let uname = [
            ("nodename", node),
            ("release", "5.14.0-570.49.1.el9_6.x86_64"),
            ("sysname", "Linux"),
        ];
        page.gauge("node_uname_info", &uname, 1.0);
    }

    fn state(self, story: &Story, page: &mut Page) {
        let t = page.t;
        for node in self.nodes() {
            page.gauge(
                "kube_node_info",
                &[("kubelet_version", "v1.33.4"), ("node", node)],
                1.0,
            );
            for (condition, good) in [
                ("Ready", "true"),
                ("MemoryPressure", "false"),
                ("DiskPressure", "false"),
            ] {
                for status in ["true", "false", "unknown"] {
                    let value = if status == good { 1.0 } else { 0.0 };
                    let l = [("condition", condition), ("node", node), ("status", status)];
                    page.gauge("kube_node_status_condition", &l, value);
                }
            }
            page.gauge("kube_node_spec_unschedulable", &[("node", node)], 0.0);
            let resources = allocatable(self, story, node, t);
            for (resource, value) in resources {
                let l = [("node", node), ("resource", resource), ("unit", "integer")];
                page.gauge("kube_node_status_allocatable", &l, value);
            }
        }
        let pods: Vec<Pod> = self
            .pods(story)
            .into_iter()
            .filter(|p| p.there(t))
            .collect();
        for pod in &pods {
            self.pod_state(story, page, pod);
        }
        if self == Self::Gpu {
            let l = [("deployment", "vllm-llama-70b"), ("namespace", "inference")];
            let ready = pods
                .iter()
                .filter(|p| p.name.contains("llama") && p.ready(story, t))
                .count();
            page.gauge("kube_deployment_spec_replicas", &l, 2.0);
            page.gauge(
                "kube_deployment_status_replicas_available",
                &l,
                ready as f64,
            );
        }
    }

    fn pod_state(self, story: &Story, page: &mut Page, pod: &Pod) {
        let t = page.t;
        let now = if pod.pending(t) { "Pending" } else { "Running" };
        for phase in ["Pending", "Running", "Succeeded", "Failed", "Unknown"] {
            let l = [
                ("namespace", pod.namespace),
                ("phase", phase),
                ("pod", pod.name),
            ];
            page.gauge(
                "kube_pod_status_phase",
                &l,
                if phase == now { 1.0 } else { 0.0 },
            );
        }
        let l = [
            ("container", pod.container),
            ("namespace", pod.namespace),
            ("pod", pod.name),
        ];
        let restarts = if pod.name == "vdu-l1-1" && t >= story.ptp_free() + 60.0 {
            1.0
        } else {
            0.0
        };
        page.gauge("kube_pod_container_status_restarts_total", &l, restarts);
        page.gauge(
            "kube_pod_container_status_ready",
            &l,
            if pod.ready(story, t) { 1.0 } else { 0.0 },
        );
        if !pod.gpus.is_empty() {
            let l = [
                ("container", pod.container),
                ("namespace", pod.namespace),
                ("node", pod.node),
                ("pod", pod.name),
                ("resource", "nvidia_com_gpu"),
                ("unit", "integer"),
            ];
            page.gauge(
                "kube_pod_container_resource_requests",
                &l,
                pod.gpus.len() as f64,
            );
        }
    }

    fn cadvisor(self, story: &Story, page: &mut Page) {
        let t = page.t;
        for pod in self
            .pods(story)
            .iter()
            .filter(|p| p.there(t) && !p.pending(t))
        {
            let image = format!("registry.example/{}:1", pod.container);
            let l = [
                ("container", pod.container),
                ("image", image.as_str()),
                ("namespace", pod.namespace),
                ("node", pod.node),
                ("pod", pod.name),
            ];
            let slow = if pod.name == LOST_POD {
                1.0 - 0.4 * story.gpu_slow(t)
            } else {
                1.0
            };
            let down = if pod.ready(story, t) { 1.0 } else { 0.15 };
            let cpu = around(&format!("{}/cpu", pod.name), t, pod.cpu, 0.1) * slow * down;
            page.seconds("container_cpu_usage_seconds_total", &l, 10_000.0, cpu);
            let memory = around(&format!("{}/mem", pod.name), t, pod.memory_gib, 0.02);
            let loaded = if pod.name == NEW_POD {
                super::noise::ramp(t, pod.from + 60.0, 120.0).max(0.05)
            } else {
                1.0
            };
            page.gauge(
                "container_memory_working_set_bytes",
                &l,
                (memory * loaded * f64::from(1 << 30)).round(),
            );
            page.counter("container_cpu_cfs_periods_total", &l, 1_000.0, 10.0);
            page.counter("container_cpu_cfs_throttled_periods_total", &l, 10.0, 0.1);
        }
    }
}

/// Extended resources of a node, names as kube-state-metrics writes them.
pub fn allocatable(site: Site, story: &Story, node: &str, t: f64) -> Vec<(&'static str, f64)> {
    match site {
        Site::Gpu => {
            let lost = node == super::story::BAD_NODE && t >= story.gpu_lost() + 30.0;
            vec![(
                "nvidia_com_gpu",
                gpus_of(node) as f64 - f64::from(u8::from(lost)),
            )]
        }
        Site::Ran => {
            let failed = node == BAD_DU && story.sriov_is_failed(t);
            let vfs = if failed { 2.0 } else { 8.0 };
            vec![
                ("openshift_io_fronthaul_vfio", vfs),
                ("openshift_io_midhaul_netdev", 8.0),
            ]
        }
    }
}

fn api(page: &mut Page) {
    let t = page.t;
    for (code, verb, base) in [
        ("200", "GET", 41.0),
        ("200", "LIST", 6.5),
        ("201", "POST", 3.1),
        ("200", "WATCH", 2.0),
        ("404", "GET", 0.9),
        ("500", "GET", 0.004),
    ] {
        let l = [("code", code), ("resource", "pods"), ("verb", verb)];
        let rate = around(&format!("api/{code}/{verb}"), t, base, 0.15);
        page.counter("apiserver_request_total", &l, 200_000.0, rate);
    }
}

fn operators(page: &mut Page) {
    for name in [
        "authentication",
        "dns",
        "etcd",
        "ingress",
        "kube-apiserver",
        "network",
        "storage",
    ] {
        page.gauge(
            "cluster_operator_up",
            &[("name", name), ("version", "4.20.3")],
            1.0,
        );
        for (condition, value) in [("Available", 1.0), ("Degraded", 0.0), ("Progressing", 0.0)] {
            page.gauge(
                "cluster_operator_conditions",
                &[("condition", condition), ("name", name)],
                value,
            );
        }
    }
    page.gauge(
        "cluster_version",
        &[("type", "current"), ("version", "4.20.3")],
        1_795_000_000.0,
    );
}
