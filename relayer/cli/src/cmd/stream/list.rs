//! `rivulet stream list`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    network::{Network, NetworkArgs},
    party::Party,
    told::{Told, table},
};
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use rivulet_core::ids::{Address, StreamNumber};
use rivulet_rules::chain::{BlockHead, ContractKind};
use serde_json::json;

/// Lists streams: to the account, from it, or another's.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream list
      what flows to and from the account
  rivulet stream list --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --json
      somebody's income, for programs; no key is needed")]
pub struct List {
    /// Those that pay this account.
    #[arg(long, value_name = "ACCOUNT")]
    payee: Option<Party>,
    /// Those that this account pays. Reads every book of the contract.
    #[arg(long, value_name = "ACCOUNT")]
    payer: Option<Party>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

const KIND: ContractKind = ContractKind::Streams;
/// Serials in one page of a listing.
const PAGE: u32 = 400;
/// Records read at once.
const AT_ONCE: usize = 32;

async fn book(network: &Network, book: u32, head: BlockHead) -> anyhow::Result<Vec<View>> {
    let (mut views, mut from) = (Vec::new(), Some(0));
    while let Some(start) = from {
        let (serials, next) = network.chain.open_serials(KIND, book, start, PAGE, head.block).await?;
        from = next;
        let read = stream::iter(serials.into_iter().map(|serial| View::read(network, StreamNumber { book, serial }, head)));
        views.extend(read.buffered(AT_ONCE).try_collect::<Vec<_>>().await?);
    }
    Ok(views)
}

async fn to(network: &Network, payee: &Address, head: BlockHead) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for token in network.chain.tokens(KIND, head.block).await? {
        if let Some(number) = network.chain.book_of(KIND, payee, &token, head.block).await? {
            views.extend(book(network, number, head).await?);
        }
    }
    Ok(views)
}

async fn from(network: &Network, payer: &Address, head: BlockHead) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for number in 1..=network.chain.books(KIND, head.block).await? {
        views.extend(book(network, number, head).await?.into_iter().filter(|view| view.state.payer == *payer));
    }
    Ok(views)
}

impl List {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let head = network.head().await?;
        let (payee, payer) = match (&self.payee, &self.payer) {
            (None, None) => {
                let own = self.key.account(&network.deployment)?.signer.address();
                (Some(own), Some(own))
            }
            (payee, payer) => (payee.as_ref().map(Party::address), payer.as_ref().map(Party::address)),
        };
        let mut views = Vec::new();
        if let Some(payee) = &payee {
            views.extend(to(&network, payee, head).await?);
        }
        if let Some(payer) = &payer {
            views.extend(from(&network, payer, head).await?);
        }
        views.sort_by_key(|view| view.state.number);
        views.dedup_by_key(|view| view.state.number);
        let rows: Vec<_> = std::iter::once(View::head()).chain(views.iter().map(View::row)).collect();
        let text = if views.is_empty() { "no streams".to_owned() } else { table(&rows) };
        Ok(Told::new(json!({ "streams": views.iter().map(View::json).collect::<Vec<_>>(), "as_of": head.now }), text))
    }
}
