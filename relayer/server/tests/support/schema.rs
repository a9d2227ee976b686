//! Enough of JSON Schema to hold answers against the relayer's own OpenAPI document. A keyword that is not known here fails the test.

use serde_json::Value;

fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    document.pointer(reference.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn is_type(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("type {other} is not known here"),
    }
}

/// The patterns of the document, by hand: no regular expressions are needed for these.
fn fits(pattern: &str, text: &str) -> bool {
    let hex = |digits: usize| text.strip_prefix("0x").is_some_and(|t| t.len() == digits && t.bytes().all(|b| b.is_ascii_hexdigit()));
    match pattern {
        "^(0|[1-9][0-9]*)$" => text == "0" || (!text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())),
        "^0x([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$" => hex(128) || hex(130),
        "^0x[0-9a-fA-F]{64}$" => hex(64),
        "^0x[0-9a-fA-F]{40}$" => hex(40),
        other => panic!("pattern {other} is not known here"),
    }
}

/// What is wrong with the value; empty: nothing.
pub fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap_or_else(|| panic!("{at}: no schema")) {
        let mut check = |is_good: bool| {
            if !is_good {
                faults.push(format!("{at}: {value} against {keyword} {rule}"));
            }
        };
        match keyword.as_str() {
            "$ref" => faults.extend(self::faults(document, resolve(document, rule.as_str().unwrap()), value, at)),
            "allOf" => faults.extend(rule.as_array().unwrap().iter().flat_map(|s| self::faults(document, s, value, at))),
            "anyOf" => check(rule.as_array().unwrap().iter().any(|s| self::faults(document, s, value, at).is_empty())),
            "type" => {
                let kinds: Vec<_> = rule.as_array().map_or_else(|| vec![rule], |kinds| kinds.iter().collect());
                check(kinds.iter().any(|kind| is_type(kind.as_str().unwrap(), value)));
            }
            "enum" => check(rule.as_array().unwrap().contains(value)),
            "minimum" => check(value.is_null() || value.as_i64().is_none_or(|v| v >= rule.as_i64().unwrap())),
            "pattern" => check(value.as_str().is_none_or(|text| fits(rule.as_str().unwrap(), text))),
            "required" => {
                check(value.as_object().is_none_or(|object| rule.as_array().unwrap().iter().all(|k| object.contains_key(k.as_str().unwrap()))))
            }
            "properties" => {
                for (key, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        faults.extend(self::faults(document, schema, value, &format!("{at}.{key}")));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| known.is_none_or(|k| !k.contains_key(*key))) {
                    match rule {
                        Value::Bool(_) => faults.push(format!("{at}.{key} is not documented")),
                        schema => faults.extend(self::faults(document, schema, value, &format!("{at}.{key}"))),
                    }
                }
            }
            "items" => {
                for (i, value) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(document, rule, value, &format!("{at}[{i}]")));
                }
            }
            "description" => {}
            other => panic!("keyword {other} is not known here"),
        }
    }
    faults
}

/// The documented path of a real one.
pub fn path_of<'a>(document: &'a Value, path: &str) -> Option<&'a str> {
    let asked: Vec<_> = path.split('?').next().unwrap().split('/').collect();
    document["paths"].as_object().unwrap().keys().map(String::as_str).find(|known| {
        let known: Vec<_> = known.split('/').collect();
        known.len() == asked.len() && known.iter().zip(&asked).all(|(k, a)| k.starts_with('{') || k == a)
    })
}

/// Fails unless this answer is in the document: its route, status, media type, shape and, for a problem, code.
pub fn hold(document: &Value, method: &str, path: &str, status: u16, media: &str, body: &Value) {
    let code = body["code"].as_str().unwrap_or_default();
    if code == "no_such_route" || code == "method_not_allowed" {
        return;
    }
    let route = path_of(document, path).unwrap_or_else(|| panic!("{path} is not documented"));
    let answer = &document["paths"][route][method.to_ascii_lowercase()]["responses"][status.to_string()];
    let schema = &answer["content"][media]["schema"];
    assert!(schema.is_object(), "{method} {route} is not documented to answer {status} {media}: {body}");
    let faults = faults(document, schema, body, "");
    assert!(faults.is_empty(), "{method} {route} {status}: {}", faults.join("\n"));
}
