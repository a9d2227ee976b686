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
        eip712,
        error::Error as Refusal,
        ids::{ChannelId, ChannelNumber, Token},
    };
    use rivulet_host::{
        Error,
        abi::{Args, Call, Input},
        calls,
        common::*,
    };

    // Records and words are built on the stack; the linker's default is 8 KiB.
    #[cfg(target_arch = "riscv64")]
    polkavm_derive::min_stack_size!(65536);

    /// Storage is core's: cells under its own keys.
    #[ink(storage)]
    pub struct Channels {}

    /// `address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount`
    fn opening(a: &mut Input) -> (Opening, Token, u32) {
        let (payee, voucher_signer, token, period) = (a.address(), a.address(), a.address(), a.u32());
        (Opening { payee, voucher_signer, amount: a.u128() }, token, period)
    }

    fn voucher(a: &mut Input) -> VoucherRow {
        VoucherRow { cumulative_amount: a.u128(), signature: a.signature() }
    }

    fn opened(c: &mut Call, (number, id): (ChannelNumber, ChannelId)) {
        c.out.number(number.book).number(number.serial).bytes32(&id.0);
    }

    /// `open`, and with what follows its parameters `openWithPermit`.
    fn open(c: &mut Call, with_permit: bool) -> Result<(), Refusal> {
        let (one, token, period) = opening(&mut c.a);
        let permit = with_permit.then(|| c.a.permit());
        let new = match permit {
            None => channel::open(&mut c.h, &one, token, period)?,
            Some(permit) => channel::open_with_permit(&mut c.h, &one, token, period, &permit)?,
        };
        opened(c, new);
        Ok(())
    }

    /// `openFor`, and with what follows its parameters `openForWithPermit`.
    fn open_for(c: &mut Call, with_permit: bool) -> Result<(), Refusal> {
        let payer = c.a.address();
        let (one, token, challenge_period_secs) = opening(&mut c.a);
        let Opening { payee, voucher_signer, amount } = one;
        let message = eip712::Open { payer, payee, voucher_signer, token, challenge_period_secs, amount, nonce: c.a.u64(), deadline: c.a.u64() };
        let signature = c.a.signature();
        let permit = with_permit.then(|| c.a.permit());
        let new = channel::open_for(&mut c.h, &message, &signature, permit.as_ref())?;
        opened(c, new);
        Ok(())
    }

    calls! {
        /// `open`
        call Open("address,address,address,uint32,uint128") = |c| open(c, false);
        /// `openWithPermit`
        call OpenWithPermit("address,address,address,uint32,uint128,uint64,uint8,bytes32,bytes32") = |c| open(c, true);
        /// `openFor`
        call OpenFor("address,address,address,address,uint32,uint128,uint64,uint64,bytes32,bytes32") = |c| open_for(c, false);
        /// `openForWithPermit`
        call OpenForWithPermit("address,address,address,address,uint32,uint128,uint64,uint64,bytes32,bytes32,uint64,uint8,bytes32,bytes32") = |c| open_for(c, true);
        /// `openMany`
        call OpenMany("address,uint32,address[],address[],uint128[]") = |c| {
            let a = &mut c.a;
            let (token, period) = (a.address(), a.u32());
            let (payees, signers, amounts) = (a.array(Input::address), a.array(Input::address), a.array(Input::u128));
            if payees.len() != signers.len() || payees.len() != amounts.len() {
                return Err(Refusal::LengthsDiffer {});
            }
            let parties = payees.iter().zip(&signers).zip(&amounts);
            let many: Vec<Opening> =
                parties.map(|((payee, voucher_signer), amount)| Opening { payee: *payee, voucher_signer: *voucher_signer, amount: *amount }).collect();
            let numbers = channel::open_many(&mut c.h, token, period, &many)?;
            c.out.number(32u8).numbers(numbers.iter().map(|n| n.serial));
            Ok(())
        };
        /// `topUp`
        call TopUp("uint32,uint32,bytes32,uint128") = |c| {
            let (number, id, amount) = (c.a.number(), ChannelId(c.a.bytes32()), c.a.u128());
            channel::top_up(&mut c.h, number, id, amount)?;
            Ok(())
        };
        /// `claim`
        call Claim("uint32,uint32,uint128,bytes32,bytes32") = |c| {
            let (number, voucher) = (c.a.number(), voucher(&mut c.a));
            let (outcome, gain) = channel::claim(&mut c.h, number, voucher)?;
            c.out.number(outcome as u8).u128(gain);
            Ok(())
        };
        /// `claimBatch`
        call ClaimBatch("bytes") = |c| {
            let blob = c.a.bytes();
            let outcomes = channel::claim_batch(&mut c.h, &blob)?;
            c.out.number(32u8).bytes(&outcomes);
            Ok(())
        };
        /// `requestClose`
        call RequestClose("uint32,uint32") = |c| {
            let number = c.a.number();
            c.out.u64(channel::request_close(&mut c.h, number)?);
            Ok(())
        };
        /// `requestRefund`
        call RequestRefund("uint32,uint32,uint128") = |c| {
            let (number, amount) = (c.a.number(), c.a.u128());
            c.out.u64(channel::request_refund(&mut c.h, number, amount)?);
            Ok(())
        };
        /// `requestRefundFor`
        call RequestRefundFor("uint32,uint32,uint128,uint64,uint64,bytes32,bytes32") = |c| {
            let a = &mut c.a;
            let (number, amount, nonce, deadline, signature) = (a.number(), a.u128(), a.u64(), a.u64(), a.signature());
            c.out.u64(channel::request_refund_for(&mut c.h, number, amount, nonce, deadline, &signature)?);
            Ok(())
        };
        /// `finish`
        call Finish("uint32,uint32") = |c| {
            let number = c.a.number();
            channel::finish(&mut c.h, number)?;
            Ok(())
        };
        /// `close`
        call Close("uint32,uint32,uint128,bytes32,bytes32") = |c| {
            let (number, voucher) = (c.a.number(), voucher(&mut c.a));
            channel::close(&mut c.h, number, voucher)?;
            Ok(())
        };
        /// `closeFor`
        call CloseFor("uint32,uint32,uint128,uint64,uint64,bytes32,bytes32") = |c| {
            let a = &mut c.a;
            let (number, total, nonce, deadline, signature) = (a.number(), a.u128(), a.u64(), a.u64(), a.signature());
            channel::close_for(&mut c.h, number, total, nonce, deadline, &signature)?;
            Ok(())
        };
        /// `channel`
        view OfChannel("uint32,uint32") = |c| {
            let number = c.a.number();
            c.out.number(channel::status(&c.h, number) as u8);
            match channel::find(&c.h, number) {
                Ok((channel, book)) => {
                    c.out.address(&channel.payer).address(&book.payee).address(&channel.voucher_signer).address(&book.token);
                    c.out.number(channel.challenge_period_secs).u64(channel.opened_at).u128(channel.deposit).u128(channel.claimed);
                    c.out.u64(channel.close_due_at).u128(channel.refund_requested).u64(channel.refund_due_at);
                }
                Err(_) => {
                    for _ in 0..11 {
                        c.out.number(0u8);
                    }
                }
            }
            Ok(())
        };
        /// `channelId`
        view IdOf("uint32,uint32") = |c| {
            let number = c.a.number();
            c.out.bytes32(&channel::id(&c.h, number).0);
            Ok(())
        };
        /// `claimable`
        view Claimable("uint32,uint32,uint128") = |c| {
            let (number, total) = (c.a.number(), c.a.u128());
            let (outcome, gain, fee) = channel::claimable(&c.h, number, total);
            c.out.number(outcome as u8).u128(gain).u128(fee);
            Ok(())
        };
        /// `cover`
        view Cover("uint32,uint32") = |c| {
            let number = c.a.number();
            c.out.u128(channel::cover(&c.h, number));
            Ok(())
        };
        /// `channels`
        view Listing("uint32,uint32,uint32") = |c| {
            let (book, from, count) = (c.a.u32(), c.a.u32(), c.a.u32());
            let (serials, next) = channel::list(&c.h, book, from, count);
            c.out.number(64u8).number(next).numbers(serials.into_iter());
            Ok(())
        };
    }

    impl Channels {
        /// Fixes the tokens and their seeds, the bounds of the challenge period, the ceiling of relay fees and where mistaken transfers go.
        #[ink(constructor)]
        pub fn new(a: Args<New>) -> Result<Self, Error> {
            a.call::<()>().map(|()| Self {})
        }

        /// Opens a channel with the caller's money.
        #[ink(message, payable, name = "open")]
        pub fn open(&mut self, a: Args<Open>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// The same, with the allowance as an EIP-2612 permit.
        #[ink(message, payable, name = "openWithPermit")]
        pub fn open_with_permit(&mut self, a: Args<OpenWithPermit>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// Opens a channel with the payer's tokens, as the payer signed it.
        #[ink(message, payable, name = "openFor")]
        pub fn open_for(&mut self, a: Args<OpenFor>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// The same, with the allowance as an EIP-2612 permit.
        #[ink(message, payable, name = "openForWithPermit")]
        pub fn open_for_with_permit(&mut self, a: Args<OpenForWithPermit>) -> Result<(u32, u32, FixedBytes<32>), Error> {
            a.call()
        }

        /// Opens many channels of one token with the caller's money; all or none. Their serials, in the books of their payees.
        #[ink(message, payable, name = "openMany")]
        pub fn open_many(&mut self, a: Args<OpenMany>) -> Result<Vec<u32>, Error> {
            a.call()
        }

        /// Adds the caller's money to the channel, if it is the expected one.
        #[ink(message, payable, name = "topUp")]
        pub fn top_up(&mut self, a: Args<TopUp>) -> Result<(), Error> {
            a.call()
        }

        /// Claims one voucher for the payee.
        #[ink(message, payable, name = "claim")]
        pub fn claim(&mut self, a: Args<Claim>) -> Result<(u8, u128), Error> {
            a.call()
        }

        /// Claims many vouchers; one outcome byte a row.
        #[ink(message, payable, name = "claimBatch")]
        pub fn claim_batch(&mut self, a: Args<ClaimBatch>) -> Result<DynBytes, Error> {
            a.call()
        }

        /// The payer wants its balance back.
        #[ink(message, payable, name = "requestClose")]
        pub fn request_close(&mut self, a: Args<RequestClose>) -> Result<u64, Error> {
            a.call()
        }

        /// The payer wants a part of its balance back; 0 takes the request back.
        #[ink(message, payable, name = "requestRefund")]
        pub fn request_refund(&mut self, a: Args<RequestRefund>) -> Result<u64, Error> {
            a.call()
        }

        /// The same, as the payer signed it.
        #[ink(message, payable, name = "requestRefundFor")]
        pub fn request_refund_for(&mut self, a: Args<RequestRefundFor>) -> Result<u64, Error> {
            a.call()
        }

        /// Executes a close that is due, or else a refund that is.
        #[ink(message, payable, name = "finish")]
        pub fn finish(&mut self, a: Args<Finish>) -> Result<(), Error> {
            a.call()
        }

        /// The payee closes at once, with its last voucher.
        #[ink(message, payable, name = "close")]
        pub fn close(&mut self, a: Args<Close>) -> Result<(), Error> {
            a.call()
        }

        /// Closes once the channel has paid at least a total, as the payee signed it.
        #[ink(message, payable, name = "closeFor")]
        pub fn close_for(&mut self, a: Args<CloseFor>) -> Result<(), Error> {
            a.call()
        }

        /// A channel: status, parties, deposit, claimed, timers. Zeros but for the status without a record.
        #[ink(message, name = "channel")]
        pub fn channel(&self, a: Args<OfChannel>) -> (u8, Address, Address, Address, Address, u32, u64, u128, u128, u64, u128, u64) {
            a.view()
        }

        /// A channel's id, zero without a record.
        #[ink(message, name = "channelId")]
        pub fn channel_id(&self, a: Args<IdOf>) -> FixedBytes<32> {
            a.view()
        }

        /// What a claim of this total would do now, its signature taken for good.
        #[ink(message, name = "claimable")]
        pub fn claimable(&self, a: Args<Claimable>) -> (u8, u128, u128) {
            a.view()
        }

        /// The highest total that a new voucher is covered up to.
        #[ink(message, name = "cover")]
        pub fn cover(&self, a: Args<Cover>) -> u128 {
            a.view()
        }

        /// The serials of a book's open channels, in pages.
        #[ink(message, name = "channels")]
        pub fn channels(&self, a: Args<Listing>) -> (Vec<u32>, u32) {
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
