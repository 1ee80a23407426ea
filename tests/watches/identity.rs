//! Who the operator is and what may be done: reviews, asked of an API server.

use farwatch::config::Roles;
use farwatch::model::fault::FaultKind;
use farwatch::model::identity::{Identity, Right, Role};
use farwatch::model::rights::{NEEDS, Need, Part};
use farwatch::source::kubernetes::{Server, identity};

use crate::apiserver::{ApiServer, Fault, Options, User, manifest};
use crate::console::kube;

async fn ask(server: &ApiServer) -> Identity {
    let server = Server::new("alpha", &kube(server));
    identity::ask(&server, &Roles::default()).await.unwrap()
}

/// Who signs in with the token of the kubeconfig.
fn everybody(server: &ApiServer, user: User) {
    let text = std::fs::read_to_string(server.kubeconfig()).unwrap();
    let (_, token) = text.split_once("token: ").expect("a token");
    server.user(token.split('}').next().unwrap(), user);
}

#[tokio::test]
async fn the_viewer_is_told_what_is_missing() {
    let server = ApiServer::recorded().await;
    everybody(&server, User::viewer("viewer"));
    let identity = ask(&server).await;
    assert_eq!(identity.user, "viewer");
    assert_eq!(identity.groups, ["lab-viewers", "system:authenticated"]);
    assert_eq!(identity.source, "SelfSubjectReview");
    assert_eq!(
        (identity.role, identity.role_from.as_str()),
        (Role::Viewer, "")
    );
    let allowed = |verb: &str, resource: &str| identity.review(verb, resource).unwrap().allowed;
    assert_eq!(allowed("list", "pods"), Some(true));
    assert_eq!(allowed("get", "pods/log"), Some(true));
    assert_eq!(allowed("get", "services/proxy"), Some(false));
    assert_eq!(allowed("create", "pods/portforward"), Some(false));
    assert_eq!(allowed("patch", "applications"), Some(false));
    let told = identity.review("list", "pods").unwrap();
    assert!(told.reason.contains("RBAC: allowed"), "{}", told.reason);
}

/// The role of the manual, as the file has it, is enough for all that is read, and gives nothing
/// beyond it.
#[tokio::test]
async fn the_read_role_is_enough_for_reading() {
    let server = ApiServer::recorded().await;
    let rules = manifest(&["farwatch-read"]);
    everybody(&server, User::bound("bob", &["aiops-operators"], rules));
    let identity = ask(&server).await;
    assert_eq!(identity.role, Role::Operator);
    assert_eq!(identity.role_from, "aiops-operators");
    assert!(identity.reviews.len() > 30);
    for review in &identity.reviews {
        let Right { verb, .. } = &review.right;
        let of = |n: &&Need| n.right(verb) == review.right && n.verbs.contains(&verb.as_str());
        let need = NEEDS.iter().find(of).unwrap();
        assert_eq!(
            review.allowed,
            Some(need.part == Part::Read),
            "{}",
            review.right
        );
    }
}

/// What is not installed is not asked for; who asks again within the minute asks nobody.
#[tokio::test]
async fn reviews_are_few() {
    let server = ApiServer::recorded().await;
    server.install("InferenceService", false);
    let signed_in = Server::new("alpha", &kube(&server));
    let roles = Roles::default();
    let identity = identity::ask(&signed_in, &roles).await.unwrap();
    assert!(identity.review("list", "inferenceservices").is_none());
    assert!(identity.review("list", "applications").is_some());
    let reviews = || server.count("create", "selfsubjectaccessreviews");
    assert_eq!(reviews(), identity.reviews.len());
    let asked = reviews();
    identity::ask(&signed_in, &roles).await.unwrap();
    assert_eq!(reviews(), asked, "within a minute the answers hold");
    let right = identity.reviews[0].right.clone();
    signed_in.review_now(right, "x").await;
    assert_eq!(reviews(), asked + 1, "before an action it is asked anew");
}

/// Servers before 1.27 have no review of this version, before 1.26 none at all.
#[tokio::test]
async fn older_servers_are_asked_in_their_own_words() {
    let server = ApiServer::start_with(Options {
        openshift: true,
        ..Options::default()
    })
    .await;
    everybody(&server, User::admin("kube:admin"));
    let absent = || {
        Fault::status(
            "create",
            "/apis/authentication.k8s.io/v1/",
            404,
            "NotFound",
            "no such API",
        )
    };
    server.fault(absent());
    assert_eq!(ask(&server).await.source, "SelfSubjectReview");
    server.fault(Fault::status(
        "create",
        "/apis/authentication.k8s.io/v1beta1/",
        404,
        "NotFound",
        "none",
    ));
    let identity = ask(&server).await;
    assert_eq!(identity.source, "users/~");
    assert_eq!(identity.user, "kube:admin");
    let plain = ApiServer::start().await;
    plain.fault(Fault::status(
        "create",
        "selfsubjectreviews",
        404,
        "NotFound",
        "none",
    ));
    let nobody = ask(&plain).await;
    assert_eq!((nobody.user.as_str(), nobody.source.as_str()), ("", ""));
    assert_eq!(nobody.role, Role::Viewer, "who is not known may not act");
}

#[tokio::test]
async fn what_is_not_told_is_unknown_and_a_bad_token_is_told() {
    let server = ApiServer::recorded().await;
    server.fault(Fault::server_error("create", "selfsubjectaccessreviews"));
    let identity = ask(&server).await;
    assert!(identity.reviews.iter().all(|r| r.allowed.is_none()));
    assert!(
        identity.reviews[0].reason.contains("500"),
        "{:?}",
        identity.reviews[0]
    );
    server.clear_faults();
    server.fault(Fault::bad_token());
    let server = Server::new("alpha", &kube(&server));
    let fault = identity::ask(&server, &Roles::default()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth);
}

/// Directories give a user hundreds of groups; what is shown is less than what counts.
#[tokio::test]
async fn the_role_goes_by_all_groups() {
    let server = ApiServer::start().await;
    let mut names: Vec<String> = (0..250).map(|n| format!("group-{n:03}")).collect();
    names.push("aiops-operators".into());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    everybody(&server, User::new("bob", &names));
    let identity = ask(&server).await;
    assert_eq!(identity.role, Role::Operator);
    assert_eq!(identity.groups.len(), 200);
}
