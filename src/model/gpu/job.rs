//! Which pods belong to one job, by their names: exporters tell no owner.

/// The pod's name without what tells it from its brothers: an index (`resnet-ddp-3`), or the hashes
/// of a ReplicaSet and a pod (`vllm-70b-6f7c9d5b8-x2lq4`).
pub fn job_of(pod: &str) -> &str {
    let Some((head, last)) = pod.rsplit_once('-').filter(|(head, _)| !head.is_empty()) else {
        return pod;
    };
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return head;
    }
    if last.len() != 5 || !is_hash(last) {
        return pod;
    }
    match head.rsplit_once('-') {
        Some((name, hash)) if (8..=10).contains(&hash.len()) && is_hash(hash) => name,
        _ => head,
    }
}

/// Kubernetes writes them without vowels and without 0, 1 and 3.
fn is_hash(text: &str) -> bool {
    text.bytes()
        .all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::job_of;

    #[test]
    fn pods_of_one_job_have_one_name() {
        for (pod, job) in [
            ("resnet-ddp-0", "resnet-ddp"),
            ("llm-pretrain-worker-17", "llm-pretrain-worker"),
            ("vllm-llama-70b-6f7c9d5b8-x2lq4", "vllm-llama-70b"),
            ("train-x2lq4", "train"),
            ("notebook", "notebook"),
            ("a-name", "a-name"),
            ("-1", "-1"),
            ("", ""),
        ] {
            assert_eq!(job_of(pod), job, "{pod}");
        }
    }
}
