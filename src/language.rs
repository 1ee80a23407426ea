//! Query languages as data and pure functions: what a text is made of, what can be completed where
//! the cursor stands, and what is wrong with it. Places are byte offsets on character boundaries.

pub mod logql;
pub mod promql;
mod shape;
mod spot;
pub mod traceql;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Blank,
    Name,
    Label,
    Text,
    Number,
    Function,
    Keyword,
    Operator,
    Bracket,
    Comment,
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

impl Token {
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// What is wrong, where, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// Right so far, more has to come: no mistake while it is typed.
    pub unfinished: bool,
}

/// A word of the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: &'static str,
    pub kind: &'static str,
    pub help: &'static str,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Words of the language.
    Words(&'static [Word]),
    /// Names of what is queried: metrics.
    Names,
    /// Names of labels, those of this metric first.
    Labels { of: Option<String> },
    /// Values of a label, those of this metric first; of logs, only what this selector keeps.
    Values { label: String, of: Option<String> },
    /// Whole queries to begin with.
    Snippets,
    /// Values of a label that are no texts: numbers, truths.
    Bare { label: String },
}

/// One kind of thing that may stand here, and how it is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub what: What,
    pub before: &'static str,
    pub after: &'static str,
    /// Characters the cursor goes back from the end.
    pub back: usize,
    /// Stands within quotes: what would end them is escaped.
    pub quoted: bool,
}

impl Want {
    pub fn plain(what: What) -> Self {
        Self {
            what,
            before: "",
            after: "",
            back: 0,
            quoted: false,
        }
    }

    pub fn followed(self, after: &'static str, back: usize) -> Self {
        Self {
            after,
            back,
            ..self
        }
    }
}

/// What is completed at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What is replaced.
    pub start: usize,
    pub end: usize,
    /// What stands there before the cursor.
    pub typed: String,
    pub wants: Vec<Want>,
    /// The list opens although nothing is typed yet.
    pub eager: bool,
}

/// A language, as an editor needs it.
pub struct Language {
    pub name: &'static str,
    /// Parts that cover the text exactly, in order.
    pub highlight: fn(&str) -> Vec<Token>,
    pub place: fn(&str, usize) -> Option<Place>,
    pub check: fn(&str) -> Option<Problem>,
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
