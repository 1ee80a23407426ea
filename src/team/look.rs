//! Whether what a team shares is there, or can be made, before anybody needs it. Only reads.

use super::stream::SUBJECTS;
use super::{desk, lease, presence};
use crate::config::Team;
use crate::model::bus::{JetStream, Pattern};
use crate::model::fault::{Fault, FaultKind};
use crate::source::error::Cause;
use crate::source::nats::history::is_there;
use crate::source::nats::rights::Rights;
use crate::source::nats::session::Session;

const SET: &str =
    "see `name`, `replicas` and `create` of [team], and which stream has `ai.farwatch.>`";

/// A stream or bucket, and who makes it where it is missing.
struct Part {
    called: String,
    stream: String,
    maker: &'static str,
}

fn parts(team: &Team) -> [Part; 4] {
    let bucket = |name: String, maker| Part {
        stream: format!("KV_{name}"),
        called: format!("bucket {name}"),
        maker,
    };
    [
        Part {
            called: format!("stream {}", team.name),
            stream: team.name.clone(),
            maker: "watcher",
        },
        bucket(lease::shape(team).name, "watcher"),
        bucket(desk::shape(team).name, "console"),
        bucket(presence::shape(team).name, "console"),
    ]
}

/// What is missing and will be made, and which rights are; `None`: nothing. `jetstream`: as it was
/// found there.
///
/// # Errors
/// [`Fault`]: something is missing and cannot be made, or the bus does not tell.
pub async fn look(
    session: &Session,
    team: &Team,
    jetstream: &JetStream,
) -> Result<Option<String>, Fault> {
    if let JetStream::Off(why) = jetstream {
        let cause = Cause::Absent(format!("no streams: {why}"));
        return Err(session.error(cause).fault());
    }
    let rights = Rights::of(session).await?;
    let mut notes = Vec::new();
    for part in parts(team) {
        if is_there(session, &part.stream).await? {
            continue;
        }
        if let Some(why) = barred(session, team, &part, jetstream, rights.as_ref()) {
            return Err(missing(session, &part.called, &why));
        }
        let (called, maker) = (part.called, part.maker);
        notes.push(format!(
            "{called} is missing and will be made by the first {maker}"
        ));
    }
    notes.extend(rights.iter().flat_map(|rights| withheld(team, rights)));
    Ok((!notes.is_empty()).then(|| notes.join("; ")))
}

fn missing(session: &Session, called: &str, why: &str) -> Fault {
    let fault = session.error(Cause::Absent(String::new())).fault();
    Fault {
        kind: FaultKind::NotFound,
        what: format!("{called} is missing and cannot be made: {why}"),
        hint: SET.into(),
        ..fault
    }
}

/// Why this cannot be made, as far as reading tells.
fn barred(
    session: &Session,
    team: &Team,
    part: &Part,
    jetstream: &JetStream,
    rights: Option<&Rights>,
) -> Option<String> {
    if !team.create {
        return Some("`create = false`".into());
    }
    if team.replicas > 1 && !session.is_clustered() {
        let copies = team.replicas;
        return Some(format!(
            "`replicas = {copies}`, and the server stands alone"
        ));
    }
    let made = session.api(&format!("STREAM.CREATE.{}", part.stream));
    if rights.is_some_and(|rights| !rights.may_publish(&made)) {
        return Some(format!("no right to publish on {made}"));
    }
    (part.stream == team.name)
        .then(|| taken(jetstream))
        .flatten()
}

/// Another stream takes subjects of ours.
fn taken(jetstream: &JetStream) -> Option<String> {
    let JetStream::On(streams) = jetstream else {
        return None;
    };
    let ours = Pattern::new(SUBJECTS).ok()?;
    streams.streams.iter().find_map(|stream| {
        let subject = stream
            .subjects
            .iter()
            .find(|subject| Pattern::new(subject).is_ok_and(|theirs| theirs.overlaps(&ours)))?;
        let name = &stream.name;
        Some(format!(
            "stream {name} takes `{subject}`, ours is `{SUBJECTS}`"
        ))
    })
}

/// Rights that watchers or consoles lack.
fn withheld(team: &Team, rights: &Rights) -> Vec<String> {
    let of_bucket = |name: String| format!("$KV.{name}.>");
    let wanted = [
        (SUBJECTS.to_owned(), "watchers tell"),
        (
            of_bucket(lease::shape(team).name),
            "watchers share clusters",
        ),
        (of_bucket(desk::shape(team).name), "notes are shared"),
        (
            of_bucket(presence::shape(team).name),
            "it is told who looks",
        ),
    ];
    let denied = wanted.into_iter().filter(|(subject, _)| {
        let one = subject.replace('>', "x.x");
        !rights.may_publish(&one)
    });
    denied
        .map(|(subject, what)| format!("no right to publish on {subject}, by which {what}"))
        .collect()
}
