//! Lists: in pages, selected, as metadata only or as a table.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Inner;
use super::answer::{Place, status};
use super::store::{Resource, Store, selected};
use super::wire::Request;

/// How the objects of an answer look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Whole,
    Metadata,
    Table,
}

impl Form {
    pub fn of(request: &Request) -> Self {
        let accept = request.header("accept").unwrap_or_default();
        if accept.contains("as=PartialObjectMetadata") {
            Self::Metadata
        } else if accept.contains("as=Table") {
            Self::Table
        } else {
            Self::Whole
        }
    }

    pub fn shape(self, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata | Self::Table => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object["metadata"],
            }),
        }
    }
}

pub fn answer(
    inner: &Inner,
    request: &Request,
    place: &Place,
    at: usize,
    resource: &Resource,
) -> (u16, Value) {
    let store = inner.store.lock().unwrap();
    let wanted: Option<u64> = request
        .param("resourceVersion")
        .and_then(|v| v.parse().ok());
    if let Some(wanted) = wanted.filter(|v| *v > store.version) {
        return (504, too_large(wanted, store.version));
    }
    let exact = request.param("resourceVersionMatch") == Some("Exact");
    let (version, after) = match request.param("continue").filter(|c| !c.is_empty()) {
        Some(token) => match resume(&store, token) {
            Ok(found) => found,
            Err(answer) => return answer,
        },
        None if exact => (wanted.unwrap_or_default(), None),
        None => (store.version, None),
    };
    if version < store.compacted {
        let message = "The provided resource version is too old.";
        return (410, status(410, "Expired", message));
    }
    let namespace = place.namespace.as_deref();
    let all = if version == store.version {
        store.list(at, namespace)
    } else {
        store.list_at(at, namespace, version)
    };
    let mut items: Vec<Arc<Value>> = all
        .into_iter()
        .filter(|o| {
            selected(
                o,
                request.param("labelSelector"),
                request.param("fieldSelector"),
            ) && after
                .as_deref()
                .is_none_or(|after| start(o).as_str() > after)
        })
        .collect();
    let limit = request.param("limit").and_then(|l| l.parse().ok());
    let limit = limit.filter(|l| *l > 0).unwrap_or(usize::MAX);
    let mut meta = json!({"resourceVersion": version.to_string()});
    if items.len() > limit {
        meta["remainingItemCount"] = (items.len() - limit).into();
        items.truncate(limit);
        let last = items.last().map(|o| start(o)).unwrap_or_default();
        meta["continue"] = token(version, &last).into();
    }
    (200, body(Form::of(request), resource, meta, &items))
}

fn body(form: Form, resource: &Resource, meta: Value, items: &[Arc<Value>]) -> Value {
    let shape = |object: &Arc<Value>| {
        let mut object = form.shape(object);
        if form == Form::Whole
            && !resource.extension
            && let Some(fields) = object.as_object_mut()
        {
            // Only lists of CRDs name the kind of every item.
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        object
    };
    let items: Vec<Value> = items.iter().map(shape).collect();
    match form {
        Form::Whole => {
            json!({"kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(), "metadata": meta, "items": items})
        }
        Form::Metadata => {
            json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items})
        }
        Form::Table => {
            let rows: Vec<Value> = items
                .iter()
                .map(|o| json!({"cells": [o["metadata"]["name"]], "object": o}))
                .collect();
            json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}], "rows": rows})
        }
    }
}

fn start(object: &Value) -> String {
    let text = |name: &str| {
        object["metadata"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    format!("{}\0{}", text("namespace"), text("name"))
}

/// Opaque to clients. Version -1: what is there now, whatever it was.
fn token(version: impl std::fmt::Display, start: &str) -> String {
    let hex: String = start.bytes().map(|b| format!("{b:02x}")).collect();
    format!("{version}.{hex}")
}

type Refused = (u16, Value);

fn resume(store: &Store, token: &str) -> Result<(u64, Option<String>), Refused> {
    let bad = || {
        let message = "invalid continue token: continue key is not valid";
        (400, status(400, "BadRequest", message))
    };
    let (version, hex) = token.split_once('.').ok_or_else(bad)?;
    let version: i64 = version.parse().map_err(|_| bad())?;
    let bytes: Option<Vec<u8>> = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
        .collect();
    let start = String::from_utf8(bytes.ok_or_else(bad)?).map_err(|_| bad())?;
    let Ok(version) = u64::try_from(version) else {
        return Ok((store.version, Some(start)));
    };
    if version < store.compacted {
        let recorded = super::wire::fixture("kube/list_410_continue_expired.json");
        let mut body: Value = serde_json::from_slice(&recorded).unwrap();
        body["metadata"]["continue"] = self::token(-1, &start).into();
        return Err((410, body));
    }
    Ok((version, Some(start)))
}

fn too_large(wanted: u64, current: u64) -> Value {
    let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
    let mut body = status(504, "Timeout", &message);
    body["details"] = json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1});
    body
}
