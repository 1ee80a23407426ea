//! Who is there and what they look at, in the bucket `NAME-presence`: each console renews its own
//! key, and a word that grows old is void.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::console::{Seat, Waits};
use crate::clock;
use crate::model::shared::{About, Present, Shared};
use crate::model::time::Timestamp;
use crate::source::error::SourceError;
use crate::source::nats::bucket::{Bucket, Shape, Value};

/// How often a console says that it is there.
const RENEWED: Duration = Duration::from_secs(10);
/// After a change of what is looked at: whoever leafs through the list tells only where it ends.
const SETTLED: Duration = Duration::from_millis(400);
/// The server forgets a console that says nothing.
const MAX_AGE: Duration = Duration::from_secs(60);
const MAX_BYTES: u32 = 16 << 20;
const LARGEST: usize = 128 << 10;
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Body {
    by: std::sync::Arc<str>,
    at: Option<About>,
}

pub fn shape(team: &crate::config::Team) -> Shape {
    Shape {
        name: format!("{}-presence", team.name),
        description: "farwatch: who looks at what",
        history: 1,
        max_age: MAX_AGE,
        max_bytes: MAX_BYTES,
        max_value_bytes: LARGEST as u32,
        replicas: team.replicas,
        fleeting: true,
    }
}

/// Says that this console is there, and tells of the others, until the program ends. What is wrong
/// with the bus the desk beside it tells.
pub async fn keep(seat: Seat, mut looked: watch::Receiver<Option<About>>) {
    let mut waits = Waits::new();
    loop {
        match attend(&seat, &mut looked, &mut waits).await {
            Ok(()) => return,
            Err(error) => tracing::info!(fault = %error, "the team's presence"),
        }
        let rest = tokio::time::sleep(waits.next(&seat));
        tokio::select! {
            () = rest => {}
            () = seat.ending.cancelled() => return,
        }
    }
}

async fn attend(
    seat: &Seat,
    looked: &mut watch::Receiver<Option<About>>,
    waits: &mut Waits,
) -> Result<(), SourceError> {
    let open = async {
        let session = seat.bus.open("farwatch presence").await?;
        Ok::<_, SourceError>(session)
    };
    let session = tokio::select! {
        session = open => session?,
        () = seat.ending.cancelled() => return Ok(()),
    };
    let bucket = Bucket::open(&session, &shape(&seat.team), seat.team.create).await?;
    let mut news = bucket.watch().await?;
    let mut renew = tokio::time::interval(RENEWED);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Revision of our own last word, and when it was said by our clock.
    let mut said = (0, Timestamp(0));
    let mut ahead_ms = 0;
    loop {
        tokio::select! {
            values = news.next() => {
                let mut present = Vec::new();
                for value in values? {
                    if value.key == *seat.console {
                        if value.revision == said.0 {
                            ahead_ms = said.1.0 - value.at.0;
                            seat.tell(Shared::Ahead(ahead_ms)).await;
                        }
                    } else if value.bytes.is_none() {
                        seat.tell(Shared::Left(value.key.into())).await;
                    } else {
                        present.extend(read(value, clock::now().plus_ms(-ahead_ms)));
                    }
                }
                if !present.is_empty() && !seat.tell(Shared::Present(present)).await {
                    return Ok(());
                }
            }
            _ = renew.tick() => {
                said = say(seat, &bucket, looked).await?;
                *waits = Waits::new();
            }
            changed = looked.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                tokio::time::sleep(SETTLED).await;
                said = say(seat, &bucket, looked).await?;
            }
            () = seat.ending.cancelled() => {
                let _ = tokio::time::timeout(GOODBYE, bucket.delete(&seat.console)).await;
                return Ok(());
            }
        }
    }
}

async fn say(
    seat: &Seat,
    bucket: &Bucket<'_>,
    looked: &mut watch::Receiver<Option<About>>,
) -> Result<(u64, Timestamp), SourceError> {
    let body = Body {
        by: seat.by.clone(),
        at: looked.borrow_and_update().clone(),
    };
    let now = clock::now();
    let bytes = rmp_serde::to_vec_named(&body).unwrap_or_default();
    Ok((bucket.put(&seat.console, bytes).await?, now))
}

/// `None`: nobody here can read it, or it is too old to be true.
fn read(value: Value, now: Timestamp) -> Option<Present> {
    let bytes = value.bytes.filter(|b| b.len() <= LARGEST)?;
    let body: Body = rmp_serde::from_slice(&bytes).ok()?;
    let present = Present {
        console: value.key.into(),
        by: body.by,
        at: body.at,
        age_ms: now.age_since_ms(value.at),
    };
    present.safe()
}
