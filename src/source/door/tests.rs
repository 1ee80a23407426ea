//! Addresses, and mistakes in them, without sending anything.

use super::*;

#[test]
fn urls_are_joined_and_shown_without_secrets() {
    let endpoint = Endpoint {
        url: "http://me:pw@host:9090/prefix/?token=x".into(),
        ..Endpoint::default()
    };
    let door = Door::open(&endpoint, "alpha", None).unwrap();
    assert_eq!(
        door.place("/api/v1/query"),
        "http://host:9090/prefix/api/v1/query"
    );
    assert_eq!(door.shown(), "http://host:9090/prefix");
    assert!(!door.url("x").as_str().contains("pw"));
}

#[test]
fn wrong_configuration_is_told_without_secrets() {
    for url in ["http://u:secret@[bad", "ftp://u:secret@h/", ""] {
        let endpoint = Endpoint {
            url: url.into(),
            ..Endpoint::default()
        };
        let error = Door::open(&endpoint, "alpha", None).unwrap_err();
        assert_eq!(error.kind(), crate::model::fault::FaultKind::Config);
        assert!(!error.fault().to_string().contains("secret"), "{error}");
    }
    let endpoint = Endpoint {
        url: "https://h".into(),
        ca_file: Some("/does/not/exist.pem".into()),
        ..Endpoint::default()
    };
    let error = Door::open(&endpoint, "alpha", None).unwrap_err();
    assert!(error.to_string().contains("/does/not/exist.pem"), "{error}");
}
