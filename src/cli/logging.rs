//! The log: JSON lines in a file of the state folder, rotated by size, never on the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Five files of ten megabytes: the newest is `farwatch.log`, the oldest `farwatch.log.4`.
const FILE_BYTES: u64 = 10_000_000;
const FILES: u32 = 5;

/// Lines that may wait for a slow disk; what comes on top is lost. (The library's own room for 128,000
/// costs 4 MB before the first line.)
const WAITING_LINES: usize = 4096;

/// Keeps the log flowing; what waits is written when it is dropped.
#[derive(Debug)]
pub struct Log {
    _guard: Option<WorkerGuard>,
    /// Why there is no log, for the operator.
    pub notice: Option<String>,
}

/// Where the log is kept.
pub fn folder() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "farwatch")?;
    Some(
        dirs.state_dir()
            .unwrap_or(dirs.data_local_dir())
            .to_path_buf(),
    )
}

/// Starts logging. Without a log the program still runs, and says why.
pub fn start(level: &str) -> Log {
    let without = |notice: String| Log {
        _guard: None,
        notice: Some(notice),
    };
    let filter = match filter(level) {
        Ok(filter) => filter,
        Err(error) => return without(format!("--log-level {level}: {error}; nothing is logged")),
    };
    let Some(folder) = folder() else {
        return without("no home folder is known; nothing is logged".into());
    };
    let file = match Rotating::open(&folder, FILE_BYTES, FILES) {
        Ok(file) => file,
        Err(error) => {
            return without(format!("{}: {error}; nothing is logged", folder.display()));
        }
    };
    // Lossy: a full disk or a slow home folder must not hold up the screen.
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .finish(file);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish();
    if let Err(error) = tracing::subscriber::set_global_default(subscriber) {
        return without(format!("the log is already taken: {error}"));
    }
    Log {
        _guard: Some(guard),
        notice: None,
    }
}

/// A bare level holds for farwatch; the libraries are heard from `warn` on.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let bare = ["error", "warn", "info", "debug", "trace", "off"].contains(&level);
    let directives = match level {
        "error" | "off" => level.to_owned(),
        _ if bare => format!("warn,farwatch={level}"),
        _ => level.to_owned(),
    };
    // Below that its client repeats what servers answer, and some quote what they were sent.
    let quiet = "kube_client::client=info";
    EnvFilter::builder().parse(match level {
        "error" | "off" => directives,
        _ => format!("{directives},{quiet}"),
    })
}

/// A log file that moves aside when it is full.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
    files: u32,
}

impl Rotating {
    fn open(folder: &Path, limit: u64, files: u32) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("farwatch.log");
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            size,
            limit,
            files,
        })
    }

    fn numbered(&self, n: u32) -> PathBuf {
        if n == 0 {
            self.path.clone()
        } else {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        for n in (0..self.files.saturating_sub(1)).rev() {
            let from = self.numbered(n);
            if from.exists() {
                std::fs::rename(from, self.numbered(n + 1))?;
            }
        }
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

/// Readable by the owner alone: addresses and queries are nobody else's business.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.size > 0 && self.size + length > self.limit && self.rotate().is_err() {
            // It cannot be moved aside: begin anew rather than grow without end.
            self.file.set_len(0)?;
            self.size = 0;
        }
        self.file.write_all(line)?;
        self.size += length;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_rotated_and_capped() {
        let folder = tempfile::tempdir().expect("folder");
        let mut log = Rotating::open(folder.path(), 100, 3).expect("open");
        for n in 0..50 {
            let line = format!("line {n:04} of the log\n");
            log.write_all(line.as_bytes()).expect("write");
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("list")
            .map(|e| e.expect("entry").file_name().into_string().expect("utf-8"))
            .collect();
        names.sort();
        assert_eq!(names, ["farwatch.log", "farwatch.log.1", "farwatch.log.2"]);
        for name in names {
            let text = std::fs::read_to_string(folder.path().join(name)).expect("read");
            assert!(text.len() <= 100 && text.ends_with('\n'), "{text}");
        }
        let newest = std::fs::read_to_string(folder.path().join("farwatch.log")).expect("read");
        assert!(newest.contains("line 0049"), "{newest}");
    }

    #[test]
    fn levels() {
        for level in [
            "error",
            "warn",
            "info",
            "debug",
            "trace",
            "off",
            "farwatch::source=trace",
        ] {
            assert!(filter(level).is_ok(), "{level}");
        }
        assert!(filter("farwatch=loud").is_err());
    }
}
