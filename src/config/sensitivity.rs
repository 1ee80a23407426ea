//! `[[sensitivity]]`: how much is told of some series.

use toml::Spanned;

use super::build::{Mistake, mistake};
use super::signal::Catalogue;
use crate::model::sensitivity::Sensitivity;

/// Each is about something that is learned at all.
pub fn sensitivities(
    entries: Vec<Spanned<Sensitivity>>,
    catalogue: &Catalogue,
) -> Result<Vec<Sensitivity>, Mistake> {
    for entry in &entries {
        let one = entry.get_ref();
        if one.is_of_nothing() {
            let what = "this sensitivity is of nothing";
            let hint = "name a `signal`, a `cluster` or `labels`; \"*\" stands for all";
            return mistake(entry.span(), what, hint);
        }
        let mut signals = catalogue.signals.iter().filter(|s| s.learn);
        let mut metrics = catalogue.metrics.iter().filter(|m| m.learn);
        if !signals.any(|s| one.names(&s.name)) && !metrics.any(|m| one.names(&m.name)) {
            let named = one.signal.as_deref().unwrap_or_default();
            let what = format!("nothing is learned of \"{named}\"");
            let hint = "a signal or metric of the catalogue with `learn = true`; limits are no matter of sensitivity";
            return mistake(entry.span(), what, hint);
        }
    }
    Ok(entries.into_iter().map(Spanned::into_inner).collect())
}
