//! The bus: streams and consumers, messages, one as a tree and as bytes; nothing, and failing.

use farwatch::model::bus::{JetStream, Survey, Tail};
use farwatch::model::fault::{Fault, FaultKind};
use farwatch::model::health::{Health, SourceHealth, SourceKind};
use farwatch::model::telemetry::Body;

use crate::SIZES;
use crate::bus_told::{message, survey, tail, tell};
use crate::scenario::{Console, NAMES, NOW, live};

fn shot(name: &str, console: &Console, size: (u16, u16)) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    let name = format!("bus_{name}_{}x{}", size.0, size.1);
    settings.bind(|| insta::assert_snapshot!(name, console.screen()));
}

#[test]
fn bus_in_its_panes() {
    for size in SIZES {
        for (name, keys) in [
            ("streams", "ge"),
            ("messages", "ge<tab>"),
            ("tree", "ge<tab>jj<enter>"),
            ("bytes", "ge<tab>jj<enter>z"),
        ] {
            let mut console = Console::live(size);
            tell(&mut console);
            console.keys(keys);
            shot(name, &console, size);
        }
    }
}

#[test]
fn bus_that_is_not_there_fails_or_loses() {
    for size in SIZES {
        let mut console = Console::new(&NAMES, size);
        console.keys("ge");
        shot("empty", &console, size);

        let mut console = Console::new(&NAMES, size);
        tell(&mut console);
        let fault = Fault {
            kind: FaultKind::Auth,
            cluster: NAMES[0].into(),
            endpoint: "nats://nats:4222".into(),
            what: "the server refuses the credentials: authorization violation".into(),
            hint: "check `creds_file`".into(),
        };
        let denied = SourceHealth {
            health: Health::Denied { fault, since: NOW },
            ..live()
        };
        console.tell(0, SourceKind::Nats, Body::Health(denied));
        console.keys("ge");
        shot("failing", &console, size);

        let mut console = Console::new(&NAMES, size);
        console.tell(0, SourceKind::Nats, Body::Health(live()));
        let off = Survey {
            jetstream: JetStream::Off("JetStream not enabled for account".into()),
            ..survey(NOW, 0, 0)
        };
        console.tell(0, SourceKind::Nats, Body::Bus(Box::new(off)));
        let losing = Tail {
            dropped: 1_877,
            gap: true,
            denied: vec!["secret.>".into()],
            ..tail(vec![message(1, "ai.a.b", Default::default())])
        };
        console.tell(0, SourceKind::Nats, Body::BusTail(Box::new(losing)));
        console.keys("ge<tab>");
        shot("losing", &console, size);
    }
}
