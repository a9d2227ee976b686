//! Why a call was refused. Each is one Solidity error of the same name and values. Names, values and codes are final; new ones are appended.

/// Hands the list of errors to a macro, so that core's enum and the shells' Solidity errors are one list.
#[macro_export]
macro_rules! for_each_error {
    ($with:path) => {
        $with! {
            /// The token was not listed at deployment.
            NotListed { token: Address },
            /// The contract does not hold the token's minimum balance yet: send it `seed` first.
            Unseeded { token: Address, balance: u128, seed: u128 },
            /// This address cannot be a party: zero, the other party, this contract, a token or a precompile.
            BadParty { party: Address },
            /// The voucher signer is zero or the payee.
            BadSigner { signer: Address },
            /// The challenge period is outside what deployment allows.
            BadPeriod { given_secs: u32, min_secs: u32, max_secs: u32 },
            /// An amount of zero does nothing.
            ZeroAmount {},
            /// A native amount that is not a multiple of the smallest amount the chain can move.
            NotMovable { amount: u128, grain: u128 },
            /// The sum would pass the largest amount.
            TooMuch { amount: u128, max: u128 },
            /// The value that came with the call is not what the call needs.
            WrongValue { sent: u128, expected: u128 },
            /// The allowance or balance did not cover the pull.
            PullFailed { token: Address, expected: u128, received: u128 },
            /// No such book, or a serial at or above its counter.
            UnknownNumber { book: u32, serial: u32 },
            /// It has ended and its record is gone.
            ClosedNumber { book: u32, serial: u32 },
            /// The channel at this number is another one.
            WrongChannel { expected: Bytes32, actual: Bytes32 },
            /// The stream at this number has other parties.
            WrongParties { payer: Address, payee: Address, token: Address },
            /// Only `expected` may do this.
            NotAllowed { caller: Address, expected: Address },
            /// A close was requested before.
            AlreadyRequested { due_at: u64 },
            /// Nothing was requested.
            NotRequested {},
            /// It can be done from `due_at` on.
            NotDue { now: u64, due_at: u64 },
            /// Signed neither by the voucher signer nor by the payer.
            BadSignature {},
            /// The voucher adds nothing to what was claimed.
            StaleVoucher { cumulative_amount: u128, claimed: u128 },
            /// There is nothing to pay.
            NothingToPay {},
            /// The payout did not go through; nothing changed.
            PayoutFailed { to: Address, amount: u128 },
            /// The blob is not canonical: the reason is a code of `BlobError`, found about byte `at`.
            BadBlob { reason: u8, at: u32 },
            /// These terms are worse for the beneficiary, and the present ones hold until then.
            TermsHeld { until: u64 },
            /// The fee is above what deployment allows.
            FeeAboveCeiling { given_bps: u16, ceiling_bps: u16 },
            /// A deployment parameter is out of its bounds: `field` counts the constructor's parameters from 0.
            BadConfig { field: u8 },
            /// The stream's times or amounts contradict each other: a code of `ScheduleError`.
            BadSchedule { reason: u8 },
            /// The rate is zero or above the largest.
            BadRate { given_scaled: u128, max_scaled: u128 },
            /// The stream has ended, was cancelled or voided.
            Ended {},
            /// The stream is paused already, or not paused.
            WrongPause { paused: bool },
            /// The payer gave up cancelling.
            NotCancellable {},
            /// More than can be paid now.
            Overdraw { asked: u128, payable: u128 },
            /// The signature was good before `deadline`.
            Expired { now: u64, deadline: u64 },
            /// This signer used or revoked this nonce before.
            NonceUsed { signer: Address, nonce: u64 },
            /// The refund request is void since then: ask again.
            Lapsed { now: u64, lapsed_at: u64 },
            /// The channel has to have paid exactly this much.
            Unpaid { claimed: u128, expected: u128 },
            /// Lists that belong together have different lengths.
            LengthsDiffer {},
            /// The call's data is not what its parameters need.
            BadArguments {},
            /// The transaction's weight limit is too small.
            OutOfWeight {},
            /// The payee's side of this stream cannot be handed over.
            NotTransferable {},
            /// A right without a meaning, or rights for nobody.
            BadRights { given: u8 },
        }
    };
}

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? }),* $(,)?) => {
        use crate::ids::Address;
        type Bytes32 = [u8; 32];
        /// A refusal. Nothing has changed when a call returns one.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "the fields are explained by their variant")]
        pub enum Error { $($(#[$doc])* $name { $($field: $ty),* }),* }
    };
}
for_each_error!(define);

/// What is left of a refusal in the code that returns it: the refusal, or nothing where [`Host::refuse`](crate::host::Host::refuse) ends the call. On chain it does, so
/// nothing is checked or copied on the way out.
#[cfg(not(feature = "refusals-end-calls"))]
pub type Refused = Error;

/// What is left of a refusal in the code that returns it: nothing, because [`Host::refuse`](crate::host::Host::refuse) ends the call.
#[cfg(feature = "refusals-end-calls")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {}

#[cfg(feature = "refusals-end-calls")]
impl From<Refused> for Error {
    fn from(never: Refused) -> Self {
        match never {}
    }
}
