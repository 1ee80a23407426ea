//! How well the bus is known: in titles, in notes below the lists, and where a list is empty.

use super::{Bus, streams};
use crate::model::bus::{JetStream, Survey};
use crate::model::health::{Health, SourceKind};
use crate::model::unit::Unit;
use crate::state::world::bus::Followed;
use crate::state::world::{ClusterState, World};
use crate::ui::view::common::{ago, clusters};
use crate::ui::widget::text::wrap;

/// Lines of notes at most.
const NOTES: usize = 4;
const UNRECORDED: &str = "no bus was recorded here";
const NONE: &str =
    "no cluster here has a bus: add `nats = { url = \"nats://…\" }` to one of the configuration";

/// `2 buses`.
pub(super) fn buses(count: u64) -> String {
    let word = if count == 1 { "bus" } else { "buses" };
    format!("{count} {word}")
}

fn no_bus(world: &World) -> &'static str {
    match world.replay {
        Some(_) => UNRECORDED,
        None => NONE,
    }
}

pub(super) fn with_bus<'a>(
    world: &'a World,
    view: &Bus,
) -> impl Iterator<Item = &'a ClusterState> + use<'a> {
    clusters(world, view.scope).filter(|c| c.sources.contains_key(&SourceKind::Nats))
}

impl Bus {
    /// What is wrong with the row under the cursor, then how each bus is heard, worst first, as lines.
    pub(super) fn notes(
        &self,
        world: &World,
        rows: &[streams::Row<'_>],
        width: u16,
    ) -> Vec<String> {
        let at = self.streams.position(rows, streams::id);
        let row = at.and_then(|at| rows.get(at));
        let wrong = row.and_then(|row| {
            let problem = streams::problem(row)?;
            let name = streams::name(row);
            Some(match row.old {
                true => format!("? {name}: {problem}, as last seen"),
                false => format!("▲ {name}: {problem}"),
            })
        });
        let buses = self.buses(world, width, NOTES - usize::from(wrong.is_some()));
        wrong.into_iter().chain(buses).collect()
    }

    fn buses(&self, world: &World, width: u16, most: usize) -> Vec<String> {
        let mut told: Vec<(u8, String)> = with_bus(world, self).map(|c| note(world, c)).collect();
        told.sort_by_key(|(rank, _)| *rank);
        let told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
        let mut lines = wrap(&told.join(" · "), usize::from(width.max(20)));
        if lines.len() > most {
            lines.truncate(most - 1);
            lines.push("… (diagnostics, gs, tells of each)".into());
        }
        lines
    }

    pub(super) fn why_no_streams(&self, world: &World) -> String {
        if with_bus(world, self).next().is_none() {
            return no_bus(world).into();
        }
        let known: usize = with_bus(world, self)
            .filter_map(|c| c.bus.streams())
            .map(|s| s.streams.len())
            .sum();
        match (known, self.streams.filter_text(), self.problems) {
            (0, ..) => "no stream is known: see below".into(),
            (_, "", true) => format!("no problem in {known} streams (! shows all)"),
            (_, filter, _) => format!("nothing matches {filter:?} (Esc clears the filter)"),
        }
    }

    /// `tail ran.events.>  412 msg/s, showing 1 of 8`.
    pub(super) fn tail_title(&self, world: &World) -> String {
        let (mut per_s, mut one_of) = (0.0, 1.0_f64);
        let (mut known, mut unknown) = (0, 0);
        let (mut patterns, mut words) = (Vec::new(), "".into());
        for cluster in with_bus(world, self) {
            let tail = &cluster.bus.tail;
            for pattern in &tail.patterns {
                if !patterns.contains(pattern) {
                    patterns.push(pattern.clone());
                }
            }
            if !tail.words.is_empty() {
                words = tail.words.clone();
            }
            let heard = cluster.hears(SourceKind::Nats, world.now);
            match tail.rate_now(world.now).filter(|_| heard) {
                Some(rate) => {
                    known += 1;
                    per_s += rate.messages_per_s;
                    one_of = one_of.max(rate.one_of);
                }
                None if tail.patterns.is_empty() => {}
                None => unknown += 1,
            }
        }
        if patterns.is_empty() {
            return "tail: nothing is followed (f)".into();
        }
        let patterns: Vec<&str> = patterns.iter().map(|p| p.as_str()).collect();
        let mut title = format!("tail {}", patterns.join(" "));
        if !words.is_empty() {
            title.push_str(&format!(" / {words}"));
        }
        if known == 0 {
            title.push_str("  rate unknown");
        } else {
            title.push_str(&format!("  {} msg/s", Unit::None.write(per_s.round())));
            if unknown > 0 {
                title.push_str(&format!(", {} unknown", buses(unknown)));
            }
            if one_of >= 1.05 {
                title.push_str(&format!(
                    ", showing 1 of {}",
                    Unit::None.write(one_of.round())
                ));
            }
        }
        title
    }

    /// What became of all that came; true where something is lost.
    pub(super) fn tail_note(&self, world: &World) -> (String, bool) {
        if let Some(history) = &self.history {
            return history.note();
        }
        let (mut seen, mut sampled, mut dropped, mut gaps) = (0, 0, 0, 0);
        let (mut parts, mut bad) = (Vec::new(), false);
        for cluster in with_bus(world, self) {
            let tail = &cluster.bus.tail;
            seen += tail.seen;
            sampled += tail.sampled_out;
            dropped += tail.dropped;
            gaps += tail.gaps;
            if let Some(fault) = tail.fault.as_ref().filter(|_| !tail.patterns.is_empty()) {
                parts.push(format!("{}: {fault}", cluster.name));
            }
            if !tail.denied.is_empty() {
                parts.push(format!(
                    "{}: no permission for {}",
                    cluster.name,
                    tail.denied.join(", ")
                ));
            }
        }
        bad |= !parts.is_empty() || dropped > 0 || gaps > 0;
        let count =
            |n: u64, word: &str| (n > 0).then(|| format!("{} {word}", Unit::None.write(n as f64)));
        // What is lost stands first: a narrow pane cuts the end.
        let losses = [
            count(dropped, "lost"),
            count(gaps, "times interrupted: messages may be missing"),
        ];
        let others = [count(seen, "came"), count(sampled, "not shown (sampled)")];
        let told = losses.into_iter().flatten().chain(parts);
        let told: Vec<String> = told.chain(others.into_iter().flatten()).collect();
        (told.join(" · "), bad)
    }

    pub(super) fn why_no_messages(&self, world: &World) -> String {
        if let Some(history) = &self.history {
            return history.why_empty();
        }
        if with_bus(world, self).next().is_none() {
            return no_bus(world).into();
        }
        let kept: usize = with_bus(world, self).map(|c| c.bus.passed().count()).sum();
        match kept {
            0 => self.why_nothing_passed(world),
            _ if self.until().is_some() => "no message of that time is held (= goes on)".into(),
            _ => format!(
                "nothing matches {:?} (Esc clears the filter)",
                self.messages.filter_text()
            ),
        }
    }
}

impl Bus {
    fn why_nothing_passed(&self, world: &World) -> String {
        let followed = || {
            let tails = with_bus(world, self).map(|c| &c.bus.tail);
            tails.filter(|tail| !tail.patterns.is_empty())
        };
        let sum = |of: fn(&Followed) -> u64| followed().map(of).sum::<u64>();
        let (seen, matched) = (sum(|tail| tail.seen), sum(|tail| tail.matched));
        if followed().next().is_none() {
            "nothing is followed: `f` names subjects, such as ai.> or ran.events.*".into()
        } else if seen > 0 {
            let seen = Unit::None.write(seen as f64);
            let why = match matched {
                0 => "none of them holds these words",
                _ => "none of them could be shown",
            };
            format!("{seen} came, {why}")
        } else if followed().all(|tail| tail.fault.is_some() || tail.is_withheld()) {
            "what passes cannot be heard: see below".into()
        } else {
            "no message came yet".into()
        }
    }
}

/// How one bus is heard; 0 is worst.
fn note(world: &World, cluster: &ClusterState) -> (u8, String) {
    let name = &cluster.name;
    let Some(source) = cluster.sources.get(&SourceKind::Nats) else {
        return (3, String::new());
    };
    let survey = cluster.bus.survey.as_ref();
    let since = survey.map_or_else(
        || "never seen".to_owned(),
        |s| format!("as of {} ago", ago(world, s.at)),
    );
    match &source.health {
        Health::Connecting => (2, format!("{name}: connecting")),
        Health::Failing { fault, .. } | Health::Denied { fault, .. } => {
            let hint = match fault.hint.as_str() {
                "" => String::new(),
                hint => format!(": {hint}"),
            };
            (0, format!("{name}: {} ({since}){hint}", fault.what))
        }
        Health::Live if source.is_stale(world.now) => (1, format!("{name}: stale, {since}")),
        Health::Live => match survey {
            None => (2, format!("{name}: connected, not yet looked at")),
            Some(survey) => of_survey(name, survey, &since),
        },
    }
}

fn of_survey(name: &str, survey: &Survey, since: &str) -> (u8, String) {
    let server = &survey.server;
    let lame = if server.lame_duck {
        ", about to stop"
    } else {
        ""
    };
    let place = format!("{name}: {} {}{lame}, {since}", server.name, server.version);
    match &survey.jetstream {
        JetStream::Unknown => (1, format!("{place}, streams unknown")),
        JetStream::Off(why) => (2, format!("{place}, no streams: {why}")),
        JetStream::Denied(why) => (1, format!("{place}, streams not seen: {why}")),
        JetStream::On(streams) => {
            let mut text = place;
            if let Some(account) = streams.account {
                let used = Unit::Bytes.write(account.storage_bytes as f64);
                let of = account
                    .storage_limit_bytes
                    .map(|limit| format!(" of {}", Unit::Bytes.write(limit as f64)));
                text.push_str(&format!(", {used}{} stored", of.unwrap_or_default()));
            }
            match streams.missing.split_first() {
                None => (3, text),
                Some((first, [])) => (1, format!("{text}, not seen: {first}")),
                Some((first, more)) => (
                    1,
                    format!("{text}, not seen: {first} and {} more", more.len()),
                ),
            }
        }
    }
}
