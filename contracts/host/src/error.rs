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
    fn push(&self, words: &mut Words<128>);
}

macro_rules! integers {
    ($($ty:ty),*) => { $(impl Value<$ty> for $ty {
        fn into_sol(self) -> $ty { self }
        fn push(&self, words: &mut Words<128>) { words.u128(u128::from(*self)); }
    })* };
}
integers!(u8, u16, u32, u64, u128, bool);

impl Value<Address> for rivulet_core::ids::Address {
    fn into_sol(self) -> Address {
        Address::from(self.0)
    }
    fn push(&self, words: &mut Words<128>) {
        words.address(self);
    }
}

impl Value<Bytes32> for [u8; 32] {
    fn into_sol(self) -> Bytes32 {
        FixedBytes(self)
    }
    fn push(&self, words: &mut Words<128>) {
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

        /// The selector and words of an error.
        fn encode(e: &rivulet_core::error::Error, words: &mut Words<128>) -> [u8; 4] {
            match e {
                $(rivulet_core::error::Error::$name { $($field),* } => {
                    $($field.push(words);)*
                    ink::sol_error_selector!(stringify!($name), ($($ty,)*))
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
    let selector = encode(&e, &mut words);
    let mut data = [0u8; 4 + 128];
    let (head, tail) = data.split_at_mut(4);
    head.copy_from_slice(&selector);
    let len = words.bytes().len();
    if let Some(place) = tail.get_mut(..len) {
        place.copy_from_slice(words.bytes());
    }
    syscalls::revert(data.get(..len.saturating_add(4)).unwrap_or(&[]))
}
