//! An AI agent pays an API per request: a tenth of a cent each, the voucher in a header. The API serves only what its relayer has on disk.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use rivulet_client::{OpenChannel, Relayer, SignedVoucher};
use rivulet_core::ids::ChannelNumber;
use rivulet_e2e::{
    Context, Error, Result,
    town::{CENT, Town, usdc},
};
use rivulet_rules::text;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// A tenth of a cent.
const PRICE: u128 = CENT / 10;

/// The API: where its vouchers go, and what each channel has spent.
#[derive(Clone)]
struct Api {
    relayer: Relayer,
    spent: Arc<Mutex<HashMap<ChannelNumber, u128>>>,
}

/// `book/serial/channel id/total/signature`.
fn read(headers: &HeaderMap) -> Option<SignedVoucher> {
    let parts: Vec<_> = headers.get("voucher")?.to_str().ok()?.split('/').collect();
    let [book, serial, id, total, signature] = parts[..] else { return None };
    Some(SignedVoucher {
        number: ChannelNumber { book: book.parse().ok()?, serial: serial.parse().ok()? },
        channel_id: text::channel_id("channel_id", id).ok()?,
        cumulative_amount: text::amount("total", total).ok()?,
        signature: text::signature("signature", signature).ok()?,
    })
}

async fn answer(State(api): State<Api>, headers: HeaderMap) -> std::result::Result<&'static str, StatusCode> {
    let voucher = read(&headers).ok_or(StatusCode::PAYMENT_REQUIRED)?;
    // One after the other, so that a total is not spent twice.
    let mut spent = api.spent.lock().await;
    let before = spent.get(&voucher.number).copied().unwrap_or(0);
    if voucher.cumulative_amount < before + PRICE || api.relayer.pay(&voucher).await.is_err() {
        return Err(StatusCode::PAYMENT_REQUIRED);
    }
    spent.insert(voucher.number, before + PRICE);
    Ok("42")
}

#[tokio::main]
async fn main() -> Result<()> {
    let town = Town::found().await?;
    let (agent, provider) = (town.payer("agent").await?, town.creator("provider").await?);
    let before = town.purse(provider.lane()).await?;
    let api = Router::new().route("/answer", get(answer)).with_state(Api { relayer: town.relayer()?, spent: Arc::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.doing("listening")?;
    let url = format!("http://{}/answer", listener.local_addr().doing("listening")?);
    tokio::spawn(async move { axum::serve(listener, api).await });

    let http = reqwest::Client::new();
    let bare = http.get(&url).send().await.doing("asking without a voucher")?;
    if bare.status() != StatusCode::PAYMENT_REQUIRED {
        return Err(Error::new("the API answered for nothing"));
    }
    let wanted = OpenChannel { payee: provider.address(), token: usdc(), challenge_period_secs: 3_600, amount: 100 * CENT };
    let mut channel = agent.open(&wanted).await?;
    for _request in 0..200 {
        let v = channel.pay(agent.vouchers(), PRICE)?;
        let (id, signature) = (text::hex(&v.channel_id.0), text::hex(&v.signature.0));
        let header = format!("{}/{}/{id}/{}/{signature}", v.number.book, v.number.serial, v.cumulative_amount);
        http.get(&url).header("voucher", header).send().await.doing("asking")?.error_for_status().doing("asking")?;
    }

    town.until_paid(&provider, before, 200 * PRICE).await?;
    println!("200 answers for 20 cents");
    town.close().await
}
