//! A key that takes one table or a list of tables.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::file::Endpoint;

/// One endpoint as a table, or several as a list. `#[serde(untagged)]` would lose the line of a
/// mistake.
#[derive(Debug, Default)]
pub struct Several(pub Vec<Spanned<Endpoint>>);

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Vec<Spanned<Endpoint>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint such as { url = \"...\" }, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let one = Endpoint::deserialize(MapAccessDeserializer::new(map))?;
        Ok(vec![Spanned::new(0..0, one)])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

struct Inner(Vec<Spanned<Endpoint>>);

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMany).map(Self)
    }
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let whole = Spanned::<Inner>::deserialize(from)?;
        let span = whole.span();
        let all = whole.into_inner().0.into_iter();
        // A single table has no place of its own but that of the whole.
        let placed = all.map(|one| match one.span() {
            none if none.is_empty() => Spanned::new(span.clone(), one.into_inner()),
            _ => one,
        });
        Ok(Self(placed.collect()))
    }
}
