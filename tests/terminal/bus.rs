//! The bus in the real program, with a real nats-server: streams, a live tail, a killed server.

use super::nats_server::{Nats, until};
use super::*;

#[test]
fn streams_and_messages_and_a_server_that_dies() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let mut server = Nats::jetstream();
    let client = runtime
        .block_on(async_nats::connect(server.url()))
        .expect("connected");
    let js = runtime.block_on(async { async_nats::jetstream::new(client.clone()) });
    runtime.block_on(async {
        let config = async_nats::jetstream::stream::Config {
            name: "CHAT".into(),
            subjects: vec!["ai.>".into()],
            ..Default::default()
        };
        js.create_stream(config).await.expect("made");
        let told = serde_json::json!({"user_id": "u1", "message": "is n-12 well?"});
        let packed = rmp_serde::to_vec_named(&told).expect("packed");
        let sent = js.publish("ai.chat.user.u1.message", packed.into()).await;
        sent.expect("sent").await.expect("taken");
    });
    let config = format!(
        "[[clusters]]\nname = \"alpha\"\nnats = {{ url = \"{}\", interval = \"1s\" }}\n",
        server.url()
    );
    let mut pty = Pty::start(&Start {
        config: Some(&config),
        size: (180, 45),
        ..Start::default()
    });
    pty.see("Clusters 1");
    pty.keys("ge").see("CHAT").see("tail ai.>").see("msg/s");
    runtime.block_on(async {
        let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2Jhello";
        client
            .publish("ai.voice.user.u1.request", hostile.into())
            .await
            .expect("sent");
        client
            .publish("ai.pipeline.trigger", "{\"run\": 7}".into())
            .await
            .expect("sent");
        client.flush().await.expect("sent");
    });
    pty.see("ai.pipeline.trigger").see("! run=7").see("hello");
    assert!(!pty.screen().contains("owned"));
    // What the stream keeps, as a tree.
    pty.keys("\r").see("kept in CHAT of alpha: the last 3");
    pty.keys("G").see("message: is n-12 well?");
    pty.keys("<esc>").see("tail ai.>");
    server.kill();
    pty.see("nobody answers");
    server.restart();
    pty.see("1 times interrupted").lose("nobody answers");
    runtime.block_on(until("it goes on", async || {
        let client = async_nats::connect(server.url()).await.ok()?;
        client
            .publish("ai.chat.user.u2.message", "again".into())
            .await
            .ok()?;
        client.flush().await.ok()
    }));
    pty.see("ai.chat.user.u2.message");
    pty.keys("1q");
    assert_eq!(pty.ended(), 0);
    assert_given_back(&pty);
}
