//! Who asks, by bearer token, and what they may.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
    /// `None`: everything.
    pub rules: Option<Vec<Rule>>,
}

/// Verbs, API groups and resources (`pods/log` …); `*` is any. As a rule of a ClusterRole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    pub verbs: Vec<String>,
    #[serde(rename = "apiGroups")]
    pub groups: Vec<String>,
    pub resources: Vec<String>,
    /// Only the objects of these names; empty: all.
    #[serde(default, rename = "resourceNames")]
    pub names: Vec<String>,
    /// `None`: all.
    #[serde(skip)]
    pub namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Role {
    metadata: Named,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// A right that was asked for by a request, and whether the user had it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    pub verb: String,
    pub group: String,
    pub resource: String,
    /// Empty for lists.
    pub name: String,
    pub allowed: bool,
}

/// The rules of these roles of `docs/rbac.yaml`, as it stands in the file.
pub fn manifest(roles: &[&str]) -> Vec<Rule> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let all: Vec<Role> = text
        .split("\n---\n")
        .filter(|part| part.contains("kind: ClusterRole"))
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect();
    let of = |wanted: &&str| {
        let role = all.iter().find(|role| role.metadata.name == *wanted);
        role.expect(wanted).rules.clone()
    };
    roles.iter().flat_map(of).collect()
}

impl User {
    pub fn admin(name: &str) -> Self {
        Self {
            name: name.into(),
            groups: vec!["lab-admins".into(), "system:authenticated".into()],
            rules: None,
        }
    }

    /// May nothing yet but what everybody may: ask about itself.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        Self::bound(name, groups, Vec::new())
            .allow("create", "authentication.k8s.io", "selfsubjectreviews")
            .allow(
                "create",
                "authorization.k8s.io",
                "selfsubjectaccessreviews selfsubjectrulesreviews",
            )
    }

    /// May this and nothing else.
    pub fn bound(name: &str, groups: &[&str], rules: Vec<Rule>) -> Self {
        Self {
            name: name.into(),
            groups: groups
                .iter()
                .copied()
                .chain(["system:authenticated"])
                .map(str::to_owned)
                .collect(),
            rules: Some(rules),
        }
    }

    /// The rights of the recorded viewer: reads most things, no secrets, no proxy.
    pub fn viewer(name: &str) -> Self {
        let recorded = super::wire::fixture("kube/ssrr.json");
        let recorded: Value = serde_json::from_slice(&recorded).unwrap();
        let rules = recorded["status"]["resourceRules"].as_array().unwrap();
        let mut user = Self::new(name, &["lab-viewers"]);
        for rule in rules {
            let list =
                |what: &str| -> Vec<String> { serde_json::from_value(rule[what].clone()).unwrap() };
            user.rules.get_or_insert_default().push(Rule {
                verbs: list("verbs"),
                groups: list("apiGroups"),
                resources: list("resources"),
                ..Rule::default()
            });
        }
        user
    }

    /// Space-separated verbs and resources of one API group.
    pub fn allow(mut self, verbs: &str, group: &str, resources: &str) -> Self {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect();
        self.rules.get_or_insert_default().push(Rule {
            verbs: list(verbs),
            groups: vec![group.into()],
            resources: list(resources),
            ..Rule::default()
        });
        self
    }

    pub fn may(
        &self,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> bool {
        let has = |list: &[String], what: &str| list.iter().any(|w| w == "*" || w == what);
        self.rules.as_ref().is_none_or(|rules| {
            rules.iter().any(|rule| {
                has(&rule.verbs, verb)
                    && has(&rule.groups, group)
                    && has(&rule.resources, resource)
                    && (rule.namespace.is_none() || rule.namespace.as_deref() == namespace)
                    && (rule.names.is_empty() || name.is_some_and(|n| has(&rule.names, n)))
            })
        })
    }
}

/// Answers a review that the user asks of itself; `None`: no such review.
pub fn review(user: &User, plural: &str, asked: &Value) -> Option<Value> {
    match plural {
        "selfsubjectreviews" => Some(json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": "2026-11-21T02:48:17Z"},
            "status": {"userInfo": {"username": user.name, "uid": "2", "groups": user.groups}},
        })),
        "selfsubjectaccessreviews" => Some(access(user, asked)),
        "selfsubjectrulesreviews" => Some(rules(user, asked)),
        _ => None,
    }
}

fn access(user: &User, asked: &Value) -> Value {
    let spec = &asked["spec"];
    let of = &spec["resourceAttributes"];
    let text = |name: &str| of[name].as_str().unwrap_or_default();
    let resource = match text("subresource") {
        "" => text("resource").to_owned(),
        sub => format!("{}/{sub}", text("resource")),
    };
    let filled = |name: &str| of[name].as_str().filter(|n| !n.is_empty());
    let allowed = if of.is_object() {
        let (namespace, name) = (filled("namespace"), filled("name"));
        user.may(text("verb"), text("group"), &resource, namespace, name)
    } else {
        user.rules.is_none() || spec["nonResourceAttributes"]["verb"] == "get"
    };
    let status = if allowed && user.rules.is_some() {
        json!({"allowed": true, "reason": format!("RBAC: allowed by ClusterRoleBinding \"lab\" of ClusterRole \"lab\" to User \"{}\"", user.name)})
    } else {
        json!({"allowed": allowed})
    };
    json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec, "status": status})
}

fn rules(user: &User, asked: &Value) -> Value {
    let all = Rule {
        verbs: vec!["*".into()],
        groups: vec!["*".into()],
        resources: vec!["*".into()],
        ..Rule::default()
    };
    let namespace = asked["spec"]["namespace"].as_str();
    let rules = user.rules.clone().unwrap_or_else(|| vec![all]);
    let rules: Vec<Value> = rules
        .iter()
        .filter(|r| r.namespace.is_none() || r.namespace.as_deref() == namespace)
        .map(|r| {
            let mut rule =
                json!({"verbs": r.verbs, "apiGroups": r.groups, "resources": r.resources});
            if !r.names.is_empty() {
                rule["resourceNames"] = json!(r.names);
            }
            rule
        })
        .collect();
    json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
        "status": {"resourceRules": rules, "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}], "incomplete": false}})
}
