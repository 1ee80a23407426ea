//! Which groups make an admin or an operator (domain reference, section 4).

use super::file;
use crate::model::identity::Role;

/// The names of groups; the first that fits from the top decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    pub admin: Vec<String>,
    pub operator: Vec<String>,
    /// Of whom no group is named here, or who is not known to any API server.
    pub default: Role,
}

impl Default for Roles {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Self {
            admin: names(&["cluster-admins", "aiops-admins", "system:masters"]),
            operator: names(&["aiops-operators"]),
            default: Role::Viewer,
        }
    }
}

impl Roles {
    /// What the file leaves out stays as in `base`.
    pub(super) fn from_file(entry: Option<file::Roles>, base: &Self) -> Self {
        let Some(entry) = entry else {
            return base.clone();
        };
        Self {
            admin: entry.admin.unwrap_or_else(|| base.admin.clone()),
            operator: entry.operator.unwrap_or_else(|| base.operator.clone()),
            default: entry.default.unwrap_or(base.default),
        }
    }

    /// The role of a member of these groups, and the group that gives it; empty: none.
    pub fn of(&self, groups: &[String]) -> (Role, String) {
        for (role, names) in [(Role::Admin, &self.admin), (Role::Operator, &self.operator)] {
            if let Some(group) = groups.iter().find(|g| names.contains(g)) {
                return (role, group.clone());
            }
        }
        (self.default, String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_role_wins() {
        let roles = Roles::default();
        let of = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
            roles.of(&groups)
        };
        assert_eq!(of(&[]), (Role::Viewer, String::new()));
        assert_eq!(of(&["aiops-viewers"]).0, Role::Viewer);
        assert_eq!(of(&["aiops-operators"]).0, Role::Operator);
        let both = of(&["aiops-operators", "cluster-admins"]);
        assert_eq!(both, (Role::Admin, "cluster-admins".into()));
        assert_eq!(of(&["system:masters"]).0, Role::Admin);
        assert_eq!(of(&["Cluster-Admins", "admins"]).0, Role::Viewer);
    }
}
