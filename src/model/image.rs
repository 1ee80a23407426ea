//! Names of container images and of revisions, in the few letters that tell them apart.

/// The last part of an image's name, and its tag (or the beginning of its digest, or `latest`).
pub fn parts(image: &str) -> (&str, String) {
    let (whole, digest) = match image.split_once('@') {
        Some((whole, digest)) => (whole, Some(digest)),
        None => (image, None),
    };
    let last = whole.rsplit('/').next().unwrap_or(whole);
    match (last.split_once(':'), digest) {
        (Some((name, tag)), _) => (name, tag.to_owned()),
        (None, Some(digest)) => (last, first(digest.rsplit(':').next().unwrap_or(digest), 12)),
        (None, None) => (last, "latest".to_owned()),
    }
}

/// `app:1.9`
pub fn short(image: &str) -> String {
    let (name, tag) = parts(image);
    format!("{name}:{tag}")
}

/// `image app:1.8 → app:1.9`, for those that differ; `None`: none does.
pub fn difference<T: AsRef<str>>(old: &[T], new: &[T]) -> Option<String> {
    let is_in = |all: &[T], one: &T| all.iter().any(|i| i.as_ref() == one.as_ref());
    let gone: Vec<&str> = old
        .iter()
        .filter(|i| !is_in(new, i))
        .map(AsRef::as_ref)
        .collect();
    let come: Vec<&str> = new
        .iter()
        .filter(|i| !is_in(old, i))
        .map(AsRef::as_ref)
        .collect();
    let mut told = Vec::new();
    let mut paired = Vec::new();
    for was in &gone {
        let name = parts(was).0;
        match come
            .iter()
            .find(|c| parts(c).0 == name && !paired.contains(*c))
        {
            Some(is) => {
                paired.push(is);
                told.push(format!("{} → {}", short(was), short(is)));
            }
            None if gone.len() == 1 && come.len() == 1 => {
                paired.extend(come.first());
                let is = come.first().map_or_else(String::new, |c| short(c));
                told.push(format!("{} → {is}", short(was)));
            }
            None => told.push(format!("{} taken out", short(was))),
        }
    }
    let added = come.iter().filter(|c| !paired.contains(c));
    told.extend(added.map(|c| format!("{} added", short(c))));
    match told.len() {
        0 => None,
        1 => Some(format!("image {}", told.concat())),
        _ => Some(format!("images {}", told.join(", "))),
    }
}

/// A revision in few letters: seven of a hash, a version whole, `main@sha1:…` by its hash; of
/// several sources each.
pub fn revision(text: &str) -> String {
    let one = |text: &str| match text.split_once('@') {
        Some((version, _)) if is_version(version) => version.to_owned(),
        Some((_, hash)) => first(hash.rsplit(':').next().unwrap_or(hash), 7),
        None if is_hash(text) => first(text, 7),
        None => match text.rsplit_once(':') {
            Some((_, hash)) if is_hash(hash) => first(hash, 7),
            _ => text.to_owned(),
        },
    };
    let all: Vec<String> = text.split(',').map(|t| one(t.trim())).collect();
    all.join(",")
}

fn is_version(text: &str) -> bool {
    text.trim_start_matches('v')
        .starts_with(|c: char| c.is_ascii_digit())
}

fn is_hash(text: &str) -> bool {
    text.len() >= 20 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn first(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_by_name_and_tag() {
        for (image, wanted) in [
            ("app", "app:latest"),
            ("registry:5000/team/app", "app:latest"),
            ("registry:5000/team/app:1.9", "app:1.9"),
            ("quay.io/app:1.9@sha256:0123456789abcdef", "app:1.9"),
            ("quay.io/app@sha256:0123456789abcdef", "app:0123456789ab"),
        ] {
            assert_eq!(short(image), wanted);
        }
    }

    #[test]
    fn what_differs_between_two_templates() {
        for (old, new, wanted) in [
            (
                vec!["r/app:1.8"],
                vec!["r/app:1.9"],
                Some("image app:1.8 → app:1.9"),
            ),
            (
                vec!["a:1", "b:1"],
                vec!["a:1", "b:2"],
                Some("image b:1 → b:2"),
            ),
            (vec!["a:1"], vec!["x:1"], Some("image a:1 → x:1")),
            (vec!["a:1"], vec!["a:1", "c:1"], Some("image c:1 added")),
            (
                vec!["a:1", "c:1"],
                vec!["a:2"],
                Some("images a:1 → a:2, c:1 taken out"),
            ),
            (vec!["a:1"], vec!["a:1"], None),
        ] {
            assert_eq!(difference(&old, &new).as_deref(), wanted);
        }
    }

    #[test]
    fn revisions_in_few_letters() {
        for (text, wanted) in [
            ("9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b", "9f31c2a"),
            (
                "main@sha1:9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b",
                "9f31c2a",
            ),
            ("1.14.2@sha256:9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e", "1.14.2"),
            ("sha256:9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e", "9f31c2a"),
            ("2.3.1", "2.3.1"),
            (
                "9f31c2ab6b1fd58b6e0c9d7a1a0c3b2e1d4f5a6b,1.2.0",
                "9f31c2a,1.2.0",
            ),
        ] {
            assert_eq!(revision(text), wanted);
        }
    }
}
