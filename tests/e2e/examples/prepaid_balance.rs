//! A prepaid balance that is spent slowly. The rest comes back without anybody's consent, even when the payee has vanished.

use rivulet_client::OpenChannel;
use rivulet_e2e::{
    Result,
    town::{CENT, Town, expect, usdc},
};

const DAY: u32 = 86_400;

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (customer, café, relayer) = (town.payer("customer").await?, town.creator("cafe").await?, town.relayer()?);
    let (customer_before, café_before) = (town.purse(customer.lane()).await?, town.purse(café.lane()).await?);

    let wanted = OpenChannel { payee: café.address(), token: usdc(), challenge_period_secs: DAY, amount: 5_000 * CENT };
    let mut balance = customer.open(&wanted).await?;
    for _coffee in 0..7 {
        relayer.pay(&balance.pay(customer.vouchers(), 290 * CENT)?).await?;
    }
    println!("seven coffees, {} cents left", balance.left() / CENT);

    // The café has a day to claim what it was promised; its relayer sees the request and does.
    customer.request_close(&balance).await?;
    expect("an early end", customer.finish(&balance).await.is_err(), true)?;
    town.until_paid(&café, café_before, 7 * 290 * CENT).await?;
    town.pass(DAY.into()).await?;
    customer.finish(&balance).await?;

    let spent = customer_before.usdc - town.purse(customer.lane()).await?.usdc;
    expect("what the customer spent", spent, 7 * 290 * CENT)?;
    println!("the rest is back: {} cents spent", spent / CENT);
    town.close().await
}
