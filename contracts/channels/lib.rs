//! Payment channels: the ink! shell. Every rule is in `rivulet_core::channel`, `book` and `ledger`; the calls are listed in `contracts/README.md`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
#![allow(clippy::too_many_arguments, reason = "calls have the parameters of contracts/README.md")]

#[ink::contract]
mod channels {
    use ink::{
        prelude::vec::Vec,
        sol::{DynBytes, FixedBytes},
    };
    use rivulet_core::{
        blob::VoucherRow,
        book, channel,
        fee::RelayTerms,
        host::{Host, Key},
        ids::{self, Number},
        ledger::{self, Config, TokenState},
        signature::CompactSignature,
    };
    use rivulet_host::{Chain, Error, finish};

    // Records and words are built on the stack; the linker's default is 8 KiB.
    #[cfg(target_arch = "riscv64")]
    polkavm_derive::min_stack_size!(65536);

    /// Storage is core's: cells under its own keys.
    #[ink(storage)]
    pub struct Channels {}

    fn from(a: Address) -> ids::Address {
        ids::Address(a.0)
    }

    fn to(a: ids::Address) -> Address {
        Address::from(a.0)
    }

    fn row(cumulative_amount: u128, r: FixedBytes<32>, y_parity_and_s: FixedBytes<32>) -> VoucherRow {
        let mut signature = [0; 64];
        let (first, second) = signature.split_at_mut(32);
        first.copy_from_slice(&r.0);
        second.copy_from_slice(&y_parity_and_s.0);
        VoucherRow { cumulative_amount, signature: CompactSignature(signature) }
    }

    impl Channels {
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

        /// Opens a channel with the caller's money.
        #[ink(message, payable, name = "open")]
        pub fn open(
            &mut self,
            payee: Address,
            voucher_signer: Address,
            token: Address,
            challenge_period_secs: u32,
            amount: u128,
        ) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let (number, id) =
                finish(channel::open(&mut Chain::new(), from(payee), from(voucher_signer), from(token), challenge_period_secs, amount))?;
            Ok((number.book, number.serial, FixedBytes(id.0)))
        }

        /// Adds the caller's money to the channel, if it is the expected one.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, book: u32, serial: u32, channel_id: FixedBytes<32>, amount: u128) -> Result<(), Error> {
            finish(channel::top_up(&mut Chain::new(), Number { book, serial }, ids::ChannelId(channel_id.0), amount))
        }

        /// Claims one voucher for the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(
            &mut self,
            book: u32,
            serial: u32,
            cumulative_amount: u128,
            r: FixedBytes<32>,
            y_parity_and_s: FixedBytes<32>,
        ) -> Result<(u8, u128), Error> {
            let (outcome, gain) = finish(channel::claim(&mut Chain::new(), Number { book, serial }, row(cumulative_amount, r, y_parity_and_s)))?;
            Ok((outcome as u8, gain))
        }

        /// Claims many vouchers; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, blob: DynBytes) -> Result<DynBytes, Error> {
            finish(channel::claim_batch(&mut Chain::new(), &blob.0)).map(DynBytes)
        }

        /// The payer wants its balance back.
        #[ink(message, payable, name = "requestClose")]
        pub fn request_close(&mut self, book: u32, serial: u32) -> Result<u64, Error> {
            finish(channel::request_close(&mut Chain::new(), Number { book, serial }))
        }

        /// Executes a close that is due.
        #[ink(message, payable, name = "finish")]
        pub fn finish(&mut self, book: u32, serial: u32) -> Result<(), Error> {
            finish(channel::finish(&mut Chain::new(), Number { book, serial }))
        }

        /// The payee closes at once, with its last voucher.
        #[ink(message, payable, name = "close")]
        pub fn close(
            &mut self,
            book: u32,
            serial: u32,
            cumulative_amount: u128,
            r: FixedBytes<32>,
            y_parity_and_s: FixedBytes<32>,
        ) -> Result<(), Error> {
            finish(channel::close(&mut Chain::new(), Number { book, serial }, row(cumulative_amount, r, y_parity_and_s)))
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

        /// A channel: status, parties, deposit, claimed, timers. Zeros but for the status without a record.
        #[ink(message, name = "channel")]
        pub fn channel(&self, book: u32, serial: u32) -> (u8, Address, Address, Address, Address, u32, u64, u128, u128, u64, u128, u64) {
            let (chain, number) = (Chain::new(), Number { book, serial });
            let status = channel::status(&chain, number) as u8;
            let zero = Address::default();
            channel::find(&chain, number).map_or((status, zero, zero, zero, zero, 0, 0, 0, 0, 0, 0, 0), |(c, b)| {
                (
                    status,
                    to(c.payer),
                    to(b.payee),
                    to(c.voucher_signer),
                    to(b.token),
                    c.challenge_period_secs,
                    c.opened_at,
                    c.deposit,
                    c.claimed,
                    c.close_due_at,
                    c.refund_requested,
                    c.refund_due_at,
                )
            })
        }

        /// A channel's id, zero without a record.
        #[ink(message, name = "channelId")]
        pub fn channel_id(&self, book: u32, serial: u32) -> FixedBytes<32> {
            let (chain, number) = (Chain::new(), Number { book, serial });
            FixedBytes(channel::find(&chain, number).map_or([0; 32], |(c, b)| c.terms(number, &b).channel_id(&chain.deployment(), &chain).0))
        }

        /// What a claim of this total would do now, its signature taken for good.
        #[ink(message, name = "claimable")]
        pub fn claimable(&self, book: u32, serial: u32, cumulative_amount: u128) -> (u8, u128, u128) {
            let (outcome, gain, fee) = channel::claimable(&Chain::new(), Number { book, serial }, cumulative_amount);
            (outcome as u8, gain, fee)
        }
    }
}
