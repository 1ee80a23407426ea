//! The investigating agent: chat client, tools, and the loop that joins them; or the site's own
//! agent, asked over its bus.
//!
//! A run is one task; it speaks through a bounded queue of `ChatEvent`s and asks the console's own
//! knowledge through `WorldQuery`. The console works the same without it.

pub mod answer;
pub mod brief;
pub mod chat;
pub mod constrained;
pub mod conversation;
pub mod dialect;
pub mod fence;
pub mod form;
pub mod leak;
pub mod ledger;
pub mod lenient;
pub mod mcp;
pub mod offline;
pub mod out;
pub mod persona;
pub mod prompt;
pub mod results;
mod run;
pub mod servers;
mod site;
pub mod stream;
pub mod summary;
pub mod tools;
pub mod world_tools;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::OptionFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::model::chat::{
    ChatEvent, ChatRequest, Model, OpenResult, RunId, RunOutcome, WorldQuery,
};
use crate::model::fault::{Fault, FaultKind};
use crate::source::Lookup;

use ledger::Ledger;
use mcp::client::{Approvals, Foreign};
use out::Out;
use results::Results;
use servers::Servers;
use site::Site;
use tools::fetch::Fetched;
use tools::whole::{Pick, Whole};

/// Between two looks at the model servers.
const HEALTH: Duration = Duration::from_secs(30);
/// Time limit of one tool call.
const TOOL_TIMEOUT: Duration = Duration::from_secs(30);
/// What the operator is shown of a result at once.
const OPENED_ROWS: usize = 200;
const OPENED_CHARS: usize = 24 * 1024;

/// The agent's handle; cheap to clone. Its methods never wait.
#[derive(Clone)]
pub struct Agent {
    shared: Arc<Shared>,
}

/// Who answers.
enum Backend {
    /// A model that we ask, with tools of ours.
    Models(Servers),
    /// The site's own agent, with tools of its own.
    Site(Site),
}

struct Shared {
    backend: Result<Backend, Fault>,
    lookup: Arc<dyn Lookup>,
    events: mpsc::Sender<ChatEvent>,
    world: mpsc::Sender<WorldQuery>,
    max_tokens: u32,
    tool_timeout: Duration,
    runs: Mutex<HashMap<RunId, CancellationToken>>,
    waiting: Mutex<HashMap<(RunId, String), oneshot::Sender<Fetched>>>,
    /// Held by the one call whose proposal the operator is asked about.
    proposing: tokio::sync::Mutex<()>,
    foreign: Foreign,
    /// `None`: a recording is looked at, or nothing that is anybody's.
    ledger: Option<Ledger>,
    approvals: Approvals,
    results: Mutex<Results>,
}

impl Agent {
    /// Sends nothing yet. Without configuration every run ends with advice how to configure one.
    pub fn new(
        settings: Option<config::Agent>,
        lookup: Arc<dyn Lookup>,
        events: mpsc::Sender<ChatEvent>,
        world: mpsc::Sender<WorldQuery>,
    ) -> Self {
        let backend = match &settings {
            Some(config::Agent {
                site: Some(site), ..
            }) => Ok(Backend::Site(Site::new(site))),
            Some(settings) => Servers::open(settings).map(Backend::Models),
            None => Err(not_configured()),
        };
        let max_tokens = settings.as_ref().map_or(1024, |s| s.max_tokens);
        Self {
            shared: Arc::new(Shared {
                backend,
                lookup,
                events,
                world,
                max_tokens: max_tokens.max(64),
                tool_timeout: TOOL_TIMEOUT,
                runs: Mutex::default(),
                waiting: Mutex::default(),
                proposing: tokio::sync::Mutex::default(),
                foreign: Foreign::new(&[], None, "operator".into()),
                ledger: None,
                approvals: Approvals::default(),
                results: Mutex::default(),
            }),
        }
    }

    /// With another limit for one tool call.
    pub fn with_tool_timeout(mut self, limit: Duration) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.tool_timeout = limit;
        }
        self
    }

    /// With the tools of these servers too.
    pub fn with_foreign(mut self, foreign: Foreign) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.foreign = foreign;
        }
        self
    }

    /// With a line in the audit file for each call.
    pub fn with_ledger(mut self, ledger: Ledger) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.ledger = Some(ledger);
        }
        self
    }

    /// Waits until the lines of all calls are written.
    pub async fn written(&self) {
        if let Some(ledger) = &self.shared.ledger {
            ledger.written().await;
        }
    }

    /// The operator's word on a call. Late words are dropped.
    pub fn approve(&self, run: RunId, call: String, allow: bool) {
        self.shared.approvals.say(run, &call, allow);
    }

    pub fn is_configured(&self) -> bool {
        self.shared.backend.is_ok()
    }

    /// Looks at the servers now and every half minute, as long as the agent is there; says
    /// `ChatEvent::Model` when another model would answer.
    pub fn probe(&self) {
        if !self.is_configured() {
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            let mut told = None;
            let mut pace = tokio::time::interval(HEALTH);
            pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                pace.tick().await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                let servers = match &shared.backend {
                    Ok(Backend::Models(servers)) => servers,
                    Ok(Backend::Site(site)) => {
                        // A connection each time: whoever asks makes one anyway.
                        if let Ok(model) = site.check().await {
                            let _ = shared.events.send(ChatEvent::Model(model)).await;
                            return;
                        }
                        continue;
                    }
                    Err(_) => return,
                };
                servers.look().await;
                // A run tells itself by whom it is answered.
                let busy = !lock(&shared.runs).is_empty();
                let next = servers.next(&[]).filter(|_| !busy);
                let Some(Ok(model)) = OptionFuture::from(next.map(|at| servers.model(at))).await
                else {
                    continue;
                };
                if told.as_ref() != Some(&model) {
                    told = Some(model.clone());
                    let _ = shared.events.send(ChatEvent::Model(model)).await;
                }
            }
        });
    }

    /// The model that would answer, or why there is none.
    pub async fn check(&self) -> Result<Model, Fault> {
        match &self.shared.backend {
            Ok(Backend::Models(servers)) => servers.first_model().await,
            Ok(Backend::Site(site)) => site.check().await,
            Err(fault) => Err(fault.clone()),
        }
    }

    /// Starts a run in a task of its own.
    pub fn start(&self, request: ChatRequest) {
        let shared = self.shared.clone();
        let run = request.run;
        let token = CancellationToken::new();
        lock(&shared.runs).insert(run, token.clone());
        tokio::spawn(async move {
            let out = Out::new(run, shared.events.clone());
            out.started().await;
            let outcome = tokio::select! {
                biased;
                () = token.cancelled() => RunOutcome::Cancelled,
                outcome = carried_out(&shared, request, &out) => outcome,
            };
            lock(&shared.runs).remove(&run);
            lock(&shared.waiting).retain(|(waiting, _), _| *waiting != run);
            shared.approvals.forget(run);
            out.ended(outcome).await;
        });
    }

    /// Ends the run and closes its connection.
    pub fn cancel(&self, run: RunId) {
        if let Some(token) = lock(&self.shared.runs).get(&run) {
            token.cancel();
        }
    }

    /// Shows a result in full, as [`ChatEvent::Opened`]; what the screen holds of it, where the whole
    /// is gone.
    pub fn open(&self, wanted: OpenResult) {
        let shared = Arc::clone(&self.shared);
        let asked = wanted.asked.clone();
        tokio::spawn(async move {
            let held = wanted
                .run
                .and_then(|run| lock(&shared.results).get(run, wanted.number));
            let number = wanted.number;
            let paged = tokio::task::spawn_blocking(move || {
                let gone = match held {
                    Some(_) => "",
                    None => "only the digest is held: ",
                };
                let whole = held.unwrap_or_else(|| Whole::Text(wanted.digest.into()));
                let (text, _) = whole.page(&Pick {
                    contains: wanted.contains,
                    from: wanted.from,
                    rows: OPENED_ROWS,
                    chars: OPENED_CHARS,
                });
                let (head, rows) = text.split_once('\n').unwrap_or((&text, ""));
                format!("Result [{number}], {gone}{head}\n\n~~~~\n{rows}~~~~\n")
            });
            if let Ok(text) = paged.await {
                let _ = shared.events.send(ChatEvent::Opened { asked, text }).await;
            }
        });
    }

    /// The answer to a `WorldQuery`. Late answers are dropped.
    pub fn world_answer(&self, run: RunId, call: String, text: String, rows: usize, ok: bool) {
        if let Some(waiting) = lock(&self.shared.waiting).remove(&(run, call)) {
            let _ = waiting.send(Fetched::told(text, rows, ok));
        }
    }
}

async fn carried_out(shared: &Arc<Shared>, mut request: ChatRequest, out: &Out) -> RunOutcome {
    match (request.look.take(), &shared.backend) {
        (Some(look), _) => run::look(shared, request, look, out).await,
        (None, Ok(Backend::Models(servers))) => run::run(shared, servers, request, out).await,
        (None, Ok(Backend::Site(site))) => site.answer(&request, out).await,
        (None, Err(fault)) => RunOutcome::Failed(fault.clone()),
    }
}

/// What is said where no model is configured.
pub fn not_configured() -> Fault {
    Fault {
        kind: FaultKind::Config,
        cluster: String::new(),
        endpoint: "[agent]".into(),
        what: "no model is configured".into(),
        hint: "add `[agent] url = \"http://HOST:8000/v1\"` to the configuration file".into(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
