//! MessagePack, value by value, without building what it claims to hold.

use rmp::Marker;
use rmp::decode::{RmpRead, read_marker};

use super::{DEPTH, Tree, hex, key};
use crate::model::bus::{Part, Shape};
use crate::model::time::Timestamp;

/// Values read of one message, shown or not: more than fit into what is kept of a payload.
const VALUES: u32 = 100_000;
/// The extension that is a point in time.
const TIME: i8 = -1;

/// Why reading ended before the end.
enum Stop {
    /// The bytes ran out: all right where the payload was cut.
    Short,
    /// It is something else, or deeper than is read.
    Bad,
}

/// The tree, if the whole payload is one value; where it was cut, if all of it may be the beginning
/// of one.
pub(super) fn read(payload: &[u8], is_whole: bool) -> Option<Tree> {
    let mut reader = Reader {
        rest: payload,
        tree: Tree::default(),
        values: 0,
    };
    match reader.value(0, Part::Root) {
        Ok(()) if reader.rest.is_empty() && is_whole => Some(reader.tree),
        Err(Stop::Short) if !is_whole && holds_others(payload) => Some(reader.tree),
        _ => None,
    }
}

/// The value holds others, or says how long it is: no text begins like this.
pub(super) fn holds_others(payload: &[u8]) -> bool {
    let Some(first) = payload.first() else {
        return false;
    };
    use Marker as M;
    matches!(
        M::from_u8(*first),
        M::FixMap(_) | M::Map16 | M::Map32 | M::FixArray(_) | M::Array16 | M::Array32
    )
}

struct Reader<'a> {
    rest: &'a [u8],
    tree: Tree,
    values: u32,
}

/// A value that holds no others.
enum Leaf<'a> {
    Shown(Shape, String),
    Text(&'a [u8]),
    List(usize),
    Map(usize),
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u8, part: Part) -> Result<(), Stop> {
        match self.leaf()? {
            Leaf::Shown(shape, value) => self.tree.push(depth, part, shape, &value),
            Leaf::Text(bytes) => {
                let words = String::from_utf8_lossy(bytes);
                self.tree.push(depth, part, Shape::Text, &words);
            }
            Leaf::List(length) => {
                self.tree
                    .push(depth, part, Shape::List, &length.to_string());
                let deeper = deeper(depth)?;
                for index in 0..length {
                    let index = u32::try_from(index).map_err(|_| Stop::Bad)?;
                    self.value(deeper, Part::Index(index))?;
                }
            }
            Leaf::Map(length) => {
                self.tree.push(depth, part, Shape::Map, &length.to_string());
                let deeper = deeper(depth)?;
                for _ in 0..length {
                    let name = self.name(deeper)?;
                    self.value(deeper, name)?;
                }
            }
        }
        Ok(())
    }

    /// The key of a map; one that holds others is read over.
    fn name(&mut self, depth: u8) -> Result<Part, Stop> {
        Ok(match self.leaf()? {
            Leaf::Shown(_, value) => key(&value),
            Leaf::Text(bytes) => key(&String::from_utf8_lossy(bytes)),
            Leaf::List(length) => {
                self.skip(depth, length)?;
                key("(list)")
            }
            Leaf::Map(length) => {
                self.skip(depth, length.saturating_mul(2))?;
                key("(map)")
            }
        })
    }

    fn skip(&mut self, depth: u8, values: usize) -> Result<(), Stop> {
        let deeper = deeper(depth)?;
        for _ in 0..values {
            match self.leaf()? {
                Leaf::Shown(..) | Leaf::Text(_) => {}
                Leaf::List(length) => self.skip(deeper, length)?,
                Leaf::Map(length) => self.skip(deeper, length.saturating_mul(2))?,
            }
        }
        Ok(())
    }

    fn leaf(&mut self) -> Result<Leaf<'a>, Stop> {
        self.values += 1;
        if self.values > VALUES {
            return Err(Stop::Bad);
        }
        let marker = read_marker(&mut self.rest).map_err(|_| Stop::Short)?;
        let int = |value: i128| Ok(Leaf::Shown(Shape::Int, value.to_string()));
        use Marker as M;
        match marker {
            M::Null => Ok(Leaf::Shown(Shape::Nil, "nil".into())),
            M::True => Ok(Leaf::Shown(Shape::Bool, "true".into())),
            M::False => Ok(Leaf::Shown(Shape::Bool, "false".into())),
            M::FixPos(value) => int(value.into()),
            M::FixNeg(value) => int(value.into()),
            M::U8 => int(self.number::<1>().map(u8::from_be_bytes)?.into()),
            M::U16 => int(self.number().map(u16::from_be_bytes)?.into()),
            M::U32 => int(self.number().map(u32::from_be_bytes)?.into()),
            M::U64 => int(self.number().map(u64::from_be_bytes)?.into()),
            M::I8 => int(self.number().map(i8::from_be_bytes)?.into()),
            M::I16 => int(self.number().map(i16::from_be_bytes)?.into()),
            M::I32 => int(self.number().map(i32::from_be_bytes)?.into()),
            M::I64 => int(self.number().map(i64::from_be_bytes)?.into()),
            M::F32 => Ok(float(&self.number().map(f32::from_be_bytes)?)),
            M::F64 => Ok(float(&self.number().map(f64::from_be_bytes)?)),
            M::FixStr(length) => Ok(Leaf::Text(self.take(length.into())?)),
            M::Str8 | M::Str16 | M::Str32 => {
                let length = self.length(marker)?;
                Ok(Leaf::Text(self.take(length)?))
            }
            M::Bin8 | M::Bin16 | M::Bin32 => {
                let length = self.length(marker)?;
                let bytes = self.take(length)?;
                Ok(Leaf::Shown(Shape::Bytes, hex(bytes, length as u64)))
            }
            M::FixArray(length) => Ok(Leaf::List(length.into())),
            M::Array16 | M::Array32 => self.length(marker).map(Leaf::List),
            M::FixMap(length) => Ok(Leaf::Map(length.into())),
            M::Map16 | M::Map32 => self.length(marker).map(Leaf::Map),
            M::FixExt1 => self.extension(1),
            M::FixExt2 => self.extension(2),
            M::FixExt4 => self.extension(4),
            M::FixExt8 => self.extension(8),
            M::FixExt16 => self.extension(16),
            M::Ext8 | M::Ext16 | M::Ext32 => {
                let length = self.length(marker)?;
                self.extension(length)
            }
            M::Reserved => Err(Stop::Bad),
        }
    }

    fn length(&mut self, marker: Marker) -> Result<usize, Stop> {
        use Marker as M;
        Ok(match marker {
            M::Str8 | M::Bin8 | M::Ext8 => self.number::<1>().map(u8::from_be_bytes)?.into(),
            M::Str16 | M::Bin16 | M::Ext16 | M::Array16 | M::Map16 => {
                self.number().map(u16::from_be_bytes)?.into()
            }
            _ => usize::try_from(self.number().map(u32::from_be_bytes)?).map_err(|_| Stop::Bad)?,
        })
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        self.rest
            .read_exact_buf(&mut bytes)
            .map_err(|_| Stop::Short)?;
        Ok(bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Stop::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn extension(&mut self, length: usize) -> Result<Leaf<'a>, Stop> {
        let kind = self.number::<1>().map(i8::from_be_bytes)?;
        let bytes = self.take(length)?;
        if kind == TIME
            && let Some(at) = time(bytes)
        {
            return Ok(Leaf::Shown(Shape::Time, at.rfc3339()));
        }
        let value = format!("type {kind}, {}", hex(bytes, bytes.len() as u64));
        Ok(Leaf::Shown(Shape::Extension, value))
    }
}

fn deeper(depth: u8) -> Result<u8, Stop> {
    if depth >= DEPTH {
        return Err(Stop::Bad);
    }
    Ok(depth + 1)
}

fn float(value: &dyn std::fmt::Debug) -> Leaf<'static> {
    Leaf::Shown(Shape::Float, format!("{value:?}"))
}

/// The three ways to write a time; `None`: something else, or a time that no calendar has.
fn time(bytes: &[u8]) -> Option<Timestamp> {
    let (seconds, nanos) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            let nanos = u32::try_from(both >> 34).ok()?;
            (i64::try_from(both & 0x3_ffff_ffff).ok()?, nanos)
        }
        12 => {
            let (nanos, seconds) = bytes.split_at_checked(4)?;
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            (seconds, u32::from_be_bytes(nanos.try_into().ok()?))
        }
        _ => return None,
    };
    let ms = seconds.checked_mul(1_000)?;
    let nanos = i64::from(nanos);
    (nanos < 1_000_000_000).then(|| Timestamp(ms.saturating_add(nanos / 1_000_000)))
}
