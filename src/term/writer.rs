//! The output thread: one frame in flight, never more.
//!
//! While a frame is on its way nothing is drawn, so a slow line costs frames and not memory, and
//! the loop that reads keys never waits for the terminal.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::tty::Tty;
use crate::clock;

#[derive(Debug, Default)]
struct Shared {
    /// The frame to be written, or being written (then empty).
    slot: Mutex<Option<Vec<u8>>>,
    changed: Condvar,
    /// Resolves `idle`.
    done: Notify,
    stop: AtomicBool,
    gone: AtomicBool,
    write_us: AtomicU32,
}

#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    pub fn start(tty: Arc<Tty>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("farwatch-output".into())
            .spawn(move || theirs.run(&tty))?;
        Ok(Self { shared })
    }

    pub fn is_idle(&self) -> bool {
        self.shared.lock().is_none()
    }

    pub async fn idle(&self) {
        while !self.is_idle() && !self.is_gone() {
            self.shared.done.notified().await;
        }
    }

    pub fn is_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Acquire)
    }

    /// Hands a frame over. A frame still under way is waited out by the caller (`is_idle`).
    pub fn submit(&self, frame: Vec<u8>) {
        *self.shared.lock() = Some(frame);
        self.shared.changed.notify_all();
    }

    /// Waits until the frame is out, at most so long.
    pub fn settle(&self, within: Duration) {
        let slot = self.shared.lock();
        let _ = self
            .shared
            .changed
            .wait_timeout_while(slot, within, |slot| slot.is_some() && !self.is_gone());
    }

    /// Ends the thread, also in the middle of a frame.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }

    pub fn write_us(&self) -> u32 {
        self.shared.write_us.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<u8>>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, tty: &Tty) {
        while let Some(frame) = self.take() {
            let begin = clock::instant();
            let written = tty.write_frame(&frame, || self.stop.load(Ordering::Acquire));
            let took = begin.elapsed().as_micros();
            self.write_us
                .store(u32::try_from(took).unwrap_or(u32::MAX), Ordering::Relaxed);
            if written.is_err() {
                self.gone.store(true, Ordering::Release);
            }
            *self.lock() = None;
            self.changed.notify_all();
            self.done.notify_one();
            if written.is_err() {
                return;
            }
        }
    }

    /// The next frame; an empty one stays in the slot as the mark of a busy writer.
    fn take(&self) -> Option<Vec<u8>> {
        let mut slot = self.lock();
        loop {
            if self.stop.load(Ordering::Acquire) {
                return None;
            }
            if let Some(frame) = slot.as_mut() {
                return Some(std::mem::take(frame));
            }
            slot = self
                .changed
                .wait(slot)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
