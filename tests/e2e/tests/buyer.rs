//! The Rust client as a buyer, at a real paywall, and at sites that try to get more than their price.
//!
//! ```text
//! bought ── dropped at any moment, and bought once ── a buyer that forgot everything goes on ── from credit
//! a tip buys nothing ── a page that broke off or was lost is served after others were bought
//! by steps, as it is read
//! a site that names another request, contract, payee, token ── asks again and again ── makes totals up ── raises its price
//! ```

mod support;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use rivulet_client::{
    Buyer, Channel, Error, Folder, Forgetful, OpenChannel, Purse, Relayer, Session,
    buy::{
        Asked, Unit,
        wire::{Extra, Offer, PAYMENT_REQUIRED, PaymentRequired, Resource, SCHEME, State, encode},
    },
};
use rivulet_core::ids::{Address, Token};
use rivulet_e2e::{
    harness::{Daemon, Nginx, PaywallFlags, Wall},
    story::{Play, opening::CHALLENGE_SECS, plan::Coin},
};
use rivulet_rules::text;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const PRICE: u128 = 100_000;
const TIP: u128 = 150_000;

struct World {
    play: Play,
    daemon: Daemon,
    _web: Nginx,
    wall: Wall,
    channel: Channel,
}

impl World {
    async fn start() -> Self {
        let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
        let (play, daemon) = support::stage(&options, |flags| flags.interval_ms = 3_600_000).await;
        let folder = play.stage.folder.path();
        let web = Nginx::start(folder).await.unwrap();
        for n in 1..=10 {
            web.put(&format!("/articles/{n}"), format!("article {n}").as_bytes()).unwrap();
        }
        web.put("/files/big", &vec![7; 2_500_000]).unwrap();
        let payee = play.cast.creators[0].address();
        let flags = PaywallFlags {
            upstream: web.url(),
            payee,
            relayer: daemon.url(),
            deployment: play.stage.deployment_path(),
            node_url: play.stage.node.url(),
            prices: ["/articles/*=0.10usdc", "/broken/*=0.10usdc", "/files/*=0.001usdc/MB"].map(str::to_owned).into(),
            tls: None,
            more: Vec::new(),
        };
        let wall = Wall::start(folder, flags).await.unwrap();
        let wanted = OpenChannel { payee, token: Coin::Usdc.token(), challenge_period_secs: CHALLENGE_SECS, amount: 5_000_000 };
        let channel = play.cast.pay[0].open(&wanted).await.unwrap();
        Self { play, daemon, _web: web, wall, channel }
    }

    /// A buyer that remembers nothing but its key and channel.
    fn forgetful(&self) -> Buyer {
        let purse = Purse::open(Forgetful::default(), self.play.cast.pay[0].vouchers().clone()).unwrap();
        purse.add(&self.channel, "blog.example").unwrap();
        Buyer::new(purse).unwrap()
    }

    /// One that keeps its totals.
    fn purse(&self) -> Arc<Purse> {
        let folder = Folder::open(self.play.stage.folder.path().join("purse")).unwrap();
        let purse = Purse::open(folder, self.play.cast.pay[0].vouchers().clone()).unwrap();
        purse.add(&self.channel, "blog.example").unwrap();
        purse.into()
    }

    fn keeping(&self) -> Buyer {
        Buyer::new(self.purse()).unwrap()
    }

    /// What a page was charged, and what was promised for it.
    async fn bought(&self, buyer: &Buyer, path: &str) -> (u128, u128) {
        let bought = buyer.get(&self.url(path), Coin::Usdc.token(), PRICE).await.unwrap();
        assert_eq!(bought.response.text().await.unwrap(), path.replace("/articles/", "article "));
        (bought.charged, bought.promised)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.wall.url())
    }

    /// What the paywall has charged in all.
    fn charged(&self) -> u128 {
        let db = rusqlite::Connection::open_with_flags(self.wall.database_path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut all = db.prepare("SELECT charged FROM purchases").unwrap();
        let amounts = all.query_map([], |row| row.get::<_, [u8; 16]>(0)).unwrap();
        amounts.map(|amount| u128::from_be_bytes(amount.unwrap())).sum()
    }
}

async fn bought_and_dropped(w: &World) -> u128 {
    let buyer = w.keeping();
    let first = buyer.get(&w.url("/articles/1"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((first.charged, first.promised, first.response.text().await.unwrap().as_str()), (PRICE, PRICE, "article 1"));
    // Somebody goes away at every moment of a purchase; asked for again, it is paid once.
    for ms in 0..40 {
        let url = w.url("/articles/2");
        if tokio::time::timeout(Duration::from_millis(ms), buyer.get(&url, Coin::Usdc.token(), PRICE)).await.is_ok() {
            // It has its answer: asked for again, it is another.
            break;
        }
    }
    let last = buyer.get(&w.url("/articles/2"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!(last.response.text().await.unwrap(), "article 2");
    drop(buyer);
    // What was promised is what was charged: nothing hangs in between.
    let buyer = w.keeping();
    let kept = buyer.purse().get(w.channel.id).unwrap();
    assert_eq!((kept.pending.clone(), kept.accepted), (None, kept.channel.promised));
    assert_eq!(w.charged(), kept.accepted, "every promise was for an article that was served");
    assert!(matches!(buyer.get(&w.url("/articles/3"), Coin::Usdc.token(), PRICE - 1).await, Err(Error::TooDear { price: PRICE, .. })));
    kept.accepted
}

async fn a_buyer_that_forgot_everything(w: &World, promised: u128) {
    let buyer = w.forgetful();
    assert_eq!(buyer.purse().get(w.channel.id).unwrap().accepted, 0);
    // Its first total is an old one; the paywall shows a later one with its own signature, and it goes on from there.
    let bought = buyer.get(&w.url("/articles/4"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((bought.charged, bought.promised), (PRICE, PRICE));
    assert_eq!(buyer.purse().get(w.channel.id).unwrap().accepted, promised + PRICE);
    // What was not served is credit, and the next costs no new promise.
    let broken = buyer.get(&w.url("/broken/article"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((broken.response.status(), broken.charged, broken.promised), (StatusCode::SERVICE_UNAVAILABLE, 0, PRICE));
    let next = buyer.get(&w.url("/articles/5"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((next.charged, next.promised), (PRICE, 0));
    // A body that broke off is asked for again for nothing.
    let request = reqwest::Client::new().get(w.url("/articles/6")).build().unwrap();
    let Asked::Priced(priced) = buyer.ask(request).await.unwrap() else { panic!("it is not free") };
    let bought = buyer.buy(&priced, &priced.prices[0], w.channel.id, PRICE).await.unwrap();
    let again = buyer.again(&priced, bought.again.as_ref().unwrap()).await.unwrap();
    assert_eq!((bought.charged, again.charged, again.response.text().await.unwrap().as_str()), (PRICE, 0, "article 6"));
}

async fn a_tip_buys_nothing(w: &World) {
    let purse = w.purse();
    let (buyer, session) = (Buyer::new(purse.clone()).unwrap(), Session::new(purse, Relayer::new(w.daemon.url()).unwrap()));
    // On from what the buyer that forgot everything has promised.
    w.bought(&buyer, "/articles/3").await;
    let (before, charged) = (buyer.purse().get(w.channel.id).unwrap().accepted, w.charged());
    session.pay(w.channel.id, TIP, "").await.unwrap();
    // To the paywall it is a part of what it may charge.
    for path in ["/articles/4", "/articles/5"] {
        assert_eq!(w.bought(&buyer, path).await, (PRICE, PRICE));
    }
    let broken = buyer.get(&w.url("/broken/article"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((broken.charged, broken.promised), (0, PRICE));
    assert_eq!(w.bought(&buyer, "/articles/6").await, (PRICE, 0), "what was not served is credit");
    drop((buyer, session));
    let buyer = w.keeping();
    assert_eq!(w.bought(&buyer, "/articles/7").await, (PRICE, PRICE), "after a restart too");
    let kept = buyer.purse().get(w.channel.id).unwrap();
    assert_eq!((kept.aside, kept.credit), (TIP, 0));
    assert_eq!(w.charged() - charged, kept.accepted - before - TIP, "all but the tip");
}

async fn others_in_between(w: &mut World) {
    let buyer = w.keeping();
    assert_eq!(w.bought(&buyer, "/articles/8").await, (PRICE, PRICE));
    drop(buyer);
    // The program ended before it had said that it has all of it.
    let buyer = w.keeping();
    let totals = |w: &World, buyer: &Buyer| (buyer.purse().get(w.channel.id).unwrap().accepted, w.charged());
    let before = totals(w, &buyer);
    assert_eq!(w.bought(&buyer, "/articles/9").await, (PRICE, PRICE));
    let again = buyer.get(&w.url("/articles/8"), Coin::Usdc.token(), PRICE).await.unwrap();
    assert_eq!((again.charged, again.promised), (0, 0));
    buyer.finished(again.again.as_ref().unwrap()).await.unwrap();
    // The paywall is gone when the payment comes; another page is bought, and then the first.
    let Asked::Priced(priced) = buyer.ask(reqwest::Client::new().get(w.url("/articles/8")).build().unwrap()).await.unwrap() else { panic!("free") };
    w.wall.kill();
    assert!(matches!(buyer.buy(&priced, &priced.prices[0], w.channel.id, PRICE).await, Err(Error::Site(_))));
    w.wall.launch().await.unwrap();
    drop(buyer);
    let buyer = w.keeping();
    assert_eq!(w.bought(&buyer, "/articles/10").await, (PRICE, PRICE));
    assert_eq!(w.bought(&buyer, "/articles/8").await, (PRICE, 0), "what was promised for it was kept for it");
    let (after, charged) = totals(w, &buyer);
    assert_eq!((after - before.0, charged - before.1), (3 * PRICE, 3 * PRICE), "three pages");
    assert_eq!(buyer.purse().get(w.channel.id).unwrap().aside, TIP);
}

/// Of a file of two and a half million bytes, at a thousandth a million: it is promised as it comes.
async fn by_steps(w: &World) {
    const STEP: u128 = 1_000;
    let buyer = w.keeping();
    let kept = || buyer.purse().get(w.channel.id).unwrap();
    let get = async |most| buyer.get(&w.url("/files/big"), Coin::Usdc.token(), most).await.unwrap();
    let (before, charged, credit) = (kept().accepted, w.charged(), kept().credit);
    let mut whole = get(10 * STEP).await;
    assert_eq!((whole.charged, kept().accepted), (STEP, before + STEP - credit), "one step, and not all that is allowed");
    let mut bytes = 0;
    while let Some(part) = buyer.chunk(&mut whole).await.unwrap() {
        bytes += part.len();
    }
    assert_eq!((bytes, whole.cost(), whole.promised), (2_500_000, 3 * STEP, 3 * STEP - credit));
    buyer.finished(whole.again.as_ref().unwrap()).await.unwrap();
    assert_eq!((w.charged() - charged, kept().accepted - before, kept().credit), (3 * STEP, 3 * STEP - credit, 0));
    // Somebody stops reading: no more is promised.
    let mut begun = get(10 * STEP).await;
    buyer.chunk(&mut begun).await.unwrap().unwrap();
    buyer.finished(begun.again.as_ref().unwrap()).await.unwrap();
    drop(begun);
    assert_eq!(kept().accepted - before, 4 * STEP - credit);
    // It reads to where it may, and says why no further.
    let mut short = get(2 * STEP).await;
    let mut bytes = 0;
    let why = loop {
        match buyer.chunk(&mut short).await {
            Ok(part) => bytes += part.expect("it was not allowed to pay for all of it").len(),
            Err(e) => break e,
        }
    };
    assert!(matches!(why, Error::TooDear { price: 3_000, most: 2_000 }) && bytes == 2_000_000, "{why} after {bytes}");
    assert_eq!((kept().aside, w.charged() - charged), (TIP, 6 * STEP), "no tip was touched");
}

/// A site of the attacker's own: what it says to each request, and what it was sent.
#[derive(Clone)]
struct Site {
    answer: Arc<Mutex<PaymentRequired>>,
    /// Of its answers to payments.
    status: Arc<Mutex<StatusCode>>,
    sent: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Site {
    async fn open(answer: PaymentRequired) -> (Self, String) {
        let site = Self { answer: Arc::new(Mutex::new(answer)), status: Arc::new(Mutex::new(StatusCode::PAYMENT_REQUIRED)), sent: Arc::default() };
        let behind = site.clone();
        let app = Router::new().fallback(async move |request: Request| -> Response {
            behind.sent.lock().unwrap().push(request.headers().clone());
            let status = *behind.status.lock().unwrap();
            if status != StatusCode::PAYMENT_REQUIRED && request.headers().contains_key("payment-signature") {
                return status.into_response();
            }
            let mut answer = behind.answer.lock().unwrap().clone();
            // Where it says nothing else, it names the request that came.
            let host = request.headers()["host"].to_str().unwrap();
            let came = format!("{} {host}{}", request.method(), request.uri());
            for offer in &mut answer.accepts {
                if offer.extra.request.is_empty() {
                    offer.extra.request = came.clone();
                }
            }
            (StatusCode::PAYMENT_REQUIRED, [(PAYMENT_REQUIRED, encode(&answer))]).into_response()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/page", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (site, url)
    }

    fn says(&self, change: impl FnOnce(&mut PaymentRequired)) {
        change(&mut self.answer.lock().unwrap());
        self.sent.lock().unwrap().clear();
    }

    /// The payments that it was sent.
    fn payments(&self) -> Vec<HeaderValue> {
        self.sent.lock().unwrap().iter().filter_map(|headers| headers.get("payment-signature").cloned()).collect()
    }
}

async fn sites_that_want_more(w: &World) {
    let buyer = w.forgetful();
    let (signer, number, id) = (buyer.purse().signer().clone(), w.channel.number(), w.channel.id);
    let at = *signer.deployment();
    let state = |accepted: u128, signature| State {
        book: number.book,
        serial: number.serial,
        channel_id: text::hex(&id.0),
        accepted: accepted.to_string(),
        signature,
        available: "0".into(),
    };
    let offer = Offer {
        scheme: SCHEME.into(),
        network: format!("eip155:{}", at.chain_id),
        amount: PRICE.to_string(),
        asset: w.channel.terms.token.to_string(),
        pay_to: w.channel.terms.payee.to_string(),
        max_timeout_seconds: 300,
        extra: Extra {
            channels: at.contract.to_string(),
            relayer: "http://relayer.example".into(),
            token: "usdc".into(),
            decimals: 6,
            price: "0.1usdc".into(),
            unit: Unit::Request,
            request: String::new(),
            now: 1_800_000_000,
            state: None,
        },
    };
    let good = PaymentRequired { x402_version: 2, error: "payment_required".into(), resource: Resource { url: String::new() }, accepts: vec![offer] };
    let (site, url) = Site::open(good.clone()).await;
    let promised = || buyer.purse().get(id).unwrap().channel.promised;

    // For another site's page; for channels elsewhere; to another payee; in another token: nothing is signed.
    type Change = fn(&mut Offer);
    let changes: [(Change, &str); 5] = [
        (|o| o.extra.request = "GET other.example/page".into(), "request"),
        (|o| o.network = "eip155:1".into(), "network"),
        (|o| o.extra.channels = Address([9; 20]).to_string(), "channels contract"),
        (|o| o.pay_to = Address([9; 20]).to_string(), "no channel"),
        (|o| o.asset = Token::ZERO.to_string(), "token"),
    ];
    for (change, why) in changes {
        site.says(|said| {
            *said = good.clone();
            change(&mut said.accepts[0]);
        });
        let refused = buyer.get(&url, Coin::Usdc.token(), PRICE).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
        assert_eq!((site.payments().len(), promised()), (0, 0), "{why}");
    }
    // A price that changes in between: what is signed is what was agreed.
    site.says(|said| {
        *said = good.clone();
        said.accepts[0].amount = (2 * PRICE).to_string();
    });
    assert!(matches!(buyer.get(&url, Coin::Usdc.token(), PRICE).await, Err(Error::TooDear { .. })));
    assert!(site.payments().is_empty());
    // Steps that never end.
    site.says(|said| {
        *said = good.clone();
        said.accepts[0].extra.unit = Unit::Bytes(0);
    });
    assert!(matches!(buyer.get(&url, Coin::Usdc.token(), PRICE).await, Err(Error::Answer(_))));
    assert!(site.payments().is_empty());

    // "Not enough", whatever comes: one price is promised, and no more.
    site.says(|said| {
        *said = good.clone();
        said.error = "not_enough".into();
        said.accepts[0].extra.state = Some(state(0, None));
    });
    let refused = buyer.get(&url, Coin::Usdc.token(), PRICE).await.unwrap_err();
    assert!(matches!(&refused, Error::NotServed(refusal) if refusal.code == "not_enough"), "{refused}");
    assert_eq!(promised(), PRICE);
    for _ in 0..5 {
        buyer.get(&url, Coin::Usdc.token(), PRICE).await.unwrap_err();
    }
    assert_eq!(promised(), PRICE, "a refused promise is not added to: the next one takes its place");

    // Totals that it made up, or that another key signed.
    let forger = rivulet_client::VoucherSigner::new(rivulet_client::VoucherKey::from_bytes([9; 32]).unwrap(), &at);
    let forged = text::hex(&forger.sign(number, id, 3_000_000).signature.0);
    for signature in [None, Some(forged)] {
        site.says(|said| said.accepts[0].extra.state = Some(state(3_000_000, signature)));
        let refused = buyer.get(&url, Coin::Usdc.token(), PRICE).await.unwrap_err();
        assert!(matches!(refused, Error::NotOurs { .. }), "{refused}");
        assert_eq!(promised(), PRICE);
    }
    // Somebody in between has too much to do: what was paid for may still be had, and is asked for again as it was.
    site.says(|said| *said = good.clone());
    *site.status.lock().unwrap() = StatusCode::TOO_MANY_REQUESTS;
    for _ in 0..3 {
        let busy = buyer.get(&url, Coin::Usdc.token(), PRICE).await.unwrap_err();
        assert!(matches!(&busy, Error::NotServed(refusal) if refusal.status == 429), "{busy}");
    }
    let payments = site.payments();
    assert!(payments.len() == 3 && payments.iter().all(|one| *one == payments[0]), "one purchase");
    assert_eq!(promised(), PRICE);
    *site.status.lock().unwrap() = StatusCode::PAYMENT_REQUIRED;
    // Headers that are none.
    site.says(|said| {
        *said = good.clone();
        said.accepts[0].amount = "-1".into();
    });
    assert!(matches!(buyer.get(&url, Coin::Usdc.token(), PRICE).await, Err(Error::Answer(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buyer_pays_the_price_once_and_nobody_gets_more_out_of_it() {
    let mut w = World::start().await;
    let promised = bought_and_dropped(&w).await;
    a_buyer_that_forgot_everything(&w, promised).await;
    sites_that_want_more(&w).await;
    a_tip_buys_nothing(&w).await;
    others_in_between(&mut w).await;
    by_steps(&w).await;
    w.wall.stop().await.unwrap();
    support::strike(w.play, w.daemon).await;
}
