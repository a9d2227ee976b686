//! The calls that both contracts have: what serves them. The shells have the messages.

use crate::{abi::Input, calls};
use rivulet_core::{
    book::{self, Book},
    eip712::{self, Domain},
    fee::RelayTerms,
    host::{Host, Key},
    ledger::{self, Config, TokenState},
    signed,
};

/// What messages signed for this contract name.
const DOMAIN: Domain = if cfg!(feature = "streams") { Domain::Streams } else { Domain::Channels };

/// `address beneficiary, uint16 feeBps, uint128 flatFee, uint128 minGain, uint64 until`
fn terms(a: &mut Input) -> RelayTerms {
    RelayTerms { beneficiary: a.address(), fee_bps: a.u16(), flat_fee: a.u128(), min_gain: a.u128(), until: a.u64() }
}

calls! {
    /// `constructor`
    constructor New("address[],uint128[],uint32,uint32,uint16,address") = |c| {
        let a = &mut c.a;
        let (tokens, seeds) = (a.array(Input::address), a.array(Input::u128));
        let config = Config { min_period_secs: a.u32(), max_period_secs: a.u32(), fee_ceiling_bps: a.u16(), sweep_to: a.address(), books: 0, tokens: 0 };
        ledger::deploy(&mut c.h, tokens.into_iter(), seeds.into_iter(), config)?;
        Ok(())
    };
    /// `setTerms`
    call SetTerms("address,address,uint16,uint128,uint128,uint64") = |c| {
        let (token, terms) = (c.a.address(), terms(&mut c.a));
        book::set_terms(&mut c.h, &token, terms)?;
        Ok(())
    };
    /// `setTermsFor`
    call SetTermsFor("address,address,address,uint16,uint128,uint128,uint64,uint64,uint64,bytes32,bytes32") = |c| {
        let a = &mut c.a;
        let (payee, token) = (a.address(), a.address());
        let RelayTerms { beneficiary, fee_bps, flat_fee, min_gain, until } = terms(a);
        let message = eip712::Terms { payee, token, beneficiary, fee_bps, flat_fee, min_gain, until, nonce: a.u64(), deadline: a.u64() };
        let signature = a.signature();
        book::set_terms_signed(&mut c.h, DOMAIN, &message, &signature)?;
        Ok(())
    };
    /// `collect`
    call Collect("address,address") = |c| {
        let (token, to) = (c.a.address(), c.a.address());
        let amount = ledger::collect(&mut c.h, &token, &to)?;
        c.out.u128(amount);
        Ok(())
    };
    /// `collectFor`
    call CollectFor("address,address,address,uint64,uint64,bytes32,bytes32") = |c| {
        let a = &mut c.a;
        let message = eip712::Collect { owner: a.address(), token: a.address(), to: a.address(), nonce: a.u64(), deadline: a.u64() };
        let signature = a.signature();
        let amount = ledger::collect_signed(&mut c.h, DOMAIN, &message, &signature)?;
        c.out.u128(amount);
        Ok(())
    };
    /// `push`
    call Push("address,address") = |c| {
        let (owner, token) = (c.a.address(), c.a.address());
        let amount = ledger::push(&mut c.h, &owner, &token)?;
        c.out.u128(amount);
        Ok(())
    };
    /// `sweep`
    call Sweep("address") = |c| {
        let token = c.a.address();
        let amount = ledger::sweep(&mut c.h, &token)?;
        c.out.u128(amount);
        Ok(())
    };
    /// `revokeNonce`
    call RevokeNonce("uint64") = |c| {
        let nonce = c.a.u64();
        signed::revoke(&mut c.h, nonce)?;
        Ok(())
    };
    /// `isNonceUsed`
    view IsNonceUsed("address,uint64") = |c| {
        let (signer, nonce) = (c.a.address(), c.a.u64());
        c.out.number(signed::is_used(&c.h, &signer, nonce));
        Ok(())
    };
    /// `config`
    view ConfigOf("") = |c| {
        let config = Config::load(&c.h);
        c.out.number(config.min_period_secs).number(config.max_period_secs).number(config.fee_ceiling_bps);
        c.out.address(&config.sweep_to).number(config.books).number(config.tokens);
        Ok(())
    };
    /// `token`
    view OfToken("address") = |c| {
        let token = c.a.address();
        let state = TokenState::load(&c.h, &token);
        let TokenState { seed, owed } = state.unwrap_or_default();
        c.out.number(state.is_some()).u128(seed).u128(owed);
        Ok(())
    };
    /// `tokenAt`
    view TokenAt("uint32") = |c| {
        let key = Key::TokenAt(c.a.u32());
        c.out.address(&c.h.load(&key).map(rivulet_core::ids::Address).unwrap_or_default());
        Ok(())
    };
    /// `bookOf`
    view BookOf("address,address") = |c| {
        let (payee, token) = (c.a.address(), c.a.address());
        c.out.number(book::book_of(&c.h, &payee, &token));
        Ok(())
    };
    /// `book`
    view OfBook("uint32") = |c| {
        let Book { payee, token, next_serial, terms: t, .. } = Book::load(&c.h, c.a.u32()).unwrap_or_default();
        c.out.address(&payee).address(&token).number(next_serial);
        c.out.address(&t.beneficiary).number(t.fee_bps).u128(t.flat_fee).u128(t.min_gain).u64(t.until);
        Ok(())
    };
    /// `creditOf`
    view CreditOf("address,address") = |c| {
        let (owner, token) = (c.a.address(), c.a.address());
        c.out.u128(ledger::credit_of(&c.h, &owner, &token));
        Ok(())
    };
}
