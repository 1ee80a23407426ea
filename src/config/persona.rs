//! The agent's personas: `assets/personas.toml`, and those of the operator.

use std::sync::Arc;

use serde::Deserialize;

use crate::model::persona::Persona;

/// The built-in ones as shipped.
pub const SOURCE: &str = include_str!("../../assets/personas.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    personas: Vec<Persona>,
}

/// The shipped personas, `default` first. That they can be read is held by a test.
pub fn built_in() -> Vec<Arc<Persona>> {
    let file = toml::from_str(SOURCE).unwrap_or(File {
        personas: Vec::new(),
    });
    file.personas.into_iter().map(Arc::new).collect()
}

/// Adds one of the operator's. The error says what is wrong with it.
pub fn add(all: &mut Vec<Arc<Persona>>, mut own: Persona) -> Result<(), String> {
    if !Persona::is_id(&own.id) {
        return Err(format!("{:?} is no name of a persona", own.id));
    }
    if all.iter().any(|known| known.id == own.id) {
        return Err(format!("there is a persona {:?} already", own.id));
    }
    if own.tools.is_empty() {
        return Err(format!("the persona {:?} has no tools", own.id));
    }
    own.about = crate::model::text::clean(&own.about, 120);
    own.method = crate::model::text::clean(&own.method, 4_000);
    all.push(Arc::new(own));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_shipped_can_be_read_and_keep_their_names() {
        let mut all = built_in();
        let ids: Vec<&str> = all.iter().map(|p| p.id.as_str()).collect();
        let told = [
            "default",
            "platform-ops",
            "gpu-expert",
            "network-cnf",
            "telco-5g",
        ];
        assert_eq!(ids, told);
        let own = |id: &str, tools: &[&str]| Persona {
            id: id.into(),
            about: "\u{1b}[31mred".into(),
            method: String::new(),
            tools: tools.iter().map(|t| (*t).to_owned()).collect(),
        };
        assert!(add(&mut all, own("default", &["time_now"])).is_err());
        assert!(add(&mut all, own("Mine", &["time_now"])).is_err());
        assert!(add(&mut all, own("mine-own", &[])).is_err());
        assert_eq!(add(&mut all, own("mine-own", &["time_now"])), Ok(()));
        assert!(!all[5].about.contains('\u{1b}'));
    }
}
