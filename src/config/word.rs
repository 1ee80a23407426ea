//! A setting that is one of some words. The library says "wanted string or table" of what is no text;
//! here it is told which words there are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::Error as Told;
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};

struct Word<T>(PhantomData<T>);

impl<T: DeserializeOwned> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = words::<T>().iter().map(|w| format!("\"{w}\"")).collect();
        match words.as_slice() {
            [one] => f.write_str(one),
            words => write!(f, "one of {}", words.join(", ")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(text.into_deserializer())
    }
}

/// What the type itself says that it knows, asked with what is no word.
fn words<T: DeserializeOwned>() -> Vec<String> {
    let asked = IntoDeserializer::<Told>::into_deserializer("");
    let told = T::deserialize(asked).err().map(|e| e.to_string());
    let told = told.unwrap_or_default();
    let named = told.split('`').skip(1).step_by(2).skip(1);
    named.map(str::to_owned).collect()
}

pub(super) fn word<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(Word(PhantomData))
}

/// For a key that may be left out; beside `default`.
pub(super) fn given<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<T>, D::Error> {
    word(from).map(Some)
}
