//! Sign-in at one API server, as the kubeconfig says.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use http::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use kube::Client;
use kube::api::GetParams;
use kube::client::{Body, ConfigExt};
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig};
use kube::core::Status;
use serde::Deserialize;
use tower::{BoxError, Layer, ServiceExt};

use super::fault;
use crate::clock;
use crate::config::Kube;
use crate::model::fault::{Fault, FaultKind};
use crate::model::text;
use crate::source::door;
use crate::source::error::quote;

const READ_VERSION: &str = "read /version";
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);

/// A signed-in client and how its place is called in messages.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
    pub name: String,
    /// `context NAME (https://host:6443)`.
    pub place: String,
    pub(super) timeout: Duration,
    config: kube::Config,
}

/// Reads the kubeconfig and makes a client; asks the server nothing yet, but a login command may
/// run when the first request needs it.
pub async fn open(name: &str, kube: &Kube) -> Result<Cluster, Fault> {
    let wanted = kube.context.clone();
    let place = match (&wanted, &kube.kubeconfig) {
        (Some(context), _) => format!("context {context}"),
        (None, Some(file)) => file.display().to_string(),
        (None, None) => "current context".to_owned(),
    };
    let wrong = |what: String| Fault {
        kind: FaultKind::Config,
        cluster: name.to_owned(),
        endpoint: text::clean(&place, 200),
        what: text::clean(&what, 300),
        hint:
            "check `kube.context` and `kube.kubeconfig`; `kubectl config get-contexts` lists them"
                .into(),
    };
    let mut kubeconfig = match &kube.kubeconfig {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    }
    .map_err(|e| wrong(fault::kubeconfig(&e)))?;
    // A login command must never talk to the terminal: the screen is ours.
    for user in &mut kubeconfig.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|a| a.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let options = KubeConfigOptions {
        context: wanted,
        ..KubeConfigOptions::default()
    };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| wrong(fault::kubeconfig(&e)))?;
    config.connect_timeout = Some(CONNECT);
    // We wait ourselves, in sight of the operator.
    config.default_retry = false;
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(door::AGENT)));
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(door::AGENT)));
    let host = config.cluster_url.authority().map_or("", |a| a.as_str());
    let host = host.rsplit('@').next().unwrap_or_default();
    let scheme = config.cluster_url.scheme_str().unwrap_or("https");
    let place = text::clean(&format!("{place} ({scheme}://{host})"), 200);
    let client =
        Client::try_from(config.clone()).map_err(|e| fault::of(&e, name, &place, "sign in"))?;
    Ok(Cluster {
        client,
        name: name.to_owned(),
        place,
        timeout: match kube.timeout {
            Duration::ZERO => TIMEOUT,
            set => set,
        },
        config,
    })
}

/// What the server says of itself, with how it was got.
pub struct Seen {
    /// `v1.33.4`.
    pub version: String,
    pub latency: Duration,
    /// Server's clock minus ours, from `Date`.
    pub skew_ms: Option<i64>,
}

impl Cluster {
    /// The `Authorization` header that the user of the kubeconfig sends now.
    pub async fn bearer(&self) -> Result<Option<HeaderValue>, Fault> {
        let told = |e: &kube::Error| fault::of(e, &self.name, &self.place, "sign in");
        let Some(layer) = self.config.auth_layer().map_err(|e| told(&e))? else {
            return Ok(None);
        };
        let taken = tower::service_fn(|request: http::Request<Body>| {
            let header = request.headers().get(AUTHORIZATION).cloned();
            let mut answer = http::Response::new(Body::empty());
            if let Some(header) = header {
                answer.headers_mut().insert(AUTHORIZATION, header);
            }
            std::future::ready(Ok::<_, BoxError>(answer))
        });
        // Named, for the compiler alone does not see that it is `Send` everywhere.
        let asked: BoxFuture<'static, Result<http::Response<Body>, BoxError>> = layer
            .layer(taken)
            .oneshot(http::Request::new(Body::empty()))
            .boxed();
        let answer = asked.await.map_err(|e| told(&kube::Error::Service(e)))?;
        Ok(answer.headers().get(AUTHORIZATION).cloned())
    }

    /// The server's version; also the cheapest sign of life.
    pub async fn version(&self) -> Result<Seen, Fault> {
        match tokio::time::timeout(self.timeout, self.ask_version()).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(e)) => Err(fault::of(&e, &self.name, &self.place, READ_VERSION)),
            Err(_) => Err(fault::timeout(&self.name, &self.place, self.timeout)),
        }
    }

    /// Asked by hand: the client's own call tells neither the server's clock nor, for an answer
    /// that is no Kubernetes status, the HTTP status.
    async fn ask_version(&self) -> Result<Seen, kube::Error> {
        #[derive(Deserialize)]
        struct Info {
            #[serde(rename = "gitVersion")]
            git_version: String,
        }
        let request = kube::core::Request::new("").get("version", &GetParams::default());
        let request = request.map_err(kube::Error::BuildRequest)?;
        let started = clock::instant();
        let answer = self.client.send(request.map(Body::from)).await?;
        let skew_ms = door::skew(answer.headers(), started.elapsed());
        let status = answer.status();
        let body = answer.into_body().collect_bytes().await?;
        if !status.is_success() {
            let message = quote(&body);
            return Err(kube::Error::Api(
                Status::failure(&message, "")
                    .with_code(status.as_u16())
                    .boxed(),
            ));
        }
        let info: Info = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        Ok(Seen {
            version: text::clean(&info.git_version, 60),
            latency: started.elapsed(),
            skew_ms,
        })
    }
}
