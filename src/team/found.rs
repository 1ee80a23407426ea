//! Incidents of the watchers for a console, and whether each watcher is still heard.

use std::time::Duration;

use tokio::sync::mpsc;

use super::lease::{Lease, shape};
use super::publish::{waits, words};
use super::read;
use crate::config::Team;
use crate::message::Msg;
use crate::model::news::{Change, Found};
use crate::source::error::SourceError;
use crate::source::nats::Bus;
use crate::source::nats::bucket::Bucket;
use crate::source::nats::session::Session;

/// Changes delivered in one go at most.
const BATCH: usize = 256;
/// Deliveries of the reader that may wait; more of them wait with the server.
const WAITING: usize = 1_024;
const LONGEST: Duration = Duration::from_secs(15);

/// Follows until nobody listens any more.
pub async fn follow(team: Team, told: mpsc::Sender<Msg>) {
    let bus = Bus::of_team(&team);
    let (mut pauses, mut last) = (waits(), 0);
    loop {
        let error = match bus.open("farwatch incidents").await {
            Ok(session) => {
                pauses = waits();
                let told = &told;
                tokio::select! {
                    error = changes(&session, &team, &mut last, told) => error,
                    error = leases(&session, &team, told) => error,
                }
            }
            Err(error) => error,
        };
        if !say(&told, Found::Fault(words(&error))).await {
            return;
        }
        tokio::time::sleep(pauses.next().unwrap_or(LONGEST)).await;
    }
}

async fn say(told: &mpsc::Sender<Msg>, found: Found) -> bool {
    told.send(Msg::Found(Box::new(found))).await.is_ok()
}

async fn changes(
    session: &Session,
    team: &Team,
    last: &mut u64,
    told: &mpsc::Sender<Msg>,
) -> SourceError {
    let begin = *last;
    let (news, mut heard) = mpsc::channel::<(u64, Change)>(WAITING);
    let give = async {
        let mut batch = Vec::with_capacity(BATCH);
        while heard.recv_many(&mut batch, BATCH).await > 0 {
            let (sequences, changes): (Vec<u64>, Vec<Change>) = batch.drain(..).unzip();
            if !say(told, Found::Changes(changes)).await {
                break;
            }
            // What was not given away is read again.
            *last = sequences.last().copied().unwrap_or(*last);
        }
        std::future::pending().await
    };
    tokio::select! {
        error = read::follow(session, team, begin, news) => error,
        never = give => never,
    }
}

/// Renewals of leases: signs of life of who watches.
async fn leases(session: &Session, team: &Team, told: &mpsc::Sender<Msg>) -> SourceError {
    let watched = async {
        let bucket = Bucket::open(session, &shape(team), false).await?;
        let mut news = bucket.watch().await?;
        loop {
            for value in news.next().await? {
                let read = value.bytes.as_deref().map(rmp_serde::from_slice::<Lease>);
                let Some(Ok(lease)) = read else { continue };
                let found = Found::Watched {
                    cluster: lease.cluster,
                    by: lease.holder,
                    at: value.at,
                    life_ms: lease.life_ms,
                };
                say(told, found).await;
            }
        }
    };
    let ended: Result<std::convert::Infallible, SourceError> = watched.await;
    match ended {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// Starts to follow where a console wants that.
pub fn start(team: Option<&Team>, told: &mpsc::Sender<Msg>) {
    use crate::config::IncidentsFrom;
    if let Some(team) = team.filter(|t| t.incidents == IncidentsFrom::Watchers) {
        tokio::spawn(follow(team.clone(), told.clone()));
    }
}
