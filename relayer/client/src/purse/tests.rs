#[cfg(feature = "http")]
mod buying;

use super::*;
use crate::{Folder, PeriodLimit, VoucherKey};
use rivulet_core::{
    SoftKeccak,
    ids::{Address, ChannelTerms, Deployment, Number},
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

const AT: Deployment = Deployment { chain_id: 420_420_420, contract: Address([5; 20]) };

fn signer(secret: u8) -> VoucherSigner {
    VoucherSigner::new(VoucherKey::from_bytes([secret; 32]).unwrap(), &AT)
}

fn channel(serial: u32) -> Channel {
    let terms = ChannelTerms {
        number: Number { book: 1, serial },
        payer: Address([1; 20]),
        payee: Address([2; 20]),
        voucher_signer: signer(3).key().address(),
        token: Address::ZERO,
        challenge_period_secs: 60,
        opened_at: 7,
    };
    Channel { terms, id: terms.channel_id(&AT, &SoftKeccak), deposit: 100, promised: 0 }
}

fn purse(path: &Path) -> Purse {
    Purse::open(Folder::open(path).unwrap(), signer(3)).unwrap()
}

#[test]
fn a_promise_is_on_the_disk_before_it_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let (one, purse_before) = (channel(0), purse(dir.path()));
    purse_before.add(&one, "news.example").unwrap();
    let voucher = purse_before.promise(one.id, 30, "article 7").unwrap();
    // The process ends here, before anybody has the voucher.
    let kept = purse_before.get(one.id).unwrap();
    drop(purse_before);
    let after = purse(dir.path());
    assert_eq!(after.get(one.id).unwrap(), kept);
    assert_eq!(after.get(one.id).unwrap().pending_voucher(), Some(voucher));
    assert_eq!(after.promise(one.id, 30, "article 7").unwrap(), voucher, "the same purchase is not paid twice");
    assert!(matches!(after.promise(one.id, 30, "article 8"), Err(Error::Unsettled { .. })), "what became of the first is not known");
    after.accepted(&voucher).unwrap();
    assert_eq!(after.promise(one.id, 30, "article 7").unwrap(), voucher, "not even later");
    assert_eq!(after.promise(one.id, 30, "article 8").unwrap().cumulative_amount, 60);
    assert!(matches!(after.promise(one.id, 31, "article 8"), Err(Error::OtherPrice { before: 30, now: 31, .. })));
}

#[test]
fn what_is_asked_back_is_not_promised_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (one, before) = (channel(0), purse(dir.path()));
    before.add(&one, "news.example").unwrap();
    let voucher = before.promise(one.id, 30, "").unwrap();
    before.accepted(&voucher).unwrap();
    before.set_cover(one.id, 60).unwrap();
    drop(before);
    let after = purse(dir.path());
    assert_eq!(after.get(one.id).unwrap().left(), 30);
    assert!(matches!(after.promise(one.id, 31, ""), Err(Error::BadTotal { total: 61, deposit: 60, .. })));
    // What is promised stays so, whatever the chain covers.
    after.set_cover(one.id, 20).unwrap();
    assert_eq!(after.get(one.id).unwrap().channel.deposit, 30);
    after.set_cover(one.id, 100).unwrap();
    assert_eq!(after.promise(one.id, 70, "").unwrap().cumulative_amount, 100);
}

#[test]
fn a_site_may_get_another_name_and_what_was_spent_goes_with_the_channel() {
    let dir = tempfile::tempdir().unwrap();
    let (one, before) = (channel(0), purse(dir.path()));
    before.add(&one, "0x02").unwrap();
    before.promise(one.id, 30, "").unwrap();
    before.set_site(one.id, "news.example").unwrap();
    drop(before);
    let after = purse(dir.path());
    assert_eq!([after.spent("0x02", Token::ZERO).0, after.spent("news.example", Token::ZERO).0], [0, 30]);
}

#[test]
fn nothing_leaves_when_it_cannot_be_kept() {
    #[derive(Debug)]
    struct Full(Arc<AtomicBool>);
    impl Keep for Full {
        fn load(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
            Ok(Vec::new())
        }
        fn save(&self, _: &str, _: &[u8]) -> Result<(), Error> {
            match self.0.load(Ordering::SeqCst) {
                true => Err(Error::Keep { path: "/".into(), source: std::io::ErrorKind::StorageFull.into() }),
                false => Ok(()),
            }
        }
    }
    let full = Arc::new(AtomicBool::new(false));
    let purse = Purse::open(Full(full.clone()), signer(3)).unwrap();
    let one = channel(0);
    purse.add(&one, "a").unwrap();
    full.store(true, Ordering::SeqCst);
    assert!(matches!(purse.promise(one.id, 1, "x"), Err(Error::Keep { .. })));
    full.store(false, Ordering::SeqCst);
    assert_eq!(purse.promise(one.id, 1, "x").unwrap().cumulative_amount, 1, "what did not leave is not counted");
}

#[test]
fn a_refused_promise_is_not_paid_for_and_still_counts_as_spent() {
    let dir = tempfile::tempdir().unwrap();
    let (one, purse) = (channel(0), purse(dir.path()));
    purse.add(&one, "a").unwrap();
    purse.set_limits("a", Address::ZERO, Limits { total: Some(50), per_period: None }).unwrap();
    let refused = purse.promise(one.id, 40, "x").unwrap();
    purse.refused(&refused).unwrap();
    assert_eq!(purse.spent("a", Address::ZERO), (40, 40), "whoever has it can claim it");
    let next = purse.promise(one.id, 45, "y").unwrap();
    assert_eq!(next.cumulative_amount, 45, "the price, not the price of both");
    purse.accepted(&next).unwrap();
    assert!(matches!(purse.promise(one.id, 6, "z"), Err(Error::OverLimit { limit: 50, spent: 45, wanted: 6, .. })));
}

#[test]
fn limits_hold_over_all_channels_of_a_site_and_over_restarts() {
    static NOW: AtomicU64 = AtomicU64::new(1_000_000);
    let clock: fn() -> u64 = || NOW.load(Ordering::SeqCst);
    let dir = tempfile::tempdir().unwrap();
    let open = || purse(dir.path()).with_clock(clock);
    let (one, two, elsewhere) = (channel(0), channel(1), channel(2));
    let pay = |purse: &Purse, id, amount, name: &str| purse.promise(id, amount, name).and_then(|v| purse.accepted(&v));
    let first = open();
    for (channel, site) in [(&one, "a"), (&two, "a"), (&elsewhere, "b")] {
        first.add(channel, site).unwrap();
    }
    first.set_limits("a", Address::ZERO, Limits { total: Some(70), per_period: Some(PeriodLimit { amount: 30, secs: 100 }) }).unwrap();
    pay(&first, one.id, 20, "1").unwrap();
    drop(first);
    let second = open();
    assert!(matches!(pay(&second, two.id, 11, "2"), Err(Error::OverLimit { period_secs: Some(100), spent: 20, .. })));
    pay(&second, two.id, 10, "3").unwrap();
    pay(&second, elsewhere.id, 90, "4").unwrap();
    NOW.fetch_add(100, Ordering::SeqCst);
    second.end(one.id).unwrap();
    pay(&second, two.id, 30, "5").unwrap();
    NOW.fetch_add(100, Ordering::SeqCst);
    assert!(matches!(pay(&second, two.id, 11, "6"), Err(Error::OverLimit { limit: 70, spent: 60, period_secs: None, .. })));
    assert!(matches!(pay(&second, one.id, 1, "7"), Err(Error::Ended(_))));
}

#[test]
fn a_lost_purse_resumes_only_from_its_own_signature() {
    let one = channel(0);
    let purse = Purse::open(crate::Forgetful::default(), signer(3)).unwrap();
    purse.add(&one, "a").unwrap();
    let forged = signer(4).sign(one.number(), one.id, 90);
    assert!(matches!(purse.resume(one.id, 90, &forged.signature), Err(Error::NotOurs { .. })));
    let own = signer(3).sign(one.number(), one.id, 40);
    assert!(matches!(purse.resume(one.id, 41, &own.signature), Err(Error::NotOurs { .. })), "the signature is of another total");
    assert!(matches!(purse.resume(channel(1).id, 40, &own.signature), Err(Error::NotKept(_))));
    assert!(purse.resume(one.id, 40, &own.signature).unwrap());
    assert!(!purse.resume(one.id, 40, &own.signature).unwrap());
    assert_eq!(purse.promise(one.id, 1, "x").unwrap().cumulative_amount, 41);
    assert_eq!(purse.get(one.id).unwrap().best_voucher().unwrap().cumulative_amount, 41);
}

#[test]
fn a_damaged_record_or_one_of_another_key_stops_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (one, first) = (channel(0), purse(dir.path()));
    first.add(&one, "a").unwrap();
    first.promise(one.id, 30, "x").unwrap();
    drop(first);
    let path = dir.path().join(format!("{}.json", record::channel_name(&one)));
    let good = std::fs::read_to_string(&path).unwrap();
    for bad in
        ["", "{", &good.replace("\"30\"", "\"31\""), &good.replace("\"serial\": 0", "\"serial\": 1"), &good.replace("version\": 2", "version\": 3")]
    {
        std::fs::write(&path, bad).unwrap();
        assert!(matches!(Purse::open(Folder::open(dir.path()).unwrap(), signer(3)), Err(Error::BadRecord { .. })), "{bad}");
    }
    std::fs::write(&path, good).unwrap();
    assert!(matches!(Purse::open(Folder::open(dir.path()).unwrap(), signer(4)), Err(Error::BadRecord { .. })));
    purse(dir.path());
}
