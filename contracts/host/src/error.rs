//! Core's errors as Solidity errors of the same names and values.

use ink::{primitives::Address, sol::FixedBytes};

type Bytes32 = FixedBytes<32>;

/// A value as Solidity types it.
trait IntoSol<T> {
    fn into_sol(self) -> T;
}

macro_rules! as_is {
    ($($ty:ty),*) => { $(impl IntoSol<$ty> for $ty { fn into_sol(self) -> $ty { self } })* };
}
as_is!(u8, u16, u32, u64, u128, bool);

impl IntoSol<Address> for rivulet_core::ids::Address {
    fn into_sol(self) -> Address {
        Address::from(self.0)
    }
}

impl IntoSol<Bytes32> for [u8; 32] {
    fn into_sol(self) -> Bytes32 {
        FixedBytes(self)
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
    };
}
rivulet_core::for_each_error!(define);
