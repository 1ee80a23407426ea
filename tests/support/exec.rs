//! Commands run in pods of a test API server: a WebSocket whose messages begin with a channel, 1
//! for output, 2 for error output, 3 for the end, as the kubelet writes it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::apiserver::ApiServer;
use crate::apiserver::wire::{self, Request};

/// How a command goes in one pod.
#[derive(Clone, Debug)]
pub enum Command {
    Prints(Vec<u8>),
    /// With this exit code.
    Ends(i32, &'static str, &'static str),
    /// The container runtime says so.
    NotStarted(&'static str),
    /// The connection ends after so many bytes, without a word.
    Cut(Vec<u8>),
    /// Prints without an end.
    Floods,
    /// Says nothing at all.
    Hangs,
    /// The end is no status.
    EndsOddly,
}

#[derive(Clone)]
pub struct Execs {
    pods: Arc<Mutex<BTreeMap<String, Command>>>,
    asked: Arc<Mutex<Vec<Request>>>,
    protocol: &'static str,
}

impl Execs {
    pub fn serve(api: &ApiServer) -> Self {
        Self::speaking(api, "v5.channel.k8s.io")
    }

    pub fn speaking(api: &ApiServer, protocol: &'static str) -> Self {
        let execs = Self {
            pods: Arc::default(),
            asked: Arc::default(),
            protocol,
        };
        let held = execs.clone();
        api.extra(
            "/exec",
            Arc::new(move |request, stream| {
                let held = held.clone();
                Box::pin(async move { held.answer(request, stream).await })
            }),
        );
        execs
    }

    pub fn pod(&self, name: &str, command: Command) {
        self.pods.lock().unwrap().insert(name.into(), command);
    }

    /// Every exec asked for.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    async fn answer(&self, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
        let pod = request.path.split('/').nth(6).unwrap_or_default();
        let known = self.pods.lock().unwrap().get(pod).cloned();
        self.asked.lock().unwrap().push(request.clone());
        let Some(command) = known else {
            let body = json!({"kind": "Status", "status": "Failure", "reason": "NotFound",
                "message": format!("pods \"{pod}\" not found"), "code": 404});
            let body = body.to_string();
            return wire::reply(stream, 404, "application/json", &[], body.as_bytes()).await;
        };
        let mut socket = wire::upgrade(&request, stream, self.protocol).await?;
        let (out, words, end) = match command {
            Command::Prints(out) => (out, "", Some(success())),
            Command::Ends(code, out, words) => (out.into(), words, Some(ended(code))),
            Command::NotStarted(message) => (Vec::new(), "", Some(failure(message))),
            Command::Cut(out) => (out, "", None),
            Command::EndsOddly => (Vec::new(), "", Some("no JSON".into())),
            Command::Hangs => {
                while socket.next().await.is_some_and(|said| said.is_ok()) {}
                return Ok(false);
            }
            Command::Floods => {
                let part = Message::binary([&[1_u8][..], &[b'x'; 60_000]].concat());
                while socket.send(part.clone()).await.is_ok() {
                    tokio::time::sleep(Duration::from_micros(10)).await;
                }
                return Ok(false);
            }
        };
        for channel in 1..4_u8 {
            let _ = socket.send(Message::binary(vec![channel])).await;
        }
        for part in out.chunks(8 << 10) {
            let _ = socket.send(Message::binary([&[1], part].concat())).await;
        }
        let _ = socket
            .send(Message::binary([&[2], words.as_bytes()].concat()))
            .await;
        let Some(end) = end else {
            return Ok(false);
        };
        let _ = socket
            .send(Message::binary([&[3], end.to_string().as_bytes()].concat()))
            .await;
        let _ = socket.close(None).await;
        Ok(false)
    }
}

fn success() -> Value {
    json!({"metadata": {}, "status": "Success"})
}

fn failure(message: &str) -> Value {
    json!({"metadata": {}, "status": "Failure", "message": message,
        "reason": "InternalError", "code": 500})
}

fn ended(code: i32) -> Value {
    json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}})
}
