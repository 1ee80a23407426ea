//! One object with all that is known of it: in plain words, as YAML, its events, its owners and
//! what it owns, and the log of a pod. Opened from a row of another screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common::{Numbers, pane};
use super::{Ctx, Entry, Focus, Goto, ScreenId, View};
use crate::command::Command;
use crate::message::Effect;
use crate::model::ask::{Answered, Ask, Question};
use crate::model::id::ClusterId;
use crate::model::log::{PodTail, Tail};
use crate::model::object::{ObjectKey, ObjectKind};
use crate::state::world::World;
use crate::ui::widget::filter::Filter;

mod body;
mod describe;
mod draw;
mod motion;
mod row;
#[cfg(test)]
mod tests;
mod visit;

use visit::{Got, Subject, Tab, Visit, Yaml};

/// Objects remembered on the way from one to the next.
const TRAIL: usize = 20;
/// YAML of former objects kept at most, bytes; longer ones are asked for again.
const KEPT: usize = 256 * 1024;

/// The object that a focus stands for.
pub fn key_of(focus: &Focus) -> Option<(ClusterId, ObjectKey)> {
    let key = |kind, namespace: &str, name: &str| ObjectKey {
        kind,
        namespace: namespace.into(),
        name: name.into(),
    };
    match focus {
        Focus::Pod {
            cluster,
            namespace,
            pod,
        } => Some((*cluster, key(ObjectKind::Pod, namespace, pod))),
        Focus::Node { cluster, node } => Some((*cluster, key(ObjectKind::Node, "", node))),
        Focus::Object {
            cluster,
            kind,
            namespace,
            name,
        } => Some((*cluster, key(*kind, namespace, name))),
        Focus::App {
            cluster,
            kind,
            namespace,
            name,
        } => Some((*cluster, key(ObjectKind::of_app(*kind), namespace, name))),
        _ => None,
    }
}

/// The focus that stands for an object.
pub fn focus_on(cluster: ClusterId, key: &ObjectKey) -> Focus {
    let (namespace, name) = (key.namespace.to_string(), key.name.to_string());
    match key.kind {
        ObjectKind::Pod => Focus::Pod {
            cluster,
            namespace,
            pod: name,
        },
        ObjectKind::Node => Focus::Node {
            cluster,
            node: name,
        },
        kind => Focus::Object {
            cluster,
            kind,
            namespace,
            name,
        },
    }
}

#[derive(Debug)]
pub struct ObjectView {
    visit: Option<Visit>,
    /// Objects that led to this one, oldest first.
    trail: Vec<Visit>,
    /// `None`: as the tab is best read.
    wrap: Option<bool>,
    /// `managedFields` are shown whole.
    unfolded: bool,
    find_text: String,
    find: Filter,
    /// What is looked for was just typed: the first match is in view already.
    found_now: bool,
    numbers: Numbers,
    area: Rect,
}

impl Default for ObjectView {
    fn default() -> Self {
        Self {
            visit: None,
            trail: Vec::new(),
            wrap: None,
            unfolded: false,
            find_text: String::new(),
            find: Filter::default(),
            found_now: false,
            numbers: Numbers::new(ScreenId::Object),
            area: Rect::ZERO,
        }
    }
}

impl ObjectView {
    fn ask(&mut self) -> Vec<Effect> {
        let id = self.numbers.take();
        let Some(visit) = &mut self.visit else {
            return Vec::new();
        };
        let Subject { cluster, key } = &visit.at;
        let effect = Effect::Ask(Question {
            id,
            cluster: *cluster,
            ask: Ask::Object {
                kind: key.kind.api(),
                namespace: key.namespace.to_string(),
                name: key.name.to_string(),
            },
        });
        visit.yaml = Yaml::Asking(id);
        vec![effect]
    }

    /// The next tab, or the one before. YAML is asked for when it is looked at.
    fn turn(&mut self, by: isize, world: &World) -> Vec<Effect> {
        let Some(visit) = &mut self.visit else {
            return Vec::new();
        };
        let tabs = Tab::of(visit.at.key.kind);
        let at = tabs.iter().position(|t| *t == visit.tab).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(tabs.len() as isize);
        visit.tab = usize::try_from(next)
            .ok()
            .and_then(|next| tabs.get(next).copied())
            .unwrap_or_default();
        (visit.top, visit.cursor, visit.shift) = (0, 0, 0);
        match (visit.tab, &visit.yaml) {
            (Tab::Yaml, Yaml::None) => self.ask(),
            (Tab::Logs, _) if super::logs::pod_is_asked(world, visit.at.cluster) => {
                let tail = Tail::Pod(PodTail {
                    namespace: visit.at.key.namespace.to_string(),
                    pod: visit.at.key.name.to_string(),
                    container: None,
                });
                vec![Effect::TailLogs(vec![(visit.at.cluster, tail)])]
            }
            _ => Vec::new(),
        }
    }

    fn wraps(&self) -> bool {
        let yaml = self.visit.as_ref().is_some_and(|v| v.tab == Tab::Yaml);
        self.wrap.unwrap_or(!yaml)
    }
}

impl View for ObjectView {
    fn update(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if self.moved(&command, world) {
            return Vec::new();
        }
        match command {
            Command::Mode | Command::NextPane => return self.turn(1, world),
            Command::PreviousPane => return self.turn(-1, world),
            Command::Wrap => {
                self.wrap = Some(!self.wraps());
                if let Some(visit) = &mut self.visit {
                    visit.shift = 0;
                }
            }
            Command::Fold => self.unfolded = !self.unfolded,
            Command::Refresh => return self.ask(),
            Command::CopyRow => return self.copied(world).map(Effect::Copy).into_iter().collect(),
            _ => {}
        }
        Vec::new()
    }

    fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let inner = pane(ctx, area, buf, &self.title(ctx), &self.source(ctx), true);
        let Some(visit) = &self.visit else {
            let text = "no object chosen: Enter on a row of another screen opens one";
            super::common::empty(ctx, inner, buf, text);
            return;
        };
        if inner.height < 2 {
            return;
        }
        let (tabs, text) = super::common::above(inner, inner.height - 1);
        let body = self.body(ctx);
        self.draw_tabs(ctx, tabs, buf, (visit, &body));
        self.draw_body(ctx, text, buf, (visit, &body));
        if ctx.ascii {
            crate::ui::widget::text::fold_ascii(area, buf);
        }
    }

    fn place(&mut self, area: Rect, _world: &World) {
        self.area = area;
    }

    fn enter(&mut self, entry: &Entry, world: &World) -> Vec<Effect> {
        let Some((cluster, key)) = entry.focus.as_ref().and_then(key_of) else {
            return Vec::new();
        };
        let next = Visit::new(cluster, key);
        if self.visit.as_ref().is_some_and(|v| v.at == next.at) {
            return Vec::new();
        }
        let known = world.cluster(cluster).and_then(|c| c.known(&next.at.key));
        let watched = known.is_some();
        if let Some(mut former) = self.visit.replace(next) {
            if let Yaml::Got(got) = &former.yaml
                && got.text.len() > KEPT
            {
                former.yaml = Yaml::None;
            }
            self.trail.push(former);
            if self.trail.len() > TRAIL {
                self.trail.remove(0);
            }
        }
        self.set_find("");
        // What no watch tells is asked for at once.
        if watched { Vec::new() } else { self.ask() }
    }

    fn open(&mut self, world: &World) -> Option<Goto> {
        let visit = self.visit.as_ref()?;
        let (screen, focus) = match visit.tab {
            Tab::Owners => (
                ScreenId::Object,
                focus_on(visit.at.cluster, &self.target(world)?),
            ),
            Tab::Logs => (ScreenId::Logs, focus_on(visit.at.cluster, &visit.at.key)),
            _ => return None,
        };
        Some(Goto {
            screen,
            cluster: Some(visit.at.cluster),
            focus: Some(focus),
            ..Goto::default()
        })
    }

    fn back(&mut self) -> bool {
        if !self.find_text.is_empty() {
            self.set_find("");
            return true;
        }
        match self.trail.pop() {
            Some(former) => {
                self.visit = Some(former);
                true
            }
            None => false,
        }
    }

    fn depth(&self) -> usize {
        self.trail.len() + usize::from(!self.find_text.is_empty())
    }

    fn focus(&self, world: &World) -> Option<Focus> {
        let visit = self.visit.as_ref()?;
        let chosen = match visit.tab {
            Tab::Owners => self.target(world),
            _ => None,
        };
        let key = chosen.unwrap_or_else(|| visit.at.key.clone());
        Some(focus_on(visit.at.cluster, &key))
    }

    fn answer(&mut self, answered: &Answered, _world: &World) -> Vec<Effect> {
        let asked =
            |visit: &&mut Visit| matches!(visit.yaml, Yaml::Asking(id) if id == answered.id);
        let mut visits = self.visit.iter_mut().chain(&mut self.trail);
        if let Some(visit) = visits.find(asked) {
            visit.yaml = Yaml::Got(Box::new(Got::new(answered)));
        }
        Vec::new()
    }

    fn found(&self) -> Option<&str> {
        Some(&self.find_text)
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if !self.find_text.is_empty() {
            return &[("n/N", "next, previous"), ("Esc", "stop finding")];
        }
        match self.visit.as_ref().map(|v| v.tab) {
            Some(Tab::Yaml) => &[
                ("m", "events"),
                ("/", "find"),
                ("z", "managed fields"),
                ("w", "wrap"),
                ("r", "ask again"),
                ("yy", "copy"),
            ],
            Some(Tab::Owners) => &[
                ("Enter", "open"),
                ("m", "next"),
                ("xo", "owner"),
                ("xp", "pod"),
            ],
            Some(Tab::Logs) => &[
                ("Enter", "logs screen"),
                ("m", "describe"),
                ("/", "find"),
                ("w", "wrap"),
            ],
            _ => &[
                ("m", "next"),
                ("/", "find"),
                ("xo", "owner"),
                ("xn", "node"),
                ("yy", "copy"),
                ("w", "wrap"),
            ],
        }
    }

    fn brief(&self, ctx: &Ctx) -> String {
        let body = self.body(ctx);
        let lines: Vec<String> = (0..body.len().min(60)).map(|at| body.text(at)).collect();
        format!("Object screen, {}:\n{}", self.title(ctx), lines.join("\n"))
    }
}
