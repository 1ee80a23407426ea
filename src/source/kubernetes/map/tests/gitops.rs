//! Applications of Argo CD, objects of Flux.

use super::*;

#[test]
fn argo_applications() {
    let read = |file: &str| {
        app(
            application,
            &items(&format!("crds/argocd_application_{file}.json"))[0],
        )
    };
    let good = read("synced_healthy");
    assert_eq!((good.sync, good.health), (Sync::Synced, AppHealth::Healthy));
    assert_eq!(good.history.len(), 2);
    assert!(good.history[0].at > good.history[1].at, "newest first");
    assert!(good.attempted.is_none() && good.revision.is_some());
    let bad = read("outofsync_degraded");
    assert_eq!(
        (bad.sync, bad.health),
        (Sync::OutOfSync, AppHealth::Degraded)
    );
    let operation = bad.operation.as_ref().unwrap();
    assert_eq!((operation.phase.as_str(), operation.retries), ("Failed", 5));
    assert_eq!(operation.by.as_deref(), Some("alice@example.net"));
    assert_eq!(bad.state, "SyncError");
    assert!(
        bad.message
            .as_ref()
            .unwrap()
            .starts_with("Failed sync attempt")
    );
    assert_eq!(bad.destination.as_deref(), Some("edge-02"));
    assert_eq!(bad.automation, Some(Automation::default()));
    let status = |name: &str| {
        let found = bad.resources.iter().find(|r| r.name == name);
        found.map(|r| (r.status.as_str(), r.requires_pruning))
    };
    assert_eq!(status("old-routes"), Some(("PruneSkipped", true)));
    assert_eq!(status("llm-gateway-migrate"), Some(("Failed", false)));
    assert_eq!(bad.resource_count, Some(3));
    assert_eq!(
        (bad.revision, bad.attempted.is_some()),
        (None, true),
        "never deployed"
    );
    let running = read("multisource_running");
    assert_eq!(running.state, "Running");
    assert_eq!(running.sources.len(), 2);
    assert_eq!(running.chart, Some(("loki".into(), "6.6.2".into())));
    assert!(
        running
            .attempted
            .as_ref()
            .unwrap()
            .starts_with("6.6.2,77aa")
    );
    assert_eq!(running.resources[0].health, Some(AppHealth::Progressing));
    let broken = read("comparison_error");
    assert_eq!(
        (broken.sync, broken.health),
        (Sync::Unknown, AppHealth::Unknown)
    );
    assert_eq!(broken.state, "ComparisonError");
    assert_eq!(broken.destination, None, "where it stands");
    let new = read("minimal");
    assert_eq!(
        (new.sync, new.health, new.operation),
        (Sync::Unknown, AppHealth::Unknown, None)
    );
}

#[test]
fn flux_pasts_of_both_kinds_and_a_repository_that_is_only_a_name() {
    let told = serde_json::json!({"metadata": {"name": "k", "generation": 1}, "status": {"history": [
        {"digest": "sha256:aa", "firstReconciled": "2025-08-15T10:11:00Z", "lastReconciled": "2025-08-15T11:12:00Z",
         "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 2, "metadata": {"revision": "main@sha1:4507"}}]}});
    let past = app(kustomization, &told).history;
    assert_eq!(past.len(), 1);
    assert_eq!(past[0].revision, "main@sha1:4507");
    assert_eq!(past[0].at, time("2025-08-15T11:12:00Z"));
    let told = serde_json::json!({"metadata": {"name": "r", "generation": 1}, "spec": {"type": "oci", "url": "oci://ghcr.io/charts"}});
    let named = app(helm_repository, &told);
    assert!(named.observed);
    assert_eq!(
        (named.health, named.state.as_str()),
        (AppHealth::Healthy, "not fetched (oci)")
    );
    let told = serde_json::json!({"metadata": {"name": "r", "generation": 1}, "spec": {"url": "https://charts.example"}});
    assert_eq!(app(helm_repository, &told).health, AppHealth::Progressing);
}

#[test]
fn flux_states() {
    let ready = items("crds/flux_ready.json");
    let reads: [Read; 3] = [git_repository, kustomization, helm_release];
    for (read, told) in reads.into_iter().zip(&ready) {
        let app = app(read, told);
        assert_eq!(
            (app.sync, app.health, app.state.as_str()),
            (Sync::Synced, AppHealth::Healthy, "ready"),
            "{}",
            app.name
        );
        assert!(
            app.revision.is_some() && app.attempted.is_none(),
            "{}",
            app.name
        );
    }
    let bad = items("crds/flux_failed.json");
    let git = app(git_repository, &bad[0]);
    assert_eq!(
        (git.state.as_str(), git.sync),
        ("failing, retrying", Sync::OutOfSync)
    );
    assert_eq!(git.sources[0].target, "main");
    let upf = app(kustomization, &bad[1]);
    assert_eq!(
        (upf.health, upf.sync),
        (AppHealth::Degraded, Sync::OutOfSync)
    );
    assert!(upf.attempted.is_some() && upf.automation.unwrap().prune);
    assert_eq!(upf.sources[0].repository, "GitRepository/fleet");
    let lab = app(kustomization, &bad[2]);
    assert_eq!(
        (lab.state.as_str(), lab.suspended, lab.observed),
        ("suspended", true, false)
    );
    let vllm = app(helm_release, &bad[3]);
    assert_eq!(
        (vllm.state.as_str(), vllm.health),
        ("stalled", AppHealth::Degraded)
    );
    assert_eq!(
        (vllm.revision.as_deref(), vllm.attempted.as_deref()),
        (Some("0.9.0"), Some("0.9.1+3f2b"))
    );
    assert_eq!(vllm.operation.as_ref().unwrap().retries, 3);
    assert_eq!(vllm.chart, Some(("vllm".into(), "0.9.0".into())));
    for file in ["kustomizations", "helmreleases"] {
        let read = if file == "helmreleases" {
            helm_release
        } else {
            kustomization
        };
        for told in items(&format!("kube/flux_{file}.json")) {
            app(read, &told);
        }
    }
}
