//! A payer's streams.

use crate::{Error, Payer, payer::value_planck};
use rivulet_chain::{
    TxReport,
    abi::{streams::Streams, to_sol},
};
use rivulet_core::ids::{Address, StreamId, StreamNumber, Token};
use rivulet_rules::chain::{ContractEvent, ContractKind};

/// A stream to be created. `Default` is not given: each figure is a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CreateStream {
    /// Who is paid.
    pub payee: Address,
    /// In what; zero: native.
    pub token: Token,
    /// Rate × 1e9; 0 when `total` is given.
    pub rate_per_second_scaled: u128,
    /// All that is owed at `end_at`; 0 when a rate is given.
    pub total: u128,
    /// When it starts (Unix seconds); 0: now.
    pub start_at: u64,
    /// When `cliff_amount` falls due, with the cliff flag.
    pub cliff_at: u64,
    /// What falls due at the cliff.
    pub cliff_amount: u128,
    /// When it ends (Unix seconds); 0: open-ended.
    pub end_at: u64,
    /// Bit 0: the payer may cancel. Bit 1: the payee may hand over. Bit 2: there is a cliff.
    pub flags: u8,
    /// The first deposit, in the token's smallest unit (native: wei, a multiple of 1e8).
    pub amount: u128,
    /// The part of the deposit that is never refunded.
    pub committed: u128,
    /// For the payee's books.
    pub memo: [u8; 32],
}

/// A stream that was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Where it is.
    pub number: StreamNumber,
    /// Its id.
    pub id: StreamId,
    /// Who is paid.
    pub payee: Address,
    /// In what.
    pub token: Token,
}

impl Payer {
    /// Creates a stream, after an approval if its token needs one. Returns when the block is final.
    ///
    /// # Errors
    ///
    /// When the amount cannot move, or the contract or the chain refuses. So all calls.
    pub async fn create_stream(&self, wanted: &CreateStream) -> Result<Stream, Error> {
        self.approve(ContractKind::Streams, &wanted.token, wanted.amount).await?;
        let call = Streams::createCall {
            payee: to_sol(&wanted.payee),
            token: to_sol(&wanted.token),
            ratePerSecondScaled: wanted.rate_per_second_scaled,
            total: wanted.total,
            startAt: wanted.start_at,
            cliffAt: wanted.cliff_at,
            cliffAmount: wanted.cliff_amount,
            endAt: wanted.end_at,
            flags: wanted.flags,
            amount: wanted.amount,
            committed: wanted.committed,
            memo: wanted.memo.into(),
        };
        let report = self.call(ContractKind::Streams, value_planck(&wanted.token, wanted.amount)?, &call).await?;
        let created = self.chain.events_of(&report)?.into_iter().find_map(|event| match event {
            ContractEvent::StreamCreated { number, stream_id, .. } => Some((number, stream_id)),
            _ => None,
        });
        let (number, id) = created.ok_or(Error::MissingEvent("StreamCreated"))?;
        Ok(Stream { number, id, payee: wanted.payee, token: wanted.token })
    }

    /// Puts more into a stream.
    ///
    /// # Errors
    ///
    /// As [`Payer::create_stream`].
    pub async fn top_up_stream(&self, stream: &Stream, amount: u128) -> Result<TxReport, Error> {
        self.approve(ContractKind::Streams, &stream.token, amount).await?;
        let StreamNumber { book, serial } = stream.number;
        let (payer, payee, token) = (to_sol(&self.address()), to_sol(&stream.payee), to_sol(&stream.token));
        let call = Streams::topUpCall { book, serial, payer, payee, token, amount };
        self.call(ContractKind::Streams, value_planck(&stream.token, amount)?, &call).await
    }

    /// Stops the stream's clock.
    ///
    /// # Errors
    ///
    /// As [`Payer::create_stream`].
    pub async fn pause_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::pauseCall { book: number.book, serial: number.serial }).await
    }

    /// Lets it run again.
    ///
    /// # Errors
    ///
    /// As [`Payer::create_stream`].
    pub async fn resume_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::resumeCall { book: number.book, serial: number.serial }).await
    }

    /// Ends a stream: what is not owed comes back, what is owed is the payee's to claim.
    ///
    /// # Errors
    ///
    /// As [`Payer::create_stream`].
    pub async fn cancel_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::cancelCall { book: number.book, serial: number.serial }).await
    }
}
