//! Streams: the ink! shell. Every rule is in `rivulet_core::stream`, `book` and `ledger`; the calls are listed in `contracts/README.md`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
#![allow(clippy::type_complexity, reason = "views answer with the tuples of contracts/README.md")]

#[ink::contract]
mod streams {
    use ink::{
        prelude::vec::Vec,
        sol::{DynBytes, FixedBytes},
    };
    use rivulet_core::{
        error::{Error as Refusal, Refused},
        ids::StreamNumber,
        stream::{self, NewStream, NewStreams, schedule::Stated},
    };
    use rivulet_host::{
        Chain, Error,
        abi::{Args, Call, Input},
        calls,
        common::*,
    };

    // Records and words are built on the stack; the linker's default is 8 KiB.
    #[cfg(target_arch = "riscv64")]
    polkavm_derive::min_stack_size!(65536);

    /// Storage is core's: cells under its own keys.
    #[ink(storage)]
    pub struct Streams {}

    /// The parameters of `create`.
    fn new_stream(a: &mut Input) -> NewStream {
        let (payee, token) = (a.address(), a.address());
        let stated = Stated {
            rate_per_second_scaled: a.u128(),
            total: a.u128(),
            start_at: a.u64(),
            cliff_at: a.u64(),
            cliff_amount: a.u128(),
            end_at: a.u64(),
            flags: a.u8(),
        };
        NewStream { payee, token, stated, amount: a.u128(), committed: a.u128(), memo: a.bytes32() }
    }

    /// `create`, and with the payer before its parameters and the signature after them `createFor`.
    fn create(c: &mut Call, signed: bool) -> Result<(), Refusal> {
        let payer = signed.then(|| c.a.address());
        let new = new_stream(&mut c.a);
        let (number, id) = match payer {
            None => stream::create(&mut c.h, &new)?,
            Some(payer) => {
                let (nonce, deadline, signature) = (c.a.u64(), c.a.u64(), c.a.signature());
                stream::create_for(&mut c.h, &payer, &new, nonce, deadline, &signature)?
            }
        };
        c.out.number(number.book).number(number.serial).bytes32(&id.0);
        Ok(())
    }

    /// A call on a stream's number alone.
    fn numbered(c: &mut Call, serve: fn(&mut Chain, StreamNumber) -> Result<(), Refused>) -> Result<(), Refusal> {
        let number = c.a.number();
        serve(&mut c.h, number)?;
        Ok(())
    }

    calls! {
        /// `create`
        call Create("address,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32") = |c| create(c, false);
        /// `createMany`
        call CreateMany("address,uint64,uint64,uint64,uint8,address[],uint128[],uint128[],uint128[],uint128[],uint128[],bytes32[]") = |c| {
            let a = &mut c.a;
            let (token, start_at, cliff_at, end_at, flags) = (a.address(), a.u64(), a.u64(), a.u64(), a.u8());
            let (payees, rates, totals) = (a.array(Input::address), a.array(Input::u128), a.array(Input::u128));
            let (cliff_amounts, amounts, committed) = (a.array(Input::u128), a.array(Input::u128), a.array(Input::u128));
            let many = NewStreams {
                token,
                start_at,
                cliff_at,
                end_at,
                flags,
                payees: &payees,
                rates_per_second_scaled: &rates,
                totals: &totals,
                cliff_amounts: &cliff_amounts,
                amounts: &amounts,
                committed: &committed,
                memos: &a.array(Input::bytes32),
            };
            let numbers = stream::create_many(&mut c.h, &many)?;
            c.out.number(32u8).numbers(numbers.iter().map(|n| n.serial));
            Ok(())
        };
        /// `createFor`
        call CreateFor("address,address,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32,uint64,uint64,bytes32,bytes32") = |c| create(c, true);
        /// `topUp`
        call TopUp("uint32,uint32,address,address,address,uint128") = |c| {
            let a = &mut c.a;
            let (number, payer, payee, token, amount) = (a.number(), a.address(), a.address(), a.address(), a.u128());
            stream::top_up(&mut c.h, number, payer, payee, token, amount)?;
            Ok(())
        };
        /// `claim`
        call Claim("uint32,uint32,uint128,address") = |c| {
            let (number, amount, to) = (c.a.number(), c.a.u128(), c.a.address());
            c.out.u128(stream::claim(&mut c.h, number, amount, &to)?);
            Ok(())
        };
        /// `claimBatch`
        call ClaimBatch("bytes") = |c| {
            let blob = c.a.bytes();
            let outcomes = stream::claim_batch(&mut c.h, &blob)?;
            c.out.number(32u8).bytes(&outcomes);
            Ok(())
        };
        /// `refund`
        call Refund("uint32,uint32,uint128") = |c| {
            let (number, amount) = (c.a.number(), c.a.u128());
            c.out.u128(stream::refund(&mut c.h, number, amount)?);
            Ok(())
        };
        /// `adjustRate`
        call AdjustRate("uint32,uint32,uint128") = |c| {
            let (number, rate) = (c.a.number(), c.a.u128());
            stream::adjust_rate(&mut c.h, number, rate)?;
            Ok(())
        };
        /// `pause`
        call Pause("uint32,uint32") = |c| numbered(c, stream::pause);
        /// `resume`
        call Resume("uint32,uint32") = |c| numbered(c, stream::resume);
        /// `cancel`
        call Cancel("uint32,uint32") = |c| numbered(c, stream::cancel);
        /// `void`
        call Void("uint32,uint32") = |c| numbered(c, stream::void);
        /// `renounce`
        call Renounce("uint32,uint32") = |c| numbered(c, stream::renounce);
        /// `handOver`
        call HandOver("uint32,uint32,address") = |c| {
            let (number, to) = (c.a.number(), c.a.address());
            let new = stream::hand_over(&mut c.h, number, &to)?;
            c.out.number(new.book).number(new.serial);
            Ok(())
        };
        /// `setDelegate`
        call SetDelegate("uint32,uint32,address,uint8,uint128") = |c| {
            let (number, delegate, rights, cap) = (c.a.number(), c.a.address(), c.a.u8(), c.a.u128());
            stream::set_delegate(&mut c.h, number, &delegate, rights, cap)?;
            Ok(())
        };
        /// `stream`
        view OfStream("uint32,uint32") = |c| {
            let v = stream::stream(&c.h, c.a.number());
            let (schedule, cliff) = (v.schedule, v.cliff());
            c.out.number(v.status as u8).address(&v.payer).address(&v.payee).address(&v.token);
            c.out.u128(schedule.rate_per_second_scaled).u64(schedule.start_at).u64(cliff.at).u128(cliff.amount);
            c.out.u64(schedule.end_at).number(v.flags).bytes32(&v.memo).bytes32(&v.id.0);
            Ok(())
        };
        /// `balances`
        view Balances("uint32,uint32") = |c| {
            let b = stream::balances(&c.h, c.a.number());
            c.out.u128(b.deposit).u128(b.paid).u128(b.committed).u128(b.total_debt);
            c.out.u128(b.covered_debt).u128(b.uncovered_debt).u128(b.refundable).u64(b.depletes_at);
            Ok(())
        };
        /// `claimable`
        view Claimable("uint32,uint32") = |c| {
            let (gain, fee) = stream::claimable(&c.h, c.a.number());
            c.out.u128(gain).u128(fee);
            Ok(())
        };
        /// `delegate`
        view DelegateOf("uint32,uint32") = |c| {
            let (delegate, rights, cap) = stream::delegate_of(&c.h, c.a.number());
            c.out.address(&delegate).number(rights).u128(cap);
            Ok(())
        };
        /// `streams`
        view Listing("uint32,uint32,uint32") = |c| {
            let (book, from, count) = (c.a.u32(), c.a.u32(), c.a.u32());
            let (serials, next) = stream::list(&c.h, book, from, count);
            c.out.number(64u8).number(next).numbers(serials.into_iter());
            Ok(())
        };
    }

    impl Streams {
        /// Fixes the tokens and their seeds, the bounds of the challenge period, the ceiling of relay fees and where mistaken transfers go.
        #[ink(constructor)]
        pub fn new(a: Args<New>) -> Result<Self, Error> {
            a.call::<()>().map(|()| Self {})
        }

        /// Creates a stream of the caller's, with its money or, for the time being, without any.
        #[ink(message, payable, name = "create")]
        pub fn create(&mut self, a: Args<Create>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// Creates many streams of one token, with the same times and flags, with the caller's money; all or none. Their serials, in the books of their payees.
        #[ink(message, payable, name = "createMany")]
        pub fn create_many(&mut self, a: Args<CreateMany>) -> Result<Vec<u32>, Error> {
            a.call()
        }

        /// Creates a stream with the payer's tokens, as the payer signed it.
        #[ink(message, payable, name = "createFor")]
        pub fn create_for(&mut self, a: Args<CreateFor>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// Adds the caller's money to the stream, if its parties are the expected ones.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, a: Args<TopUp>) -> Result<(), Error> {
            a.call()
        }

        /// Claims an amount, or all with 2^128 − 1: the payee to any address, anyone to the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(&mut self, a: Args<Claim>) -> Result<u128, Error> {
            a.call()
        }

        /// Claims all of many streams; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, a: Args<ClaimBatch>) -> Result<DynBytes, Error> {
            a.call()
        }

        /// Takes back to the payer an amount, or with 2^128 − 1 all, of what is neither owed nor committed.
        #[ink(message, payable, name = "refund")]
        pub fn refund(&mut self, a: Args<Refund>) -> Result<u128, Error> {
            a.call()
        }

        /// Sets the rate from now on.
        #[ink(message, payable, name = "adjustRate")]
        pub fn adjust_rate(&mut self, a: Args<AdjustRate>) -> Result<(), Error> {
            a.call()
        }

        /// Stops the accrual.
        #[ink(message, payable, name = "pause")]
        pub fn pause(&mut self, a: Args<Pause>) -> Result<(), Error> {
            a.call()
        }

        /// Lets it accrue again.
        #[ink(message, payable, name = "resume")]
        pub fn resume(&mut self, a: Args<Resume>) -> Result<(), Error> {
            a.call()
        }

        /// Ends the stream early; pays the caller's side, the other side becomes claimable.
        #[ink(message, payable, name = "cancel")]
        pub fn cancel(&mut self, a: Args<Cancel>) -> Result<(), Error> {
            a.call()
        }

        /// Ends the stream early without moving money: writes off what is not covered, for good.
        #[ink(message, payable, name = "void")]
        pub fn void(&mut self, a: Args<Void>) -> Result<(), Error> {
            a.call()
        }

        /// The payer gives up cancelling, for good.
        #[ink(message, payable, name = "renounce")]
        pub fn renounce(&mut self, a: Args<Renounce>) -> Result<(), Error> {
            a.call()
        }

        /// The payee gives its side to another; the stream's new number.
        #[ink(message, payable, name = "handOver")]
        pub fn hand_over(&mut self, a: Args<HandOver>) -> Result<(u32, u32), Error> {
            a.call()
        }

        /// The payer names who may act for it, and how far.
        #[ink(message, payable, name = "setDelegate")]
        pub fn set_delegate(&mut self, a: Args<SetDelegate>) -> Result<(), Error> {
            a.call()
        }

        /// A stream: status, parties, schedule, flags, memo, id. Zeros but for the status without a record.
        #[ink(message, name = "stream")]
        pub fn stream(&self, a: Args<OfStream>) -> (u8, Address, Address, Address, u128, u64, u64, u128, u64, u8, FixedBytes<32>, FixedBytes<32>) {
            a.view()
        }

        /// A stream's deposit, paid, committed, total, covered and uncovered debt, refundable, depletion time. Zeros without a record.
        #[ink(message, name = "balances")]
        pub fn balances(&self, a: Args<Balances>) -> (u128, u128, u128, u128, u128, u128, u128, u64) {
            a.view()
        }

        /// What a claim of all would take now, and the relay fee in it.
        #[ink(message, name = "claimable")]
        pub fn claimable(&self, a: Args<Claimable>) -> (u128, u128) {
            a.view()
        }

        /// Who may act for the payer, what it may do, the largest rate it may set.
        #[ink(message, name = "delegate")]
        pub fn delegate(&self, a: Args<DelegateOf>) -> (Address, u8, u128) {
            a.view()
        }

        /// The serials of a book's streams that have a record, in pages.
        #[ink(message, name = "streams")]
        pub fn streams(&self, a: Args<Listing>) -> (Vec<u32>, u32) {
            a.view()
        }

        // The calls that both contracts have.

        /// Sets the relay terms of the caller's book.
        #[ink(message, payable, name = "setTerms")]
        pub fn set_terms(&mut self, a: Args<SetTerms>) -> Result<(), Error> {
            a.call()
        }

        /// Sets the relay terms of a payee's book, as it signed it.
        #[ink(message, payable, name = "setTermsFor")]
        pub fn set_terms_for(&mut self, a: Args<SetTermsFor>) -> Result<(), Error> {
            a.call()
        }

        /// Pays the caller's credit to an address of its choice.
        #[ink(message, payable, name = "collect")]
        pub fn collect(&mut self, a: Args<Collect>) -> Result<u128, Error> {
            a.call()
        }

        /// Pays an owner's credit to an address of its choice, as it signed it.
        #[ink(message, payable, name = "collectFor")]
        pub fn collect_for(&mut self, a: Args<CollectFor>) -> Result<u128, Error> {
            a.call()
        }

        /// Pays an owner's credit to the owner.
        #[ink(message, payable, name = "push")]
        pub fn push(&mut self, a: Args<Push>) -> Result<u128, Error> {
            a.call()
        }

        /// Sends what nobody is owed where deployment said.
        #[ink(message, payable, name = "sweep")]
        pub fn sweep(&mut self, a: Args<Sweep>) -> Result<u128, Error> {
            a.call()
        }

        /// The caller takes back what it signed with this nonce.
        #[ink(message, payable, name = "revokeNonce")]
        pub fn revoke_nonce(&mut self, a: Args<RevokeNonce>) -> Result<(), Error> {
            a.call()
        }

        /// Whether a signer's nonce was used or revoked.
        #[ink(message, name = "isNonceUsed")]
        pub fn is_nonce_used(&self, a: Args<IsNonceUsed>) -> bool {
            a.view()
        }

        /// What deployment fixed, and how many books there are.
        #[ink(message, name = "config")]
        pub fn config(&self, a: Args<ConfigOf>) -> (u32, u32, u16, Address, u32, u32) {
            a.view()
        }

        /// Whether a token is listed, its seed, and what is owed of it.
        #[ink(message, name = "token")]
        pub fn token(&self, a: Args<OfToken>) -> (bool, u128, u128) {
            a.view()
        }

        /// The n-th listed token.
        #[ink(message, name = "tokenAt")]
        pub fn token_at(&self, a: Args<TokenAt>) -> Address {
            a.view()
        }

        /// The book of a payee and token, 0 when there is none.
        #[ink(message, name = "bookOf")]
        pub fn book_of(&self, a: Args<BookOf>) -> u32 {
            a.view()
        }

        /// A book and its relay terms.
        #[ink(message, name = "book")]
        pub fn book(&self, a: Args<OfBook>) -> (Address, Address, u32, Address, u16, u128, u128, u64) {
            a.view()
        }

        /// What an owner can collect.
        #[ink(message, name = "creditOf")]
        pub fn credit_of(&self, a: Args<CreditOf>) -> u128 {
            a.view()
        }
    }
}
