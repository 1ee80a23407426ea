//! The input thread: waits for bytes, parses them, hands events to the loop in batches.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::input::Parser;
use super::tty::timespec;
use crate::model::input::InputEvent;

/// What the input thread says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Events(Vec<InputEvent>),
    /// The terminal is gone: end of file or an error.
    Gone,
}

/// Events handed over at once: between two batches the loop looks at signals and frames.
const BATCH: usize = 256;
/// How long a lone ESC may be the beginning of a sequence.
const ESCAPE: Duration = Duration::from_millis(3);
/// The same where packets may split it.
const ESCAPE_SSH: Duration = Duration::from_millis(20);

pub fn start(ssh: bool) -> io::Result<mpsc::Receiver<Heard>> {
    let (send, receive) = mpsc::channel(32);
    let escape = if ssh { ESCAPE_SSH } else { ESCAPE };
    std::thread::Builder::new()
        .name("farwatch-input".into())
        .spawn(move || {
            read(&send, escape);
            let _ = send.blocking_send(Heard::Gone);
        })?;
    Ok(receive)
}

/// Returns when the terminal or the loop is gone.
fn read(send: &mpsc::Sender<Heard>, escape: Duration) {
    let stdin = io::stdin();
    let stdin = stdin.as_fd();
    let mut parser = Parser::default();
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let mut events = Vec::new();
        let wait = parser.is_waiting().then(|| timespec(escape));
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, wait.as_ref()) {
            Ok(0) => parser.flush(&mut events),
            Ok(_) => match rustix::io::read(stdin, bytes.as_mut_slice()) {
                Ok(0) => return,
                Ok(n) => parser.feed(bytes.get(..n).unwrap_or_default(), &mut events),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return,
            },
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
        let mut rest = events.into_iter();
        loop {
            let batch: Vec<_> = rest.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            if send.blocking_send(Heard::Events(batch)).is_err() {
                return;
            }
        }
    }
}
