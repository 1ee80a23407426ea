//! What may be put in at the cursor, best match first.

use std::cmp::Reverse;
use std::ops::Range;

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{Known, Offer};
use crate::language::{Place, Want, What};

/// Rows kept; how many more match is told.
const MOST: usize = 500;
/// Longest help that is kept.
const HELP: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub text: String,
    pub kind: String,
    pub help: String,
    puts: String,
    /// Place in the wants.
    want: usize,
}

#[derive(Clone, Debug)]
pub struct List {
    place: Place,
    pub rows: Vec<Row>,
    pub matched: usize,
    pub note: String,
    /// `None`: nothing is chosen, Enter runs the query.
    pub at: Option<usize>,
}

/// Rates texts by how well they match what is typed.
pub struct Rater {
    atom: Option<Atom>,
    matcher: Matcher,
    letters: Vec<char>,
}

impl Rater {
    pub fn new(typed: &str) -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        let atom = || {
            Atom::new(
                typed,
                CaseMatching::Smart,
                Normalization::Smart,
                AtomKind::Fuzzy,
                false,
            )
        };
        Self {
            atom: (!typed.is_empty()).then(atom),
            matcher: Matcher::new(config),
            letters: Vec::new(),
        }
    }

    /// `None`: does not match.
    pub fn rate(&mut self, text: &str) -> Option<u16> {
        let Some(atom) = &self.atom else {
            return Some(0);
        };
        atom.score(Utf32Str::new(text, &mut self.letters), &mut self.matcher)
    }
}

/// Keeps the best rows without sorting all that match.
#[derive(Default)]
pub struct Best {
    rows: Vec<(Reverse<u16>, usize, usize, Row)>,
    matched: usize,
}

impl Best {
    pub fn add(&mut self, score: u16, offer: Offer<'_>, want: usize) {
        self.matched += 1;
        let help = offer.help.char_indices().nth(HELP).map(|(at, _)| at);
        let help = offer.help.get(..help.unwrap_or(offer.help.len()));
        let row = Row {
            text: offer.text.to_owned(),
            kind: offer.kind.to_owned(),
            help: help.unwrap_or_default().to_owned(),
            puts: offer.puts.to_owned(),
            want,
        };
        self.rows
            .push((Reverse(score), offer.text.len(), self.matched, row));
        if self.rows.len() >= MOST * 4 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.rows
            .sort_by_key(|(score, length, number, _)| (*score, *length, *number));
        self.rows.truncate(MOST);
    }

    /// In the order in which they came, where nothing is typed.
    pub fn rows(mut self, rated: bool) -> (Vec<Row>, usize) {
        match rated {
            true => self.cut(),
            false => {
                self.rows.sort_by_key(|(_, _, number, _)| *number);
                self.rows.truncate(MOST);
            }
        }
        let rows = self.rows.into_iter().map(|(.., row)| row);
        (rows.collect(), self.matched)
    }
}

impl List {
    /// `None`: there is nothing to choose.
    pub fn of(place: Place, known: &dyn Known, forced: bool) -> Option<Self> {
        let mut best = Best::default();
        let mut rater = Rater::new(&place.typed);
        let mut note = String::new();
        for (number, want) in place.wants.iter().enumerate() {
            let mut take = |offer: Offer<'_>| {
                if let Some(score) = rater.rate(offer.text) {
                    best.add(score, offer, number);
                }
            };
            match &want.what {
                What::Words(words) => words.iter().for_each(|word| {
                    take(Offer {
                        text: word.text,
                        kind: word.kind,
                        help: word.help,
                        puts: "",
                    });
                }),
                what => {
                    known.each(what, &mut take);
                    if note.is_empty() {
                        note = known.note(what);
                    }
                }
            }
        }
        let (rows, matched) = best.rows(!place.typed.is_empty());
        let same = |row: &Row| row.text == place.typed && row.puts.is_empty();
        let said = rows.len() == 1 && rows.iter().all(same) && !forced;
        if rows.is_empty() && (note.is_empty() || !forced) || said {
            return None;
        }
        Some(Self {
            place,
            rows,
            matched,
            note,
            at: None,
        })
    }

    /// A list of whole texts, the first one chosen.
    pub fn whole(rows: Vec<Row>, matched: usize) -> Self {
        Self {
            place: Place {
                start: 0,
                end: 0,
                typed: String::new(),
                wants: vec![Want::plain(What::Snippets)],
                eager: false,
            },
            at: Some(0).filter(|_| !rows.is_empty()),
            rows,
            matched,
            note: String::new(),
        }
    }

    pub fn is_chosen(&self) -> bool {
        self.at.is_some()
    }

    pub fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = match self.at {
            None if by > 0 => Some((by.unsigned_abs() - 1).min(last)),
            None => None,
            Some(0) if by < 0 && !self.place.wants.iter().all(|w| w.what == What::Snippets) => None,
            Some(at) => Some(at.saturating_add_signed(by).min(last)),
        };
        if self.rows.is_empty() {
            self.at = None;
        }
    }

    /// Chooses the row that was chosen in the list before this one.
    pub fn choose_again(&mut self, before: &List) {
        let chosen = before.at.and_then(|at| before.rows.get(at));
        self.at = chosen.and_then(|row| self.rows.iter().position(|r| r == row));
    }

    /// What the row chosen stands for, whole.
    pub fn taken(&self) -> Option<String> {
        let row = self.rows.get(self.at?)?;
        Some(match row.puts.is_empty() {
            true => row.text.clone(),
            false => row.puts.clone(),
        })
    }

    /// Bytes that are replaced, by what, and how far the cursor goes back from its end.
    pub fn put(&self) -> Option<(Range<usize>, String, usize)> {
        let row = self.rows.get(self.at.unwrap_or(0))?;
        let want = self.place.wants.get(row.want)?;
        let text = match row.puts.is_empty() {
            true => &row.text,
            false => &row.puts,
        };
        let text = match want.quoted {
            true => text.replace('\\', "\\\\").replace('"', "\\\""),
            false => text.clone(),
        };
        let text = format!("{}{text}{}", want.before, want.after);
        Some((self.place.start..self.place.end, text, want.back))
    }
}
