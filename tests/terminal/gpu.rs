//! GPUs: the map of what a real exporter tells, another measure, another order, one card with the
//! meaning of its fault.

use std::sync::Arc;

use super::*;
use crate::apiserver::wire;

/// Serves a recorded page under any path.
async fn exporter(page: &'static str) -> wire::Server {
    wire::Server::start(Arc::new(move |_, stream| {
        Box::pin(async move {
            let body = wire::fixture(&format!("exporters/{page}"));
            wire::reply(stream, 200, "text/plain", &[], &body).await
        })
    }))
    .await
}

#[test]
fn a_fault_is_found_on_the_map_and_its_meaning_read() {
    let servers = servers();
    let exporter = servers.block_on(exporter("dcgm_xid_throttle.prom"));
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nexporters = [{{ url = \"{}/metrics\", interval = \"1s\" }}]\n",
        exporter.url()
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (80, 24),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys("5")
        .see("devices: 4 GPUs on 1 nodes")
        .see("utilisation by");
    pty.keys(";").see("tensor activity");
    pty.keys(";;;").see("temperature");
    pty.keys("s").see("by job");
    pty.keys("s").see("most first");
    // Trouble by trouble; at 80 columns the page of a card takes the place of the map.
    pty.keys("ee\r")
        .see("✗ XID 79 GPU has fallen off the bus")
        .see("do          ");
    pty.keys("<esc>").see("most first");
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}
