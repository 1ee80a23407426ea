//! `services/NAME:PORT/proxy/…`: requests, streams and upgrades go to the backend.

use std::io;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Inner;
use super::answer::{Place, send, status};
use super::wire::Request;

/// Namespace, service, port by name or number.
pub type Name = (String, String, String);

pub async fn answer(
    inner: &Inner,
    request: &Request,
    place: &Place,
    stream: &mut TcpStream,
) -> io::Result<bool> {
    let named = place.name.as_deref().unwrap_or_default();
    let parts: Vec<&str> = named.split(':').collect();
    let (service, port) = match parts.as_slice() {
        [service] => (*service, ""),
        [service, port] | [_, service, port] => (*service, *port),
        _ => (named, ""),
    };
    let namespace = place.namespace.clone().unwrap_or_default();
    let name = (namespace, service.to_owned(), port.to_owned());
    let to = inner.backends.lock().unwrap().get(&name).copied();
    let Some(to) = to else {
        let (code, body) = nowhere(inner, &name);
        return send(stream, code, &body).await;
    };
    let mut backend = match TcpStream::connect(to).await {
        Ok(backend) => backend,
        Err(_) => {
            let message = format!(
                "error trying to reach service: dial tcp {to}: connect: connection refused"
            );
            return send(stream, 503, &status(503, "ServiceUnavailable", &message)).await;
        }
    };
    let rest = request.target.split_once("/proxy").map_or("", |(_, r)| r);
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let mut head = format!(
        "{} {slash}{rest} HTTP/1.1\r\nHost: {to}\r\n",
        request.method
    );
    let upgrade = request.header("upgrade").is_some();
    for (name, value) in &request.headers {
        // The API server keeps the caller's credentials to itself.
        let ours = matches!(
            name.as_str(),
            "host" | "authorization" | "transfer-encoding" | "content-length"
        );
        if !ours && (upgrade || name != "connection") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    if !upgrade {
        head.push_str(&format!(
            "Connection: close\r\nContent-Length: {}\r\n",
            request.body.len()
        ));
    }
    head.push_str("\r\n");
    backend.write_all(head.as_bytes()).await?;
    backend.write_all(&request.body).await?;
    if upgrade {
        tokio::io::copy_bidirectional(stream, &mut backend).await?;
    } else {
        tokio::io::copy(&mut backend, stream).await?;
    }
    Ok(false)
}

fn nowhere(inner: &Inner, (namespace, service, port): &Name) -> (u16, Value) {
    let store = inner.store.lock().unwrap();
    let key = (store.by_kind("Service"), namespace.clone(), service.clone());
    if !store.objects.contains_key(&key) {
        let message = format!("services \"{service}\" not found");
        let mut body = status(404, "NotFound", &message);
        body["details"] = json!({"name": service, "kind": "services"});
        return (404, body);
    }
    let message = if port.parse::<u16>().is_ok() {
        format!("no service port {port} found for service \"{service}\"")
    } else {
        format!("no endpoints available for service \"{service}:{port}\"")
    };
    (503, status(503, "ServiceUnavailable", &message))
}
