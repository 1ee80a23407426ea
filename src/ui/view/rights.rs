//! Who the operator is in a cluster and what is not permitted there, in words for any screen.

use std::collections::BTreeMap;

use ratatui::text::{Line, Span};

use super::common::pair;
use crate::model::fault::FaultKind;
use crate::model::health::SourceKind;
use crate::model::identity::{Identity, Review};
use crate::model::object::ObjectKind;
use crate::model::rights;
use crate::state::world::ClusterState;
use crate::ui::Ctx;
use crate::ui::widget::badge::age;

/// `not permitted: list pods (cluster-wide)`, where a review or the watch itself was refused.
pub fn refused(cluster: &ClusterState, kind: ObjectKind) -> Option<String> {
    let need = rights::of_kind(kind)?;
    let denied = |verb: &str| {
        let identity = cluster.identity.as_ref()?;
        let right = need.right(verb);
        let review = identity.reviews.iter().find(|r| r.right == right)?;
        (review.allowed == Some(false)).then_some(right)
    };
    let refused_watch = || {
        let fault = cluster.sources.get(&SourceKind::Kubernetes)?.fault()?;
        let doing = format!(" {}: 403", need.resource);
        let told = fault.kind == FaultKind::Forbidden && fault.what.contains(&doing);
        told.then(|| need.right("list"))
    };
    let right = denied("list").or_else(|| denied("watch"));
    let right = right.or_else(refused_watch)?;
    Some(format!("not permitted: {right} (cluster-wide)"))
}

/// One line: who I am there, my role, and how many rights are missing.
pub fn summary(cluster: &ClusterState) -> String {
    let Some(identity) = &cluster.identity else {
        return "who you are here is not known".into();
    };
    let mut text = format!("{} · {}", name(identity), identity.role.word());
    let missing = missing(identity).count();
    if missing > 0 {
        let rights = if missing == 1 { "right" } else { "rights" };
        text.push_str(&format!(" · {missing} {rights} missing"));
    }
    text
}

/// All of it: user, groups, role and where it comes from, what is missing, what was not told.
pub fn lines(ctx: &Ctx<'_>, cluster: &ClusterState) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let Some(identity) = &cluster.identity else {
        let why = match cluster.sources.get(&SourceKind::Kubernetes) {
            None => "not known: no Kubernetes API is configured here".to_owned(),
            Some(health) => match health.fault() {
                Some(fault) => format!("not known: {}", fault.what),
                None => "not known yet".into(),
            },
        };
        return vec![pair(theme, "user", why, theme.unknown)];
    };
    let groups = match identity.groups.is_empty() {
        true => "none told".to_owned(),
        false => identity.groups.join(", "),
    };
    let from = match identity.role_from.as_str() {
        "" => "no group of the role map matches".to_owned(),
        group => format!("by group {group}"),
    };
    let asked = age(ctx.world.age_ms(identity.at));
    let mut out = vec![
        pair(theme, "user", name(identity), theme.base),
        pair(theme, "groups", groups, theme.base),
        pair(
            theme,
            "role",
            format!("{}, {from}", identity.role.word()),
            theme.base,
        ),
        pair(
            theme,
            "asked",
            format!("{asked} ago by {}", told_by(identity)),
            theme.muted,
        ),
    ];
    let (mut denied, mut unknown) = (BTreeMap::new(), BTreeMap::new());
    for review in &identity.reviews {
        let place = match review.allowed {
            Some(true) => continue,
            Some(false) => &mut denied,
            None => &mut unknown,
        };
        add(place, review);
    }
    let allowed = identity.reviews.iter().filter(|r| r.allowed == Some(true));
    let told = format!("{} of {}", allowed.count(), identity.reviews.len());
    out.push(pair(theme, "permitted", told, theme.base));
    for (resource, (verbs, purpose, _)) in denied {
        out.push(Line::from(vec![
            Span::styled("⊘ ", theme.warn),
            Span::styled(format!("{verbs} {resource}"), theme.base),
            Span::styled(format!("  {purpose}"), theme.muted),
        ]));
    }
    for (resource, (verbs, _, why)) in unknown {
        let text = format!("{verbs} {resource}: not told: {why}");
        out.push(Line::from(vec![
            Span::styled("? ", theme.unknown),
            Span::styled(text, theme.muted),
        ]));
    }
    out
}

/// By resource: the verbs, what they are for, and the reason told.
type Grouped = BTreeMap<String, (String, String, String)>;

fn add(into: &mut Grouped, review: &Review) {
    let right = &review.right;
    let resource = match right.group.as_str() {
        "" => right.resource.clone(),
        group => format!("{}.{group}", right.resource),
    };
    match into.get_mut(&resource) {
        Some((verbs, ..)) => {
            verbs.push_str(", ");
            verbs.push_str(&right.verb);
        }
        None => {
            let told = (
                right.verb.clone(),
                review.purpose.clone(),
                review.reason.clone(),
            );
            into.insert(resource, told);
        }
    }
}

fn missing(identity: &Identity) -> impl Iterator<Item = &Review> {
    let denied = |r: &&Review| r.allowed == Some(false);
    identity.reviews.iter().filter(denied)
}

fn name(identity: &Identity) -> String {
    match identity.user.as_str() {
        "" => "not told".into(),
        user => user.to_owned(),
    }
}

fn told_by(identity: &Identity) -> &str {
    match identity.source.as_str() {
        "" => "nobody: the server tells no names",
        source => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::identity::Role;
    use crate::model::telemetry::Body;
    use crate::model::time::Timestamp;
    use crate::ui::view::common;
    use crate::ui::view::fake::{NOW, screen, tell, world};

    fn review(verb: &str, resource: &str, group: &str, allowed: Option<bool>) -> Review {
        Review {
            right: crate::model::identity::Right {
                verb: verb.into(),
                group: group.into(),
                resource: resource.into(),
                namespace: None,
            },
            allowed,
            purpose: "for a test".into(),
            reason: String::new(),
            at: Timestamp(NOW),
        }
    }

    #[test]
    fn what_is_not_permitted_is_said() {
        let mut world = world(&["alpha"]);
        assert_eq!(refused(&world.clusters[0], ObjectKind::Pod), None);
        assert!(summary(&world.clusters[0]).contains("not known"));
        let identity = Identity {
            user: "alice".into(),
            groups: vec!["aiops-operators".into()],
            source: "SelfSubjectReview".into(),
            role: Role::Operator,
            role_from: "aiops-operators".into(),
            reviews: vec![
                review("list", "nodes", "", Some(true)),
                review("list", "pods", "", Some(false)),
                review("watch", "pods", "", Some(false)),
                review("patch", "applications", "argoproj.io", None),
            ],
            at: Timestamp(NOW),
        };
        tell(&mut world, 0, Body::Identity(Box::new(identity)));
        let cluster = &world.clusters[0];
        assert_eq!(
            refused(cluster, ObjectKind::Pod).as_deref(),
            Some("not permitted: list pods (cluster-wide)")
        );
        assert_eq!(refused(cluster, ObjectKind::Node), None);
        assert_eq!(summary(cluster), "alice · operator · 2 rights missing");
        let text = screen(&world, 90, 8, |ctx, area, buf| {
            let told = lines(ctx, &ctx.world.clusters[0]);
            common::lines(ctx, area, buf, &told, 0);
        });
        for wanted in [
            "operator, by group aiops-operators",
            "1 of 4",
            "⊘ list, watch pods  for a test",
            "patch applications.argoproj.io: not told",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }
}
