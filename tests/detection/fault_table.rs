//! The faults of a whole site and their healthy variations.

use crate::site::{CART, DNS, NEW_CART, Told};

/// What is to be found.
#[derive(Clone, Copy, Debug)]
pub enum Truth {
    /// The object where it began.
    Place(&'static str),
    /// What was changed before: words of the change.
    Change(&'static str),
}

pub struct Fault {
    pub name: &'static str,
    pub truth: Truth,
    pub ill: fn(&mut Told),
    /// Nearly the same, and nothing is wrong.
    pub well: fn(&mut Told),
    /// Clusters that have it, of three; else there is one.
    pub everywhere: bool,
}

const fn fault(name: &'static str, truth: Truth, ill: fn(&mut Told), well: fn(&mut Told)) -> Fault {
    Fault {
        name,
        truth,
        ill,
        well,
        everywhere: false,
    }
}

use Truth::{Change, Place};

fn slow_model(t: &mut Told) {
    t.ttft *= 4.0;
    t.tokens *= 0.6;
}

fn rollout(t: &mut Told) {
    t.cart.0 = "registry.example/cart:1.5.0";
    let cart = t.pod(CART);
    cart.name = NEW_CART;
    cart.owner = ("ReplicaSet", "cart-6c8f7b5d4");
}

/// As the pod is called; its owner would do as well.
const DNS_POD: &str = "kube-system/coredns-6d5f7c8b9-k2k4p";

pub const FAULTS: &[Fault] = &[
    fault(
        "a GPU falls off the bus, its model gets slow",
        Place("n1 gpu 2"),
        |t| {
            t.gpus[2].xid = 79.0;
            t.gpus[2].there = !t.after(1.0);
            slow_model(t);
        },
        |t| t.gpus[2].util -= 4.0,
    ),
    fault(
        "a GPU gets hot and is held down",
        Place("n1 gpu 1"),
        |t| {
            t.gpus[1].temp += 29.0;
            t.gpus[1].reasons = 104.0;
            t.gpus[1].power = 320.0;
            if t.after(1.0) {
                slow_model(t);
            }
        },
        |t| t.gpus[1].temp += 6.0,
    ),
    fault(
        "memory errors of a GPU wait for a row remap",
        Place("n1 gpu 0"),
        |t| {
            t.gpus[0].xid = 63.0;
            t.gpus[0].pending = 1.0;
        },
        |t| t.gpus[0].temp += 3.0,
    ),
    fault(
        "uncorrectable memory errors stop a GPU's jobs",
        Place("n1 gpu 3"),
        |t| {
            t.gpus[3].xid = 48.0;
            t.gpus[3].util = 0.0;
            t.gpus[3].power = 90.0;
            slow_model(t);
        },
        |t| t.gpus[3].power += 15.0,
    ),
    fault(
        "NVLink errors slow the model",
        Place("n1 gpu 2"),
        |t| {
            t.gpus[2].xid = 74.0;
            if t.after(0.5) {
                slow_model(t);
            }
        },
        |t| t.ttft *= 1.08,
    ),
    fault(
        "the clock loses its source and runs free; the vDU alarms",
        Place("n2 clock ens7fx"),
        |t| {
            t.clock = if t.after(2.0) {
                (0.0, 248.0, 900.0)
            } else {
                (2.0, 135.0, 120.0)
            };
            if t.after(3.0) {
                t.alert("DuOutOfSync", &[("namespace", "ran"), ("pod", "du-0")]);
            }
        },
        |t| t.clock.2 += 3.0,
    ),
    fault(
        "the clock holds over",
        Place("n2 clock ens7fx"),
        |t| t.clock = (2.0, 7.0, 60.0),
        |t| t.clock.2 -= 4.0,
    ),
    fault(
        "a port of ptp4l is faulty",
        Place("n2 clock ens7f0"),
        |t| t.port = 3.0,
        |t| t.clock.2 += 2.0,
    ),
    fault(
        "functions cannot be made; the vDU waits for one",
        Place("n2"),
        |t| {
            t.sriov = ("Failed", Some("cannot set numVfs on 0000:3b:00.0"));
            if t.after(1.0) {
                t.alert("DuPending", &[("namespace", "ran"), ("pod", "du-0")]);
            }
        },
        |t| t.vf_dropped[0] = 0.4,
    ),
    fault(
        "one virtual function drops what the vDU is sent",
        Place("n2 ens1f0 vf 3"),
        |t| {
            t.vf_dropped[1] = 900.0;
            if t.after(2.0) {
                t.alert("DuLostPackets", &[("namespace", "ran"), ("pod", "du-0")]);
            }
        },
        |t| t.vf_dropped = [0.3, 0.6],
    ),
    fault(
        "a core of the vDU does not keep up with its fronthaul port",
        Place("ran/du-0"),
        |t| {
            t.dpdk_lost[0] = 5200.0;
            if t.after(2.0) {
                t.alert("DuLostPackets", &[("namespace", "ran"), ("pod", "du-0")]);
            }
        },
        |t| t.dpdk_lost = [0.6, 0.2],
    ),
    fault(
        "the network of a node drops packets",
        Place("node n3"),
        |t| {
            t.nodes[2].faults = 700.0;
            t.nodes[2].bits *= 0.3;
            if t.after(2.0) {
                t.alert("DbSlow", &[("namespace", "shop"), ("statefulset", "db")]);
            }
        },
        |t| t.nodes[2].faults = 1.0,
    ),
    fault(
        "a node runs short of memory and evicts",
        Place("node n3"),
        |t| {
            t.nodes[2].memory = (0.60 + 0.08 * t.since).min(0.97);
            if t.after(5.0) {
                t.nodes[2].problem =
                    Some("MemoryPressure: kubelet has insufficient memory available");
            }
            if t.after(6.0) {
                let db = t.pod("db-0");
                (db.phase, db.reason) = ("Failed", Some("Evicted"));
            }
        },
        |t| t.nodes[2].memory += 0.02,
    ),
    fault(
        "a disk is full",
        Place("node n3"),
        |t| {
            t.nodes[2].disk = (0.52 + 0.10 * t.since).min(0.99);
            if t.after(4.0) {
                t.nodes[2].problem = Some("DiskPressure: kubelet has disk pressure");
            }
            if t.after(6.0) {
                t.alert(
                    "DbReadOnly",
                    &[("namespace", "shop"), ("statefulset", "db")],
                );
            }
        },
        |t| t.nodes[2].disk += 0.03,
    ),
    fault(
        "a node is gone",
        Place("node n2"),
        |t| {
            t.nodes[1].ready = false;
            if t.after(2.0) {
                for name in [CART, "du-0"] {
                    t.pod(name).reason = Some("NodeLost");
                }
            }
        },
        |t| t.nodes[1].cpu += 0.05,
    ),
    fault(
        "a container is killed for its memory, what calls it fails",
        Place("shop/cart-7d9f8b6c5-x2x9z"),
        |t| {
            let restarts = (1.0 + t.since / 3.0).floor();
            let cart = t.pod(CART);
            (cart.oom, cart.restarts) = (true, restarts);
            if t.after(2.0) {
                t.alert("WebErrors", &[("namespace", "shop"), ("deployment", "web")]);
            }
        },
        |t| t.pod(CART).restarts = 1.0,
    ),
    fault(
        "a bad deploy crashes",
        Change("cart"),
        |t| {
            rollout(t);
            t.cart.1 = 0;
            let cart = t.pod(NEW_CART);
            (cart.reason, cart.restarts) = (Some("CrashLoopBackOff"), 4.0);
            if t.after(2.0) {
                t.alert("WebErrors", &[("namespace", "shop"), ("deployment", "web")]);
            }
        },
        rollout,
    ),
    fault(
        "a deploy names an image that is not there",
        Change("cart"),
        |t| {
            rollout(t);
            t.cart.1 = 0;
            let cart = t.pod(NEW_CART);
            (cart.phase, cart.reason) = ("Pending", Some("ImagePullBackOff"));
        },
        rollout,
    ),
    fault(
        "a noisy neighbour takes the processors of a node",
        Place("node n3"),
        |t| {
            t.nodes[2].cpu = 0.97;
            t.nodes[2].busy = 0.5;
            if t.after(2.0) {
                t.alert("DbSlow", &[("namespace", "shop"), ("statefulset", "db")]);
            }
        },
        |t| t.nodes[2].cpu += 0.06,
    ),
    fault(
        "names do not resolve",
        Place(DNS_POD),
        |t| {
            let dns = t.pod(DNS);
            (dns.reason, dns.restarts) = (Some("CrashLoopBackOff"), 5.0);
            if t.after(2.0) {
                t.alert(
                    "DnsErrors",
                    &[("namespace", "kube-system"), ("deployment", "coredns")],
                );
            }
        },
        |t| t.api_errors += 0.001,
    ),
    fault(
        "a certificate ended",
        Place("ingress/gateway"),
        |t| {
            t.alert(
                "CertificateExpired",
                &[("namespace", "ingress"), ("deployment", "gateway")],
            );
        },
        |t| t.ttft *= 1.05,
    ),
    fault(
        "a database is slow, and what needs it after it",
        Place("shop/db"),
        |t| {
            t.alert(
                "DbSlowQueries",
                &[("namespace", "shop"), ("statefulset", "db")],
            );
            if t.after(2.0) {
                t.alert(
                    "CartLatency",
                    &[("namespace", "shop"), ("deployment", "cart")],
                );
            }
            if t.after(3.0) {
                t.alert(
                    "WebLatency",
                    &[("namespace", "shop"), ("deployment", "web")],
                );
            }
        },
        |t| t.nodes[2].busy += 0.05,
    ),
    fault(
        "a model's queue fills",
        Place("ml model qwen"),
        |t| {
            (t.waiting, t.cache, t.preempted) = (60.0, 0.99, 0.4);
            slow_model(t);
        },
        |t| t.cache += 0.1,
    ),
    Fault {
        everywhere: true,
        ..fault(
            "the grandmaster of three clusters fails",
            Place("what these clusters share"),
            |t| t.clock = (0.0, 248.0, 700.0),
            |t| t.clock.2 += 2.0,
        )
    },
];
