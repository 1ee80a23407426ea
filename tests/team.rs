//! Consoles of one team over a real nats-server: what one does the others see, whatever happens to
//! the bus meanwhile.

#[path = "team/apart.rs"]
mod apart;
#[path = "team/foreign.rs"]
mod foreign;
#[path = "support/nats.rs"]
mod nats;
#[path = "team/publish.rs"]
mod publish;
#[path = "support/scenario.rs"]
mod scenario;
#[path = "team/together.rs"]
mod together;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use farwatch::config::Team as Settings;
use farwatch::config::load::parse;
use farwatch::incident::{Incident, IncidentState};
use farwatch::message::{Effect, Msg};
use farwatch::model::alert::Severity;
use farwatch::model::archive::{Keep, Past, Recalled};
use farwatch::model::finding::{Finding, FindingKind, Subject};
use farwatch::model::id::{ClusterId, IncidentId};
use farwatch::model::time::Timestamp;
use farwatch::model::unit::Unit;
use farwatch::team::Team;
use scenario::{Console, NAMES};
use tokio::sync::mpsc;

/// A console with its connection.
pub struct Member {
    pub console: Console,
    team: Team,
    told: mpsc::Receiver<Msg>,
    /// What went to the archive.
    pub kept: Vec<Keep>,
}

pub fn settings(url: &str) -> Settings {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let text = format!("[team]\nnats = {{ url = \"{url}\", timeout = \"2s\" }}\n");
    let config = parse(&text, Path::new("/x/c.toml")).expect("valid");
    config.team.expect("a team")
}

/// One that began `late_s` seconds after the incident, seen `before_s` seconds ago.
pub fn incident(id: u64, since: Timestamp) -> Incident {
    let finding = Finding {
        cluster: ClusterId(0),
        subject: Subject::Node("n-07-b".into()),
        key: "ptp n-07-b".into(),
        kind: FindingKind::LevelShift,
        severity: Severity::Critical,
        score: 0.9,
        since,
        earlier: false,
        at: since,
        over: false,
        signal: "openshift_ptp_offset_ns".into(),
        unit: Unit::Nanoseconds,
        seen: Some(4_123.0),
        expected: Some((-20.0, 20.0)),
        method: "median/MAD of 60 min".into(),
        text: "offset 4.12 us".into(),
        evidence: Vec::new(),
    };
    Incident {
        id: IncidentId(id),
        number: 1,
        cluster: ClusterId(0),
        severity: Severity::Critical,
        state: IncidentState::Open,
        title: "PTP lost on n-07-b".into(),
        opened: since,
        changed: since,
        closed: None,
        score: 0.9,
        subjects: vec![finding.subject.clone()],
        nodes: BTreeSet::new(),
        findings: vec![finding],
        desk: Default::default(),
        reopened: 0,
        revision: 0,
        awaited: None,
        handed: None,
    }
}

impl Member {
    /// A console of this operator that holds the incident and looks at it.
    pub fn new(url: &str, by: &str, incident: Option<Incident>) -> Self {
        Self::of(&settings(url), by, incident)
    }

    pub fn of(team: &Settings, by: &str, incident: Option<Incident>) -> Self {
        let mut console = Console::new(&NAMES, (120, 36));
        let mut config = (*console.state.config).clone();
        config.operator = by.into();
        console.state.config = Arc::new(config);
        console.update(Msg::Tick(farwatch::clock::now()));
        console.tell_standing();
        console.state.world.incidents.clear();
        console.state.world.incidents.extend(incident);
        let begun = Recalled::Begin {
            incidents: Vec::new(),
            verdicts: Vec::new(),
            numbered: 1,
        };
        console.update(Msg::Recalled(Box::new(begun)));
        console.keys("8");
        let (tell, told) = mpsc::channel(16);
        Self {
            console,
            team: Team::start(team, by.into(), tell),
            told,
            kept: Vec::new(),
        }
    }

    /// After a restart with what was put away.
    pub fn again(url: &str, by: &str, kept: Vec<Keep>) -> Self {
        let mut member = Self::new(url, by, None);
        let mut incidents: Vec<Past> = Vec::new();
        for keep in kept {
            if let Keep::Incident(past) = keep {
                incidents.retain(|held| held.incident.id != past.incident.id);
                incidents.push(*past);
            }
        }
        let begun = Recalled::Begin {
            incidents,
            verdicts: Vec::new(),
            numbered: 1,
        };
        member.console.update(Msg::Recalled(Box::new(begun)));
        member
    }

    /// Hears what came, and lets go what goes out.
    pub fn turn(&mut self) {
        while let Ok(msg) = self.told.try_recv() {
            self.console.update(msg);
        }
        self.console.update(Msg::Tick(farwatch::clock::now()));
        for effect in std::mem::take(&mut self.console.effects) {
            match effect {
                Effect::Share(share) => self.team.share(share),
                Effect::Keep(keep) => self.kept.extend(keep),
                _ => {}
            }
        }
    }

    pub fn keys(&mut self, keys: &str) {
        self.turn();
        self.console.keys(keys);
        self.turn();
    }

    pub fn incident(&self) -> &Incident {
        &self.console.state.world.incidents[0]
    }

    pub fn notes(&self) -> Vec<String> {
        let notes = self.incident().desk.notes();
        notes.map(|(_, text)| text.to_owned()).collect()
    }

    pub fn assigned(&self) -> Option<String> {
        let assigned = self.incident().desk.assigned();
        assigned.map(|(who, _)| who.to_owned())
    }

    pub fn shows(&self, words: &str) -> bool {
        self.console.screen().contains(words)
    }

    pub fn notices(&self) -> String {
        let notices = self.console.state.world.notices.iter();
        notices
            .map(|n| n.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub fn is_online(&self) -> bool {
        let team = &self.console.state.world.shared;
        team.is_on() && team.unheard().is_none()
    }

    pub fn waiting(&self) -> usize {
        self.console.state.world.waiting()
    }

    pub async fn leave(self) {
        self.team.leave().await;
    }
}

/// All of them turn until it is so.
pub async fn until<const N: usize>(
    what: &str,
    members: &mut [&mut Member; N],
    so: impl Fn(&[&mut Member; N]) -> bool,
) {
    let mut turns = 0;
    nats::until(what, async || {
        members.iter_mut().for_each(|m| m.turn());
        turns += 1;
        if turns % 200 == 0 {
            for member in members.iter() {
                println!("{what}:\n{}", member.console.screen());
            }
        }
        so(members).then_some(())
    })
    .await;
}

pub fn now() -> Timestamp {
    farwatch::clock::now()
}
