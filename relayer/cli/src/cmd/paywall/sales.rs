//! `rivulet paywall purchases` and `refund`: what was sold, and money back.

use super::Paywall;
use crate::{
    cmd::block_on,
    failure::Failure,
    told::{self, Told},
};
use anyhow::Context;
use clap::Args;
use rivulet_chain::Deployment;
use rivulet_core::ids::Number;
use rivulet_paywall::{
    price::{Coin, amount_of, coins},
    store::{PurchaseId, PurchaseRow, Store},
};
use rivulet_rules::{statement::time_text, text};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Lists purchases, newest first.
#[derive(Debug, Args)]
pub struct Purchases {
    /// Of this channel only.
    #[arg(long, value_name = "BOOK/SERIAL", value_parser = number)]
    channel: Option<Number>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Gives a purchase back: from then on it is credit of its channel, a lower price next time. A paywall may be running.
#[derive(Debug, Args)]
pub struct Refund {
    /// Its channel.
    #[arg(long, value_name = "BOOK/SERIAL", value_parser = number)]
    channel: Number,
    /// Which: the nonce that `purchases` lists, and that the payer got as `transaction`.
    #[arg(long, value_name = "NONCE", value_parser = nonce)]
    purchase: [u8; 32],
    /// Only a part of it: an amount with its token, such as 0.05usdc.
    #[arg(long)]
    amount: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn nonce(given: &str) -> Result<[u8; 32], String> {
    text::bytes(given).ok_or_else(|| "expected 0x and 64 hex digits".to_owned())
}

fn number(given: &str) -> Result<Number, String> {
    let parts = given.split_once('/').and_then(|(book, serial)| Some(Number { book: book.parse().ok()?, serial: serial.parse().ok()? }));
    parts.ok_or_else(|| "expected BOOK/SERIAL, such as 1/0".to_owned())
}

/// What is sold where: the store, and what the deployment's file calls its tokens.
struct Shop {
    store: Store,
    deployment: PathBuf,
    coins: Vec<Coin>,
}

impl Shop {
    /// Without needing the rest of the configuration.
    fn open(paywall: &Paywall) -> anyhow::Result<Self> {
        let config = paywall.config.as_ref().map(|_| paywall.configure()).transpose()?;
        let database = paywall.database.clone().or_else(|| config.as_ref().map(|c| c.database.clone()));
        let database = database.ok_or_else(|| Failure::Usage("which paywall? --database or --config says it".to_owned()))?;
        let deployment = paywall.deployment.clone().or(config.map(|c| c.deployment)).unwrap_or_else(|| "deployments/dev.json".into());
        let store = Store::beside(&database).context("cannot use the database")?;
        // A list can do without it.
        let coins = Deployment::load(&deployment).map(|d| coins(&d)).unwrap_or_default();
        Ok(Self { store, deployment, coins })
    }

    /// An amount as people read it; in units when no file says what its token is called.
    fn amount(&self, row: &PurchaseRow, units: u128) -> String {
        match self.coins.iter().find(|coin| coin.token == row.token) {
            Some(coin) => format!("{}{}", text::whole(units, coin.decimals), coin.name),
            None => format!("{units} units of {}", row.token),
        }
    }

    /// A part of what a purchase cost.
    fn part_of(&self, row: &PurchaseRow, amount: &str) -> anyhow::Result<u128> {
        // Read again, for its error.
        let deployment = Deployment::load(&self.deployment)
            .context("cannot use the deployment file, which says what the amount's token is: --deployment names it")?;
        let (coin, units) = amount_of(amount, &coins(&deployment))?;
        if coin.token != row.token {
            return Err(Failure::Usage(format!("the purchase was paid in {}, not in {} ({})", row.token, coin.name, coin.token)).into());
        }
        if units > row.charged {
            let most = self.amount(row, row.charged);
            return Err(Failure::Usage(format!(
                "--amount: expected at most {most}, which is what the purchase cost less what was given back, got {amount}"
            ))
            .into());
        }
        Ok(units)
    }
}

impl Purchases {
    pub fn run(&self, paywall: &Paywall) -> anyhow::Result<()> {
        let shop = Shop::open(paywall)?;
        let rows = shop.store.purchases(self.channel, self.limit)?;
        let json: Vec<_> = rows.iter().map(|row| json_of(row, &shop)).collect();
        let head = ["bought at", "channel", "cost", "asked for", "purchase", "request"].map(str::to_owned).to_vec();
        let line = |row: &PurchaseRow| {
            let cost = shop.amount(row, row.charged);
            vec![time_text(row.bought_at), row.number.to_string(), cost, format!("{}x", row.requests), text::hex(&row.id.nonce), row.request.clone()]
        };
        let text = match rows.is_empty() {
            true => "no purchases yet".to_owned(),
            false => told::table(&[head].into_iter().chain(rows.iter().map(line)).collect::<Vec<_>>()),
        };
        Told::new(Value::from(json), text).print(self.json).context("cannot print the answer")
    }
}

impl Refund {
    pub fn run(&self, paywall: &Paywall) -> anyhow::Result<()> {
        let Self { channel, purchase, amount, json } = self;
        let shop = Shop::open(paywall)?;
        let rows = shop.store.purchases(Some(*channel), u32::MAX)?;
        let missing =
            || Failure::NotFound(format!("no such purchase of channel {channel}: `rivulet paywall purchases --channel {channel}` lists them"));
        let row = rows.iter().find(|row| row.id.nonce == *purchase).ok_or_else(missing)?;
        if row.charged == 0 {
            return Err(Failure::Usage("nothing of this purchase is left to give back: all that it cost was given back before".to_owned()).into());
        }
        let units = amount.as_deref().map(|amount| shop.part_of(row, amount)).transpose()?;
        let id = PurchaseId { channel: row.id.channel, nonce: *purchase };
        let back = block_on(async { Ok(shop.store.give_back(id, units).await?) })?;
        let (returned, before, left) = (shop.amount(row, back), shop.amount(row, row.charged), row.charged.saturating_sub(back));
        let told = json!({
            "channel": channel.to_string(), "nonce": text::hex(purchase), "token": row.token.to_string(), "returned": back.to_string(), "charged": left.to_string(),
        });
        let text = format!("{returned} of {before} is credit of channel {channel} now: its payer promises so much less for what it buys next");
        Told::new(told, text).print(*json).context("cannot print the answer")
    }
}

fn json_of(row: &PurchaseRow, shop: &Shop) -> Value {
    json!({
        "channel": row.number.to_string(), "channel_id": text::hex(&row.id.channel.0), "nonce": text::hex(&row.id.nonce), "payer": row.payer.to_string(),
        "token": row.token.to_string(), "charged": row.charged.to_string(), "cost": shop.amount(row, row.charged), "requests": row.requests,
        "bought_at": row.bought_at, "request": row.request,
    })
}
