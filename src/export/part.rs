//! A file that is at its place only when it is whole, and for its owner only.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Written beside its place; gone again unless it is kept.
#[derive(Debug)]
pub struct Part {
    file: File,
    part: PathBuf,
    out: PathBuf,
    kept: bool,
}

impl Part {
    pub fn create(out: &Path) -> io::Result<Self> {
        if out.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        Ok(Self {
            file,
            part,
            out: out.to_owned(),
            kept: false,
        })
    }

    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Moves what was written to its place, over what is there.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.part, &self.out)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn stands_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("folder");
        let out = folder.path().join("x.csv");
        std::fs::write(&out, "old").expect("written");
        let files = || std::fs::read_dir(folder.path()).expect("folder").count();

        let part = Part::create(&out).expect("created");
        part.file()
            .expect("file")
            .write_all(b"half")
            .expect("written");
        drop(part);
        assert_eq!(std::fs::read_to_string(&out).expect("there"), "old");
        assert_eq!(files(), 1);

        let part = Part::create(&out).expect("created");
        part.file()
            .expect("file")
            .write_all(b"new")
            .expect("written");
        part.keep().expect("kept");
        assert_eq!(std::fs::read_to_string(&out).expect("there"), "new");
        let mode = std::fs::metadata(&out).expect("there").permissions().mode();
        assert_eq!((mode & 0o777, files()), (0o600, 1));
        assert!(Part::create(folder.path()).is_err());
    }
}
