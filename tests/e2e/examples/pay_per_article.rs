//! Ten cents an article: one deposit, then a signature an article, no transaction and no prompt.

use rivulet_client::OpenChannel;
use rivulet_e2e::{
    Result,
    town::{CENT, Town, usdc},
};

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (reader, writer, relayer) = (town.payer("reader").await?, town.creator("writer").await?, town.relayer()?);
    let before = town.purse(writer.lane()).await?;

    let wanted = OpenChannel { payee: writer.address(), token: usdc(), challenge_period_secs: 3_600, amount: 500 * CENT };
    let mut channel = reader.open(&wanted).await?;
    for article in ["On rivers", "On rain", "On wells"] {
        let voucher = channel.pay(reader.vouchers(), 10 * CENT)?;
        // When this returns, the voucher is on the relayer's disk: the article can be shown.
        relayer.pay(&voucher).await?;
        println!("read \"{article}\", {} cents so far", channel.promised / CENT);
    }

    town.until_paid(&writer, before, 30 * CENT).await?;
    println!("the writer has 30 cents, less the relayer's hundredth");
    town.close().await
}
