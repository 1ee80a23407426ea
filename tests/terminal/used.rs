//! Starting, looking around, asking.

use super::chat::{ChatServer, Say, calls, event, text};
use super::site::{Site, Texts};
use super::*;

#[test]
fn first_run_without_anything() {
    let mut pty = Pty::start(&Start::default());
    pty.see("farwatch demo")
        .see("[[clusters]]")
        .see("farwatch check");
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// Servers that accept and never answer, and ones that refuse: the first frame needs neither.
#[test]
fn dead_endpoints() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = silent.local_addr().expect("address").port();
    let config = DEAD.replace("127.0.0.1:9/v1", &format!("127.0.0.1:{port}/v1"));
    let config = config.replacen("127.0.0.1:9\"", &format!("127.0.0.1:{port}\""), 1);
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        ..Start::default()
    });
    pty.see("Clusters 2").see("alpha").see("beta");
    pty.keys("gs").see("farwatch itself").see("refused");
    pty.keys("<esc>q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

#[test]
fn a_wrong_configuration_is_plain_text() {
    let pty = Pty::start(&Start {
        config: Some("[[clusters]]\nname = \"a\"\nprometeus = { url = \"http://x\" }\n"),
        ..Start::default()
    });
    assert_eq!(pty.ended(), 2);
    let stream = stream(&pty);
    assert_eq!(stream.entered, 0);
    assert!(
        stream.outside.contains("did you mean"),
        "{}",
        stream.outside
    );
}

#[test]
fn navigate() {
    let servers = servers();
    let site = servers.block_on(Site::start(Texts::default()));
    let config = site.config("alpha") + &site.config("beta");
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        ..Start::default()
    });
    pty.see("Clusters 2");
    for (keys, wanted) in [
        ("2", "▸ Cluster"),
        ("3", "▸ Metrics"),
        ("4", "▸ Logs"),
        ("5", "▸ GPU"),
        ("6", "▸ CNF"),
        ("7", "ClockLost"),
        ("8", "▸ Incidents"),
        ("gs", "farwatch itself"),
        ("1", "Clusters 2"),
        ("j\r", "▸ Cluster ▸ beta"),
        ("<esc>", "Clusters 2"),
        ("/alp\r", "Clusters 1 of 2"),
        ("<esc>", "Clusters 2"),
        (":aler", ":aler"),
        ("ts\r", "ClockLost"),
        ("?", "Help"),
        ("<esc>", "ClockLost"),
        (":theme light\r", "theme light"),
        (":theme high-contrast\r", "theme high-contrast"),
        ("\x10", "Palette"),
        ("<esc>1", "Clusters 2"),
        // A press of the mouse on the second row, then Enter.
        ("\x1b[<0;5;4M\x1b[<0;5;4m\r", "▸ Cluster ▸"),
    ] {
        pty.keys(keys);
        pty.see(wanted);
    }
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    let stream = assert_given_back(&pty);
    assert!(
        stream.wiped <= 3,
        "the screen was wiped {} times",
        stream.wiped
    );
}

fn with_agent(site: &Site, agent: &ChatServer) -> String {
    site.config("alpha") + &format!("[agent]\nurl = \"{}\"\n", agent.url())
}

/// The answer grows on the screen while it is being said; tools are shown.
#[test]
fn ask_and_see_the_answer_come() {
    let servers = servers();
    let (site, agent) = servers.block_on(async {
        let list = calls(&[("list_clusters", serde_json::json!({}))]);
        let answer = text("The **clock** of node-1 lost GNSS [1].");
        (
            Site::start(Texts::default()).await,
            ChatServer::start(vec![list, answer]).await,
        )
    });
    let config = with_agent(&site, &agent);
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (160, 40),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys("Awhy is it red?\r");
    pty.see("why is it red?")
        .see("list_clusters")
        .see("The clock of node-1 lost GNSS [1].");
    assert_eq!(agent.requests().len(), 2);
    // Esc leaves the input, and once more the pane.
    pty.keys("<esc>").keys("<esc>").lose("lost GNSS");
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// The model stops in the middle: what it said stands there, Esc gives up, the connection is
/// closed, and the console goes on.
#[test]
fn esc_cancels_an_answer() {
    let servers = servers();
    let begun = event(&serde_json::json!({"choices": [{"index": 0,
        "delta": {"role": "assistant", "content": "It looks like"}}]}));
    let (site, agent) = servers.block_on(async {
        (
            Site::start(Texts::default()).await,
            ChatServer::start(vec![Say::Stall(vec![begun])]).await,
        )
    });
    let config = with_agent(&site, &agent);
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (160, 40),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys("Awhy?\r").see("It looks like");
    pty.keys("<esc>").see("stopped by you");
    let until = farwatch::clock::instant() + pty::PATIENCE;
    while *agent.left.lock().expect("lock") == 0 {
        assert!(
            farwatch::clock::instant() < until,
            "the connection stays open"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Ended with a run under way.
    pty.keys("again?\r")
        .wait("asked again", |s| s.contains("again?"));
    pty.keys("\x03\x03\x03");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

/// The size changes faster than anybody can paint.
#[test]
fn resize_storm() {
    let mut pty = dead();
    let mut seed = 12_345_u32;
    let mut random = |most: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from((seed >> 8) % most + 1).expect("small")
    };
    for n in 0..200 {
        let size = match n % 10 {
            0 => (1, 1),
            3 => (20, 5),
            6 => (400, 120),
            _ => (random(400), random(120)),
        };
        pty.resize(size);
        if n % 7 == 0 {
            pty.keys(["?", "<esc>", "4", "2", "1", "A", "<esc><esc>"][n / 7 % 7]);
        }
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    pty.keys("<esc>").keys("<esc>").keys("<esc>").keys("1");
    for size in [(1, 1), (20, 5), (400, 120), (80, 24), (120, 36)] {
        pty.resize(size);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    pty.see("Clusters 2").see("alpha").see("beta");
    pty.keys("q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}

#[test]
fn starts_in_any_size() {
    for size in [(1, 1), (20, 5), (80, 24), (400, 120)] {
        let mut pty = Pty::start(&Start {
            config: Some(DEAD),
            size,
            ..Start::default()
        });
        // The end of a frame.
        pty.wait_bytes(b"\x1b[?2026l");
        pty.resize((120, 36));
        pty.see("Clusters 2");
        pty.keys("q");
        assert_eq!(pty.ended(), 0);
        assert_given_back(&pty);
    }
}

/// Accepts, never answers, and tells when the request of a query is there and when it is gone.
fn silent(query: &'static str) -> (u16, std::sync::mpsc::Receiver<&'static str>) {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("address").port();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let (mut heard, mut room, mut ours) = (Vec::new(), [0; 4096], false);
                while let Ok(n @ 1..) = socket.read(&mut room) {
                    heard.extend_from_slice(&room[..n]);
                    let text = String::from_utf8_lossy(&heard);
                    if !ours && text.contains("query_range") && text.contains(query) {
                        ours = true;
                        let _ = tell.send("asked");
                    }
                }
                if ours {
                    let _ = tell.send("gone");
                }
            });
        }
    });
    (port, told)
}

/// Ctrl-c ends a query that runs: its connection is closed, and the program goes on.
#[test]
fn a_query_is_stopped() {
    let (port, told) = silent("stop_me");
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\n\
         prometheus = {{ url = \"http://127.0.0.1:{port}\", timeout = \"10m\" }}\n"
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (160, 40),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys(":promql stop_me\r").see("1 asked …");
    let soon = std::time::Duration::from_secs(30);
    assert_eq!(told.recv_timeout(soon), Ok("asked"));
    pty.keys("\x03").see("1 stopped");
    assert_eq!(told.recv_timeout(soon), Ok("gone"));
    pty.keys("\x03").see("Ctrl-c again quits");
    pty.keys("\x03");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}
