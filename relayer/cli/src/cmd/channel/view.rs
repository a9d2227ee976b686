//! A channel as it is shown.

use crate::{
    amount::{Coin, Money},
    network::Network,
    told::Told,
};
use rivulet_client::{Channel, Kept, Purchase};
use rivulet_core::ids::ChannelNumber;
use rivulet_rules::{
    chain::{BlockRef, ChannelState, ChannelView},
    text,
};
use serde_json::{Value, json};

/// What is known of a channel: by the chain, and by the purse.
pub struct View<'a> {
    network: &'a Network,
    number: ChannelNumber,
    state: Option<ChannelState>,
    kept: Option<Kept>,
}

fn optional(value: Option<&Purchase>, coin: &Coin) -> Value {
    value.map_or(
        Value::Null,
        |p| json!({ "purchase": p.name, "amount": coin.money(p.amount).json(), "cumulative_amount": coin.money(p.cumulative_amount).json() }),
    )
}

impl<'a> View<'a> {
    /// As of a block; `None` when neither knows of it.
    pub async fn read(network: &'a Network, number: ChannelNumber, kept: Option<Kept>, block: BlockRef) -> anyhow::Result<Option<Self>> {
        let state = match network.chain.channel(number, block).await? {
            ChannelView::Live(state) => Some(state),
            ChannelView::Unknown | ChannelView::Closed => None,
        };
        Ok((state.is_some() || kept.is_some()).then_some(Self { network, number, state, kept }))
    }

    /// What the chain says, while it is open.
    pub fn state(&self) -> Option<&ChannelState> {
        self.state.as_ref()
    }

    fn channel(&self) -> Option<&Channel> {
        self.kept.as_ref().map(|kept| &kept.channel)
    }

    fn terms(&self) -> Option<rivulet_core::ids::ChannelTerms> {
        self.state.map(|state| state.terms).or_else(|| self.channel().map(|c| c.terms))
    }

    fn coin(&self) -> Coin {
        self.network.coin_of(&self.terms().map_or(Default::default(), |t| t.token))
    }

    fn money(&self, units: u128) -> Money {
        self.coin().money(units)
    }

    fn status(&self) -> &'static str {
        match &self.state {
            Some(state) if state.close_due_at.is_some() => "closing",
            Some(_) => "open",
            None => "closed",
        }
    }

    fn deposit(&self) -> u128 {
        self.state.map(|s| s.deposit).or_else(|| self.channel().map(|c| c.deposit)).unwrap_or(0)
    }

    /// Its stable shape.
    pub fn json(&self) -> Value {
        let coin = self.coin();
        let terms = self.terms();
        let party = |of: fn(&rivulet_core::ids::ChannelTerms) -> rivulet_core::ids::Address| terms.as_ref().map(|t| of(t).to_string());
        let kept = self.kept.as_ref().map(|kept| {
            json!({
                "site": kept.site,
                "accepted": coin.money(kept.accepted).json(), "promised": coin.money(kept.channel.promised).json(), "left": coin.money(kept.left()).json(),
                "pending": optional(kept.pending.as_ref(), &coin), "last": optional(kept.last.as_ref(), &coin),
            })
        });
        json!({
            "channel": self.number.to_string(), "book": self.number.book, "serial": self.number.serial,
            "channel_id": self.channel().map(|c| text::hex(&c.id.0)),
            "status": self.status(),
            "payer": party(|t| t.payer), "payee": party(|t| t.payee), "voucher_signer": party(|t| t.voucher_signer),
            "challenge_period_secs": terms.map(|t| t.challenge_period_secs), "opened_at": terms.map(|t| t.opened_at),
            "deposit": self.money(self.deposit()).json(),
            "claimed": self.state.map(|s| self.money(s.claimed).json()),
            "close_due_at": self.state.and_then(|s| s.close_due_at),
            "kept": kept,
        })
    }

    /// A row of the list.
    pub fn row(&self) -> Vec<String> {
        let kept = |of: fn(&Kept) -> u128| self.kept.as_ref().map_or("-".into(), |k| text::whole(of(k), self.coin().decimals));
        vec![
            self.number.to_string(),
            self.status().into(),
            self.kept.as_ref().map_or(String::new(), |k| k.site.clone()),
            self.coin().name,
            text::whole(self.deposit(), self.coin().decimals),
            kept(|k| k.accepted),
            kept(Kept::left),
            self.terms().map_or(String::new(), |t| t.payee.to_string()),
        ]
    }

    /// The list's head.
    pub fn head() -> Vec<String> {
        ["channel", "status", "site", "token", "deposit", "paid", "left", "payee"].map(str::to_owned).to_vec()
    }

    /// For people, a line a fact.
    pub fn told(&self) -> Told {
        let mut lines = vec![format!("channel {}: {}", self.number, self.status())];
        if let Some(terms) = self.terms() {
            lines.push(format!("  payer    {}\n  payee    {}", terms.payer, terms.payee));
        }
        lines.push(format!("  deposit  {}", self.money(self.deposit())));
        if let Some(state) = self.state {
            lines.push(format!("  claimed  {}", self.money(state.claimed)));
            if let Some(due) = state.close_due_at {
                lines.push(format!("  closing  can be finished from {} on", rivulet_rules::statement::time_text(due)));
            }
        }
        if let Some(kept) = &self.kept {
            lines.push(format!("  paid     {} to {}, {} left", self.money(kept.accepted), kept.site, self.money(kept.left())));
            if let Some(pending) = &kept.pending {
                let amount = self.money(pending.amount);
                lines.push(format!(
                    "  pending  {amount}: what became of it is not known, hand it over by 'rivulet channel pay {} --pending'",
                    self.number
                ));
            }
        }
        Told::new(self.json(), lines.join("\n"))
    }
}
