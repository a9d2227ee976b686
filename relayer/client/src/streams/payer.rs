//! What a payer, or somebody it has set as delegate, does with a stream. The contract knows who may do what.

use super::Stream;
use crate::{Error, Payer, payer::value_planck};
use rivulet_chain::{
    StreamDelegate, TxReport,
    abi::{streams::Streams, to_sol},
};
use rivulet_core::ids::{Address, StreamNumber};
use rivulet_rules::chain::ContractKind;

/// All that can be refunded.
pub const REFUNDABLE: u128 = u128::MAX;

impl Payer {
    /// Puts more into a stream, one's own or another's. Refused when its parties are not those of `stream` any more.
    ///
    /// # Errors
    ///
    /// When the amount cannot move, or the contract or the chain refuses. So all calls.
    pub async fn top_up_stream(&self, stream: &Stream, amount_units: u128) -> Result<TxReport, Error> {
        self.approve(ContractKind::Streams, &stream.token, amount_units).await?;
        let StreamNumber { book, serial } = stream.number;
        let (payer, payee, token) = (to_sol(&stream.payer), to_sol(&stream.payee), to_sol(&stream.token));
        let call = Streams::topUpCall { book, serial, payer, payee, token, amount: amount_units };
        self.call(ContractKind::Streams, value_planck(&stream.token, amount_units)?, &call).await
    }

    /// A new rate from now on, as amount per second × 1e9; before the start from the start on, in a pause from its end on. What was owed stays owed. A payer
    /// that cannot cancel can only raise it; a delegate needs the right to adjust, and stays below its cap.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn adjust_stream_rate(&self, number: StreamNumber, rate_per_second_scaled: u128) -> Result<TxReport, Error> {
        let call = Streams::adjustRateCall { book: number.book, serial: number.serial, ratePerSecondScaled: rate_per_second_scaled };
        self.call(ContractKind::Streams, 0, &call).await
    }

    /// Stops the stream's clock; its end does not move. Only where the payer may cancel; delegates by right.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn pause_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::pauseCall { book: number.book, serial: number.serial }).await
    }

    /// Lets it run again; delegates by right.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn resume_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::resumeCall { book: number.book, serial: number.serial }).await
    }

    /// Takes back what is neither owed nor committed: [`REFUNDABLE`] for all of it. It goes to the payer, whoever calls; delegates by right. Before the end
    /// only where the payer may cancel.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn refund_stream(&self, number: StreamNumber, amount_units: u128) -> Result<TxReport, Error> {
        let call = Streams::refundCall { book: number.book, serial: number.serial, amount: amount_units };
        self.call(ContractKind::Streams, 0, &call).await
    }

    /// Ends a stream: what is not owed comes back, what is owed, or committed, is the payee's to claim. Only where the payer may cancel; delegates by right.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn cancel_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::cancelCall { book: number.book, serial: number.serial }).await
    }

    /// Ends a stream and moves no money: debt that is not covered is written off for good, what is due stays claimable, the rest refundable. Only where the
    /// payer may cancel; delegates by right.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn void_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::voidCall { book: number.book, serial: number.serial }).await
    }

    /// Gives up cancelling, for good: from then on, before the end, no money comes back and the rate cannot fall. Not in a pause.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn renounce_stream(&self, number: StreamNumber) -> Result<TxReport, Error> {
        self.call(ContractKind::Streams, 0, &Streams::renounceCall { book: number.book, serial: number.serial }).await
    }

    /// Sets who may act for the payer, and how far; `None`: nobody. A delegate can never take money for itself.
    ///
    /// # Errors
    ///
    /// As [`Payer::top_up_stream`].
    pub async fn set_stream_delegate(&self, number: StreamNumber, delegate: Option<&StreamDelegate>) -> Result<TxReport, Error> {
        let nobody = StreamDelegate { address: Address::ZERO, rights: 0, rate_cap_per_second_scaled: 0 };
        let StreamDelegate { address, rights, rate_cap_per_second_scaled } = delegate.unwrap_or(&nobody);
        let call = Streams::setDelegateCall {
            book: number.book,
            serial: number.serial,
            delegate: to_sol(address),
            rights: *rights,
            rateCapScaled: *rate_cap_per_second_scaled,
        };
        self.call(ContractKind::Streams, 0, &call).await
    }
}
