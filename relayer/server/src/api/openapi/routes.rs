//! The routes, what they take and what they answer.

use super::schemas::{address, boolean, int, one_of, text};
use serde_json::Value;

/// A parameter: where, its name, the maker of its schema, what it says.
type Parameter = (&'static str, &'static str, fn(&str) -> Value, &'static str);
/// Media types and schemas of an answer; of other types than JSON, what it is.
type Kinds = &'static [(&'static str, &'static str)];

/// A route by one method.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path, with `{parameters}`.
    pub path: &'static str,
    /// Its name for code generators.
    pub id: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// What it takes beside a body.
    pub parameters: &'static [Parameter],
    /// The schema of its body.
    pub body: Option<&'static str>,
    /// Its good answers.
    pub answers: &'static [(u16, Kinds)],
    /// What a good answer means.
    pub says: &'static str,
    /// The codes of its problems.
    pub codes: &'static [&'static [&'static str]],
    /// True when it asks for the admin token.
    pub is_admin: bool,
}

/// What every route with limits may answer.
const LIMITED: &[&str] = &["rate_limited", "overloaded", "timeout", "internal"];
const STORE: &[&str] = &["store_unavailable"];
const CHAIN: &[&str] = &["chain_unavailable"];
const MALFORMED: &[&str] = &["malformed"];
const BODY: &[&str] = &["malformed", "body_too_large"];
/// What a voucher may be refused with. In a batch these are in the items.
const VOUCHER: &[&str] = &[
    "unknown_channel",
    "channel_closed",
    "wrong_channel_id",
    "payee_not_served",
    "bad_signature",
    "wrong_signer",
    "stale",
    "channel_closing",
    "not_covered",
    "not_final",
    "first_total_too_small",
];
const ADMIN: &[&str] = &["unauthorized", "no_such_route"];

const PAGES: &[&str] = &["no_such_route"];
const PAGE: &[(u16, Kinds)] = &[(200, &[("text/html; charset=utf-8", "A page.")]), (304, &[])];
const SERVED: &str = "As it was built, with its hash as `ETag`; 304 for who has it.";

const PLAIN: Route =
    Route { method: "GET", path: "", id: "", summary: "", parameters: &[], body: None, answers: &[], says: "", codes: &[], is_admin: false };

const fn admin(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Route {
    Route {
        method,
        path,
        id,
        summary,
        answers: &[(200, &[("application/json", "AdminState")])],
        says: "How things stand now.",
        codes: &[LIMITED, ADMIN],
        is_admin: true,
        ..PLAIN
    }
}

const PAYEE: Parameter = ("path", "address", address, "The payee.");

/// Every route.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/v1/vouchers",
        id: "postVoucher",
        summary: "Hands over a voucher.",
        body: Some("Voucher"),
        answers: &[(200, &[("application/json", "Accepted")])],
        says: "It is on disk. The same voucher again gets the same answer.",
        codes: &[LIMITED, BODY, VOUCHER, STORE, CHAIN, &["draining"]],
        ..PLAIN
    },
    Route {
        method: "POST",
        path: "/v1/vouchers/batch",
        id: "postVouchers",
        summary: "Hands over many vouchers.",
        parameters: &[(
            "query",
            "acknowledge",
            |says| boolean(says),
            "`true`: sign for each stored voucher, as for single ones. It costs the relayer as much as checking one.",
        )],
        body: Some("Vouchers"),
        answers: &[(200, &[("application/json", "BatchAnswer")])],
        says: "Each item has its own result, in the order sent; those accepted are on disk.",
        codes: &[LIMITED, BODY, STORE, &["too_many_items", "draining"]],
        ..PLAIN
    },
    Route {
        path: "/v1/channels/{book}/{serial}",
        id: "getChannel",
        summary: "A channel and its best voucher: what its payee needs to claim without the relayer.",
        parameters: &[("path", "book", int, "The channel's book."), ("path", "serial", int, "Its serial in the book.")],
        answers: &[(200, &[("application/json", "Channel")])],
        says: "The channel at the last finalized block taken in.",
        codes: &[LIMITED, MALFORMED, STORE, CHAIN, &["unknown_channel"]],
        ..PLAIN
    },
    Route {
        path: "/v1/payees/{address}/channels",
        id: "getPayeeChannels",
        summary: "A payee's channels with their best vouchers, by number, page by page.",
        parameters: &[
            PAYEE,
            ("query", "after", text, "What the last page's `next` said."),
            ("query", "limit", int, "Channels in the answer: 1 to 1000; 100 if absent."),
        ],
        answers: &[(200, &[("application/json", "ChannelPage")])],
        says: "A page.",
        codes: &[LIMITED, MALFORMED, STORE],
        ..PLAIN
    },
    Route {
        path: "/v1/payees/{address}/earnings",
        id: "getEarnings",
        summary: "What a payee has earned through this relayer.",
        parameters: &[
            PAYEE,
            ("query", "by", |says| one_of(says, &["token", "day", "channel"]), "One row a token (if absent), a day or a channel."),
            ("query", "format", |says| one_of(says, &["json", "csv"]), "If absent, what `Accept` asks for: `text/csv`, or else JSON."),
            ("query", "from", text, "With `by=day`: the first day, such as 2026-11-20, UTC. If absent, 365 days before the last."),
            ("query", "to", text, "With `by=day`: the last day. If absent, today."),
            ("query", "after", text, "With `by=channel`: what the last page's `next` said; in CSV the header `rivulet-next`."),
            ("query", "limit", int, "With `by=channel`: rows in the answer, 1 to 1000; 100 if absent."),
        ],
        answers: &[(
            200,
            &[("application/json", "Earnings"), ("text/csv; charset=utf-8", "The rows with a line of names; the names are the JSON's.")],
        )],
        says: "Vouchers that this relayer took; `claimed` is the chain's, whoever claimed.",
        codes: &[LIMITED, MALFORMED, STORE],
        ..PLAIN
    },
    Route {
        path: "/v1/payees/{address}/events",
        id: "getEvents",
        summary: "What happens to a payee, as it happens: `accepted`, `claimed`, and `reset` when something was missed that is not kept.",
        parameters: &[PAYEE, ("header", "Last-Event-ID", text, "The last event seen: what came after it comes first.")],
        answers: &[(200, &[("text/event-stream", "Events whose data are AcceptedEvent or ClaimedEvent in JSON.")])],
        says: "A feed that stays open. Of several relayers on one database each says `accepted` of the vouchers that it took itself.",
        codes: &[&["rate_limited", "overloaded"], MALFORMED],
        ..PLAIN
    },
    Route {
        path: "/v1/info",
        id: "getInfo",
        summary: "What a client must know before it pays through this relayer.",
        answers: &[(200, &[("application/json", "Info")])],
        says: "The network, the limits, who the relayer is.",
        codes: &[LIMITED],
        ..PLAIN
    },
    Route {
        path: "/v1/openapi.json",
        id: "getOpenapi",
        summary: "This document.",
        answers: &[(200, &[("application/json", "OpenApi")])],
        says: "OpenAPI 3.1.",
        codes: &[LIMITED],
        ..PLAIN
    },
    Route {
        path: "/ready",
        id: "getReady",
        summary: "Can it take vouchers, and does its worker get through?",
        answers: &[(200, &[("application/json", "Ready")]), (503, &[("application/json", "Ready")])],
        says: "200: yes. 503: no, and why.",
        codes: &[LIMITED, STORE],
        ..PLAIN
    },
    Route {
        path: "/health",
        id: "getHealth",
        summary: "Does the process answer?",
        answers: &[(200, &[("application/json", "Health")])],
        says: "It does.",
        ..PLAIN
    },
    Route {
        path: "/metrics",
        id: "getMetrics",
        summary: "Counters for Prometheus.",
        answers: &[(200, &[("application/openmetrics-text; version=1.0.0; charset=utf-8", "See METRICS.md.")])],
        says: "Every counter.",
        codes: &[STORE, &["overloaded"]],
        ..PLAIN
    },
    Route {
        path: "/",
        id: "getCreatorPage",
        summary: "The creator's page: earnings as they come.",
        answers: PAGE,
        says: SERVED,
        codes: &[LIMITED, PAGES],
        ..PLAIN
    },
    Route {
        path: "/pay",
        id: "getPayerPage",
        summary: "The payer's page: channels and streams.",
        answers: PAGE,
        says: SERVED,
        codes: &[LIMITED, PAGES],
        ..PLAIN
    },
    Route {
        path: "/pages/{file}",
        id: "getPagePart",
        summary: "What the pages are made of.",
        parameters: &[("path", "file", text, "`app.js`, `app.css`, `icon.svg` or `licenses.txt`.")],
        answers: &[
            (
                200,
                &[
                    ("text/javascript; charset=utf-8", "Their script."),
                    ("text/css; charset=utf-8", "Their style."),
                    ("image/svg+xml", "Their icon."),
                    ("text/plain; charset=utf-8", "The licences of what the script contains."),
                ],
            ),
            (304, &[]),
        ],
        says: SERVED,
        codes: &[LIMITED, PAGES],
        ..PLAIN
    },
    Route {
        path: "/v1/pages",
        id: "getPagesSetup",
        summary: "What the pages must know.",
        answers: &[(200, &[("application/json", "PagesSetup")])],
        says: "With `pages.eth_rpc_url` in the configuration; without it there are no pages.",
        codes: &[LIMITED, PAGES],
        ..PLAIN
    },
    admin("GET", "/v1/admin/state", "getAdminState", "How things stand."),
    admin("POST", "/v1/admin/pause", "pauseClaiming", "Sends no new claims; what was sent is still followed."),
    admin("POST", "/v1/admin/resume", "resumeClaiming", "Sends claims again."),
    admin("POST", "/v1/admin/claim", "claimNow", "Looks for a batch at once, by the same rules."),
    admin("POST", "/v1/admin/drain", "drain", "Takes no more vouchers, and is not ready; what was taken is still claimed."),
    admin("POST", "/v1/admin/undrain", "undrain", "Takes vouchers again."),
    Route {
        body: Some("LogFilter"),
        codes: &[LIMITED, ADMIN, BODY],
        ..admin("POST", "/v1/admin/log", "setLog", "Changes what is logged, until the next start.")
    },
];
