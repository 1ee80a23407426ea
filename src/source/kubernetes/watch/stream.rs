//! One stream of events: how it is begun, heard, and what its end means.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::api::WatchParams;
use tokio::time::{Instant, sleep_until};

use super::{End, Told, Watch};
use crate::model::telemetry::ObjectBatch;
use crate::source::kubernetes::Cluster;
use crate::source::kubernetes::call::{Call, Cut, Lines};

const BATCH_TIME: Duration = Duration::from_millis(50);
const BATCH_OBJECTS: usize = 500;
/// A stream that ends sooner without a word counts as a failure.
const QUICK: Duration = Duration::from_secs(5);

struct Stream {
    lines: Lines,
    /// Objects of the list that comes as events; `None`: the list is whole.
    listing: Option<ObjectBatch>,
    started: Instant,
    heard: Instant,
    words: u64,
    /// How long it may say nothing.
    patience: Duration,
}

impl Stream {
    /// When its silence tells something. A list as a stream goes on without pause and ends; only
    /// its changes come as they please.
    fn idle(&self, listing: Duration) -> Instant {
        match self.listing {
            Some(_) => (self.heard + listing).min(self.started + 6 * listing),
            None => self.heard + self.patience,
        }
    }
}

impl Watch {
    /// One stream; with the list as its first events, or from the version.
    pub(super) async fn follow(&mut self, cluster: &Cluster, path: &str, initial: bool) -> End {
        let doing = format!("watch {}", self.kind.plural);
        let call = Call {
            cluster,
            doing: &doing,
        };
        let term = self.waits.pace().term;
        let params = WatchParams {
            field_selector: self.kind.fields.map(str::to_owned),
            // Not all streams of a fleet end at once.
            timeout: u32::try_from((term + self.jitter()).as_secs()).ok(),
            send_initial_events: initial,
            ..WatchParams::default()
        };
        let from = match &self.version {
            Some(version) if !initial => version.as_str(),
            _ => "",
        };
        let request = kube::core::Request::new(path).watch(&params, from);
        let body = match call.send(request).await {
            Ok(answer) => answer.into_body(),
            Err(refused) if refused.code == 410 => return End::Forgot,
            Err(refused) => return End::Refused(refused.into()),
        };
        if std::mem::take(&mut self.failing) && !initial && self.well().await.is_none() {
            return End::Gone;
        }
        let mut stream = Stream {
            lines: Lines::new(body),
            listing: initial.then(|| ObjectBatch::empty(self.kind.object)),
            started: Instant::now(),
            heard: Instant::now(),
            words: 0,
            patience: term + (term / 20).max(Duration::from_secs(1)),
        };
        let end = self.hear(&mut stream, call).await;
        if self.flush().await.is_none() {
            return End::Gone;
        }
        match end {
            End::On { .. } => self.ended(&stream, term),
            end => end,
        }
    }

    async fn well(&mut self) -> Option<()> {
        self.tell(Told::Well(self.kind.object)).await
    }

    /// A list that did not come whole as a stream gets through page by page.
    pub(super) fn no_stream_lists(&self) {
        self.ways.watch_list.store(false, Ordering::Relaxed);
    }

    /// What the end of a stream means: a cut, the end of its term, or that it was never alive.
    fn ended(&mut self, stream: &Stream, term: Duration) -> End {
        let lived = stream.started.elapsed();
        if stream.listing.is_some() {
            self.no_stream_lists();
            return End::On { quick: true };
        }
        if stream.words > 0 {
            self.silent = 0;
            return End::On { quick: false };
        }
        // A server sends bookmarks every minute and before it ends a stream. One that says
        // nothing may have lost what we count on (restored from a backup): it is listed anew.
        if lived >= term {
            self.silent += 1;
            if self.silent >= 2 {
                self.silent = 0;
                return End::Forgot;
            }
        }
        End::On {
            quick: lived < QUICK,
        }
    }

    async fn hear(&mut self, stream: &mut Stream, call: Call<'_>) -> End {
        let mut due: Option<Instant> = None;
        loop {
            let idle = stream.idle(self.waits.pace().listing);
            let line = tokio::select! {
                line = stream.lines.next() => line,
                () = wait(due) => {
                    due = None;
                    if self.flush().await.is_none() {
                        return End::Gone;
                    }
                    continue;
                }
                // It took the list for a plain watch, as servers that do not know it do.
                () = sleep_until(idle), if stream.listing.is_some() => {
                    self.no_stream_lists();
                    return End::Forgot;
                }
                // Half-open: the other side is gone and nobody told us.
                () = sleep_until(idle) => return End::On { quick: false },
            };
            let line = match line {
                Some(Ok(line)) => line,
                // A cut: what was told is told, the rest comes from the version.
                Some(Err(Cut::TooLong)) => {
                    if stream.listing.is_some() {
                        self.no_stream_lists();
                    }
                    return End::Refused(call.unreadable(&Cut::TooLong.to_string()).into());
                }
                Some(Err(Cut::Wire(error))) => {
                    tracing::debug!(%error, kind = self.kind.plural, "watch cut");
                    return End::On { quick: false };
                }
                None => return End::On { quick: false },
            };
            stream.heard = Instant::now();
            stream.words += 1;
            if let Err(end) = self.line(line, &mut stream.listing, call) {
                return end;
            }
            let listed = stream.listing.is_none() && self.batch.reset;
            if (listed || self.batch.told() >= BATCH_OBJECTS) && self.flush().await.is_none() {
                return End::Gone;
            }
            if self.batch.told() > 0 && due.is_none() {
                due = Some(Instant::now() + BATCH_TIME);
            }
        }
    }
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
