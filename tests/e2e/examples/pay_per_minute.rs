//! A film at three cents a minute: money flows while it is watched, stops when it is paused, and what was not watched comes back.

use rivulet_client::{CreateStream, rate_per_second_scaled};
use rivulet_e2e::{
    Result,
    town::{CENT, Town, expect, usdc},
};

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (viewer, studio) = (town.payer("viewer").await?, town.creator("studio").await?);
    let (viewer_before, studio_before) = (town.purse(viewer.lane()).await?, town.purse(studio.lane()).await?);

    let rate = rate_per_second_scaled(3 * CENT, 60);
    let stream = viewer.create_stream(&CreateStream::open_ended(studio.address(), usdc(), rate, 360 * CENT)).await?;
    town.pass(20 * 60).await?;
    viewer.pause_stream(stream.number).await?;
    println!("twenty minutes, then a break of an hour that costs nothing");
    town.pass(3_600).await?;
    viewer.resume_stream(stream.number).await?;
    town.pass(10 * 60).await?;
    viewer.cancel_stream(stream.number).await?;

    // The relayer claims what is due, then and now. At the end everything has gone one way or the other.
    town.until_streams_are_claimed().await?;
    let watched = viewer_before.usdc - town.purse(viewer.lane()).await?.usdc;
    println!("{} cents for thirty minutes", watched as f64 / CENT as f64);
    let fees = town.fees().await?.usdc - CENT;
    expect("what the studio and the relayer got", town.purse(studio.lane()).await?.usdc - studio_before.usdc + fees, watched)?;
    // Thirty minutes are 90 cents; the calls took a few seconds of blocks on top.
    expect("the price of thirty minutes", (90 * CENT..95 * CENT).contains(&watched), true)?;
    town.close().await
}
