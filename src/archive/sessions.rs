//! Conversations of the chat pane: kept, found by words, forgotten.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Archive, BODY, body};
use crate::model::id::IncidentId;
use crate::model::redact::redact;
use crate::model::talk::{Part, Session, SessionHead, SessionId};
use crate::model::time::Timestamp;

/// Conversations given back at most.
const LISTED: usize = 50;

impl Archive {
    /// Conversations in which all of these words stand, the last one as a beginning, used last
    /// first.
    pub fn sessions(&self, words: &str) -> rusqlite::Result<Vec<SessionHead>> {
        let asked: Vec<String> = words.split_whitespace().map(body::quoted).collect();
        let sql = match asked.is_empty() {
            true => "SELECT head FROM session WHERE ?1 = '' ORDER BY used DESC LIMIT ?2",
            false => {
                "SELECT head FROM session_words JOIN session ON session.id = session_words.rowid \
                 WHERE session_words MATCH ?1 ORDER BY used DESC LIMIT ?2"
            }
        };
        let asked = match asked.is_empty() {
            true => String::new(),
            false => format!("({}*)", asked.join(" AND ")),
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![asked, LISTED as i64])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let head = row.get_ref(0)?.as_blob().ok();
            found.extend(head.and_then(body::unpack::<SessionHead>));
        }
        Ok(found)
    }

    /// Those about an incident, whole, of the ones used last.
    pub fn about(&self, id: IncidentId) -> rusqlite::Result<Vec<Session>> {
        let heads = self.sessions("")?.into_iter();
        let about = heads.filter(|head| head.incident == Some(id));
        let mut found = Vec::new();
        for head in about {
            found.extend(self.session(head.id)?);
        }
        Ok(found)
    }

    /// One of them whole.
    pub fn session(&self, id: SessionId) -> rusqlite::Result<Option<Session>> {
        let sql = "SELECT body FROM session WHERE id = ?1";
        let body: Option<Vec<u8>> = self
            .connection
            .query_row(sql, [id.0], |row| row.get(0))
            .optional()?;
        let body = body.filter(|b| b.len() <= BODY);
        Ok(body.and_then(|b| body::unpack(&b)))
    }
}

pub(super) fn put(change: &Connection, session: &Session) -> rusqlite::Result<()> {
    let session = redacted(session);
    let head = &session.head;
    change
        .prepare_cached(
            "INSERT OR REPLACE INTO session (id, title, used, head, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            head.id.0,
            head.title,
            head.used.0,
            body::pack(head)?,
            body::pack(&session)?,
        ])?;
    let said: Vec<String> = session.messages.iter().map(|m| m.text()).collect();
    change
        .prepare_cached("INSERT OR REPLACE INTO session_words (rowid, said) VALUES (?1, ?2)")?
        .execute(params![head.id.0, said.join("\n")])?;
    Ok(())
}

/// Without what looks like a credential, whoever wrote it.
fn redacted(session: &Session) -> Session {
    let mut clean = session.clone();
    clean.head.title = redact(&clean.head.title);
    for part in clean.messages.iter_mut().flat_map(|m| &mut m.parts) {
        match part {
            Part::Text(text) | Part::Note(text) | Part::Reasoning { text, .. } => {
                *text = redact(text);
            }
            Part::Tool(tool) => {
                tool.arguments = redact(&tool.arguments);
                if let Some(done) = &mut tool.done {
                    done.result = redact(&done.result);
                }
            }
        }
    }
    clean
}

pub(super) fn forget(change: &Connection, id: SessionId) -> rusqlite::Result<()> {
    change.execute("DELETE FROM session_words WHERE rowid = ?1", [id.0])?;
    change.execute("DELETE FROM session WHERE id = ?1", [id.0])?;
    Ok(())
}

/// Forgets those not used since.
pub(super) fn purge(change: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    let old = "SELECT id FROM session WHERE used < ?1";
    let words = format!("DELETE FROM session_words WHERE rowid IN ({old})");
    change.execute(&words, [before.0])?;
    change.execute("DELETE FROM session WHERE used < ?1", [before.0])?;
    Ok(())
}
