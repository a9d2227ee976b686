//! The pallets, put together.

// The macro writes dozens of public types without a word.
#![allow(missing_docs)]

// Below this module because the macro's trait for inherents is private to it.
pub mod apis;

use crate::*;
use alloc::vec::Vec;

// The indices are the Hub's, so that an encoded call means the same there. Sudo, which the Hub has not, stands last.
#[frame_support::runtime]
mod runtime {
    /// The dev runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Runtime>;

    #[runtime::pallet_index(3)]
    pub type Timestamp = pallet_timestamp::Pallet<Runtime>;

    #[runtime::pallet_index(10)]
    pub type Balances = pallet_balances::Pallet<Runtime>;

    #[runtime::pallet_index(11)]
    pub type TransactionPayment = pallet_transaction_payment::Pallet<Runtime>;

    #[runtime::pallet_index(40)]
    pub type Utility = pallet_utility::Pallet<Runtime>;

    #[runtime::pallet_index(50)]
    pub type Assets = pallet_assets::Pallet<Runtime, Instance1>;

    #[runtime::pallet_index(90)]
    pub type Revive = pallet_revive::Pallet<Runtime>;

    #[runtime::pallet_index(92)]
    pub type AssetsPrecompilesPermit = pallet_assets_precompiles::permit::pallet::Pallet<Runtime>;

    #[runtime::pallet_index(255)]
    pub type Sudo = pallet_sudo::Pallet<Runtime>;
}
