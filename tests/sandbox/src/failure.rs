//! Why a call failed, by the name and values of the contracts' own errors.

use polkadot_sdk::sp_runtime::{DispatchError, ModuleError, transaction_validity::TransactionValidityError};
use rivulet_core::{Keccak256, SoftKeccak, error::Error, ids::Address};

/// Why a call failed. Nothing of it remains on the chain but the fee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The contract refused by one of its errors.
    Refused(Error),
    /// The contract reverted with something else.
    Reverted(Vec<u8>),
    /// It trapped, ran out of weight or was not there: the pallet's error, by name.
    Dispatch(&'static str),
    /// The transaction never entered the block.
    Invalid(TransactionValidityError),
}

/// A value of an error, as the ABI encodes it: one word.
trait Word: Sized {
    const SOLIDITY: &'static str;
    fn read(word: &[u8; 32]) -> Option<Self>;
}

macro_rules! integers {
    ($($ty:ty = $name:literal),*) => { $(impl Word for $ty {
        const SOLIDITY: &'static str = $name;
        fn read(word: &[u8; 32]) -> Option<Self> {
            let (pad, value) = word.split_at(32 - size_of::<$ty>());
            pad.iter().all(|b| *b == 0).then(|| <$ty>::from_be_bytes(value.try_into().unwrap_or_default()))
        }
    })* };
}
integers!(u8 = "uint8", u16 = "uint16", u32 = "uint32", u64 = "uint64", u128 = "uint128");

impl Word for bool {
    const SOLIDITY: &'static str = "bool";
    fn read(word: &[u8; 32]) -> Option<Self> {
        match u8::read(word)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Word for Address {
    const SOLIDITY: &'static str = "address";
    fn read(word: &[u8; 32]) -> Option<Self> {
        let (pad, value) = word.split_first_chunk::<12>()?;
        (*pad == [0; 12]).then_some(())?;
        value.try_into().ok().map(Self)
    }
}

impl Word for [u8; 32] {
    const SOLIDITY: &'static str = "bytes32";
    fn read(word: &[u8; 32]) -> Option<Self> {
        Some(*word)
    }
}

type Bytes32 = [u8; 32];

fn next<T: Word>(words: &mut &[u8]) -> Option<T> {
    let (word, rest) = words.split_first_chunk::<32>()?;
    *words = rest;
    T::read(word)
}

/// Turns core's one list of errors into a decoder.
macro_rules! decoder {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? }),* $(,)?) => {
        /// The error that these bytes are; `None` when they are none, are cut, or have more than its values.
        fn decode(data: &[u8]) -> Option<Error> {
            let (selector, body) = data.split_first_chunk::<4>()?;
            $({
                let types: &[&str] = &[$(<$ty as Word>::SOLIDITY),*];
                let text = format!("{}({})", stringify!($name), types.join(","));
                if SoftKeccak.keccak256(text.as_bytes()).starts_with(selector) {
                    #[allow(unused_mut, reason = "errors without values")]
                    let mut words = body;
                    let error = Error::$name { $($field: next(&mut words)?),* };
                    return words.is_empty().then_some(error);
                }
            })*
            None
        }

        /// The error's name in the ABI.
        fn name_of(error: &Error) -> &'static str {
            match error { $(Error::$name { .. } => stringify!($name)),* }
        }
    };
}
rivulet_core::for_each_error!(decoder);

impl Failure {
    /// From what a reverted call returned.
    pub fn from_revert(data: &[u8]) -> Self {
        decode(data).map_or_else(|| Self::Reverted(data.to_vec()), Self::Refused)
    }

    /// From a dispatch error.
    pub fn from_dispatch(error: DispatchError) -> Self {
        match error {
            DispatchError::Module(ModuleError { message: Some(name), .. }) => Self::Dispatch(name),
            other => Self::Dispatch(other.into()),
        }
    }

    /// The name of the error.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused(error) => name_of(error),
            Self::Reverted(_) => "a revert without a known reason",
            Self::Dispatch(name) => name,
            Self::Invalid(error) => (*error).into(),
        }
    }
}
