//! Carries out what the state wants done; returns at once, the results come back as messages.

mod begin;

use begin::{learned_file, unwritten};

pub use begin::start;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::agent::{Agent, summary};
use crate::archive::desk::Desk;
use crate::config::Config;
use crate::export;
use crate::message::{Effect, Msg};
use crate::model::action::ActionRequest;
use crate::model::ask::{Answered, Question};
use crate::model::export::Export;
use crate::model::fault::{Fault, FaultKind};
use crate::model::id::{ClusterId, RequestId};
use crate::model::log::Tail;
use crate::source::actions::Actions;
use crate::source::replay::Player;
use crate::source::supervisor::Fleet;
use crate::source::{Lookup, Outlet};
use crate::team::Team;

/// Questions under way at a time; more wait their turn.
const QUESTIONS: usize = 128;
/// Questions under way or waiting at most; the oldest gives way, its answer is "cancelled".
const WAITING: usize = 1024;
/// How long a dialog is in view before its keys count.
const READ: Duration = Duration::from_millis(300);
/// And one that came by itself: whoever was typing has to stop first.
const UNASKED: Duration = Duration::from_secs(1);
/// Pause in typing after which a list is asked for.
const PAUSE: Duration = Duration::from_millis(150);
/// How long sources may take to end.
const GRACE: Duration = Duration::from_millis(300);
/// How long the archive may take to write what it was given last.
const WRITTEN: Duration = Duration::from_secs(2);

/// What only the loop can do, because it holds the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    Quit,
    Suspend,
    Redraw,
    Copy(String),
    Notice(String),
}

enum Behind {
    Live { fleet: Box<Fleet>, outlet: Outlet },
    Replay(Player),
}

pub struct Effects {
    config: Arc<Config>,
    behind: Behind,
    lookup: Arc<dyn Lookup>,
    agent: Agent,
    answers: mpsc::Sender<Answered>,
    asking: VecDeque<(Question, AbortHandle)>,
    turns: Arc<Semaphore>,
    soon: Option<AbortHandle>,
    tails: Vec<AbortHandle>,
    /// `None`: a recording is played.
    actions: Option<Actions>,
    told: mpsc::Sender<Msg>,
    /// `None`: nothing is kept, as of what a recording shows.
    desk: Option<Desk>,
    /// `None`: there is no team.
    team: Option<Team>,
}

impl Effects {
    /// Starts an effect; what the loop has to do itself comes back.
    pub fn start(&mut self, effect: Effect) -> Option<Control> {
        match effect {
            Effect::Quit => return Some(Control::Quit),
            Effect::Suspend => return Some(Control::Suspend),
            Effect::Redraw => return Some(Control::Redraw),
            Effect::Say(text) => return Some(Control::Notice(text.to_owned())),
            Effect::Copy(text) => return Some(Control::Copy(text)),
            Effect::Ask(question) => self.ask(question),
            Effect::AskSoon(questions) => self.ask_soon(questions),
            Effect::Demand(demand) => {
                if let Behind::Live { fleet, .. } = &self.behind {
                    fleet.demand(demand);
                }
            }
            Effect::Refresh(cluster) => {
                if let Behind::Live { fleet, .. } = &self.behind {
                    fleet.refresh(cluster);
                }
            }
            Effect::Chat(request) => self.agent.start(request),
            Effect::CancelChat(run) => self.agent.cancel(run),
            Effect::Approve { run, call, allow } => self.agent.approve(run, call, allow),
            Effect::OpenResult(wanted) => self.agent.open(wanted),
            Effect::WorldAnswer {
                run,
                call,
                text,
                rows,
                ok,
            } => self.agent.world_answer(run, call, text, rows, ok),
            Effect::Replay(command) => match &self.behind {
                Behind::Replay(player) if player.command(command) => {}
                Behind::Replay(_) => {
                    return Some(Control::Notice("the player is busy; try again".into()));
                }
                Behind::Live { .. } => {
                    let text = "this is live; only a replay can be paused or moved in time";
                    return Some(Control::Notice(text.into()));
                }
            },
            Effect::TailLogs(wanted) => return self.follow(wanted),
            Effect::FollowBus(wanted) => {
                if let Behind::Live { fleet, .. } = &self.behind {
                    fleet.follow_bus(&wanted);
                }
            }
            Effect::Save(export) => self.save(*export),
            Effect::Act(request) => return self.act(*request),
            Effect::NotActed(request, why) => {
                if let Some(actions) = &self.actions {
                    actions.refused(*request, why);
                }
            }
            Effect::Work(work) => {
                let told = self.told.clone();
                tokio::task::spawn_blocking(move || {
                    work.run();
                    let _ = told.blocking_send(Msg::Worked);
                });
            }
            Effect::Summarise(report) => self.summarise(report),
            Effect::Cancel(ids) => self.cancel(&ids),
            Effect::Keep(what) => {
                if let Some(desk) = &mut self.desk {
                    desk.keep(what);
                }
            }
            Effect::Remember(parts) => {
                if let Some(file) = learned_file(&self.config) {
                    let told = self.told.clone();
                    tokio::task::spawn_blocking(move || {
                        if let Some(text) = unwritten(&file, &parts) {
                            let _ = told.blocking_send(Msg::Notice { error: true, text });
                        }
                    });
                }
            }
            Effect::Share(share) => {
                if let Some(team) = &mut self.team {
                    team.share(share);
                }
            }
            Effect::Recall(what) => match &self.desk {
                Some(desk) => desk.recall(what),
                None if what.is_asked_for() => {
                    let text =
                        "nothing is kept: no archive takes it ([archive] of the configuration)";
                    return Some(Control::Notice(text.into()));
                }
                None => {}
            },
        }
        None
    }

    /// Batches lost in a full queue.
    pub fn dropped(&self) -> u64 {
        match &self.behind {
            Behind::Live { outlet, .. } => outlet.dropped(),
            Behind::Replay(_) => 0,
        }
    }

    /// Batches waiting in the queues of the clusters, and room in all.
    pub fn depth(&self) -> (usize, usize) {
        match &self.behind {
            Behind::Live { fleet, .. } => fleet.depth(),
            Behind::Replay(_) => (0, 0),
        }
    }

    /// `learnt`: what the detectors know now.
    pub async fn shutdown(self, learnt: Option<Vec<Vec<u8>>>) {
        if let Some(actions) = self.actions.filter(|a| !a.is_idle()) {
            eprintln!(
                "farwatch: an action is under way and is waited for; the audit file tells its end"
            );
            actions.finish().await;
        }
        if let Some(desk) = self.desk {
            let written = tokio::task::spawn_blocking(move || desk.finish());
            let _ = tokio::time::timeout(WRITTEN, written).await;
        }
        if let Some(team) = self.team {
            let _ = tokio::time::timeout(GRACE, team.leave()).await;
        }
        if let Some((file, learnt)) = learned_file(&self.config).zip(learnt) {
            let written = tokio::task::spawn_blocking(move || unwritten(&file, &learnt));
            let _ = tokio::time::timeout(WRITTEN, written).await;
        }
        if let Behind::Live { fleet, .. } = self.behind {
            let _ = tokio::time::timeout(GRACE, fleet.shutdown()).await;
        }
    }

    fn summarise(&self, report: String) {
        let (config, told) = (Arc::clone(&self.config), self.told.clone());
        tokio::spawn(async move {
            let words = summary::of_report(config.agent.as_ref(), &report).await;
            let _ = told.send(Msg::Summarised(words)).await;
        });
    }

    fn ask(&mut self, question: Question) {
        self.asking.retain(|(_, task)| !task.is_finished());
        if self.asking.len() >= WAITING
            && let Some((old, task)) = self.asking.pop_front()
        {
            task.abort();
            let answers = self.answers.clone();
            tokio::spawn(async move { answers.send(given_up(old)).await });
        }
        let (lookup, answers) = (Arc::clone(&self.lookup), self.answers.clone());
        let asked = question.clone();
        let turns = Arc::clone(&self.turns);
        let task = tokio::spawn(async move {
            let turn = turns.acquire().await;
            let answered = lookup.ask(asked).await;
            drop(turn);
            let _ = answers.send(answered).await;
        });
        self.asking.push_back((question, task.abort_handle()));
    }

    /// Ends the tasks: with them the requests go, and their connections are closed.
    fn cancel(&mut self, ids: &[RequestId]) {
        self.asking.retain(|(question, task)| {
            let ends = ids.contains(&question.id);
            if ends {
                task.abort();
            }
            !ends
        });
    }

    /// One set at a time waits or is under way: the newest.
    fn ask_soon(&mut self, questions: Vec<Question>) {
        if let Some(former) = self.soon.take() {
            former.abort();
        }
        let (lookup, answers) = (Arc::clone(&self.lookup), self.answers.clone());
        let task = tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            let all = questions.into_iter().map(|question| lookup.ask(question));
            let mut under_way: FuturesUnordered<_> = all.collect();
            while let Some(answered) = under_way.next().await {
                let _ = answers.send(answered).await;
            }
        });
        self.soon = Some(task.abort_handle());
    }

    /// Writes a file off the loop; what became of it is told.
    fn save(&self, export: Export) {
        let told = self.told.clone();
        let folder = self.config.ui.exports.clone().unwrap_or_default();
        tokio::spawn(async move {
            let written =
                tokio::task::spawn_blocking(move || export::write(&export, &folder)).await;
            let text = match written {
                Ok(Ok((path, bytes))) => Ok(format!("written: {} ({bytes} bytes)", path.display())),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the export failed".to_owned()),
            };
            let error = text.is_err();
            let text = text.unwrap_or_else(|fault| fault);
            let _ = told.send(Msg::Notice { error, text }).await;
        });
    }

    /// Sends what the operator confirmed; a recording has nobody to send it to.
    fn act(&self, request: ActionRequest) -> Option<Control> {
        let Some(actions) = &self.actions else {
            let text = "this is a recording: nothing can be changed";
            return Some(Control::Notice(text.into()));
        };
        let told = self.told.clone();
        let begun = actions.begin(request);
        tokio::spawn(async move {
            if let Ok(acted) = begun.await {
                let _ = told.send(Msg::Acted(Box::new(acted))).await;
            }
        });
        None
    }

    /// A dialog was drawn: what was typed before that, or in haste, does not count for it.
    /// `unasked`: it came by itself.
    pub fn arm(&self, serial: u64, unasked: bool) {
        let told = self.told.clone();
        let wait = if unasked { UNASKED } else { READ };
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = told.send(Msg::Armed(serial)).await;
        });
    }

    /// Follows these logs live in place of the former ones.
    fn follow(&mut self, wanted: Vec<(ClusterId, Tail)>) -> Option<Control> {
        self.tails.drain(..).for_each(|tail| tail.abort());
        if wanted.is_empty() {
            return None;
        }
        let Behind::Live { fleet, .. } = &self.behind else {
            let text = "a recording cannot be followed; its lines come as they were recorded";
            return Some(Control::Notice(text.into()));
        };
        let mut without = Vec::new();
        for (cluster, tail) in wanted {
            let source = match tail {
                Tail::Loki(_) => "loki",
                Tail::Pod(_) => "kube context",
            };
            match fleet.follow(cluster, tail) {
                Some(tail) => self.tails.push(tail),
                None => {
                    let name = self.config.clusters.get(usize::from(cluster.0));
                    let name = name.map(|c| c.name.as_str()).unwrap_or_default();
                    without.push(format!("{name}: no {source} is configured"));
                }
            }
        }
        (!without.is_empty()).then(|| Control::Notice(without.join("; ")))
    }
}

fn given_up(question: Question) -> Answered {
    Answered {
        id: question.id,
        cluster: question.cluster,
        ask: question.ask,
        origin: String::new(),
        at: crate::clock::now(),
        latency_ms: 0,
        warnings: Vec::new(),
        cut_from: None,
        result: Err(Fault {
            kind: FaultKind::Cancelled,
            cluster: String::new(),
            endpoint: String::new(),
            what: "given up for newer questions".into(),
            hint: "ask again".into(),
        }),
    }
}
