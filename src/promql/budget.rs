//! How much one query may take. Queries come from people and from a model: one that is too big is
//! refused with a reason, and takes neither the memory nor the hour that it asked for.

use super::error::{PromqlError, Result};

/// Points looked at between two looks at whether to go on.
const BETWEEN_LOOKS: u64 = 1 << 16;

/// What a query may take, and who may stop it.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Steps of a range query or subquery; 11,000 in Prometheus.
    pub steps: usize,
    /// Series that a selector, an operator or a function gives.
    pub series: usize,
    /// Values kept on the way to the answer, 8 bytes each; all that were ever kept count.
    pub cells: u64,
    /// Points looked at; each look counts, so a long window at many steps does too.
    pub visits: u64,
    /// Asked every now and then; true: nobody wants the answer any more.
    pub stop: &'a dyn Fn() -> bool,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self {
            steps: 11_000,
            series: 20_000,
            cells: 10_000_000,
            visits: 500_000_000,
            stop: &|| false,
        }
    }
}

pub(super) struct Budget<'a> {
    limits: Limits<'a>,
    cells: u64,
    visits: u64,
    /// Visits at which `stop` is asked again.
    look: u64,
}

impl<'a> Budget<'a> {
    pub fn new(limits: Limits<'a>) -> Self {
        Self {
            limits,
            cells: 0,
            visits: 0,
            look: 0,
        }
    }

    /// Points that were looked at.
    pub fn visit(&mut self, points: usize) -> Result<()> {
        self.visits += points as u64;
        if self.visits > self.limits.visits {
            let most = self.limits.visits;
            return too_big(format!("it looks at more than {most} points"));
        }
        if self.visits >= self.look {
            self.look = self.visits + BETWEEN_LOOKS;
            if (self.limits.stop)() {
                return Err(PromqlError::Stopped);
            }
        }
        Ok(())
    }

    /// Values that are about to be kept.
    pub fn keep(&mut self, series: usize, steps: usize) -> Result<()> {
        self.series(series)?;
        let cells = (series as u64).saturating_mul(steps as u64);
        self.cells = self.cells.saturating_add(cells);
        if self.cells > self.limits.cells {
            let most = self.limits.cells;
            return too_big(format!("it keeps more than {most} values on its way"));
        }
        self.visit(series)
    }

    pub fn series(&self, count: usize) -> Result<()> {
        let most = self.limits.series;
        match count > most {
            true => too_big(format!("it gives more than {most} series")),
            false => Ok(()),
        }
    }

    pub fn steps(&self, count: i64) -> Result<usize> {
        match usize::try_from(count) {
            Ok(steps) if steps <= self.limits.steps => Ok(steps),
            _ => {
                let most = self.limits.steps;
                too_big(format!("it has {count} steps where {most} are the most"))
            }
        }
    }
}

fn too_big<T>(words: String) -> Result<T> {
    Err(PromqlError::TooBig(words))
}
