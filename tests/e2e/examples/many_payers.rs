//! One creator, thousands of payers, a few transactions. `many_payers 10000` for the whole town; 300 without a number.

use futures::{StreamExt, TryStreamExt, stream};
use rivulet_client::{OpenChannel, relay::BatchOutcome};
use rivulet_e2e::{
    Context, Error, Result,
    town::{CENT, Town, expect, usdc},
};

/// Openings under way at once.
const AT_ONCE: usize = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let count: usize = std::env::args().nth(1).map_or(Ok(300), |n| n.parse()).doing("expected a number of payers")?;
    let town = Town::found().await?;
    let (author, relayer) = (town.creator("author").await?, town.relayer()?);
    let before = town.purse(author.lane()).await?;
    let names: Vec<_> = (0..count).map(|n| format!("reader-{n}")).collect();
    let wanted = OpenChannel { payee: author.address(), token: usdc(), challenge_period_secs: 3_600, amount: 100 * CENT };
    let payers = town.payers(&names).await?;
    let open = |payer: rivulet_client::Payer| async move { Ok::<_, Error>((payer.open(&wanted).await?, payer)) };
    let mut channels: Vec<_> = stream::iter(payers.into_iter().map(open)).buffer_unordered(AT_ONCE).try_collect().await?;
    println!("{count} payers have a channel");

    let sent = town.relayers_transactions().await?;
    let mut vouchers = Vec::new();
    for (channel, payer) in &mut channels {
        vouchers.push(channel.pay(payer.vouchers(), 10 * CENT)?);
    }
    for chunk in vouchers.chunks(1_000) {
        let outcomes = relayer.pay_batch(chunk).await?;
        expect("vouchers taken", outcomes.iter().all(|o| matches!(o, BatchOutcome::Accepted(_))), true)?;
    }
    town.until_paid(&author, before, count as u128 * 10 * CENT).await?;
    let sent = town.relayers_transactions().await? - sent;
    println!("{count} payers, ${} for the author, {sent} transactions", count / 10);
    expect("a transaction for at least a hundred payers", sent as usize <= 1 + count / 100, true)?;
    town.close().await
}
