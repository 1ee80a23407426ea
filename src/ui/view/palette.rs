//! The palette: one list for screens, clusters, nodes, pods, incidents and commands.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{Focus, Goto, ScreenId, common};
use crate::command::{Action, Context, ENTRIES, name_of};
use crate::model::input::{Key, KeyPress};
use crate::state::world::World;
use crate::ui::Ctx;
use crate::ui::widget::field::Field;
use crate::ui::widget::table::window;

/// Pods offered; more are left out, and the title says so.
const PODS: usize = 20_000;
/// Hits that are kept.
const HITS: usize = 200;

#[derive(Clone, Debug)]
struct Item {
    kind: &'static str,
    text: String,
    key: String,
    does: Does,
}

#[derive(Clone, Debug)]
enum Does {
    Go(Goto),
    Act(Action),
}

#[derive(Debug)]
pub struct Palette {
    field: Field,
    items: Vec<Item>,
    /// Positions in `items`, best first.
    hits: Vec<usize>,
    matched: usize,
    left_out: usize,
    at: usize,
}

/// What a key in the palette leads to.
pub enum Outcome {
    Stay,
    Close,
    Go(Goto),
    Act(Action),
}

impl Palette {
    pub fn new(world: &World) -> Self {
        let (items, left_out) = items(world);
        let mut palette = Self {
            field: Field::default(),
            items,
            hits: Vec::new(),
            matched: 0,
            left_out,
            at: 0,
        };
        palette.search();
        palette
    }

    pub fn press(&mut self, press: KeyPress) -> Outcome {
        match (press.ctrl, press.key) {
            (_, Key::Esc) | (true, Key::Char('p')) => return Outcome::Close,
            (_, Key::Enter) => return self.chosen(),
            (_, Key::Up) | (true, Key::Char('k')) => self.step(-1),
            (_, Key::Down) | (true, Key::Char('n' | 'j')) => self.step(1),
            (_, Key::PageUp) => self.step(-10),
            (_, Key::PageDown) => self.step(10),
            _ if self.field.press(press) => self.search(),
            _ => {}
        }
        Outcome::Stay
    }

    pub fn paste(&mut self, text: &str) {
        self.field.paste(text);
        self.search();
    }

    pub fn step(&mut self, by: isize) {
        let last = self.hits.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    fn chosen(&self) -> Outcome {
        let item = self.hits.get(self.at).and_then(|i| self.items.get(*i));
        match item.map(|item| item.does.clone()) {
            Some(Does::Go(goto)) => Outcome::Go(goto),
            Some(Does::Act(action)) => Outcome::Act(action),
            None => Outcome::Stay,
        }
    }

    fn search(&mut self) {
        self.at = 0;
        let text = self.field.text();
        let pattern = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut hits: Vec<(u32, usize)> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| {
                let score = pattern.score(Utf32Str::new(&item.text, &mut letters), &mut matcher)?;
                Some((score, i))
            })
            .collect();
        hits.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
        self.matched = hits.len();
        self.hits = hits.into_iter().take(HITS).map(|(_, i)| i).collect();
    }

    pub fn draw(&self, ctx: &Ctx, area: Rect, buf: &mut Buffer) {
        let mut count = format!("{} of {}", self.matched, self.items.len());
        if self.left_out > 0 {
            count = format!("{count}, {} pods left out", self.left_out);
        }
        let inner = common::sheet(ctx, area, (90, area.height.min(24)), buf, "Palette", &count);
        if inner.is_empty() {
            return;
        }
        let x = ctx.put(buf, (inner.x, inner.y), inner.width, "› ", ctx.theme.key);
        let end = ctx.put(
            buf,
            (x, inner.y),
            inner.right().saturating_sub(x),
            self.field.text(),
            ctx.theme.base,
        );
        if let Some(cell) = buf.cell_mut((end.min(inner.right() - 1), inner.y)) {
            cell.modifier.insert(Modifier::REVERSED);
        }
        let height = usize::from(inner.height - 1);
        let start = window(0, self.at, self.hits.len(), height);
        let rows = self.hits.iter().enumerate().skip(start);
        for (y, (n, item)) in (inner.y + 1..inner.bottom()).zip(rows) {
            if let Some(item) = self.items.get(*item) {
                self.draw_item(ctx, Rect::new(inner.x, y, inner.width, 1), buf, item);
            }
            if n == self.at {
                buf.set_style(Rect::new(inner.x, y, inner.width, 1), ctx.theme.selected);
            }
        }
    }

    fn draw_item(&self, ctx: &Ctx, at: Rect, buf: &mut Buffer, item: &Item) {
        ctx.put(
            buf,
            (at.x, at.y),
            at.width.min(9),
            item.kind,
            ctx.theme.muted,
        );
        let key = u16::try_from(item.key.chars().count()).unwrap_or(0);
        let x = at.x.saturating_add(10);
        let room = at.right().saturating_sub(x).saturating_sub(key + 2);
        ctx.put(buf, (x, at.y), room, &item.text, ctx.theme.base);
        let x = at.right().saturating_sub(key + 1).max(at.x);
        ctx.put(buf, (x, at.y), key, &item.key, ctx.theme.key);
    }
}

fn items(world: &World) -> (Vec<Item>, usize) {
    let mut items: Vec<Item> = Vec::new();
    for id in ScreenId::ALL {
        items.extend(
            ENTRIES
                .iter()
                .find(|e| e.action == Action::Screen(id))
                .map(|entry| Item {
                    kind: "screen",
                    text: format!("{}: {}", id.title(), entry.help),
                    key: entry.keys.first().map_or_else(String::new, |k| name_of(k)),
                    does: Does::Act(entry.action.clone()),
                }),
        );
    }
    let go = |kind, text, screen, focus| Item {
        kind,
        text,
        key: String::new(),
        does: Does::Go(Goto {
            screen,
            focus: Some(focus),
            ..Goto::default()
        }),
    };
    for i in &world.incidents {
        let text = format!("INC-{} {}", i.number, i.title);
        items.push(go(
            "incident",
            text,
            ScreenId::Incidents,
            Focus::Incident(i.id),
        ));
    }
    for c in &world.clusters {
        items.push(go(
            "cluster",
            c.name.to_string(),
            ScreenId::Cluster,
            Focus::Cluster(c.id),
        ));
    }
    let replaying = world.replay.is_some();
    for entry in ENTRIES {
        let shown = entry.context == Context::Always || replaying;
        if shown && !matches!(entry.action, Action::Screen(_)) {
            items.push(Item {
                kind: "command",
                text: format!("{}: {}", entry.name, entry.help),
                key: entry.keys.first().map_or_else(String::new, |k| name_of(k)),
                does: Does::Act(entry.action.clone()),
            });
        }
    }
    for c in &world.clusters {
        for name in c.nodes.keys() {
            let focus = Focus::Node {
                cluster: c.id,
                node: name.to_string(),
            };
            items.push(go(
                "node",
                format!("{} / {name}", c.name),
                ScreenId::Cluster,
                focus,
            ));
        }
    }
    let left_out = pods(world, &mut items, go);
    (items, left_out)
}

fn pods(
    world: &World,
    items: &mut Vec<Item>,
    go: impl Fn(&'static str, String, ScreenId, Focus) -> Item,
) -> usize {
    let all: usize = world.clusters.iter().map(|c| c.pods.len()).sum();
    let pods = world
        .clusters
        .iter()
        .flat_map(|c| c.pods.values().map(move |p| (c, p)));
    for (c, p) in pods.take(PODS) {
        let focus = Focus::Pod {
            cluster: c.id,
            namespace: p.namespace.to_string(),
            pod: p.name.to_string(),
        };
        let text = format!("{} / {}/{}", c.name, p.namespace, p.name);
        items.push(go("pod", text, ScreenId::Cluster, focus));
    }
    all.saturating_sub(PODS)
}
