//! One delivery <-> bytes. Texts and series keys are told once and then by number, so frames are
//! read in the order they were written.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::samples::{self, SeriesIn, SeriesOut};
use super::wire::{Cursor, put_bytes, put_i64, put_len, put_u64};
use super::{BundleError, DICTIONARY_LIMIT, texts};
use crate::model::health::SourceKind;
use crate::model::id::ClusterId;
use crate::model::telemetry::{Body, Telemetry};
use crate::model::text;
use crate::model::time::Timestamp;

const TEXT: u8 = 1;
const SERIES: u8 = 2;
const SAMPLES: u8 = 3;
const BODY: u8 = 4;
/// The same body as this source of this cluster told last.
const AGAIN: u8 = 5;

/// Bodies that often repeat whole, by who told them and what they are.
type Repeats = BTreeMap<(ClusterId, SourceKind, u8), Vec<u8>>;

/// Texts told so far, on the writing side.
#[derive(Debug, Default)]
pub struct Names {
    ids: HashMap<Arc<str>, usize>,
}

impl Names {
    /// Number of the text; a new one is told first.
    pub fn id(&mut self, text: &Arc<str>, out: &mut Vec<u8>) -> usize {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        out.push(TEXT);
        put_bytes(out, text.as_bytes());
        let id = self.ids.len();
        self.ids.insert(Arc::clone(text), id);
        id
    }
}

/// Texts told so far, on the reading side.
#[derive(Debug, Default)]
pub struct Texts {
    all: Vec<Arc<str>>,
    bytes: usize,
}

impl Texts {
    pub fn get(&self, id: usize) -> Result<Arc<str>, BundleError> {
        let text = self.all.get(id).cloned();
        text.ok_or(BundleError::Damaged("a text was never told"))
    }

    fn define(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        self.bytes += bytes.len() + 32;
        if self.bytes > DICTIONARY_LIMIT {
            return Err(BundleError::Damaged("too many texts"));
        }
        let text = String::from_utf8_lossy(bytes);
        self.all.push(text::clean(&text, text::LIMIT_BYTES).into());
        Ok(())
    }
}

#[derive(Debug, Default)]
pub struct Encoder {
    names: Names,
    series: SeriesOut,
    repeats: Repeats,
    received: i64,
}

impl Encoder {
    pub fn put(&mut self, out: &mut Vec<u8>, telemetry: &Telemetry) -> Result<(), BundleError> {
        match &telemetry.body {
            Body::Samples(batch) => {
                let name = self.names.id(&texts::address(&batch.name), out);
                let query = self.names.id(&batch.query, out);
                let ids: Vec<usize> = batch
                    .series
                    .iter()
                    .map(|s| {
                        self.series
                            .id(telemetry.cluster, &s.key, &mut self.names, SERIES, out)
                    })
                    .collect();
                out.push(SAMPLES);
                self.put_head(out, telemetry);
                samples::put_batch(out, batch, (name, query), &ids, &mut self.series);
                Ok(())
            }
            // Who recorded is nobody's business; what may be done there has no meaning in a replay.
            Body::Identity(_) => Ok(()),
            body => self.put_body(out, telemetry, body),
        }
    }

    fn put_body(
        &mut self,
        out: &mut Vec<u8>,
        telemetry: &Telemetry,
        body: &Body,
    ) -> Result<(), BundleError> {
        let bytes = match texts::as_written(body) {
            Some(scrubbed) => rmp_serde::to_vec_named(&scrubbed),
            None => rmp_serde::to_vec_named(body),
        };
        let bytes = bytes.map_err(|_| BundleError::Damaged("a delivery cannot be written"))?;
        let Some(kind) = repeats(body) else {
            out.push(BODY);
            self.put_head(out, telemetry);
            put_bytes(out, &bytes);
            return Ok(());
        };
        let key = (telemetry.cluster, telemetry.source, kind);
        let again = self.repeats.get(&key) == Some(&bytes);
        out.push(if again { AGAIN } else { BODY });
        self.put_head(out, telemetry);
        if again {
            out.push(kind);
        } else {
            put_bytes(out, &bytes);
            self.repeats.insert(key, bytes);
        }
        Ok(())
    }

    fn put_head(&mut self, out: &mut Vec<u8>, telemetry: &Telemetry) {
        put_u64(out, u64::from(telemetry.cluster.0));
        put_source(out, telemetry.source);
        put_i64(out, telemetry.received.0.wrapping_sub(self.received));
        self.received = telemetry.received.0;
    }
}

/// A number for bodies that are remembered in order to say "the same again".
fn repeats(body: &Body) -> Option<u8> {
    match body {
        Body::Alerts(_) => Some(0),
        Body::Facts(_) => Some(1),
        Body::Silences(_) => Some(2),
        Body::Discovery(_) => Some(3),
        Body::Bus(_) => Some(4),
        Body::Samples(_)
        | Body::Logs(_)
        | Body::Objects(_)
        | Body::Health(_)
        | Body::Identity(_)
        | Body::Gossip(_)
        | Body::Clocks(_)
        | Body::BusTail(_)
        | Body::Gone => None,
    }
}

#[derive(Debug, Default)]
pub struct Decoder {
    texts: Texts,
    series: SeriesIn,
    repeats: Repeats,
    received: i64,
}

impl Decoder {
    /// The next delivery, or `None` at the end of the bytes.
    pub fn take(&mut self, from: &mut Cursor<'_>) -> Result<Option<Telemetry>, BundleError> {
        while !from.is_empty() {
            let tag = from.byte()?;
            match tag {
                TEXT => self.texts.define(from.bytes()?)?,
                SERIES => self.series.define(from, &self.texts)?,
                SAMPLES | BODY | AGAIN => return self.frame(tag, from).map(Some),
                _ => return Err(BundleError::Damaged("unknown kind of frame")),
            }
        }
        Ok(None)
    }

    fn frame(&mut self, tag: u8, from: &mut Cursor<'_>) -> Result<Telemetry, BundleError> {
        let cluster = u16::try_from(from.u64()?)
            .map(ClusterId)
            .map_err(|_| BundleError::Damaged("too many clusters"))?;
        let source = take_source(from)?;
        self.received = self.received.wrapping_add(from.i64()?);
        let body = match tag {
            SAMPLES => Body::Samples(samples::take_batch(from, &self.texts, &mut self.series)?),
            BODY => {
                let bytes = from.bytes()?;
                let body = decode(bytes)?;
                if let Some(kind) = repeats(&body) {
                    self.repeats.insert((cluster, source, kind), bytes.to_vec());
                }
                body
            }
            _ => {
                let key = (cluster, source, from.byte()?);
                let bytes = self.repeats.get(&key);
                decode(bytes.ok_or(BundleError::Damaged("nothing to repeat"))?)?
            }
        };
        Ok(Telemetry {
            cluster,
            source,
            received: Timestamp(self.received),
            body,
        })
    }
}

fn decode(bytes: &[u8]) -> Result<Body, BundleError> {
    let mut body: Body = rmp_serde::from_slice(bytes)
        .map_err(|_| BundleError::Damaged("a delivery cannot be read"))?;
    texts::clean(&mut body);
    Ok(body)
}

fn put_source(out: &mut Vec<u8>, source: SourceKind) {
    let (kind, n) = match source {
        SourceKind::Prometheus => (0, 0),
        SourceKind::Alertmanager(0) => (1, 0),
        SourceKind::Alertmanager(n) => (6, n),
        SourceKind::Loki => (2, 0),
        SourceKind::Tempo => (3, 0),
        SourceKind::Kubernetes => (4, 0),
        SourceKind::Exporter(n) => (5, n),
        SourceKind::NvidiaSmi => (7, 0),
        SourceKind::ClockEvents(n) => (8, n),
        SourceKind::Nats => (9, 0),
        SourceKind::Edge => (10, 0),
    };
    put_len(out, kind);
    if kind >= 5 {
        put_u64(out, u64::from(n));
    }
}

fn take_source(from: &mut Cursor<'_>) -> Result<SourceKind, BundleError> {
    Ok(match from.byte()? {
        0 => SourceKind::Prometheus,
        1 => SourceKind::Alertmanager(0),
        2 => SourceKind::Loki,
        3 => SourceKind::Tempo,
        4 => SourceKind::Kubernetes,
        5 => SourceKind::Exporter(number(from)?),
        6 => SourceKind::Alertmanager(number(from)?),
        7 => {
            number(from)?;
            SourceKind::NvidiaSmi
        }
        8 => SourceKind::ClockEvents(number(from)?),
        9 => {
            number(from)?;
            SourceKind::Nats
        }
        10 => {
            number(from)?;
            SourceKind::Edge
        }
        _ => return Err(BundleError::Damaged("unknown kind of source")),
    })
}

fn number(from: &mut Cursor<'_>) -> Result<u16, BundleError> {
    u16::try_from(from.u64()?).map_err(|_| BundleError::Damaged("too many sources of a kind"))
}
