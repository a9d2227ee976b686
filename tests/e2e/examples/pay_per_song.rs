//! Fifty cents a song. A phone without network collects what it owes and hands it over later: only the last voucher counts.

use rivulet_client::OpenChannel;
use rivulet_e2e::{
    Result,
    town::{CENT, Town, usdc},
};

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (listener, band, relayer) = (town.payer("listener").await?, town.creator("band").await?, town.relayer()?);
    let before = town.purse(band.lane()).await?;

    let wanted = OpenChannel { payee: band.address(), token: usdc(), challenge_period_secs: 3_600, amount: 1_000 * CENT };
    let mut channel = listener.open(&wanted).await?;
    let mut heard = Vec::new();
    for song in ["Delta", "Estuary", "Ebb", "Flood"] {
        heard.push(channel.pay(listener.vouchers(), 50 * CENT)?);
        println!("heard \"{song}\"");
    }
    // Back on the network. Each voucher has the total of all before it.
    if let Some(last) = heard.last() {
        relayer.pay(last).await?;
    }

    town.until_paid(&band, before, 200 * CENT).await?;
    println!("the band has $2.00, less the relayer's hundredth");
    town.close().await
}
