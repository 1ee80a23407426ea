//! The log of a watcher: on standard error, a line an event, as text or as JSON, without secrets
//! and without what a terminal would obey.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::otlp;
use crate::cli::logging;
use crate::clock;
use crate::config::LogForm;
use crate::model::redact::redact;
use crate::model::text::clean;

/// Lines that may wait for whoever reads standard error; what comes on top is lost and counted.
const WAITING_LINES: usize = 4096;
/// Longest value, bytes.
const LONGEST: usize = 4 * 1024;

/// What the outlets take over from the log.
#[derive(Default)]
pub struct Taken {
    pub lines_lost: Option<ErrorCounter>,
    /// Finished spans; `None`: nobody wants any.
    pub spans: Option<otlp::Spans>,
}

/// Starts logging. The guard writes what waits when it is dropped. `Err`: there is no log, and why.
pub fn start(level: &str, form: LogForm, traced: bool) -> Result<(WorkerGuard, Taken), String> {
    let filter = logging::filter(level).map_err(|e| format!("--log-level {level}: {e}"))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .finish(std::io::stderr());
    let lines_lost = Some(writer.error_counter());
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(form))
        .with_writer(writer)
        .with_filter(filter);
    let (layer, spans) = traced.then(otlp::layer).unzip();
    let subscriber = tracing_subscriber::registry().with(lines).with(layer);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|e| format!("the log is already taken: {e}"))?;
    Ok((guard, Taken { lines_lost, spans }))
}

/// How an event is written.
pub struct Lines(pub LogForm);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut told = Values::default();
        event.record(&mut told);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let line = match self.0 {
            LogForm::Json => json(level, target, told),
            LogForm::Text => text(level, target, &told),
        };
        writeln!(writer, "{line}")
    }
}

fn json(level: &Level, target: &str, told: Values) -> String {
    let mut line = Map::new();
    line.insert("time".into(), clock::now().rfc3339().into());
    line.insert("level".into(), level.as_str().to_lowercase().into());
    line.insert("target".into(), target.into());
    line.insert("message".into(), told.message.into());
    line.insert("fields".into(), told.fields.into());
    Value::Object(line).to_string()
}

fn text(level: &Level, target: &str, told: &Values) -> String {
    let mut line = format!(
        "{} {:5} {target}: {}",
        clock::now().rfc3339(),
        level.as_str().to_lowercase(),
        told.message
    );
    for (name, value) in &told.fields {
        line.push_str(&format!(" {name}={value}"));
    }
    line
}

/// The values of an event, made safe.
#[derive(Default)]
struct Values {
    message: String,
    fields: Map<String, Value>,
}

impl Values {
    fn take(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

fn safe(text: &str) -> Value {
    clean(&redact(text), LONGEST).into()
}

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, safe(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, safe(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }
}

#[cfg(test)]
mod tests;
