//! Which points a query can see, told before it is evaluated: who has to fetch them fetches no more.

use std::fmt;

use regex::Regex;

use super::error::quoted;
use super::plan::{Aggregate, How, Node, Of, Selector, Window};
use super::storage::{Matcher, NAME, Rule};

/// Points of some series in some time.
#[derive(Clone, Debug)]
pub struct Need {
    pub matchers: Vec<Matcher>,
    /// Both times belong to it, milliseconds since 1970.
    pub start_ms: i64,
    pub end_ms: i64,
}

/// The times of the steps at which a part is evaluated: the first and the last.
type Steps = (i64, i64);

pub(super) fn of(node: &Node, steps: Steps, lookback_ms: i64) -> Vec<Need> {
    let mut needs = Vec::new();
    look(node, steps, lookback_ms, &mut needs);
    needs
}

fn look(node: &Node, steps: Steps, lookback_ms: i64, needs: &mut Vec<Need>) {
    let mut below = |node: &Node| look(node, steps, lookback_ms, needs);
    match node {
        Node::Number(_) | Node::Text(_) => {}
        Node::Vector(selector) => needs.push(of_selector(selector, steps, lookback_ms)),
        Node::Window(window) => of_window(window, steps, lookback_ms, needs),
        Node::Negate(node) => below(node),
        Node::Once(node) => look(node, (steps.0, steps.0), lookback_ms, needs),
        Node::Binary(both) => {
            below(&both.left);
            below(&both.right);
        }
        Node::Aggregate(aggregate) => {
            if let Some(with) = parameter(aggregate) {
                below(with);
            }
            below(&aggregate.node);
        }
        Node::Call(call) => call.args.iter().for_each(below),
    }
}

fn parameter(aggregate: &Aggregate) -> Option<&Node> {
    match &aggregate.how {
        How::Largest(with) | How::Smallest(with) | How::First(with) | How::Quantile(with) => {
            Some(with)
        }
        _ => None,
    }
}

fn of_selector(selector: &Selector, (first, last): Steps, back_ms: i64) -> Need {
    Need {
        matchers: selector.matchers.clone(),
        start_ms: selector.when.of(first) - back_ms,
        end_ms: selector.when.of(last),
    }
}

fn of_window(window: &Window, steps: Steps, lookback_ms: i64, needs: &mut Vec<Need>) {
    match &window.of {
        Of::Series(selector) => needs.push(of_selector(selector, steps, window.range_ms)),
        Of::Subquery { node, when, .. } => {
            let first = when.of(steps.0) - window.range_ms;
            look(node, (first, when.of(steps.1)), lookback_ms, needs);
        }
    }
}

/// As a selector is written.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.matchers.iter().find_map(|m| match &m.rule {
            Rule::Is(name) if m.name == NAME => Some(name.as_str()),
            _ => None,
        });
        f.write_str(name.unwrap_or_default())?;
        let others = |m: &&Matcher| name.is_none() || m.name != NAME;
        let others: Vec<String> = self.matchers.iter().filter(others).map(written).collect();
        match others.is_empty() {
            true => Ok(()),
            false => write!(f, "{{{}}}", others.join(",")),
        }
    }
}

fn written(matcher: &Matcher) -> String {
    let name = &matcher.name;
    match &matcher.rule {
        Rule::Is(value) => format!("{name}={}", quoted(value)),
        Rule::IsNot(value) => format!("{name}!={}", quoted(value)),
        Rule::Like(regex) => format!("{name}=~{}", quoted(unanchored(regex))),
        Rule::Unlike(regex) => format!("{name}!~{}", quoted(unanchored(regex))),
    }
}

/// As it was given.
fn unanchored(regex: &Regex) -> &str {
    let text = regex.as_str();
    let inside = text.strip_prefix("^(?:").and_then(|t| t.strip_suffix(")$"));
    inside.unwrap_or(text)
}
