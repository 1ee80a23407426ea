//! Grafana's names of units. Source: grafana/packages/grafana-data, `valueFormats/categories.ts`.

use crate::model::unit::Unit;

/// `None`: one that is written otherwise here; the number stands without a unit.
pub fn unit(id: &str) -> Option<Unit> {
    Some(match id {
        "" | "none" | "short" | "locale" | "string" | "sishort" => Unit::None,
        "percent" => Unit::Percent,
        "percentunit" => Unit::Ratio,
        "bytes" | "decbytes" => Unit::Bytes,
        "mbytes" | "decmbytes" => Unit::Mebibytes,
        "Bps" | "binBps" => Unit::BytesPerSecond,
        "bps" | "binbps" => Unit::BitsPerSecond,
        "s" | "dtdurations" => Unit::Seconds,
        "ns" => Unit::Nanoseconds,
        "celsius" => Unit::Celsius,
        "watt" => Unit::Watts,
        "rotmhz" | "mhz" => Unit::Megahertz,
        "ops" | "reqps" | "rps" | "wps" | "iops" | "eps" | "cps" | "mps" | "pps" | "rowsps"
        | "recps" | "hps" | "events/sec" => Unit::PerSecond,
        _ => return None,
    })
}
