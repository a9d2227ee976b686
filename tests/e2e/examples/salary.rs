//! A salary by the second: a month's notice as a cliff, the year's total exact to the unit, paid out by the relayer.

use rivulet_client::{ALL, CreateStream};
use rivulet_core::stream::Flags;
use rivulet_e2e::{
    Result,
    town::{CENT, Town, expect, usdc},
};

const DAY: u64 = 86_400;
/// $730 for a year; a month's worth falls due at the end of the first one.
const YEAR: u128 = 73_000 * CENT;
const MONTH: u128 = 6_000 * CENT;

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (employer, employee) = (town.payer("employer").await?, town.creator("employee").await?);
    let before = town.purse(employee.lane()).await?;
    let start_at = town.now().await?;
    let salary = CreateStream {
        start_at,
        cliff_at: start_at + 30 * DAY,
        cliff_units: MONTH,
        flags: Flags::CLIFF,
        memo: *b"contract 2026-117, salary       ",
        ..CreateStream::of_total(employee.address(), usdc(), YEAR, start_at + 365 * DAY)
    };
    let stream = employer.create_stream(&salary).await?;

    town.pass(29 * DAY).await?;
    expect("a claim before the first month is over", employee.claim_stream(stream.number, ALL, &employee.address()).await.is_err(), true)?;
    // From the cliff on, the relayer claims whenever it looks: here once a month.
    for _month in 0..12 {
        town.pass(28 * DAY + DAY / 3).await?;
    }
    town.until_streams_are_claimed().await?;
    // However often it was claimed: at the end it is the total, not a unit more or less.
    let gained = town.purse(employee.lane()).await?.usdc - before.usdc;
    expect("the year's salary, with what the relayer had of it", gained + town.fees().await?.usdc - CENT, YEAR)?;
    println!("the year's ${} are with the employee, less the relayer's hundredth", YEAR / CENT / 100);
    town.close().await
}
