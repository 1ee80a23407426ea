//! Tries the candidates of one component, way by way, until one answers as what it should be.

use super::Setup;
use super::answer::{Told, ask, is_asked};
use super::installed::installed;
use super::look::{Blind, Seen};
use super::pick::{Candidate, pick};
use super::ways::{PATIENCE, SHARED_SERIES, ways};
use crate::clock;
use crate::config::{Endpoint, Via};
use crate::model::discovery::{Component, Outcome, Platform, Probe};
use crate::model::fault::FaultKind;
use crate::model::text::clean;
use crate::source::door::Door;
use crate::source::error::{Cause, SourceError};
use crate::source::supervisor::{Doubt, Offer};

/// Candidates of one component that are asked.
const CANDIDATES: usize = 3;
/// Longest reason, bytes.
const REASON: usize = 300;

/// One component: what is told of it, and what may be used.
#[derive(Debug)]
pub struct Looked {
    pub probe: Probe,
    pub offers: Vec<Offer>,
    pub doubts: Vec<Doubt>,
}

/// Something that answered.
struct Found {
    offer: Offer,
    place: String,
    via: Option<String>,
    version: Option<String>,
    marks: Vec<String>,
    /// What was tried before, and why it did not do.
    past: Vec<String>,
}

/// A failed try.
struct Refused {
    forbidden: bool,
    reason: String,
}

/// `every`: not only the first that answers, but so many of them.
pub async fn look_for(component: Component, seen: &Seen, setup: &Setup, every: usize) -> Looked {
    if let Some(installed) = installed(component, &seen.groups, &seen.services) {
        let (group, resource) = (installed.group, installed.resource);
        let probe = match installed.place {
            Some(place) => Probe {
                place: Some(place),
                version: installed.version,
                ..told(
                    component,
                    Outcome::Found,
                    format!("the API server has {resource}"),
                )
            },
            None => told(
                component,
                Outcome::NotFound,
                format!("the API server has no {resource} of {group}"),
            ),
        };
        return without_offers(probe);
    }
    let openshift = seen.platform == Platform::OpenShift;
    let candidates = pick(component, &seen.services, openshift);
    let mut doubts = Vec::new();
    let blind = seen.blind.as_ref();
    // Without a right this lasts: then only what could not be seen at all is in doubt.
    if let Some(blind) = blind.filter(|b| !b.forbidden || candidates.is_empty()) {
        doubts.push(Doubt {
            component,
            place: None,
            passing: !blind.forbidden,
        });
    }
    if candidates.is_empty() {
        return Looked {
            doubts,
            ..without_offers(absent(component, seen))
        };
    }
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for candidate in candidates.iter().take(CANDIDATES.max(every)) {
        if !is_asked(component, candidate.port) {
            return without_offers(unasked(candidate));
        }
        match reach(candidate, seen, setup).await {
            // Another Service of the same pods, or of replicas that tell each other.
            Ok(answered) if found.iter().any(|f| is_same(f, &answered)) => {}
            Ok(answered) => found.push(answered),
            Err(failed) => {
                doubts.push(Doubt {
                    component,
                    place: Some(candidate.place()),
                    passing: !failed.iter().any(|r| r.forbidden),
                });
                refused.extend(failed);
            }
        }
        if found.len() >= every {
            break;
        }
    }
    let unseen = unseen(&found, seen);
    if unseen.is_some_and(|blind| !blind.forbidden) {
        // A better way may have been in use.
        doubts.extend(found.iter().map(|f| Doubt {
            component,
            place: Some(f.offer.place.clone()),
            passing: true,
        }));
    }
    let (mut probe, offers) = conclude(component, found, refused);
    if let Some(blind) = unseen {
        let reason = format!(
            "{}; other ways are not known: {}",
            probe.reason, blind.reason
        );
        probe.reason = clean(&reason, REASON);
    }
    Looked {
        probe,
        offers,
        doubts,
    }
}

fn is_same(one: &Found, other: &Found) -> bool {
    one.marks.iter().any(|mark| other.marks.contains(mark))
}

/// Why Routes and Ingresses are not known, where none of them is in use.
fn unseen<'s>(found: &[Found], seen: &'s Seen) -> Option<&'s Blind> {
    let by_front = |f: &Found| matches!(f.offer.endpoint.via, Via::Route | Via::Ingress);
    let any = found.first().is_some_and(by_front);
    seen.fronts_blind.as_ref().filter(|_| !any)
}

fn conclude(component: Component, found: Vec<Found>, refused: Vec<Refused>) -> (Probe, Vec<Offer>) {
    let Some(first) = found.first() else {
        let outcome = match refused.iter().any(|r| r.forbidden) {
            true => Outcome::NoPermission,
            false => Outcome::Error,
        };
        // What lacks a right is said first: that can be asked for.
        let (denied, failed): (Vec<_>, Vec<_>) = refused.iter().partition(|r| r.forbidden);
        let reasons = denied.into_iter().chain(failed).map(|r| r.reason.as_str());
        let reasons: Vec<&str> = reasons.take(4).collect();
        return (told(component, outcome, reasons.join("; ")), Vec::new());
    };
    let reason = match (found.len(), first.past.first()) {
        (1, None) => "it answers".to_owned(),
        (1, Some(past)) => format!("it answers; before it: {past}"),
        (many, _) => format!("{many} answer"),
    };
    let probe = Probe {
        place: Some(first.place.clone()),
        via: first.via.clone(),
        version: first.version.clone(),
        ..told(component, Outcome::Found, reason)
    };
    (probe, found.into_iter().map(|f| f.offer).collect())
}

/// By the first way that leads there. Each try is bounded.
async fn reach(candidate: &Candidate, seen: &Seen, setup: &Setup) -> Result<Found, Vec<Refused>> {
    let mut refused = Vec::new();
    for way in ways(candidate, &seen.fronts, &setup.cluster) {
        for endpoint in way {
            match try_one(candidate, &endpoint, setup).await {
                Ok((via, Told { version, marks })) => {
                    let past = refused.into_iter().map(|r: Refused| r.reason);
                    return Ok(Found {
                        place: place(candidate, &endpoint),
                        via,
                        marks,
                        version: version.or_else(|| candidate.version.clone()),
                        past: past.collect(),
                        offer: Offer {
                            component: candidate.component,
                            place: candidate.place(),
                            series: candidate.platform.then_some(SHARED_SERIES),
                            endpoint,
                        },
                    });
                }
                Err(error) => {
                    let elsewhere =
                        matches!(error.kind(), FaultKind::Forbidden | FaultKind::NotFound);
                    refused.push(failed(candidate, &endpoint, &error));
                    // Another tenant may be allowed; a way that is closed is closed for all.
                    if !elsewhere {
                        break;
                    }
                }
            }
        }
    }
    Err(refused)
}

type Answer = (Option<String>, Told);

async fn try_one(
    candidate: &Candidate,
    endpoint: &Endpoint,
    setup: &Setup,
) -> Result<Answer, SourceError> {
    let door = Door::open(endpoint, &setup.cluster.name, Some(&setup.server))?;
    let asked = tokio::time::timeout(PATIENCE, ask(candidate.component, &door));
    let told = match asked.await {
        Ok(answer) => answer?,
        Err(_) => return Err(door.error("", Cause::Timeout(PATIENCE))),
    };
    let via = door.via().map(|v| bare(&v).to_owned());
    Ok((via, told))
}

/// `via route HOST` without its first word.
fn bare(via: &str) -> &str {
    via.strip_prefix("via ").unwrap_or(via)
}

/// Service and port, and the tenant or prefix where it has one.
fn place(candidate: &Candidate, endpoint: &Endpoint) -> String {
    let path = endpoint.url.splitn(4, '/').nth(3).unwrap_or_default();
    let prefix = candidate.paths.iter().find(|p| path == p.trim_matches('/'));
    format!(
        "{}{}",
        candidate.place(),
        prefix.copied().unwrap_or_default()
    )
}

fn failed(candidate: &Candidate, endpoint: &Endpoint, error: &SourceError) -> Refused {
    let via = endpoint.via_words().unwrap_or_default();
    let hint = match error.kind() {
        FaultKind::Auth | FaultKind::Forbidden => format!(" ({})", error.hint()),
        _ => String::new(),
    };
    let what = &error.cause;
    Refused {
        forbidden: error.kind() == FaultKind::Forbidden,
        reason: format!("{} by {}: {what}{hint}", candidate.place(), bare(&via)),
    }
}

/// It stands there, and asking it is not for us.
fn unasked(candidate: &Candidate) -> Probe {
    let reason = match candidate.component {
        Component::Nats => "its service is there; it does not speak HTTP and was not asked",
        _ => "its service is there; Prometheus asks it, and it was not asked itself",
    };
    Probe {
        place: Some(candidate.place()),
        version: candidate.version.clone(),
        ..told(candidate.component, Outcome::Found, reason.to_owned())
    }
}

fn absent(component: Component, seen: &Seen) -> Probe {
    let looked = match seen.services.len() {
        1 => "1 service".to_owned(),
        n => format!("{n} services"),
    };
    match &seen.blind {
        Some(blind) => {
            let outcome = match blind.forbidden {
                true => Outcome::NoPermission,
                false => Outcome::Error,
            };
            told(component, outcome, blind.reason.clone())
        }
        None => {
            let reason = format!("none of {looked} has its labels or its name");
            told(component, Outcome::NotFound, reason)
        }
    }
}

pub fn told(component: Component, outcome: Outcome, reason: String) -> Probe {
    let reason = clean(&reason, REASON);
    Probe {
        component,
        outcome,
        reason: match reason.trim().is_empty() {
            true => "no reason was given".to_owned(),
            false => reason,
        },
        place: None,
        via: None,
        version: None,
        used: false,
        at: clock::now(),
    }
}

fn without_offers(probe: Probe) -> Looked {
    Looked {
        probe,
        offers: Vec::new(),
        doubts: Vec::new(),
    }
}
