//! The terminal: entered, painted, read, and given back whatever happens.
//!
//! Nothing here asks the terminal a question and waits for the answer: one that answers nothing
//! must not cost a moment. Input is read by our own small parser, because the usual library keeps
//! reading in a circle when the terminal is gone. Knows nothing of what is shown.

pub mod caps;
pub mod clipboard;
pub mod color;
pub mod guard;
pub mod input;
pub mod paint;
pub mod panic;
mod pen;
pub mod reader;
pub mod tty;
pub mod writer;

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

pub use caps::{Capabilities, ColorDepth};
use guard::Guard;
use paint::Painter;
use reader::Heard;
use writer::Writer;

/// How long an orderly end waits for the last frame to reach the terminal.
const LAST_FRAME: Duration = Duration::from_millis(150);

/// Why no screen can be opened; shown as plain text, exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    #[error(
        "standard input and output are not a terminal; run farwatch in one, or use a command that \
         needs none (`farwatch check`, `farwatch record`; see `farwatch --help`)"
    )]
    NoTerminal,
    #[error(
        "this terminal (TERM={0}) cannot place text on its screen; set TERM to what it really is \
         (xterm-256color, screen, linux), or use a command that needs no screen (`farwatch check`)"
    )]
    Dumb(String),
    #[error("cannot set up the terminal; try another one, or `reset`")]
    Setup(#[from] std::io::Error),
}

/// An open screen: what is drawn into it, and the way out. Dropping it gives the terminal back.
pub struct Screen {
    painter: Painter,
    writer: Writer,
    guard: Guard,
    skipped: u64,
    frames: u64,
    last_bytes: usize,
}

impl Screen {
    /// Takes the terminal over and starts the threads that write and read it.
    pub fn open(
        caps: &Capabilities,
        mouse: bool,
    ) -> Result<(Self, mpsc::Receiver<Heard>), TermError> {
        caps::refuse(caps)?;
        let tty = Arc::new(tty::Tty::open()?);
        let (columns, rows) = tty::size();
        let guard = Guard::enter(Arc::clone(&tty), mouse)?;
        let writer = Writer::start(tty)?;
        let heard = reader::start(caps.ssh)?;
        let screen = Self {
            painter: Painter::new(columns, rows, caps),
            writer,
            guard,
            skipped: 0,
            frames: 0,
            last_bytes: 0,
        };
        Ok((screen, heard))
    }

    pub fn size(&self) -> (u16, u16) {
        self.painter.size()
    }

    /// The terminal has another size now: the next frame is painted whole.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.painter.resize(columns, rows);
    }

    /// The next frame is painted whole.
    pub fn repaint(&mut self) {
        self.painter.repaint();
    }

    /// Whether the last frame has been written out.
    pub fn is_idle(&self) -> bool {
        self.writer.is_idle()
    }

    /// Resolves when the writer has become idle.
    pub async fn idle(&self) {
        self.writer.idle().await;
    }

    /// The terminal can be written no more.
    pub fn is_gone(&self) -> bool {
        self.writer.is_gone()
    }

    /// Counts a frame that was due while the former was still on its way.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Draws a frame and hands what changed to the writer. Call it only when `is_idle`.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) {
        let bytes = self.painter.frame(draw);
        if bytes.is_empty() {
            return;
        }
        self.last_bytes = bytes.len();
        self.frames += 1;
        self.writer.submit(bytes);
    }

    /// Bytes that go before the next frame (the clipboard).
    pub fn control(&mut self, bytes: &[u8]) {
        self.painter.control(bytes);
    }

    /// Gives the terminal back for the time that the process is stopped.
    pub fn leave(&mut self) {
        self.writer.settle(LAST_FRAME);
        self.guard.leave();
    }

    /// Takes it again; the next frame is painted whole.
    pub fn reenter(&mut self) -> Result<(), TermError> {
        self.guard.reenter()?;
        self.painter.repaint();
        Ok(())
    }

    /// Frames handed over, frames skipped, bytes of the last one, time it took to write it (µs).
    pub fn figures(&self) -> (u64, u64, usize, u32) {
        (
            self.frames,
            self.skipped,
            self.last_bytes,
            self.writer.write_us(),
        )
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.writer.settle(LAST_FRAME);
        self.writer.stop();
        self.guard.leave();
    }
}
