//! `docs/rbac.yaml` grants what the program uses and nothing else: it is written from the one table
//! of rights (`FARWATCH_WRITE_RBAC=1` writes it anew).

use std::fmt::Write;
use std::path::Path;

use farwatch::model::rights::{NEEDS, Need, Part};

const HEAD: &str = "\
# The rights that farwatch uses, and nothing else. Written from the program's own table of rights
# (src/model/rights.rs); a test holds the two together.
#
# farwatch-read is what the console needs. farwatch-tunnel lets it reach services that have no
# address outside the cluster. farwatch-act is needed only where actions are switched on: it patches
# Argo CD and Flux objects, never a workload. farwatch-nvidia-smi is needed only where `nvidia_smi` is
# switched on, in the namespace of the GPU driver: bind it there, with a RoleBinding. Leave
# out what you do not want; the console shows what is not permitted. OpenShift's monitoring asks for a role of its own: cluster-monitoring-view. `kubectl apply -f rbac.yaml`, then bind the roles to your groups:
#
#   kubectl create clusterrolebinding farwatch-read --clusterrole farwatch-read --group aiops-viewers
";

fn manifest() -> String {
    let mut text = HEAD.to_owned();
    for (part, name) in [
        (Part::Read, "farwatch-read"),
        (Part::Tunnel, "farwatch-tunnel"),
        (Part::Act, "farwatch-act"),
        (Part::Exec, "farwatch-nvidia-smi"),
    ] {
        text.push_str("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n");
        writeln!(text, "metadata:\n  name: {name}\nrules:").unwrap();
        for need in NEEDS.iter().filter(|n| n.part == part) {
            rule(&mut text, need);
        }
    }
    text
}

fn rule(text: &mut String, need: &Need) {
    let verbs = need.verbs.join(", ");
    writeln!(text, "  # {}", need.purpose).unwrap();
    writeln!(text, "  - apiGroups: [\"{}\"]", need.group).unwrap();
    writeln!(text, "    resources: [\"{}\"]", need.resource).unwrap();
    if !need.names.is_empty() {
        writeln!(
            text,
            "    resourceNames: [\"{}\"]",
            need.names.join("\", \"")
        )
        .unwrap();
    }
    writeln!(text, "    verbs: [{verbs}]").unwrap();
}

#[test]
fn the_manifest_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac.yaml");
    if std::env::var_os("FARWATCH_WRITE_RBAC").is_some() {
        std::fs::write(&path, manifest()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, manifest(), "write it anew: FARWATCH_WRITE_RBAC=1");
}

/// What stands behind this key of a line.
fn inside<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(name)?;
    Some(rest.trim().trim_matches(['[', ']']).trim_matches('"'))
}

/// Read from the text itself, whatever the table says.
#[test]
fn the_manifest_grants_no_secrets_no_wildcard_and_few_writes() {
    let text = &std::fs::read_to_string("docs/rbac.yaml").unwrap();
    let mut role = "";
    let (mut group, mut resource) = ("", "");
    let mut rules = 0;
    for line in text.lines().filter(|l| !l.trim_start().starts_with('#')) {
        assert!(!line.contains('*') && !line.contains("secret"), "{line}");
        role = inside(line, "name:").unwrap_or(role);
        group = inside(line, "- apiGroups:").unwrap_or(group);
        resource = inside(line, "resources:").unwrap_or(resource);
        let Some(verbs) = inside(line, "verbs:") else {
            continue;
        };
        rules += 1;
        for verb in verbs.split(", ") {
            let gitops = group == "argoproj.io" || group.ends_with(".toolkit.fluxcd.io");
            let told = match (verb, role) {
                ("get" | "list" | "watch", _) => true,
                ("create", "farwatch-read") => resource.starts_with("selfsubject"),
                ("create", "farwatch-tunnel") => {
                    ["services/proxy", "pods/portforward"].contains(&resource)
                }
                ("create", "farwatch-nvidia-smi") => resource == "pods/exec",
                ("patch", "farwatch-act") => gitops,
                _ => false,
            };
            assert!(told, "{role} may {verb} {resource}.{group}");
        }
    }
    assert_eq!(rules, NEEDS.len());
}
