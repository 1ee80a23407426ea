//! The audit file: a line for every action, before it is sent and after, and one for each call of the
//! agent. Only ever appended to, and for nobody else to read.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clock;
use crate::model::action::ActionRequest;

/// Its owner only.
const MODE: u32 = 0o600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Confirmed by the operator; not yet sent.
    Asked,
    /// Not sent: not permitted, or the thing is busy.
    Refused,
    Done,
    /// Sent, and it failed or nobody knows.
    Failed,
}

/// What is done, for whom and where.
#[derive(Debug, Serialize)]
pub struct Deed<'a> {
    pub cluster: &'a str,
    /// As the API server knows the operator; the account on this machine stands beside it.
    pub user: &'a str,
    /// `agent`; nobody but the operator where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<&'static str>,
    /// Who let the agent's wish through, in its dialog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_by: Option<&'a str>,
    pub action: &'static str,
    pub subject: String,
    /// Where it is sent, as it was shown.
    pub server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<&'a str>,
    pub method: &'static str,
    pub path: String,
    pub body: Option<String>,
}

impl<'a> Deed<'a> {
    /// The request that an action sends.
    pub fn of(cluster: &'a str, request: &'a ActionRequest) -> Self {
        let wire = request.wire();
        Self {
            cluster,
            user: &request.by,
            proposed_by: request.proposer.as_ref().map(|_| "agent"),
            allowed_by: request.proposer.as_ref().map(|_| request.by.as_str()),
            action: request.action.word(),
            subject: request.action.subject(),
            server: &request.server,
            via: request.via.as_deref(),
            method: wire.method,
            path: wire.path,
            body: wire.body,
        }
    }
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    time: String,
    uid: u32,
    #[serde(flatten)]
    deed: &'a Deed<'a>,
    stage: Stage,
    #[serde(skip_serializing_if = "str::is_empty")]
    outcome: &'a str,
}

/// The file is opened with each line: one that was moved away or made read-only in between is
/// noticed before anything is sent.
#[derive(Clone, Debug)]
pub struct Audit {
    file: Option<PathBuf>,
}

impl Audit {
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// Writes one whole line and waits until it is on the disk.
    pub async fn write(&self, deed: &Deed<'_>, stage: Stage, outcome: &str) -> Result<(), String> {
        self.put(deed, stage, outcome, true).await
    }

    /// Writes a line about something that only read: whether it lies on the disk already nobody waits for.
    pub async fn note(&self, deed: &Deed<'_>, stage: Stage, outcome: &str) -> Result<(), String> {
        self.put(deed, stage, outcome, false).await
    }

    async fn put(
        &self,
        deed: &Deed<'_>,
        stage: Stage,
        outcome: &str,
        kept: bool,
    ) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Err("no folder for the audit file is known".into());
        };
        let entry = Entry {
            time: clock::now().rfc3339(),
            uid: rustix::process::getuid().as_raw(),
            deed,
            stage,
            outcome,
        };
        let told = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
        let mut line = serde_json::to_string(&entry).map_err(|e| told(&e))?;
        line.push('\n');
        let path = file.clone();
        // A disk may take its time: nobody else waits for it.
        let written =
            tokio::task::spawn_blocking(move || append(&path, line.as_bytes(), kept)).await;
        match written {
            Ok(written) => written.map_err(|e| told(&e)),
            Err(error) => Err(told(&error)),
        }
    }
}

fn append(path: &Path, line: &[u8], kept: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("this is not a plain file"));
    }
    if about.permissions().mode() & 0o777 != MODE {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    file.write_all(line)?;
    match kept {
        true => file.sync_data(),
        false => Ok(()),
    }
}

/// Through no link: another's file would be written to.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(MODE)
        .custom_flags(flags)
        .open(path)
}
