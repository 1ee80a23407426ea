//! Watches: from any version that is kept, with bookmarks, or with the list as first events.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::answer::{JSON, Place, send, status};
use super::faults::What;
use super::list::Form;
use super::store::{Change, Store, selected};
use super::wire::{self, Request};
use super::{Inner, Tick};

struct Watch<'a> {
    inner: &'a Inner,
    request: &'a Request,
    place: &'a Place,
    at: usize,
    form: Form,
    /// Everything up to this version was sent.
    version: u64,
    /// Events until the connection is cut.
    left: usize,
    started: Tick,
}

pub async fn answer(
    inner: &Inner,
    request: &Request,
    place: &Place,
    at: usize,
    fault: Option<What>,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let initial = request.param("sendInitialEvents") == Some("true");
    if initial && !inner.options.watch_list {
        let message = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        return send(stream, 422, &status(422, "Invalid", message)).await;
    }
    let wanted = request.param("resourceVersion").unwrap_or_default();
    let Ok(wanted) = (if wanted.is_empty() { "0" } else { wanted }).parse::<u64>() else {
        let message = format!(
            "resourceVersion: Invalid value: \"{wanted}\": strconv.ParseUint: parsing \"{wanted}\": invalid syntax"
        );
        return send(stream, 500, &status(500, "", &message)).await;
    };
    let mut tick = inner.tick.subscribe();
    let started = *tick.borrow_and_update();
    wire::begin_chunks(stream, JSON).await?;
    let (version, compacted, first) = {
        let store = inner.store.lock().unwrap();
        let first = (initial || wanted == 0).then(|| store.list(at, place.namespace.as_deref()));
        (store.version, store.compacted, first)
    };
    let gone = matches!(fault, Some(What::Gone)) || (first.is_none() && wanted < compacted);
    if gone {
        let message = format!("too old resource version: {wanted} ({compacted})");
        let event = json!({"type": "ERROR", "object": status(410, "Expired", &message)});
        wire::chunk(stream, format!("{event}\n").as_bytes()).await?;
        return wire::end_chunks(stream).await;
    }
    if matches!(fault, Some(What::HalfOpen)) {
        return wire::never(stream).await;
    }
    let mut watch = Watch {
        inner,
        request,
        place,
        at,
        form: Form::of(request),
        version: if first.is_some() { version } else { wanted },
        left: match fault {
            Some(What::CutAfter(events)) => events,
            _ => usize::MAX,
        },
        started,
    };
    if let Some(first) = first
        && !watch.first(&first, initial, stream).await?
    {
        return Ok(false);
    }
    watch.follow(tick, stream).await
}

impl Watch<'_> {
    /// The list as events. False: cut.
    async fn first(
        &mut self,
        objects: &[Arc<Value>],
        initial: bool,
        stream: &mut TcpStream,
    ) -> io::Result<bool> {
        for object in objects {
            if self.wants(object) && !self.event("ADDED", object, stream).await? {
                return Ok(false);
            }
        }
        if initial && !self.inner.options.watch_list_unknown {
            self.bookmark(true, stream).await?;
        }
        Ok(true)
    }

    async fn follow(
        &mut self,
        mut tick: tokio::sync::watch::Receiver<Tick>,
        stream: &mut TcpStream,
    ) -> io::Result<bool> {
        let limit = self.request.param("timeoutSeconds");
        let limit = limit.and_then(|t| t.parse().ok()).unwrap_or(1_800);
        let end = Instant::now() + Duration::from_secs(limit);
        let every = self.inner.options.bookmarks;
        let mut due = Instant::now() + every;
        let mut bookmarks = self.started.bookmarks;
        loop {
            let now = *tick.borrow_and_update();
            // Before the news: what changes after the silence began is not told.
            if now.frozen != self.started.frozen {
                return wire::never(stream).await;
            }
            for (word, object) in self.news() {
                if !self.event(word, &object, stream).await? {
                    return Ok(false);
                }
            }
            if now.cuts != self.started.cuts {
                wire::chunk(stream, b"{\"type\":\"MODIFIED\",\"obj").await?;
                return Ok(false);
            }
            if now.bookmarks != bookmarks || Instant::now() >= due {
                bookmarks = now.bookmarks;
                due = Instant::now() + every;
                self.bookmark(false, stream).await?;
            }
            let mut word = [0_u8; 64];
            tokio::select! {
                changed = tick.changed() => if changed.is_err() { return Ok(false) },
                () = tokio::time::sleep_until(due) => {}
                () = tokio::time::sleep_until(end) => {
                    self.bookmark(false, stream).await?;
                    return wire::end_chunks(stream).await;
                }
                read = tokio::io::AsyncReadExt::read(stream, &mut word) => {
                    // The client left.
                    if read? == 0 { return Ok(false) }
                }
            }
        }
    }

    fn wants(&self, object: &Value) -> bool {
        let of = |name| self.request.param(name);
        selected(object, of("labelSelector"), of("fieldSelector"))
    }

    /// What changed since it was last asked.
    fn news(&mut self) -> Vec<(&'static str, Arc<Value>)> {
        let store = self.inner.store.lock().unwrap();
        let news = self.news_of(&store);
        self.version = self.version.max(store.version);
        news
    }

    fn news_of(&self, store: &Store) -> Vec<(&'static str, Arc<Value>)> {
        let ours = |change: &&Change| {
            let namespace = self.place.namespace.as_deref();
            change.key.0 == self.at && namespace.is_none_or(|n| n == change.key.1)
        };
        // An object that no longer fits the selector is gone for this watch.
        let event = |change: &Change| {
            let was = change.before.as_ref().is_some_and(|b| self.wants(b));
            let is = change.word != "DELETED" && self.wants(&change.object);
            let word = match (was, is) {
                (false, true) => "ADDED",
                (true, true) => "MODIFIED",
                (true, false) => "DELETED",
                (false, false) => return None,
            };
            Some((word, change.object.clone()))
        };
        store
            .since(self.version)
            .iter()
            .filter(ours)
            .filter_map(event)
            .collect()
    }

    async fn event(
        &mut self,
        word: &str,
        object: &Value,
        stream: &mut TcpStream,
    ) -> io::Result<bool> {
        let line = json!({"type": word, "object": self.form.shape(object)}).to_string();
        if self.left == 0 {
            // Chunks know nothing of lines: neither does the end of a connection.
            wire::chunk(stream, &line.as_bytes()[..line.len() / 2]).await?;
            return Ok(false);
        }
        self.left -= 1;
        wire::chunk(stream, format!("{line}\n").as_bytes()).await?;
        Ok(true)
    }

    async fn bookmark(&self, end: bool, stream: &mut TcpStream) -> io::Result<()> {
        if self.request.param("allowWatchBookmarks") != Some("true") {
            return Ok(());
        }
        let (kind, api, version) = {
            let store = self.inner.store.lock().unwrap();
            let resource = &store.resources[self.at];
            // After a restore, the server's own version is below what the client counts on.
            let version = self.version.min(store.version);
            (resource.kind.clone(), resource.api_version(), version)
        };
        let mut meta = json!({"resourceVersion": version.to_string()});
        if end {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let mut object = json!({"kind": kind, "apiVersion": api, "metadata": meta});
        if kind == "Pod" {
            // As recorded: not every field is what its schema says.
            object["spec"] = json!({"containers": null});
            object["status"] = json!({});
        }
        let event = json!({"type": "BOOKMARK", "object": object});
        wire::chunk(stream, format!("{event}\n").as_bytes()).await
    }
}
