//! What is done with lines: filters, parsers, formats, and what is asked of labels.

use super::read::{Read, Reader};
use super::words::FLAGS;
use crate::language::Token;

const FILTER: &str = "a text in quotes has to follow: \"…\" or `…`";
const STAGE: &str = "a parser, a filter of a label or a format has to follow `|`";
const VALUE: &str = "a text in quotes, a number, a duration or a size has to follow";

impl Reader<'_> {
    /// All stages that stand here. True: one of them unwraps.
    pub(super) fn stages(&mut self) -> Read<bool> {
        let mut unwraps = false;
        loop {
            match self.part() {
                "|=" | "!=" | "|>" | "!>" => {
                    self.step();
                    self.line_filter(false)?;
                }
                "|~" | "!~" => {
                    self.step();
                    self.line_filter(true)?;
                }
                "|" => {
                    self.step();
                    unwraps |= self.word() == "unwrap" && !self.is_compared();
                    self.stage()?;
                }
                _ => return Ok(unwraps),
            }
        }
    }

    fn line_filter(&mut self, regex: bool) -> Read<()> {
        loop {
            if self.word() == "ip" && self.next_part() == "(" {
                self.ip()?;
            } else {
                let value = self.quoted(FILTER)?;
                if regex {
                    self.regex(value)?;
                }
            }
            if !self.eat("or") {
                return Ok(());
            }
        }
    }

    /// `ip("10.0.0.0/8")`
    fn ip(&mut self) -> Read<()> {
        self.step();
        self.want("(", "`(` has to follow `ip`")?;
        self.quoted("an address or a range in quotes has to stand here")?;
        self.want(")", "`)` is missing")
    }

    fn is_compared(&self) -> bool {
        let operators = ["=", "!=", "=~", "!~", "==", ">", ">=", "<", "<="];
        operators.contains(&self.next_part())
    }

    fn stage(&mut self) -> Read<()> {
        if self.is_compared() {
            return self.label_filter();
        }
        match self.word().as_str() {
            "json" => {
                self.step();
                self.extractions()
            }
            "logfmt" => {
                self.step();
                while FLAGS.contains(&self.part()) {
                    self.step();
                }
                self.begun_flag()?;
                self.extractions()
            }
            "regexp" | "pattern" | "line_format" => {
                let word = self.word();
                self.step();
                let value = self.quoted(&format!("`{word}` wants a text in quotes"))?;
                match word.as_str() {
                    "regexp" => self.regex(value),
                    _ => Ok(()),
                }
            }
            "unpack" | "decolorize" => {
                self.step();
                Ok(())
            }
            "label_format" => {
                self.step();
                self.renamed()
            }
            "drop" | "keep" | "distinct" => {
                self.step();
                self.chosen()
            }
            "unwrap" => {
                self.step();
                self.unwrapped()
            }
            _ if self.is_name() || self.part() == "(" => self.label_filter(),
            _ => self.fail(STAGE),
        }
    }

    /// A flag that is half typed at the end of the text.
    fn begun_flag(&mut self) -> Read<()> {
        let place = self.place();
        while self.part() == "-" {
            self.step();
        }
        let begun = self.place() > place && self.ended();
        self.go_back(place);
        match begun {
            true => {
                while !self.ended() {
                    self.step();
                }
                self.fail("--strict or --keep-empty")
            }
            false => Ok(()),
        }
    }

    /// `a, b="c.d"`; there may be none.
    fn extractions(&mut self) -> Read<()> {
        if !self.is_name() || matches!(self.word().as_str(), "or" | "and" | "offset" | "unless") {
            return Ok(());
        }
        loop {
            self.name("the name of a label has to stand here")?;
            if self.eat("=") {
                self.quoted("where the label is taken from stands in quotes")?;
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    /// `to=from, to="template"`
    fn renamed(&mut self) -> Read<()> {
        loop {
            self.name("label_format wants to=from or to=\"template\"")?;
            self.want("=", "`=` has to follow")?;
            match self.is_text() || self.is_name() {
                true => self.step(),
                false => return self.fail("a label or a text in quotes has to follow `=`"),
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    /// Labels, each with what is asked of it or without.
    fn chosen(&mut self) -> Read<()> {
        loop {
            let compared = self.is_compared();
            self.name("the name of a label has to stand here")?;
            if compared {
                self.comparison()?;
                self.quoted("the value of a label stands in quotes: \"…\"")?;
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    fn unwrapped(&mut self) -> Read<()> {
        let calls = self.next_part() == "(";
        self.name("`unwrap` wants the name of a label")?;
        if calls {
            self.step();
            self.name("the name of a label has to stand here")?;
            return self.want(")", "`)` is missing");
        }
        Ok(())
    }

    fn label_filter(&mut self) -> Read<()> {
        self.one_filter()?;
        loop {
            let bound = self.eat("and") || self.eat("or") || self.eat(",");
            // Two without a word between them are meant both.
            let beside = self.part() == "(" || self.is_name() && self.is_compared();
            if !bound && !beside {
                return Ok(());
            }
            self.one_filter()?;
        }
    }

    fn one_filter(&mut self) -> Read<()> {
        if self.part() == "(" {
            self.deeper()?;
            self.step();
            self.label_filter()?;
            self.depth -= 1;
            return self.want(")", "`)` is missing");
        }
        let name = self.name("a filter of a label has to stand here: status >= 500")?;
        let operator = self.token();
        let known = ["=", "!=", "=~", "!~", "==", ">", ">=", "<", "<="];
        if !known.contains(&self.part()) {
            return match self.ended() {
                true => self.fail("an operator has to follow, as in status >= 500"),
                false => self.fail_at(name, &unknown_stage(name.of(self.text))),
            };
        }
        self.step();
        self.compared_with(operator)
    }

    fn compared_with(&mut self, operator: Option<Token>) -> Read<()> {
        let sign = operator.map_or("", |o| o.of(self.text));
        if self.word() == "ip" && self.next_part() == "(" {
            return self.ip();
        }
        if matches!(sign, "=~" | "!~") {
            let value = self.quoted("a regex in quotes has to follow")?;
            return self.regex(value);
        }
        if self.is_text() {
            self.step();
            return match operator.filter(|_| !matches!(sign, "=" | "!=")) {
                Some(operator) => {
                    self.fail_at(operator, "texts are compared by `=`, `!=`, `=~` or `!~`")
                }
                None => Ok(()),
            };
        }
        self.eat("-");
        match self.is_number() {
            true => {
                self.step();
                Ok(())
            }
            false => self.fail(VALUE),
        }
    }
}

fn unknown_stage(word: &str) -> String {
    match super::words::is_range(word) || super::words::is_aggregation(word) {
        true => format!("`{word}` stands around the selector, not after `|`"),
        false => format!("`{word}` is no parser or format, and no operator follows it"),
    }
}
