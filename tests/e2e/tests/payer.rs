//! A payer's purse against a real relayer: futures dropped at every point, a relayer killed, a purse lost.
//!
//! ```text
//! 200 purchases, each asked for until it is paid, each time cut off after another while ── the relayer has 200 prices, not one more or less
//! the relayer is killed in the middle of one ── the next call hands it over again
//! everything but the key is lost ── goes on from the relayer's last voucher; a copy from yesterday finds out that it is one
//! ```

mod support;

use rivulet_client::{Error, Folder, Forgetful, Limits, Purse, Relayer, Session, VoucherKey, VoucherSigner};
use rivulet_core::ids::Address;
use rivulet_e2e::story::opening;
use rivulet_rules::chain::ContractKind;
use std::{fs, time::Duration};

const PURCHASES: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_payment_is_neither_lost_nor_paid_twice() {
    let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    let (play, mut daemon) = support::stage(&options, |_| ()).await;
    let channel = opening::open(&play).await.unwrap()[0];
    let (signer, price) = (play.cast.pay[0].vouchers().clone(), channel.deposit / 1_000);
    let relayer = Relayer::new(daemon.url()).unwrap();
    let genesis = play.stage.chain.node().genesis_hash();
    relayer.check(genesis, signer.deployment()).await.unwrap();
    assert!(matches!(relayer.check([0; 32], signer.deployment()).await, Err(Error::OtherContracts { what: "genesis hash", .. })));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kept");
    let open = || Session::new(Purse::open(Folder::wait(&path).unwrap(), signer.clone()).unwrap(), relayer.clone());
    let mut session = open();
    session.purse().add(&channel, "shop").unwrap();
    let total = async || relayer.best(channel.number()).await.unwrap().map_or(0, |best| best.read().unwrap().0);
    let mut dropped = 0;
    for purchase in 0..PURCHASES {
        let name = format!("purchase {purchase}");
        if purchase == PURCHASES / 4 {
            fs::create_dir(dir.path().join("yesterday")).unwrap();
            for file in fs::read_dir(&path).unwrap().map(Result::unwrap) {
                fs::copy(file.path(), dir.path().join("yesterday").join(file.file_name())).unwrap();
            }
        }
        if purchase == PURCHASES / 2 {
            daemon.kill();
            let cut = session.pay(channel.id, price, &name).await.unwrap_err();
            assert!(matches!(cut, Error::Unreachable(_)), "{cut}");
            let other = session.pay(channel.id, price, "something else").await.unwrap_err();
            assert!(matches!(other, Error::Unreachable(_)), "nothing new is signed before the first is settled: {other}");
            assert_eq!(session.purse().get(channel.id).unwrap().channel.promised, price * u128::from(purchase + 1));
            daemon.launch().unwrap();
            daemon.wait_ready().await.unwrap();
        }
        // Cut off a little later each time: before the disk, on it, in the request, before its answer, after it.
        let mut patience = Duration::from_micros(100 + 37 * (purchase % 30));
        loop {
            match tokio::time::timeout(patience, session.pay(channel.id, price, &name)).await {
                Ok(paid) => break assert_eq!(paid.unwrap().voucher.cumulative_amount, price * u128::from(purchase + 1)),
                Err(_) => dropped += 1,
            }
            patience = patience * 3 / 2;
            if dropped % 7 == 0 {
                // As after a crash of this process: only the disk knows. The lock says when the last write of what was dropped is done.
                drop(session);
                session = open();
            }
        }
    }
    assert!(dropped > PURCHASES / 2, "only {dropped} were cut off");
    assert_eq!(total().await, price * u128::from(PURCHASES));
    assert_eq!(session.purse().spent("shop", channel.terms.token).0, price * u128::from(PURCHASES));

    // Limits hold before anything is signed.
    session.purse().set_limits("shop", channel.terms.token, Limits { total: Some(price * u128::from(PURCHASES)), per_period: None }).unwrap();
    assert!(matches!(session.pay(channel.id, 1, "too much").await, Err(Error::OverLimit { .. })));
    drop(session);

    // A copy from yesterday would begin too low: the relayer's last voucher, signed by our own key, says where to go on.
    let stale = Purse::open(Folder::open(dir.path().join("yesterday")).unwrap(), signer.clone()).unwrap();
    let session = Session::new(stale, relayer.clone());
    let paid = session.pay(channel.id, price, "after a restore").await.unwrap();
    assert_eq!(paid.voucher.cumulative_amount, price * u128::from(PURCHASES + 1));

    // Nothing left but the key.
    let empty = Session::new(Purse::open(Forgetful::default(), signer.clone()).unwrap(), relayer.clone());
    let found = play.cast.pay[0].find(channel.number()).await.unwrap().unwrap();
    empty.purse().add(&found, "shop").unwrap();
    assert!(empty.resume(channel.id).await.unwrap());
    let paid = empty.pay(channel.id, price, "after a loss").await.unwrap();
    assert_eq!(paid.voucher.cumulative_amount, price * u128::from(PURCHASES + 2));
    assert_eq!(total().await, price * u128::from(PURCHASES + 2));
    // Somebody else's key does not take it up.
    let stranger = VoucherSigner::new(VoucherKey::generate().unwrap(), &play.stage.chain.binding(ContractKind::Channels));
    let theirs = Purse::open(Forgetful::default(), stranger).unwrap();
    assert!(matches!(theirs.add(&found, "shop"), Err(Error::NotOurs { given: Some(a), .. }) if a != Address::ZERO));
    support::strike(play, daemon).await;
}
