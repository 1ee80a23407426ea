//! The editor of the metrics screen completes from what a real Prometheus tells.

use farwatch::clock;
use farwatch::command::{Command, parse_keys};
use farwatch::config::Config;
use farwatch::message::Effect;
use farwatch::source::supervisor::Fleet;
use farwatch::state::world::World;
use farwatch::ui::view::View;
use farwatch::ui::view::metrics::Metrics;

use super::prometheus::{NodeExporter, Prometheus};
use super::{batch, cluster, drawn, scraping, start, until};

/// A metrics screen whose questions are answered by the servers before the next key.
struct Desk {
    view: Metrics,
    world: World,
    fleet: Fleet,
}

impl Desk {
    async fn tell(&mut self, command: Command) {
        let mut effects = self.view.update(command, &self.world);
        let lookup = self.fleet.lookup();
        while let Some(effect) = effects.pop() {
            let Effect::AskSoon(questions) = effect else {
                continue;
            };
            for question in questions {
                let answered = lookup.ask(question).await;
                assert!(answered.result.is_ok(), "{answered:?}");
                effects.extend(self.view.answer(&answered, &self.world));
            }
        }
    }

    async fn keys(&mut self, keys: &str) {
        for press in parse_keys(keys) {
            self.tell(Command::Type(press)).await;
        }
    }

    fn screen(&self) -> String {
        drawn(&self.view, &self.world, (120, 30))
    }

    fn has(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in {screen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metric_names_and_label_values_are_completed() {
    let exporter = NodeExporter::start();
    let server = Prometheus::start(&scraping(exporter.program.port), "");
    let clusters = vec![cluster("alpha", Some(&server))];
    let config = Config {
        clusters: clusters.clone(),
        ..Config::default()
    };
    let (fleet, mut queue) = start(clusters);
    until(&mut queue, "node metrics", |t| {
        batch(t, 0, "node_memory_used").map(|_| ())
    })
    .await;
    let mut desk = Desk {
        view: Metrics::default(),
        world: World::new(&config, clock::now()),
        fleet,
    };
    desk.tell(Command::Edit).await;
    desk.keys("<c-u>nodecpusec").await;
    desk.has("node_cpu_seconds_total  ");
    desk.has("counter Seconds the CPUs spent in each mo");
    desk.keys("<tab>").await;
    desk.has("› node_cpu_seconds_total ");
    desk.keys("{mo<tab>").await;
    desk.has("node_cpu_seconds_total{mode=\"\"");
    desk.has("iowait");
    desk.keys("iow<tab>").await;
    desk.has("› node_cpu_seconds_total{mode=\"iowait\" ");
    desk.keys("}").await;
    desk.fleet.shutdown().await;
}
