//! A stream as it is shown, and as it grows between blocks.

use crate::{
    amount::{Coin, Money, per_hour},
    failure::Failure,
    network::Network,
    told::Told,
};
use rivulet_core::{
    ids::StreamNumber,
    stream::{StreamStatus, schedule::SCALE},
};
use rivulet_rules::{
    chain::{BlockHead, StreamState},
    statement::time_text,
    text,
};
use serde_json::{Value, json};

/// A stream as of one block.
#[derive(Clone, Debug)]
pub struct View {
    /// What the chain says.
    pub state: StreamState,
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
        let state = network.chain.stream(number, head.block).await?;
        let state = state.ok_or_else(|| Failure::NotFound(format!("there is no stream {number}: it has ended, was handed over, or never was")))?;
        Ok(Self { coin: network.coin_of(&state.token), state, at: head.now })
    }

    /// What has flowed to the payee by a time: paid and claimable. Between blocks it follows from the rate; the chain rounds as this does, or a unit lower.
    pub fn earned_at(&self, now: u64) -> u128 {
        let s = &self.state;
        let is_flowing = matches!(s.status, code if code == StreamStatus::Streaming as u8);
        let until = if s.end_at > 0 { now.min(s.end_at) } else { now };
        let secs = if is_flowing { until.saturating_sub(self.at) } else { 0 };
        let flowed = s.rate_per_second_scaled.saturating_mul(u128::from(secs)) / SCALE;
        s.paid.saturating_add(s.covered_debt).saturating_add(flowed).min(s.deposit)
    }

    fn money(&self, units: u128) -> Money {
        self.coin.money(units)
    }

    /// Its stable shape.
    pub fn json(&self) -> Value {
        let s = &self.state;
        json!({
            "stream": s.number.to_string(), "book": s.number.book, "serial": s.number.serial, "stream_id": text::hex(&s.stream_id.0),
            "status": status(s.status), "payer": s.payer.to_string(), "payee": s.payee.to_string(),
            "rate_per_second_scaled": s.rate_per_second_scaled.to_string(), "rate": per_hour(s.rate_per_second_scaled, &self.coin),
            "deposit": self.money(s.deposit).json(), "paid": self.money(s.paid).json(), "claimable": self.money(s.covered_debt).json(),
            "start_at": s.start_at, "end_at": s.end_at, "depletes_at": s.depletes_at, "memo": text::hex(&s.memo), "as_of": self.at,
        })
    }

    /// The list's head.
    pub fn head() -> Vec<String> {
        ["stream", "status", "token", "rate", "deposit", "paid", "claimable", "payer", "payee"].map(str::to_owned).to_vec()
    }

    /// A row of the list.
    pub fn row(&self) -> Vec<String> {
        let s = &self.state;
        let whole = |units| text::whole(units, self.coin.decimals);
        let rate = per_hour(s.rate_per_second_scaled, &self.coin);
        let (deposit, paid, claimable) = (whole(s.deposit), whole(s.paid), whole(s.covered_debt));
        vec![
            s.number.to_string(),
            status(s.status).into(),
            self.coin.name.clone(),
            rate,
            deposit,
            paid,
            claimable,
            s.payer.to_string(),
            s.payee.to_string(),
        ]
    }

    /// For people.
    pub fn told(&self) -> Told {
        let s = &self.state;
        let mut lines = vec![
            format!("stream {}: {}", s.number, status(s.status)),
            format!("  payer      {}\n  payee      {}", s.payer, s.payee),
            format!("  rate       {}", per_hour(s.rate_per_second_scaled, &self.coin)),
            format!("  deposit    {}, {} paid, {} claimable", self.money(s.deposit), self.money(s.paid), self.money(s.covered_debt)),
        ];
        if s.end_at > 0 {
            lines.push(format!("  ends       {}", time_text(s.end_at)));
        }
        if s.depletes_at > 0 {
            lines.push(format!("  lasts to   {}", time_text(s.depletes_at)));
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
        let view = |state| View { state, coin: Coin { name: "usdc".into(), token: Address([3; 20]), decimals: 6 }, at: 1_000 };
        let earned = |state, now| view(state).earned_at(now);
        assert_eq!([earned(state, 1_000), earned(state, 1_003), earned(state, 2_000), earned(state, 900)], [150, 157, 1_000, 150]);
        assert_eq!(earned(StreamState { end_at: 1_002, ..state }, 1_010), 155);
        assert_eq!(earned(StreamState { status: StreamStatus::Paused as u8, ..state }, 1_010), 150);
        assert_eq!(status(200), "other");
    }
}
