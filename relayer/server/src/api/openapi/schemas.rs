//! The shapes of what is taken and answered. Objects list every field: one that is not here is refused, or never sent.

use crate::api::problem::OTHER_CODES;
use rivulet_rules::{accept::Rejection, endpoint::EndpointState};
use serde_json::{Map, Value, json};

pub(super) fn text(says: &str) -> Value {
    json!({"type": "string", "description": says})
}
pub(super) fn int(says: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": says})
}
pub(super) fn boolean(says: &str) -> Value {
    json!({"type": "boolean", "description": says})
}
fn hex(says: &str, digits: &str) -> Value {
    json!({"type": "string", "pattern": format!("^0x[0-9a-fA-F]{digits}$"), "description": says})
}
pub(super) fn address(says: &str) -> Value {
    hex(says, "{40}")
}
fn hash(says: &str) -> Value {
    hex(says, "{64}")
}
/// Taken with 64 bytes or 65, answered with 64.
fn signature(says: &str) -> Value {
    json!({"type": "string", "pattern": "^0x([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$", "description": says})
}
fn amount(says: &str) -> Value {
    json!({"type": "string", "pattern": "^(0|[1-9][0-9]*)$", "description": says})
}
pub(super) fn one_of(says: &str, values: &[&str]) -> Value {
    json!({"type": "string", "enum": values, "description": says})
}
fn list(of: &str, says: &str) -> Value {
    json!({"type": "array", "items": super::reference(of), "description": says})
}
fn object_of(of: &str, says: &str) -> Value {
    json!({"allOf": [super::reference(of)], "description": says})
}
/// The value or null.
fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(kind) => schema["type"] = json!([kind, "null"]),
        None => {
            let says = schema.as_object_mut().and_then(|s| s.remove("description"));
            schema = json!({"anyOf": [schema, {"type": "null"}], "description": says});
        }
    }
    schema
}

/// An object of these fields; those whose name ends in `?` may be absent.
fn object(says: &str, fields: Vec<(&str, Value)>) -> Value {
    let required: Vec<_> = fields.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let properties: Map<_, _> = fields.iter().map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone())).collect();
    json!({"type": "object", "description": says, "required": required, "properties": properties, "additionalProperties": false})
}

fn vouchers(all: &mut Map<String, Value>) {
    let number = || vec![("book", int("The channel's book.")), ("serial", int("Its serial in the book."))];
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let mut voucher = vec![("channel_id", hash("The channel's id: what was signed for."))];
    voucher.extend(number());
    voucher.extend([
        ("cumulative_amount", amount("All that the channel has ever promised.")),
        ("signature", signature("By the channel's voucher signer or its payer: 64 bytes (r, yParityAndS) or 65 (r, s, v), low s.")),
    ]);
    add("Voucher", object("A promise.", voucher));
    add("Vouchers", list("Voucher", "At most `limits.max_batch_items` of them."));
    let acknowledgement = vec![
        ("accepted_at", int("When it was first stored (Unix seconds, the relayer's clock).")),
        ("signer", address("`relayer.acknowledgement_key` of `/v1/info`.")),
        (
            "signature",
            signature(
                "EIP-712 `Acknowledgement(bytes32 channelId,uint128 cumulativeAmount,uint64 acceptedAt)` under the domain `Rivulet Relayer`, version 1.",
            ),
        ),
    ];
    add("Acknowledgement", object("What the relayer signed for a stored voucher: proof that it had it.", acknowledgement));
    let mut accepted = vec![("status", one_of("Always this.", &["accepted"])), ("channel_id", hash("As sent."))];
    accepted.extend(number());
    accepted.extend([
        ("cumulative_amount", amount("As sent: the channel's best total now, or it was before.")),
        ("acknowledgement?", object_of("Acknowledgement", "When the relayer has a key for it.")),
    ]);
    add("Accepted", object("It is on disk.", accepted));
    let item = vec![
        ("status", one_of("Always this.", &["accepted"])),
        ("cumulative_amount", amount("As sent.")),
        ("acknowledgement?", object_of("Acknowledgement", "With `acknowledge=true`, when the relayer has a key for it.")),
    ];
    add("AcceptedItem", object("It is on disk.", item));
    let item = vec![("status", one_of("Always this.", &["rejected"])), ("problem", object_of("Problem", "Why."))];
    add("RejectedItem", object("It was not stored.", item));
    let answer = vec![
        ("accepted", int("How many were accepted.")),
        ("rejected", int("How many were not.")),
        (
            "results",
            json!({"type": "array", "items": {"anyOf": [super::reference("AcceptedItem"), super::reference("RejectedItem")]},
                   "description": "AcceptedItem or RejectedItem for each, in the order sent."}),
        ),
    ];
    add("BatchAnswer", object("What became of each.", answer));
    let best = vec![("cumulative_amount", amount("Its total.")), ("signature", signature("Its signature, 64 bytes."))];
    add("Best", object("The best voucher stored.", best));
    let codes: Vec<_> = Rejection::CODES.into_iter().chain(OTHER_CODES.into_iter().map(|(_, code)| code)).collect();
    let problem = vec![
        ("type", text("`urn:rivulet:problem:` and the code.")),
        ("title", text("The status's name.")),
        ("status", int("The HTTP status.")),
        ("code", one_of("What a program acts on. Stable.", &codes)),
        ("detail", text("What a person reads.")),
        ("field?", text("Which field is at fault.")),
        ("expected?", text("What would have been taken.")),
        ("given?", text("What came, shortened.")),
        ("best?", object_of("Best", "With `stale`: the voucher to go on from, with the client's own signature.")),
        ("retry_after_secs?", int("With `rate_limited`: when to come back; as the header `Retry-After`.")),
    ];
    add("Problem", object("RFC 9457: what went wrong.", problem));
}

fn channels(all: &mut Map<String, Value>) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let channel = vec![
        ("book", int("Its book: all channels of one payee and token.")),
        ("serial", int("Its serial in the book.")),
        ("channel_id", hash("What vouchers sign: the hash of its terms, chain and contract.")),
        ("status", one_of("`closing`: the payer has asked to close. `closed`: its record on the chain is gone.", &["open", "closing", "closed"])),
        ("payer", address("Who pays.")),
        ("payee", address("Who is paid.")),
        ("voucher_signer", address("Whose vouchers count, beside the payer's.")),
        ("token", address("In what; zero: the native token.")),
        ("challenge_period_secs", int("How long the payee has to claim after a request.")),
        ("opened_at", int("When it was opened (Unix seconds).")),
        ("deposit", amount("Put in so far, refunds taken off.")),
        ("claimed", amount("Paid out so far, relay fees included.")),
        ("covered", amount("The highest total that a new voucher may have.")),
        ("close_due_at", or_null(int("When a requested close can be finished (Unix seconds)."))),
        ("refund_requested", amount("What the payer has asked back.")),
        ("refund_due_at", or_null(int("When that refund can be taken (Unix seconds)."))),
        ("best", or_null(object_of("Best", "The best voucher; null: none yet."))),
        ("accepted_ms", or_null(int("When it was accepted (Unix milliseconds)."))),
        ("pending", amount("What claiming it would pay out now.")),
        ("set_aside", or_null(text("Why it is not claimed: an outcome's name."))),
    ];
    add("Channel", object("A channel, and the best voucher that this relayer has.", channel));
    let page = vec![
        ("payee", address("As asked.")),
        ("channels", list("Channel", "By book and serial.")),
        ("next", or_null(text("What `after` has to be for the next page; null: this was the last."))),
    ];
    add("ChannelPage", object("A page of channels.", page));
}

fn earnings(all: &mut Map<String, Value>) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let token = || {
        vec![
            ("token", address("The token; zero: native.")),
            ("name", or_null(text("Its name in the deployment."))),
            ("decimals", or_null(int("Its decimals."))),
        ]
    };
    let mut by_token = token();
    by_token.extend([
        ("channels", int("Channels, closed ones included.")),
        ("accepted", amount("Sum of the best vouchers.")),
        ("claimed", amount("Paid out on the chain, relay fees included, whoever claimed.")),
        ("pending", amount("Accepted, covered and not yet claimed.")),
        ("lost", amount("Accepted and out of reach: closed before it was claimed, or set aside.")),
    ]);
    add("TokenEarnings", object("One token.", by_token));
    let mut by_day = vec![("day", text("Such as 2026-11-20, UTC.")), ("contract", one_of("Through which contract.", &["channels", "streams"]))];
    by_day.extend(token());
    by_day.extend([
        ("accepted", amount("What accepted vouchers grew by that day.")),
        ("vouchers", int("How many vouchers grew it.")),
        ("claimed", amount("Paid out in that day's finalized blocks, relay fees included, whoever claimed.")),
        ("fees", amount("Of it, relay fees.")),
        ("paid", amount("What was left of it for the payee.")),
        ("rows", int("Rows claimed.")),
    ]);
    add("DayEarnings", object("One day, token and contract.", by_day));
    let mut by_channel = vec![
        ("book", int("The channel's book.")),
        ("serial", int("Its serial.")),
        ("channel_id", hash("Its id.")),
        ("status", one_of("As of a channel.", &["open", "closing", "closed"])),
        ("payer", address("Who pays.")),
    ];
    by_channel.extend(token());
    by_channel.extend([
        ("deposit", amount("Put in so far.")),
        ("accepted", amount("The best voucher's total.")),
        ("accepted_ms", or_null(int("When it was accepted (Unix milliseconds)."))),
        ("claimed", amount("Paid out so far.")),
        ("pending", amount("What claiming would pay out now.")),
    ]);
    add("ChannelEarnings", object("One channel.", by_channel));
    let payee = || ("payee", address("As asked."));
    add("EarningsByToken", object("With `by=token`.", vec![payee(), ("tokens", list("TokenEarnings", "By token."))]));
    add("EarningsByDay", object("With `by=day`.", vec![payee(), ("days", list("DayEarnings", "Oldest first."))]));
    let next = ("next", or_null(text("What `after` has to be for the next page; null: this was the last.")));
    add("EarningsByChannel", object("With `by=channel`.", vec![payee(), ("channels", list("ChannelEarnings", "By book and serial.")), next]));
    let any = ["EarningsByToken", "EarningsByDay", "EarningsByChannel"].map(super::reference);
    add("Earnings", json!({"anyOf": any, "description": "EarningsByToken, EarningsByDay or EarningsByChannel, as asked by `by`."}));
    let event = |more: Vec<(&'static str, Value)>| {
        let mut fields = vec![("payee", address("Who is paid.")), ("token", address("In what."))];
        fields.extend(more);
        fields
    };
    let accepted = vec![
        ("book", int("The channel's book.")),
        ("serial", int("Its serial.")),
        ("cumulative_amount", amount("Its new total.")),
        ("growth", amount("What it grew by.")),
        ("accepted_ms", int("When (Unix milliseconds).")),
    ];
    add("AcceptedEvent", object("The data of an event `accepted`: a voucher raised a channel's total, and is on disk.", event(accepted)));
    let row = vec![
        ("serial", int("Which channel or stream of the book.")),
        ("outcome", one_of("What became of it.", &["applied", "capped", "stale", "bad_signature", "unknown", "closed"])),
        ("total", amount("Claimed so far.")),
    ];
    add("ClaimedRow", object("One row of a claim.", row));
    let claimed = vec![
        ("contract", one_of("From which contract.", &["channels", "streams"])),
        ("book", int("From which book.")),
        ("block_number", int("In which finalized block.")),
        ("at", int("The block's time (Unix seconds).")),
        ("claimed", amount("Paid out, relay fee included.")),
        ("fee", amount("Of it, the relay fee.")),
        ("paid", amount("What was left for the payee.")),
        ("rows", list("ClaimedRow", "Each row.")),
    ];
    add("ClaimedEvent", object("The data of an event `claimed`: a finalized block paid out from a book, whoever claimed.", event(claimed)));
}

fn operation(all: &mut Map<String, Value>) {
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let contracts =
        vec![("channels", address("The channels contract: `verifyingContract` of vouchers.")), ("streams", address("The streams contract."))];
    add("Contracts", object("Where the contracts are.", contracts));
    let token = vec![
        ("address", address("Its address; zero: native.")),
        ("decimals", int("Its decimals as contracts count it.")),
        ("min_first", amount("The least gain of a channel's first voucher.")),
        ("unfinalized_max", amount("The highest total taken of a channel that is not final yet; 0: nothing.")),
    ];
    add("Token", object("A token of the deployment.", token));
    let relayer = vec![
        ("address", address("As contracts see it: the beneficiary that payees name in their terms.")),
        ("account", hash("The account that signs claims.")),
        ("acknowledgement_key", or_null(address("What signs acknowledgements; null: they are not signed."))),
    ];
    add("Relayer", object("Who the relayer is.", relayer));
    let limits = vec![
        ("max_body_bytes", int("The longest request body.")),
        ("max_batch_items", int("The most vouchers in one request.")),
        ("request_timeout_ms", int("After this a request is given up.")),
        ("address_per_sec", int("Requests a second from one address, each voucher of a batch counted as one; 0: no limit.")),
        ("payer_per_sec", int("Vouchers a second of one payer; 0: no limit.")),
    ];
    add("Limits", object("What is taken at once.", limits));
    let info = vec![
        ("version", text("The relayer's version.")),
        ("network", text("The deployment's name.")),
        ("chain_id", int("EIP-155 chain id: `chainId` of vouchers.")),
        ("genesis_hash", hash("The chain's first block.")),
        ("contracts", object_of("Contracts", "Where the contracts are.")),
        ("tokens", json!({"type": "object", "additionalProperties": super::reference("Token"), "description": "Token by name."})),
        ("relayer", object_of("Relayer", "Who the relayer is.")),
        ("payees", or_null(json!({"type": "array", "items": address(""), "description": "Payees it works for; null: all."}))),
        ("limits", object_of("Limits", "What is taken at once.")),
        ("block_number", or_null(int("The last finalized block taken in."))),
    ];
    add("Info", object("What a client must know.", info));
    let pages = vec![
        ("eth_rpc_url", text("The chain's Ethereum JSON-RPC as browsers reach it, as it was configured: a key in it is public.")),
        ("deployment", json!({"type": "object", "description": "The deployment's file: contracts with the hashes of their code, tokens."})),
    ];
    add("PagesSetup", object("What the pages must know.", pages));
    add("OpenApi", json!({"type": "object", "description": "An OpenAPI document."}));
    add("Health", object("It answers.", vec![("status", one_of("Always this.", &["ok"]))]));
    let worker = vec![
        ("block_number", or_null(int("The last finalized block taken in."))),
        ("last_pass_ms", or_null(int("When a pass last went through (Unix milliseconds)."))),
        ("error?", text("Why the last one did not.")),
    ];
    add("Worker", object("What the worker did last.", worker));
    let endpoint = vec![
        ("name", text("Scheme, host and port.")),
        ("is_used", boolean("It is asked now.")),
        ("state", one_of("`lagging`: used when there is no better one. `other_chain`, `lying`: never used.", &EndpointState::WORDS)),
        ("reason?", text("What is wrong with it.")),
        ("block_number?", int("Its finalized head.")),
        ("head_age_secs?", int("The age of that block by the relayer's clock.")),
    ];
    add("Endpoint", object("A node of the chain.", endpoint));
    let ready = vec![
        ("status", one_of("Whether vouchers should be sent here.", &["ready", "not_ready"])),
        ("channels", int("Channels known.")),
        ("vouchers", int("Channels with a voucher.")),
        ("open_intents", int("Claim transactions under way.")),
        ("set_aside", int("Vouchers that the chain would not pay.")),
        ("is_claiming_paused", boolean("An operator has paused claiming.")),
        ("is_draining", boolean("An operator has stopped the taking of vouchers.")),
        ("endpoints", list("Endpoint", "The nodes, in the order of the configuration. When none may be used the relayer is not ready.")),
        ("worker", object_of("Worker", "What the worker did last.")),
    ];
    add("Ready", object("How it is doing.", ready));
    let state = vec![("is_claiming_paused", boolean("No new claims are sent.")), ("is_draining", boolean("No vouchers are taken."))];
    add("AdminState", object("What operators have changed.", state));
    add("LogFilter", object("What is logged.", vec![("filter", text("Such as `info,rivulet_server=debug`."))]));
}

/// Every schema by name.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    vouchers(&mut all);
    channels(&mut all);
    earnings(&mut all);
    operation(&mut all);
    Value::Object(all)
}
