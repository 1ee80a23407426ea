//! What a metric measures, told from its name, and how much of it matters.
//!
//! A shift counts only beyond what matters to anybody: an almost constant metric with a tiny
//! spread would win every comparison otherwise, and the order would depend on units.

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    Cpu,
    Memory,
    Disk,
    Network,
    Latency,
    /// Up is bad.
    Failures,
    /// Down is bad.
    Success,
    /// Requests that arrive.
    Load,
    /// Something waits: queue, pool, backlog.
    Queue,
    Other,
}

/// Aspect by the words of a name: the first row with a word that the name holds wins.
const WORDS: [(Aspect, &[&str]); 9] = [
    (
        Aspect::Success,
        &["success", "availability", "hit", "uptime"],
    ),
    (
        Aspect::Failures,
        &[
            "error",
            "errors",
            "err",
            "fail",
            "failed",
            "failures",
            "failure",
            "5xx",
            "4xx",
            "timeout",
            "timeouts",
            "dropped",
            "rejected",
            "exhausted",
            "servfail",
            "restarts",
        ],
    ),
    (
        Aspect::Queue,
        &[
            "queue", "pool", "backlog", "lag", "age", "wait", "pending", "inflight",
        ],
    ),
    (
        Aspect::Latency,
        &[
            "latency", "lat", "duration", "p50", "p90", "p95", "p99", "seconds", "ms", "time",
        ],
    ),
    (Aspect::Cpu, &["cpu", "load1", "throttled"]),
    (Aspect::Memory, &["mem", "memory", "rss", "heap"]),
    (
        Aspect::Disk,
        &["disk", "sysread", "syswrite", "fs", "iops", "io"],
    ),
    (
        Aspect::Network,
        &["net", "network", "rx", "tx", "bandwidth"],
    ),
    (
        Aspect::Load,
        &[
            "load",
            "requests",
            "request",
            "ops",
            "rps",
            "qps",
            "rate",
            "throughput",
        ],
    ),
];

impl Aspect {
    /// From the words of a metric's name.
    pub fn of(name: &str) -> Self {
        let lower = name.to_lowercase();
        if lower.contains("per_request") {
            return Self::Other;
        }
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
        let row = WORDS
            .iter()
            .find(|(_, known)| words.iter().any(|word| known.contains(word)));
        row.map_or(Self::Other, |(aspect, _)| *aspect)
    }

    /// What the object itself uses up: it shows where trouble is, not whom it reaches.
    pub fn is_resource(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Disk)
    }

    /// +1 where more is worse, -1 where less is, 0 where either may be.
    pub fn bad(self) -> f64 {
        match self {
            Self::Success => -1.0,
            Self::Cpu | Self::Memory | Self::Disk | Self::Latency => 1.0,
            Self::Failures | Self::Queue => 1.0,
            Self::Network | Self::Load | Self::Other => 0.0,
        }
    }
}

/// Seen from the caller's side: it tells of those it calls, not of the object.
pub fn is_outbound(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    words.any(|word| matches!(word, "client" | "outbound" | "upstream" | "egress"))
}

/// Seconds in one unit of a latency, by the end of its name.
pub fn seconds(name: &str) -> f64 {
    let lower = name.to_lowercase();
    match lower.rsplit('_').next() {
        Some("ms" | "milliseconds") => 1e-3,
        Some("us" | "microseconds") => 1e-6,
        Some("ns" | "nanoseconds") => 1e-9,
        _ => 1.0,
    }
}

/// The smallest shift of a metric that matters, in its own unit, about a level.
pub fn floor(aspect: Aspect, name: &str, level: f64) -> f64 {
    let lower = name.to_lowercase();
    let ends = |suffix: &str| lower.ends_with(suffix);
    let level = level.abs();
    match aspect {
        // Five points of a core or of the limit.
        Aspect::Cpu if ends("_m") => (0.1 * level).max(10.0),
        Aspect::Cpu => (0.1 * level).max(if level > 1.5 || ends("pct") {
            5.0
        } else {
            0.05
        }),
        Aspect::Memory => (0.05 * level).max(f64::MIN_POSITIVE),
        // Ten milliseconds or a fifth.
        Aspect::Latency => (0.2 * level).max(0.01 / seconds(name)),
        // One point.
        Aspect::Failures | Aspect::Success if ends("ratio") => (0.2 * level).max(0.01),
        Aspect::Success => (0.01 * level).max(f64::MIN_POSITIVE),
        Aspect::Failures => (0.2 * level).max(1.0),
        // A hundred kilobytes a second.
        Aspect::Disk => (0.2 * level).max(1e5),
        Aspect::Network => (0.2 * level).max(1e3),
        Aspect::Load => (0.2 * level).max(0.1),
        Aspect::Queue | Aspect::Other => (0.2 * level).max(0.1),
    }
}
