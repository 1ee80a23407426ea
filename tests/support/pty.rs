//! The real program in a real terminal: a shell with job control runs it, a thread reads what it
//! writes, a model of the screen shows what an operator would see.
//!
//! The shell stays after the program has ended, as an operator's does. Only so can be seen in
//! which modes the terminal was left: the kernel puts them right when the last process goes.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use farwatch::clock;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Long enough for a busy machine of two cores; only a failure takes so long.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Runs the program as a foreground job, says how it ended, and then waits for a line. With
/// `INPUT_FROM` its standard input is that file.
const SHELL: &str = r#"
set -m
sh -c 'echo "pid $$."; [ -z "$INPUT_FROM" ] || exec <"$INPUT_FROM"; exec "$@"' sh "$@"
code=$?
while [ $code = 147 ] || [ $code = 148 ]; do
    echo "stopped."
    read line
    fg >/dev/null
    code=$?
done
echo "ended $code."
read line
"#;

/// The Esc key in a form that no byte behind it can change: a lone ESC is decided by time, but ESC
/// before another sequence (a report that nobody asked for) is the key at once.
pub const ESC: &str = "\x1b\x1b[0n";

pub struct Start<'a> {
    pub arguments: Vec<&'a str>,
    pub env: Vec<(&'a str, &'a str)>,
    pub size: (u16, u16),
    /// Text of the configuration file; none: no file is named.
    pub config: Option<&'a str>,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self {
            arguments: Vec::new(),
            env: Vec::new(),
            size: (120, 36),
            config: None,
        }
    }
}

#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    screen: Option<vt100::Parser>,
    /// Nothing is read meanwhile.
    deaf: bool,
    closing: bool,
    ended: bool,
}

struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Master = Box<dyn MasterPty + Send>;

pub struct Pty {
    shell: Box<dyn Child + Send + Sync>,
    master: Option<Master>,
    input: Option<Box<dyn Write + Send>>,
    reader: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    /// Modes before the program was started, as text.
    cooked: String,
    home: TempDir,
}

/// The settings of the terminal, comparable.
fn modes(master: &Master) -> String {
    format!("{:?}", master.get_termios().expect("termios"))
}

fn side(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("not zero")
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        ..PtySize::default()
    }
}

/// An environment in which nothing of the machine shows.
pub fn environment(home: &Path) -> Vec<(String, String)> {
    let home = home.display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    [
        ("PATH", path),
        ("HOME", home.clone()),
        ("XDG_CONFIG_HOME", format!("{home}/config")),
        ("XDG_STATE_HOME", format!("{home}/state")),
        ("XDG_CACHE_HOME", format!("{home}/cache")),
        ("XDG_DATA_HOME", format!("{home}/data")),
        ("TERM", "xterm-256color".into()),
        ("COLORTERM", "truecolor".into()),
        ("LANG", "C.UTF-8".into()),
        ("TZ", "UTC".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

impl Pty {
    pub fn start(start: &Start<'_>) -> Self {
        let home = tempfile::tempdir().expect("home");
        let pair = native_pty_system()
            .openpty(pty_size(start.size))
            .expect("pty");
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", SHELL, "sh", env!("CARGO_BIN_EXE_farwatch")]);
        command.args(&start.arguments);
        if let Some(text) = start.config {
            let file = home.path().join("farwatch.toml");
            std::fs::write(&file, text).expect("configuration");
            command.args(["--config".as_ref(), file.as_os_str()]);
        }
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in environment(home.path()) {
            command.env(name, value);
        }
        for (name, value) in &start.env {
            command.env(name, value);
        }
        let cooked = modes(&pair.master);
        let (columns, rows) = start.size;
        let shared = Arc::new(Shared {
            heard: Mutex::new(Heard {
                screen: Some(vt100::Parser::new(side(rows), side(columns), 0)),
                ..Heard::default()
            }),
            changed: Condvar::new(),
        });
        let output = pair.master.try_clone_reader().expect("reader");
        let theirs = Arc::clone(&shared);
        let reader = std::thread::spawn(move || read(output, &theirs));
        Self {
            shell: pair.slave.spawn_command(command).expect("sh"),
            input: Some(pair.master.take_writer().expect("writer")),
            master: Some(pair.master),
            reader: Some(reader),
            shared,
            cooked,
            home,
        }
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    pub fn screen(&self) -> String {
        let heard = self.shared.lock();
        let screen = heard.screen.as_ref().expect("open").screen();
        screen.contents()
    }

    /// What the model of the terminal knows beyond the text.
    pub fn model<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.shared.lock().screen.as_ref().expect("open").screen())
    }

    /// All that was written to the terminal so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.shared.lock().bytes.clone()
    }

    /// Waits until these bytes have come, wherever they stand on the screen.
    #[track_caller]
    pub fn hear(&self, text: &str) {
        let has = |h: &Heard| h.bytes.windows(text.len()).any(|w| w == text.as_bytes());
        self.until(text, has);
    }

    #[track_caller]
    fn until(&self, what: &str, mut is: impl FnMut(&Heard) -> bool) {
        let until = clock::instant() + PATIENCE;
        let mut heard = self.shared.lock();
        while !is(&heard) {
            let left = until.saturating_duration_since(clock::instant());
            if left.is_zero() {
                let screen = heard.screen.as_ref().map(|s| s.screen().contents());
                let screen = screen.unwrap_or_default();
                panic!("{what}: not in time; the screen is\n{screen}");
            }
            let (next, _) = self
                .shared
                .changed
                .wait_timeout(heard, left.min(Duration::from_millis(50)))
                .unwrap_or_else(PoisonError::into_inner);
            heard = next;
        }
    }

    /// Waits until the text is on the screen.
    #[track_caller]
    pub fn see(&self, text: &str) -> &Self {
        self.until(&format!("{text:?}"), |heard| {
            let screen = heard.screen.as_ref().expect("open");
            screen.screen().contents().contains(text)
        });
        self
    }

    /// Waits until the text is gone.
    #[track_caller]
    pub fn lose(&self, text: &str) -> &Self {
        self.until(&format!("no more {text:?}"), |heard| {
            let screen = heard.screen.as_ref().expect("open");
            !screen.screen().contents().contains(text)
        });
        self
    }

    /// Waits until the screen satisfies.
    #[track_caller]
    pub fn wait(&self, what: &str, is: impl Fn(&str) -> bool) -> &Self {
        self.until(what, |heard| {
            is(&heard.screen.as_ref().expect("open").screen().contents())
        });
        self
    }

    /// Waits until these bytes were written.
    #[track_caller]
    pub fn wait_bytes(&self, bytes: &[u8]) -> &Self {
        self.until("these bytes", |heard| {
            memchr::memmem::find(&heard.bytes, bytes).is_some()
        });
        self
    }

    pub fn type_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let input = self.input.as_mut().expect("open");
        input.write_all(bytes).expect("typed");
        input.flush().expect("typed");
        self
    }

    /// `<esc>` is the Esc key, whatever stands behind it.
    pub fn keys(&mut self, text: &str) -> &mut Self {
        self.type_bytes(text.replace("<esc>", ESC).as_bytes())
    }

    pub fn paste(&mut self, text: &[u8]) -> &mut Self {
        self.type_bytes(b"\x1b[200~")
            .type_bytes(text)
            .type_bytes(b"\x1b[201~")
    }

    /// Process of the program itself.
    #[track_caller]
    pub fn pid(&self) -> Pid {
        let mut found = None;
        self.until("its process id", |heard| {
            let text = String::from_utf8_lossy(heard.bytes.get(..80).unwrap_or(&heard.bytes));
            let after = text.split_once("pid ").map(|(_, rest)| rest.to_owned());
            let number = after.and_then(|rest| Some(rest.split_once('.')?.0.to_owned()));
            found = number.and_then(|n| n.parse().ok());
            found.is_some()
        });
        Pid::from_raw(found.expect("found")).expect("a process")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("signalled");
    }

    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        let mut heard = self.shared.lock();
        let screen = heard.screen.as_mut().expect("open");
        screen.screen_mut().set_size(side(rows), side(columns));
        drop(heard);
        let master = self.master.as_ref().expect("open");
        master.resize(pty_size((columns, rows))).expect("resized");
    }

    /// From here on nobody reads what the program writes, or somebody does again.
    pub fn deaf(&self, deaf: bool) {
        self.shared.lock().deaf = deaf;
        self.shared.changed.notify_all();
    }

    /// Waits until the shell says that the program ended; gives its exit status.
    #[track_caller]
    pub fn ended(&self) -> u8 {
        self.see("ended ").see(".");
        let screen = self.screen();
        let (_, rest) = screen.split_once("ended ").expect("seen");
        let (code, _) = rest.split_once('.').expect("a number");
        code.parse().expect("a number")
    }

    /// The settings of the terminal are those of the shell: line mode, echo, signals.
    #[track_caller]
    pub fn assert_cooked(&self) {
        let now = modes(self.master.as_ref().expect("open"));
        assert_eq!(now, self.cooked, "modes of the terminal");
    }

    pub fn is_raw(&self) -> bool {
        modes(self.master.as_ref().expect("open")) != self.cooked
    }

    /// Closes our side: the terminal is gone. The program has to end.
    pub fn hang_up(&mut self) {
        self.shared.lock().closing = true;
        // Something to paint, so that the reader wakes up and lets go.
        self.keys("?");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reader");
        }
        self.input = None;
        self.master = None;
    }

    /// Waits until the process is no more, whoever has to bury it.
    #[track_caller]
    pub fn assert_gone(pid: Pid) {
        let until = clock::instant() + PATIENCE;
        while is_alive(pid) {
            assert!(clock::instant() < until, "process {pid:?} lives on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// One letter, as `ps` shows it; `None` when there is no such process.
pub fn process_state(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub fn is_alive(pid: Pid) -> bool {
    process_state(pid).is_some_and(|state| state != 'Z')
}

fn read(mut output: Box<dyn Read + Send>, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        {
            let mut heard = shared.lock();
            while heard.deaf && !heard.closing {
                heard = shared
                    .changed
                    .wait(heard)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        let count = output.read(&mut buffer).unwrap_or(0);
        let mut heard = shared.lock();
        let bytes = &buffer[..count];
        heard.bytes.extend_from_slice(bytes);
        if let Some(screen) = heard.screen.as_mut() {
            screen.process(bytes);
        }
        heard.ended = count == 0;
        let stop = heard.ended || heard.closing;
        drop(heard);
        shared.changed.notify_all();
        if stop {
            return;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A test that failed leaves a program behind: the shell's end takes it along.
        let heard = self.shared.lock();
        let text = String::from_utf8_lossy(heard.bytes.get(..80).unwrap_or(&heard.bytes));
        let number = text
            .split_once("pid ")
            .and_then(|(_, rest)| rest.split_once('.')?.0.parse().ok());
        let pid = number.and_then(Pid::from_raw);
        let over = String::from_utf8_lossy(&heard.bytes).contains("ended ");
        drop(heard);
        if let Some(pid) = pid.filter(|_| !over) {
            let _ = kill_process(pid, Signal::KILL);
        }
        self.deaf(false);
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
