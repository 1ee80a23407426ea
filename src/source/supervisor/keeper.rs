//! Keeps one source running: backs off, obeys waiting times, survives panics, tells its health.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use backon::ExponentialBackoff;
use futures::FutureExt;

use super::line::Line;
use super::{Maker, Pace, Plan, Source, Work};
use crate::clock;
use crate::model::fault::FaultKind;
use crate::source::error::{Cause, SourceError};

/// Runs until its task is aborted, or until the source has panicked too often.
pub(super) async fn keep(plan: Plan, line: Line, pace: Pace) {
    let mut panics = 0;
    loop {
        let error = match &plan.work {
            Work::Own(run) | Work::Aside(run) => {
                let mut report = line.for_stream(&pace);
                if plan.is_aside() {
                    report = report.quiet();
                }
                let run = AssertUnwindSafe(run(report));
                match run.catch_unwind().await {
                    Ok(()) => return,
                    Err(panic) => bug(&plan, panic.as_ref()),
                }
            }
            Work::Kept(make) => match build(make, &plan, &line, &pace).await {
                Ok(mut source) => attend(source.as_mut(), &plan, &line, &pace).await,
                Err(error) => error,
            },
        };
        panics += 1;
        tracing::error!(kind = %plan.kind, cluster = %error.cluster, panics, "{error}");
        let heard = !plan.is_aside();
        if panics > pace.panics {
            if heard {
                line.tell_denied(&error).await;
            }
            return;
        }
        if heard {
            line.tell_failing(&error, pace.longest).await;
        }
        line.rest(clock::instant() + pace.longest).await;
    }
}

/// Makes the source; a wrong configuration file may be corrected, so it is tried again. An error
/// is a panic.
async fn build(
    make: &Maker,
    plan: &Plan,
    line: &Line,
    pace: &Pace,
) -> Result<Box<dyn Source>, SourceError> {
    let mut backoff = pace.delays();
    loop {
        match std::panic::catch_unwind(AssertUnwindSafe(make)) {
            Ok(Ok(source)) => return Ok(source),
            Ok(Err(error)) => {
                let wait = backoff.next().unwrap_or(pace.longest);
                line.tell_failing(&error, wait).await;
                line.rest(clock::instant() + wait).await;
            }
            Err(panic) => return Err(bug(plan, panic.as_ref())),
        }
    }
}

/// Runs the source again and again; returns only when it panicked.
async fn attend(source: &mut dyn Source, plan: &Plan, line: &Line, pace: &Pace) -> SourceError {
    let mut waits = pace.delays();
    loop {
        let result = AssertUnwindSafe(source.run(line)).catch_unwind().await;
        if line.streak() == 0 {
            waits = pace.delays();
        }
        let wait = match result {
            Ok(Ok(())) => waits.next().unwrap_or(pace.longest),
            Ok(Err(error)) => {
                tracing::debug!(kind = %plan.kind, "{error}");
                fail(&error, line, pace, &mut waits).await
            }
            Err(panic) => return bug(plan, panic.as_ref()),
        };
        line.rest(clock::instant() + wait).await;
    }
}

/// Tells the failure and says how long to wait.
async fn fail(
    error: &SourceError,
    line: &Line,
    pace: &Pace,
    waits: &mut ExponentialBackoff,
) -> Duration {
    let kind = error.kind();
    if kind == FaultKind::Forbidden {
        line.tell_denied(error).await;
        return pace.denied;
    }
    let step = waits.next().unwrap_or(pace.longest).min(pace.longest);
    // Open breaker: the longest wait, and the first request of the next run is the probe.
    let step = if line.streak() + 1 >= pace.breaker {
        pace.longest
    } else {
        step
    };
    let wait = error.retry_after().map_or(step, |told| told.max(step));
    if kind == FaultKind::Auth {
        // A renewed token is noticed soon.
        line.tell_denied(error).await;
    } else {
        line.tell_failing(error, wait).await;
    }
    wait
}

fn bug(plan: &Plan, panic: &(dyn std::any::Any + Send)) -> SourceError {
    let words = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without words".to_owned());
    let words = crate::model::text::clean(&words, 200);
    SourceError::new(&plan.cluster, &plan.endpoint, Cause::Bug(words))
}
