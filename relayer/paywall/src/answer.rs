//! Refusals, as programs, browsers and people at a terminal read them.

use crate::{
    denied::Denied,
    offer,
    paywall::{Paywall, Quote},
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use rivulet_client::buy::wire::{Offer, PAYMENT_REQUIRED, PaymentRequired, Resource, State};
use serde::Serialize;
use std::fmt::Write;

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a State>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accepts: &'a [Offer],
}

/// What is wanted of an answer's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Json,
    Html,
    Text,
}

fn form(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let mut kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let found = kinds.find_map(|kind| match kind {
        "text/html" | "application/xhtml+xml" => Some(Form::Html),
        kind if kind == "application/json" || kind.ends_with("+json") => Some(Form::Json),
        "text/plain" => Some(Form::Text),
        _ => None,
    });
    found.unwrap_or(Form::Text)
}

/// The answer to a request that is not served.
pub fn denied(paywall: &Paywall, denied: &Denied, quote: &Quote, headers: &HeaderMap) -> Response {
    // Only what payment can change is offered for payment.
    let is_payable = denied.status == StatusCode::PAYMENT_REQUIRED && !quote.prices.is_empty();
    let offers = if is_payable { paywall.offers(quote, denied.state.as_deref()) } else { Vec::new() };
    let title = denied.status.canonical_reason().unwrap_or_default();
    let (kind, body) = match form(headers) {
        Form::Json => {
            let problem = Problem {
                kind: format!("urn:rivulet:problem:{}", denied.code),
                title,
                status: denied.status.as_u16(),
                code: &denied.code,
                detail: &denied.detail,
                state: denied.state.as_deref(),
                accepts: &offers,
            };
            ("application/problem+json", serde_json::to_string(&problem).unwrap_or_default())
        }
        Form::Html => ("text/html; charset=utf-8", html(title, denied, &offers)),
        Form::Text => ("text/plain; charset=utf-8", text(title, denied, &offers)),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = denied.status;
    let to = response.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    to.insert(header::VARY, HeaderValue::from_static("accept, payment-signature"));
    if let Some(secs) = denied.retry_after_secs {
        to.insert(header::RETRY_AFTER, secs.into());
    }
    if is_payable {
        let url = quote.request.split_once(' ').map_or("", |(_, target)| target);
        let required =
            PaymentRequired { x402_version: 2, error: denied.code.to_string(), resource: Resource { url: url.to_owned() }, accepts: offers };
        if let Some(value) = offer::header(&required) {
            to.insert(HeaderName::from_static(PAYMENT_REQUIRED), value);
        }
    }
    response
}

fn text(title: &str, denied: &Denied, offers: &[Offer]) -> String {
    let mut out = format!("{} {title}: {}\n{}\n", denied.status.as_u16(), denied.code, denied.detail);
    // Writing to a String cannot fail.
    for Offer { network, asset, amount, pay_to, extra, .. } in offers {
        let _ = write!(
            out,
            "\n  price     {} ({amount} units of {} {asset})\n  pay to    {pay_to}\n  network   {network}\n  channels  {}\n  relayer   {}\n",
            extra.price, extra.token, extra.channels, extra.relayer
        );
    }
    if let Some(offer) = offers.first() {
        out.push_str("\nPaid from a Rivulet channel to this payee, which is opened once:\n\n");
        commands(offer).iter().for_each(|line| out.extend(["  ", line.as_str(), "\n"]));
        out.push_str("\nPrograms: x402 version 2, scheme \"channel\", header PAYMENT-SIGNATURE; `payingFetch` of @rivulet/client does.\n");
    }
    out
}

/// How somebody pays by hand. The address of the page is not in it: whoever made the link could write a command there.
fn commands(offer: &Offer) -> [String; 2] {
    [format!("rivulet channel open --payee {} --deposit AMOUNT", offer.pay_to), "rivulet get URL --max AMOUNT".to_owned()]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn html(title: &str, denied: &Denied, offers: &[Offer]) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{0} {title}</title>\
         <body style=\"font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem\"><h1>{title}</h1><p>{1}</p>",
        denied.status.as_u16(),
        escaped(&denied.detail)
    );
    for Offer { network, pay_to, extra, .. } in offers {
        let _ = write!(
            out,
            "<p><strong>{}</strong></p><dl><dt>Pay to</dt><dd><code>{}</code></dd><dt>Network</dt><dd><code>{}</code></dd><dt>Channels</dt>\
             <dd><code>{}</code></dd></dl>",
            escaped(&extra.price),
            escaped(pay_to),
            escaped(network),
            escaped(&extra.channels)
        );
    }
    if let Some(offer) = offers.first() {
        let _ = write!(
            out,
            "<p>It is paid from a Rivulet channel to this payee, which is opened once. In a terminal, <code>URL</code> being this page's address:</p>\
             <pre style=\"overflow:auto\"><code>{}</code></pre><p>Or by an app or agent that speaks x402 (version 2, scheme <code>channel</code>).</p>",
            escaped(&commands(offer).join("\n"))
        );
    }
    out + "</body></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_text_a_browser_html_a_program_json() {
        for (accept, expected) in [
            ("*/*", Form::Text),
            ("", Form::Text),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Html),
            ("application/json", Form::Json),
            ("application/problem+json, */*", Form::Json),
            ("text/plain", Form::Text),
            ("image/*", Form::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(form(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn what_a_client_sent_is_no_markup() {
        let denied = Denied::malformed("<script>alert(\"1\")</script>&");
        let page = html("Bad Request", &denied, &[]);
        assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;") && !page.contains("<script>"), "{page}");
        // Nothing is offered, so nothing says how to pay.
        assert!(!page.contains("rivulet get") && !text("Bad Request", &denied, &[]).contains("rivulet get"), "{page}");
    }
}
