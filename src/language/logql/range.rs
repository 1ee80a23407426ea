//! A function over the lines of a range: `rate({…} |= "x" [5m] offset 1h)`.

use super::read::{Read, Reader};
use super::words;

const RANGE: &str = "a range such as [5m] has to stand here";

/// What stands within the parentheses of a function over a range.
#[derive(Default)]
struct Ranged {
    ranges: usize,
    unwraps: bool,
}

impl Reader<'_> {
    pub(super) fn over_range(&mut self, word: &str) -> Read<()> {
        let name = self.token();
        self.step();
        self.want("(", &format!("`{word}` wants `({{…}}[5m])`"))?;
        if self.is_number() {
            self.step();
            self.want(",", "`,` has to follow")?;
        }
        let mut ranged = Ranged::default();
        self.range(&mut ranged)?;
        if ranged.ranges == 0 {
            return self.fail(RANGE);
        }
        self.want(")", "`)` is missing")?;
        if let Some(name) = name.filter(|_| words::wants_unwrap(word) && !ranged.unwraps) {
            let words = format!("`{word}` reckons with values: {{…}} | unwrap label [5m]");
            return self.fail_at(name, &words);
        }
        self.grouping()?;
        Ok(())
    }

    /// Lines with the range over which they are looked at, in any order that is right.
    fn range(&mut self, ranged: &mut Ranged) -> Read<()> {
        if self.part() == "(" {
            self.deeper()?;
            self.step();
            self.range(ranged)?;
            self.want(")", "`)` is missing")?;
            self.depth -= 1;
        } else {
            self.selector()?;
        }
        loop {
            ranged.unwraps |= self.stages()?;
            if self.part() == "[" {
                ranged.ranges += 1;
                self.span()?;
            } else if self.eat("offset") {
                self.eat("-");
                match self.is_number() {
                    true => self.step(),
                    false => return self.fail("a duration such as 1h has to follow `offset`"),
                }
            } else {
                return Ok(());
            }
        }
    }

    /// `[5m]`
    fn span(&mut self) -> Read<()> {
        self.step();
        let token = self.token();
        match token.filter(|_| self.is_number()) {
            Some(token) if self.next_part() == "]" && !is_duration(token.of(self.text)) => {
                return self.fail_at(token, "a duration has a unit: 30s, 5m, 1h30m, 1d");
            }
            Some(_) => self.step(),
            None => return self.fail("a duration such as 5m has to stand here"),
        }
        self.want("]", "`]` is missing")
    }
}

/// Numbers each with a unit.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let Some(after) = digits.filter(|n| *n > 0).and_then(|n| rest.get(n..)) else {
            return text == "0";
        };
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let known = ["ns", "us", "µs", "ms", "s", "m", "h", "d", "w", "y"];
        match after.split_at_checked(unit) {
            Some((unit, more)) if known.contains(&unit) => rest = more,
            _ => return false,
        }
    }
    true
}
