//! One panel of Grafana.

use std::collections::BTreeSet;

use serde_json::Value;

use super::source::Kind;
use super::unit::unit;
use super::{Import, word};
use crate::model::dashboard::{COLUMNS, Form, Limits, Panel, PanelQuery, Source};
use crate::model::unit::Unit;

/// Grafana's grid.
const GRID: i64 = 24;

/// How a kind of panel is shown here.
enum Shown {
    As(Form),
    /// Not as it was.
    Instead(Form, &'static str),
    Not,
}

impl Shown {
    fn of(kind: &str, panel: &Value) -> Self {
        let stacked = panel
            .pointer("/fieldConfig/defaults/custom/stacking/mode")
            .and_then(Value::as_str)
            .is_some_and(|mode| mode != "none")
            || panel.get("stack").and_then(Value::as_bool) == Some(true);
        match kind {
            "timeseries" | "graph" | "trend" if stacked => Self::As(Form::Stacked),
            "timeseries" | "graph" | "trend" => Self::As(Form::Lines),
            "stat" | "singlestat" => Self::As(Form::Stat),
            "gauge" => Self::Instead(Form::Stat, "a number instead of a gauge"),
            "table" | "table-old" => Self::As(Form::Table),
            "bargauge" | "barchart" | "piechart" | "grafana-piechart-panel" => {
                Self::Instead(Form::Table, "a table instead of bars or a pie")
            }
            "heatmap" => Self::As(Form::Heat),
            "state-timeline" | "status-history" => {
                Self::Instead(Form::Lines, "lines instead of bands")
            }
            "logs" => Self::As(Form::Logs),
            _ => Self::Not,
        }
    }
}

impl Import {
    pub(super) fn panel(&mut self, panel: &Value, section: &str) {
        self.seen += 1;
        let title = match word(panel, "title") {
            title if title.is_empty() => format!("panel {}", self.seen),
            title => title,
        };
        let kind = word(panel, "type");
        if panel.get("libraryPanel").is_some_and(|l| !l.is_null()) && panel.get("targets").is_none()
        {
            return self.note(format!(
                "panel \"{title}\": left out, it is kept in Grafana's library and not in the file"
            ));
        }
        let form = match Shown::of(&kind, panel) {
            Shown::As(form) => form,
            Shown::Instead(form, how) => {
                self.note(format!("panel \"{title}\" ({kind}): {how}"));
                form
            }
            Shown::Not => {
                return self.note(format!(
                    "panel \"{title}\": left out, its kind is \"{kind}\""
                ));
            }
        };
        let Some((source, queries)) = self.queries(panel, &title, form) else {
            return;
        };
        self.aside(panel, &title);
        let unit = self.unit(panel, &title);
        let limits = self.limits(panel, (&title, form));
        let width = panel.pointer("/gridPos/w").or(panel.get("span"));
        let grid = match panel.get("gridPos") {
            Some(_) => GRID,
            // Rows of old dashboards have twelve columns.
            None => i64::from(COLUMNS),
        };
        let width = width.and_then(Value::as_i64).unwrap_or(grid / 2);
        let width = (width.clamp(1, grid) * i64::from(COLUMNS) + grid / 2) / grid;
        self.panels.push(Panel {
            title,
            section: section.to_owned(),
            form: match (form, source) {
                (Form::Logs, Source::Prometheus) => Form::Table,
                (form, _) => form,
            },
            source,
            unit,
            limits,
            width: u8::try_from(width).unwrap_or(COLUMNS).clamp(1, COLUMNS),
            height: None,
            queries,
        });
    }

    /// The queries that one source answers; the others are noted.
    fn queries(
        &mut self,
        panel: &Value,
        title: &str,
        form: Form,
    ) -> Option<(Source, Vec<PanelQuery>)> {
        let own = self.sources.kind(panel.get("datasource"));
        let mut taken: Option<Source> = None;
        let mut queries = Vec::new();
        let targets = panel.get("targets").and_then(Value::as_array);
        for target in targets.into_iter().flatten() {
            if target.get("hide").and_then(Value::as_bool) == Some(true) {
                self.note(format!("panel \"{title}\": a hidden query was left out"));
                continue;
            }
            let kind = match self.sources.kind(target.get("datasource")) {
                Kind::Unsaid => own.clone(),
                kind => kind,
            };
            let source = match kind {
                Kind::Known(source) => source,
                Kind::Unsaid | Kind::Mixed if form == Form::Logs => Source::Loki,
                Kind::Unsaid | Kind::Mixed => Source::Prometheus,
                Kind::Expression => {
                    self.note(format!(
                        "panel \"{title}\": an expression of Grafana was left out"
                    ));
                    continue;
                }
                Kind::Other(other) => {
                    self.note(format!(
                        "panel \"{title}\": a query to {other} was left out"
                    ));
                    continue;
                }
            };
            // Not cleaned: a query goes to the server as it is.
            let text = target
                .get("expr")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if text.trim().is_empty() {
                self.note(format!("panel \"{title}\": an empty query was left out"));
                continue;
            }
            if *taken.get_or_insert(source) != source {
                self.note(format!(
                    "panel \"{title}\": it asks two kinds of sources, the second was left out"
                ));
                continue;
            }
            let legend = match word(target, "legendFormat") {
                legend if legend == "__auto" => String::new(),
                legend => legend,
            };
            queries.push(PanelQuery {
                text: text.trim().to_owned(),
                legend,
            });
        }
        if queries.is_empty() {
            self.note(format!(
                "panel \"{title}\": left out, nothing of it can be asked"
            ));
            return None;
        }
        Some((taken.unwrap_or_default(), queries))
    }

    /// What changes a panel's answer or how often it stands there, and is not taken over.
    fn aside(&mut self, panel: &Value, title: &str) {
        let count = |pointer: &str| {
            let list = panel.pointer(pointer).and_then(Value::as_array);
            list.map_or(0, Vec::len)
        };
        let transformations = count("/transformations");
        if transformations > 0 {
            let ids = ids(panel.get("transformations"));
            self.note(format!(
                "panel \"{title}\": its {transformations} transformations are not applied{ids}"
            ));
        }
        let overrides = count("/fieldConfig/overrides");
        if overrides > 0 {
            let all = panel
                .pointer("/fieldConfig/overrides")
                .and_then(Value::as_array);
            let properties = all
                .into_iter()
                .flatten()
                .filter_map(|o| o.get("properties"));
            let properties: Vec<Value> = properties
                .filter_map(Value::as_array)
                .flatten()
                .cloned()
                .collect();
            let ids = ids(Some(&Value::Array(properties)));
            self.note(format!(
                "panel \"{title}\": its {overrides} overrides of fields are not applied{ids}"
            ));
        }
        if count("/fieldConfig/defaults/mappings") > 0 {
            self.note(format!(
                "panel \"{title}\": words for its values are not taken over"
            ));
        }
        self.repeated(panel, &format!("panel \"{title}\""));
        for (field, what) in [("timeFrom", "a range"), ("timeShift", "a shift in time")] {
            if !word(panel, field).is_empty() {
                self.note(format!(
                    "panel \"{title}\": {what} of its own is not taken over"
                ));
            }
        }
    }

    /// It stands there once for each value of a variable.
    pub(super) fn repeated(&mut self, what: &Value, called: &str) {
        let repeat = word(what, "repeat");
        if !repeat.is_empty() {
            self.note(format!(
                "{called}: stands once, not once for each value of ${repeat}"
            ));
        }
    }

    /// Thresholds that Grafana draws as lines or areas; where they only colour, that is noted.
    fn limits(&mut self, panel: &Value, (title, form): (&str, Form)) -> Limits {
        let thresholds = panel.pointer("/fieldConfig/defaults/thresholds");
        let steps = thresholds.and_then(|t| t.get("steps")?.as_array());
        let values: Vec<f64> = steps
            .into_iter()
            .flatten()
            .filter_map(|step| step.get("value")?.as_f64())
            .collect();
        let style = panel.pointer("/fieldConfig/defaults/custom/thresholdsStyle/mode");
        let drawn = style.and_then(Value::as_str).is_some_and(|m| m != "off");
        let share = thresholds.is_some_and(|t| word(t, "mode") == "percentage");
        let curves = matches!(form, Form::Lines | Form::Stacked);
        // What every new panel has: it means nothing.
        let usual = values.is_empty() || values == [80.0];
        match (curves && drawn && !values.is_empty(), share) {
            (true, false) => return Limits::new(values),
            (true, true) => self.note(format!(
                "panel \"{title}\": its thresholds are not taken over, they are shares of its range"
            )),
            (false, _) if !usual => self.note(format!(
                "panel \"{title}\": colours by threshold are not taken over"
            )),
            (false, _) => {}
        }
        Limits::default()
    }

    fn unit(&mut self, panel: &Value, title: &str) -> Unit {
        let id = [
            "/fieldConfig/defaults/unit",
            "/format",
            "/yaxes/0/format",
            "/yAxis/format",
        ]
        .into_iter()
        .filter_map(|pointer| panel.pointer(pointer)?.as_str())
        .find(|id| !id.is_empty())
        .unwrap_or_default();
        unit(id).unwrap_or_else(|| {
            let id = crate::model::text::clean(id, 40);
            self.note(format!(
                "panel \"{title}\": the unit \"{id}\" is not known here"
            ));
            Unit::None
        })
    }
}

/// ` (merge, organize)`: what these are, each once.
fn ids(of: Option<&Value>) -> String {
    let all = of.and_then(Value::as_array).into_iter().flatten();
    let ids: BTreeSet<String> = all
        .map(|one| word(one, "id"))
        .filter(|id| !id.is_empty())
        .collect();
    let ids: Vec<String> = ids.into_iter().take(8).collect();
    match ids.is_empty() {
        true => String::new(),
        false => format!(" ({})", ids.join(", ")),
    }
}
