//! Secrets by reference: read when used, never kept longer than a server accepts them.

use std::path::Path;
use std::process::Stdio;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::config::Auth;
use crate::source::error::Cause;
use crate::source::kubernetes::Server;

/// Longest time a token command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest secret that is read, bytes.
const LARGEST: u64 = 64 * 1024;

/// Makes the `Authorization` header. Files are read for each request, so that a rotated token is
/// used at once; a command's answer is kept until the server refuses it.
#[derive(Debug)]
pub(in crate::source) struct Credentials {
    auth: Auth,
    /// Lends the token of the kubeconfig.
    server: Option<Server>,
    kept: Mutex<Option<HeaderValue>>,
    /// What was sent last, to know it again in what a server says.
    sent: std::sync::Mutex<Option<HeaderValue>>,
}

impl Credentials {
    pub(in crate::source) fn new(auth: Auth, server: Option<Server>) -> Self {
        Self {
            auth,
            server,
            kept: Mutex::new(None),
            sent: std::sync::Mutex::default(),
        }
    }

    pub(super) fn any(&self) -> bool {
        self.auth != Auth::None
    }

    /// The header value; `fresh` after a 401. Errors name the reference, never the secret.
    pub(super) async fn header(&self, fresh: bool) -> Result<Option<HeaderValue>, Cause> {
        let value = match (&self.auth, &self.server) {
            (Auth::Kubeconfig, Some(server)) => lent(server, fresh).await?,
            _ => return self.own(fresh).await.map_err(Cause::Config),
        };
        *self.sent() = value.clone();
        Ok(value)
    }

    /// The same where no kubeconfig lends its token.
    pub(in crate::source) async fn own(&self, fresh: bool) -> Result<Option<HeaderValue>, String> {
        let value = self.read(fresh).await?;
        *self.sent() = value.clone();
        Ok(value)
    }

    /// Some servers quote in their errors what they were sent: blots it out.
    pub(super) fn hide(&self, text: String) -> String {
        let sent = self.sent();
        let value = sent.as_ref().and_then(|v| v.to_str().ok());
        match value.and_then(|v| v.split_once(' ')) {
            Some((_, secret)) if text.contains(secret) => text.replace(secret, "***"),
            _ => text,
        }
    }

    fn sent(&self) -> MutexGuard<'_, Option<HeaderValue>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, fresh: bool) -> Result<Option<HeaderValue>, String> {
        match &self.auth {
            Auth::None => Ok(None),
            Auth::Kubeconfig => Err("the cluster has no `kube`, whose token would be taken".into()),
            Auth::BearerFile(path) => bearer(&read(path).await?).map(Some),
            Auth::Basic {
                user,
                password_file,
            } => {
                let password = read(password_file).await?;
                basic(user, &password).map(Some)
            }
            Auth::BearerCommand(command) => {
                let mut kept = self.kept.lock().await;
                if let Some(value) = kept.as_ref().filter(|_| !fresh) {
                    return Ok(Some(value.clone()));
                }
                let value = bearer(&run(command).await?)?;
                *kept = Some(value.clone());
                Ok(Some(value))
            }
        }
    }
}

/// The token of the kubeconfig's user; a user without one signs in by certificate, which opens
/// the API server only.
async fn lent(server: &Server, fresh: bool) -> Result<Option<HeaderValue>, Cause> {
    // Without taking the client from those who watch by it.
    let lent = match fresh {
        true => server.bearer_anew().await,
        false => server.bearer().await,
    };
    match lent {
        Ok(Some(value)) => Ok(Some(value)),
        Ok(None) => Err(Cause::Config(
            "the kubeconfig's user has no token to be sent: set `bearer_file`".into(),
        )),
        Err(fault) => Err(Cause::Tunnel(Box::new(fault))),
    }
}

/// A secret that stands in a file. Errors name the file, never what it holds.
pub(in crate::source) async fn read(path: &Path) -> Result<SecretString, String> {
    let place = path.display();
    let size = tokio::fs::metadata(path)
        .await
        .map_err(|e| format!("cannot read {place}: {e}"))?
        .len();
    if size > LARGEST {
        return Err(format!("{place} holds {size} bytes: not a token"));
    }
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|e| format!("cannot read {place}: {e}"))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{place} is empty"));
    }
    Ok(SecretString::from(text.to_owned()))
}

async fn run(command: &[String]) -> Result<SecretString, String> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| "`bearer_command` is empty".to_owned())?;
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, child)
        .await
        .map_err(|_| format!("`bearer_command` {program} did not end within 15 s"))?
        .map_err(|e| format!("cannot run `bearer_command` {program}: {e}"))?;
    if !output.status.success() {
        return Err(format!("`bearer_command` {program}: {}", output.status));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| format!("`bearer_command` {program} wrote something that is not text"))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("`bearer_command` {program} wrote nothing"));
    }
    Ok(SecretString::from(text.to_owned()))
}

fn bearer(token: &SecretString) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {}", token.expose_secret()))
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, String> {
    let pair = format!("{user}:{}", password.expose_secret());
    sensitive(&format!("Basic {}", base64(pair.as_bytes())))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credentials hold characters that no header may hold".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |n: u32| {
        DIGITS
            .get((n & 63) as usize)
            .map_or('A', |d| char::from(*d))
    };
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.push(digit(n >> 18));
        out.push(digit(n >> 12));
        out.push(if chunk.len() > 1 { digit(n >> 6) } else { '=' });
        out.push(if chunk.len() > 2 { digit(n) } else { '=' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_base64() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("user:pass", "dXNlcjpwYXNz"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[tokio::test]
    async fn a_rotated_file_is_seen_and_errors_hold_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let credentials = Credentials::new(Auth::BearerFile(path.clone()), None);
        assert_eq!(
            credentials.header(false).await.unwrap().unwrap(),
            "Bearer one"
        );
        std::fs::write(&path, "two").unwrap();
        assert_eq!(
            credentials.header(false).await.unwrap().unwrap(),
            "Bearer two"
        );
        std::fs::write(&path, "s3cr\x01et").unwrap();
        let error = credentials.header(false).await.unwrap_err().to_string();
        assert!(!error.contains("s3cr"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(
            credentials
                .header(false)
                .await
                .unwrap_err()
                .to_string()
                .contains("token")
        );
    }

    #[tokio::test]
    async fn a_command_runs_again_only_after_a_refusal() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let script = format!("echo x >> {0}; wc -l < {0}", count.display());
        let command = vec!["sh".to_owned(), "-c".to_owned(), script];
        let credentials = Credentials::new(Auth::BearerCommand(command), None);
        assert_eq!(
            credentials.header(false).await.unwrap().unwrap(),
            "Bearer 1"
        );
        assert_eq!(
            credentials.header(false).await.unwrap().unwrap(),
            "Bearer 1"
        );
        assert_eq!(credentials.header(true).await.unwrap().unwrap(), "Bearer 2");
        let wrong = Credentials::new(Auth::BearerCommand(vec!["false".into()]), None);
        assert!(
            wrong
                .header(false)
                .await
                .unwrap_err()
                .to_string()
                .contains("false")
        );
    }
}
