//! What a payee does with a stream.

use crate::{Error, Payee, payer::check_payees};
use rivulet_chain::{
    TxReport,
    abi::{streams::Streams, to_sol},
};
use rivulet_core::ids::{Address, StreamNumber};
use rivulet_rules::chain::{ContractEvent, ContractKind};

impl Payee {
    /// Claims from a stream, to any address. [`crate::ALL`]: everything payable.
    ///
    /// # Errors
    ///
    /// When the contract or the chain refuses. So all calls.
    pub async fn claim_stream(&self, number: StreamNumber, amount_units: u128, to: &Address) -> Result<TxReport, Error> {
        let call = Streams::claimCall { book: number.book, serial: number.serial, amount: amount_units, to: to_sol(to) };
        self.call(ContractKind::Streams, &call).await
    }

    /// Ends a stream: what it is owed, and is covered, is paid now; the rest becomes the payer's to take.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim_stream`].
    pub async fn cancel_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, &Streams::cancelCall { book: number.book, serial: number.serial }).await
    }

    /// Writes off what is owed and not covered, for good, and ends the stream; what is covered stays claimable.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim_stream`].
    pub async fn void_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, &Streams::voidCall { book: number.book, serial: number.serial }).await
    }

    /// Hands its side, with all that is owed, to somebody else, where the stream allows it. Returns where the stream is then: in that payee's book, under
    /// that book's relay terms. The id stays, the old number is closed.
    ///
    /// # Errors
    ///
    /// As [`Payee::claim_stream`]; [`Error::UnmappedPayee`] for somebody who could not get at the money.
    pub async fn hand_over_stream(&self, number: StreamNumber, to: &Address) -> Result<(StreamNumber, TxReport), Error> {
        if !self.trusts_strangers {
            check_payees(&self.chain, [*to]).await?;
        }
        let call = Streams::handOverCall { book: number.book, serial: number.serial, to: to_sol(to) };
        let report = self.call(ContractKind::Streams, &call).await?;
        let moved = self.chain().events_of(&report)?.into_iter().find_map(|event| match event {
            ContractEvent::StreamHandedOver { new_number, .. } => Some(new_number),
            _ => None,
        });
        Ok((moved.ok_or(Error::MissingEvent("StreamHandedOver"))?, report))
    }
}
