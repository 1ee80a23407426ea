//! What an endpoint may be asked: so many requests a minute, in small bursts.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::clock;

/// Permits a second that flow steadily: half of the budget. A quarter may be taken at once, and
/// a quarter be owed by questions, so that no minute sees more than the whole.
pub fn steady(per_minute: u32) -> f64 {
    f64::from(per_minute) / 120.0
}

/// A bucket of permits that fills evenly. Live polling, questions and backfill share it.
#[derive(Debug)]
pub struct Budget {
    /// Permits a second; 0 means no limit.
    rate: f64,
    burst: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    permits: f64,
    at: Instant,
}

impl Budget {
    /// `per_minute` of 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        let burst = (f64::from(per_minute) / 4.0).max(1.0);
        Self {
            rate: steady(per_minute),
            burst,
            state: Mutex::new(State {
                permits: burst,
                at: clock::instant(),
            }),
        }
    }

    /// Takes one permit; waits until there is one.
    pub async fn take(&self) {
        loop {
            match self.try_take(clock::instant(), 1.0).await {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Takes one permit ahead of everybody who waits with `take`, on credit if need be.
    pub async fn charge(&self) {
        loop {
            match self.try_take(clock::instant(), 1.0 - self.burst).await {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// One permit now if at least `floor` are there, or how long until then.
    async fn try_take(&self, now: Instant, floor: f64) -> Result<(), Duration> {
        if self.rate <= 0.0 {
            return Ok(());
        }
        let mut state = self.state.lock().await;
        let gained = now.saturating_duration_since(state.at).as_secs_f64() * self.rate;
        state.permits = (state.permits + gained).min(self.burst);
        state.at = now;
        if state.permits >= floor {
            state.permits -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((floor - state.permits) / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken(budget: &Budget, floor: f64, start: Instant, seconds: u64) -> u32 {
        let mut given = 0;
        for second in 0..seconds {
            let now = start + Duration::from_secs(second);
            while budget.try_take(now, floor).await.is_ok() {
                given += 1;
            }
        }
        given
    }

    #[tokio::test]
    async fn no_minute_sees_more_than_the_budget() {
        let budget = Budget::new(60);
        let start = clock::instant();
        // Polls first, then questions on credit, all in one minute.
        let polls = taken(&budget, 1.0, start, 60).await;
        let mut questions = 0;
        while budget
            .try_take(start + Duration::from_secs(60), 1.0 - budget.burst)
            .await
            .is_ok()
        {
            questions += 1;
        }
        assert!((40..=46).contains(&polls), "{polls}");
        assert!(
            questions >= 14 && polls + questions <= 60,
            "{polls} {questions}"
        );
    }

    #[tokio::test]
    async fn nought_is_no_limit() {
        let unlimited = Budget::new(0);
        for _ in 0..1000 {
            unlimited.take().await;
            unlimited.charge().await;
        }
    }
}
