//! What a client in another language sends and reads is seen as it is.

use std::process::Command;

use farwatch::model::bus::{Encoding, JetStream, Pattern, Start};
use farwatch::source::nats::history::read;
use farwatch::source::nats::survey::survey;

use crate::nats::{Nats, program};
use crate::open;

#[tokio::test(flavor = "multi_thread")]
async fn python_with_msgpack() {
    let server = Nats::jetstream();
    let session = open(&server).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nats/foreign.py");
    let ran = Command::new(program("python3"))
        .arg(script)
        .arg(server.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{said}; run tests/run, which installs nats-py and msgpack"
    );
    let pattern = Pattern::new("ai.chat.user.*.message").unwrap();
    let found = read(&session, "CHAT", Start::Last(1), Some(&pattern), 10)
        .await
        .unwrap();
    let message = &found.messages[0];
    assert_eq!(
        (message.content.encoding, message.sequence),
        (Encoding::MessagePack, Some(10))
    );
    let rows: Vec<String> = (0..message.content.rows.len())
        .map(|i| {
            format!(
                "{} = {}",
                message.content.path(i),
                message.content.rows[i].value
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ". = 4",
            ".user_id = u1",
            ".message = hello 9 é",
            ".enable_rag = true",
            ".raw = 2 bytes: 00 ff",
        ]
    );
    assert_eq!(message.headers, [("trace".into(), "t9".into())]);
    let JetStream::On(streams) = survey(&session).await.unwrap().survey.jetstream else {
        panic!("JetStream is on")
    };
    let agent = &streams.streams[0].consumers[0];
    assert_eq!(
        (&*agent.name, agent.lag, agent.acked_sequence),
        ("agent", 7, 3)
    );
}
