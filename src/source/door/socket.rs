//! WebSockets: an HTTP request whose connection is then taken over, whatever the way.

use reqwest::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Client, Method, Response, StatusCode, Upgraded};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::{AGENT, CONNECT_TIMEOUT, Cause, Door, SourceError, body, place};

pub type Socket = WebSocketStream<Upgraded>;

impl Door {
    /// Opens a WebSocket that takes messages up to `limit` bytes, within the time limit of
    /// an answer.
    pub async fn web_socket(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: HeaderMap,
        limit: usize,
    ) -> Result<Socket, SourceError> {
        match tokio::time::timeout(self.timeout(), self.upgrade(path, query, headers)).await {
            Ok(upgraded) => {
                let config = WebSocketConfig::default().max_message_size(Some(limit));
                let (role, config) = (Role::Client, Some(config));
                Ok(WebSocketStream::from_raw_socket(upgraded?, role, config).await)
            }
            Err(_) => Err(self.error(path, Cause::Timeout(self.timeout()))),
        }
    }

    async fn upgrade(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: HeaderMap,
    ) -> Result<Upgraded, SourceError> {
        let key = generate_key();
        let builder = self
            .old_client()
            .map_err(|e| self.error(path, Cause::Config(format!("no HTTP client: {e}"))))?
            .request(Method::GET, self.url(path))
            .headers(self.shared.headers.clone())
            .headers(headers)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key)
            .query(query);
        let response = self.send(builder).await?;
        if let Err(what) = agreed(&response, &key) {
            return Err(self.error(path, Cause::Payload(what)));
        }
        let upgraded = response.upgrade().await;
        upgraded.map_err(|e| self.error(path, body::cause_of(&e)))
    }

    /// HTTP/2 has no such upgrade, and a WebSocket wants a connection of its own.
    fn old_client(&self) -> reqwest::Result<Client> {
        Client::builder()
            .tls_backend_preconfigured(self.shared.tls.clone())
            .http1_only()
            .user_agent(AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(place::redirects(true))
            .build()
    }
}

/// The server takes up exactly this upgrade.
fn agreed(response: &Response, key: &str) -> Result<(), String> {
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("status {} instead of a WebSocket", status.as_u16()));
    }
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accept.map(HeaderValue::as_bytes) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err("an upgrade that is no WebSocket of ours".into());
    }
    Ok(())
}
