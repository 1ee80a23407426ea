//! `/runbook`: which one fits, and what it says, without a model.

use super::State;
use crate::incident::Incident;

/// Found by words at most.
const FOUND: usize = 8;

impl State {
    /// Without words those that fit the incident under the cursor, else the open ones; with a name
    /// that runbook, with other words those that say them.
    pub(super) fn runbook(&self, words: &str) -> String {
        let all = &self.world.runbooks;
        if let Some(found) = all.get(words) {
            let from = if found.own { "yours" } else { "of farwatch" };
            return format!(
                "# {}\n\n`{}`, {from}\n\n{}",
                found.title, found.id, found.body
            );
        }
        let numbered = words.is_empty() || words.to_uppercase().starts_with("INC-");
        let mut told = match numbered {
            true => match self.meant(words) {
                Ok(Some(id)) => self
                    .world
                    .incident(id)
                    .map_or_else(String::new, |i| self.fitting(i)),
                Ok(None) => "No incident is open.\n".into(),
                Err(told) => return told,
            },
            false => {
                let found = all.search(words, FOUND);
                match found.is_empty() {
                    true => format!("No runbook says anything of `{words}`.\n"),
                    false => found
                        .iter()
                        .map(|r| format!("- `{}` {}\n", r.id, r.title))
                        .collect(),
                }
            }
        };
        told.push_str(&format!(
            "\n{} runbooks: `/runbook WORDS` searches them, `/runbook ID` shows one.\n",
            all.all().len()
        ));
        for fault in self.config.runbook_faults.iter() {
            told.push_str(&format!("\n> not used: {fault}\n"));
        }
        told
    }

    fn fitting(&self, incident: &Incident) -> String {
        let fitting = self.world.runbooks_for(incident);
        let mut told = format!("INC-{} {}\n\n", incident.number, incident.title);
        if fitting.is_empty() {
            told.push_str("No runbook fits it.\n");
        }
        for f in fitting {
            told.push_str(&format!(
                "- `{}` {} ({})\n",
                f.runbook.id, f.runbook.title, f.why
            ));
        }
        told
    }
}
