//! One run of the command in one pod, and what its end means.

use std::time::Duration;

use super::{fault, read, series};
use crate::clock;
use crate::model::fault::{Fault, FaultKind};
use crate::model::sample::SeriesSamples;
use crate::model::text::clean;
use crate::source::kubernetes::Cluster;
use crate::source::kubernetes::exec::{self, Place};

pub const COMMAND: [&str; 3] = ["nvidia-smi", "-q", "-x"];
/// 16 cards with all their clocks are about 1 MiB.
const OUTPUT: usize = 8 << 20;
/// From this size on it is read on a thread of its own.
const LARGE: usize = 256 << 10;
/// The output is whole, but one card's infoROM is corrupt.
const INFOROM: i32 = 14;

/// What one run told.
pub(super) struct Ran {
    pub driver: String,
    pub series: Vec<SeriesSamples>,
    pub bytes: usize,
}

/// Runs it and reads what it prints.
pub(super) async fn one(
    cluster: &Cluster,
    node: &str,
    place: &Place,
    time: Duration,
) -> Result<Ran, Fault> {
    let printed = exec::run(cluster, place, &COMMAND, (OUTPUT, time)).await?;
    let at = clock::now();
    if printed.code != 0 && printed.code != INFOROM {
        return Err(ended(cluster, place, &printed));
    }
    let bytes = printed.out.len();
    let (node, read_in) = (node.to_owned(), place.to_string());
    let work = move || {
        let text = String::from_utf8_lossy(&printed.out);
        let told = read(&text)?;
        let series = series(&told, &node, &read_in, at);
        Ok(Ran {
            driver: told.driver,
            series,
            bytes,
        })
    };
    let read = match bytes < LARGE {
        true => work(),
        false => {
            let work = tokio::task::spawn_blocking(work);
            work.await.unwrap_or_else(|e| Err(e.to_string()))
        }
    };
    read.map_err(|what: String| {
        let what = format!("nvidia-smi in {place}: the output is not what it prints: {what}");
        let hint = "`nvidia-smi -q -x` in that pod shows it";
        fault(cluster, FaultKind::BadPayload, what, hint)
    })
}

/// A run that ended badly: its own words, and what NVIDIA says the code means.
fn ended(cluster: &Cluster, place: &Place, printed: &exec::Printed) -> Fault {
    let means = match printed.code {
        2 => "invalid argument",
        3 => "not available on this system",
        4 => "no permission",
        8 => "a card's power cables are not attached",
        9 => "the driver is not loaded",
        10 => "the kernel sees interrupt trouble with a GPU",
        12 => "NVML was not found",
        13 => "this NVML lacks the function",
        15 => "a GPU has fallen off the bus, or is otherwise inaccessible",
        126 | 127 => "the container has no nvidia-smi",
        255 => "an error of the driver",
        _ => "not in NVIDIA's list",
    };
    let out = String::from_utf8_lossy(printed.out.get(..500).unwrap_or(&printed.out)).into_owned();
    let said = match (printed.words.trim(), out.trim_start()) {
        ("", out) if out.starts_with('<') => String::new(),
        ("", out) => out.lines().next().unwrap_or_default().to_owned(),
        (words, _) => words.to_owned(),
    };
    let said = match said.as_str() {
        "" => String::new(),
        said => format!(": {}", clean(said, 160)),
    };
    let what = format!(
        "nvidia-smi in {place} ended with code {} ({means}){said}",
        printed.code
    );
    let hint = "look at the driver's pod and at `dmesg` of the node";
    fault(cluster, FaultKind::Server, what, hint)
}
