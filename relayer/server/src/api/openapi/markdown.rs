//! `relayer/docs/API.md`, from the same tables as the OpenAPI document.

use super::{ROUTES, by_status, document};
use crate::api::problem::status_of_code;
use rivulet_rules::accept::Rejection;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

const HEAD: &str = "# The relayer's HTTP interface

Written from `relayer/server/src/api/openapi`, which a running relayer serves as OpenAPI 3.1 at `/v1/openapi.json`. A test compares, and rewrites this file with
`RIVULET_WRITE=1 cargo test -p rivulet-server --test docs`. Another test holds every real answer against it.

Amounts are strings of digits in the token's smallest unit (native: wei, 18 decimals). Addresses, ids and signatures are `0x` and hex. Bodies are JSON; unknown
fields and parameters are refused. A problem's status and code are stable.

Web pages of any origin may use what is under `/v1`, but `/v1/admin`, unless the operator names origins or none (`http.cors_origins`): preflights are answered, credentials never
allowed, and `Retry-After` and `rivulet-next` can be read.
";

fn says(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

fn name_of(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{})", name.to_ascii_lowercase())
}

/// A schema's type in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return name_of(reference);
    }
    for several in ["allOf", "anyOf"] {
        if let Some(parts) = schema[several].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|v| format!("`{}`", v.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ");
    }
    let word = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "array" => format!("array of {}", self::kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => format!("object of {}", self::kind(&schema["additionalProperties"])),
        "string" => match schema["pattern"].as_str() {
            Some("^(0|[1-9][0-9]*)$") => "amount".to_owned(),
            Some(hex) if hex.contains("128") => "hex, 64 or 65 bytes".to_owned(),
            Some(hex) if hex.contains("64") => "hex, 32 bytes".to_owned(),
            Some(_) => "address".to_owned(),
            None => "text".to_owned(),
        },
        other => other.to_owned(),
    };
    match schema["type"].as_array() {
        Some(kinds) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        None => word(&schema["type"]),
    }
}

fn route_section(out: &mut String, route: &super::Route) {
    let _ = write!(out, "\n### `{} {}`\n\n{}", route.method, route.path, route.summary);
    if route.is_admin {
        out.push_str(" Needs `Authorization: Bearer` and the admin token.");
    }
    out.push('\n');
    if !route.parameters.is_empty() {
        out.push_str("\n| parameter | in | type | meaning |\n|---|---|---|---|\n");
        for (place, name, schema, text) in route.parameters {
            let _ = writeln!(out, "| `{name}` | {place} | {} | {text} |", kind(&schema(text)));
        }
    }
    if let Some(body) = route.body {
        let _ = writeln!(out, "\nBody: {}.", name_of(body));
    }
    out.push('\n');
    for (status, kinds) in route.answers {
        let forms: Vec<_> = kinds
            .iter()
            .map(
                |(media, schema)| if *media == "application/json" { name_of(schema) } else { format!("`{media}`: {}", schema.trim_end_matches('.')) },
            )
            .collect();
        match forms.is_empty() {
            true => _ = writeln!(out, "- **{status}** nothing."),
            false => _ = writeln!(out, "- **{status}** {}. {}", forms.join("; "), route.says),
        }
    }
    for (status, codes) in by_status(route) {
        let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
        let _ = writeln!(out, "- {status} {}", codes.join(", "));
    }
}

/// When each code is answered.
const WHEN: &[(&str, &str)] = &[
    ("malformed", "a field or parameter is missing, unknown or not in its form"),
    ("unauthorized", "the admin token is missing or another"),
    ("payee_not_served", "not one of `accept.payees`"),
    ("wrong_signer", "signed, but neither by the voucher signer nor by the payer; or signed for another total, channel, chain or contract"),
    ("unknown_channel", "not on the chain at the last finalized block; remembered for `accept.unknown_ttl_ms`"),
    ("no_such_route", "nothing there; or admin routes without a token in the configuration, pages without `pages.eth_rpc_url`"),
    ("method_not_allowed", "the route takes another method"),
    ("wrong_channel_id", "the number is another channel's"),
    ("stale", "a higher total is stored: `best` says which, with the client's own signature, to go on from"),
    ("channel_closing", "the payer has asked to close: nothing new counts"),
    ("not_final", "the channel's block is not final, and the total above `unfinalized_max`: send it again in some seconds"),
    ("channel_closed", "its record on the chain is gone"),
    ("body_too_large", "above `http.max_body_bytes`"),
    ("too_many_items", "above `http.max_batch_items`"),
    ("bad_signature", "no key can have made it"),
    ("not_covered", "more than the deposit less what was asked back"),
    ("first_total_too_small", "a channel's first voucher must gain `accept.min_first_units`"),
    ("rate_limited", "above `http.address_per_sec` or `accept.payer_per_sec`: nothing was stored, `Retry-After` says when to come back"),
    ("internal", "ours; the log says what"),
    ("overloaded", "too much at once: nothing was stored, send it again in a moment"),
    ("store_unavailable", "the database failed: nothing was stored, send it again"),
    ("chain_unavailable", "the channel is not known here and the chain did not answer: send it again"),
    ("draining", "an operator has stopped the taking of vouchers"),
    ("timeout", "it may have been stored: send the same again"),
];

/// Every code with its status and when it is answered, by status.
pub fn codes() -> Vec<(u16, &'static str, &'static str)> {
    let mut codes: Vec<_> = WHEN.iter().map(|(code, when)| (status_of_code(code).unwrap_or(0), *code, *when)).collect();
    codes.sort_by_key(|(status, ..)| *status);
    codes
}

/// The whole file.
pub fn markdown() -> String {
    let document = document();
    let mut out = HEAD.to_owned();
    out.push_str("\n## Routes\n");
    for route in ROUTES {
        route_section(&mut out, route);
    }
    out.push_str("\nAny path may also be answered with 404 `no_such_route` or 405 `method_not_allowed`.\n\n## Codes\n\n| status | code | when |\n|---|---|---|\n");
    for (status, code, when) in codes() {
        let _ = writeln!(out, "| {status} | `{code}` | {when} |");
    }
    let _ = writeln!(out, "\nA rejected item of a batch has one of: {}.", Rejection::CODES.map(|code| format!("`{code}`")).join(", "));
    out.push_str("It may also have `rate_limited`, `overloaded`, `store_unavailable` or `chain_unavailable`: nothing is said of that voucher then, send it again.\n");
    out.push_str("\n## Objects\n");
    // In an order of its own: a map of serde_json has one or another, as its features are.
    let schemas: BTreeMap<_, _> = document["components"]["schemas"].as_object().into_iter().flatten().collect();
    for (name, schema) in schemas {
        let _ = write!(out, "\n### {name}\n\n{}\n", says(schema));
        let Some(properties) = schema["properties"].as_object() else { continue };
        out.push_str("\n| field | type | meaning |\n|---|---|---|\n");
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let optional: BTreeSet<_> = properties.keys().map(String::as_str).filter(|name| !required.contains(name)).collect();
        for (field, absent) in required.iter().map(|name| (*name, "")).chain(optional.into_iter().map(|name| (name, " (may be absent)"))) {
            let schema = &properties[field];
            let _ = writeln!(out, "| `{field}` | {}{absent} | {} |", kind(schema), says(schema));
        }
    }
    out
}
