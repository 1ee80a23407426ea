//! The tables, and how a file of an older farwatch becomes one of this.

use rusqlite::Connection;

/// `PRAGMA user_version` of what stands below.
pub const VERSION: i64 = 2;

/// Columns are for searching and for who looks by hand; `body` holds the whole incident
/// (MessagePack by field names), so that a field more is no new table.
const TABLES: &str = "
CREATE TABLE incident (
    id      INTEGER PRIMARY KEY,
    number  INTEGER NOT NULL,
    cluster TEXT NOT NULL,
    state   TEXT NOT NULL,
    opened  INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    title   TEXT NOT NULL,
    body    BLOB NOT NULL
) STRICT;
CREATE INDEX incident_changed ON incident (changed);
CREATE VIRTUAL TABLE words USING fts5 (title, about, notes, signs, tokenize = \"unicode61 tokenchars '_'\");
CREATE TABLE verdict (
    cluster TEXT NOT NULL,
    key     TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (cluster, key)
) STRICT, WITHOUT ROWID;
";

/// Since version 2: conversations of the chat pane, likewise.
const SESSIONS: &str = "
CREATE TABLE session (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    used  INTEGER NOT NULL,
    head  BLOB NOT NULL,
    body  BLOB NOT NULL
) STRICT;
CREATE INDEX session_used ON session (used);
CREATE VIRTUAL TABLE session_words USING fts5 (said, tokenize = \"unicode61 tokenchars '_'\");
";

/// Makes the tables where there are none. `Err`: of a newer farwatch, with its version.
pub fn prepare(connection: &mut Connection) -> rusqlite::Result<Result<(), i64>> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        0 | 1 => {
            let change = connection.transaction()?;
            if version == 0 {
                change.execute_batch(TABLES)?;
            }
            change.execute_batch(SESSIONS)?;
            change.pragma_update(None, "user_version", VERSION)?;
            change.commit()?;
            Ok(Ok(()))
        }
        VERSION => Ok(Ok(())),
        newer => Ok(Err(newer)),
    }
}
