//! given a relayer with `pages.eth_rpc_url`
//! ├── both pages and their parts are served with their type, their hash and a policy that allows nothing inline and nothing from elsewhere
//! ├── who has the hash is sent nothing; another hash gets all of it
//! ├── what a page refers to is served, and nothing in it is a script, a style or a handler of its own
//! └── they are told of the RPC and the deployment's file as it is
//! without it there are none of these routes, and a deployment's file that cannot be read is said at the start

mod support;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt;
use rivulet_server::{
    api::{openapi, router},
    config::ConfigError,
    serve::{Relayer, Secrets},
};
use rivulet_store::SqliteStore;
use serde_json::{Value, json};
use std::{fs, sync::Arc};
use support::{FakeChain, config, network, schema};
use tower::ServiceExt;

const ON: &str = "pages.eth_rpc_url = \"https://rpc.example:8545/key\"";
const ALL: [&str; 6] = ["/", "/pay", "/pages/app.js", "/pages/app.css", "/pages/icon.svg", "/pages/licenses.txt"];

fn relayer(more: &str, deployment: Option<&str>) -> Result<Relayer, ConfigError> {
    let dir = tempfile::tempdir().unwrap().keep();
    let mut config = config(more);
    config.deployment = dir.join("dev.json");
    if let Some(text) = deployment {
        fs::write(&config.deployment, text).unwrap();
    }
    let store = Arc::new(SqliteStore::open(&dir.join("relayer.db"), &network().deployment).unwrap());
    let made = Relayer::with_secrets(config, network(), store, Arc::new(FakeChain::new()), Secrets::default());
    fs::remove_dir_all(dir).unwrap();
    made
}

fn pages() -> Router {
    router(relayer(ON, Some(r#"{"network": "dev", "chain_id": 1}"#)).unwrap().api)
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let request = headers.iter().fold(Request::builder().uri(path), |request, (name, value)| request.header(*name, *value));
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    if let Some(media) = headers.get("content-type").and_then(|v| v.to_str().ok()) {
        let body = serde_json::from_str(&text).ok().filter(|_| media.contains("json")).unwrap_or_else(|| Value::String(text.clone()));
        schema::hold(&openapi::document(), "GET", path, status.as_u16(), media, &body);
    }
    (status, headers, text)
}

#[tokio::test]
async fn pages_and_their_parts_are_served_under_a_strict_policy() {
    let router = pages();
    for path in ALL {
        let (status, headers, text) = get(&router, path, &[]).await;
        assert!(status == StatusCode::OK && !text.is_empty(), "{path}: {status}");
        assert_eq!(
            (headers["x-content-type-options"].as_bytes(), headers["cache-control"].as_bytes()),
            (&b"nosniff"[..], &b"no-cache"[..]),
            "{path}"
        );
        let policy = headers["content-security-policy"].to_str().unwrap();
        let directives: Vec<_> = policy.split("; ").collect();
        for directive in
            ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
        {
            assert!(directives.contains(&directive), "{path}: no {directive} in {policy}");
        }
        // The origin alone: a key in the path is for the RPC, not for a header.
        assert!(directives.contains(&"connect-src 'self' https://rpc.example:8545"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains('*'), "{path}: {policy}");
    }
    assert_eq!(get(&router, "/pages/nothing.js", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_has_a_file_by_its_hash_is_sent_nothing() {
    let router = pages();
    let mut tags = Vec::new();
    for path in ALL {
        let tag = get(&router, path, &[]).await.1["etag"].to_str().unwrap().to_owned();
        for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
            let (status, headers, text) = get(&router, path, &[("if-none-match", &given)]).await;
            assert!(status == StatusCode::NOT_MODIFIED && text.is_empty() && headers["etag"] == *tag, "{path}: {status}");
        }
        assert_eq!(get(&router, path, &[("if-none-match", "\"other\"")]).await.0, StatusCode::OK);
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), ALL.len(), "each file has a hash of its own");
}

/// The values of an attribute in a page.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn a_page_has_nothing_inline_and_refers_only_to_what_is_served() {
    let router = pages();
    for path in ["/", "/pay"] {
        let (_, _, html) = get(&router, path, &[]).await;
        assert!(html.starts_with("<!doctype html>") && html.contains("<html lang=\"en\""), "{path}");
        for refused in ["<style", " style=", "javascript:", " onclick=", " onload=", "http://", "https://"] {
            assert!(!html.contains(refused), "{path} has {refused}");
        }
        assert!(html.matches("<script").count() == html.matches("<script type=\"module\" src=\"").count(), "{path} has a script of its own");
        for link in [attributes(&html, "src"), attributes(&html, "href")].concat() {
            if !link.starts_with('#') {
                assert_eq!(get(&router, link, &[]).await.0, StatusCode::OK, "{path} refers to {link}");
            }
        }
    }
}

#[tokio::test]
async fn pages_are_told_of_the_rpc_and_the_deployment() {
    let (status, _, text) = get(&pages(), "/v1/pages", &[]).await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!({"eth_rpc_url": "https://rpc.example:8545/key", "deployment": {"network": "dev", "chain_id": 1}});
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[tokio::test]
async fn without_an_rpc_there_are_no_pages() {
    let router = router(relayer("", None).unwrap().api);
    for path in ALL.into_iter().chain(["/v1/pages"]) {
        let (status, _, text) = get(&router, path, &[]).await;
        assert!(status == StatusCode::NOT_FOUND && text.contains("no_such_route"), "{path}: {status}");
    }
}

#[test]
fn a_deployment_file_that_cannot_be_shown_is_said_at_the_start() {
    for deployment in [None, Some("not JSON")] {
        let error = relayer(ON, deployment).unwrap_err().to_string();
        assert!(error.starts_with("deployment: expected a JSON file that can be read"), "{error}");
    }
}
