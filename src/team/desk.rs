//! Desks of incidents and findings in the bucket `NAME-desk`: written by compare-and-set with what
//! stands there merged in, and watched. After each new connection all of it is read again, so that
//! nothing is lost or doubled whatever happened meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::console::{Seat, Waits};
use crate::model::desk::Edit;
use crate::model::shared::{AHEAD_MS, About, Doc, Line, Odd, Shared};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::source::error::SourceError;
use crate::source::nats::bucket::{Bucket, Shape, Value, Written};
use crate::source::nats::session::Session;

/// Version of what stands in a value.
const VERSION: u32 = 1;
/// The largest value that is looked into, bytes.
const LARGEST: usize = 1 << 20;
/// Values kept of one desk.
const HISTORY: u8 = 8;
/// What nobody touches goes after this time.
const MAX_AGE: Duration = Duration::from_secs(90 * 86_400);
const MAX_BYTES: u32 = 256 << 20;
/// Attempts to write one desk while others write it too.
const ATTEMPTS: u64 = 30;
/// Between two of them, milliseconds, times the number of the attempt.
const STEP_MS: u64 = 3;
/// Unreadable keys that are counted.
const COUNTED: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Body {
    version: u32,
    about: About,
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

pub fn shape(team: &crate::config::Team) -> Shape {
    Shape {
        name: format!("{}-desk", team.name),
        description: "farwatch: what people did about incidents",
        history: HISTORY,
        max_age: MAX_AGE,
        max_bytes: MAX_BYTES,
        max_value_bytes: LARGEST as u32,
        replicas: team.replicas,
        fleeting: false,
    }
}

/// Shares until the loop is gone or the program ends.
pub async fn keep(seat: Seat, mut wanted: mpsc::Receiver<Vec<Doc>>) {
    let console = seat.console.clone();
    if !seat.tell(Shared::Begun { console }).await {
        return;
    }
    let mut waits = Waits::new();
    loop {
        if !seat.tell(Shared::Line(Line::Connecting)).await {
            return;
        }
        let session = tokio::select! {
            session = seat.bus.open("farwatch desk") => session,
            () = seat.ending.cancelled() => return,
        };
        let attended = match session {
            Ok(session) => attend(&seat, &session, &mut wanted, &mut waits).await,
            Err(error) => Err(error),
        };
        let Err(error) = attended else { return };
        tracing::info!(fault = %error, "the team's desk");
        let why = match error.hint() {
            "" => error.cause.to_string(),
            hint => format!("{}; {hint}", error.cause),
        };
        if !seat.tell(Shared::Line(Line::Offline(why))).await {
            return;
        }
        let rest = tokio::time::sleep(waits.next(&seat));
        tokio::select! {
            () = rest => {}
            () = seat.ending.cancelled() => return,
        }
    }
}

/// One connection; `Ok`: the end of the program.
async fn attend(
    seat: &Seat,
    session: &Session,
    wanted: &mut mpsc::Receiver<Vec<Doc>>,
    waits: &mut Waits,
) -> Result<(), SourceError> {
    let mut desk = Desk::open(seat, session).await?;
    let mut news = desk.bucket.watch().await?;
    // What was wanted of the former connection is wanted anew, with what is in the bucket now.
    while wanted.try_recv().is_ok() {}
    if !seat.tell(Shared::Anew).await {
        return Ok(());
    }
    let mut online = false;
    loop {
        if !online && (desk.bucket.is_empty || desk.whole) {
            online = true;
            *waits = Waits::new();
            if !seat.tell(Shared::Line(Line::Online)).await {
                return Ok(());
            }
        }
        tokio::select! {
            values = news.next() => {
                if !desk.take(values?).await {
                    return Ok(());
                }
            }
            docs = wanted.recv() => {
                let Some(docs) = docs else { return Ok(()) };
                for doc in docs {
                    desk.write(&doc).await?;
                }
            }
            () = seat.ending.cancelled() => {
                while let Ok(docs) = wanted.try_recv() {
                    for doc in docs {
                        desk.write(&doc).await?;
                    }
                }
                return Ok(());
            }
        }
    }
}

struct Desk<'a> {
    seat: &'a Seat,
    bucket: Bucket<'a>,
    whole: bool,
    unreadable: BTreeSet<String>,
    odd: Odd,
}

impl<'a> Desk<'a> {
    async fn open(seat: &'a Seat, session: &'a Session) -> Result<Self, SourceError> {
        let bucket = Bucket::open(session, &shape(&seat.team), seat.team.create).await?;
        Ok(Self {
            seat,
            bucket,
            whole: false,
            unreadable: BTreeSet::new(),
            odd: Odd::default(),
        })
    }

    /// Others wrote; false: nobody wants to know.
    async fn take(&mut self, values: Vec<Value>) -> bool {
        let before = self.odd.clone();
        let (mut docs, mut gone) = (Vec::new(), Vec::new());
        for value in values {
            self.whole |= value.whole;
            match &value.bytes {
                None => gone.push(value.key),
                Some(_) => docs.extend(self.read(&value)),
            }
        }
        let mut heard = docs.is_empty() || self.seat.tell(Shared::Docs(docs)).await;
        if !gone.is_empty() {
            heard &= self.seat.tell(Shared::Gone(gone)).await;
        }
        if self.odd != before {
            heard &= self.seat.tell(Shared::LeftAlone(self.odd.clone())).await;
        }
        heard
    }

    /// `None`: nobody here can read it. It is counted, and left alone.
    fn read(&mut self, value: &Value) -> Option<Doc> {
        let bytes = value.bytes.as_deref()?;
        let read = match decode(&value.key, bytes, value.at) {
            Ok(read) => read,
            Err(why) => {
                let key = text::clean(&value.key, 80);
                self.odd.why = format!("{key}: {why}");
                if self.unreadable.len() < COUNTED {
                    self.unreadable.insert(value.key.clone());
                }
                self.odd.unreadable = self.unreadable.len() as u64;
                return None;
            }
        };
        self.unreadable.remove(&value.key);
        self.odd.unreadable = self.unreadable.len() as u64;
        if read.ahead > 0 {
            self.odd.why = "edits of a time to come: a console's clock is ahead".into();
        } else if read.long > 0 {
            self.odd.why = "edits longer than any console writes".into();
        }
        let left_out = (read.ahead + read.long) as u64;
        self.odd.edits = self.odd.edits.saturating_add(left_out);
        Some(read.doc)
    }

    /// Puts it in, merged with what stands there.
    async fn write(&mut self, doc: &Doc) -> Result<(), SourceError> {
        let key = doc.key();
        for attempt in 1..=ATTEMPTS {
            let there = self.bucket.get(key.as_str()).await?;
            let revision = there.as_ref().map_or(0, |value| value.revision);
            let mut whole = doc.clone();
            if let Some(value) = there.filter(|value| value.bytes.is_some()) {
                let Some(theirs) = self.read(&value) else {
                    return self
                        .refuse("what stands there is not ours to overwrite")
                        .await;
                };
                whole.merge(&theirs);
                if whole.desk.edits() == theirs.desk.edits() && whole.about == theirs.about {
                    // The watch may have told it before this was wanted.
                    self.seat.tell(Shared::Docs(vec![theirs])).await;
                    return Ok(());
                }
            }
            let Some(bytes) = encode(&whole) else {
                return self.refuse("it is too large").await;
            };
            match self.bucket.set(key.as_str(), bytes, revision).await? {
                Written::Yes(_) => {
                    self.odd.refused = None;
                    return Ok(());
                }
                Written::Refused(why) => return self.refuse(&why).await,
                Written::Outrun => {
                    tokio::time::sleep(Duration::from_millis(STEP_MS * attempt)).await;
                }
            }
        }
        self.refuse("others write it all the time").await
    }

    /// It stays here and is wanted again later.
    async fn refuse(&mut self, why: &str) -> Result<(), SourceError> {
        self.odd.refused = Some(why.to_owned());
        self.seat.tell(Shared::LeftAlone(self.odd.clone())).await;
        Ok(())
    }
}

fn encode(doc: &Doc) -> Option<Vec<u8>> {
    let body = Body {
        version: VERSION,
        about: doc.about.clone(),
        edits: doc.desk.edits().to_vec(),
    };
    let bytes = rmp_serde::to_vec_named(&body).ok()?;
    (bytes.len() <= LARGEST).then_some(bytes)
}

/// What stands in a value, as far as it is taken.
#[derive(Debug, PartialEq)]
struct Read {
    doc: Doc,
    /// Edits that no console writes, and those of a time to come, which are left out.
    long: usize,
    ahead: usize,
}

/// Of a value that was written at this time by the server's clock. The error says what is wrong
/// with it.
fn decode(key: &str, bytes: &[u8], at: Timestamp) -> Result<Read, String> {
    if bytes.len() > LARGEST {
        return Err(format!("{} bytes are more than a desk has", bytes.len()));
    }
    let head: Head = rmp_serde::from_slice(bytes).map_err(|_| "it is no desk".to_owned())?;
    if head.version > VERSION {
        let version = head.version;
        return Err(format!("version {version}; this farwatch knows {VERSION}"));
    }
    let body: Body = rmp_serde::from_slice(bytes).map_err(|_| "it is no desk".to_owned())?;
    let read = Doc::safe(body.about, body.edits).filter(|(doc, _)| doc.key().as_str() == key);
    let (mut doc, long) = read.ok_or_else(|| "it is not what its key says".to_owned())?;
    let latest = at.plus_ms(AHEAD_MS);
    doc.about.bound(latest);
    let ahead = doc.desk.drop_after(latest);
    Ok(Read { doc, long, ahead })
}

#[cfg(test)]
mod tests;
