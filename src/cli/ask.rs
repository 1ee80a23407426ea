//! `farwatch ask`: one investigation without a screen, of live clusters or a recording.

pub(super) mod told;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::args::{AskArgs, Print};
use super::headless::Headless;
use super::heard::{self, SIZE};
use super::replay::{self, Recording};
use super::{FAILED, USAGE};
use crate::agent::Agent;
use crate::agent::ledger::Ledger;
use crate::agent::mcp::client::Foreign;
use crate::app::signals::{Caught, Signals};
use crate::config::Config;
use crate::message::{Effect, Msg};
use crate::model::chat::{ChatEvent, RunOutcome, WorldQuery};
use crate::source::Lookup;
use crate::source::audit::Audit;
use crate::state::State;

pub fn run(mut config: Config, args: &AskArgs) -> color_eyre::Result<ExitCode> {
    if let Some(name) = &args.persona
        && !config.personas.iter().any(|p| p.id == *name)
    {
        let known: Vec<&str> = config.personas.iter().map(|p| p.id.as_str()).collect();
        eprintln!(
            "farwatch: there is no persona {name:?}; there are {}",
            known.join(", ")
        );
        return Ok(ExitCode::from(USAGE));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let ended = if let Some(file) = &args.replay {
        let opened = Headless::open(&config, Recording::of(Some(file)), args.at, SIZE);
        let headless = match opened {
            Ok(headless) => headless,
            Err(error) => return Ok(replay::refused(file, &error)),
        };
        let Headless { state, lookup, .. } = headless;
        {
            let asking = Asking::new(state, lookup).with_allowed();
            runtime.block_on(asking.answer(
                &args.question,
                args.persona.as_deref(),
                args.timeout,
            ))?
        }
    } else {
        if let Err(what) = heard::keep_named(&mut config, &args.cluster) {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
        runtime.block_on(live(Arc::new(config), args))?
    };
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    let Some(state) = ended else {
        eprintln!("farwatch: stopped");
        return Ok(ExitCode::from(FAILED));
    };
    let told = told::Told::of(&state, &args.question);
    match args.output {
        Print::Json => println!("{}", told.json()?),
        Print::Markdown => println!("{}", told.markdown()),
    }
    Ok(match told.is_answered() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FAILED),
    })
}

async fn live(config: Arc<Config>, args: &AskArgs) -> color_eyre::Result<Option<State>> {
    let Some((state, fleet)) = heard::hear(config, args.listen).await? else {
        return Ok(None);
    };
    let asking = Asking::new(state, fleet.lookup())
        .with_allowed()
        .with_ledger();
    let answered = asking
        .answer(&args.question, args.persona.as_deref(), args.timeout)
        .await;
    heard::end(fleet).await;
    answered
}

/// The console's state, and the agent that works beside it.
pub(super) struct Asking {
    state: State,
    agent: Agent,
    events: mpsc::Receiver<ChatEvent>,
    queries: mpsc::Receiver<WorldQuery>,
    ended: Option<RunOutcome>,
}

impl Asking {
    pub(super) fn new(state: State, lookup: Arc<dyn Lookup>) -> Self {
        let (said, events) = mpsc::channel(256);
        let (asked, queries) = mpsc::channel(16);
        let agent = Agent::new(state.config.agent.clone(), lookup, said, asked);
        Self {
            state,
            agent,
            events,
            queries,
            ended: None,
        }
    }

    /// With a line in the audit file for each call.
    fn with_ledger(mut self) -> Self {
        let config = &self.state.config;
        let audit = Audit::new(config.audit_file.clone());
        let ledger = Ledger::new(audit, config.operator.clone(), "agent call");
        self.agent = self.agent.with_ledger(ledger);
        self
    }

    /// With the tools of other programs that the operator allowed beforehand.
    fn with_allowed(mut self) -> Self {
        let config = &self.state.config;
        let (audit, operator) = (config.audit_file.clone(), config.operator.clone());
        let foreign = Foreign::allowed_only(&config.mcp, audit, operator).unasked();
        self.agent = self.agent.with_foreign(foreign);
        self
    }

    /// `None`: it was stopped.
    pub(super) async fn answer(
        mut self,
        question: &str,
        persona: Option<&str>,
        timeout: Duration,
    ) -> color_eyre::Result<Option<State>> {
        let mut signals = Signals::start()?;
        let limit = tokio::time::sleep(timeout);
        tokio::pin!(limit);
        self.begin(question, persona);
        while self.ended.is_none() {
            tokio::select! { biased;
                caught = signals.next() => if matches!(caught, Caught::End(_)) {
                    return Ok(None);
                },
                () = &mut limit => {
                    eprintln!("farwatch: no answer within {} s", timeout.as_secs());
                    let effects = self.state.stop_asking();
                    self.carry_out(effects);
                    self.ended = Some(RunOutcome::Cancelled);
                }
                Some(query) = self.queries.recv() => self.update(Msg::WorldQuery(query)),
                Some(event) = self.events.recv() => self.hear(event),
            }
        }
        self.agent.written().await;
        Ok(Some(self.state))
    }

    fn begin(&mut self, question: &str, persona: Option<&str>) {
        if let Some(id) = persona {
            self.state.work_as(id);
        }
        let effects = self.state.question(question);
        self.carry_out(effects);
        // What the console holds itself is answered at once.
        if self.state.chat.running().is_none() {
            let last = self.state.chat.messages.last();
            self.ended = last
                .and_then(|m| m.outcome.clone())
                .or(Some(RunOutcome::Cancelled));
        }
    }

    fn hear(&mut self, event: ChatEvent) {
        match &event {
            ChatEvent::ToolStarted {
                number,
                tool,
                arguments,
                ..
            } => {
                eprintln!("[{number}] {tool} {arguments}");
            }
            ChatEvent::Note { text, .. } => eprintln!("farwatch: {text}"),
            ChatEvent::Ended { outcome, .. } => self.ended = Some(outcome.clone()),
            _ => {}
        }
        self.update(Msg::Chat(event));
    }

    fn update(&mut self, msg: Msg) {
        let effects = self.state.update(msg);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, mut effects: Vec<Effect>) {
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Chat(request) => self.agent.start(request),
                Effect::CancelChat(run) => self.agent.cancel(run),
                Effect::WorldAnswer {
                    run,
                    call,
                    text,
                    rows,
                    ok,
                } => {
                    self.agent.world_answer(run, call, text, rows, ok);
                }
                Effect::Work(work) => {
                    work.run();
                    effects.extend(self.state.update(Msg::Worked));
                }
                // All else belongs to a screen that nobody looks at.
                _ => {}
            }
        }
    }
}
