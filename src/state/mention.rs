//! What can be referred to by `@` in the chat pane, and what the model is told of it.

use serde_json::json;

use super::State;
use crate::agent::brief::incident_context;
use crate::agent::world_tools;
use crate::model::chat::WorldQuery;
use crate::model::id::{ClusterId, IncidentId, RequestId};
use crate::model::text::clean;
use crate::model::unit::age;
use crate::ui::view::Focus;
use crate::ui::view::chat::mention::{Chip, Offer, labels};

/// Incidents that are offered.
const INCIDENTS: usize = 30;
/// Letters of a label.
const LABEL: usize = 60;

/// What a label stands for.
enum Meant {
    Screen,
    Under(Focus),
    Incident(IncidentId),
    Cluster(ClusterId),
}

impl State {
    pub(super) fn offers(&self) -> Vec<Offer> {
        let all = self.mentions().into_iter();
        all.map(|(label, about, _)| Offer { label, about })
            .collect()
    }

    /// What a question refers to: as it was when it was chosen from the list, or as it is now where it
    /// was written by hand.
    pub(super) fn referred(&mut self, text: &str) -> Vec<Chip> {
        let chosen = self.screen.views.chat.take_chips();
        let labels = labels(text).into_iter();
        labels
            .filter_map(|label| {
                let held = chosen.iter().find(|chip| chip.label == label).cloned();
                held.or_else(|| self.chip(label))
            })
            .collect()
    }

    /// What this label stands for, as it is now. `None`: it is gone meanwhile.
    pub(super) fn chip(&self, label: &str) -> Option<Chip> {
        let all = self.mentions().into_iter();
        let (label, about, meant) = all
            .into_iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(label))?;
        let incident = match &meant {
            Meant::Incident(id) => Some(*id),
            _ => None,
        };
        let context = match meant {
            Meant::Screen => self.screen.view().brief(&self.ctx(false)),
            Meant::Under(focus) => {
                let name = self.name_of(&focus);
                format!("{name}\n{}", self.screen.view().brief(&self.ctx(false)))
            }
            Meant::Incident(id) => incident_context(&self.world, id),
            Meant::Cluster(id) => self.status_of(id),
        };
        let at = self.world.now.rfc3339();
        Some(Chip {
            context: format!("{label} ({about}), as it was at {at}:\n{context}\n"),
            label,
            incident,
        })
    }

    fn mentions(&self) -> Vec<(String, String, Meant)> {
        let here = self.screen.at.title().to_lowercase();
        let mut all = vec![(
            format!("@screen-{here}"),
            format!("what the {here} screen shows now"),
            Meant::Screen,
        )];
        match self.screen.view().focus(&self.world) {
            None | Some(Focus::Incident(_) | Focus::Cluster(_)) => {}
            Some(focus) => {
                let name = self.name_of(&focus);
                all.push((label(&name), "under the cursor".into(), Meant::Under(focus)));
            }
        }
        let open = self.world.incidents.iter().filter(|i| i.is_live());
        all.extend(open.take(INCIDENTS).map(|i| {
            let since = age(self.world.now.age_since_ms(i.opened));
            let name = self.world.name_of(i.cluster);
            let about = format!("{name}, {since}: {}", i.title);
            (format!("@INC-{}", i.number), about, Meant::Incident(i.id))
        }));
        all.extend(self.world.clusters.iter().map(|c| {
            let (status, why) = self.world.standing(c.id);
            let about = format!("cluster, {}: {why}", status.word());
            (label(&c.name), about, Meant::Cluster(c.id))
        }));
        all
    }

    fn status_of(&self, id: ClusterId) -> String {
        let query = WorldQuery {
            run: RequestId(0),
            call: String::new(),
            tool: "get_cluster_status".into(),
            arguments: json!({"cluster": self.world.name_of(id)}),
            clusters: vec![id],
        };
        world_tools::answer(&self.world, &query).0
    }
}

/// One word, whatever the name is.
fn label(name: &str) -> String {
    let name = clean(name, LABEL);
    let word: String = name
        .chars()
        .map(|c| if c.is_whitespace() { '_' } else { c })
        .collect();
    format!("@{word}")
}
