//! What is handed over as a recording: everything in the order of time, without what looks like a
//! credential.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use crate::bundle::{BundleError, Header, Writer, redacted};
use crate::model::export::LinesExport;
use crate::model::handover::{HeldLines, HeldSeries, Parcel};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::label::Labels;
use crate::model::log::LogLine;
use crate::model::object::Object;
use crate::model::redact::redact;
use crate::model::sample::SeriesSamples;
use crate::model::signal::Group;
use crate::model::telemetry::{Body, LogBatch, SampleBatch, Telemetry};
use crate::model::text::each;
use crate::model::time::Timestamp;

/// Text of log lines that a file takes, bytes, all clusters together; the newest are kept.
pub const LINES: usize = 32 << 20;
/// Lines of one delivery, and the time it may span, milliseconds.
const BATCH: usize = 500;
const BATCH_MS: i64 = 5_000;

/// Writes it; gives what took the bytes.
pub fn write<W: Write>(parcel: &Parcel, out: W) -> Result<W, BundleError> {
    let mut handover = parcel.handover.clone();
    let start = handover.from;
    let mut streams = sample_streams(parcel.series.iter());
    let room = LINES / parcel.logs.len().max(1);
    for held in &parcel.logs {
        let (lines, left) = newest(&held.lines, room);
        if left > 0 {
            let name = parcel.recorded.get(usize::from(held.cluster.0));
            let name = name.map_or("", |c| c.name.as_str());
            handover.gaps.push(format!(
                "{name}: {left} older log lines were left out: a file takes {} MiB of them",
                LINES >> 20
            ));
        }
        streams.push(Stream::Lines(Lines::new(held, lines)));
    }
    let mut standing: Vec<Telemetry> = Vec::with_capacity(parcel.standing.len());
    let mut lost = 0;
    for told in &parcel.standing {
        match without_secrets(told) {
            Some((clean, unclear)) => {
                lost += unclear;
                standing.push(clean);
            }
            None => lost += 1,
        }
    }
    if lost > 0 {
        handover.gaps.push(format!(
            "{lost} objects were left out: what may be secret in them could not be masked"
        ));
    }
    standing.reverse();
    streams.push(Stream::Standing(standing));
    let header = Header::new(parcel.recorded.clone(), start);
    let mut writer = Writer::new(out, &header)?;
    writer.hand_over(&redacted(&handover))?;
    while let Some(next) = next_of(&mut streams) {
        match writer.push(&next) {
            // Told where it is written: it can be no longer in the gaps.
            Err(BundleError::TooLarge(bytes)) => tracing::warn!(bytes, "a delivery was left out"),
            other => other?,
        }
    }
    writer.finish()
}

/// The delivery that comes first in time.
fn next_of(streams: &mut Vec<Stream<'_>>) -> Option<Telemetry> {
    let timed = streams.iter().enumerate();
    let timed = timed.filter_map(|(at, s)| Some((s.due()?, at)));
    let (_, at) = timed.min()?;
    streams.get_mut(at)?.next()
}

enum Stream<'a> {
    /// Last one first.
    Standing(Vec<Telemetry>),
    Samples(Samples<'a>),
    Lines(Lines),
}

impl Stream<'_> {
    fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Standing(all) => all.last().map(|t| t.received),
            Self::Samples(samples) => samples.due(),
            Self::Lines(lines) => lines.left.last().map(at),
        }
    }

    fn next(&mut self) -> Option<Telemetry> {
        match self {
            Self::Standing(all) => all.pop(),
            Self::Samples(samples) => samples.next(),
            Self::Lines(lines) => lines.next(),
        }
    }
}

/// Series that one query brings, as its answers came.
struct Samples<'a> {
    first: &'a HeldSeries,
    /// Key without secrets, points, and how many of them are told.
    series: Vec<(SeriesSamples, &'a HeldSeries, usize)>,
}

fn sample_streams<'a>(series: impl Iterator<Item = &'a HeldSeries>) -> Vec<Stream<'a>> {
    type Query<'a> = (ClusterId, SourceKind, Group, &'a str, u32);
    let key =
        |s: &'a HeldSeries| -> Query<'a> { (s.cluster, s.source, s.group, &s.name, s.interval_ms) };
    let mut all: HashMap<Query<'_>, Samples<'a>> = HashMap::new();
    let mut order: BTreeMap<usize, Query<'_>> = BTreeMap::new();
    for one in series {
        let Some(clean) = each(&one.key, &redact) else {
            continue;
        };
        let held = all.entry(key(one)).or_insert_with(|| {
            order.insert(order.len(), key(one));
            Samples {
                first: one,
                series: Vec::new(),
            }
        });
        let bare = SeriesSamples {
            key: clean,
            kind: one.kind,
            points: Vec::new().into(),
        };
        held.series.push((bare, one, 0));
    }
    let each = order.values().filter_map(|query| all.remove(query));
    each.map(Stream::Samples).collect()
}

impl Samples<'_> {
    fn due(&self) -> Option<Timestamp> {
        let next = self
            .series
            .iter()
            .filter_map(|(_, s, told)| s.points.get(*told));
        next.map(|p| p.at).min()
    }

    /// All points within half an interval of the oldest that is left.
    fn next(&mut self) -> Option<Telemetry> {
        let due = self.due()?;
        let until = due.plus_ms(i64::from(self.first.interval_ms) / 2);
        let mut newest = due;
        let mut series = Vec::new();
        for (bare, held, told) in &mut self.series {
            let left = held.points.get(*told..).unwrap_or_default();
            let taken: Vec<_> = left.iter().take_while(|p| p.at <= until).copied().collect();
            let Some(last) = taken.last() else {
                continue;
            };
            newest = newest.max(last.at);
            *told += taken.len();
            series.push(SeriesSamples {
                points: taken.into(),
                ..bare.clone()
            });
        }
        Some(Telemetry {
            cluster: self.first.cluster,
            source: self.first.source,
            received: newest,
            body: Body::Samples(SampleBatch {
                group: self.first.group,
                name: self.first.name.clone(),
                query: self.first.query.clone(),
                at: newest,
                interval_ms: self.first.interval_ms,
                backfill: false,
                series,
                cut_from: None,
            }),
        })
    }
}

struct Lines {
    cluster: ClusterId,
    source: SourceKind,
    /// Last one first.
    left: Vec<LogLine>,
}

fn at(line: &LogLine) -> Timestamp {
    Timestamp(line.at_ns.div_euclid(1_000_000))
}

impl Lines {
    fn new(held: &HeldLines, mut lines: Vec<LogLine>) -> Self {
        lines.reverse();
        Self {
            cluster: held.cluster,
            source: held.source,
            left: lines,
        }
    }

    fn next(&mut self) -> Option<Telemetry> {
        let first = at(self.left.last()?);
        let mut lines = Vec::new();
        while lines.len() < BATCH
            && let Some(line) = self.left.pop_if(|l| at(l) <= first.plus_ms(BATCH_MS))
        {
            lines.push(line);
        }
        Some(Telemetry {
            cluster: self.cluster,
            source: self.source,
            received: lines.last().map_or(first, at),
            // Looked back on: nobody knows how much of what was said is here.
            body: Body::Logs(LogBatch {
                lines,
                dropped: 0,
                live: false,
            }),
        })
    }
}

/// The newest lines that fit, without secrets, oldest first; and how many did not fit.
fn newest(lines: &LinesExport, room: usize) -> (Vec<LogLine>, usize) {
    let (mut bytes, mut count) = (0, 0);
    lines.each(&mut |_, line| {
        bytes += line.line.len();
        count += 1;
    });
    let (mut out, mut left): (Vec<LogLine>, usize) = (Vec::new(), 0);
    let mut labels: HashMap<Labels, Labels> = HashMap::new();
    lines.each(&mut |_, line| {
        if bytes > room {
            bytes -= line.line.len();
            left += 1;
            return;
        }
        let clean = match labels.get(line.labels) {
            Some(clean) => clean.clone(),
            None => {
                let clean = each(line.labels, &redact).unwrap_or_default();
                labels.insert(line.labels.clone(), clean.clone());
                clean
            }
        };
        out.push(LogLine {
            labels: clean,
            line: redact(line.line).into(),
            ..line.to_owned()
        });
    });
    debug_assert_eq!(out.len() + left, count);
    (out, left)
}

/// The same without what looks like a credential, and how many objects in it could not be looked
/// through; `None`: none of it could.
fn without_secrets(told: &Telemetry) -> Option<(Telemetry, usize)> {
    let (body, lost) = match &told.body {
        Body::Objects(batch) => {
            let mut batch = batch.clone();
            let all = batch.upserts.len();
            let clean: Vec<Object> = batch
                .upserts
                .iter()
                .filter_map(|o| each(o, &redact))
                .collect();
            batch.upserts = clean;
            let lost = all - batch.upserts.len();
            (Body::Objects(batch), lost)
        }
        body => (each(body, &redact)?, 0),
    };
    let told = Telemetry {
        body,
        ..told.clone()
    };
    Some((told, lost))
}
