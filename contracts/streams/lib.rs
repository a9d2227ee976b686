//! Streams: the ink! shell. Every rule is in `rivulet_core::stream`, `book` and `ledger`; the calls are listed in `contracts/README.md`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
#![allow(clippy::too_many_arguments, reason = "calls have the parameters of contracts/README.md")]
#![allow(clippy::type_complexity, reason = "views answer with the tuples of contracts/README.md")]

#[ink::contract]
mod streams {
    use ink::{
        prelude::vec::Vec,
        sol::{DynBytes, FixedBytes},
    };
    use rivulet_core::{
        book,
        fee::RelayTerms,
        host::{Host, Key},
        ids::{self, Number},
        ledger::{self, Config, TokenState},
        stream::{self, NewStream, schedule::Stated},
    };
    use rivulet_host::{Chain, Error, finish};

    // Records and words are built on the stack; the linker's default is 8 KiB.
    #[cfg(target_arch = "riscv64")]
    polkavm_derive::min_stack_size!(65536);

    /// Storage is core's: cells under its own keys.
    #[ink(storage)]
    pub struct Streams {}

    fn from(a: Address) -> ids::Address {
        ids::Address(a.0)
    }

    fn to(a: ids::Address) -> Address {
        Address::from(a.0)
    }

    impl Streams {
        /// Fixes the tokens and their seeds, the bounds of the challenge period, the ceiling of relay fees and where mistaken transfers go.
        #[ink(constructor)]
        pub fn new(
            tokens: Vec<Address>,
            seeds: Vec<u128>,
            min_challenge_period_secs: u32,
            max_challenge_period_secs: u32,
            fee_ceiling_bps: u16,
            sweep_to: Address,
        ) -> Result<Self, Error> {
            let config = Config {
                min_period_secs: min_challenge_period_secs,
                max_period_secs: max_challenge_period_secs,
                fee_ceiling_bps,
                sweep_to: from(sweep_to),
                books: 0,
                tokens: 0,
            };
            finish(ledger::deploy(&mut Chain::new(), tokens.into_iter().map(from), seeds.into_iter(), config))?;
            Ok(Self {})
        }

        /// Creates a stream of the caller's, with its money or, for the time being, without any.
        #[ink(message, payable, name = "create")]
        pub fn create(
            &mut self,
            payee: Address,
            token: Address,
            rate_per_second_scaled: u128,
            total: u128,
            start_at: u64,
            cliff_at: u64,
            cliff_amount: u128,
            end_at: u64,
            flags: u8,
            amount: u128,
            committed: u128,
            memo: FixedBytes<32>,
        ) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let stated = Stated { rate_per_second_scaled, total, start_at, cliff_at, cliff_amount, end_at, flags };
            let new = NewStream { payee: from(payee), token: from(token), stated, amount, committed, memo: memo.0 };
            let (number, id) = finish(stream::create(&mut Chain::new(), &new))?;
            Ok((number.book, number.serial, FixedBytes(id.0)))
        }

        /// Adds the caller's money to the stream, if its parties are the expected ones.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, book: u32, serial: u32, payer: Address, payee: Address, token: Address, amount: u128) -> Result<(), Error> {
            finish(stream::top_up(&mut Chain::new(), Number { book, serial }, from(payer), from(payee), from(token), amount))
        }

        /// Claims an amount, or all with 2^128 − 1: the payee to any address, anyone to the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(&mut self, book: u32, serial: u32, amount: u128, to: Address) -> Result<u128, Error> {
            finish(stream::claim(&mut Chain::new(), Number { book, serial }, amount, &from(to)))
        }

        /// Claims all of many streams; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, blob: DynBytes) -> Result<DynBytes, Error> {
            finish(stream::claim_batch(&mut Chain::new(), &blob.0)).map(DynBytes)
        }

        /// The payer stops the accrual.
        #[ink(message, payable, name = "pause")]
        pub fn pause(&mut self, book: u32, serial: u32) -> Result<(), Error> {
            finish(stream::pause(&mut Chain::new(), Number { book, serial }))
        }

        /// The payer lets it accrue again.
        #[ink(message, payable, name = "resume")]
        pub fn resume(&mut self, book: u32, serial: u32) -> Result<(), Error> {
            finish(stream::resume(&mut Chain::new(), Number { book, serial }))
        }

        /// Ends the stream early; pays the caller's side, the other side becomes claimable.
        #[ink(message, payable, name = "cancel")]
        pub fn cancel(&mut self, book: u32, serial: u32) -> Result<(), Error> {
            finish(stream::cancel(&mut Chain::new(), Number { book, serial }))
        }

        /// Sets the relay terms of the caller's book.
        #[ink(message, payable, name = "setTerms")]
        pub fn set_terms(
            &mut self,
            token: Address,
            beneficiary: Address,
            fee_bps: u16,
            flat_fee: u128,
            min_gain: u128,
            until: u64,
        ) -> Result<(), Error> {
            let terms = RelayTerms { beneficiary: from(beneficiary), fee_bps, flat_fee, min_gain, until };
            finish(book::set_terms(&mut Chain::new(), &from(token), terms))
        }

        /// Pays the caller's credit to an address of its choice.
        #[ink(message, payable, name = "collect")]
        pub fn collect(&mut self, token: Address, to: Address) -> Result<u128, Error> {
            finish(ledger::collect(&mut Chain::new(), &from(token), &from(to)))
        }

        /// Pays an owner's credit to the owner.
        #[ink(message, payable, name = "push")]
        pub fn push(&mut self, owner: Address, token: Address) -> Result<u128, Error> {
            finish(ledger::push(&mut Chain::new(), &from(owner), &from(token)))
        }

        /// What deployment fixed, and how many books there are.
        #[ink(message, name = "config")]
        pub fn config(&self) -> (u32, u32, u16, Address, u32, u32) {
            let c = Config::load(&Chain::new());
            (c.min_period_secs, c.max_period_secs, c.fee_ceiling_bps, to(c.sweep_to), c.books, c.tokens)
        }

        /// Whether a token is listed, its seed, and what is owed of it.
        #[ink(message, name = "token")]
        pub fn token(&self, token: Address) -> (bool, u128, u128) {
            TokenState::load(&Chain::new(), &from(token)).map_or((false, 0, 0), |t| (true, t.seed, t.owed))
        }

        /// The n-th listed token.
        #[ink(message, name = "tokenAt")]
        pub fn token_at(&self, index: u32) -> Address {
            Address::from(Chain::new().load::<20>(&Key::TokenAt(index)).unwrap_or_default())
        }

        /// The book of a payee and token, 0 when there is none.
        #[ink(message, name = "bookOf")]
        pub fn book_of(&self, payee: Address, token: Address) -> u32 {
            book::book_of(&Chain::new(), &from(payee), &from(token))
        }

        /// A book and its relay terms.
        #[ink(message, name = "book")]
        pub fn book(&self, book: u32) -> (Address, Address, u32, Address, u16, u128, u128, u64) {
            let zero = || (Address::default(), Address::default(), 0, Address::default(), 0, 0, 0, 0);
            book::Book::load(&Chain::new(), book).map_or_else(zero, |b| {
                let t = b.terms;
                (to(b.payee), to(b.token), b.next_serial, to(t.beneficiary), t.fee_bps, t.flat_fee, t.min_gain, t.until)
            })
        }

        /// What an owner can collect.
        #[ink(message, name = "creditOf")]
        pub fn credit_of(&self, owner: Address, token: Address) -> u128 {
            ledger::credit_of(&Chain::new(), &from(owner), &from(token))
        }

        /// A stream: status, parties, schedule, flags, memo, id. Zeros but for the status without a record.
        #[ink(message, name = "stream")]
        pub fn stream(
            &self,
            book: u32,
            serial: u32,
        ) -> (u8, Address, Address, Address, u128, u64, u64, u128, u64, u8, FixedBytes<32>, FixedBytes<32>) {
            let v = stream::stream(&Chain::new(), Number { book, serial });
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
        }

        /// A stream's deposit, paid, committed, total, covered and uncovered debt, refundable, depletion time. Zeros without a record.
        #[ink(message, name = "balances")]
        pub fn balances(&self, book: u32, serial: u32) -> (u128, u128, u128, u128, u128, u128, u128, u64) {
            let b = stream::balances(&Chain::new(), Number { book, serial });
            (b.deposit, b.paid, b.committed, b.total_debt, b.covered_debt, b.uncovered_debt, b.refundable, b.depletes_at)
        }
    }
}
