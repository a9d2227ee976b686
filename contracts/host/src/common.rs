//! The calls that both contracts have, for their shells.

use crate::{
    Chain, Error,
    abi::{Answer, Args, Input},
    answer, args, construct, finish,
};
use ink::primitives::Address;
use rivulet_core::{
    book::{self, Book},
    eip712::{self, Domain},
    error::Error as Refusal,
    fee::RelayTerms,
    host::{Host, Key},
    ids,
    ledger::{self, Config, TokenState},
    signed,
};

args! {
    /// `constructor`
    New = "address[],uint128[],uint32,uint32,uint16,address" at 0;
    /// `setTerms`
    SetTerms = "address,address,uint16,uint128,uint128,uint64";
    /// `setTermsFor`
    SetTermsFor = "address,address,address,uint16,uint128,uint128,uint64,uint64,uint64,bytes32,bytes32";
    /// `claimBatch`
    ClaimBatch = "bytes";
    /// `collectFor`
    CollectFor = "address,address,address,uint64,uint64,bytes32,bytes32";
    /// `collect`, `push`, `creditOf`, `bookOf`
    TwoAddresses = "address,address";
    /// `sweep`, `token`
    OfToken = "address";
    /// `revokeNonce`
    Nonce = "uint64";
    /// `isNonceUsed`
    NonceOf = "address,uint64";
    /// `tokenAt`, `book`
    Index = "uint32";
    /// A channel or stream.
    Numbered = "uint32,uint32";
    /// `channels`, `streams`
    Listing = "uint32,uint32,uint32";
}

/// To ink!'s.
pub fn to(a: ids::Address) -> Address {
    Address::from(a.0)
}

/// A call of core's whose arguments have been read, if they could be.
#[inline(always)]
pub fn run<T: Answer>(a: &Input, call: impl FnOnce(&mut Chain) -> Result<T, Refusal>) -> Result<T, Error> {
    finish(a.end().and_then(|()| call(&mut Chain::new())))
}

/// A view of core's.
#[inline(always)]
pub fn view<T: Answer>(a: &Input, read: impl FnOnce(&Chain) -> T) -> T {
    if let Err(e) = a.end() {
        crate::revert(e);
    }
    answer(read(&Chain::new()))
}

/// `constructor`
pub fn deploy(a: Args<New>) -> Result<(), Error> {
    let mut a = a.read();
    let (tokens, seeds) = (a.array(Input::address), a.array(Input::u128));
    let config = Config { min_period_secs: a.u32(), max_period_secs: a.u32(), fee_ceiling_bps: a.u16(), sweep_to: a.address(), books: 0, tokens: 0 };
    construct(a.end().and_then(|()| ledger::deploy(&mut Chain::new(), tokens.into_iter(), seeds.into_iter(), config)))
}

fn terms(a: &mut Input) -> RelayTerms {
    RelayTerms { beneficiary: a.address(), fee_bps: a.u16(), flat_fee: a.u128(), min_gain: a.u128(), until: a.u64() }
}

/// `setTerms`
pub fn set_terms(a: Args<SetTerms>) -> Result<(), Error> {
    let mut a = a.read();
    let (token, terms) = (a.address(), terms(&mut a));
    run(&a, |chain| book::set_terms(chain, &token, terms))
}

/// `setTermsFor`
pub fn set_terms_for(domain: Domain, a: Args<SetTermsFor>) -> Result<(), Error> {
    let mut a = a.read();
    let (payee, token) = (a.address(), a.address());
    let RelayTerms { beneficiary, fee_bps, flat_fee, min_gain, until } = terms(&mut a);
    let message = eip712::Terms { payee, token, beneficiary, fee_bps, flat_fee, min_gain, until, nonce: a.u64(), deadline: a.u64() };
    let signature = a.signature();
    run(&a, |chain| book::set_terms_signed(chain, domain, &message, &signature))
}

/// `collect`
pub fn collect(a: Args<TwoAddresses>) -> Result<u128, Error> {
    let mut a = a.read();
    let (token, to) = (a.address(), a.address());
    run(&a, |chain| ledger::collect(chain, &token, &to))
}

/// `collectFor`
pub fn collect_for(domain: Domain, a: Args<CollectFor>) -> Result<u128, Error> {
    let mut a = a.read();
    let message = eip712::Collect { owner: a.address(), token: a.address(), to: a.address(), nonce: a.u64(), deadline: a.u64() };
    let signature = a.signature();
    run(&a, |chain| ledger::collect_signed(chain, domain, &message, &signature))
}

/// `push`
pub fn push(a: Args<TwoAddresses>) -> Result<u128, Error> {
    let mut a = a.read();
    let (owner, token) = (a.address(), a.address());
    run(&a, |chain| ledger::push(chain, &owner, &token))
}

/// `sweep`
pub fn sweep(a: Args<OfToken>) -> Result<u128, Error> {
    let mut a = a.read();
    let token = a.address();
    run(&a, |chain| ledger::sweep(chain, &token))
}

/// `revokeNonce`
pub fn revoke_nonce(a: Args<Nonce>) -> Result<(), Error> {
    let mut a = a.read();
    let nonce = a.u64();
    run(&a, |chain| signed::revoke(chain, nonce))
}

/// `isNonceUsed`
pub fn is_nonce_used(a: Args<NonceOf>) -> bool {
    let mut a = a.read();
    let (signer, nonce) = (a.address(), a.u64());
    view(&a, |chain| signed::is_used(chain, &signer, nonce))
}

/// `config`
pub fn config() -> (u32, u32, u16, Address, u32, u32) {
    let c = Config::load(&Chain::new());
    answer((c.min_period_secs, c.max_period_secs, c.fee_ceiling_bps, to(c.sweep_to), c.books, c.tokens))
}

/// `token`
pub fn token(a: Args<OfToken>) -> (bool, u128, u128) {
    let mut a = a.read();
    let token = a.address();
    view(&a, |chain| TokenState::load(chain, &token).map_or((false, 0, 0), |t| (true, t.seed, t.owed)))
}

/// `tokenAt`
pub fn token_at(a: Args<Index>) -> Address {
    let mut a = a.read();
    let index = a.u32();
    view(&a, |chain| Address::from(chain.load::<20>(&Key::TokenAt(index)).unwrap_or_default()))
}

/// `bookOf`
pub fn book_of(a: Args<TwoAddresses>) -> u32 {
    let mut a = a.read();
    let (payee, token) = (a.address(), a.address());
    view(&a, |chain| book::book_of(chain, &payee, &token))
}

/// `book`
pub fn book(a: Args<Index>) -> (Address, Address, u32, Address, u16, u128, u128, u64) {
    let mut a = a.read();
    let book = a.u32();
    let zero = || (Address::default(), Address::default(), 0, Address::default(), 0, 0, 0, 0);
    view(&a, |chain| {
        Book::load(chain, book).map_or_else(zero, |b| {
            let t = b.terms;
            (to(b.payee), to(b.token), b.next_serial, to(t.beneficiary), t.fee_bps, t.flat_fee, t.min_gain, t.until)
        })
    })
}

/// `creditOf`
pub fn credit_of(a: Args<TwoAddresses>) -> u128 {
    let mut a = a.read();
    let (owner, token) = (a.address(), a.address());
    view(&a, |chain| ledger::credit_of(chain, &owner, &token))
}
