//! A console's part of the team: keeps its connections, gives up what the loop wants shared, and
//! tells what came.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{desk, presence};
use crate::config;
use crate::message::Msg;
use crate::model::shared::{About, Doc, Share, Shared};
use crate::source::nats::Bus;

/// Deliveries of the loop that may wait; it gives again what found no room.
const WAITING: usize = 16;
/// Between two attempts to reach the bus, milliseconds; twice as much each time.
const FIRST_MS: u64 = 500;
const LONGEST_MS: u64 = 15_000;

/// How the team is reached, and as whom.
#[derive(Clone)]
pub struct Seat {
    pub bus: Arc<Bus>,
    pub team: config::Team,
    /// Random: another start is another console.
    pub console: Arc<str>,
    pub by: Arc<str>,
    pub told: mpsc::Sender<Msg>,
    pub ending: CancellationToken,
}

impl Seat {
    /// False: nobody listens any more.
    pub(super) async fn tell(&self, what: Shared) -> bool {
        self.told.send(Msg::Shared(Box::new(what))).await.is_ok()
    }
}

/// The handle of the loop.
pub struct Team {
    docs: mpsc::Sender<Vec<Doc>>,
    look: watch::Sender<Option<About>>,
    ending: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Team {
    /// Starts the tasks; what they hear comes as [`Msg::Shared`].
    pub fn start(team: &config::Team, by: Arc<str>, told: mpsc::Sender<Msg>) -> Self {
        let seat = Seat {
            bus: Bus::of_team(team),
            team: team.clone(),
            console: id().into(),
            by,
            told,
            ending: CancellationToken::new(),
        };
        let (docs, wanted) = mpsc::channel(WAITING);
        let (look, looked) = watch::channel(None);
        let ending = seat.ending.clone();
        let tasks = vec![
            tokio::spawn(desk::keep(seat.clone(), wanted)),
            tokio::spawn(presence::keep(seat, looked)),
        ];
        Self {
            docs,
            look,
            ending,
            tasks,
        }
    }

    pub fn share(&mut self, what: Share) {
        match what {
            // What finds no room is given again: the loop sees that it did not arrive.
            Share::Docs(docs) => {
                let _ = self.docs.try_send(docs);
            }
            Share::Look(about) => {
                let _ = self.look.send(about);
            }
        }
    }

    /// Gives up what waits, and says goodbye.
    pub async fn leave(self) {
        self.ending.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Sixteen letters that no other console has.
fn id() -> String {
    // The standard library's hash keys are random; no more is wanted of this.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// The waiting times between attempts.
pub(super) struct Waits(u64);

impl Waits {
    pub(super) fn new() -> Self {
        Self(FIRST_MS)
    }

    /// Up to a quarter more than the last time's double, so that consoles do not come all at once.
    pub(super) fn next(&mut self, seat: &Seat) -> Duration {
        let spread = seat.console.bytes().map(u64::from).sum::<u64>() % 100;
        let wait = self.0 + self.0 * spread / 400;
        self.0 = (self.0 * 2).min(LONGEST_MS);
        Duration::from_millis(wait)
    }
}
