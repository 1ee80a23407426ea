//! Port-forwards of a test API server, as kube-rs speaks them: a WebSocket whose messages begin
//! with a channel, two channels a port, the first message of each naming the port. Each pod leads
//! to a server on loopback, or fails in its own way.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

use crate::apiserver::wire::{self, Request};
use crate::apiserver::{ApiServer, Fault};

/// How forwards to a pod go.
#[derive(Clone, Debug)]
pub enum Pod {
    Works(SocketAddr),
    /// The node says so on the error channel.
    Refused(String),
    /// The API server answers with this status and message.
    Denied(u16, &'static str, String),
}

/// What running forwards are told: `(closed, frozen)` so often.
type Orders = (u64, u64);

#[derive(Clone)]
pub struct Forwards {
    pods: Arc<Mutex<BTreeMap<String, Pod>>>,
    /// Pod and port of every forward asked for.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    orders: watch::Sender<Orders>,
    pub open: Arc<AtomicUsize>,
    /// Bytes that came from pods.
    pub bytes: Arc<AtomicUsize>,
}

impl Forwards {
    pub fn serve(api: &ApiServer) -> Self {
        let forwards = Self {
            pods: Arc::default(),
            asked: Arc::default(),
            orders: watch::Sender::new((0, 0)),
            open: Arc::default(),
            bytes: Arc::default(),
        };
        let held = forwards.clone();
        api.extra(
            "/portforward",
            Arc::new(move |request, stream| {
                let held = held.clone();
                Box::pin(async move { held.answer(request, stream).await })
            }),
        );
        forwards
    }

    pub fn pod(&self, name: &str, pod: Pod) {
        self.pods.lock().unwrap().insert(name.into(), pod);
    }

    /// Pods to which forwards were asked, with the port.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// All forwards end, as when their pods go.
    pub fn close(&self) {
        self.orders.send_modify(|o| o.0 += 1);
    }

    /// Those that are open never say a word again, and stay open.
    pub fn freeze(&self) {
        self.orders.send_modify(|o| o.1 += 1);
    }

    async fn answer(&self, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
        let pod = request
            .path
            .split('/')
            .nth(6)
            .unwrap_or_default()
            .to_owned();
        let ports = request.param("ports").unwrap_or_default().to_owned();
        self.asked
            .lock()
            .unwrap()
            .push((pod.clone(), ports.clone()));
        let known = self.pods.lock().unwrap().get(&pod).cloned();
        let told = match known {
            Some(Pod::Denied(code, reason, message)) => (code, reason, message),
            None => (404, "NotFound", format!("pods \"{pod}\" not found")),
            Some(pod) => return self.forward(pod, &request, &ports, stream).await,
        };
        let (code, reason, message) = told;
        let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": message, "reason": reason, "code": code});
        wire::reply(
            stream,
            code,
            "application/json",
            &[],
            body.to_string().as_bytes(),
        )
        .await
    }

    async fn forward(
        &self,
        pod: Pod,
        request: &Request,
        ports: &str,
        stream: &mut TcpStream,
    ) -> io::Result<bool> {
        let mut socket = wire::upgrade(request, stream, "v4.channel.k8s.io").await?;
        let port: u16 = ports.parse().expect("one port");
        for channel in 0..2_u8 {
            let [low, high] = port.to_le_bytes();
            let first = Message::binary(vec![channel, low, high]);
            let _ = socket.send(first).await;
        }
        let mut orders = self.orders.subscribe();
        let backend = match pod {
            Pod::Works(address) => TcpStream::connect(address).await.map_err(|e| e.to_string()),
            Pod::Refused(words) => Err(words),
            Pod::Denied(..) => unreachable!(),
        };
        let mut backend = match backend {
            Ok(backend) => backend,
            Err(words) => {
                let _ = socket
                    .send(Message::binary([&[1], words.as_bytes()].concat()))
                    .await;
                let _ = socket.close(None).await;
                return Ok(false);
            }
        };
        self.open.fetch_add(1, Ordering::SeqCst);
        let mut buffer = vec![0_u8; 32 << 10];
        let begun = *orders.borrow_and_update();
        loop {
            tokio::select! {
                said = socket.next() => match said {
                    Some(Ok(Message::Binary(bytes))) if bytes.first() == Some(&0) => {
                        backend.write_all(&bytes[1..]).await?;
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
                read = backend.read(&mut buffer) => {
                    let n = read?;
                    self.bytes.fetch_add(n, Ordering::SeqCst);
                    let message = Message::binary([&[0], &buffer[..n]].concat());
                    if n == 0 || socket.send(message).await.is_err() {
                        break;
                    }
                }
                _ = orders.changed() => {
                    if orders.borrow().1 != begun.1 {
                        // Deaf and dumb, until the other side gives up.
                        while matches!(socket.get_mut().read(&mut buffer).await, Ok(n) if n > 0) {}
                    }
                    break;
                }
            }
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
        let _ = socket.close(None).await;
        Ok(false)
    }
}

/// A Service with one port `web`, which its pods name or number so.
pub fn service(namespace: &str, name: &str, target: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"clusterIP": "None", "selector": {"app": name},
            "ports": [{"name": "web", "port": 9090, "targetPort": target}]}})
}

/// A pod of that service whose container names `port` `web`.
pub fn pod(namespace: &str, service: &str, name: &str, port: u16, ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": service}},
        "spec": {"containers": [{"name": "sidecar"},
            {"name": "main", "ports": [{"name": "web", "containerPort": port}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})
}

/// The API server refuses so, wherever it is asked for this path.
pub fn refuse(api: &ApiServer, verb: &'static str, target: &str) {
    api.fault(Fault::forbidden(verb, target));
}
