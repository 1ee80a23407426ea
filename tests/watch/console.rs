//! A console that takes its incidents from the watchers: from a real process over a real bus.

use std::path::Path;
use std::sync::Arc;

use farwatch::config::load::parse;
use farwatch::message::Msg;
use farwatch::state::State;
use farwatch::state::world::Status;
use farwatch::team::found;
use farwatch::ui::theme::Looks;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use crate::nats::{Nats, until};
use crate::site::{Exporters, INTERVAL_MS, Watcher, config, config_of, names};

/// It hears no cluster itself.
struct Console {
    state: State,
    told: mpsc::Receiver<Msg>,
}

impl Console {
    fn start(config: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = parse(config, Path::new("/x/c.toml")).expect("valid");
        let (tell, told) = mpsc::channel(64);
        found::start(config.team.as_ref(), &tell);
        let now = farwatch::clock::now();
        let state = State::new(Arc::new(config), now, TimeZone::UTC, Looks::default());
        Self { state, told }
    }

    fn turn(&mut self) {
        while let Ok(msg) = self.told.try_recv() {
            self.state.update(msg);
        }
        self.state.update(Msg::Tick(farwatch::clock::now()));
    }

    fn standing(&self, cluster: usize) -> (Status, String) {
        let world = &self.state.world;
        world.standing(world.clusters[cluster].id)
    }

    /// The incidents by what they are about.
    fn subjects(&self) -> Vec<String> {
        let world = &self.state.world;
        let live = world.incidents.iter().filter(|i| i.is_live());
        let mut told: Vec<String> = live
            .map(|i| format!("{} {}", world.name_of(i.cluster), i.subjects[0]))
            .collect();
        told.sort();
        told
    }

    fn screen(&self) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
        farwatch::ui::draw(&self.state, &mut buf);
        buf.content.iter().map(|cell| cell.symbol()).collect()
    }

    async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        until(what, async || {
            self.turn();
            so(self).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_they_tell_and_how_old_their_word_is() {
    let (mut server, exporters) = (Nats::jetstream(), Exporters::start().await);
    let clusters = names(2);
    let nats = format!("url = \"{}\", timeout = \"1s\"", server.url());
    let team = format!("nats = {{ {nats} }}\nincidents = \"watchers\"");
    let mut console = Console::start(&config_of(&exporters, &clusters, &team, INTERVAL_MS));
    console
        .until("nobody has made the stream yet", |c| {
            let why = c.state.world.unheard_watchers();
            why.is_some_and(|why| why.contains("the stream farwatch is missing"))
        })
        .await;
    let mut watcher = Watcher::start("w1", &config(&exporters, &clusters, &nats));
    console
        .until("both clusters are watched", |c| {
            (0..2).all(|n| c.standing(n).1.contains("nothing abnormal"))
        })
        .await;
    assert_eq!(console.standing(0).0, Status::Unknown, "not heard here");
    exporters.heat("site-0", 1, 99.0);
    console
        .until("the incident", |c| c.subjects() == ["site-0 node n1"])
        .await;
    let (status, why) = console.standing(0);
    assert_eq!(status, Status::Warning);
    assert!(
        why.starts_with("watcher ") && why.contains("ago: "),
        "{why}"
    );
    let world = &console.state.world;
    let found = world.found_by(&world.incidents[0]).expect("a watcher");
    assert_eq!((found.watcher.as_ref(), found.cut), ("w1", false));
    assert!(
        console.screen().contains(&why[..24]),
        "{}",
        console.screen()
    );
    // The bus goes and comes: nothing is told twice, nothing is missed.
    server.kill();
    exporters.heat("site-1", 2, 99.0);
    console
        .until("the fault is said", |c| {
            c.state.world.unheard_watchers().is_some()
        })
        .await;
    server.restart();
    let both = ["site-0 node n1", "site-1 node n2"];
    console.until("the other", |c| c.subjects() == both).await;
    // The watcher is killed: by its own interval its word is late, and says so.
    watcher.kill();
    console
        .until("stale", |c| {
            let (status, why) = c.standing(0);
            status == Status::Warning && why.starts_with("watcher stale ")
        })
        .await;
    assert!(console.state.world.unheard_watchers().is_none());
    watcher.begin();
    console
        .until("heard again", |c| c.standing(1).1.contains(" ago: "))
        .await;
    // It goes on where it was: what is new comes behind what was told.
    exporters.heat("site-1", 3, 99.0);
    let all = ["site-0 node n1", "site-1 node n2", "site-1 node n3"];
    console.until("what is new", |c| c.subjects() == all).await;
    assert_eq!(console.state.world.incidents.len(), 3);
}
