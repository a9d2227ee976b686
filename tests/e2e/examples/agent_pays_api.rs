//! An AI agent pays an API per request: a tenth of a cent each, by HTTP 402. The API is an axum server with a paywall around its routes.

use axum::{Router, http::StatusCode, routing::post};
use rivulet_client::{Buyer, Folder, Limits, OpenChannel, Purse};
use rivulet_e2e::{
    Context, Error, Result,
    town::{CENT, Town, expect, usdc},
};
use rivulet_paywall::{config::Config, paywall::Paywall};

/// A tenth of a cent.
const PRICE: u128 = CENT / 10;
const REQUESTS: u128 = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (agent, provider) = (town.payer("agent").await?, town.creator("provider").await?);
    let before = town.purse(provider.lane()).await?;

    // The provider: its routes, and what they cost.
    let mut config = Config::new("http://unused", provider.address(), town.relayer_url(), vec!["/answers=0.001usdc".into()]);
    config.database = town.folder().join("paywall.db");
    let paywall = Paywall::open(&config, &town.deployment()?).doing("opening the paywall")?;
    paywall.check_relayer().await.doing("asking the relayer")?;
    let api = Router::new().route("/answers", post(async |question: String| format!("{question} 42"))).layer(paywall.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.doing("listening")?;
    let url = format!("http://{}/answers", listener.local_addr().doing("listening")?);
    tokio::spawn(async move { axum::serve(listener, api).await });

    // The agent: a channel, a purse that outlives it, and a limit that no prompt can talk it out of.
    let wanted = OpenChannel { payee: provider.address(), token: usdc(), challenge_period_secs: 3_600, amount: 100 * CENT };
    let channel = agent.open(&wanted).await?;
    let purse = Purse::open(Folder::open(town.folder().join("agent"))?, agent.vouchers().clone())?;
    purse.add(&channel, "answers.example")?;
    purse.set_limits("answers.example", usdc(), Limits { total: Some(REQUESTS * PRICE), ..Limits::default() })?;
    let buyer = Buyer::new(purse)?;
    let http = reqwest::Client::new();
    let ask = |n: u128| http.post(&url).body(format!("question {n}:")).build().doing("asking");

    let bare = http.execute(ask(0)?).await.doing("asking for nothing")?;
    expect("an answer for nothing", bare.status(), StatusCode::PAYMENT_REQUIRED)?;
    for n in 1..=REQUESTS {
        let bought = buyer.fetch(ask(n)?, usdc(), PRICE).await?;
        expect("a price", bought.charged, PRICE)?;
        expect("an answer", bought.response.text().await.doing("reading the answer")?, format!("question {n}: 42"))?;
    }
    match buyer.fetch(ask(0)?, usdc(), PRICE).await {
        Err(rivulet_client::Error::OverLimit { .. }) => {}
        other => return Err(Error::new(format!("the limit did not hold: {other:?}"))),
    }

    town.until_paid(&provider, before, REQUESTS * PRICE).await?;
    println!("{REQUESTS} answers for 20 cents");
    town.close().await
}
