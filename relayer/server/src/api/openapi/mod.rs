//! `GET /v1/openapi.json`: the routes as OpenAPI 3.1. Written by hand beside the types; tests hold every real answer against it and every route of the router,
//! and `relayer/docs/API.md` is written from it.

mod markdown;
mod routes;
mod schemas;

pub use markdown::{codes, markdown};
pub use routes::{ROUTES, Route};

use super::problem::status_of_code;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// The body of an answer that says what went wrong in one of these ways.
fn problem(codes: &[&str]) -> Value {
    json!({"allOf": [reference("Problem"), {"properties": {"code": {"enum": codes}}}]})
}

/// The codes of a route by their status.
fn by_status(route: &Route) -> BTreeMap<u16, Vec<&'static str>> {
    let mut by_status = BTreeMap::<u16, Vec<_>>::new();
    let unique: BTreeSet<_> = route.codes.iter().flat_map(|codes| codes.iter().copied()).collect();
    for code in unique {
        by_status.entry(status_of_code(code).unwrap_or(500)).or_default().push(code);
    }
    by_status
}

fn responses(route: &Route) -> Value {
    let mut all = Map::new();
    for (status, kinds) in route.answers {
        let content: Map<_, _> = kinds
            .iter()
            .map(|(kind, schema)| {
                let schema = if *kind == "application/json" { reference(schema) } else { json!({"type": "string", "description": schema}) };
                ((*kind).to_owned(), json!({ "schema": schema }))
            })
            .collect();
        all.insert(status.to_string(), json!({"description": route.says, "content": content}));
    }
    for (status, codes) in by_status(route) {
        let content = json!({"schema": problem(&codes)});
        match all.get_mut(&status.to_string()).and_then(|r| r.get_mut("content")).and_then(Value::as_object_mut) {
            Some(other) => {
                other.insert("application/problem+json".to_owned(), content);
            }
            None => {
                let says = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
                all.insert(status.to_string(), json!({"description": says, "content": {"application/problem+json": content}}));
            }
        }
    }
    Value::Object(all)
}

fn operation(route: &Route) -> Value {
    let parameter = |(place, name, schema, says): &(&str, &str, fn(&str) -> Value, &str)| {
        let mut schema = schema(says);
        let says = schema.as_object_mut().and_then(|s| s.remove("description"));
        json!({"in": place, "name": name, "required": *place == "path", "description": says, "schema": schema})
    };
    let mut operation = json!({
        "operationId": route.id, "summary": route.summary, "responses": responses(route),
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(),
    });
    if let Some(schema) = route.body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": reference(schema)}}});
    }
    if route.is_admin {
        operation["security"] = json!([{"admin": []}]);
    }
    operation
}

/// The whole document.
pub fn document() -> Value {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for route in ROUTES {
        paths.entry(route.path).or_default().insert(route.method.to_ascii_lowercase(), operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rivulet relayer", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Takes vouchers, claims them. Amounts are strings of digits in the token's smallest unit (native: wei, 18 decimals).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer", "description": "The token of `admin.token_file`."}},
        },
    })
}

/// `GET /v1/openapi.json`
pub async fn get() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    ([(header::CONTENT_TYPE, "application/json")], TEXT.get_or_init(|| document().to_string()).as_str()).into_response()
}
