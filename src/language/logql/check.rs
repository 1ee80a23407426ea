//! What is wrong with a LogQL text, and where.
//!
//! The grammar is that of Loki 3, read with some room: what Loki may accept is never called wrong,
//! so what is not known here is left to the server.

use super::read::{Read, Reader, Stop};
use super::words;
use crate::language::shape;
use crate::language::{Kind, Problem};

/// Parts of a text that is checked; a longer one is left to the server.
const PARTS: usize = 1_000;
/// Depth that is followed.
const DEPTH: usize = 60;

const NUMBERS: &str = "lines cannot be reckoned with: rate({…}[5m]) makes numbers of them";

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    Lines,
    Numbers,
}

pub fn check(text: &str) -> Option<Problem> {
    let mut reader = Reader::new(text);
    let tokens = reader.tokens();
    if tokens.is_empty() || tokens.len() > PARTS {
        return None;
    }
    // A `$` is of Grafana, whose dashboards replace it before they ask.
    let dollar = tokens.iter().find(|t| t.of(text) == "$");
    if let Some(token) = dollar {
        return Some(Problem {
            start: token.start,
            end: token.end,
            text: "a variable of Grafana: write what it stands for, as 5m".into(),
            unfinished: false,
        });
    }
    if let Some(problem) = shape::check(text, tokens) {
        return Some(problem);
    }
    match reader.whole() {
        Ok(_) | Err(Stop::Unknown) => None,
        Err(Stop::Wrong(mut problem)) => {
            problem.unfinished |= is_being_typed(text, &reader, &problem);
            Some(problem)
        }
    }
}

/// The word at the very end may become another one.
fn is_being_typed(text: &str, reader: &Reader<'_>, problem: &Problem) -> bool {
    let last = reader.tokens().last();
    last.is_some_and(|t| {
        let word = matches!(
            t.kind,
            Kind::Name | Kind::Label | Kind::Keyword | Kind::Function | Kind::Number
        );
        t.end == text.len() && t.start == problem.start && (word || t.of(text) == "=")
    })
}

/// It gives numbers, not lines; a wrong text gives lines.
pub fn is_metric(text: &str) -> bool {
    let mut reader = Reader::new(text);
    if reader.tokens().len() > PARTS {
        return !text.trim_start().starts_with(['{', '(']);
    }
    match reader.whole() {
        Ok(gives) => gives == Gives::Numbers,
        // What is not known here: lines begin with their selector.
        Err(_) => !text.trim_start().starts_with(['{', '(']) && text.contains('('),
    }
}

/// The first selector of a text with its braces.
pub fn selector(text: &str) -> Option<&str> {
    let reader = Reader::new(text);
    let of = |part: &str| {
        let mut tokens = reader.tokens().iter();
        tokens.find(|t| t.kind == Kind::Bracket && t.of(text) == part)
    };
    text.get(of("{")?.start..of("}")?.end)
}

impl Reader<'_> {
    fn whole(&mut self) -> Read<Gives> {
        let gives = self.expression()?;
        match self.ended() {
            true => Ok(gives),
            false => self.fail(&unexpected(self.part(), gives)),
        }
    }

    pub(super) fn deeper(&mut self) -> Read<()> {
        self.depth += 1;
        match self.depth > DEPTH {
            true => Err(Stop::Unknown),
            false => Ok(()),
        }
    }

    fn expression(&mut self) -> Read<Gives> {
        let first = self.token();
        let mut gives = self.operand()?;
        loop {
            let word = self.word();
            let binds = matches!(
                word.as_str(),
                "or" | "and"
                    | "unless"
                    | "+"
                    | "-"
                    | "*"
                    | "/"
                    | "%"
                    | "^"
                    | "=="
                    | "!="
                    | ">"
                    | ">="
                    | "<"
                    | "<="
            );
            if !binds || self.is_text() {
                return Ok(gives);
            }
            if gives == Gives::Lines && self.place() + 1 == self.tokens().len() {
                // It may become a filter, a flag or a comment yet.
                self.step();
                return self.fail(NUMBERS);
            }
            if let (Gives::Lines, Some(token)) = (gives, first) {
                let before = self.tokens().get(self.place().saturating_sub(1)).copied();
                return self.fail_over(token, before.unwrap_or(token), NUMBERS);
            }
            self.step();
            self.matching()?;
            let right = self.token();
            if self.operand()? == Gives::Lines
                && let Some(token) = right
            {
                let before = self.tokens().get(self.place().saturating_sub(1)).copied();
                return self.fail_over(token, before.unwrap_or(token), NUMBERS);
            }
            gives = Gives::Numbers;
        }
    }

    /// `bool on (app) group_left (pod)`
    fn matching(&mut self) -> Read<()> {
        self.eat("bool");
        if self.eat("on") || self.eat("ignoring") {
            self.labels()?;
            if (self.eat("group_left") || self.eat("group_right")) && self.part() == "(" {
                // The right side may begin with a parenthesis too.
                let place = self.place();
                if self.labels().is_err() {
                    self.go_back(place);
                }
            }
        }
        Ok(())
    }

    fn operand(&mut self) -> Read<Gives> {
        if matches!(self.part(), "+" | "-") {
            self.step();
            if !self.is_number() && !self.ended() {
                return self.fail("a number has to follow the sign");
            }
        }
        if self.is_number() {
            self.step();
            return Ok(Gives::Numbers);
        }
        match self.part() {
            "{" => {
                self.selector()?;
                match self.stages()? {
                    true => {
                        self.fail("`unwrap` goes with a range: sum_over_time({…} | unwrap x [5m])")
                    }
                    false => Ok(Gives::Lines),
                }
            }
            "(" => {
                self.deeper()?;
                self.step();
                let gives = self.expression()?;
                self.want(")", "`)` is missing")?;
                self.depth -= 1;
                if gives == Gives::Lines {
                    self.stages()?;
                }
                Ok(gives)
            }
            _ if self.is_name() => self.call(),
            _ if self.is_text() => self.fail("a text stands after an operator such as |="),
            _ => self.fail("a query begins with {label=\"value\"} or with a function"),
        }
    }

    fn call(&mut self) -> Read<Gives> {
        let word = self.word();
        let name = self.token();
        let follows = self.next_part();
        if !(follows == "(" || words::groups(follows) && words::is_aggregation(&word)) {
            let words = match follows {
                "" => "`{` begins a selector, `(` has to follow a function",
                "=" | "!=" | "=~" | "!~" => "labels stand in braces: {app=\"…\"}",
                _ => "lines have no names: they are selected by {label=\"value\"}",
            };
            return match (name, follows) {
                (Some(name), "=" | "!=" | "=~" | "!~") => self.fail_at(name, words),
                (Some(name), f) if !f.is_empty() && !self.ends_half_typed(&word) => {
                    self.fail_at(name, words)
                }
                _ => {
                    while !self.ended() {
                        self.step();
                    }
                    self.fail(words)
                }
            };
        }
        self.deeper()?;
        match word.as_str() {
            "variants" => return Err(Stop::Unknown),
            "vector" => {
                self.step();
                self.want("(", "`(` has to follow")?;
                self.eat("-");
                match self.is_number() {
                    true => self.step(),
                    false => return self.fail("`vector` wants a number"),
                }
                self.want(")", "`)` is missing")?;
            }
            "label_replace" => self.label_replace()?,
            word if words::is_range(word) => self.over_range(word)?,
            word if words::is_aggregation(word) => self.aggregation(word)?,
            word => return self.fail(&unknown(word)),
        }
        self.depth -= 1;
        Ok(Gives::Numbers)
    }

    /// `sum b`: the last word may yet become `by`.
    fn ends_half_typed(&self, word: &str) -> bool {
        let next = self.next_part();
        let last = self.place() + 2 == self.tokens().len() && self.text.ends_with(next);
        last && words::is_aggregation(word) && next.chars().all(char::is_alphanumeric)
    }

    fn label_replace(&mut self) -> Read<()> {
        self.step();
        self.want("(", "`(` has to follow")?;
        self.numbers()?;
        for _ in 0..4 {
            self.want(",", "`,` and a text in quotes have to follow")?;
            self.quoted("a text in quotes has to stand here")?;
        }
        self.want(")", "`)` is missing")
    }

    /// An expression that gives numbers.
    fn numbers(&mut self) -> Read<()> {
        let first = self.token();
        let gives = self.expression()?;
        let last = self.tokens().get(self.place().saturating_sub(1)).copied();
        match (gives, first, last) {
            (Gives::Lines, Some(first), Some(last)) if !self.ended() => {
                self.fail_over(first, last, NUMBERS)
            }
            (Gives::Lines, ..) => self.fail(NUMBERS),
            _ => Ok(()),
        }
    }

    pub(super) fn grouping(&mut self) -> Read<bool> {
        let groups = words::groups(self.part());
        if groups {
            self.step();
            self.labels()?;
        }
        Ok(groups)
    }

    fn aggregation(&mut self, word: &str) -> Read<()> {
        self.step();
        let grouped = self.grouping()?;
        self.want("(", &format!("`{word}` wants `(…)`"))?;
        if self.is_number() && self.next_part() == "," {
            self.step();
            self.step();
        }
        self.numbers()?;
        self.want(")", "`)` is missing")?;
        if !grouped {
            self.grouping()?;
        }
        Ok(())
    }
}

fn unexpected(part: &str, gives: Gives) -> String {
    match (part, gives) {
        ("[", Gives::Lines) => "a range stands within a function: rate({…}[5m])".into(),
        ("|" | "|=" | "|~", Gives::Numbers) => {
            format!("`{part}` is of lines: it stands within the parentheses, after the selector")
        }
        _ => format!("`{part}` may not stand here"),
    }
}

fn unknown(word: &str) -> String {
    let near = match word {
        "increase" | "irate" | "delta" => Some("rate"),
        "group" => Some("sum"),
        "quantile" => Some("quantile_over_time"),
        _ => {
            let all = words::RANGES_OF.iter().chain(&words::AGGREGATIONS);
            let mut all = all.filter(|w| w.text.starts_with(word) && word.len() > 2);
            all.next().map(|w| w.text)
        }
    };
    match near {
        Some(near) => format!("LogQL has no `{word}`; there is `{near}`"),
        None => format!("LogQL has no `{word}`"),
    }
}
