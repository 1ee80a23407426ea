//! The way out to the terminal: writes that never block for long.
//!
//! The terminal is opened once more by its name, so that "do not block" is ours alone: the flag
//! sits on the open file, which the shell and its other programs share with us on the standard
//! descriptors. Where the name cannot be opened, small writes after a poll come close.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush, tcgetwinsize, ttyname};

/// How long one wait for room lasts before it is asked whether to go on.
const SLICE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Tty {
    fd: OwnedFd,
    /// The descriptor is shared and blocks: write little at a time.
    shared: bool,
    /// Whose turn it is; held while a piece of a frame is handed to the kernel.
    turn: Mutex<Turn>,
}

/// Frames may be written only while the terminal is taken, and the rest of one that was begun
/// before it was given back must not come out afterwards.
#[derive(Debug, Default)]
struct Turn {
    taken: bool,
    times: u64,
}

impl Tty {
    pub fn open() -> io::Result<Self> {
        let stdout = io::stdout();
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let own = ttyname(stdout.as_fd(), Vec::new())
            .and_then(|name| open(name.as_c_str(), flags, Mode::empty()));
        match own {
            Ok(fd) => Ok(Self::new(fd, false)),
            Err(_) => Ok(Self::new(stdout.as_fd().try_clone_to_owned()?, true)),
        }
    }

    fn new(fd: OwnedFd, shared: bool) -> Self {
        Self {
            fd,
            shared,
            turn: Mutex::default(),
        }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on frames pass.
    pub fn take(&self) {
        let mut turn = self.turn();
        turn.taken = true;
        turn.times += 1;
    }

    /// From here on none does; one under way ends where it is.
    pub fn give_back(&self) {
        self.turn().taken = false;
    }

    /// Throws away what nobody has read yet.
    pub fn discard(&self) {
        let _ = tcflush(&self.fd, QueueSelector::OFlush);
    }

    /// Writes all of it, as fast as the terminal takes it, unless `give_up` says to stop.
    /// `false`: given up. An error: the terminal is gone.
    pub fn write(&self, bytes: &[u8], give_up: impl Fn() -> bool) -> io::Result<bool> {
        self.write_while(bytes, || Some(()).filter(|()| !give_up()))
    }

    /// The same for a frame: it stops also when the terminal is given back.
    pub fn write_frame(&self, bytes: &[u8], give_up: impl Fn() -> bool) -> io::Result<bool> {
        let times = self.turn().times;
        self.write_while(bytes, || {
            let turn = self.turn();
            let ours = turn.taken && turn.times == times && !give_up();
            ours.then_some(turn)
        })
    }

    /// Asks before each piece, and keeps what it gets until the piece is written.
    fn write_while<T>(&self, mut bytes: &[u8], ask: impl Fn() -> Option<T>) -> io::Result<bool> {
        let most = if self.shared { 128 } else { 16 * 1024 };
        while !bytes.is_empty() {
            let room = !self.shared || self.wait()?;
            let Some(held) = ask() else {
                return Ok(false);
            };
            if !room {
                continue;
            }
            let piece = bytes.get(..most).unwrap_or(bytes);
            let written = rustix::io::write(&self.fd, piece);
            drop(held);
            match written {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::AGAIN) => {
                    self.wait()?;
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(true)
    }

    /// Waits a moment for room.
    fn wait(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
        match poll(&mut fds, Some(&timespec(SLICE))) {
            Ok(0) | Err(Errno::INTR) => Ok(false),
            Ok(_) => {
                let [fd] = &fds;
                if fd.revents().intersects(PollFlags::HUP | PollFlags::ERR) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Ok(true)
            }
            Err(e) => Err(e.into()),
        }
    }
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// Columns and rows as the kernel knows them; 80x24 where it does not.
pub fn size() -> (u16, u16) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}
