//! In which field the agent works: what it is told, and which tools it is offered.

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// `^[a-z][a-z0-9-]{2,30}[a-z0-9]$`.
    pub id: String,
    /// Its field in a few words.
    pub about: String,
    /// How it works, told to the model after the rules that hold for all.
    #[serde(default)]
    pub method: String,
    /// Names of tools; those that the clusters have nothing for are not offered.
    pub tools: Vec<String>,
}

impl Persona {
    /// Whether it may be called so.
    pub fn is_id(id: &str) -> bool {
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (4..=32).contains(&id.len())
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && !id.ends_with('-')
            && id.chars().all(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        for id in ["default", "gpu-expert", "telco-5g"] {
            assert!(Persona::is_id(id), "{id}");
        }
        for id in [
            "",
            "abc",
            "Gpu-expert",
            "5g-telco",
            "gpu-",
            "gpu expert",
            "é-expert",
        ] {
            assert!(!Persona::is_id(id), "{id}");
        }
        assert!(!Persona::is_id(&"a".repeat(33)));
    }
}
