//! What the agent proposes to change. One at a time; the operator is asked in the dialog that keys
//! open too, and nothing is sent, remembered or repeated without it.

use std::collections::{BTreeMap, VecDeque};

use serde::de::DeserializeOwned;

use crate::agent::tools::Needs;
use crate::agent::tools::args::Rules;
use crate::agent::tools::args::act::{
    GitOpsAction, PROPOSE_GITOPS, PROPOSE_SILENCE, ProposeGitOps, ProposeSilence,
};
use crate::message::Effect;
use crate::model::action::{Acted, Action, ActionRequest, Proposer, Server};
use crate::model::alert::{Alert, AlertState};
use crate::model::chat::{THINKING, WorldQuery};
use crate::model::fault::FaultKind;
use crate::model::gitops::AppKind;
use crate::model::id::ClusterId;
use crate::model::persona::Persona;
use crate::model::redact::redact;
use crate::model::text::clean;
use crate::model::time::Timestamp;
use crate::state::similar::told_to;
use crate::state::{Overlay, State};
use crate::ui::view::actions::{Actions, Proposed, Step};

/// Letters of the agent's reason: the dialog shows all of them.
const REASON: usize = 200;

const REFUSED: &str = "refused by the operator";
const TIMED_OUT: &str = "no answer from the operator in time";
const STOPPED: &str = "the question was stopped";

/// A call of the agent that waits for the operator, or for what it sent.
#[derive(Debug)]
pub(in crate::state) struct Proposal {
    by: Proposer,
    words: Proposed,
    /// Yet to be asked about; the dialog shows the first.
    left: VecDeque<ActionRequest>,
    /// Sent, and their end not told yet.
    under_way: usize,
    /// What became of the others.
    ends: Vec<String>,
    /// One was carried out.
    done: bool,
    /// What is not answered by then is not sent.
    until: Timestamp,
}

impl State {
    /// Tools of this persona that ask for an action which the operator may take somewhere now.
    pub(in crate::state) fn proposals(&self, persona: &Persona) -> Vec<&'static str> {
        if !self.attended {
            return Vec::new();
        }
        let tools = [
            (PROPOSE_SILENCE, Server::Alertmanager),
            (PROPOSE_GITOPS, Server::Kubernetes),
        ];
        let clusters = &self.world.clusters;
        let offered = tools.into_iter().filter(|(tool, server)| {
            persona.tools.iter().any(|name| name == tool)
                && clusters.iter().any(|c| {
                    let something = *server == Server::Alertmanager || !c.apps.is_empty();
                    something && self.standing(c.id, *server).is_ok()
                })
        });
        offered.map(|(tool, _)| tool).collect()
    }

    /// Opens the dialog, or tells the agent why there is none.
    pub(in crate::state) fn propose(&mut self, query: &WorldQuery) -> Vec<Effect> {
        match self.proposal_of(query) {
            Ok(proposal) => {
                let asked = proposal.left.front().map(|request| self.called(request));
                let note = format!("asks you in a dialog: {}", asked.unwrap_or_default());
                self.chat.note(query.run, note);
                self.proposal = Some(proposal);
                Vec::new()
            }
            Err(why) => {
                let told = format!("the operator was not asked: {why}");
                vec![told_to(query.run, &query.call, (told, 0, false))]
            }
        }
    }

    fn proposal_of(&self, query: &WorldQuery) -> Result<Proposal, String> {
        if !self.attended {
            return Err("nobody sits before a screen here".into());
        }
        if self.chat.running() != Some(query.run) {
            return Err("the question is over".into());
        }
        if self.proposal.is_some() {
            return Err("another proposal waits for the operator".into());
        }
        let [cluster] = query.clusters.as_slice() else {
            return Err("name one cluster".into());
        };
        let (requests, words) = match query.tool.as_str() {
            PROPOSE_SILENCE => self.silence_of(*cluster, &read(query)?)?,
            PROPOSE_GITOPS => self.gitops_of(*cluster, &read(query)?)?,
            other => return Err(format!("there is no tool `{other}`")),
        };
        let by = Proposer {
            run: query.run,
            call: query.call.clone(),
        };
        let left = requests.into_iter().map(|request| ActionRequest {
            proposer: Some(by.clone()),
            ..request
        });
        let ms = i64::try_from(THINKING.as_millis()).unwrap_or(i64::MAX);
        Ok(Proposal {
            left: left.collect(),
            by,
            words,
            under_way: 0,
            ends: Vec::new(),
            done: false,
            until: self.world.now.plus_ms(ms),
        })
    }

    /// One request for each Alertmanager that knows the alerts.
    fn silence_of(
        &self,
        cluster: ClusterId,
        args: &ProposeSilence,
    ) -> Result<(Vec<ActionRequest>, Proposed), String> {
        let by = self.standing(cluster, Server::Alertmanager)?;
        let known = self.world.cluster(cluster).ok_or("it is not known")?;
        let hushed = known.alerts.values().filter(|a| fits(a, &args.matchers));
        let hushed: Vec<&Alert> = hushed.collect();
        if hushed.is_empty() {
            return Err(
                "no alert that fires there has exactly these labels: values are whole, \
                 not patterns; list_alerts tells them"
                    .into(),
            );
        }
        let mut places = Vec::new();
        for alert in &hushed {
            for place in known.to_silence(&alert.fingerprint, self.world.now) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        if places.is_empty() {
            return Err("no Alertmanager of it was heard".into());
        }
        let (reason, hours) = (quoted(&args.reason)?, args.hours());
        let now = self.world.now;
        let action = Action::Silence {
            matchers: args.matchers.clone().into_iter().collect(),
            from: now,
            until: now.plus_ms(i64::from(hours) * 3_600_000),
            comment: format!("proposed by the agent: {reason}"),
        };
        let request = ActionRequest::new(cluster, action, &by);
        let alerts = match hushed.len() {
            1 => "1 alert that fires".to_owned(),
            many => format!("{many} alerts that fire"),
        };
        let words = Proposed {
            does: format!("hushes {alerts} now, and others with these labels, for {hours} h"),
            reason,
        };
        let each = places.into_iter();
        let each = each.map(|place| self.sent_to(request.clone(), place));
        Ok((each.collect(), words))
    }

    /// What the menu offers for that application.
    fn gitops_of(
        &self,
        cluster: ClusterId,
        args: &ProposeGitOps,
    ) -> Result<(Vec<ActionRequest>, Proposed), String> {
        let reason = quoted(&args.reason)?;
        let kind = self.proposed_app(cluster, args)?;
        let entries = self.on_app(cluster, kind, &args.namespace, args.named().1);
        let word = args.action.word();
        let entry = entries.into_iter().find(|entry| entry.label == word);
        let entry = entry.ok_or("it is not known")?;
        let Step::Ask(request) = entry.step? else {
            return Err("it is not known".into());
        };
        let note = entry.note.map(|note| format!("; {note}"));
        let words = Proposed {
            does: format!("{}{}", entry.does, note.unwrap_or_default()),
            reason,
        };
        Ok((vec![self.addressed(request)], words))
    }

    /// The one kind of that name which has the action.
    fn proposed_app(&self, cluster: ClusterId, args: &ProposeGitOps) -> Result<AppKind, String> {
        let known = self.world.cluster(cluster).ok_or("it is not known")?;
        let flux = args.action == GitOpsAction::Reconcile;
        let (told, name_told) = args.named();
        let wanted = |kind: &AppKind| {
            (*kind != AppKind::Application) == flux
                && told.is_none_or(|told| told.eq_ignore_ascii_case(kind.as_str()))
        };
        let named = known.apps.keys().filter(|(kind, namespace, name)| {
            wanted(kind) && **namespace == *args.namespace && **name == *name_told
        });
        let kinds: Vec<AppKind> = named.map(|(kind, ..)| *kind).collect();
        match kinds.as_slice() {
            [kind] => Ok(*kind),
            [] => Err(format!(
                "there is no {} {}/{} to {}; get_gitops_status tells which there are",
                if flux { "Flux object" } else { "Application" },
                clean(&args.namespace, 100),
                clean(&args.name, 100),
                args.action.word(),
            )),
            many => {
                let names: Vec<&str> = many.iter().map(|kind| kind.as_str()).collect();
                let names = names.join(" or ");
                Err(format!(
                    "write its kind before the name, such as KIND/{name_told}: {names}"
                ))
            }
        }
    }

    /// After each message: opens the dialog once nothing else is in its way, closes it when the
    /// time or the question is over, answers when all is decided.
    pub(in crate::state) fn mind_proposal(&mut self) -> Vec<Effect> {
        let Some(mut proposal) = self.proposal.take() else {
            return Vec::new();
        };
        if self.chat.running() != Some(proposal.by.run) {
            return self.drop_left(&mut proposal, STOPPED);
        }
        let mut effects = Vec::new();
        if self.world.now >= proposal.until {
            effects = self.drop_left(&mut proposal, TIMED_OUT);
        }
        let Some(first) = proposal.left.front() else {
            if proposal.under_way == 0 {
                effects.push(self.answer_of(&proposal));
            } else {
                self.proposal = Some(proposal);
            }
            return effects;
        };
        if !self.asks_about(first) && self.is_free() {
            let next = proposal.left.iter().skip(1).cloned().collect();
            let words = Some(proposal.words.clone());
            self.ask_to_confirm(first.clone(), next, words);
            self.dirty = true;
        }
        self.proposal = Some(proposal);
        effects
    }

    /// The operator's word in the dialog of a proposal. `all`: on those that come after it too.
    pub(super) fn decided(&mut self, allow: bool, all: bool) -> Vec<Effect> {
        let Some(mut proposal) = self.proposal.take() else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        if allow {
            effects.extend(proposal.left.pop_front().map(|request| {
                proposal.under_way += 1;
                Effect::Act(Box::new(request))
            }));
        } else {
            let rest = match all {
                true => VecDeque::new(),
                false => proposal.left.split_off(1.min(proposal.left.len())),
            };
            effects = self.drop_left(&mut proposal, REFUSED);
            proposal.left = rest;
        }
        self.proposal = Some(proposal);
        effects
    }

    /// None of these is sent; their dialog closes.
    fn drop_left(&mut self, proposal: &mut Proposal, why: &'static str) -> Vec<Effect> {
        let left = std::mem::take(&mut proposal.left);
        if left.iter().any(|request| self.asks_about(request)) {
            self.screen.overlay = None;
            self.dirty = true;
        }
        for request in &left {
            proposal.ends.push(at(request, why));
        }
        let each = left.into_iter();
        each.map(|request| Effect::NotActed(Box::new(request), why))
            .collect()
    }

    /// What became of one that was sent.
    pub(super) fn proposal_acted(&mut self, acted: &Acted) {
        let Some(by) = &acted.request.proposer else {
            return;
        };
        let end = match &acted.result {
            Ok(told) => format!("done: {told}"),
            Err(fault) if fault.kind == FaultKind::Forbidden => {
                format!("not permitted: {}", fault.what)
            }
            Err(fault) => format!("failed: {}", fault.what),
        };
        let end = at(&acted.request, &end);
        match self.proposal.as_mut().filter(|p| p.by == *by) {
            Some(proposal) => {
                proposal.under_way = proposal.under_way.saturating_sub(1);
                proposal.done |= acted.result.is_ok();
                proposal.ends.push(end);
            }
            // Its question was stopped after it was sent.
            None => self.chat.note(by.run, format!("allowed by you; {end}")),
        }
    }

    /// What the agent is told, and the pane.
    fn answer_of(&mut self, proposal: &Proposal) -> Effect {
        let ends = proposal.ends.join("; ");
        let allowed = match proposal.done {
            true => "allowed by you; ",
            false => "",
        };
        let note = ends.replace(REFUSED, "refused by you");
        self.chat.note(proposal.by.run, format!("{allowed}{note}"));
        self.dirty = true;
        let advice = match proposal.done {
            true => "",
            false => ". Do not propose it again; go on without it.",
        };
        let told = (format!("{ends}{advice}"), 1, proposal.done);
        told_to(proposal.by.run, &proposal.by.call, told)
    }

    fn asks_about(&self, request: &ActionRequest) -> bool {
        matches!(&self.screen.overlay,
            Some(Overlay::Actions(Actions::Confirm(dialog))) if dialog.request == *request)
    }

    /// The operator is not in the middle of something that the dialog would put an end to.
    fn is_free(&self) -> bool {
        let overlay = &self.screen.overlay;
        let passing = matches!(overlay, None | Some(Overlay::Help(_) | Overlay::Notices(_)));
        passing && self.screen.prompt.is_none()
    }

    /// `silence of alertname="Down" on alpha`.
    fn called(&self, request: &ActionRequest) -> String {
        let name = self.world.cluster(request.cluster);
        let name = name.map_or("", |c| c.name.as_ref());
        let subject: String = request.action.subject().chars().take(120).collect();
        format!("{} of {subject} on {name}", request.action.word())
    }
}

/// Whether a tool asks the operator.
pub(in crate::state) fn is_proposal(tool: &str) -> bool {
    crate::agent::tools::find(tool).is_some_and(|tool| tool.needs == Needs::Operator)
}

fn read<T: DeserializeOwned + Rules>(query: &WorldQuery) -> Result<T, String> {
    let args: T = serde_json::from_value(query.arguments.clone()).map_err(|e| e.to_string())?;
    args.rules()?;
    Ok(args)
}

fn fits(alert: &Alert, matchers: &BTreeMap<String, String>) -> bool {
    let mut matchers = matchers.iter();
    matches!(alert.state, AlertState::Firing | AlertState::Suppressed)
        && matchers.all(|(name, value)| alert.labels.get(name) == Some(value.as_str()))
}

/// The agent's words in one line without a trick in it.
fn quoted(reason: &str) -> Result<String, String> {
    let words = redact(&clean(reason, 8 * REASON));
    let words: Vec<&str> = words.split_whitespace().collect();
    let words: String = words.join(" ").chars().take(REASON).collect();
    match words.is_empty() {
        true => Err("`reason` says nothing".into()),
        false => Ok(words),
    }
}

/// Said of one of several servers.
fn at(request: &ActionRequest, what: &str) -> String {
    match request.server.as_str() {
        "" => what.to_owned(),
        server => format!("{server}: {what}"),
    }
}
