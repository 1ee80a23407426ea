//! Objects with one rising resource version, and every change of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

/// What the server can serve: group, version, plural, kind, scope, where from.
const KNOWN: &str = "\
- v1 configmaps ConfigMap namespaced built-in
- v1 endpoints Endpoints namespaced built-in
- v1 events Event namespaced built-in
- v1 namespaces Namespace cluster built-in
- v1 nodes Node cluster built-in
- v1 persistentvolumeclaims PersistentVolumeClaim namespaced built-in
- v1 pods Pod namespaced built-in
- v1 secrets Secret namespaced built-in
- v1 services Service namespaced built-in
apps v1 daemonsets DaemonSet namespaced built-in
apps v1 deployments Deployment namespaced built-in
apps v1 replicasets ReplicaSet namespaced built-in
apps v1 statefulsets StatefulSet namespaced built-in
autoscaling v2 horizontalpodautoscalers HorizontalPodAutoscaler namespaced built-in
batch v1 jobs Job namespaced built-in
discovery.k8s.io v1 endpointslices EndpointSlice namespaced built-in
networking.k8s.io v1 ingresses Ingress namespaced built-in
apiextensions.k8s.io v1 customresourcedefinitions CustomResourceDefinition cluster built-in
argoproj.io v1alpha1 applications Application namespaced crd
config.openshift.io v1 clusteroperators ClusterOperator cluster crd
config.openshift.io v1 clusterversions ClusterVersion cluster crd
route.openshift.io v1 routes Route namespaced crd
user.openshift.io v1 users User cluster crd
kustomize.toolkit.fluxcd.io v1 kustomizations Kustomization namespaced crd
helm.toolkit.fluxcd.io v2 helmreleases HelmRelease namespaced crd
source.toolkit.fluxcd.io v1 gitrepositories GitRepository namespaced crd
source.toolkit.fluxcd.io v1 helmrepositories HelmRepository namespaced crd
source.toolkit.fluxcd.io v1 ocirepositories OCIRepository namespaced crd
sriovnetwork.openshift.io v1 sriovnetworknodestates SriovNetworkNodeState namespaced crd
sriovnetwork.openshift.io v1 sriovnetworknodepolicies SriovNetworkNodePolicy namespaced crd
sriovnetwork.openshift.io v1 sriovnetworks SriovNetwork namespaced crd
ptp.openshift.io v1 ptpconfigs PtpConfig namespaced crd
ptp.openshift.io v1 nodeptpdevices NodePtpDevice namespaced crd
serving.kserve.io v1beta1 inferenceservices InferenceService namespaced crd";

#[derive(Clone, Debug)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub kind: String,
    pub namespaced: bool,
    /// Defined by a CRD: its lists name the kind in every item.
    pub extension: bool,
    pub installed: bool,
}

impl Resource {
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `things.not.installed.io`, as refusals call it.
    pub fn full_name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// Index of the resource, namespace, name.
pub type Key = (usize, String, String);

#[derive(Clone, Debug)]
pub struct Change {
    pub version: u64,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub word: &'static str,
    pub key: Key,
    pub object: Arc<Value>,
    pub before: Option<Arc<Value>>,
}

#[derive(Debug)]
pub struct Store {
    pub version: u64,
    /// Watches from before this version get 410.
    pub compacted: u64,
    pub resources: Vec<Resource>,
    pub objects: BTreeMap<Key, Arc<Value>>,
    pub changes: Vec<Change>,
}

impl Default for Store {
    fn default() -> Self {
        let resource = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            Resource {
                group: words[0].trim_matches('-').into(),
                version: words[1].into(),
                plural: words[2].into(),
                kind: words[3].into(),
                namespaced: words[4] == "namespaced",
                extension: words[5] == "crd",
                installed: words[5] != "crd",
            }
        };
        Self {
            version: 1_000,
            compacted: 0,
            resources: KNOWN.lines().map(resource).collect(),
            objects: BTreeMap::new(),
            changes: Vec::new(),
        }
    }
}

impl Store {
    pub fn by_kind(&self, kind: &str) -> usize {
        self.resources
            .iter()
            .position(|r| r.kind == kind)
            .unwrap_or_else(|| panic!("no resource of kind {kind}; give its apiVersion with put"))
    }

    pub fn by_path(&self, group: &str, version: &str, plural: &str) -> Option<usize> {
        self.resources.iter().position(|r| {
            r.installed && r.group == group && r.version == version && r.plural == plural
        })
    }

    fn of_object(&mut self, object: &Value) -> usize {
        let api = object["apiVersion"].as_str().expect("apiVersion");
        let kind = object["kind"].as_str().expect("kind");
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        let found = self
            .resources
            .iter()
            .position(|r| r.group == group && r.kind == kind && r.version == version);
        let at = found.unwrap_or_else(|| {
            self.resources.push(Resource {
                group: group.into(),
                version: version.into(),
                plural: format!("{}s", kind.to_lowercase()),
                kind: kind.into(),
                namespaced: object["metadata"]["namespace"].is_string(),
                extension: true,
                installed: true,
            });
            self.resources.len() - 1
        });
        self.resources[at].installed = true;
        at
    }

    /// Adds or changes one object; gives its version.
    pub fn put(&mut self, mut object: Value) -> u64 {
        let at = self.of_object(&object);
        self.version += 1;
        let version = self.version;
        let meta = object["metadata"].as_object_mut().expect("metadata");
        meta.insert("resourceVersion".into(), json!(version.to_string()));
        meta.entry("uid")
            .or_insert_with(|| json!(format!("00000000-0000-4000-8000-{version:012}")));
        meta.entry("creationTimestamp")
            .or_insert_with(|| json!("2026-11-21T02:46:52Z"));
        let text = |name: &str| meta.get(name).and_then(Value::as_str).unwrap_or_default();
        let key = (at, text("namespace").to_owned(), text("name").to_owned());
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), object.clone());
        self.changes.push(Change {
            version,
            word: if before.is_some() {
                "MODIFIED"
            } else {
                "ADDED"
            },
            key,
            object,
            before,
        });
        version
    }

    /// False when there is no such object.
    pub fn delete(&mut self, at: usize, namespace: &str, name: &str) -> bool {
        let key = (at, namespace.to_owned(), name.to_owned());
        let Some(before) = self.objects.remove(&key) else {
            return false;
        };
        self.version += 1;
        let mut object = (*before).clone();
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.changes.push(Change {
            version: self.version,
            word: "DELETED",
            key,
            object: Arc::new(object),
            before: Some(before),
        });
        true
    }

    /// All objects of a resource (in one namespace), in the order of their keys.
    pub fn list(&self, at: usize, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let first = (at, namespace.unwrap_or_default().to_owned(), String::new());
        self.objects
            .range(first..)
            .take_while(|(k, _)| k.0 == at && namespace.is_none_or(|n| n == k.1))
            .map(|(_, o)| o.clone())
            .collect()
    }

    /// The same as it was at a version.
    pub fn list_at(&self, at: usize, namespace: Option<&str>, version: u64) -> Vec<Arc<Value>> {
        let mut objects = BTreeMap::new();
        for change in self.changes.iter().filter(|c| c.key.0 == at) {
            if change.version > version {
                break;
            }
            if namespace.is_some_and(|n| n != change.key.1) {
                continue;
            }
            if change.word == "DELETED" {
                objects.remove(&change.key);
            } else {
                objects.insert(change.key.clone(), change.object.clone());
            }
        }
        objects.into_values().collect()
    }

    /// Changes after a version.
    pub fn since(&self, version: u64) -> &[Change] {
        let from = self.changes.partition_point(|c| c.version <= version);
        &self.changes[from..]
    }
}

/// `a=b,c!=d,e,!f,g in (x,y),g notin (z)` over labels, or `a.b=c,d!=e` over fields.
pub fn selected(object: &Value, labels: Option<&str>, fields: Option<&str>) -> bool {
    let label = |name: &str| {
        object["metadata"]["labels"][name]
            .as_str()
            .map(str::to_owned)
    };
    let field = |path: &str| {
        if path == "status.successful" {
            // The one field of Jobs that has another name here.
            let done = object["status"]["succeeded"].as_u64().unwrap_or(0);
            return Some(done.to_string());
        }
        let found = path.split('.').fold(object, |value, name| &value[name]);
        Some(found.as_str().map_or_else(
            || match found {
                Value::Null => String::new(),
                other => other.to_string(),
            },
            str::to_owned,
        ))
    };
    let all = |text: Option<&str>, of: &dyn Fn(&str) -> Option<String>| {
        parts(text.unwrap_or_default())
            .into_iter()
            .all(|part| holds(part, of))
    };
    all(labels, &label) && all(fields, &field)
}

/// At commas outside of brackets.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|p| !p.is_empty())
    .collect()
}

fn holds(part: &str, of: &dyn Fn(&str) -> Option<String>) -> bool {
    let among = |list: &str, value: &Option<String>| {
        list.trim_matches(|c| c == '(' || c == ')' || c == ' ')
            .split(',')
            .any(|v| Some(v.trim()) == value.as_deref())
    };
    if let Some((name, list)) = part.split_once(" notin ") {
        return !among(list, &of(name.trim()));
    }
    if let Some((name, list)) = part.split_once(" in ") {
        return among(list, &of(name.trim()));
    }
    if let Some((name, value)) = part.split_once("!=") {
        return of(name).as_deref() != Some(value);
    }
    if let Some((name, value)) = part.split_once('=') {
        return of(name).as_deref() == Some(value.trim_start_matches('='));
    }
    match part.strip_prefix('!') {
        Some(name) => of(name).is_none(),
        None => of(part).is_some(),
    }
}
