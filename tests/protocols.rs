//! Loki and Kubernetes against servers that replay what real ones were recorded to say.

#[path = "support/vllm.rs"]
mod vllm;

#[tokio::test]
async fn vllm_server_replays_every_byte() {
    let server = vllm::VllmServer::start(vec!["chat_stream.sse"]).await;
    let text = reqwest::Client::new()
        .post(format!("{}/chat/completions", server.url))
        .json(&serde_json::json!({"model": "lab-tiny", "messages": [], "stream": true}))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let wanted = std::fs::read("tests/fixtures/vllm/chat_stream.sse").unwrap();
    assert_eq!(text.as_ref(), wanted.as_slice());
    assert_eq!(server.requests().len(), 1);
}
