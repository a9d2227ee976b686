//! `rivulet earn show`

use super::Answer;
use crate::{
    account::KeyArgs,
    amount::Money,
    network::{Network, NetworkArgs, RelayerArgs},
    party::Party,
    told::{Told, table},
};
use clap::Args;
use rivulet_client::relay::TokenEarnings;
use rivulet_core::ids::{Address, StreamNumber, Token};
use rivulet_rules::{
    chain::{BlockRef, ContractKind},
    text,
};
use serde_json::json;

/// Shows what a payee has: accepted by a relayer, claimable from streams, claimed, kept as credit.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet earn show
      the account's own, token by token
  rivulet earn show --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --json
      somebody's, for programs; no key is needed
  rivulet earn show --offline
      from the chain alone

For the books, claim by claim or month by month: 'rivulet earn statement'.")]
pub struct Show {
    /// Whose. [default: the account's own]
    #[arg(long, value_name = "ACCOUNT")]
    payee: Option<Party>,
    /// Asks no relayer.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    relayer: RelayerArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Serials in one page of a listing.
const PAGE: u32 = 400;

/// Of one token.
struct Row {
    channels: Option<TokenEarnings>,
    streams: usize,
    claimable: Money,
    streamed: Money,
    credit: Money,
}

/// Open streams of a book, what can be claimed from them and what they have paid.
async fn streams(network: &Network, payee: &Address, token: &Token, block: BlockRef) -> anyhow::Result<(usize, u128, u128)> {
    let (kind, chain) = (ContractKind::Streams, &network.chain);
    let Some(book) = chain.book_of(kind, payee, token, block).await? else { return Ok((0, 0, 0)) };
    let (mut count, mut claimable, mut paid, mut from) = (0, 0u128, 0u128, Some(0));
    while let Some(start) = from {
        let (serials, next) = chain.open_serials(kind, book, start, PAGE, block).await?;
        from = next;
        for serial in serials {
            if let Some(state) = chain.stream(StreamNumber { book, serial }, block).await? {
                count += 1;
                claimable = claimable.saturating_add(state.covered_debt);
                paid = paid.saturating_add(state.paid);
            }
        }
    }
    Ok((count, claimable, paid))
}

impl Show {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let payee = match &self.payee {
            Some(party) => party.address(),
            None => self.key.account(&network.deployment)?.signer.address(),
        };
        let of_relayer = if self.offline { None } else { Some(network.relayer(&self.relayer).await?.earnings(&payee).await?) };
        let head = network.head().await?;
        let mut rows = Vec::new();
        for token in network.chain.tokens(ContractKind::Channels, head.block).await? {
            let coin = network.coin_of(&token);
            let (streams, claimable, streamed) = streams(&network, &payee, &token, head.block).await?;
            let mut credit = 0u128;
            for kind in [ContractKind::Channels, ContractKind::Streams] {
                credit = credit.saturating_add(network.chain.credit_of(kind, &payee, &token, head.block).await?);
            }
            let channels = of_relayer.iter().flatten().find(|e| e.token == token.to_string()).cloned();
            if channels.is_some() || streams > 0 || credit > 0 {
                rows.push(Row { channels, streams, claimable: coin.money(claimable), streamed: coin.money(streamed), credit: coin.money(credit) });
            }
        }
        let head_row =
            ["token", "by vouchers", "unclaimed", "claimed", "streams", "flowed, unclaimed", "flowed, claimed", "credit"].map(str::to_owned).to_vec();
        let lines: Vec<_> = std::iter::once(head_row).chain(rows.iter().map(Row::line)).collect();
        let mut text = if rows.is_empty() { format!("{payee} has earned nothing yet") } else { table(&lines) };
        if rows.iter().any(|row| row.channels.as_ref().is_some_and(|c| c.pending > 0)) {
            text += "\nvouchers: the relayer claims them when that is worth its cost; 'rivulet earn claim' does so now";
        }
        if rows.iter().any(|row| row.claimable.units > 0) {
            text += "\nstreams: 'rivulet stream claim NUMBER' takes what has flowed; 'rivulet stream list' shows them";
        }
        if rows.iter().any(|row| row.credit.units > 0) {
            text += "\ncredit: what a payout that did not go through has left; 'rivulet earn collect' takes it";
        }
        let tokens: Vec<_> = rows.iter().map(Row::json).collect();
        Ok(Told::new(json!({ "payee": payee.to_string(), "as_of": head.now, "relayer_asked": of_relayer.is_some(), "tokens": tokens }), text))
    }
}

impl Row {
    fn json(&self) -> serde_json::Value {
        let coin = &self.credit.coin;
        let channels = self.channels.as_ref().map(|c| {
            json!({
                "count": c.channels, "accepted": coin.money(c.accepted).json(), "claimed": coin.money(c.claimed).json(),
                "pending": coin.money(c.pending).json(), "lost": coin.money(c.lost).json(),
            })
        });
        json!({
            "token": coin.name, "token_address": coin.token.to_string(), "channels": channels,
            "streams": { "count": self.streams, "claimable": self.claimable.json(), "paid": self.streamed.json() },
            "credit": self.credit.json(),
        })
    }

    fn line(&self) -> Vec<String> {
        let coin = &self.credit.coin;
        let of = |of: fn(&TokenEarnings) -> u128| self.channels.as_ref().map_or("-".into(), |c| text::whole(of(c), coin.decimals));
        let whole = |money: &Money| text::whole(money.units, coin.decimals);
        vec![
            coin.name.clone(),
            of(|c| c.accepted),
            of(|c| c.pending),
            of(|c| c.claimed),
            self.streams.to_string(),
            whole(&self.claimable),
            whole(&self.streamed),
            whole(&self.credit),
        ]
    }
}
