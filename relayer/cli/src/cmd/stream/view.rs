//! A stream as it is shown, and as it grows between blocks.

use crate::{
    amount::{Coin, Money, per_hour},
    failure::Failure,
    network::Network,
    statement::reference,
    told::Told,
};
use clap::ValueEnum;
use rivulet_chain::{StreamBalances, StreamDelegate, StreamDetails};
use rivulet_core::{
    ids::StreamNumber,
    stream::{Cliff, Flags, Rights, StreamStatus, schedule::SCALE},
};
use rivulet_rules::{
    chain::{BlockHead, StreamState},
    statement::time_text,
    text,
};
use serde_json::{Value, json};

/// What a delegate may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Right {
    /// Pause it.
    Pause,
    /// Resume it.
    Resume,
    /// Set its rate, up to the cap.
    Adjust,
    /// Take back, to the payer, what is neither owed nor committed.
    Refund,
    /// Cancel or void it.
    Cancel,
}

impl Right {
    /// Its bit.
    pub fn bit(self) -> u8 {
        match self {
            Self::Pause => Rights::PAUSE,
            Self::Resume => Rights::RESUME,
            Self::Adjust => Rights::ADJUST,
            Self::Refund => Rights::REFUND,
            Self::Cancel => Rights::CANCEL,
        }
    }

    /// Their names, as they are written.
    pub fn names(bits: u8) -> Vec<String> {
        let named = |right: &&Self| bits & right.bit() != 0;
        Self::value_variants().iter().filter(named).filter_map(|right| Some(right.to_possible_value()?.get_name().to_owned())).collect()
    }
}

/// What is asked only of a stream that is shown alone.
#[derive(Clone, Copy, Debug)]
struct More {
    /// Of what is claimable.
    relay_fee: u128,
    delegate: Option<StreamDelegate>,
}

/// A stream as of one block.
#[derive(Clone, Debug)]
pub struct View {
    /// What the chain says.
    pub state: StreamState,
    /// When the flow begins, and what falls due then.
    pub cliff: Option<Cliff>,
    /// Its figures.
    pub balances: StreamBalances,
    flags: u8,
    more: Option<More>,
    /// Of what.
    pub coin: Coin,
    /// The block's time (Unix seconds).
    pub at: u64,
}

fn status(code: u8) -> &'static str {
    const NAMES: [(StreamStatus, &str); 11] = [
        (StreamStatus::Unknown, "unknown"),
        (StreamStatus::Pending, "pending"),
        (StreamStatus::Streaming, "streaming"),
        (StreamStatus::StreamingInsolvent, "streaming_insolvent"),
        (StreamStatus::Paused, "paused"),
        (StreamStatus::PausedInsolvent, "paused_insolvent"),
        (StreamStatus::Ended, "ended"),
        (StreamStatus::EndedInsolvent, "ended_insolvent"),
        (StreamStatus::Cancelled, "cancelled"),
        (StreamStatus::Voided, "voided"),
        (StreamStatus::Closed, "closed"),
    ];
    // Statuses are appended: a newer contract may have one that is not known here.
    NAMES.iter().find(|(status, _)| *status as u8 == code).map_or("other", |(_, name)| name)
}

impl View {
    /// As of a block.
    pub async fn read(network: &Network, number: StreamNumber, head: BlockHead) -> anyhow::Result<Self> {
        let found = network.chain.stream_details(number, head.block).await?;
        let StreamDetails { state, cliff, flags, balances } = found.ok_or_else(|| {
            Failure::NotFound(format!(
                "there is no stream {number}: it has ended, was handed over, or never was. 'rivulet stream list' shows those there are"
            ))
        })?;
        Ok(Self { coin: network.coin_of(&state.token), state, cliff, balances, flags, more: None, at: head.now })
    }

    /// As of the newest finalized block, with all that there is to know.
    pub async fn whole(network: &Network, number: StreamNumber) -> anyhow::Result<Self> {
        let head = network.head().await?;
        let view = Self::read(network, number, head).await?;
        let (_, relay_fee) = network.chain.claimable_of_stream(number, head.block).await?;
        let delegate = network.chain.stream_delegate(number, head.block).await?;
        Ok(Self { more: Some(More { relay_fee, delegate }), ..view })
    }

    /// What a command has made of a stream: the stream, or that its record is gone.
    pub async fn after(network: &Network, number: StreamNumber) -> anyhow::Result<Told> {
        match network.chain.stream(number, network.head().await?.block).await? {
            Some(_) => Ok(Self::whole(network, number).await?.told()),
            None => Ok(Told::new(json!({ "stream": number.to_string(), "status": "closed" }), format!("stream {number}: closed"))),
        }
    }

    /// What has flowed to the payee by a time: paid and claimable. Between blocks it follows from the rate; the chain rounds as this does, or a unit lower.
    pub fn earned_at(&self, now: u64) -> u128 {
        let s = &self.state;
        let is_flowing = s.status == StreamStatus::Streaming as u8 || s.status == StreamStatus::Pending as u8;
        let until = if s.end_at > 0 { now.min(s.end_at) } else { now };
        // Nothing flows before the cliff; what falls due there is in the debt once the block is not before it.
        let begins_at = self.cliff.map_or(s.start_at, |cliff| cliff.at);
        let secs = if is_flowing { until.saturating_sub(self.at.max(begins_at)) } else { 0 };
        let at_cliff = self.cliff.filter(|cliff| is_flowing && self.at < cliff.at && cliff.at <= now).map_or(0, |cliff| cliff.amount);
        let flowed = (s.rate_per_second_scaled.saturating_mul(u128::from(secs)) / SCALE).saturating_add(at_cliff);
        s.paid.saturating_add(s.covered_debt).saturating_add(flowed).min(s.deposit)
    }

    /// True while the payer has not given up cancelling.
    pub fn is_cancellable(&self) -> bool {
        self.flags & Flags::CANCELLABLE != 0
    }

    /// The committed part of the deposit that is not paid yet, with what more than it is owed.
    pub fn due_to_payee(&self) -> u128 {
        let (s, b) = (&self.state, &self.balances);
        b.committed.min(s.deposit).saturating_sub(s.paid).max(s.covered_debt)
    }

    fn money(&self, units: u128) -> Money {
        self.coin.money(units)
    }

    /// Its stable shape.
    pub fn json(&self) -> Value {
        let s = &self.state;
        let b = &self.balances;
        let mut json = json!({
            "stream": s.number.to_string(), "book": s.number.book, "serial": s.number.serial, "stream_id": text::hex(&s.stream_id.0),
            "status": status(s.status), "payer": s.payer.to_string(), "payee": s.payee.to_string(),
            "rate_per_second_scaled": s.rate_per_second_scaled.to_string(), "rate": per_hour(s.rate_per_second_scaled, &self.coin),
            "deposit": self.money(s.deposit).json(), "paid": self.money(s.paid).json(), "claimable": self.money(s.covered_debt).json(),
            "total_debt": self.money(b.total_debt).json(), "uncovered_debt": self.money(b.uncovered_debt).json(),
            "refundable": self.money(b.refundable).json(), "committed": self.money(b.committed).json(),
            "start_at": s.start_at, "cliff_at": self.cliff.map(|c| c.at), "cliff_amount": self.cliff.map(|c| self.money(c.amount).json()),
            "end_at": s.end_at, "depletes_at": s.depletes_at,
            "cancellable": self.is_cancellable(), "transferable": self.flags & Flags::TRANSFERABLE != 0,
            "memo": text::hex(&s.memo), "reference": reference(&s.memo), "as_of": self.at,
        });
        if let Some(More { relay_fee, delegate }) = &self.more {
            json["relay_fee"] = self.money(*relay_fee).json();
            json["delegate"] = delegate.map_or(Value::Null, |d| {
                let cap = d.rate_cap_per_second_scaled;
                json!({
                    "address": d.address.to_string(), "rights": Right::names(d.rights),
                    "rate_cap_per_second_scaled": cap.to_string(), "rate_cap": (cap > 0).then(|| per_hour(cap, &self.coin)),
                })
            });
        }
        json
    }

    /// The list's head.
    pub fn head() -> Vec<String> {
        let columns = [
            "stream",
            "status",
            "token",
            "rate",
            "deposit",
            "paid",
            "claimable",
            "not covered",
            "committed",
            "starts",
            "cliff",
            "ends",
            "payer",
            "payee",
        ];
        columns.map(str::to_owned).to_vec()
    }

    /// A row of the list.
    pub fn row(&self) -> Vec<String> {
        let s = &self.state;
        let whole = |units| text::whole(units, self.coin.decimals);
        let rate = per_hour(s.rate_per_second_scaled, &self.coin);
        let (deposit, paid, claimable) = (whole(s.deposit), whole(s.paid), whole(s.covered_debt));
        let some = |units| if units == 0 { String::new() } else { whole(units) };
        let time = |at: u64| if at > self.at { time_text(at) } else { String::new() };
        // What is over is not in the list: a column is there for those streams that still have it before them.
        let cliff = self.cliff.filter(|c| c.at > self.at).map_or(String::new(), |c| format!("{} at {}", whole(c.amount), time_text(c.at)));
        vec![
            s.number.to_string(),
            status(s.status).into(),
            self.coin.name.clone(),
            rate,
            deposit,
            paid,
            claimable,
            some(self.balances.uncovered_debt),
            some(self.balances.committed),
            time(s.start_at),
            cliff,
            time(s.end_at),
            s.payer.to_string(),
            s.payee.to_string(),
        ]
    }

    /// For people, a line a fact.
    pub fn told(&self) -> Told {
        let (s, b) = (&self.state, &self.balances);
        let mut lines = vec![format!("stream {}: {}", s.number, status(s.status))];
        let mut line = |name: &str, text: String| lines.push(format!("  {name:<10} {text}"));
        line("payer", s.payer.to_string());
        line("payee", s.payee.to_string());
        line("rate", per_hour(s.rate_per_second_scaled, &self.coin));
        line("deposit", format!("{}, {} paid, {} claimable", self.money(s.deposit), self.money(s.paid), self.money(s.covered_debt)));
        if let Some(fee) = self.more.map(|more| more.relay_fee).filter(|fee| *fee > 0) {
            line("relay fee", format!("{} of what is claimable", self.money(fee)));
        }
        if b.uncovered_debt > 0 {
            line("not covered", format!("{} owed beyond the deposit: 'rivulet stream topup {}' pays it", self.money(b.uncovered_debt), s.number));
        }
        if b.committed > 0 {
            line("committed", format!("{} of the deposit never come back to the payer", self.money(b.committed)));
        }
        let held = if self.is_cancellable() { "" } else { ", but not before the end: the payer gave up cancelling" };
        line("refundable", format!("{}{held}", self.money(b.refundable)));
        line(if s.start_at > self.at { "starts" } else { "started" }, time_text(s.start_at));
        if let Some(Cliff { at, amount }) = self.cliff {
            line("cliff", format!("{} at {}, nothing before", self.money(amount), time_text(at)));
        }
        if s.end_at > 0 {
            line(if s.end_at > self.at { "ends" } else { "ended" }, time_text(s.end_at));
        }
        if s.depletes_at > 0 {
            line("lasts to", time_text(s.depletes_at));
        }
        if self.flags & Flags::TRANSFERABLE != 0 {
            line("hand-over", "the payee may hand its side to somebody else".into());
        }
        if let Some(delegate) = self.more.and_then(|more| more.delegate) {
            let cap = delegate.rate_cap_per_second_scaled;
            let cap = if cap > 0 { format!(", up to {}", per_hour(cap, &self.coin)) } else { String::new() };
            line("delegate", format!("{} may {}{cap}", delegate.address, Right::names(delegate.rights).join(", ")));
        }
        if let Some(reference) = reference(&s.memo) {
            line("reference", reference.into());
        }
        Told::new(self.json(), lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::{Address, StreamId};

    #[test]
    fn between_blocks_money_flows_by_the_rate_to_the_end_and_never_beyond_the_deposit() {
        let state = StreamState {
            number: StreamNumber { book: 1, serial: 0 },
            stream_id: StreamId([1; 32]),
            status: StreamStatus::Streaming as u8,
            payer: Address([1; 20]),
            payee: Address([2; 20]),
            token: Address([3; 20]),
            rate_per_second_scaled: 5 * SCALE / 2,
            start_at: 0,
            end_at: 0,
            memo: [0; 32],
            deposit: 1_000,
            paid: 100,
            covered_debt: 50,
            depletes_at: 0,
        };
        let coin = Coin { name: "usdc".into(), token: Address([3; 20]), decimals: 6 };
        let figures =
            StreamBalances { deposit: 0, paid: 0, committed: 0, total_debt: 0, covered_debt: 0, uncovered_debt: 0, refundable: 0, depletes_at: 0 };
        let view = |state| View { state, cliff: None, balances: figures, flags: 0, more: None, coin: coin.clone(), at: 1_000 };
        let earned = |state, now| view(state).earned_at(now);
        assert_eq!([earned(state, 1_000), earned(state, 1_003), earned(state, 2_000), earned(state, 900)], [150, 157, 1_000, 150]);
        assert_eq!(earned(StreamState { end_at: 1_002, ..state }, 1_010), 155);
        assert_eq!(earned(StreamState { status: StreamStatus::Paused as u8, ..state }, 1_010), 150);
        assert_eq!(status(200), "other");
        // Before the start, and before the cliff, nothing flows.
        let pending = StreamState { status: StreamStatus::Pending as u8, start_at: 1_004, paid: 0, covered_debt: 0, ..state };
        assert_eq!([earned(pending, 1_004), earned(pending, 1_006)], [0, 5]);
        let cliff = View { cliff: Some(Cliff { at: 1_004, amount: 40 }), ..view(state) };
        assert_eq!([cliff.earned_at(1_003), cliff.earned_at(1_004), cliff.earned_at(1_006)], [150, 190, 195]);
    }

    #[test]
    fn rights_have_the_names_that_they_are_given_by() {
        assert_eq!(Right::names(Rights::ALL), ["pause", "resume", "adjust", "refund", "cancel"]);
        assert_eq!(Right::names(Rights::ADJUST | Rights::CANCEL), ["adjust", "cancel"]);
    }
}
