//! `/report`: what is known as a file, with a model's summary where it is wanted.

use super::State;
use crate::message::Effect;
use crate::model::chat::ModelWords;
use crate::model::export::{Export, Format, Kept, TextExport};
use crate::model::fault::Fault;
use crate::model::time::Timestamp;
use crate::report::{self, Asked, Kind, Report};

impl State {
    /// Of the clusters in scope, for the time that is looked at. `Err`: what is said instead.
    pub(super) fn report(&mut self, words: &str) -> Result<Vec<Effect>, String> {
        let (words, by_model) = match words.strip_suffix("model") {
            Some(before) if before.is_empty() || before.ends_with(' ') => (before.trim(), true),
            _ => (words, false),
        };
        if by_model && !self.agent_configured() {
            return Err("No model is configured; `/report` makes one without.".into());
        }
        if by_model && self.reporting.is_some() {
            return Err("The model is still at work on the report before.".into());
        }
        let (kind, incident) = match words {
            "" | "summary" => (Kind::ExecutiveSummary, None),
            "detailed" => (Kind::DetailedAnalysis, None),
            "capacity" => (Kind::CapacityPlan, None),
            "incident" => (Kind::IncidentReport, self.meant("")?),
            number => (Kind::IncidentReport, self.meant(number)?),
        };
        let scope = self.screen.scope;
        let clusters = self.world.clusters.iter().map(|c| c.id);
        let asked = Asked {
            kind,
            clusters: clusters
                .filter(|id| scope.is_none_or(|s| s == *id))
                .collect(),
            from: self.screen.window.bounds(self.world.now).0,
            incident,
        };
        let report = report::make(&self.world, &asked)?;
        if !by_model {
            return Ok(vec![saved(&report, self.world.now)]);
        }
        let text = report::page::markdown(&report);
        self.reporting = Some(Box::new(report));
        self.notice(false, "the model summarises the report; it is saved then");
        Ok(vec![Effect::Summarise(text)])
    }

    /// The report is saved in any case; where the model wrote nothing, it says why.
    pub(super) fn take_summary(&mut self, words: Result<ModelWords, Fault>) -> Vec<Effect> {
        let Some(report) = self.reporting.take() else {
            return Vec::new();
        };
        if let Err(fault) = &words {
            self.notice(true, format!("no summary by a model: {fault}"));
        }
        vec![saved(&report.with_words(words), self.world.now)]
    }
}

fn saved(report: &Report, at: Timestamp) -> Effect {
    Effect::Save(Box::new(Export {
        format: Format::Markdown,
        at,
        kept: Kept::Text(TextExport {
            name: "report".into(),
            text: report::page::markdown(report),
        }),
    }))
}
