//! What an endpoint may be asked: so many requests a minute, in small bursts.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::clock;

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
            rate: f64::from(per_minute) / 60.0,
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
            let wait = match self.try_take(clock::instant()).await {
                Ok(()) => return,
                Err(wait) => wait,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One permit now, or how long until the next.
    async fn try_take(&self, now: Instant) -> Result<(), Duration> {
        if self.rate <= 0.0 {
            return Ok(());
        }
        let mut state = self.state.lock().await;
        let gained = now.saturating_duration_since(state.at).as_secs_f64() * self.rate;
        state.permits = (state.permits + gained).min(self.burst);
        state.at = now;
        if state.permits >= 1.0 {
            state.permits -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - state.permits) / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_no_more_than_it_has() {
        let budget = Budget::new(60);
        let start = clock::instant();
        let mut given = 0;
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            while budget.try_take(now).await.is_ok() {
                given += 1;
            }
        }
        assert!((60..=75).contains(&given), "{given}");
        let unlimited = Budget::new(0);
        for _ in 0..1000 {
            assert!(unlimited.try_take(start).await.is_ok());
        }
    }
}
