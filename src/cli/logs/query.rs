//! The LogQL of an export, with everything from outside escaped, for the labels a server has.

use super::args::LogsArgs;
use crate::language::logql::write::{COMPONENT, CONTAINER, NAMESPACE, POD, matcher, quoted};
use crate::source::door::SourceError;
use crate::source::loki::Loki;

/// The query for this server.
pub async fn build(
    loki: &Loki,
    args: &LogsArgs,
    (start_ns, end_ns): (i64, i64),
) -> Result<String, Wrong> {
    let names = loki.label_names(start_ns, end_ns).await?;
    let mut matchers = Vec::new();
    let filters = [
        ("namespace", NAMESPACE, &args.namespace),
        ("component", COMPONENT, &args.component),
        ("container", CONTAINER, &args.container),
    ];
    for (role, candidates, wanted) in filters {
        if wanted.is_empty() {
            continue;
        }
        let known = present(candidates, &names, role)?;
        let mut label = known.first().copied().unwrap_or_default();
        if known.len() > 1 {
            for name in &known {
                let values = loki.values_between(name, start_ns, end_ns).await?;
                if wanted.iter().any(|w| values.contains(w)) {
                    label = name;
                    break;
                }
            }
        }
        matchers.push(matcher(label, wanted));
    }
    if matchers.is_empty() {
        matchers.push(format!("{}=~\".+\"", everything(&names)));
    }
    Ok(format!("{{{}}}{}", matchers.join(", "), filters_of(args)))
}

/// Why there is no query.
#[derive(Debug)]
pub enum Wrong {
    Source(SourceError),
    /// The server has no such label.
    Label(String),
}

impl From<SourceError> for Wrong {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// Names of `candidates` that the server has; the usual one where it has no labels at all.
fn present<'a>(
    candidates: &[&'a str],
    names: &[String],
    role: &str,
) -> Result<Vec<&'a str>, Wrong> {
    let known: Vec<&str> = candidates
        .iter()
        .copied()
        .filter(|c| names.iter().any(|n| n == c))
        .collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if names.is_empty() {
        return Ok(candidates.iter().take(1).copied().collect());
    }
    Err(Wrong::Label(format!(
        "no label tells the {role} there; there is {}",
        names.join(", ")
    )))
}

/// A label that streams have: a selector must name one.
fn everything(names: &[String]) -> &str {
    let usual = NAMESPACE.iter().chain(COMPONENT).chain(POD);
    usual
        .copied()
        .find(|c| names.iter().any(|n| n == c))
        .or(names.first().map(String::as_str))
        .unwrap_or("namespace")
}

fn filters_of(args: &LogsArgs) -> String {
    let (has, has_not) = match args.regex {
        true => ("|~", "!~"),
        false => ("|=", "!="),
    };
    let wanted = args.text_contains.iter().map(|t| (has, t));
    let unwanted = args.text_not_contains.iter().map(|t| (has_not, t));
    wanted
        .chain(unwanted)
        .map(|(operator, text)| format!(" {operator} {}", quoted(text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn texts_are_literal_unless_asked() {
        let mut args = LogsArgs {
            text_contains: list(&["time.out", "x"]),
            text_not_contains: list(&["probe"]),
            ..LogsArgs::default()
        };
        assert_eq!(filters_of(&args), r#" |= "time.out" |= "x" != "probe""#);
        args.regex = true;
        assert!(filters_of(&args).starts_with(r#" |~ "time.out""#));
    }

    #[test]
    fn labels_are_those_that_the_server_has() {
        let names = list(&["app", "pod", "service_name"]);
        assert_eq!(
            present(COMPONENT, &names, "component").expect("there"),
            ["app", "service_name"]
        );
        assert!(present(NAMESPACE, &names, "namespace").is_err());
        assert_eq!(
            present(NAMESPACE, &[], "namespace").expect("the usual"),
            ["namespace"]
        );
        assert_eq!(everything(&names), "app");
        assert_eq!(everything(&list(&["zone"])), "zone");
    }
}
