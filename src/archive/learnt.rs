//! What the detectors have learned, in a file beside the archive: made anew each time, of its owner
//! alone, with its version, its length and a sum over its bytes. A broken one is not read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::Crc;

const MAGIC: &[u8; 16] = b"farwatch learned";
/// Another one where the engine keeps something else of a series than before.
pub const VERSION: u32 = 2;
/// More is not written, nor read.
pub const MOST: usize = 64 << 20;
/// Magic, version, sum, length.
const HEAD: usize = 16 + 4 + 4 + 8;

#[derive(Debug, thiserror::Error)]
pub enum LearntError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("this is no file of farwatch")]
    Foreign,
    #[error("written by another farwatch (version {0} of the file, known is {VERSION})")]
    Version(u32),
    #[error("it is cut or broken")]
    Broken,
    #[error("it is larger than {} MiB", MOST >> 20)]
    Large,
}

/// In the place of the former one, whole or not at all.
pub fn write(path: &Path, parts: &[Vec<u8>]) -> Result<(), LearntError> {
    let mut sum = Crc::new();
    let mut length: u64 = 0;
    for part in parts {
        sum.update(part);
        length += part.len() as u64;
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let near = path.with_extension("learned.new");
    // One that a run left behind may be of others' rights.
    if let Err(error) = std::fs::remove_file(&near)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&near)?;
    file.write_all(MAGIC)?;
    file.write_all(&VERSION.to_le_bytes())?;
    file.write_all(&sum.sum().to_le_bytes())?;
    file.write_all(&length.to_le_bytes())?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    std::fs::rename(&near, path)?;
    Ok(())
}

/// `None`: there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, LearntError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take((HEAD + MOST) as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > HEAD + MOST {
        return Err(LearntError::Large);
    }
    let body = checked(&bytes)?.to_vec();
    Ok(Some(body))
}

fn checked(bytes: &[u8]) -> Result<&[u8], LearntError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(LearntError::Foreign)?;
    let (version, rest) = number(rest)?;
    if version != VERSION {
        return Err(LearntError::Version(version));
    }
    let (sum, rest) = number(rest)?;
    let (length, body) = rest.split_first_chunk().ok_or(LearntError::Broken)?;
    let mut seen = Crc::new();
    seen.update(body);
    match u64::from_le_bytes(*length) == body.len() as u64 && seen.sum() == sum {
        true => Ok(body),
        false => Err(LearntError::Broken),
    }
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), LearntError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(LearntError::Broken)?;
    Ok((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_is_read_and_of_its_owner_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("state/farwatch.learned");
        assert!(read(&path).expect("fine").is_none());
        write(&path, &[b"one".to_vec(), b"two".to_vec()]).expect("written");
        write(&path, &[b"three".to_vec(), b"four".to_vec()]).expect("again");
        assert_eq!(
            read(&path).expect("read").as_deref(),
            Some(&b"threefour"[..])
        );
        let rights = std::fs::metadata(&path).expect("there").permissions();
        assert_eq!(rights.mode() & 0o777, 0o600);
        assert_eq!(
            folder
                .path()
                .join("state")
                .read_dir()
                .expect("folder")
                .count(),
            1
        );
    }

    #[test]
    fn what_is_cut_broken_or_of_another_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("farwatch.learned");
        write(&path, &[vec![7; 100]]).expect("written");
        let whole = std::fs::read(&path).expect("there");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            read(&path).expect_err("refused").to_string()
        };
        for cut in 16..whole.len() {
            assert_eq!(refused(&whole[..cut]), "it is cut or broken");
        }
        assert_eq!(refused(&whole[..9]), "this is no file of farwatch");
        assert_eq!(refused(b""), "this is no file of farwatch");
        let other = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        assert!(refused(&other(16)).starts_with("written by another farwatch"));
        for at in [20, 24, 31, 32, 99, 131] {
            assert_eq!(refused(&other(at)), "it is cut or broken", "{at}");
        }
        let long = [whole.as_slice(), &[0]].concat();
        assert_eq!(refused(&long), "it is cut or broken");
    }
}
