//! What can go wrong between us and a server, told so that the operator can act.
//!
//! One error for every source; it knows cluster and endpoint and holds no secret: the endpoint is
//! written without user, password and query values, foreign text is cleaned and cut.

use std::time::Duration;

use crate::model::fault::{Fault, FaultKind};
use crate::model::text;

/// Stands for the name of a cluster in errors of the team's bus.
pub const TEAM: &str = "team";
/// Longest piece of a foreign answer that is quoted, bytes.
const QUOTE: usize = 200;

/// What happened, without where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    #[error("nobody answers: {0}")]
    Unreachable(String),
    #[error("no answer within {}", seconds(*.0))]
    Timeout(Duration),
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    #[error("401: the credentials are missing, wrong or expired{}", tail(.0))]
    Unauthorized(String),
    #[error("a login page came instead of data")]
    Login,
    #[error("redirected to another server, {0}, which is not given the credentials")]
    Elsewhere(String),
    #[error("redirected to {0}, which is not followed here")]
    Moved(String),
    #[error("403: signed in, but not allowed{}", tail(.0))]
    Forbidden(String),
    /// A bus that does not know us.
    #[error("the server refuses the credentials: {0}")]
    Refused(String),
    /// A bus that knows us, and the subject or request it withholds.
    #[error("signed in, but not permitted: {0}")]
    Unpermitted(String),
    #[error("404: no such API there{}", tail(.0))]
    NotFound(String),
    /// The server is well and has the API, but not the thing.
    #[error("{0}")]
    Absent(String),
    /// A bus that answers, and does not make or take what it is given.
    #[error("the bus refuses it: {0}")]
    Rejected(String),
    #[error("429: too many requests{}", wait(.0))]
    RateLimited(Option<Duration>),
    #[error("the server failed with status {status}{}", tail(.detail))]
    Server { status: u16, detail: String },
    #[error("the query was refused: {0}")]
    Query(String),
    #[error("unexpected status {status}{}", tail(.detail))]
    Status { status: u16, detail: String },
    #[error("too many redirects")]
    Redirects,
    #[error("the answer was cut after {0} bytes")]
    Cut(u64),
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("the answer is not what was asked for: {0}")]
    Payload(String),
    #[error("{0}")]
    Config(String),
    /// The API server, on the way to the endpoint.
    #[error("{}", .0.what)]
    Tunnel(Box<Fault>),
    #[error("cancelled")]
    Cancelled,
    #[error("a mistake of farwatch itself: {0}")]
    Bug(String),
}

/// A cause with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cluster}: {endpoint}: {cause}")]
pub struct SourceError {
    pub cluster: String,
    /// URL without user, password and query values; or a file, or a context.
    pub endpoint: String,
    pub cause: Cause,
}

impl SourceError {
    pub fn new(cluster: &str, endpoint: &str, cause: Cause) -> Self {
        Self {
            cluster: cluster.to_owned(),
            endpoint: endpoint.to_owned(),
            cause,
        }
    }

    pub fn kind(&self) -> FaultKind {
        match &self.cause {
            Cause::Unreachable(_) => FaultKind::Unreachable,
            Cause::Timeout(_) => FaultKind::Timeout,
            Cause::Tls(_) => FaultKind::Tls,
            Cause::Unauthorized(_) | Cause::Login | Cause::Refused(_) => FaultKind::Auth,
            Cause::Forbidden(_) | Cause::Unpermitted(_) => FaultKind::Forbidden,
            Cause::NotFound(_) | Cause::Absent(_) => FaultKind::NotFound,
            Cause::RateLimited(_) => FaultKind::RateLimited,
            Cause::Server { .. } | Cause::Rejected(_) => FaultKind::Server,
            Cause::Query(_) => FaultKind::BadQuery,
            Cause::Status { .. }
            | Cause::Redirects
            | Cause::Elsewhere(_)
            | Cause::Moved(_)
            | Cause::Cut(_)
            | Cause::TooLarge(_)
            | Cause::Payload(_) => FaultKind::BadPayload,
            Cause::Config(_) => FaultKind::Config,
            Cause::Tunnel(fault) => fault.kind,
            Cause::Cancelled => FaultKind::Cancelled,
            Cause::Bug(_) => FaultKind::Bug,
        }
    }

    /// What to try; empty where the cause says it all.
    pub fn hint(&self) -> &str {
        match &self.cause {
            Cause::Unreachable(_) => {
                "check the address and port, the VPN and the proxy; the server may be down"
            }
            Cause::Timeout(_) => {
                "the server is slow or a firewall drops the packets; raise `timeout` if it is slow"
            }
            Cause::Tls(why) if why.contains("expired") => {
                "renew the server's certificate; also compare the clocks of both machines"
            }
            Cause::Tls(why) if why.contains("name") => {
                "use the host name that the certificate is made for"
            }
            Cause::Tls(why) if why.contains("speaks TLS") => {
                "write https in the URL, or `tls = true` beside `service`"
            }
            Cause::Tls(_) => "name the authority's certificate in `ca_file`",
            Cause::Unauthorized(_) => {
                "renew the token in `bearer_file`, or check `bearer_command`, or `user` with \
                 `password_file`"
            }
            Cause::Login => "this front end wants a token: set `bearer_file` or `bearer_command`",
            Cause::Forbidden(_) => {
                "ask for the right to read it (on OpenShift: role cluster-monitoring-view)"
            }
            Cause::Refused(_) => {
                "check `creds_file`, `nkey_file`, `token_file`, or `user` with `password_file`"
            }
            Cause::Unpermitted(_) if self.cluster == TEAM => {
                "ask for the permission on that subject"
            }
            Cause::Unpermitted(_) => "ask for the permission on that subject, or follow another",
            Cause::Rejected(_) => {
                "see `name`, `replicas` and `create` of [team], and which stream has `ai.farwatch.>`"
            }
            Cause::NotFound(_) => "check the path of the URL: is it the server's API?",
            Cause::Absent(what) if what.contains("create = false") => {
                "set `create = true`, or make it yourself"
            }
            Cause::Absent(what) if what.contains("JetStream") => {
                "switch JetStream on for this account"
            }
            Cause::Absent(_) => {
                "it may not be there yet, be older than what the server keeps, or never have been \
                 sent (sampling); another cluster may have it"
            }
            Cause::RateLimited(_) => "lower `requests_per_minute` or raise `interval`",
            Cause::Server {
                status: 502..=504, ..
            } => {
                "a proxy before the server got no answer of it: look whether it runs and is ready; \
                 it is tried again"
            }
            Cause::Server { .. } => "read the server's own log; it is tried again",
            Cause::Query(_) => "correct the query",
            Cause::Redirects => "the URL leads in a circle: check scheme, host and path",
            Cause::Cut(_) => "the server or a proxy broke off; it is tried again",
            Cause::TooLarge(_) => "narrow the query or the range",
            Cause::Status { .. } | Cause::Payload(_) => {
                "check that the URL belongs to this kind of server"
            }
            Cause::Elsewhere(_) => {
                "if that is the right server, put its address into `url`; else the front end wants \
                 another sign-in"
            }
            Cause::Moved(_) => "put that address into `url`",
            Cause::Config(_) => "correct the configuration file",
            Cause::Tunnel(fault) => &fault.hint,
            Cause::Cancelled => "",
            Cause::Bug(_) => "please report it with the log file",
        }
    }

    /// How long the server asked us to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.cause {
            Cause::RateLimited(after) => after,
            _ => None,
        }
    }

    /// The query is wrong, the server is well: no reason to think worse of the source.
    pub fn is_about_query(&self) -> bool {
        matches!(self.cause, Cause::Query(_))
    }

    /// The fact that the rest of the program sees.
    pub fn fault(&self) -> Fault {
        Fault {
            kind: self.kind(),
            cluster: self.cluster.clone(),
            endpoint: self.endpoint.clone(),
            what: self.cause.to_string(),
            hint: self.hint().to_owned(),
        }
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        error.fault()
    }
}

impl From<&SourceError> for Fault {
    fn from(error: &SourceError) -> Self {
        error.fault()
    }
}

/// The server's own words: the message of a JSON error body, else the first 200 cleaned bytes.
pub fn quote(body: &[u8]) -> String {
    let told = String::from_utf8_lossy(body.get(..body.len().min(64 * 1024)).unwrap_or(body));
    let message = serde_json::from_str::<Told>(&told)
        .ok()
        .and_then(Told::text);
    text::clean(message.as_deref().unwrap_or(&told), QUOTE)
        .trim()
        .to_owned()
}

/// Error bodies as Prometheus, Alertmanager, Loki and OpenAI-like servers write them.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Told {
    Bare(String),
    Fields {
        error: Option<Nested>,
        message: Option<String>,
        detail: Option<Nested>,
    },
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Nested {
    Text(String),
    Object { message: String },
    Other(serde::de::IgnoredAny),
}

impl Told {
    fn text(self) -> Option<String> {
        let nested = |n: Option<Nested>| match n {
            Some(Nested::Text(text) | Nested::Object { message: text }) => Some(text),
            Some(Nested::Other(_)) | None => None,
        };
        match self {
            Self::Bare(text) => Some(text),
            Self::Fields {
                error,
                message,
                detail,
            } => nested(error).or(message).or_else(|| nested(detail)),
        }
    }
}

fn tail(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    }
}

fn wait(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |d| format!(", wait {}", seconds(d)))
}

fn seconds(d: Duration) -> String {
    if d.subsec_millis() == 0 {
        format!("{} s", d.as_secs())
    } else {
        format!("{:.1} s", d.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_servers_say() {
        assert_eq!(quote(br#""bad matcher""#), "bad matcher");
        assert_eq!(
            quote(br#"{"status":"error","errorType":"bad_data","error":"parse \u001b[31merror"}"#),
            "parse error"
        );
        assert_eq!(
            quote(br#"{"error":{"message":"no model","code":404}}"#),
            "no model"
        );
        assert_eq!(quote(br#"{"detail":"Not Found"}"#), "Not Found");
        assert_eq!(quote(br#"{"code":401,"message":"who?"}"#), "who?");
        assert_eq!(quote(b"no org id\n"), "no org id");
        assert!(quote(&[b'x'; 100_000]).len() < 240);
    }

    #[test]
    fn advice_is_of_what_happened() {
        let hint = |cluster: &str, cause: Cause| {
            let error = SourceError::new(cluster, "nats://h", cause);
            error.hint().to_owned()
        };
        let absent = |what: &str| hint(TEAM, Cause::Absent(what.into()));
        let missing = absent("the stream farwatch is missing, and `create = false`");
        assert_eq!(missing, "set `create = true`, or make it yourself");
        let off = absent("the server has no JetStream, or not for us");
        assert_eq!(off, "switch JetStream on for this account");
        assert!(absent("no trace 4f").contains("sampling"));
        let denied = || Cause::Unpermitted("publish on $KV.farwatch-leases.>".into());
        assert!(!hint(TEAM, denied()).contains("follow another"));
        assert!(hint("alpha", denied()).contains("follow another"));
        let unknown = hint("alpha", Cause::Unauthorized(String::new()));
        assert!(unknown.contains("`user` with `password_file`"), "{unknown}");
        let refused = SourceError::new(TEAM, "nats://h", Cause::Rejected("overlap".into()));
        let told = refused.fault().to_string();
        assert!(told.contains("the bus refuses it: overlap"), "{told}");
        assert!(
            told.contains("`replicas`") && !told.contains("port"),
            "{told}"
        );
    }

    #[test]
    fn becomes_a_fault_with_place_and_advice() {
        let error = SourceError::new(
            "alpha",
            "http://h:1/x",
            Cause::RateLimited(Some(Duration::from_secs(7))),
        );
        let fault = error.fault();
        assert_eq!(fault.kind, FaultKind::RateLimited);
        let text = fault.to_string();
        assert!(
            text.contains("alpha: http://h:1/x: 429: too many requests, wait 7 s"),
            "{text}"
        );
        assert!(text.contains("requests_per_minute"), "{text}");
    }
}
