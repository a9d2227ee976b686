//! JSON, with the sums and what they cover.

use super::{COLUMNS, Context, Value};
use rivulet_client::statement::token_name;
use rivulet_rules::{
    statement::{Line, time_text, totals},
    text,
};
use serde_json::{Map, Value as Json, json};

fn value(value: &Value) -> Json {
    match value {
        Value::Plain(text) | Value::Foreign(text) => text.as_str().into(),
        Value::Count(count) => (*count).into(),
        Value::List(items) => items.clone().into(),
    }
}

/// The whole statement: whose, of what, lines and totals.
pub fn json(context: &Context<'_>, lines: &[Line]) -> String {
    let named = |line| COLUMNS.iter().zip(&context.row(line)).map(|(name, v)| ((*name).to_owned(), value(v))).collect::<Map<_, _>>();
    let rows = lines.iter().map(named);
    let sums = totals(lines).into_iter().map(|(token, total)| {
        let (name, decimals) = token_name(context.chain, &token);
        let whole = |units| text::whole(units, decimals);
        json!({
            "token": name, "token_address": token.to_string(), "lines": total.lines, "claims": total.claims,
            "paid": whole(total.paid), "relay_fee": whole(total.relay_fees), "received": whole(total.received()),
            "paid_units": total.paid.to_string(), "relay_fee_units": total.relay_fees.to_string(), "received_units": total.received().to_string(),
        })
    });
    let deployment = context.chain.deployment();
    let blocks = context.read.blocks.as_ref();
    let statement = json!({
        "payee": context.payee.to_string(), "network": deployment.network, "chain_id": deployment.chain_id,
        "channels_contract": deployment.contracts.channels.address.0.to_string(), "streams_contract": deployment.contracts.streams.address.0.to_string(),
        "from": time_text(context.read.covers.start), "until": time_text(context.read.covers.end),
        "first_block": blocks.map(|b| *b.start()), "last_block": blocks.map(|b| *b.end()),
        "lines": rows.collect::<Vec<_>>(), "totals": sums.collect::<Vec<_>>(),
    });
    format!("{statement:#}\n")
}
