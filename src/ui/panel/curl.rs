//! A query as commands for `curl`, one a cluster, so that it can be asked again elsewhere.

use super::asked::Asked;
use crate::model::health::SourceKind;
use crate::state::world::World;
use crate::ui::view::common::name;

/// `None`: nobody answered yet over HTTP. No secret is in it: addresses are shown without, and
/// headers are left to the operator.
pub fn curl(world: &World, asked: &Asked) -> Option<String> {
    let mut out = String::new();
    let path = match asked.source {
        SourceKind::Loki => "/loki/api/v1/query_range",
        _ => "/api/v1/query_range",
    };
    for part in &asked.parts {
        let base = part.origin.trim_end_matches('/');
        if !base.starts_with("http://") && !base.starts_with("https://") {
            continue;
        }
        let seconds = |ms: i64| format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
        let fields = [
            ("query", asked.query.to_string()),
            ("start", seconds(asked.grid.start.0)),
            ("end", seconds(asked.grid.end.0)),
            ("step", (f64::from(asked.grid.step_ms) / 1000.0).to_string()),
        ];
        out.push_str(&format!(
            "# {}; sign in with -H or --cert as needed\n",
            name(world, part.cluster)
        ));
        out.push_str(&format!("curl -G {}", quoted(&format!("{base}{path}"))));
        for (field, value) in fields {
            let pair = quoted(&format!("{field}={value}"));
            out.push_str(&format!(" \\\n  --data-urlencode {pair}"));
        }
        out.push('\n');
    }
    (!out.is_empty()).then_some(out)
}

/// One word of a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("x='$(rm)'"), r"'x='\''$(rm)'\'''");
    }
}
