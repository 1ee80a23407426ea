//! Going from screen to screen and back; scope and time window.

use super::State;
use super::screen::Place;
use crate::command::ScreenId;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::ui::Window;
use crate::ui::view::{Entry, Focus, Goto};

/// Screens remembered for Esc.
const HISTORY: usize = 50;

impl State {
    /// Goes somewhere; Esc leads back.
    pub(super) fn go(&mut self, goto: Goto) -> Vec<Effect> {
        let here = Place {
            at: self.screen.at,
            scope: self.screen.scope,
            window: goto.window.map(|_| self.screen.window),
            arrived: self.screen.arrived,
        };
        if goto.screen != here.at {
            self.screen.last = Some(here.at);
        }
        let cluster = goto
            .cluster
            .or_else(|| goto.focus.as_ref().and_then(cluster_of));
        if cluster.is_some() {
            self.screen.scope = cluster;
        }
        if let Some(window) = goto.window {
            self.screen.window = window;
        }
        self.arrive(goto.screen, here);
        self.enter(goto.focus, goto.query)
    }

    /// Another screen with the same scope and time; the cursor stays on the thing it is on.
    pub(super) fn change_to(&mut self, screen: ScreenId, focus: Option<Focus>) -> Vec<Effect> {
        let here = Place {
            at: self.screen.at,
            scope: self.screen.scope,
            window: None,
            arrived: self.screen.arrived,
        };
        self.screen.last = Some(here.at);
        self.arrive(screen, here);
        // The lines of one pod alone are for those who open the pod.
        let focus = focus.filter(|focus| match screen {
            ScreenId::Logs => false,
            ScreenId::Alerts => matches!(focus, Focus::Alert { .. }),
            ScreenId::GitOps => matches!(focus, Focus::App { .. }),
            _ => true,
        });
        self.enter(focus, None)
    }

    fn arrive(&mut self, screen: ScreenId, from: Place) {
        self.screen.at = screen;
        self.screen.arrived = 0;
        self.default_scope();
        if (self.screen.at, self.screen.scope) != (from.at, from.scope) {
            self.screen.history.push(from);
            if self.screen.history.len() > HISTORY {
                self.screen.history.remove(0);
            }
        }
    }

    /// Goes deeper from a row: one Esc comes back to it.
    pub(super) fn drill(&mut self, goto: Goto) -> Vec<Effect> {
        let from = self.screen.at;
        let effects = self.go(goto);
        if self.screen.at != from {
            self.screen.arrived = self.screen.view().depth();
        }
        effects
    }

    /// One cluster is looked at: the worst one when none was chosen.
    fn default_scope(&mut self) {
        if self.screen.at == ScreenId::Cluster && self.screen.scope.is_none() {
            self.screen.scope = self.screen.views.fleet.under_cursor(&self.world);
        }
    }

    /// Back to where the operator came from. False: there is no way back.
    pub(super) fn go_back(&mut self) -> Option<Vec<Effect>> {
        let place = self.screen.history.pop()?;
        self.screen.last = Some(self.screen.at);
        self.screen.at = place.at;
        self.screen.arrived = place.arrived;
        self.screen.scope = place.scope;
        if let Some(window) = place.window {
            self.screen.window = window;
        }
        Some(self.enter(None, None))
    }

    pub(super) fn enter(&mut self, focus: Option<Focus>, query: Option<String>) -> Vec<Effect> {
        self.dirty = true;
        self.place();
        let entry = Entry {
            scope: self.screen.scope,
            window: self.screen.window,
            focus,
            query,
        };
        let view = self.screen.views.get_mut(self.screen.at);
        view.point(self.screen.cursor.at);
        view.enter(&entry, &self.world)
    }

    pub(super) fn set_window(&mut self, window: Window) -> Vec<Effect> {
        if self.screen.window == window {
            return Vec::new();
        }
        self.screen.window = window;
        self.enter(None, None)
    }

    pub(super) fn set_scope(&mut self, scope: Option<ClusterId>) -> Vec<Effect> {
        if self.screen.scope == scope {
            return Vec::new();
        }
        self.screen.scope = scope;
        self.default_scope();
        self.enter(None, None)
    }

    /// The cluster `by` places on; from all clusters to the first or the last one.
    pub(super) fn step_scope(&mut self, by: i32) -> Vec<Effect> {
        let count = i32::try_from(self.world.clusters.len()).unwrap_or(i32::MAX);
        if count == 0 {
            return Vec::new();
        }
        let next = match self.screen.scope {
            Some(ClusterId(now)) => (i32::from(now) + by).rem_euclid(count),
            None if by > 0 => 0,
            None => count - 1,
        };
        self.set_scope(u16::try_from(next).ok().map(ClusterId))
    }
}

pub(super) fn cluster_of(focus: &Focus) -> Option<ClusterId> {
    match focus {
        Focus::Cluster(cluster)
        | Focus::Node { cluster, .. }
        | Focus::Pod { cluster, .. }
        | Focus::Object { cluster, .. }
        | Focus::Gpu { cluster, .. }
        | Focus::Alert { cluster, .. }
        | Focus::App { cluster, .. }
        | Focus::Silence { cluster, .. } => Some(*cluster),
        Focus::Text { cluster, .. } => *cluster,
        Focus::Incident(_) => None,
    }
}
