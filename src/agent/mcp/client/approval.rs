//! What the operator allowed: a server's tool with arguments of one shape, for as long as the program
//! runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::model::chat::RunId;

/// Names and kinds of the arguments: `{query: string, limit: number}`.
pub fn shape(arguments: &Value) -> String {
    match arguments {
        Value::Object(fields) => {
            let mut each: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", shape(value)))
                .collect();
            each.sort();
            format!("{{{}}}", each.join(", "))
        }
        Value::Array(items) => {
            let mut kinds: Vec<String> = items.iter().map(shape).collect();
            kinds.sort();
            kinds.dedup();
            format!("[{}]", kinds.join(" or "))
        }
        Value::String(_) => "string".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "true or false".into(),
        Value::Null => "nothing".into(),
    }
}

#[derive(Debug, Default)]
pub struct Approvals {
    allowed: Mutex<HashSet<(String, String)>>,
    waiting: Mutex<HashMap<(RunId, String), oneshot::Sender<bool>>>,
}

impl Approvals {
    pub fn has(&self, tool: &str, arguments: &Value) -> bool {
        lock(&self.allowed).contains(&(tool.to_owned(), shape(arguments)))
    }

    pub fn remember(&self, tool: &str, arguments: &Value) {
        lock(&self.allowed).insert((tool.to_owned(), shape(arguments)));
    }

    /// Resolves to what the operator says; ends with an error where the run is over.
    pub fn ask(&self, run: RunId, call: &str) -> oneshot::Receiver<bool> {
        let (say, said) = oneshot::channel();
        lock(&self.waiting).insert((run, call.to_owned()), say);
        said
    }

    pub fn say(&self, run: RunId, call: &str, allow: bool) {
        if let Some(waiting) = lock(&self.waiting).remove(&(run, call.to_owned())) {
            let _ = waiting.send(allow);
        }
    }

    pub fn forget(&self, run: RunId) {
        lock(&self.waiting).retain(|(waiting, _), _| *waiting != run);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn another_shape_is_another_question() {
        let approvals = Approvals::default();
        approvals.remember("t.search", &json!({"query": "a", "limit": 3}));
        assert!(approvals.has("t.search", &json!({"limit": 9, "query": "b"})));
        for other in [
            json!({"query": "a"}),
            json!({"query": ["a"], "limit": 3}),
            json!({"query": "a", "limit": 3, "delete": true}),
            json!({"query": {"x": 1}, "limit": 3}),
        ] {
            assert!(!approvals.has("t.search", &other), "{other}");
        }
        assert!(!approvals.has("t.delete", &json!({"query": "a", "limit": 3})));
        assert_eq!(
            shape(&json!({"b": [1, "x", 2], "a": null})),
            "{a: nothing, b: [number or string]}"
        );
    }
}
