//! Purchases in a game: the game holds a session key that can spend the channel's deposit and nothing else of the player's.

use rivulet_client::{Error, OpenChannel, VoucherKey, VoucherSigner};
use rivulet_e2e::{
    Result,
    town::{CENT, Town, expect, usdc},
};
use rivulet_rules::chain::ContractKind;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (player, studio, relayer) = (town.payer("player").await?, town.creator("game-studio").await?, town.relayer()?);
    let before = town.purse(studio.lane()).await?;

    // The player's wallet signs once, for two dollars. The key that pays lives in the game.
    let session = VoucherKey::generate()?;
    let wanted = OpenChannel { payee: studio.address(), token: usdc(), challenge_period_secs: 3_600, amount: 200 * CENT };
    let mut channel = player.open_many_for(&[(wanted, session.address())]).await?.remove(0);
    let game = VoucherSigner::new(session, &player.chain().binding(ContractKind::Channels));

    for (item, cents) in [("a sword", 80), ("a shield", 70), ("a hat", 25)] {
        relayer.pay(&channel.pay(&game, cents * CENT)?).await?;
        println!("bought {item}");
    }
    // Whatever becomes of the key, more than the deposit is never spent.
    expect("a purchase beyond the deposit", matches!(channel.pay(&game, 26 * CENT), Err(Error::BadTotal { .. })), true)?;
    player.top_up(&mut channel, 100 * CENT).await?;
    let potion = channel.pay(&game, 26 * CENT)?;
    // The relayer takes the top-up in a moment after it is final.
    while let Err(refused) = relayer.pay(&potion).await {
        match refused {
            Error::Rejected(problem) if problem.code == "not_covered" => tokio::time::sleep(Duration::from_millis(100)).await,
            other => return Err(other.into()),
        }
    }
    println!("topped up, and bought a potion");

    town.until_paid(&studio, before, 201 * CENT).await?;
    town.close().await
}
