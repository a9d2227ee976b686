//! Core's errors as Solidity errors of the same names and values.

use crate::syscalls;
use ink::{primitives::Address, sol::FixedBytes};
use rivulet_core::words::Words;

type Bytes32 = FixedBytes<32>;

/// A value as Solidity types it.
trait Value<T> {
    /// For ink!'s ABI.
    fn into_sol(self) -> T;
    /// One more word.
    fn push(&self, words: &mut Words<160>);
}

macro_rules! integers {
    ($wide:ident: $($ty:ty),*) => { $(impl Value<$ty> for $ty {
        fn into_sol(self) -> $ty { self }
        fn push(&self, words: &mut Words<160>) { words.$wide($wide::from(*self)); }
    })* };
}
integers!(u64: u8, u16, u32, u64, bool);
integers!(u128: u128);

impl Value<Address> for rivulet_core::ids::Address {
    fn into_sol(self) -> Address {
        Address::from(self.0)
    }
    fn push(&self, words: &mut Words<160>) {
        words.address(self);
    }
}

impl Value<Bytes32> for [u8; 32] {
    fn into_sol(self) -> Bytes32 {
        FixedBytes(self)
    }
    fn push(&self, words: &mut Words<160>) {
        words.bytes32(self);
    }
}

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty),* $(,)? }),* $(,)?) => {
        /// Why a call was refused.
        #[ink::error]
        #[derive(Debug, PartialEq, Eq)]
        pub enum Error { $($(#[$doc])* $name { $($field: $ty),* }),* }

        impl From<rivulet_core::error::Error> for Error {
            fn from(e: rivulet_core::error::Error) -> Self {
                match e { $(rivulet_core::error::Error::$name { $($field),* } => Self::$name { $($field: $field.into_sol()),* }),* }
            }
        }

        /// The words of an error, its selector at the end of the first.
        fn encode(e: &rivulet_core::error::Error, words: &mut Words<160>) {
            match e {
                $(rivulet_core::error::Error::$name { $($field),* } => {
                    words.u32(const { u32::from_be_bytes(ink::sol_error_selector!(stringify!($name), ($($ty,)*))) });
                    $($field.push(words);)*
                }),*
            }
        }
    };
}
rivulet_core::for_each_error!(define);

/// Ends the call with the error in Solidity's form. One encoder for all calls: ink!'s, inlined into each message, would be a third of the blob.
#[inline(never)]
pub fn revert(e: rivulet_core::error::Error) -> ! {
    let mut words = Words::new();
    encode(&e, &mut words);
    syscalls::revert(words.bytes().get(28..).unwrap_or(&[]))
}
