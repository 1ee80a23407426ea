//! `/budget`: what one run of the agent may take, as the operator sets it.

use std::time::Duration;

use super::State;
use crate::config::file::duration;
use crate::model::limits::RunLimits;
use crate::model::unit::age;

const USAGE: &str = "`/budget rounds 4`, `/budget tokens 50k`, `/budget time 2m`, `/budget queries 20` \
sets one from the next question on; `/budget usual` goes back to the configuration.";

impl State {
    /// Shows the limits, or sets one; what is said of it.
    pub(super) fn budget(&mut self, words: &str) -> String {
        let agent = self.config.agent.as_ref();
        let usual = agent.map_or_else(RunLimits::default, |agent| agent.limits);
        let mut parts = words.split_whitespace();
        let wanted = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Ok(self.limits),
            (Some("usual"), None, None) => Ok(usual),
            (Some(what), Some(value), None) => set(self.limits, what, value),
            _ => Err(format!("Not understood. {USAGE}")),
        };
        match wanted {
            Ok(limits) => {
                self.limits = limits;
                told(&limits, &usual)
            }
            Err(why) => why,
        }
    }
}

fn set(limits: RunLimits, what: &str, value: &str) -> Result<RunLimits, String> {
    let wrong = || format!("`{value}` is no value of `{what}`. {USAGE}");
    let whole = || count(value).ok_or_else(wrong);
    let mut limits = limits;
    match what {
        "rounds" => limits.rounds = whole()?,
        "tokens" => limits.tokens = whole()?,
        "time" => limits.time = duration(value).ok_or_else(wrong)?,
        "queries" => limits.queries = whole()?,
        _ => return Err(format!("There is no limit `{what}`. {USAGE}")),
    }
    let out_of_range = |(_, range)| format!("`{what}` goes from {range}.");
    limits.check().map(|()| limits).map_err(out_of_range)
}

/// `50`, `50k` or `2M`.
fn count(text: &str) -> Option<u32> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix('M') {
            Some(digits) => (digits, 1_000_000),
            None => (text, 1),
        },
    };
    digits.parse::<u32>().ok()?.checked_mul(factor)
}

fn told(limits: &RunLimits, usual: &RunLimits) -> String {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::from("One answer of the agent may take:\n\n");
    let mut row = |what: &str, now: String, before: String| {
        let changed = match now == before {
            true => String::new(),
            false => format!(" (configured: {before})"),
        };
        out.push_str(&format!("- {what}: {now}{changed}\n"));
    };
    row(
        "rounds of tools",
        limits.rounds.to_string(),
        usual.rounds.to_string(),
    );
    let tokens = |limits: &RunLimits| limits.tokens.to_string();
    row("tokens, read and written", tokens(limits), tokens(usual));
    row("time", age(millis(limits.time)), age(millis(usual.time)));
    let queries = |limits: &RunLimits| limits.queries.to_string();
    row("queries to one cluster", queries(limits), queries(usual));
    out.push('\n');
    out.push_str(USAGE);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_within_their_range() {
        let usual = RunLimits::default();
        let set = |what, value| set(usual, what, value);
        assert_eq!(set("rounds", "4").map(|l| l.rounds), Ok(4));
        assert_eq!(set("tokens", "50k").map(|l| l.tokens), Ok(50_000));
        assert_eq!(set("time", "2m").map(|l| l.time.as_secs()), Ok(120));
        assert_eq!(set("queries", "1").map(|l| l.queries), Ok(1));
        for (what, value) in [
            ("rounds", "0"),
            ("rounds", "31"),
            ("tokens", "9999M"),
            ("tokens", "-1"),
            ("time", "1s"),
            ("time", "2 h"),
            ("queries", "x"),
            ("hops", "3"),
        ] {
            assert!(set(what, value).is_err(), "{what} {value}");
        }
    }
}
