//! What outlives the process: incidents with what was said of them, verdicts, and conversations of
//! the chat pane, in one SQLite file that only its owner may read. Text is redacted before it is written.
//!
//! [`Archive`] is the file; [`desk::Desk`] is the thread that alone works with it.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::archive::{Keep, Past};
use crate::model::desk::Desk as Said;
use crate::model::id::IncidentId;
use crate::model::time::Timestamp;

mod body;
pub mod desk;
pub mod learnt;
mod schema;
mod sessions;

pub use body::redacted;

/// Another farwatch may be writing.
const PATIENCE: Duration = Duration::from_secs(2);
/// Incidents given back at start at most.
const BEGIN: usize = 300;
/// Found incidents given back at most.
const FOUND: usize = 100;
/// Rows of this size are not read: nobody wrote them here.
const BODY: usize = 8 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{}: {why}; incidents are not kept. Mend its rights, or name another [archive] file", path.display())]
    Open { path: PathBuf, why: std::io::Error },
    #[error("{}: {why}; incidents are not kept. Move the file away if it is broken: a new one is made", path.display())]
    Read { path: PathBuf, why: rusqlite::Error },
    #[error("{}: written by a newer farwatch (version {version} of the file, known is {}); incidents are not kept", path.display(), schema::VERSION)]
    Newer { path: PathBuf, version: i64 },
}

#[derive(Debug)]
pub struct Archive {
    connection: Connection,
    path: PathBuf,
}

/// What was known when the last run ended.
#[derive(Debug, Default)]
pub struct Known {
    pub incidents: Vec<Past>,
    pub verdicts: Vec<(String, String, Said)>,
    pub numbered: u32,
}

impl Archive {
    /// Opens the file, makes it where there is none, and gives it to its owner alone.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let open = |why| ArchiveError::Open {
            path: path.to_owned(),
            why,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(open)?;
        }
        // Made before SQLite does: not for a moment may others read it.
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(open)?;
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(open)?;
        drop(file);
        let read = |why| ArchiveError::Read {
            path: path.to_owned(),
            why,
        };
        let mut connection = Connection::open(path).map_err(read)?;
        connection.busy_timeout(PATIENCE).map_err(read)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            .map_err(read)?;
        match schema::prepare(&mut connection).map_err(read)? {
            Ok(()) => Ok(Self {
                connection,
                path: path.to_owned(),
            }),
            Err(version) => Err(ArchiveError::Newer {
                path: path.to_owned(),
                version,
            }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts all of it away, or nothing.
    pub fn keep(&mut self, what: &[Keep]) -> rusqlite::Result<()> {
        let change = self.connection.transaction()?;
        for one in what {
            match one {
                Keep::Incident(past) => put(&change, past)?,
                Keep::Gone(id) => drop_one(&change, *id)?,
                Keep::Session(session) => sessions::put(&change, session)?,
                Keep::Forget(id) => sessions::forget(&change, *id)?,
                Keep::Verdict { cluster, key, said } => {
                    let sql =
                        "INSERT OR REPLACE INTO verdict (cluster, key, body) VALUES (?1, ?2, ?3)";
                    let body = body::pack(said)?;
                    change.execute(sql, params![cluster.as_ref(), key.as_ref(), body])?;
                }
            }
        }
        change.commit()
    }

    /// What was open when the last run ended, what ended since `since`, and all verdicts.
    pub fn known(&self, since: Timestamp) -> rusqlite::Result<Known> {
        let sql = "SELECT cluster, body FROM incident WHERE state <> 'resolved' OR changed >= ?1 \
                   ORDER BY state = 'resolved', changed DESC LIMIT ?2";
        let incidents = self.rows(sql, params![since.0, BEGIN as i64])?;
        let mut statement = self
            .connection
            .prepare("SELECT cluster, key, body FROM verdict")?;
        let mut rows = statement.query([])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(2)?;
            if let Some(said) = body::said(&body) {
                verdicts.push((row.get(0)?, row.get(1)?, said));
            }
        }
        let sql = "SELECT max(number) FROM incident";
        let numbered: Option<i64> = self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(Known {
            incidents,
            verdicts,
            numbered: numbered.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        })
    }

    /// Ended incidents that show one of these signs, the best first; not the one itself.
    pub fn like(&self, id: IncidentId, signs: &[String]) -> rusqlite::Result<Vec<Past>> {
        let words: Vec<String> = signs.iter().map(|s| body::quoted(&body::word(s))).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let asked = format!("signs : ({})", words.join(" OR "));
        let sql = "SELECT cluster, body FROM words JOIN incident ON incident.id = words.rowid \
                   WHERE words MATCH ?1 AND state = 'resolved' AND incident.id <> ?2 \
                   ORDER BY bm25(words), changed DESC LIMIT ?3";
        self.rows(sql, params![asked, id.0 as i64, FOUND as i64])
    }

    /// Ended incidents in which all of these words stand, the last one as a beginning; newest first.
    pub fn search(&self, words: &str) -> rusqlite::Result<Vec<Past>> {
        let asked: Vec<String> = words.split_whitespace().map(body::quoted).collect();
        if asked.is_empty() {
            let sql = "SELECT cluster, body FROM incident WHERE state = 'resolved' \
                       ORDER BY changed DESC LIMIT ?1";
            return self.rows(sql, params![FOUND as i64]);
        }
        let asked = format!("{{title about notes}} : ({}*)", asked.join(" AND "));
        let sql = "SELECT cluster, body FROM words JOIN incident ON incident.id = words.rowid \
                   WHERE words MATCH ?1 AND state = 'resolved' ORDER BY changed DESC LIMIT ?2";
        self.rows(sql, params![asked, FOUND as i64])
    }

    /// Forgets what ended before this; how many.
    pub fn purge(&mut self, before: Timestamp) -> rusqlite::Result<usize> {
        let change = self.connection.transaction()?;
        let old = "SELECT id FROM incident WHERE state = 'resolved' AND changed < ?1";
        change.execute(
            &format!("DELETE FROM words WHERE rowid IN ({old})"),
            [before.0],
        )?;
        let sql = format!("DELETE FROM incident WHERE id IN ({old})");
        let gone = change.execute(&sql, [before.0])?;
        sessions::purge(&change, before)?;
        change.commit()?;
        Ok(gone)
    }

    /// Rows of `cluster, body`; one that cannot be read is left out.
    fn rows(&self, sql: &str, with: impl rusqlite::Params) -> rusqlite::Result<Vec<Past>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(with)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cluster: String = row.get(0)?;
            let body = row.get_ref(1)?.as_blob().ok().filter(|b| b.len() <= BODY);
            if let Some(incident) = body.and_then(body::unpack) {
                found.push(Past {
                    cluster: cluster.into(),
                    signs: Vec::new(),
                    incident,
                });
            }
        }
        Ok(found)
    }
}

fn put(change: &Connection, past: &Past) -> rusqlite::Result<()> {
    let incident = body::redacted(&past.incident);
    let id = incident.id.0 as i64;
    change
        .prepare_cached(
            "INSERT OR REPLACE INTO incident (id, number, cluster, state, opened, changed, title, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            id,
            incident.number,
            past.cluster.as_ref(),
            incident.state.word(),
            incident.opened.0,
            incident.changed.0,
            incident.title,
            body::pack(&incident)?,
        ])?;
    let signs: Vec<String> = past.signs.iter().map(|s| body::word(s)).collect();
    change
        .prepare_cached("INSERT OR REPLACE INTO words (rowid, title, about, notes, signs) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            id,
            incident.title,
            body::about(&past.cluster, &incident),
            body::notes(&incident),
            signs.join(" "),
        ])?;
    Ok(())
}

fn drop_one(change: &Connection, id: IncidentId) -> rusqlite::Result<()> {
    change.execute("DELETE FROM words WHERE rowid = ?1", [id.0 as i64])?;
    change.execute("DELETE FROM incident WHERE id = ?1", [id.0 as i64])?;
    Ok(())
}

#[cfg(test)]
mod tests;
