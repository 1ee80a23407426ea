//! What one console hands to another with a recording: incidents as the sender sees them, what was
//! said about them, and what is missing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::incident::{Incident, Verdict};
use super::talk::Session;
use super::time::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    /// Who handed it over; `None`: not known.
    pub by: Option<String>,
    /// When, by the sender's clock.
    pub at: Timestamp,
    /// The time that was asked for; what is recorded of it may begin later and says so in `gaps`.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Number of the incident that it is about; `None`: a range of time.
    pub about: Option<u32>,
    pub incidents: Vec<HandedIncident>,
    /// What the sender did not hold or left out, in words.
    pub gaps: Vec<String>,
    /// Conversations; each is a part of its own in the file.
    #[serde(skip)]
    pub talks: Vec<Session>,
}

/// An incident as its sender sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandedIncident {
    pub incident: Incident,
    /// What people thought of findings, by the key of these.
    #[serde(default)]
    pub verdicts: Vec<(Arc<str>, Verdict)>,
    /// The causes as the sender's console ranked them, likeliest first, in words.
    #[serde(default)]
    pub causes: Vec<String>,
}

/// What stays with an incident of another console.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handed {
    /// `None`: not known.
    pub by: Option<String>,
    pub at: Timestamp,
    pub causes: Vec<String>,
    pub verdicts: Vec<(Arc<str>, Verdict)>,
}

impl Handed {
    /// Who handed it over.
    pub fn by(&self) -> &str {
        self.by.as_deref().unwrap_or("unknown")
    }

    pub fn verdict(&self, key: &str) -> Option<&Verdict> {
        let found = self.verdicts.iter().find(|(of, _)| &**of == key);
        found.map(|(_, verdict)| verdict)
    }
}

impl Handover {
    /// The incidents as this console holds them: marked as another's, under ids that no incident
    /// found here can have.
    pub fn taken(&self) -> Vec<Incident> {
        let each = self.incidents.iter().map(|one| {
            let mut incident = one.incident.clone();
            incident.id = Incident::id_of_sender(incident.id);
            incident.handed = Some(Arc::new(Handed {
                by: self.by.clone(),
                at: self.at,
                causes: one.causes.clone(),
                verdicts: one.verdicts.clone(),
            }));
            incident
        });
        each.collect()
    }
}
