//! Clusters from a kubeconfig alone: Fleet, Cluster, GitOps and the detail of an object.

use super::apiserver::ApiServer;
use super::*;

/// The recorded cluster, on an API server of the test.
fn recorded(servers: &tokio::runtime::Runtime) -> ApiServer {
    servers.block_on(ApiServer::recorded())
}

fn start(api: &ApiServer, size: (u16, u16)) -> Pty {
    let kubeconfig = api.kubeconfig();
    let kubeconfig = kubeconfig.display().to_string();
    let pty = Pty::start(&Start {
        env: vec![("KUBECONFIG", &kubeconfig)],
        size,
        ..Start::default()
    });
    pty.see("Clusters 1").see("lab");
    pty
}

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

#[test]
fn nothing_but_a_kubeconfig() {
    let servers = servers();
    let api = recorded(&servers);
    for size in SIZES {
        let mut pty = start(&api, size);
        // One node of the recording is not ready: told on every size.
        pty.keys("\r").see("Problems").see("gpu-1");
        pty.keys("0").see("Applications 12").see("broken-source");
        pty.keys("/checkout\r")
            .lose("broken-source")
            .see("checkout");
        pty.keys("<esc>").see("broken-source");
        pty.keys("1").see("Clusters 1");
        pty.keys("q");
        assert_eq!(pty.ended(), 0);
        assert_given_back(&pty);
    }
}

#[test]
fn an_object_in_full() {
    let servers = servers();
    let api = recorded(&servers);
    for size in SIZES {
        let mut pty = start(&api, size);
        pty.keys("0").see("broken-source");
        pty.keys("/broken\r").see("broken-source");
        pty.keys("\r").see("app path does not exist");
        if size.0 < 200 {
            // The short detail came first: it has no room beside the list.
            pty.keys("\r").lose("Applications 1");
        }
        pty.keys("m").see("targetRevision");
        // Back to the row, on narrow screens by way of the short detail.
        pty.keys("<esc>").see("broken-source");
        pty.keys("<esc>").see("Applications 1");
        pty.keys("1").see("Clusters 1");
        pty.keys("q");
        assert_eq!(pty.ended(), 0);
        assert_given_back(&pty);
    }
}
