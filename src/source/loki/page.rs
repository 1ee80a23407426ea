//! Reads a long range of log lines in pages, oldest first, so that none is lost and none comes twice.
//!
//! Only decisions: what to ask next, and which lines of an answer are certain. The last nanosecond
//! of a full page may hold more lines than were given: its lines are put back and asked for again.
//! Where one nanosecond alone fills a page, the page grows up to what the server gives.

use crate::model::log::LogLine;

/// A page grows no further, whatever the server says.
const MOST_LINES: u32 = 1 << 20;
/// No shorter piece of time is asked for, nanoseconds.
const SHORTEST_NS: i64 = 1_000_000;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Want {
    pub start_ns: i64,
    /// The first nanosecond that is not wanted.
    pub end_ns: i64,
    /// Most time asked for at once.
    pub chunk_ns: i64,
    /// Lines of a page.
    pub page: u32,
    /// Lines in all; the oldest are kept.
    pub most: Option<u64>,
    /// Else the first page is all.
    pub paginate: bool,
}

/// The next question: lines from `start_ns`, before `end_ns`, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub start_ns: i64,
    pub end_ns: i64,
    pub limit: u32,
}

/// A nanosecond with as many lines as the server gives at once, or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub at_ns: i64,
    /// Lines that were read; those beyond them cannot be.
    pub read: u64,
}

/// What a server refuses, as far as asking for less helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More time than it allows, with what it allows.
    Range(Option<i64>),
    /// More lines than it allows, with what it allows.
    Lines(Option<u32>),
    /// The answer would be too large.
    Size,
    /// The answer takes too long, or too much has to be read for it.
    Work,
}

/// A server that does not keep to what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Astray;

#[derive(Debug)]
pub struct Pager {
    want: Want,
    /// Everything before it is read.
    next_ns: i64,
    /// Most time the server allows, and what is asked for now.
    longest_ns: i64,
    chunk_ns: i64,
    /// Most lines the server allows, and what is asked for at this place.
    ceiling: u32,
    /// The ceiling at this place: here an answer was too large.
    roof: u32,
    limit: u32,
    /// The page had to grow at this place.
    grown: bool,
    left: Option<u64>,
    gaps: Vec<Gap>,
    more: bool,
    done: bool,
}

impl Pager {
    pub fn new(want: Want) -> Self {
        let longest_ns = want.chunk_ns.max(1);
        let page = want.page.clamp(1, MOST_LINES);
        Self {
            next_ns: want.start_ns,
            longest_ns,
            chunk_ns: longest_ns,
            ceiling: MOST_LINES,
            roof: MOST_LINES,
            limit: page,
            grown: false,
            left: want.most,
            gaps: Vec::new(),
            more: false,
            done: want.most == Some(0),
            want: Want { page, ..want },
        }
    }

    /// `None`: all is read.
    pub fn ask(&self) -> Option<Ask> {
        if self.done || self.next_ns >= self.want.end_ns {
            return None;
        }
        let end_ns = self.next_ns.saturating_add(self.chunk_ns);
        // A page that had to grow is not cut: the nanosecond must come whole.
        let limit = match self.left {
            Some(left) if !self.grown => self.limit.min(u32::try_from(left).unwrap_or(u32::MAX)),
            _ => self.limit,
        };
        Some(Ask {
            start_ns: self.next_ns,
            end_ns: end_ns.min(self.want.end_ns),
            limit: limit.max(1),
        })
    }

    /// Takes the answer to [`Pager::ask`] and gives the lines that are certain, oldest first.
    /// `unread`: entries of the answer that were no lines.
    pub fn answered(
        &mut self,
        mut lines: Vec<LogLine>,
        unread: u64,
    ) -> Result<Vec<LogLine>, Astray> {
        let Some(ask) = self.ask() else {
            return Ok(Vec::new());
        };
        let full = lines.len() as u64 + unread >= u64::from(ask.limit);
        lines.retain(|l| (ask.start_ns..ask.end_ns).contains(&l.at_ns));
        lines.sort_by_key(|l| l.at_ns);
        if let Some(left) = self.left
            && lines.len() as u64 >= left
        {
            lines.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.left = Some(0);
            self.done = true;
            self.next_ns = lines.last().map_or(self.next_ns, |l| l.at_ns);
            return Ok(lines);
        }
        if !full {
            self.reached(ask.end_ns);
            // What was too much at one place need not be at the next.
            self.chunk_ns = self.chunk_ns.saturating_mul(2).min(self.longest_ns);
        } else if !self.want.paginate {
            self.more = true;
            self.done = true;
            self.next_ns = lines.last().map_or(self.next_ns, |l| l.at_ns);
        } else {
            self.full(&mut lines, ask)?;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(lines.len() as u64);
        }
        Ok(lines)
    }

    /// A full page: its last nanosecond may go on.
    fn full(&mut self, lines: &mut Vec<LogLine>, ask: Ask) -> Result<(), Astray> {
        let last = lines.last().map(|l| l.at_ns).ok_or(Astray)?;
        let certain = lines.partition_point(|l| l.at_ns < last);
        if certain > 0 {
            lines.truncate(certain);
            self.reached(last);
            return Ok(());
        }
        let most = self.ceiling.min(self.roof);
        if ask.limit < most {
            self.next_ns = last;
            self.limit = ask.limit.saturating_mul(2).min(most);
            self.grown = true;
            lines.clear();
            return Ok(());
        }
        self.gaps.push(Gap {
            at_ns: last,
            read: lines.len() as u64,
        });
        self.reached(last.saturating_add(1));
        Ok(())
    }

    fn reached(&mut self, next_ns: i64) {
        self.next_ns = next_ns;
        self.roof = self.ceiling;
        self.grown = false;
        self.limit = self.want.page.min(self.ceiling);
    }

    /// Learns from a refusal; false where asking for less does not help.
    pub fn refused(&mut self, refusal: Refusal) -> bool {
        let Some(ask) = self.ask() else {
            return false;
        };
        let asked_ns = ask.end_ns - ask.start_ns;
        match refusal {
            Refusal::Range(allowed) => {
                let allowed = allowed.filter(|ns| (1..asked_ns).contains(ns));
                self.longest_ns = allowed.unwrap_or(asked_ns / 2).max(1);
                self.chunk_ns = self.longest_ns;
                asked_ns > 1
            }
            Refusal::Lines(allowed) => {
                let allowed = allowed.filter(|n| (1..ask.limit).contains(n));
                self.ceiling = allowed.unwrap_or(ask.limit / 2).max(1);
                self.roof = self.ceiling;
                self.limit = self.ceiling;
                ask.limit > 1
            }
            Refusal::Size => {
                self.roof = (ask.limit / 2).max(1);
                self.limit = self.roof;
                self.want.page = self.want.page.min(self.roof);
                ask.limit > 1
            }
            Refusal::Work => {
                self.chunk_ns = (asked_ns / 2).max(1);
                asked_ns > SHORTEST_NS
            }
        }
    }

    /// Everything before it is read.
    pub fn up_to_ns(&self) -> i64 {
        self.next_ns.min(self.want.end_ns)
    }

    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The first page was full, and no other was asked for.
    pub fn is_more(&self) -> bool {
        self.more
    }
}

#[cfg(test)]
mod tests;
