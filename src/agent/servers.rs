//! The model servers, best first: which is asked next, and which is spared for a while.
//!
//! A server that failed often is passed over (circuit breaker), and so is one that did not answer the
//! last look at its health. Nothing is refused for it: where all of them are passed over, the best
//! one is asked all the same, since somebody waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::chat::ChatClient;
use crate::clock;
use crate::config;
use crate::model::chat::Model;
use crate::model::fault::{Fault, FaultKind};

/// Failures in a row after which a server is spared.
const FAILURES: u32 = 5;
/// How long.
const SPARED: Duration = Duration::from_secs(30);
/// Answers after that until it is trusted again.
const TRIALS: u32 = 3;

#[derive(Debug)]
pub struct Servers {
    all: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    client: ChatClient,
    standing: Mutex<Standing>,
}

/// What is known of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Standing {
    breaker: Breaker,
    /// It did not answer when its health was looked at last.
    ill: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Breaker {
    /// Calls go through; so many failed in a row.
    Closed(u32),
    Open {
        until: Instant,
    },
    /// Calls go through to see whether it is well; so many were answered.
    Trial(u32),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed(0)
    }
}

impl Breaker {
    fn lets_through(self, now: Instant) -> bool {
        match self {
            Self::Open { until } => now >= until,
            Self::Closed(_) | Self::Trial(_) => true,
        }
    }

    fn answered(self) -> Self {
        match self {
            Self::Closed(_) => Self::Closed(0),
            Self::Open { .. } => Self::Trial(1),
            Self::Trial(n) if n + 1 >= TRIALS => Self::Closed(0),
            Self::Trial(n) => Self::Trial(n + 1),
        }
    }

    fn failed(self, now: Instant) -> Self {
        match self {
            Self::Closed(n) if n + 1 < FAILURES => Self::Closed(n + 1),
            _ => Self::Open {
                until: now + SPARED,
            },
        }
    }
}

impl Servers {
    /// Reads certificates; sends nothing.
    pub fn open(settings: &config::Agent) -> Result<Self, Fault> {
        let open = |server| {
            Ok(Server {
                client: ChatClient::open(server, settings.temperature)?,
                standing: Mutex::default(),
            })
        };
        let all: Result<Vec<Server>, Fault> = settings.servers.iter().map(open).collect();
        match all {
            Ok(all) if all.is_empty() => Err(super::not_configured()),
            all => Ok(Self { all: all? }),
        }
    }

    /// `None`: there is no server of this number.
    pub fn client(&self, at: usize) -> Option<&ChatClient> {
        self.all.get(at).map(|server| &server.client)
    }

    /// The server to be asked now, of those that were not tried yet.
    pub fn next(&self, tried: &[usize]) -> Option<usize> {
        let now = clock::instant();
        let left = || (0..self.all.len()).filter(|at| !tried.contains(at));
        let well = |at: &usize| {
            self.all.get(*at).is_some_and(|server| {
                let standing = *lock(&server.standing);
                !standing.ill && standing.breaker.lets_through(now)
            })
        };
        left().find(well).or_else(|| left().next())
    }

    pub fn answered(&self, at: usize) {
        if let Some(server) = self.all.get(at) {
            let mut standing = lock(&server.standing);
            standing.breaker = standing.breaker.answered();
            standing.ill = false;
        }
    }

    /// Refusals of what was asked, and of too much of it, are no fault of the server.
    pub fn failed(&self, at: usize, fault: &Fault) {
        let blameless = [
            FaultKind::BadQuery,
            FaultKind::RateLimited,
            FaultKind::Cancelled,
        ];
        if let Some(server) = self
            .all
            .get(at)
            .filter(|_| !blameless.contains(&fault.kind))
        {
            let mut standing = lock(&server.standing);
            standing.breaker = standing.breaker.failed(clock::instant());
        }
    }

    /// Asks all of them side by side whether they are there.
    pub async fn look(&self) {
        join_all(self.all.iter().map(|server| async {
            let told = server.client.look().await;
            lock(&server.standing).ill = told.is_err();
        }))
        .await;
    }

    /// The model of a server as it is shown; which server, where there are several.
    pub async fn model(&self, at: usize) -> Result<Model, Fault> {
        let server = self.all.get(at).ok_or_else(super::not_configured)?;
        let info = server.client.model().await?;
        let several = self.all.len() > 1;
        Ok(Model {
            name: info.name,
            context: info.context,
            server: several.then(|| format!("server {} of {}", at + 1, self.all.len())),
        })
    }

    /// The first that tells its model, as asked for it in order.
    pub async fn first_model(&self) -> Result<Model, Fault> {
        let mut tried = Vec::new();
        let mut first = None;
        while let Some(at) = self.next(&tried) {
            match self.model(at).await {
                Ok(model) => return Ok(model),
                Err(fault) => first = first.or(Some(fault)),
            }
            tried.push(at);
        }
        Err(first.unwrap_or_else(super::not_configured))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault {
            kind,
            ..super::super::not_configured()
        }
    }

    fn servers(count: usize) -> Servers {
        let one = |n| config::ModelServer {
            endpoint: config::Endpoint {
                url: format!("http://127.0.0.1:{}", 9 + n),
                ..config::Endpoint::default()
            },
            model: None,
        };
        let settings = config::Agent {
            servers: (0..count).map(one).collect(),
            ..config::Agent::default()
        };
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Servers::open(&settings).expect("plain URLs")
    }

    #[test]
    fn the_breaker_opens_waits_and_is_tried() {
        let now = clock::instant();
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker = breaker.failed(now);
            assert!(breaker.lets_through(now));
        }
        assert_eq!(breaker.answered(), Breaker::Closed(0), "in a row only");
        breaker = breaker.failed(now);
        assert!(!breaker.lets_through(now));
        let later = now + SPARED;
        assert!(breaker.lets_through(later));
        let trial = breaker.answered().answered();
        assert_eq!(trial, Breaker::Trial(2));
        assert!(!trial.failed(later).lets_through(later));
        assert_eq!(trial.answered(), Breaker::Closed(0));
    }

    #[test]
    fn the_best_that_is_well_is_asked() {
        let all = servers(3);
        assert_eq!(all.next(&[]), Some(0));
        for _ in 0..FAILURES {
            all.failed(0, &fault(FaultKind::BadQuery));
        }
        assert_eq!(all.next(&[]), Some(0), "the question was wrong");
        for _ in 0..FAILURES {
            all.failed(0, &fault(FaultKind::Timeout));
        }
        assert_eq!(all.next(&[]), Some(1));
        assert_eq!(all.next(&[1]), Some(2));
        assert_eq!(all.next(&[1, 2]), Some(0), "better than none");
        assert_eq!(all.next(&[0, 1, 2]), None);
        all.answered(0);
        assert_eq!(all.next(&[]), Some(0));
        assert!(Servers::open(&config::Agent::default()).is_err());
    }
}
