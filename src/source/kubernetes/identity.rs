//! Who the operator is at an API server and what may be done there: reviews, asked of the server
//! itself. Access tokens are never read for it; they may be opaque.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    SubjectAccessReviewStatus,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Cluster;
use super::call::Call;
use super::server::Server;
use crate::clock;
use crate::config::Roles;
use crate::model::fault::{Fault, FaultKind};
use crate::model::identity::{Identity, Review, Right, Role};
use crate::model::rights::{NEEDS, Need};
use crate::model::telemetry::Body;
use crate::model::text::clean;
use crate::source::report::Report;

/// The watches go first.
const BEFORE: Duration = Duration::from_secs(1);
/// Rights change seldom; `r` asks at once.
const EVERY: Duration = Duration::from_secs(300);
/// Reviews under way at a time.
const AT_ONCE: usize = 4;
/// Groups of a user that are kept, and how long a name may be.
const GROUPS: usize = 200;
const NAME: usize = 200;

/// Tells who I am and what I may, now and every few minutes, until the loop is gone.
pub async fn follow(server: Server, roles: Roles, mut report: Report) {
    tokio::time::sleep(BEFORE).await;
    loop {
        let delay = match ask(&server, &roles).await {
            Ok(identity) => {
                report.waits.reset();
                let telemetry = report.wrap(Body::Identity(Box::new(identity)));
                if !report.outlet.send(telemetry).await {
                    return;
                }
                EVERY
            }
            Err(fault) => {
                tracing::info!(fault = %fault, "who I am was not told");
                report.waits.after(fault.kind, None)
            }
        };
        report.waits.rest(delay).await;
    }
}

/// Identity, role and every right of the table. The server has to be there; what it does not tell
/// is told as unknown.
pub async fn ask(server: &Server, roles: &Roles) -> Result<Identity, Fault> {
    let cluster = server.cluster().await?;
    let told = who(&cluster).await?;
    let (role, role_from) = roles.of(&told.groups);
    let reviews = reviews(server, &cluster).await;
    Ok(Identity {
        user: told.user,
        groups: shown(&told.groups),
        source: told.source.to_owned(),
        role,
        role_from,
        reviews,
        at: clock::now(),
    })
}

/// The role as it is now.
pub async fn role(server: &Server, roles: &Roles) -> Result<Role, Fault> {
    me(server, roles).await.map(|(_, role)| role)
}

/// My name and my role as they are now.
pub async fn me(server: &Server, roles: &Roles) -> Result<(String, Role), Fault> {
    let cluster = server.cluster().await?;
    let told = who(&cluster).await?;
    let role = roles.of(&told.groups).0;
    Ok((told.user, role))
}

struct Told {
    user: String,
    /// As the server names them, all of them: roles go by the exact name.
    groups: Vec<String>,
    source: &'static str,
}

/// `SelfSubjectReview` in the versions that servers have, then OpenShift's own API; a server
/// without any of them tells no names.
async fn who(cluster: &Cluster) -> Result<Told, Fault> {
    for version in ["v1", "v1beta1"] {
        match self_review(cluster, version).await {
            Ok(told) => return Ok(told),
            Err(fault) if is_absent(&fault) => {}
            Err(fault) => return Err(fault),
        }
    }
    match openshift(cluster).await {
        Err(fault) if is_absent(&fault) => Ok(Told {
            user: String::new(),
            groups: Vec::new(),
            source: "",
        }),
        other => other,
    }
}

/// A server that does not know an API says 403 to those who may not know that.
fn is_absent(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden)
}

async fn self_review(cluster: &Cluster, version: &str) -> Result<Told, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        user_info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        #[serde(default)]
        username: String,
        #[serde(default)]
        groups: Vec<String>,
    }
    let path = format!("/apis/authentication.k8s.io/{version}/selfsubjectreviews");
    let body = json!({
        "apiVersion": format!("authentication.k8s.io/{version}"),
        "kind": "SelfSubjectReview",
    });
    let doing = "create selfsubjectreviews";
    let answer: Answer = post(cluster, &path, &body, doing).await?;
    let info = answer.status.user_info;
    Ok(told(&info.username, info.groups, "SelfSubjectReview"))
}

async fn openshift(cluster: &Cluster) -> Result<Told, Fault> {
    #[derive(Deserialize)]
    struct User {
        metadata: Meta,
        /// `null` where there are none.
        groups: Option<Vec<String>>,
    }
    #[derive(Deserialize)]
    struct Meta {
        name: String,
    }
    let path = "/apis/user.openshift.io/v1/users/~";
    let request = http::Request::get(path).body(Vec::new());
    let doing = "get users/~";
    let user: User = send(cluster, request, doing).await?;
    let groups = user.groups.unwrap_or_default();
    Ok(told(&user.metadata.name, groups, "users/~"))
}

fn told(user: &str, groups: Vec<String>, source: &'static str) -> Told {
    Told {
        user: clean(user, NAME),
        groups,
        source,
    }
}

/// What is kept of the groups, to be shown.
fn shown(groups: &[String]) -> Vec<String> {
    let kept = groups.iter().take(GROUPS);
    kept.map(|g| clean(g, NAME)).collect()
}

/// The reviews of the table, in its order. What belongs to an API that is not installed is not
/// asked for: there is nothing that could be permitted.
async fn reviews(server: &Server, cluster: &Cluster) -> Vec<Review> {
    let installed = installed(cluster).await;
    let mut asked: Vec<BoxFuture<'static, Review>> = Vec::new();
    for (right, purpose) in wanted(installed.as_ref()) {
        let server = server.clone();
        asked.push(Box::pin(async move { server.review(right, purpose).await }));
    }
    futures::stream::iter(asked)
        .buffered(AT_ONCE)
        .collect()
        .await
}

fn wanted(installed: Option<&BTreeSet<String>>) -> Vec<(Right, &'static str)> {
    let there =
        |need: &Need| need.group.is_empty() || installed.is_none_or(|all| all.contains(need.group));
    let needs = NEEDS.iter().filter(|n| there(n) && n.is_reviewed());
    let one = |need: &'static Need| need.verbs.iter().map(|v| (need.right(v), need.purpose));
    needs.flat_map(one).collect()
}

/// API groups of the server; `None`: it does not tell.
async fn installed(cluster: &Cluster) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Group {
        name: String,
    }
    #[derive(Deserialize)]
    struct Groups {
        groups: Vec<Group>,
    }
    let request = http::Request::get("/apis").body(Vec::new());
    let groups: Groups = send(cluster, request, "list API groups").await.ok()?;
    Some(groups.groups.into_iter().map(|g| g.name).collect())
}

/// Asks for one right, whatever was answered before.
pub(super) async fn review(cluster: &Cluster, right: Right, purpose: &str) -> Review {
    let (allowed, reason) = match allowed(cluster, &right).await {
        Ok((allowed, reason)) => (Some(allowed), reason),
        Err(fault) => (None, fault.what),
    };
    Review {
        right,
        allowed,
        purpose: purpose.to_owned(),
        reason,
        at: clock::now(),
    }
}

async fn allowed(cluster: &Cluster, right: &Right) -> Result<(bool, String), Fault> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, sub)) => (resource, Some(sub.to_owned())),
        None => (right.resource.as_str(), None),
    };
    let asked = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some(right.verb.clone()),
                group: Some(right.group.clone()),
                resource: Some(resource.to_owned()),
                subresource,
                namespace: right.namespace.clone(),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let doing = "create selfsubjectaccessreviews";
    let answer: SelfSubjectAccessReview = post(cluster, path, &asked, doing).await?;
    let SubjectAccessReviewStatus {
        allowed,
        reason,
        evaluation_error,
        ..
    } = answer.status.unwrap_or_default();
    let why = reason.into_iter().chain(evaluation_error);
    let why = why.collect::<Vec<_>>().join("; ");
    Ok((allowed, clean(&why, 300)))
}

async fn post<T: DeserializeOwned>(
    cluster: &Cluster,
    path: &str,
    body: &impl serde::Serialize,
    doing: &str,
) -> Result<T, Fault> {
    let request = serde_json::to_vec(body).map(|body| {
        http::Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body)
    });
    let error = |e| cluster.fault(&kube::Error::SerdeError(e), doing);
    send(cluster, request.map_err(error)?, doing).await
}

async fn send<T: DeserializeOwned>(
    cluster: &Cluster,
    request: http::Result<http::Request<Vec<u8>>>,
    doing: &str,
) -> Result<T, Fault> {
    // By hand: what cannot be read, kube's own client writes into the log, secrets and all.
    let answer = Call { cluster, doing }.json(request).await;
    answer.map_err(|refused| refused.fault)
}
