//! Two real consoles of one team over a real nats-server: what one does the other sees, who looks,
//! and what becomes of edits made while one of them, or the bus, is away.

use rustix::process::Signal;

use super::faults::{Manner, Server};
use super::nats_server::Nats;
use super::site::{Site, Texts};
use super::*;

/// A console of this operator on the site, with the team behind this port, on its incident.
fn console(site: &Site, by: &str, port: u16, folder: &std::path::Path) -> Pty {
    let archive = folder.join(by).join("farwatch.db");
    let config = site.config("alpha")
        + &format!(
            "[roles]\ndefault = \"operator\"\n\
             [team]\nnats = {{ url = \"nats://127.0.0.1:{port}\", timeout = \"2s\" }}\n\
             [archive]\nfile = \"{}\"\n",
            archive.display()
        );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        env: vec![("USER", by)],
        size: (180, 60),
        ..Start::default()
    });
    pty.see("ClockLost").see("Clusters 1");
    pty.keys("8").see("INC-1");
    pty.keys("/ClockLost\r").see("filter ClockLost");
    pty
}

#[test]
fn two_consoles_share_part_and_come_together_again() {
    let servers = servers();
    let mut nats = Nats::jetstream();
    let (site, line) = servers.block_on(async {
        let bus = std::net::SocketAddr::from(([127, 0, 0, 1], nats.port));
        (
            Site::start(Texts::default()).await,
            Server::start(Manner::Pass(bus)).await,
        )
    });
    let folder = tempfile::tempdir().expect("folder");
    let mut ana = console(&site, "ana", nats.port, folder.path());
    let mut ben = console(&site, "ben", line.address.port(), folder.path());
    ana.see("1 more look").see("ben looks at this too");
    ben.see("ana looks at this too");

    ana.keys("Ya").see("acked");
    ana.keys("Ynthe vendor has case 4711\r").see("noted");
    ben.see("acked").see("the vendor has case 4711");
    ben.keys("Yocarl\r");
    ana.see("assigned to carl by ben");

    // The line of one of them is cut: both go on.
    let bus = std::net::SocketAddr::from(([127, 0, 0, 1], nats.port));
    servers.block_on(async { line.become_(Manner::Closes) });
    ben.see("shared: offline since");
    ben.keys("Yodora\r").see("assigned to dora by ben");
    ben.keys("Ynseen apart\r").see("2 changes wait");
    ana.lose("1 more look");
    ana.keys("Yoeve\r").see("assigned to eve by ana");
    ana.keys("Ynno answer yet\r").see("no answer yet");
    assert!(!ana.screen().contains("dora") && !ben.screen().contains("eve"));
    servers.block_on(async { line.become_(Manner::Pass(bus)) });
    for console in [&ana, &ben] {
        // The later one holds, and both are told what gave way.
        console.see("assigned to eve by ana").see("set while apart");
        console.see("assigned to dora by ben");
        console.see("seen apart").see("no answer yet");
        console.see("history").see("assigned to carl");
        console.lose("shared: offline");
    }
    ana.see("1 more look");

    // The server stands still: who writes finds out; then it is killed, and both do.
    nats.signal(Signal::STOP);
    ana.keys("Ynwritten into the void\r")
        .see("shared: offline since");
    ana.see("1 change waits");
    nats.signal(Signal::CONT);
    ben.see("written into the void");
    ana.lose("shared: offline");
    nats.kill();
    ana.see("shared: offline since");
    ben.see("shared: offline since");
    ben.keys("Ynby a console that ends\r").see("1 change waits");
    // What waits outlives the console.
    ben.keys(":quit\r");
    assert_eq!(ben.ended(), 0);
    assert_given_back(&ben);
    nats.restart();
    let mut ben = console(&site, "ben", line.address.port(), folder.path());
    ana.see("by a console that ends").see("1 more look");
    ben.see("the vendor has case 4711").lose("shared:");
    ben.keys(":quit\r");
    assert_eq!(ben.ended(), 0);
    ana.lose("1 more look");
    ana.keys(":quit\r");
    assert_eq!(ana.ended(), 0);
    assert_given_back(&ana);
}
