//! A channel as it is shown.

use crate::{
    amount::{Coin, Money},
    kept::Purser,
    network::Network,
    told::Told,
};
use rivulet_client::{Channel, Kept, Limits, Purchase};
use rivulet_core::ids::ChannelNumber;
use rivulet_rules::{
    chain::{BlockHead, ChannelState, ChannelView},
    statement::time_text,
    text,
};
use serde_json::{Value, json};

/// What is known of a channel: by the chain, and by the purse.
pub struct View<'a> {
    network: &'a Network,
    number: ChannelNumber,
    state: Option<ChannelState>,
    kept: Option<Kept>,
    at: u64,
    /// Of its site, with what was spent there in all and in this period.
    limits: Option<(Limits, u128, u128)>,
}

/// What the payer asked to have back of an open channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// How much.
    pub amount: u128,
    /// From when on it can be taken (Unix seconds).
    pub due_at: u64,
    /// From when on it can no longer.
    pub lapses_at: u64,
}

impl Asked {
    /// Of a channel, whether it has lapsed or not.
    pub fn of(state: &ChannelState) -> Option<Self> {
        let due_at = state.refund_due_at?;
        Some(Self { amount: state.refund_requested, due_at, lapses_at: state.record().refund_lapses_at() })
    }
}

fn optional(value: Option<&Purchase>, coin: &Coin) -> Value {
    value.map_or(
        Value::Null,
        |p| json!({ "purchase": p.name, "amount": coin.money(p.amount).json(), "cumulative_amount": coin.money(p.cumulative_amount).json() }),
    )
}

impl<'a> View<'a> {
    /// As of a block; `None` when neither knows of it.
    pub async fn read(network: &'a Network, number: ChannelNumber, kept: Option<Kept>, head: BlockHead) -> anyhow::Result<Option<Self>> {
        let state = match network.chain.channel(number, head.block).await? {
            ChannelView::Live(state) => Some(state),
            ChannelView::Unknown | ChannelView::Closed => None,
        };
        Ok((state.is_some() || kept.is_some()).then_some(Self { network, number, state, kept, at: head.now, limits: None }))
    }

    /// Of a channel in a purse, as of the newest finalized block; the purse takes in what the chain says.
    pub async fn of(network: &'a Network, purser: &Purser, channel: &Channel) -> anyhow::Result<Self> {
        let head = network.head().await?;
        let view = network.chain.channel(channel.number(), head.block).await?;
        purser.follow(channel.id, &view, head.now)?;
        let state = if let ChannelView::Live(state) = view { Some(state).filter(|state| state.terms == channel.terms) } else { None };
        let kept = purser.purse.get(channel.id);
        let limits = kept.as_ref().map(|kept| {
            let (site, token) = (&kept.site, kept.channel.terms.token);
            let (spent, in_period) = purser.purse.spent(site, token);
            (purser.purse.limits(site, token), spent, in_period)
        });
        Ok(Self { network, number: channel.number(), state, kept, at: head.now, limits })
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

    /// What was asked back and can still be taken, now or later.
    pub fn asked(&self) -> Option<Asked> {
        self.state.as_ref().and_then(Asked::of).filter(|asked| self.at < asked.lapses_at)
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
        let limits = self.limits.map(|(limits, spent, in_period)| {
            json!({
                "total": limits.total.map(|units| coin.money(units).json()),
                "per_period": limits.per_period.map(|period| coin.money(period.amount).json()), "period_secs": limits.per_period.map(|period| period.secs),
                "spent": coin.money(spent).json(), "spent_in_period": coin.money(in_period).json(),
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
            "refund_requested": self.asked().map(|a| self.money(a.amount).json()),
            "refund_due_at": self.asked().map(|a| a.due_at), "refund_lapses_at": self.asked().map(|a| a.lapses_at),
            "kept": kept, "limits": limits,
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
            self.asked().map_or(String::new(), |a| {
                format!("{} from {} to {}", text::whole(a.amount, self.coin().decimals), time_text(a.due_at), time_text(a.lapses_at))
            }),
            self.terms().map_or(String::new(), |t| t.payee.to_string()),
        ]
    }

    /// The list's head.
    pub fn head() -> Vec<String> {
        ["channel", "status", "site", "token", "deposit", "paid", "left", "asked back", "payee"].map(str::to_owned).to_vec()
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
                lines.push(format!("  closing  can be finished from {} on, by 'rivulet channel close {}'", time_text(due), self.number));
            }
            if let Some(Asked { amount, due_at, lapses_at }) = self.asked() {
                let (amount, due, lapses, number) = (self.money(amount), time_text(due_at), time_text(lapses_at), self.number);
                lines.push(format!("  refund   {amount} asked back: to be taken from {due} until {lapses}, by 'rivulet channel refund {number}'"));
            }
        }
        if let Some(kept) = &self.kept {
            lines.push(format!("  paid     {} to {}, {} left", self.money(kept.accepted), kept.site, self.money(kept.left())));
            if let Some((Limits { total, per_period }, spent, in_period)) = self.limits {
                let total = total.map(|total| format!("{} in all, {} spent", self.money(total), self.money(spent)));
                let period = per_period.map(|period| {
                    let every = if period.secs == 86_400 { "a day (UTC)".to_owned() } else { format!("in {} seconds", period.secs) };
                    format!("{} {every}, {} spent", self.money(period.amount), self.money(in_period))
                });
                let said: Vec<_> = total.into_iter().chain(period).collect();
                if !said.is_empty() {
                    lines.push(format!("  limits   {} at {}", said.join("; "), kept.site));
                }
            }
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
