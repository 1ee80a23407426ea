//! The player's task: waits until something of the recording is due, and tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Begin, Fed};
use crate::bundle::Reader;
use crate::message::{ReplayCommand, ReplayStatus};
use crate::model::telemetry::Telemetry;
use crate::model::time::Timestamp;

/// The replayed clock ticks on whole seconds, whatever the speed.
const TICK_MS: i64 = 1000;
/// Things told before commands are looked at again.
const BURST: usize = 256;
/// How often the state of the player is told while nothing else changes.
const STATUS_EVERY: Duration = Duration::from_millis(500);

/// The loop is gone: nobody listens.
struct Gone;

pub struct Play {
    reader: Reader,
    out: mpsc::Sender<Fed>,
    orders: mpsc::Receiver<ReplayCommand>,
    clock: Arc<AtomicI64>,
    file: String,
    /// The delivery that comes next.
    next: Option<Telemetry>,
    next_tick: Timestamp,
    now: Timestamp,
    /// The last moment that can be played: earlier than the recording's end where it is damaged.
    end: Timestamp,
    /// Time went from `.1` on since `.0`, at `speed`.
    anchor: (Instant, Timestamp),
    speed: f64,
    paused: bool,
    ended: bool,
    /// Played as fast as it goes up to here.
    hurry: Option<Timestamp>,
    status_due: Instant,
}

impl Play {
    pub fn new(
        reader: Reader,
        file: String,
        begin: Begin,
        out: mpsc::Sender<Fed>,
        orders: mpsc::Receiver<ReplayCommand>,
        clock: Arc<AtomicI64>,
    ) -> Self {
        let (start, end) = (reader.start(), reader.end());
        let now = Instant::now();
        Self {
            reader,
            out,
            orders,
            clock,
            file,
            next: None,
            next_tick: start,
            now: start,
            end,
            anchor: (now, start),
            speed: sane(begin.speed),
            paused: false,
            ended: false,
            hurry: begin.target(start, end),
            status_due: now,
        }
    }

    pub async fn run(mut self) {
        // The one way out is that nobody listens.
        let _ = self.play().await;
    }

    async fn play(&mut self) -> Result<(), Gone> {
        for trouble in self.reader.troubles() {
            self.trouble(trouble).await?;
        }
        self.fetch().await?;
        self.tell_status(false).await?;
        loop {
            let due = self.due();
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { biased;
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order).await?,
                    None => return Err(Gone),
                },
                () = wait => self.advance().await?,
            }
        }
    }

    /// When something is to be done; `None`: not before a command.
    fn due(&self) -> Option<Instant> {
        if self.hurry.is_some() {
            return Some(Instant::now());
        }
        if self.paused || self.ended {
            return None;
        }
        let first = match &self.next {
            Some(next) => next.received.min(self.next_tick),
            None => self.next_tick,
        };
        let ahead = first.age_since_ms(self.anchor.1) as f64 / self.speed;
        let due = self.anchor.0 + Duration::from_millis(ahead.ceil() as u64);
        Some(due.min(self.status_due))
    }

    /// Where time should be by now.
    fn target(&self) -> Timestamp {
        let target = match self.hurry {
            Some(target) => target,
            None if self.paused => self.now,
            None => {
                let passed = self.anchor.0.elapsed().as_secs_f64() * 1000.0 * self.speed;
                self.anchor.1.plus_ms(passed as i64)
            }
        };
        target.min(self.end).max(self.now)
    }

    /// Tells what is due, at most a burst of it.
    async fn advance(&mut self) -> Result<(), Gone> {
        let target = self.target();
        for _ in 0..BURST {
            // Damage that was met on the way is the end.
            let target = target.min(self.end);
            let frame_at = self.next.as_ref().map(|n| n.received);
            let tick_first = frame_at.is_none_or(|at| self.next_tick <= at);
            if tick_first && self.next_tick <= target {
                self.reach(self.next_tick);
                self.say(Fed::Tick(self.next_tick)).await?;
                self.next_tick = Timestamp((self.next_tick.0.div_euclid(TICK_MS) + 1) * TICK_MS);
            } else if frame_at.is_some_and(|at| at <= target)
                && let Some(frame) = self.next.take()
            {
                self.reach(frame.received);
                self.say(Fed::Telemetry(Box::new(frame))).await?;
                self.fetch().await?;
            } else {
                self.reach(target);
                return self.arrived().await;
            }
        }
        self.tell_status_if_due().await
    }

    /// All that was due is told.
    async fn arrived(&mut self) -> Result<(), Gone> {
        let hurried = self.hurry.take().is_some();
        if hurried {
            self.anchor = (Instant::now(), self.now);
        }
        let over = self.next.is_none() && self.now >= self.end;
        if over && !self.ended {
            self.ended = true;
            return self.tell_status(false).await;
        }
        if hurried {
            return self.tell_status(false).await;
        }
        self.tell_status_if_due().await
    }

    async fn obey(&mut self, order: ReplayCommand) -> Result<(), Gone> {
        match order {
            ReplayCommand::Pause(paused) => self.paused = paused,
            ReplayCommand::Speed(speed) => self.speed = sane(speed),
            ReplayCommand::Seek(target) => return self.seek(target).await,
        }
        self.anchor = (Instant::now(), self.now);
        self.tell_status(false).await
    }

    /// Forward: played as fast as it goes. Back: from the start again, since what the console
    /// knows cannot be unlearned.
    async fn seek(&mut self, target: Timestamp) -> Result<(), Gone> {
        let start = self.reader.start();
        let target = target.clamp(start, self.end);
        let back = target < self.now;
        if back {
            self.reader.rewind();
            self.now = start;
            self.clock.store(start.0, Ordering::Relaxed);
            self.next_tick = start;
            self.ended = false;
            self.fetch().await?;
        }
        self.hurry = Some(target);
        self.tell_status(back).await
    }

    async fn fetch(&mut self) -> Result<(), Gone> {
        match self.reader.next_frame() {
            Ok(next) => self.next = next,
            Err(error) => {
                self.next = None;
                self.end = self.now;
                let hint = error.hint();
                self.trouble(format!("{error}; it is played up to there; {hint}"))
                    .await?;
            }
        }
        Ok(())
    }

    /// Late deliveries do not turn the clock back.
    fn reach(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        self.clock.store(self.now.0, Ordering::Relaxed);
    }

    async fn trouble(&self, what: String) -> Result<(), Gone> {
        self.say(Fed::Trouble(format!("{}: {what}", self.file)))
            .await
    }

    async fn tell_status_if_due(&mut self) -> Result<(), Gone> {
        if Instant::now() < self.status_due {
            return Ok(());
        }
        self.tell_status(false).await
    }

    async fn tell_status(&mut self, restarted: bool) -> Result<(), Gone> {
        self.status_due = Instant::now() + STATUS_EVERY;
        let status = ReplayStatus {
            file: self.file.clone(),
            start: self.reader.start(),
            end: self.end,
            now: self.now,
            speed: self.speed,
            paused: self.paused,
            ended: self.ended,
            seeking: self.hurry,
            restarted,
        };
        self.say(Fed::Status(status)).await
    }

    async fn say(&self, fed: Fed) -> Result<(), Gone> {
        self.out.send(fed).await.map_err(|_| Gone)
    }
}

fn sane(speed: f64) -> f64 {
    if speed.is_finite() {
        speed.clamp(0.1, 1000.0)
    } else {
        1.0
    }
}
