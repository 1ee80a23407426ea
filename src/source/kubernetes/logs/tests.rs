//! What refusals mean, as recorded; lines of every kind.

use proptest::prelude::*;
use serde_json::json;

use super::lines::Raw;
use super::*;
use crate::model::log::Level;

fn recorded(file: &str) -> (u16, String) {
    let body = std::fs::read(format!("tests/fixtures/kube/{file}")).unwrap();
    let status: Value = serde_json::from_slice(&body).unwrap();
    let code = status["code"].as_u64().unwrap() as u16;
    (code, status["message"].as_str().unwrap().to_owned())
}

#[test]
fn refusals_are_told_in_words() {
    for (file, wanted) in [
        (
            "err_pod_log_previous.json",
            "container cart did not run before",
        ),
        (
            "err_pod_log_bad_container.json",
            "container nope is not valid",
        ),
        (
            "err_pod_log_multi_container.json",
            "choose one of: [kserve-container queue-proxy]",
        ),
        (
            "err_pod_log_node_down.json",
            "kubelet of its node does not answer: dial tcp",
        ),
        ("err_404_pod.json", "the pod is not there"),
    ] {
        let (code, message) = recorded(file);
        let (_, what, hint) = words(code, &message).unwrap();
        assert!(what.contains(wanted), "{file}: {what}");
        assert!(!hint.is_empty());
    }
    let waiting = "container \"cart\" in pod \"cart-x\" is waiting to start: ImagePullBackOff";
    let (_, what, _) = words(400, waiting).unwrap();
    assert_eq!(what, "container cart has not started: ImagePullBackOff");
    assert!(words(403, "no").is_none());
}

#[test]
fn lines_with_and_without_a_time() {
    let stamp = Stamp::new("shop", "cart-x", "cart", false);
    let line = |text: &[u8]| stamp.line(&Raw::of(text), 7);
    let told = line(b"2026-11-21T03:00:29.189819812Z level=error pod=x msg=\"line 0\"");
    assert_eq!(told.at_ns, 1_795_230_029_189_819_812);
    assert_eq!(told.line.as_ref(), "level=error pod=x msg=\"line 0\"");
    assert_eq!(told.level, Level::Error);
    assert_eq!(told.labels.get("container"), Some("cart"));
    let bare = line(b"no time here");
    assert_eq!((bare.at_ns, bare.line.as_ref()), (7, "no time here"));
    assert_eq!(line(b"2026-11-21T03:00:29Z ").line.as_ref(), "");
    assert_eq!(line(b"2026-11-21T03:00:29Z").line.as_ref(), "");
    let hostile = line(b"2026-11-21T03:00:29Z a\x1b[2Jb\x07\xff\xfe\0c\r");
    assert!(
        !hostile.line.chars().any(text::is_unsafe),
        "{:?}",
        hostile.line
    );
    assert!(hostile.line.starts_with("ab"), "{:?}", hostile.line);
}

#[test]
fn a_container_is_over_when_nobody_starts_it_again() {
    let pod = |policy: &str, phase: &str, code: i64| {
        PodFacts::of(&json!({
            "spec": {"nodeName": "n", "restartPolicy": policy,
                "containers": [{"name": "a"}], "initContainers": [{"name": "i"}]},
            "status": {"phase": phase,
                "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": code}}}],
                "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}]},
        }))
    };
    assert!(!pod("Always", "Running", 1).is_over("a"));
    assert!(pod("Always", "Running", 1).is_over("i"));
    assert!(pod("Never", "Running", 1).is_over("a"));
    assert!(pod("OnFailure", "Running", 0).is_over("a"));
    assert!(!pod("OnFailure", "Running", 1).is_over("a"));
    assert!(pod("Always", "Failed", 1).is_over("a"));
    assert!(!PodFacts::of(&json!({})).has_node);
}

proptest! {
    /// A line is a line whatever its bytes are: safe to show, bounded, never lost.
    #[test]
    fn lines_of_noise(bytes in prop::collection::vec(any::<u8>(), 0..300), timed in any::<bool>()) {
        let stamp = Stamp::new("shop", "cart-x", "cart", false);
        let time: &[u8] = if timed { b"2026-11-21T03:00:29Z " } else { b"" };
        let told = stamp.line(&Raw::of(&[time, &bytes].concat()), 7);
        prop_assert!(!told.line.chars().any(text::is_unsafe), "{:?}", told.line);
        prop_assert!(told.line.len() <= 3 * bytes.len() + 40);
        prop_assert!(told.at_ns == 7 || told.at_ns > 1_000_000_000);
    }
}
