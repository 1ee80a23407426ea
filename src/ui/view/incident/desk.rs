//! What people did about an incident, and what is remembered of others like it.

use ratatui::text::Line;

use super::{Incidents, people};
use crate::incident::{Incident, signs};
use crate::message::Effect;
use crate::model::archive::{Past, Recall};
use crate::model::finding::Finding;
use crate::model::id::IncidentId;
use crate::model::incident::Opinion;
use crate::state::world::like::Like;
use crate::state::world::{Ear, World};
use crate::ui::Ctx;
use crate::ui::view::common::{heading, pair};
use crate::ui::widget::text::wrap;

/// What was like the chosen one.
#[derive(Debug, Default)]
pub struct Memory {
    /// Of which incident, with how many findings.
    of: Option<(IncidentId, usize)>,
    /// Most alike first.
    like: Vec<Like>,
}

/// The list of what the archive holds, in place of what is going on.
#[derive(Debug, Default)]
pub struct Kept {
    pub shown: bool,
    /// The archive answered; for which words.
    pub answered: Option<String>,
}

impl Incidents {
    /// Asks the archive once for each incident that is looked at, and again when it has grown.
    pub(super) fn ask_memory(&mut self, world: &World) -> Vec<Effect> {
        let Some(incident) = self.chosen(world) else {
            return Vec::new();
        };
        let of = (incident.id, incident.findings.len());
        if self.memory.of == Some(of) {
            return Vec::new();
        }
        let (id, signs) = (incident.id, signs(incident));
        self.memory = Memory {
            of: Some(of),
            like: Vec::new(),
        };
        self.remember(id, &[], world);
        vec![Effect::Recall(Recall::Like { id, signs })]
    }

    /// What the archive found, and what ended while farwatch ran.
    pub fn remember(&mut self, id: IncidentId, past: &[Past], world: &World) {
        let asked = world.incident(id).filter(|_| {
            let of = self.memory.of;
            of.is_some_and(|(of, _)| of == id)
        });
        let Some(asked) = asked else {
            return;
        };
        self.memory.like = world.like(asked, past);
    }

    /// The archive answered for these words: whether they are still asked for.
    pub fn searched(&mut self, words: &str) -> bool {
        let asked = self.kept.shown && self.list.filter_text() == words;
        if asked {
            self.kept.answered = Some(words.to_owned());
        }
        asked
    }

    pub(super) fn kept_title(&self, rows: usize) -> String {
        match (&self.kept.answered, self.list.filter_text()) {
            (Some(words), wanted) if words != wanted => "Past incidents: searching".to_owned(),
            (None, _) => "Past incidents: asking the archive".to_owned(),
            (_, "") => format!("Past incidents: the newest {rows} of the archive"),
            (_, words) => format!("Past incidents: {rows} that hold `{words}`"),
        }
    }

    /// `m`: what is going on, or what the archive holds.
    pub(super) fn turn_to_kept(&mut self) -> Vec<Effect> {
        self.kept = Kept {
            shown: !self.kept.shown,
            answered: None,
        };
        self.list.set_filter("");
        self.search()
    }

    /// Asks the archive for what the filter says.
    pub(super) fn search(&self) -> Vec<Effect> {
        let words = self.list.filter_text().to_owned();
        let asked = self
            .kept
            .shown
            .then(|| Effect::Recall(Recall::Search(words)));
        asked.into_iter().collect()
    }

    /// What people did and what was like it, where there is any.
    pub(super) fn told<'a>(
        &self,
        ctx: &Ctx<'_>,
        incident: &Incident,
        width: usize,
    ) -> Vec<Line<'a>> {
        let mut out = found_by(ctx, incident, width);
        out.extend(people::lines(ctx, incident, width));
        out.extend(missing(ctx, incident, width));
        let of = self.memory.of.is_some_and(|(id, _)| id == incident.id);
        if !of || self.memory.like.is_empty() {
            return out;
        }
        out.push(heading(ctx.theme, "seen before"));
        for past in &self.memory.like {
            let head = format!(
                "{:.0} % alike, {}: {}",
                past.share * 100.0,
                ctx.clock_or_day(past.opened),
                past.head
            );
            out.extend(folded(&head, width, ctx.theme.accent));
            out.extend(folded(&format!("  {}", past.note), width, ctx.theme.base));
        }
        out
    }
}

/// Which watcher found it, and whether it is still heard.
fn found_by<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let Some(found) = ctx.world.found_by(incident) else {
        return Vec::new();
    };
    let heard = match found.heard {
        Ear::Heard(_) => format!("heard {}", found.heard),
        Ear::Stale(_) => found.heard.to_string(),
        Ear::Silent => "its watcher is not heard".to_owned(),
    };
    let style = match found.heard.is_fresh() {
        true => ctx.theme.base,
        false => ctx.theme.warn,
    };
    let mut text = format!("found by watcher {}, {heard}", found.watcher);
    if found.cut {
        text.push_str("; evidence was left out: it was too large for a message");
    }
    folded(&text, width, style).collect()
}

/// Whose incident it is, where a recording was handed over: what its sender says is told apart from
/// what is found here.
pub fn handed<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let Some(handover) = &ctx.world.handover else {
        return Vec::new();
    };
    let theme = ctx.theme;
    let Some(handed) = &incident.handed else {
        let text =
            "found by this console in what was handed over; the sender's own stand as `handed`";
        return folded(text, width, theme.muted).collect();
    };
    let mut out = vec![heading(theme, "handed over")];
    let head = format!(
        "by {} {}, {} then; no detector of this console changes it",
        handed.by(),
        ctx.clock_or_day(handed.at),
        incident.state.word()
    );
    out.extend(folded(&head, width, theme.accent));
    let about = |t: &&crate::model::talk::Session| t.head.incident == Some(incident.id);
    if let n @ 1.. = handover.talks.iter().filter(about).count() {
        let text = format!("{n} conversations about it: /sessions in the chat");
        out.extend(folded(&text, width, theme.base));
    }
    if !handed.causes.is_empty() {
        out.push(heading(theme, "causes, as the sender ranked them"));
    }
    for cause in &handed.causes {
        out.extend(folded(cause, width, theme.base));
    }
    out.push(heading(theme, "causes, as this console ranks them"));
    out
}

/// What the sender did not hold or left out.
fn missing<'a>(ctx: &Ctx<'_>, incident: &Incident, width: usize) -> Vec<Line<'a>> {
    let handover = ctx.world.handover.as_ref();
    let gaps = handover.filter(|_| !incident.is_ours()).map(|h| &h.gaps);
    let mut out = Vec::new();
    if gaps.is_some_and(|gaps| !gaps.is_empty()) {
        out.push(heading(ctx.theme, "not in the file"));
    }
    for gap in gaps.into_iter().flatten() {
        out.extend(folded(gap, width, ctx.theme.muted));
    }
    out
}

/// What an operator thinks of a finding.
pub fn verdict<'a>(ctx: &Ctx<'_>, incident: &Incident, finding: &Finding) -> Option<Line<'a>> {
    let handed = incident.handed.as_ref();
    let theirs = handed.and_then(|h| h.verdict(&finding.key));
    let verdict = theirs.cloned().or_else(|| ctx.world.verdict(finding))?;
    let word = match verdict.opinion {
        Opinion::True => "it was something",
        Opinion::False => "it was nothing",
    };
    let stamp = &verdict.stamp;
    let text = format!("{word}, {} {}", stamp.by, ctx.clock_or_day(stamp.at));
    Some(pair(ctx.theme, "verdict", text, ctx.theme.accent))
}

pub(super) fn folded<'a>(
    text: &str,
    width: usize,
    style: ratatui::style::Style,
) -> impl Iterator<Item = Line<'a>> {
    wrap(text, width)
        .into_iter()
        .map(move |part| Line::styled(part, style))
}
