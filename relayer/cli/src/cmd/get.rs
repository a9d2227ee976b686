//! `rivulet get`

use crate::{
    account::{Account, KeyArgs},
    amount::{Amount, Coin, Money},
    cmd::channel::in_money,
    confirm::Confirm,
    failure::Failure,
    kept::{Purser, number},
    network::{Network, NetworkArgs},
    told::Told,
};
use anyhow::Context;
use clap::Args;
use reqwest::redirect::Policy;
use rivulet_client::{
    Buyer, Error as ClientError, Kept,
    buy::{Asked, Bought, Price, Priced, Read, Unit, on_one_site_only},
};
use rivulet_core::ids::{ChannelId, ChannelNumber};
use rivulet_rules::chain::ChannelView;
use serde_json::{Value, json};
use std::{
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::NamedTempFile;
use tokio::time::timeout;

/// Gets a page that costs something (HTTP 402), and pays for it from a channel. What costs nothing is got as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet get https://blog.example/articles/1
      says what it costs, asks, pays, and prints the article
  rivulet get https://blog.example/articles/1 --max 0.20usdc --output article.html
      pays without asking if it costs no more
  rivulet get https://api.example/answers --max 0.01usdc --header 'content-type: application/json' --data '{\"question\":\"why\"}'
      a request with a body
  rivulet get https://radio.example/live --max 1usdc > live.mp3
      a price by the second or byte: for at most 1 USDC, signed for as it comes

The channel is one to the site's payee, in the price's token: 'rivulet channel open' opens it. When the answer was lost or broke off, the same command again, within
some minutes, gets it for what was paid. What has a body (--data) or is paid by steps may have to be paid again. What was paid and not served is credit at the site, and is
used up first; tips ('rivulet channel pay') are none.")]
pub struct Get {
    /// What to get.
    #[arg(value_name = "URL")]
    url: reqwest::Url,
    /// The most that it may cost. Up to this nobody is asked.
    #[arg(long, value_name = "AMOUNT")]
    max: Option<Amount>,
    /// The channel that pays. [default: that to the site's payee with most left]
    #[arg(long, value_name = "CHANNEL", value_parser = number)]
    channel: Option<ChannelNumber>,
    /// Where the answer goes. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Sends this body by POST; @FILE: what is in the file.
    #[arg(long, value_name = "TEXT|@FILE")]
    data: Option<String>,
    /// Another request header; may be repeated.
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

/// How often an answer that broke off is asked for again.
const TRIES: u32 = 3;
/// A site that says nothing for so long is left.
const SILENCE: Duration = Duration::from_secs(60);

fn header(given: &str) -> Result<(String, String), String> {
    let (name, value) = given.split_once(':').ok_or_else(|| format!("expected NAME: VALUE, given {given:?}"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What an answer was.
struct Got {
    status: u16,
    bytes: u64,
    paid: Option<PaidFor>,
}

/// What it cost.
struct PaidFor {
    channel: ChannelNumber,
    charged: Money,
    promised: Money,
    /// What can still be promised.
    left: Money,
    how: String,
}

impl Get {
    pub fn run(self) -> anyhow::Result<()> {
        if self.network.json && self.output.is_none() {
            return Err(Failure::Usage("--json: expected --output FILE too, for standard output has the JSON".into()).into());
        }
        let (as_json, to_file) = (self.network.json, self.output.is_some());
        let told = super::block_on(self.got())?;
        match as_json || to_file {
            true => told.print(as_json).context("cannot print the answer"),
            // The answer itself is on standard output.
            false => {
                eprintln!("{}", told.text);
                Ok(())
            }
        }
    }

    fn request(&self, http: &reqwest::Client) -> anyhow::Result<reqwest::Request> {
        let request = match &self.data {
            None => http.get(self.url.clone()),
            Some(data) => http.post(self.url.clone()).body(match data.strip_prefix('@') {
                Some(path) => std::fs::read(path).map_err(|e| Failure::Usage(format!("--data: cannot read {path}: {e}")))?,
                None => data.clone().into_bytes(),
            }),
        };
        let request = self.header.iter().fold(request, |request, (name, value)| request.header(name, value));
        Ok(request.build().map_err(|e| Failure::Usage(format!("cannot ask for {}: {e}", self.url)))?)
    }

    async fn got(self) -> anyhow::Result<Told> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(Failure::Usage(format!("expected an http:// or https:// address, given {}", self.url)).into());
        }
        // What is free needs no key and no network, and keeps no other command from paying.
        let http = reqwest::Client::builder().connect_timeout(SILENCE).read_timeout(SILENCE);
        let http =
            http.redirect(if self.data.is_none() { on_one_site_only() } else { Policy::none() }).build().map_err(rivulet_client::Error::Site)?;
        let response = http.execute(self.request(&http)?).await.map_err(rivulet_client::Error::Site)?;
        let got = match response.status() {
            reqwest::StatusCode::PAYMENT_REQUIRED => self.paid(&http).await?,
            status => Got { status: status.as_u16(), bytes: self.save(&mut response.into(), None).await?, paid: None },
        };
        let told = self.told(&got);
        match got.status {
            0..400 => Ok(told),
            status => Err(Failure::Site(format!("{}: the site answered with status {status}; {}", self.url, told.text)).into()),
        }
    }

    fn told(&self, got: &Got) -> Told {
        let output = self.output.as_ref().map(|path| path.display().to_string());
        let to = output.as_ref().map_or(String::new(), |path| format!(" to {path}"));
        let mut json = json!({ "url": self.url.as_str(), "status": got.status, "bytes": got.bytes, "output": output, "paid": Value::Null });
        let Some(PaidFor { channel, charged, promised, left, how }) = &got.paid else {
            return Told::new(json, format!("{} bytes{to}, for nothing", got.bytes));
        };
        json["paid"] = charged.json();
        json["promised"] = promised.json();
        json["channel"] = channel.to_string().into();
        json["left"] = left.json();
        Told::new(json, format!("{} bytes{to}, {how}; {left} left in channel {channel}", got.bytes))
    }

    /// Everything that needs the purse; what takes long is done without it, so that other commands can pay.
    async fn paid(&self, http: &reqwest::Client) -> anyhow::Result<Got> {
        // Before anything is paid: is there a place for it?
        drop(self.place()?);
        let network = self.network.connect().await?;
        let account = self.key.account(&network.deployment)?;
        let open = || Purser::open(&network, Account { signer: account.signer.clone(), vouchers: account.vouchers.clone() });
        let purser = open()?;
        let head = network.head().await?;
        let mut closing = Vec::new();
        for kept in purser.purse.channels().iter().filter(|kept| !kept.ended) {
            let view = network.chain.channel(kept.channel.number(), head.block).await?;
            purser.follow(kept.channel.id, &view, head.now)?;
            if matches!(&view, ChannelView::Live(state) if state.close_due_at.is_some()) {
                closing.push(kept.channel.number());
            }
        }
        let buyer = Buyer::new(purser.purse)?;
        let priced = match buyer.ask(self.request(http)?).await.map_err(|e| self.elsewhere(e))? {
            Asked::Priced(priced) => priced,
            Asked::Free(response) => {
                return Ok(Got { status: response.status().as_u16(), bytes: self.save(&mut response.into(), None).await?, paid: None });
            }
        };
        let (mut bought, price) = self.bought(&network, &buyer, &priced, &closing).await?;
        drop(buyer);
        let (coin, by_steps, charged, promised) = (network.coin_of(&price.token), price.unit != Unit::Request, bought.charged, bought.promised);
        let reopen = || Ok(Buyer::new(open()?.purse)?);
        let mut saved = self.save(&mut bought, Some(&reopen)).await;
        for _ in 1..TRIES {
            // What is on standard output already cannot be taken back; by steps each of them would be charged once more.
            let (Err(e), Some(again), false, Some(_)) = (&saved, &bought.again, by_steps, &self.output) else { break };
            // It would be sent elsewhere again.
            if bought.response.status().is_redirection() {
                break;
            }
            eprintln!("{e:#}: asking for it again, which costs nothing");
            bought = reopen()?.again(&priced, again).await?;
            saved = self.save(&mut bought, Some(&reopen)).await;
        }
        let buyer = reopen()?;
        // What is paid by steps cannot be had again for nothing: its rest is credit, whatever came.
        if let Some(again) = bought.again.as_ref().filter(|_| saved.is_ok() || by_steps) {
            buyer.finished(again).await?;
        }
        let kept = bought.channel.and_then(|number| buyer.purse().channels().into_iter().find(|kept| !kept.ended && kept.channel.number() == number));
        let bytes = saved.map_err(|e| match (e.downcast::<ClientError>(), &kept) {
            (Ok(e), Some(kept)) if by_steps => self.explain(e, &coin, &buyer, kept.channel.id, (&priced, &price)),
            (Ok(e), _) => anyhow::Error::new(e).context("the answer broke off"),
            (Err(e), _) => e,
        });
        let bytes = bytes.map_err(|e| match by_steps {
            true => e.context("not whole: it is paid by steps, and what came was paid for"),
            false => e.context("paid for, but not whole: the same command again asks for it without paying twice"),
        })?;
        let (charged, promised) = if by_steps { (bought.cost(), bought.promised) } else { (charged, promised) };
        let how = how(&coin, &price, charged, promised, bought.again.is_some());
        let left = coin.money(kept.as_ref().map_or(0, |kept| kept.channel.left()));
        let (charged, promised) = (coin.money(charged), coin.money(promised));
        let paid = bought.channel.map(|channel| PaidFor { channel, charged, promised, left, how });
        Ok(Got { status: bought.response.status().as_u16(), bytes, paid })
    }

    /// Asked for again where it was paid for before, or paid for.
    async fn bought(&self, network: &Network, buyer: &Buyer, priced: &Priced, closing: &[ChannelNumber]) -> anyhow::Result<(Bought, Price)> {
        let kept_of = |id| buyer.purse().get(id).filter(|kept: &Kept| self.channel.is_none_or(|named| named == kept.channel.number()));
        let price_of = |kept: &Kept| priced.prices.iter().find(|price| is_payable(price, kept)).copied();
        let before = buyer.unfinished(priced).and_then(|again| Some((price_of(&kept_of(again.channel())?)?, again)));
        if let Some((price, again)) = before {
            match buyer.again(priced, &again).await {
                Ok(bought) => return Ok((bought, price)),
                // The site does not give it any more: it is bought anew. Whoever was not heard may still have it, and that is not paid twice.
                Err(ClientError::NotServed(refusal)) if refusal.is_final() => {}
                Err(e) => return Err(self.explain(e, &network.coin_of(&price.token), buyer, again.channel(), (priced, &price))),
            }
        }
        let (kept, price, most) = self.agree(network, buyer, priced, closing).await?;
        let bought = buyer.buy(priced, &price, kept.channel.id, most).await;
        Ok((bought.map_err(|e| self.explain(e, &network.coin_of(&price.token), buyer, kept.channel.id, (priced, &price)))?, price))
    }

    /// A price that can be paid, and from where.
    fn choose(&self, network: &Network, buyer: &Buyer, priced: &Priced, closing: &[ChannelNumber]) -> anyhow::Result<(Kept, Price)> {
        // One that is closing takes no new vouchers.
        let fits = |kept: &Kept| {
            let number = kept.channel.number();
            !closing.contains(&number) && self.channel.is_none_or(|named| named == number)
        };
        let found = priced.prices.iter().find_map(|price| buyer.channel_for(priced, price, fits).map(|kept| (kept, *price)));
        Ok(found.ok_or_else(|| {
            let ways = priced.prices.iter().map(|price| format!("{} to {}", network.coin_of(&price.token).money(price.units), price.payee));
            let open = priced.prices.first().map_or(String::new(), |price| {
                let coin = network.coin_of(&price.token);
                let (payee, deposit) = (price.payee, coin.money(price.units.saturating_mul(100)));
                format!(": 'rivulet channel open --payee {payee} --deposit {}' opens one", deposit.to_string().replace(' ', ""))
            });
            Failure::NotFound(format!("it costs {}, and no channel of yours can pay that{open}", ways.collect::<Vec<_>>().join(" or ")))
        })?)
    }

    /// From where, for what, for how much at most: said by --max, or asked.
    async fn agree(&self, network: &Network, buyer: &Buyer, priced: &Priced, closing: &[ChannelNumber]) -> anyhow::Result<(Kept, Price, u128)> {
        let (kept, price) = self.choose(network, buyer, priced, closing)?;
        let coin = network.coin_of(&price.token);
        let cost = coin.money(price.units);
        let most = match &self.max {
            Some(max) => {
                let money = network.payment(max).await?;
                if money.coin != coin {
                    return Err(Failure::Usage(format!("--max: expected {}, in which it is paid, given {max}", coin.name)).into());
                }
                money.units
            }
            None => {
                let for_what = match price.unit {
                    Unit::Request => cost.to_string(),
                    Unit::Bytes(n) => format!("{cost} for the first {n} bytes (--max pays for more)"),
                    Unit::Secs(n) => format!("{cost} for the first {n} s (--max pays for more)"),
                };
                let (payee, number) = (price.payee, kept.channel.number());
                self.confirm.ask(&format!("{}: pay {for_what} to {payee} from channel {number} ({})", priced.text, kept.site))?;
                price.units
            }
        };
        Ok((kept, price, most))
    }

    /// An offer for channels of another network or contract.
    fn elsewhere(&self, e: ClientError) -> anyhow::Error {
        match e {
            ClientError::BadOffer { what: what @ ("network" | "channels contract"), expected, found } => Failure::Unsafe(format!(
                "{} is paid through channels on another {what}, {found}; those here are on {expected}: if that one is to be trusted, give its file by --network and \
                open a channel there. Nothing was signed",
                self.url
            ))
            .into(),
            e => e.into(),
        }
    }

    fn explain(&self, e: ClientError, coin: &Coin, buyer: &Buyer, id: ChannelId, (priced, price): (&Priced, &Price)) -> anyhow::Error {
        let kept = buyer.purse().get(id);
        let unheard = kept.as_ref().is_some_and(|kept| kept.tickets.iter().any(|ticket| ticket.cost == 0 && ticket.request == priced.text));
        // What has a body, or is paid by steps, is not asked for again.
        let hint = if unheard && self.data.is_none() && price.unit == Unit::Request {
            ". What was signed is kept: the same command again does not pay twice"
        } else {
            ""
        };
        let e = match (e, &kept) {
            (ClientError::TooDear { most, .. }, _) => {
                Failure::Unsafe(format!("it costs {}, at most {} were allowed: raise --max", step(price, &coin.money(price.units)), coin.money(most)))
                    .into()
            }
            (e, Some(kept)) => in_money(e, coin, kept.channel.number(), kept.channel.left()),
            (e, None) => e.into(),
        };
        e.context(format!("{} was not got{hint}", self.url))
    }

    /// Where the answer is written: for a file a draft beside it, under a name of its own, and gone when it does not become whole.
    fn place(&self) -> Result<(Option<NamedTempFile>, Box<dyn Write + Send>), Failure> {
        let Some(path) = &self.output else { return Ok((None, Box::new(io::stdout()))) };
        if path.exists() && !path.is_file() {
            // Such as /dev/null: written to as it is.
            return Ok((None, Box::new(File::options().write(true).open(path).map_err(|e| cannot_write(path, &e))?)));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As any new file, not as a secret one.
        let made = tempfile::Builder::new().prefix(".rivulet-get-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
        let draft = made.map_err(|e| cannot_write(path, &e))?;
        let to = draft.reopen().map_err(|e| cannot_write(path, &e))?;
        Ok((Some(draft), Box::new(to)))
    }

    /// Writes the answer down as it comes; what is paid by steps is paid on by a buyer of its own each time, so that other commands can pay in between. A file appears when it
    /// is whole.
    async fn save(&self, bought: &mut Bought, buyer: Option<&dyn Fn() -> anyhow::Result<Buyer>>) -> anyhow::Result<u64> {
        if bought.response.status().is_redirection() {
            return Err(elsewhere_to(&bought.response).into());
        }
        let (draft, mut to) = self.place()?;
        let (mut bytes, mut heard) = (0_u64, Instant::now());
        loop {
            let silent = || Failure::Site(format!("the site said nothing for {} s", SILENCE.as_secs()));
            match (timeout(SILENCE, bought.read()).await.map_err(|_| silent())??, buyer) {
                (Read::Part(part), _) => {
                    to.write_all(&part).context("cannot write the answer")?;
                    bytes = bytes.saturating_add(part.len() as u64);
                    heard = Instant::now();
                }
                // Time that brings nothing is not paid for for ever.
                (Read::Due, Some(_)) if heard.elapsed() > SILENCE => return Err(silent().into()),
                (Read::Due, Some(buyer)) => buyer()?.pay_on(bought).await,
                (Read::Due, None) | (Read::Whole, _) => break,
            }
        }
        to.flush().context("cannot write the answer")?;
        if let (Some(draft), Some(path)) = (draft, &self.output) {
            draft.persist(path).map_err(|e| cannot_write(path, &e.error))?;
        }
        Ok(bytes)
    }
}

fn is_payable(price: &Price, kept: &Kept) -> bool {
    (price.payee, price.token) == (kept.channel.terms.payee, kept.channel.terms.token)
}

/// What a price pays for.
fn step(price: &Price, cost: &Money) -> String {
    match price.unit {
        Unit::Request => cost.to_string(),
        Unit::Bytes(n) => format!("{cost} for each {n} bytes"),
        Unit::Secs(n) => format!("{cost} for each {n} s"),
    }
}

/// Where the money came from.
fn how(coin: &Coin, price: &Price, charged: u128, promised: u128, is_served: bool) -> String {
    let (paid, credit) = (coin.money(charged), charged.saturating_sub(promised));
    // By the clock here, not the site's.
    let about = if matches!(price.unit, Unit::Secs(_)) { "about " } else { "" };
    match (charged, promised) {
        (0, _) if is_served => "had been paid before".to_owned(),
        (0, _) => "nothing was charged".to_owned(),
        (_, 0) => format!("paid {about}{paid} from credit at the site"),
        _ if credit > 0 => format!("paid {about}{paid}, {} of it from credit at the site", coin.money(credit)),
        _ => format!("paid {about}{paid}"),
    }
}

/// Another address has it, for which nothing was agreed.
fn elsewhere_to(response: &reqwest::Response) -> Failure {
    let to = response.headers().get(reqwest::header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    Failure::Site(format!("it answers with status {}, from {to}: 'rivulet get' that address, if it is to be trusted", response.status().as_u16()))
}

fn cannot_write(path: &Path, e: &io::Error) -> Failure {
    Failure::Usage(format!("--output: cannot write {}: {e}", path.display()))
}
