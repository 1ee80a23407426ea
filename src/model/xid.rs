//! NVIDIA's XID errors: what the number means and how bad it is.

use super::alert::Severity;

/// What is to be done after an XID (classes of NVIDIA's catalogue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XidClass {
    ResetGpu,
    RestartNode,
    Procedure,
    Support,
    RestartApplication,
    Ignore,
    Unknown,
}

impl XidClass {
    pub fn of(xid: u32) -> Self {
        match xid {
            46 | 62 | 64 | 95 | 109 | 110 | 119 | 120 | 136 | 140 | 143 | 155 | 156 | 158 => {
                Self::ResetGpu
            }
            79 => Self::RestartNode,
            45 | 48 | 74 | 144..=150 => Self::Procedure,
            54 | 78 | 142 | 151 => Self::Support,
            8
            | 11
            | 13
            | 25
            | 31
            | 32
            | 39..=41
            | 60
            | 68..=72
            | 75..=77
            | 80
            | 82..=86
            | 88
            | 89
            | 94
            | 96..=105
            | 126..=135
            | 139 => Self::RestartApplication,
            37
            | 38
            | 43
            | 44
            | 63
            | 66
            | 67
            | 92
            | 93
            | 106
            | 107
            | 121
            | 137
            | 141
            | 152..=154
            | 157
            | 160
            | 161 => Self::Ignore,
            _ => Self::Unknown,
        }
    }

    pub fn advice(self) -> &'static str {
        match self {
            Self::ResetGpu => "reset the GPU",
            Self::RestartNode => "restart the node",
            Self::Procedure => "follow NVIDIA's procedure for it",
            Self::Support => "check the hardware",
            Self::RestartApplication => "restart the application",
            Self::Ignore => "no action",
            Self::Unknown => "no class published",
        }
    }
}

pub fn severity(xid: u32) -> Severity {
    match (xid, XidClass::of(xid)) {
        // The clean-up after another error: that one is the cause.
        (45, _) => Severity::Warning,
        (_, XidClass::Ignore) => Severity::Info,
        (_, XidClass::RestartApplication | XidClass::Unknown) => Severity::Warning,
        _ => Severity::Critical,
    }
}

/// Short text where the exporter gives none.
pub fn text(xid: u32) -> &'static str {
    match xid {
        13 => "graphics engine exception",
        31 => "memory page fault",
        43 => "GPU stopped processing",
        45 => "preemptive clean-up after an error",
        48 => "double-bit ECC error",
        62 => "internal micro-controller halt",
        63 => "row remapping recorded",
        64 => "row remapping failure",
        69 => "graphics engine class error",
        74 => "NVLink error",
        79 => "GPU has fallen off the bus",
        92 => "high single-bit ECC error rate",
        94 => "contained ECC error",
        95 => "uncontained ECC error",
        109 => "context switch timeout",
        119 => "GSP RPC timeout",
        120 => "GSP error",
        140 => "unrecovered ECC error",
        143 => "GPU initialisation error",
        144..=150 => "NVLink fault",
        _ => "error without published text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_by_class() {
        assert_eq!(severity(79), Severity::Critical);
        assert_eq!(severity(94), Severity::Warning);
        assert_eq!(severity(45), Severity::Warning);
        assert_eq!(severity(63), Severity::Info);
        assert_eq!(severity(165), Severity::Warning);
    }
}
