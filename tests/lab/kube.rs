//! The Kubernetes API of a site: an API server whose objects are those of the story at each second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farwatch::clock;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::apiserver::{ApiServer, Options, User};
use super::common::Site;
use super::objects;
use super::story::Story;

/// Ends when dropped.
pub struct Api {
    server: Arc<ApiServer>,
    story: JoinHandle<()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.story.abort();
    }
}

/// What the server was told: kind and `namespace/name`.
type Told = BTreeMap<(&'static str, String), Value>;

impl Api {
    pub async fn start(site: Site, story: Story) -> Self {
        let server = ApiServer::start_with(Options {
            version: Some("v1.33.4".into()),
            openshift: matches!(site, Site::Ran),
            ..Options::default()
        })
        .await;
        for (_, kind, _) in objects::kinds(site) {
            server.install(kind, true);
        }
        // Whoever comes, without a token, may read everything.
        let viewer = User::new("m.ito@example.net", &["aiops-viewers"]);
        server.user("", viewer.allow("get list watch", "*", "*"));
        let server = Arc::new(server);
        let mut told = Told::new();
        bring(&server, site, &story, &mut told);
        let follows = server.clone();
        let story = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                bring(&follows, site, &story, &mut told);
            }
        });
        Self { server, story }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// Brings the server up to now.
fn bring(server: &ApiServer, site: Site, story: &Story, told: &mut Told) {
    let t = clock::now().seconds();
    for (plural, kind, group) in objects::kinds(site) {
        let wanted = objects::all(site, story, plural, t);
        let gone = |(of, name): &&(&str, String)| *of == plural && !wanted.contains_key(name);
        let gone: Vec<_> = told.keys().filter(gone).cloned().collect();
        for key in gone {
            let (namespace, name) = key.1.split_once('/').unwrap_or(("", &key.1));
            server.delete(kind, namespace, name);
            told.remove(&key);
        }
        for (name, object) in wanted {
            let key = (plural, name);
            if told.get(&key) == Some(&object) {
                continue;
            }
            let mut whole = object.clone();
            whole["apiVersion"] = group.into();
            whole["kind"] = kind.into();
            server.put(whole);
            told.insert(key, object);
        }
    }
}
