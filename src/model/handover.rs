//! What one console hands to another with a recording: incidents as the sender sees them, what was
//! said about them, and what is missing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::export::LinesExport;
use super::health::SourceKind;
use super::id::ClusterId;
use super::incident::{Incident, Verdict};
use super::sample::{Sample, SampleKind, SeriesKey};
use super::signal::Group;
use super::talk::Session;
use super::telemetry::Telemetry;
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
    /// What was changed, by place of the cluster in the recording.
    pub changes: Vec<(ClusterId, Change)>,
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
    /// Who handed it to the sender, and when; `None`: the sender found it.
    #[serde(default)]
    pub origin: Option<(Option<String>, Timestamp)>,
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
    /// With the ids under which this console holds its incidents.
    pub fn under_our_ids(mut self) -> Self {
        for talk in &mut self.talks {
            talk.head.incident = talk.head.incident.map(Incident::id_of_sender);
        }
        self
    }

    /// The incidents as this console holds them: marked as another's, under ids that no incident
    /// found here can have.
    pub fn taken(&self) -> Vec<Incident> {
        let each = self.incidents.iter().map(|one| {
            let mut incident = one.incident.clone();
            incident.id = Incident::id_of_sender(incident.id);
            let (by, at) = one.origin.clone().unwrap_or((self.by.clone(), self.at));
            incident.handed = Some(Arc::new(Handed {
                by,
                at,
                causes: one.causes.clone(),
                verdicts: one.verdicts.clone(),
            }));
            incident
        });
        each.collect()
    }
}

/// What one console holds and gives away, before it is written: shared or copied, so that the
/// writing is done elsewhere. Clusters are numbered by their place in `recorded`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parcel {
    pub handover: Handover,
    pub recorded: Vec<RecordedCluster>,
    /// How the clusters stand, in the order of time.
    pub standing: Vec<Telemetry>,
    pub series: Vec<HeldSeries>,
    pub logs: Vec<HeldLines>,
}

/// A series with what is held of it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldSeries {
    pub cluster: ClusterId,
    pub source: SourceKind,
    pub group: Group,
    /// The query that brings it, by name and text.
    pub name: Arc<str>,
    pub query: Arc<str>,
    pub kind: SampleKind,
    /// Expected distance of its points, milliseconds.
    pub interval_ms: u32,
    pub key: SeriesKey,
    /// Oldest first.
    pub points: Vec<Sample>,
}

/// The log lines of one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldLines {
    pub cluster: ClusterId,
    pub source: SourceKind,
    pub lines: LinesExport,
}

impl Parcel {
    /// What goes in, in words.
    pub fn words(&self) -> String {
        let points: usize = self.series.iter().map(|s| s.points.len()).sum();
        let several = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        [
            several(self.recorded.len(), "cluster"),
            several(self.series.len(), "series").replace("seriess", "series"),
            several(points, "point"),
            several(self.handover.incidents.len(), "incident"),
            several(self.handover.changes.len(), "change"),
            several(self.handover.talks.len(), "conversation"),
        ]
        .join(", ")
    }
}

/// A cluster as it is shown; where it is and how one signs in there is not recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedCluster {
    pub name: String,
    pub kind: String,
    pub environment: Option<String>,
    pub region: Option<String>,
    pub labels: Vec<(String, String)>,
    pub sources: Vec<SourceKind>,
}
