//! A car pays a charging station, with nobody present and no network: the station checks each voucher by itself, and goes online once a day.

use rivulet_client::{Channel, OpenChannel, SignedVoucher};
use rivulet_core::{
    SoftKeccak,
    eip712::{Domain, Message, Voucher},
    ids::{Address, Deployment},
};
use rivulet_e2e::{
    Error, Result,
    town::{CENT, Town, usdc},
};
use rivulet_rules::{accept::signature::recover, chain::ContractKind};

/// What the station knows of a channel since it last saw the chain.
struct Meter {
    channel: Channel,
    signer: Address,
    contract: Deployment,
    best: Option<SignedVoucher>,
}

impl Meter {
    /// Only a voucher of this channel, signed by its key, covered, and so much higher than the last one is worth another second of current.
    fn accept(&mut self, voucher: SignedVoucher, price: u128) -> Result<()> {
        let digest = Voucher { channel_id: self.channel.id, cumulative_amount: voucher.cumulative_amount }
            .digest(&Domain::Channels.separator(&self.contract, &SoftKeccak), &SoftKeccak);
        let least = self.best.map_or(0, |best| best.cumulative_amount) + price;
        let is_good = recover(digest, &voucher.signature) == Some(self.signer)
            && voucher.cumulative_amount >= least
            && voucher.cumulative_amount <= self.channel.deposit;
        self.best = Some(voucher).filter(|_| is_good).or(self.best);
        if is_good { Ok(()) } else { Err(Error::new("no current for this voucher")) }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (car, station) = (town.payer("car").await?, town.creator("station").await?);
    let before = town.purse(station.lane()).await?;
    // A long period: the station may be offline for days and still claim in time.
    let wanted = OpenChannel { payee: station.address(), token: usdc(), challenge_period_secs: 7 * 86_400, amount: 3_000 * CENT };
    let mut channel = car.open(&wanted).await?;
    let contract = car.chain().binding(ContractKind::Channels);
    let mut meter = Meter { channel, signer: car.vouchers().key().address(), contract, best: None };

    // From here on, only the two of them: a cent a second.
    for _second in 0..600 {
        meter.accept(channel.pay(car.vouchers(), CENT)?, CENT)?;
    }
    let replayed = car.vouchers().sign(channel.number(), channel.id, channel.promised);
    if meter.accept(replayed, CENT).is_ok() {
        return Err(Error::new("the station took a voucher twice"));
    }
    println!("600 vouchers between the two, none on a network");

    // At night the station has a network for a minute: one voucher stands for all.
    if let Some(best) = meter.best {
        town.relayer()?.pay(&best).await?;
    }
    town.until_paid(&station, before, 600 * CENT).await?;
    println!("the station has $6.00, less the relayer's hundredth");
    town.close().await
}
