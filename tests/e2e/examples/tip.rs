//! A tip for a creator that has no relayer: it gets the voucher itself, a few bytes in a message, and claims it when it likes.

use rivulet_client::OpenChannel;
use rivulet_e2e::{
    Result,
    town::{CENT, Town, expect, usdc},
};

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (fan, painter) = (town.payer("fan").await?, town.creator("painter").await?);
    let before = town.purse(painter.lane()).await?;

    let wanted = OpenChannel { payee: painter.address(), token: usdc(), challenge_period_secs: 3_600, amount: 2_000 * CENT };
    let mut channel = fan.open(&wanted).await?;
    let _small = channel.pay(fan.vouchers(), 25 * CENT)?;
    let tip = channel.pay(fan.vouchers(), 475 * CENT)?;
    println!("two tips: {} cents in all", tip.cumulative_amount / CENT);

    // The second voucher is the sum of both, so the first need not be claimed. The painter ends the channel with it: the rest goes back to the fan at once.
    painter.close(&tip).await?;
    // A creator that carries its voucher itself still pays by its own terms, here a hundredth to the operator that it named.
    let gained = town.purse(painter.lane()).await?.usdc - before.usdc;
    expect("the tips, less the terms' hundredth", gained + town.fees().await?.usdc - CENT, 500 * CENT)?;
    println!("the painter has {} cents", gained / CENT);
    town.close().await
}
