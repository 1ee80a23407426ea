//! Login commands of a kubeconfig (`exec`): run without a terminal, with a limit, never quoted.

use std::process::Stdio;
use std::time::Duration;

use kube::config::ExecConfig;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::about::Problem;
use crate::model::text;
use crate::model::time::Timestamp;

/// Longest time a login command may take.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Login commands that run at the same time: a hundred contexts must not start a hundred programs.
static PLACES: Semaphore = Semaphore::const_new(8);

/// What a login command printed.
pub struct Pass {
    pub token: Option<SecretString>,
    /// PEM.
    pub certificate: Option<(String, SecretString)>,
    pub until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Printed {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<SecretString>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretString>,
}

/// The program as it is called in messages: no arguments, they may hold secrets.
pub fn program(exec: &ExecConfig) -> String {
    let command = exec.command.as_deref().unwrap_or_default();
    let name = std::path::Path::new(command).file_name();
    text::clean(&name.unwrap_or_default().to_string_lossy(), 60)
}

pub async fn run(exec: &ExecConfig, limit: Duration) -> Result<Pass, Problem> {
    let program = program(exec);
    let _place = PLACES.acquire().await;
    let mut command = tokio::process::Command::new(exec.command.as_deref().unwrap_or_default());
    command
        .args(exec.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", info(exec))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for pair in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    let output = match tokio::time::timeout(limit, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(cause)) if cause.kind() == std::io::ErrorKind::NotFound => {
            let hint = exec.install_hint.as_deref().map(|h| text::clean(h, 200));
            return Err(Problem::Missing { program, hint });
        }
        Ok(Err(cause)) => {
            let cause = cause.to_string();
            return Err(Problem::NoStart { program, cause });
        }
        Err(_) => {
            let seconds = limit.as_secs();
            return Err(Problem::Slow { program, seconds });
        }
    };
    if !output.status.success() {
        let status = output.status.to_string();
        return Err(Problem::Failed { program, status });
    }
    read(&output.stdout).ok_or(Problem::Printed { program })
}

/// What the program is told: that nobody sits before it, and about which cluster it is asked.
fn info(exec: &ExecConfig) -> String {
    let mut spec = serde_json::json!({ "interactive": false });
    if exec.provide_cluster_info
        && let Ok(cluster) = serde_json::to_value(&exec.cluster)
        && let Some(spec) = spec.as_object_mut()
    {
        spec.insert("cluster".into(), cluster);
    }
    serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": exec.api_version,
        "spec": spec,
    })
    .to_string()
}

fn read(printed: &[u8]) -> Option<Pass> {
    let status = serde_json::from_slice::<Printed>(printed).ok()?.status?;
    let certificate = status.client_certificate_data.zip(status.client_key_data);
    let told = status.token.is_some() || certificate.is_some();
    told.then(|| Pass {
        token: status.token,
        certificate,
        until: status
            .expiration_timestamp
            .and_then(|t| Timestamp::parse_rfc3339(&t)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::source::hostile::{cut, spoilt};

    fn sh(script: &str) -> ExecConfig {
        ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1".into()),
            command: Some("sh".into()),
            args: Some(vec!["-c".into(), script.into()]),
            ..ExecConfig::default()
        }
    }

    async fn fails(exec: &ExecConfig, limit: Duration) -> String {
        match run(exec, limit).await {
            Ok(_) => panic!("it gave a pass"),
            Err(problem) => format!("{problem} ({})", problem.hint()),
        }
    }

    #[tokio::test]
    async fn a_token_with_its_end_from_a_program_that_is_told_nobody_sits_there() {
        let script = r#"
            case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 3;; esac
            read line && exit 4
            echo '{"kind":"ExecCredential","status":{"token":"t1","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let mut exec = sh(script);
        exec.env = Some(vec![
            [("name", "X"), ("value", "1")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into(),
        ]);
        let pass = run(&exec, LIMIT).await.ok().unwrap();
        assert_eq!(pass.token.unwrap().expose_secret(), "t1");
        assert_eq!(pass.until, Timestamp::parse_rfc3339("2030-01-01T00:00:00Z"));
    }

    #[tokio::test]
    async fn each_failure_says_what_to_do_and_quotes_nothing() {
        let missing = ExecConfig {
            command: Some("/nowhere/oc-login".into()),
            install_hint: Some("get it from the intranet".into()),
            ..ExecConfig::default()
        };
        let told = fails(&missing, LIMIT).await;
        assert!(told.contains("`oc-login` is not installed"), "{told}");
        assert!(told.contains("intranet"), "{told}");
        let told = fails(&sh("echo s3cret; echo s3cret >&2; exit 7"), LIMIT).await;
        assert!(told.contains("`sh` failed (exit status: 7)"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
        let told = fails(&sh("exec sleep 60"), Duration::from_millis(50)).await;
        assert!(told.contains("did not end within"), "{told}");
        for printed in ["s3cret", r#"{"status":{}}"#, r#"{"status":{"token":7}}"#] {
            let told = fails(&sh(&format!("echo '{printed}'")), LIMIT).await;
            assert!(told.contains("printed no credentials"), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    fn good() -> serde_json::Value {
        serde_json::json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
            "status": {"token": "s3cret", "expirationTimestamp": "2030-01-01T00:00:00Z",
                "clientCertificateData": "PEM", "clientKeyData": "s3cret"}})
    }

    proptest! {
        #[test]
        fn what_is_not_credentials_gives_no_pass(bad in spoilt(&good())) {
            if let Some(pass) = read(bad.to_string().as_bytes()) {
                prop_assert!(pass.token.is_some() || pass.certificate.is_some());
                let status = &bad["status"];
                let token = pass.token.as_ref().map(|t| t.expose_secret());
                prop_assert_eq!(token, status["token"].as_str());
                let end = status["expirationTimestamp"].as_str();
                prop_assert_eq!(pass.until, end.and_then(Timestamp::parse_rfc3339));
            }
        }

        #[test]
        fn half_of_credentials_gives_no_pass(bad in cut(&good())) {
            prop_assert!(read(&bad).is_none());
        }

        #[test]
        fn noise_gives_no_pass(bad in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bad).is_none());
        }
    }
}
