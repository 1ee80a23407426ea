//! The exporters of a cluster on one port, service discovery for them, and the backfill.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use farwatch::clock;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::common::Site;
use super::series::{self, Page, Sample};
use super::story::Story;
use super::wire::{self, Request};

/// Counters go on from the backfill into live scrapes.
#[derive(Debug)]
pub struct Exporter {
    site: Site,
    story: Story,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counters: HashMap<String, f64>,
    scraped: HashMap<String, f64>,
    /// History reaches up to here; nobody is answered before.
    live_from: f64,
}

impl Exporter {
    pub fn new(site: Site, story: Story) -> Arc<Self> {
        Arc::new(Self {
            site,
            story,
            state: Mutex::default(),
        })
    }

    fn page<T>(&self, path: &str, t: f64, read: impl FnOnce(&Page) -> T) -> Option<T> {
        let target = self
            .site
            .targets(&self.story, t)
            .into_iter()
            .find(|x| x.path == path)?;
        let mut state = self.state.lock().unwrap();
        let last = state.scraped.insert(path.to_owned(), t).unwrap_or(t - 15.0);
        let mut page = Page::new(t, (t - last).clamp(0.0, 300.0), path, &mut state.counters);
        self.site.scrape(&self.story, &mut page, &target.kind);
        Some(read(&page))
    }

    /// History from the start of the story to `until`, every 15 s, as OpenMetrics. `until` is ahead
    /// of the clock: the servers must be up by then, so that no scrape is missing between.
    pub async fn backfill(&self, file: &Path, until: f64) -> io::Result<usize> {
        let mut out = tokio::io::BufWriter::new(tokio::fs::File::create(file).await?);
        let mut count = 0;
        let mut t = (self.story.start / 15.0).ceil() * 15.0;
        while t <= until {
            let mut text = String::new();
            for target in self.site.targets(&self.story, t) {
                let up = Sample {
                    name: "up".into(),
                    labels: Vec::new(),
                    value: 1.0,
                };
                series::backfill(&mut text, &target, &up, t);
                count += self
                    .page(&target.path, t, |page| {
                        for sample in &page.samples {
                            series::backfill(&mut text, &target, sample, t);
                        }
                        page.samples.len() + 1
                    })
                    .unwrap_or(0);
            }
            out.write_all(text.as_bytes()).await?;
            t += 15.0;
        }
        self.state.lock().unwrap().live_from = t - 15.0;
        out.write_all(b"# EOF\n").await?;
        out.flush().await?;
        Ok(count)
    }

    /// False while the history still tells: a scrape then would count twice.
    fn is_live(&self, t: f64) -> bool {
        t > self.state.lock().unwrap().live_from
    }

    fn discovery(&self, honor: bool, host: &str) -> Value {
        let t = clock::now().seconds();
        self.site
            .targets(&self.story, t)
            .iter()
            .filter(|x| x.honor == honor)
            .map(|x| {
                let mut labels = serde_json::Map::new();
                labels.insert("__metrics_path__".into(), x.path.as_str().into());
                labels.insert("job".into(), x.job.into());
                labels.insert("instance".into(), x.instance.as_str().into());
                for (name, value) in &x.labels {
                    labels.insert((*name).into(), value.as_str().into());
                }
                json!({"targets": [host], "labels": labels})
            })
            .collect()
    }
}

pub async fn answer(
    exporter: Arc<Exporter>,
    request: Request,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    if request.path == "/sd" {
        let host = request.header("host").unwrap_or_default().to_owned();
        let body = exporter.discovery(request.param("honor") == Some("true"), &host);
        return wire::reply(
            stream,
            200,
            "application/json",
            &[],
            body.to_string().as_bytes(),
        )
        .await;
    }
    let now = clock::now().seconds();
    if !exporter.is_live(now) {
        return wire::reply(stream, 503, "text/plain", &[], b"not yet\n").await;
    }
    match exporter.page(&request.path, now, |p| p.text()) {
        Some(text) => {
            wire::reply(
                stream,
                200,
                "text/plain; version=0.0.4; charset=utf-8",
                &[],
                text.as_bytes(),
            )
            .await
        }
        None => wire::reply(stream, 404, "text/plain", &[], b"no such target\n").await,
    }
}
