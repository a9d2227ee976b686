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
        eip712::Domain,
        ids::{StreamId, StreamNumber},
        stream::{self, NewStream, NewStreams, schedule::Stated},
    };
    use rivulet_host::{
        Error,
        abi::{Args, Input},
        args,
        common::{self, *},
    };

    // Records and words are built on the stack; the linker's default is 8 KiB.
    #[cfg(target_arch = "riscv64")]
    polkavm_derive::min_stack_size!(65536);

    /// Storage is core's: cells under its own keys.
    #[ink(storage)]
    pub struct Streams {}

    args! {
        /// `create`
        Create = "address,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32";
        /// `createMany`
        CreateMany = "address,uint64,uint64,uint64,uint8,address[],uint128[],uint128[],uint128[],uint128[],uint128[],bytes32[]";
        /// `createFor`
        CreateFor = "address,address,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32,uint64,uint64,bytes32,bytes32";
        /// `topUp`
        TopUp = "uint32,uint32,address,address,address,uint128";
        /// `claim`
        Claim = "uint32,uint32,uint128,address";
        /// `adjustRate`, `refund`
        OfAmount = "uint32,uint32,uint128";
        /// `handOver`
        HandOver = "uint32,uint32,address";
        /// `setDelegate`
        SetDelegate = "uint32,uint32,address,uint8,uint128";
    }

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

    fn created((number, id): (StreamNumber, StreamId)) -> (u32, u32, FixedBytes<32>) {
        (number.book, number.serial, FixedBytes(id.0))
    }

    impl Streams {
        /// Fixes the tokens and their seeds, the bounds of the challenge period, the ceiling of relay fees and where mistaken transfers go.
        #[ink(constructor)]
        pub fn new(a: Args<New>) -> Result<Self, Error> {
            common::deploy(a).map(|()| Self {})
        }

        /// Creates a stream of the caller's, with its money or, for the time being, without any.
        #[ink(message, payable, name = "create")]
        pub fn create(&mut self, a: Args<Create>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let mut a = a.read();
            let new = new_stream(&mut a);
            run(&a, |chain| stream::create(chain, &new).map(created))
        }

        /// Creates many streams of one token, with the same times and flags, with the caller's money; all or none. Their serials, in the books of their payees.
        #[ink(message, payable, name = "createMany")]
        pub fn create_many(&mut self, a: Args<CreateMany>) -> Result<Vec<u32>, Error> {
            let mut a = a.read();
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
            run(&a, |chain| Ok(stream::create_many(chain, &many)?.iter().map(|n| n.serial).collect()))
        }

        /// Creates a stream with the payer's tokens, as the payer signed it.
        #[ink(message, payable, name = "createFor")]
        pub fn create_for(&mut self, a: Args<CreateFor>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let mut a = a.read();
            let (payer, new) = (a.address(), new_stream(&mut a));
            let (nonce, deadline, signature) = (a.u64(), a.u64(), a.signature());
            run(&a, |chain| stream::create_for(chain, &payer, &new, nonce, deadline, &signature).map(created))
        }

        /// Adds the caller's money to the stream, if its parties are the expected ones.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, a: Args<TopUp>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, payer, payee, token, amount) = (a.number(), a.address(), a.address(), a.address(), a.u128());
            run(&a, |chain| stream::top_up(chain, number, payer, payee, token, amount))
        }

        /// Claims an amount, or all with 2^128 − 1: the payee to any address, anyone to the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(&mut self, a: Args<Claim>) -> Result<u128, Error> {
            let mut a = a.read();
            let (number, amount, to) = (a.number(), a.u128(), a.address());
            run(&a, |chain| stream::claim(chain, number, amount, &to))
        }

        /// Claims all of many streams; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, a: Args<ClaimBatch>) -> Result<DynBytes, Error> {
            let mut a = a.read();
            let blob = a.bytes();
            run(&a, |chain| stream::claim_batch(chain, &blob).map(DynBytes))
        }

        /// Takes back to the payer an amount, or with 2^128 − 1 all, of what is neither owed nor committed.
        #[ink(message, payable, name = "refund")]
        pub fn refund(&mut self, a: Args<OfAmount>) -> Result<u128, Error> {
            let mut a = a.read();
            let (number, amount) = (a.number(), a.u128());
            run(&a, |chain| stream::refund(chain, number, amount))
        }

        /// Sets the rate from now on.
        #[ink(message, payable, name = "adjustRate")]
        pub fn adjust_rate(&mut self, a: Args<OfAmount>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, rate) = (a.number(), a.u128());
            run(&a, |chain| stream::adjust_rate(chain, number, rate))
        }

        /// Stops the accrual.
        #[ink(message, payable, name = "pause")]
        pub fn pause(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| stream::pause(chain, number))
        }

        /// Lets it accrue again.
        #[ink(message, payable, name = "resume")]
        pub fn resume(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| stream::resume(chain, number))
        }

        /// Ends the stream early; pays the caller's side, the other side becomes claimable.
        #[ink(message, payable, name = "cancel")]
        pub fn cancel(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| stream::cancel(chain, number))
        }

        /// Ends the stream early without moving money: writes off what is not covered, for good.
        #[ink(message, payable, name = "void")]
        pub fn void(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| stream::void(chain, number))
        }

        /// The payer gives up cancelling, for good.
        #[ink(message, payable, name = "renounce")]
        pub fn renounce(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| stream::renounce(chain, number))
        }

        /// The payee gives its side to another; the stream's new number.
        #[ink(message, payable, name = "handOver")]
        pub fn hand_over(&mut self, a: Args<HandOver>) -> Result<(u32, u32), Error> {
            let mut a = a.read();
            let (number, to) = (a.number(), a.address());
            run(&a, |chain| stream::hand_over(chain, number, &to).map(|new| (new.book, new.serial)))
        }

        /// The payer names who may act for it, and how far.
        #[ink(message, payable, name = "setDelegate")]
        pub fn set_delegate(&mut self, a: Args<SetDelegate>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, delegate, rights, cap) = (a.number(), a.address(), a.u8(), a.u128());
            run(&a, |chain| stream::set_delegate(chain, number, &delegate, rights, cap))
        }

        /// A stream: status, parties, schedule, flags, memo, id. Zeros but for the status without a record.
        #[ink(message, name = "stream")]
        pub fn stream(&self, a: Args<Numbered>) -> (u8, Address, Address, Address, u128, u64, u64, u128, u64, u8, FixedBytes<32>, FixedBytes<32>) {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| {
                let v = stream::stream(chain, number);
                let (schedule, cliff) = (v.schedule, v.cliff());
                (
                    v.status as u8,
                    to(v.payer),
                    to(v.payee),
                    to(v.token),
                    schedule.rate_per_second_scaled,
                    schedule.start_at,
                    cliff.at,
                    cliff.amount,
                    schedule.end_at,
                    v.flags,
                    FixedBytes(v.memo),
                    FixedBytes(v.id.0),
                )
            })
        }

        /// A stream's deposit, paid, committed, total, covered and uncovered debt, refundable, depletion time. Zeros without a record.
        #[ink(message, name = "balances")]
        pub fn balances(&self, a: Args<Numbered>) -> (u128, u128, u128, u128, u128, u128, u128, u64) {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| {
                let b = stream::balances(chain, number);
                (b.deposit, b.paid, b.committed, b.total_debt, b.covered_debt, b.uncovered_debt, b.refundable, b.depletes_at)
            })
        }

        /// What a claim of all would take now, and the relay fee in it.
        #[ink(message, name = "claimable")]
        pub fn claimable(&self, a: Args<Numbered>) -> (u128, u128) {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| stream::claimable(chain, number))
        }

        /// Who may act for the payer, what it may do, the largest rate it may set.
        #[ink(message, name = "delegate")]
        pub fn delegate(&self, a: Args<Numbered>) -> (Address, u8, u128) {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| {
                let (delegate, rights, cap) = stream::delegate_of(chain, number);
                (to(delegate), rights, cap)
            })
        }

        /// The serials of a book's streams that have a record, in pages.
        #[ink(message, name = "streams")]
        pub fn streams(&self, a: Args<Listing>) -> (Vec<u32>, u32) {
            let mut a = a.read();
            let (book, from, count) = (a.u32(), a.u32(), a.u32());
            view(&a, |chain| stream::list(chain, book, from, count))
        }

        // The calls that both contracts have.

        /// Sets the relay terms of the caller's book.
        #[ink(message, payable, name = "setTerms")]
        pub fn set_terms(&mut self, a: Args<SetTerms>) -> Result<(), Error> {
            common::set_terms(a)
        }

        /// Sets the relay terms of a payee's book, as it signed it.
        #[ink(message, payable, name = "setTermsFor")]
        pub fn set_terms_for(&mut self, a: Args<SetTermsFor>) -> Result<(), Error> {
            common::set_terms_for(Domain::Streams, a)
        }

        /// Pays the caller's credit to an address of its choice.
        #[ink(message, payable, name = "collect")]
        pub fn collect(&mut self, a: Args<TwoAddresses>) -> Result<u128, Error> {
            common::collect(a)
        }

        /// Pays an owner's credit to an address of its choice, as it signed it.
        #[ink(message, payable, name = "collectFor")]
        pub fn collect_for(&mut self, a: Args<CollectFor>) -> Result<u128, Error> {
            common::collect_for(Domain::Streams, a)
        }

        /// Pays an owner's credit to the owner.
        #[ink(message, payable, name = "push")]
        pub fn push(&mut self, a: Args<TwoAddresses>) -> Result<u128, Error> {
            common::push(a)
        }

        /// Sends what nobody is owed where deployment said.
        #[ink(message, payable, name = "sweep")]
        pub fn sweep(&mut self, a: Args<OfToken>) -> Result<u128, Error> {
            common::sweep(a)
        }

        /// The caller takes back what it signed with this nonce.
        #[ink(message, payable, name = "revokeNonce")]
        pub fn revoke_nonce(&mut self, a: Args<Nonce>) -> Result<(), Error> {
            common::revoke_nonce(a)
        }

        /// Whether a signer's nonce was used or revoked.
        #[ink(message, name = "isNonceUsed")]
        pub fn is_nonce_used(&self, a: Args<NonceOf>) -> bool {
            common::is_nonce_used(a)
        }

        /// What deployment fixed, and how many books there are.
        #[ink(message, name = "config")]
        pub fn config(&self) -> (u32, u32, u16, Address, u32, u32) {
            common::config()
        }

        /// Whether a token is listed, its seed, and what is owed of it.
        #[ink(message, name = "token")]
        pub fn token(&self, a: Args<OfToken>) -> (bool, u128, u128) {
            common::token(a)
        }

        /// The n-th listed token.
        #[ink(message, name = "tokenAt")]
        pub fn token_at(&self, a: Args<Index>) -> Address {
            common::token_at(a)
        }

        /// The book of a payee and token, 0 when there is none.
        #[ink(message, name = "bookOf")]
        pub fn book_of(&self, a: Args<TwoAddresses>) -> u32 {
            common::book_of(a)
        }

        /// A book and its relay terms.
        #[ink(message, name = "book")]
        pub fn book(&self, a: Args<Index>) -> (Address, Address, u32, Address, u16, u128, u128, u64) {
            common::book(a)
        }

        /// What an owner can collect.
        #[ink(message, name = "creditOf")]
        pub fn credit_of(&self, a: Args<TwoAddresses>) -> u128 {
            common::credit_of(a)
        }
    }
}
