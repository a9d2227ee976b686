//! Payment channels: the ink! shell. Every rule is in `rivulet_core::channel`, `book` and `ledger`; the calls are listed in `contracts/README.md`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]
#![allow(clippy::type_complexity, reason = "views answer with the tuples of contracts/README.md")]

#[ink::contract]
mod channels {
    use ink::{
        prelude::vec::Vec,
        sol::{DynBytes, FixedBytes},
    };
    use rivulet_core::{
        blob::VoucherRow,
        channel::{self, Opening},
        eip712::{self, Domain},
        error::Error as Refusal,
        host::Permit,
        ids::{ChannelId, ChannelNumber},
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
    pub struct Channels {}

    args! {
        /// `open`
        Open = "address,address,address,uint32,uint128";
        /// `openWithPermit`
        OpenWithPermit = "address,address,address,uint32,uint128,uint64,uint8,bytes32,bytes32";
        /// `openFor`
        OpenFor = "address,address,address,address,uint32,uint128,uint64,uint64,bytes32,bytes32";
        /// `openForWithPermit`
        OpenForWithPermit = "address,address,address,address,uint32,uint128,uint64,uint64,bytes32,bytes32,uint64,uint8,bytes32,bytes32";
        /// `openMany`
        OpenMany = "address,uint32,address[],address[],uint128[]";
        /// `topUp`
        TopUp = "uint32,uint32,bytes32,uint128";
        /// `claim`, `close`
        WithVoucher = "uint32,uint32,uint128,bytes32,bytes32";
        /// `requestRefund`, `claimable`
        OfAmount = "uint32,uint32,uint128";
        /// `requestRefundFor`, `closeFor`
        OfAmountSigned = "uint32,uint32,uint128,uint64,uint64,bytes32,bytes32";
    }

    /// `address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount`
    fn opening(a: &mut Input) -> (Opening, rivulet_core::ids::Token, u32) {
        let (payee, voucher_signer, token, period) = (a.address(), a.address(), a.address(), a.u32());
        (Opening { payee, voucher_signer, amount: a.u128() }, token, period)
    }

    /// `uint64 permitDeadline, uint8 permitV, bytes32 permitR, bytes32 permitS`
    fn permit(a: &mut Input) -> Permit {
        Permit { deadline: a.u64(), v: a.u8(), r: a.bytes32(), s: a.bytes32() }
    }

    fn voucher(a: &mut Input) -> VoucherRow {
        VoucherRow { cumulative_amount: a.u128(), signature: a.signature() }
    }

    fn opened((number, id): (ChannelNumber, ChannelId)) -> (u32, u32, FixedBytes<32>) {
        (number.book, number.serial, FixedBytes(id.0))
    }

    /// `openFor`, and with what follows its parameters `openForWithPermit`.
    fn open_for(mut a: Input, with_permit: bool) -> Result<(u32, u32, FixedBytes<32>), Error> {
        let payer = a.address();
        let (one, token, challenge_period_secs) = opening(&mut a);
        let Opening { payee, voucher_signer, amount } = one;
        let message = eip712::Open { payer, payee, voucher_signer, token, challenge_period_secs, amount, nonce: a.u64(), deadline: a.u64() };
        let signature = a.signature();
        let permit = with_permit.then(|| permit(&mut a));
        run(&a, |chain| channel::open_for(chain, &message, &signature, permit.as_ref()).map(opened))
    }

    impl Channels {
        /// Fixes the tokens and their seeds, the bounds of the challenge period, the ceiling of relay fees and where mistaken transfers go.
        #[ink(constructor)]
        pub fn new(a: Args<New>) -> Result<Self, Error> {
            common::deploy(a).map(|()| Self {})
        }

        /// Opens a channel with the caller's money.
        #[ink(message, payable, name = "open")]
        pub fn open(&mut self, a: Args<Open>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let mut a = a.read();
            let (one, token, period) = opening(&mut a);
            run(&a, |chain| channel::open(chain, &one, token, period).map(opened))
        }

        /// The same, with the allowance as an EIP-2612 permit.
        #[ink(message, payable, name = "openWithPermit")]
        pub fn open_with_permit(&mut self, a: Args<OpenWithPermit>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            let mut a = a.read();
            let ((one, token, period), permit) = (opening(&mut a), permit(&mut a));
            run(&a, |chain| channel::open_with_permit(chain, &one, token, period, &permit).map(opened))
        }

        /// Opens a channel with the payer's tokens, as the payer signed it.
        #[ink(message, payable, name = "openFor")]
        pub fn open_for(&mut self, a: Args<OpenFor>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            open_for(a.read(), false)
        }

        /// The same, with the allowance as an EIP-2612 permit.
        #[ink(message, payable, name = "openForWithPermit")]
        pub fn open_for_with_permit(&mut self, a: Args<OpenForWithPermit>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            open_for(a.read(), true)
        }

        /// Opens many channels of one token with the caller's money; all or none. Their serials, in the books of their payees.
        #[ink(message, payable, name = "openMany")]
        pub fn open_many(&mut self, a: Args<OpenMany>) -> Result<Vec<u32>, Error> {
            let mut a = a.read();
            let (token, period) = (a.address(), a.u32());
            let (payees, signers, amounts) = (a.array(Input::address), a.array(Input::address), a.array(Input::u128));
            run(&a, |chain| {
                if payees.len() != signers.len() || payees.len() != amounts.len() {
                    return Err(Refusal::LengthsDiffer {});
                }
                let parties = payees.into_iter().zip(signers).zip(amounts);
                let many: Vec<Opening> = parties.map(|((payee, voucher_signer), amount)| Opening { payee, voucher_signer, amount }).collect();
                Ok(channel::open_many(chain, token, period, &many)?.iter().map(|n| n.serial).collect())
            })
        }

        /// Adds the caller's money to the channel, if it is the expected one.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, a: Args<TopUp>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, id, amount) = (a.number(), ChannelId(a.bytes32()), a.u128());
            run(&a, |chain| channel::top_up(chain, number, id, amount))
        }

        /// Claims one voucher for the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(&mut self, a: Args<WithVoucher>) -> Result<(u8, u128), Error> {
            let mut a = a.read();
            let (number, voucher) = (a.number(), voucher(&mut a));
            run(&a, |chain| channel::claim(chain, number, voucher).map(|(outcome, gain)| (outcome as u8, gain)))
        }

        /// Claims many vouchers; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, a: Args<ClaimBatch>) -> Result<DynBytes, Error> {
            let mut a = a.read();
            let blob = a.bytes();
            run(&a, |chain| channel::claim_batch(chain, &blob).map(DynBytes))
        }

        /// The payer wants its balance back.
        #[ink(message, payable, name = "requestClose")]
        pub fn request_close(&mut self, a: Args<Numbered>) -> Result<u64, Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| channel::request_close(chain, number))
        }

        /// The payer wants a part of its balance back; 0 takes the request back.
        #[ink(message, payable, name = "requestRefund")]
        pub fn request_refund(&mut self, a: Args<OfAmount>) -> Result<u64, Error> {
            let mut a = a.read();
            let (number, amount) = (a.number(), a.u128());
            run(&a, |chain| channel::request_refund(chain, number, amount))
        }

        /// The same, as the payer signed it.
        #[ink(message, payable, name = "requestRefundFor")]
        pub fn request_refund_for(&mut self, a: Args<OfAmountSigned>) -> Result<u64, Error> {
            let mut a = a.read();
            let (number, amount, nonce, deadline, signature) = (a.number(), a.u128(), a.u64(), a.u64(), a.signature());
            run(&a, |chain| channel::request_refund_for(chain, number, amount, nonce, deadline, &signature))
        }

        /// Executes a close that is due, or else a refund that is.
        #[ink(message, payable, name = "finish")]
        pub fn finish(&mut self, a: Args<Numbered>) -> Result<(), Error> {
            let mut a = a.read();
            let number = a.number();
            run(&a, |chain| channel::finish(chain, number))
        }

        /// The payee closes at once, with its last voucher.
        #[ink(message, payable, name = "close")]
        pub fn close(&mut self, a: Args<WithVoucher>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, voucher) = (a.number(), voucher(&mut a));
            run(&a, |chain| channel::close(chain, number, voucher))
        }

        /// Closes once the channel has paid at least a total, as the payee signed it.
        #[ink(message, payable, name = "closeFor")]
        pub fn close_for(&mut self, a: Args<OfAmountSigned>) -> Result<(), Error> {
            let mut a = a.read();
            let (number, total, nonce, deadline, signature) = (a.number(), a.u128(), a.u64(), a.u64(), a.signature());
            run(&a, |chain| channel::close_for(chain, number, total, nonce, deadline, &signature))
        }

        /// A channel: status, parties, deposit, claimed, timers. Zeros but for the status without a record.
        #[ink(message, name = "channel")]
        pub fn channel(&self, a: Args<Numbered>) -> (u8, Address, Address, Address, Address, u32, u64, u128, u128, u64, u128, u64) {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| {
                let (status, zero) = (channel::status(chain, number) as u8, Address::default());
                channel::find(chain, number).map_or((status, zero, zero, zero, zero, 0, 0, 0, 0, 0, 0, 0), |(c, b)| {
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
            })
        }

        /// A channel's id, zero without a record.
        #[ink(message, name = "channelId")]
        pub fn channel_id(&self, a: Args<Numbered>) -> FixedBytes<32> {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| FixedBytes(channel::id(chain, number).0))
        }

        /// What a claim of this total would do now, its signature taken for good.
        #[ink(message, name = "claimable")]
        pub fn claimable(&self, a: Args<OfAmount>) -> (u8, u128, u128) {
            let mut a = a.read();
            let (number, total) = (a.number(), a.u128());
            view(&a, |chain| {
                let (outcome, gain, fee) = channel::claimable(chain, number, total);
                (outcome as u8, gain, fee)
            })
        }

        /// The highest total that a new voucher is covered up to.
        #[ink(message, name = "cover")]
        pub fn cover(&self, a: Args<Numbered>) -> u128 {
            let mut a = a.read();
            let number = a.number();
            view(&a, |chain| channel::cover(chain, number))
        }

        /// The serials of a book's open channels, in pages.
        #[ink(message, name = "channels")]
        pub fn channels(&self, a: Args<Listing>) -> (Vec<u32>, u32) {
            let mut a = a.read();
            let (book, from, count) = (a.u32(), a.u32(), a.u32());
            view(&a, |chain| channel::list(chain, book, from, count))
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
            common::set_terms_for(Domain::Channels, a)
        }

        /// Pays the caller's credit to an address of its choice.
        #[ink(message, payable, name = "collect")]
        pub fn collect(&mut self, a: Args<TwoAddresses>) -> Result<u128, Error> {
            common::collect(a)
        }

        /// Pays an owner's credit to an address of its choice, as it signed it.
        #[ink(message, payable, name = "collectFor")]
        pub fn collect_for(&mut self, a: Args<CollectFor>) -> Result<u128, Error> {
            common::collect_for(Domain::Channels, a)
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
