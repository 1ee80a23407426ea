//! Cases of `DIR/cases.json` with the files that they name, as pictures for the engine.
//!
//! The file with the accepted answers is not opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Context as _, OptionExt as _};
use serde::Deserialize;

use crate::cause::aspect::Aspect;
use crate::cause::picture::{Change, Count, Counted, Picture, Place, Series, Tally, Window};
use crate::cli::table::{self, Table};

/// Samples without any fault are put this long before the incident, seconds.
const BEFORE: f64 = 1e9;

/// One incident as `cases.json` lists it.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub kinds: Vec<String>,
    pub services: Vec<String>,
    #[serde(default)]
    pub candidates: Vec<String>,
    incident_t: f64,
    end_t: f64,
    #[serde(default)]
    earlier_incidents: Vec<(f64, f64)>,
    symptom: Option<Symptom>,
    metrics: PathBuf,
    normal: Option<PathBuf>,
    graph: Option<PathBuf>,
    edges: Option<PathBuf>,
    logs: Option<PathBuf>,
    spans: Option<PathBuf>,
    dict: Option<PathBuf>,
    changes: Option<PathBuf>,
    patterns: Option<PathBuf>,
    alert: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Symptom {
    service: String,
    metric: String,
}

#[derive(Debug, Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

/// Counts of one file with the texts of its numbers.
struct Counts {
    services: Vec<String>,
    texts: Vec<String>,
    /// Service, text: time, number, duration.
    by: BTreeMap<(usize, usize), Vec<Tally>>,
}

#[derive(Deserialize)]
struct Dict {
    services: Vec<String>,
    patterns: Vec<String>,
    ops: Vec<String>,
}

/// Files that were read, kept because several cases share them.
#[derive(Default)]
pub struct Reader {
    root: PathBuf,
    tables: BTreeMap<PathBuf, Table>,
    counts: BTreeMap<PathBuf, Counts>,
}

pub fn cases(root: &Path) -> color_eyre::Result<(Vec<Case>, Reader)> {
    let file = root.join("cases.json");
    let text = read(&file)?;
    let cases: Cases = serde_json::from_str(&text)
        .wrap_err_with(|| format!("{}: not a list of cases", file.display()))?;
    let reader = Reader {
        root: root.to_owned(),
        ..Reader::default()
    };
    Ok((cases.cases, reader))
}

fn read(file: &Path) -> color_eyre::Result<String> {
    std::fs::read_to_string(file).wrap_err_with(|| format!("{}: cannot be read", file.display()))
}

impl Reader {
    pub fn picture(&mut self, case: &Case) -> color_eyre::Result<Picture> {
        let mut picture = Picture {
            objects: case.services.clone(),
            window: Window {
                begins: case.incident_t,
                ends: case.end_t,
                step: 0.0,
                others: case.earlier_incidents.clone(),
            },
            ..Picture::default()
        };
        if let Some(file) = &case.normal {
            // Without trouble whatever its time is.
            add_series(&mut picture, self.table(file)?, f64::INFINITY, BEFORE);
        }
        for file in [Some(&case.metrics), case.edges.as_ref()]
            .into_iter()
            .flatten()
        {
            add_series(&mut picture, self.table(file)?, case.end_t, 0.0);
        }
        picture.window.step = step(&picture);
        if let Some(graph) = &case.graph {
            let text = read(&self.root.join(graph))?;
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            for row in rows.records() {
                let row = row?;
                if let (Some(caller), Some(callee)) = (row.get(0), row.get(1)) {
                    let caller = place(&mut picture.objects, caller);
                    let callee = place(&mut picture.objects, callee);
                    picture.calls.push((caller, callee));
                }
            }
        }
        if let Some(symptom) = &case.symptom {
            let at = place(&mut picture.objects, &symptom.service);
            picture.symptom = Some((at, Aspect::of(&symptom.metric)));
        }
        if let Some(dict) = &case.dict {
            for (file, what) in [(&case.logs, Counted::Lines), (&case.spans, Counted::Spans)] {
                if let Some(file) = file {
                    self.counted(&mut picture, file, dict, what, case.end_t)?;
                }
            }
        }
        if let Some(file) = &case.changes {
            self.changes(&mut picture, file)?;
        }
        self.words(&mut picture, case)?;
        Ok(picture)
    }

    fn table(&mut self, file: &Path) -> color_eyre::Result<&Table> {
        if !self.tables.contains_key(file) {
            let text = read(&self.root.join(file))?;
            let table =
                table::read(text.as_bytes()).wrap_err_with(|| format!("{}", file.display()))?;
            self.tables.insert(file.to_owned(), table);
        }
        self.tables.get(file).ok_or_eyre("a table was not kept")
    }

    fn counted(
        &mut self,
        picture: &mut Picture,
        file: &Path,
        dict: &Path,
        what: Counted,
        end: f64,
    ) -> color_eyre::Result<()> {
        if !self.counts.contains_key(file) {
            let names: Dict = serde_json::from_str(&read(&self.root.join(dict))?)
                .wrap_err_with(|| format!("{}: not a list of names", dict.display()))?;
            let texts = match what {
                Counted::Lines => names.patterns,
                Counted::Spans => names.ops,
            };
            let mut counts = Counts {
                services: names.services,
                texts,
                by: BTreeMap::new(),
            };
            let text = read(&self.root.join(file))?;
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            for row in rows.records() {
                let row = row?;
                let number = |i: usize| row.get(i).and_then(|f| f.parse::<f64>().ok());
                let (Some(t), Some(service), Some(text), Some(count)) =
                    (number(0), number(1), number(2), number(4))
                else {
                    continue;
                };
                // A sample of that day without any fault, from before all of it.
                let t = if row.get(3) == Some("b") {
                    t - BEFORE
                } else {
                    t
                };
                let points = counts.by.entry((service as usize, text as usize));
                let duration = number(5).map(|us| us / 1e6);
                points.or_default().push((t, count, duration));
            }
            self.counts.insert(file.to_owned(), counts);
        }
        let counts = self.counts.get(file).ok_or_eyre("counts were not kept")?;
        for ((service, text), points) in &counts.by {
            let (Some(service), Some(text)) =
                (counts.services.get(*service), counts.texts.get(*text))
            else {
                continue;
            };
            let object = place(&mut picture.objects, service);
            let points: Vec<_> = points.iter().filter(|p| p.0 <= end).copied().collect();
            picture.counts.push(Count {
                object,
                what,
                text: text.clone(),
                points,
            });
        }
        Ok(())
    }

    fn changes(&self, picture: &mut Picture, file: &Path) -> color_eyre::Result<()> {
        let text = read(&self.root.join(file))?;
        let told: Changes = serde_json::from_str(&text)
            .wrap_err_with(|| format!("{}: no list of changes", file.display()))?;
        for commit in told.commits {
            let mut live = Vec::new();
            for deploy in told.deploys.iter().filter(|d| d.commit_sha == commit.sha) {
                let at = place(&mut picture.objects, &deploy.service);
                live.push((Some(at), seconds(&deploy.timestamp)?));
            }
            picture.changes.push(Change {
                at: seconds(&commit.timestamp)?,
                id: commit.sha,
                live,
                text: commit.message,
                files: commit.files_changed,
                diff: commit.diff.unwrap_or_default(),
                seen: None,
            });
        }
        Ok(())
    }

    fn words(&self, picture: &mut Picture, case: &Case) -> color_eyre::Result<()> {
        if let Some(file) = &case.alert {
            let alert: Alert = serde_json::from_str(&read(&self.root.join(file))?)
                .wrap_err_with(|| format!("{}: not an alert", file.display()))?;
            let at = place(&mut picture.objects, &alert.service);
            picture.symptom = Some((at, Aspect::of(&alert.metric)));
            picture.told = vec![alert.metric, alert.monitor, alert.summary];
        }
        if let Some(file) = &case.patterns {
            let patterns: Vec<Pattern> = serde_json::from_str(&read(&self.root.join(file))?)
                .wrap_err_with(|| format!("{}: not a list of patterns", file.display()))?;
            for pattern in patterns {
                let object = place(&mut picture.objects, &pattern.service);
                let more: f64 = pattern.delta_vs_baseline.parse().unwrap_or(0.0);
                let before = (pattern.count - more).max(0.0);
                let text = match pattern.sentiment.as_str() {
                    "negative" => format!("ERROR {}", pattern.signature),
                    _ => pattern.signature,
                };
                let quiet = case.incident_t - BEFORE;
                picture.counts.push(Count {
                    object,
                    what: Counted::Lines,
                    text,
                    points: vec![
                        (quiet, before, None),
                        (case.incident_t, pattern.count, None),
                    ],
                });
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Changes {
    commits: Vec<Commit>,
    #[serde(default)]
    deploys: Vec<Deploy>,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
    timestamp: String,
    message: String,
    #[serde(default)]
    files_changed: Vec<String>,
    diff: Option<String>,
}

#[derive(Deserialize)]
struct Deploy {
    timestamp: String,
    service: String,
    commit_sha: String,
}

#[derive(Deserialize)]
struct Alert {
    service: String,
    metric: String,
    #[serde(default)]
    monitor: String,
    #[serde(default)]
    summary: String,
}

#[derive(Deserialize)]
struct Pattern {
    signature: String,
    service: String,
    count: f64,
    delta_vs_baseline: String,
    #[serde(default)]
    sentiment: String,
}

fn seconds(text: &str) -> color_eyre::Result<f64> {
    let at: jiff::Timestamp = text.parse()?;
    Ok(at.as_second() as f64)
}

/// The place of a name among the objects; a new one goes to the end.
fn place(objects: &mut Vec<String>, name: &str) -> usize {
    let held = objects.iter().position(|o| o == name);
    held.unwrap_or_else(|| {
        objects.push(name.to_owned());
        objects.len() - 1
    })
}

/// Columns as series, up to the end of the case.
fn add_series(picture: &mut Picture, table: &Table, end: f64, back: f64) {
    for (column, title) in table.names.iter().enumerate() {
        let Some((who, name)) = title.split_once('|') else {
            continue;
        };
        let on = match who.split_once('>') {
            Some((caller, callee)) => Place::Call(
                place(&mut picture.objects, caller),
                place(&mut picture.objects, callee),
            ),
            None => Place::Object(place(&mut picture.objects, who)),
        };
        let rows = table.rows.iter().map(|row| (row.at.seconds(), row));
        let points = rows.filter(|(at, _)| *at <= end);
        let points = points.filter_map(|(at, row)| Some((at - back, *row.values.get(column)?)));
        let held = picture
            .series
            .iter_mut()
            .find(|s| s.place == on && s.name == name);
        match held {
            Some(series) => series.points.extend(points),
            None => picture.series.push(Series {
                place: on,
                name: name.to_owned(),
                points: points.collect(),
            }),
        }
    }
}

/// The middle of the times between two values.
fn step(picture: &Picture) -> f64 {
    let points = picture.series.first().map_or(&[][..], |s| &s.points);
    let mut steps: Vec<f64> = points
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}
