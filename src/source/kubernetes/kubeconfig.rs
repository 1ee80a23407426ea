//! Kubeconfig files: which there are, what they say together, and whether they changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use kube::config::{ExecInteractiveMode, Kubeconfig, KubeconfigError};

/// The files that are meant: those named, else those of `KUBECONFIG`, else `~/.kube/config`.
pub fn files(named: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |p: PathBuf| std::path::absolute(&p).unwrap_or(p);
    if !named.is_empty() {
        return named.iter().cloned().map(absolute).collect();
    }
    let listed: Vec<PathBuf> = match std::env::var_os("KUBECONFIG") {
        Some(list) => std::env::split_paths(&list)
            .filter(|p| !p.as_os_str().is_empty())
            .map(absolute)
            .collect(),
        None => Vec::new(),
    };
    if !listed.is_empty() {
        return listed;
    }
    directories::BaseDirs::new()
        .map(|dirs| dirs.home_dir().join(".kube").join("config"))
        .into_iter()
        .collect()
}

/// How the files are called in messages.
pub fn called(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    match names.len() {
        0 => "the kubeconfig".into(),
        _ => names.join(", "),
    }
}

/// What is remembered of files to see that they changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(Vec<Option<(SystemTime, u64, u64)>>);

pub fn stamps(files: &[PathBuf]) -> Stamps {
    Stamps(files.iter().map(|f| stamp(f)).collect())
}

fn stamp(file: &Path) -> Option<(SystemTime, u64, u64)> {
    let about = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&about);
    #[cfg(not(unix))]
    let number = 0;
    Some((about.modified().ok()?, about.len(), number))
}

type Read = HashMap<Vec<PathBuf>, (Stamps, Arc<Kubeconfig>)>;

/// The files merged as kubectl does: the first to name a thing wins, a missing file is passed
/// over, paths start at the file in which they stand. A hundred clusters of one kubeconfig read it
/// once. No file at all is an empty kubeconfig.
pub fn read(files: &[PathBuf]) -> Result<Arc<Kubeconfig>, String> {
    static READ: OnceLock<Mutex<Read>> = OnceLock::new();
    let now = stamps(files);
    let read = READ.get_or_init(Mutex::default);
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((stamps, kubeconfig)) = read.get(files)
        && *stamps == now
    {
        return Ok(kubeconfig.clone());
    }
    let mut whole = Kubeconfig::default();
    for file in files.iter().filter(|f| f.exists()) {
        let mut one =
            Kubeconfig::read_from(file).map_err(|e| format!("{}: {}", file.display(), told(&e)))?;
        // kubectl merges whatever these say, and takes an empty name for none.
        one.kind = None;
        one.api_version = None;
        one.current_context = one.current_context.filter(|c| !c.is_empty());
        whole = whole.merge(one).map_err(|e| told(&e))?;
    }
    for user in &mut whole.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|a| a.exec.as_mut()) {
            // It must never talk to the terminal: the screen is ours.
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let whole = Arc::new(whole);
    read.insert(files.to_vec(), (now, whole.clone()));
    Ok(whole)
}

/// What an error of a kubeconfig says, without any content of the file.
fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "it is not the YAML that a kubeconfig is".into(),
        KubeconfigError::ReadConfig(cause, _) => format!("it cannot be read: {cause}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) -> PathBuf {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        path.to_path_buf()
    }

    #[test]
    fn files_merge_and_paths_start_at_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let one = write(
            &dir.path().join("one/config"),
            "current-context: ''\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n\
             clusters: [{name: c, cluster: {server: 'https://first', certificate-authority: ca.pem}}]\n",
        );
        let two = write(
            &dir.path().join("two/config"),
            "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
             clusters: [{name: c, cluster: {server: 'https://second'}}]\n\
             users: [{name: u, user: {tokenFile: token, exec: {command: ./bin/login}}}]\n",
        );
        let missing = dir.path().join("three");
        let merged = read(&[one, missing.clone(), two]).unwrap();
        assert_eq!(merged.current_context.as_deref(), Some("x"));
        let cluster = merged.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(merged.clusters.len(), 1);
        assert_eq!(cluster.server.as_deref(), Some("https://first"));
        let ca = cluster.certificate_authority.as_deref().unwrap();
        assert_eq!(Path::new(ca), dir.path().join("one/ca.pem"));
        let user = merged.auth_infos[0].auth_info.as_ref().unwrap();
        let token = user.token_file.as_deref().unwrap();
        assert_eq!(Path::new(token), dir.path().join("two/token"));
        let login = user.exec.as_ref().unwrap().command.as_deref().unwrap();
        assert!(login.starts_with(dir.path().to_str().unwrap()), "{login}");
        assert!(read(&[missing]).unwrap().contexts.is_empty());
    }

    #[test]
    fn a_change_is_seen_and_content_is_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let files = [write(&path, "current-context: a\n")];
        assert_eq!(read(&files).unwrap().current_context.as_deref(), Some("a"));
        let before = stamps(&files);
        write(&path, "current-context: bb\n");
        assert_ne!(stamps(&files), before);
        assert_eq!(read(&files).unwrap().current_context.as_deref(), Some("bb"));
        write(&path, "users: [token: s3cret\n");
        let error = read(&files).unwrap_err();
        assert!(error.contains("config: it is not the YAML"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
