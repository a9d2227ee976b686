//! The chain that Rivulet is developed and tested on.
//!
//! One runtime for two users: [`rivulet-node`](../rivulet_node/index.html) runs it as wasm, the sandbox in-process as
//! native code. Fees, weights, deposits, block limits, addresses, call indices and the ERC-20 precompile are those of
//! Polkadot Hub (the fellowship's asset-hub-polkadot 2.3.2), on the pallets of polkadot-sdk 2609. What differs: the
//! chain id is that of dev chains, there is a sudo key (Alice), blocks may be a millisecond apart, and the fee
//! multiplier stays where it is put.
//!
//! - [`hub`]: the Hub's figures, and where they come from.
//! - [`genesis`]: accounts and assets that exist from block 0.
//! - [`weights`]: what pallet-revive charges, by the SDK or as the Hub does today.
//! - `construct`, `pallets`: the pallets, the runtime APIs; their configuration.
//!
//! ```
//! use polkadot_sdk::{sp_io::TestExternalities, sp_runtime::BuildStorage};
//! use rivulet_runtime::{Assets, genesis, hub};
//!
//! let storage = genesis::development().build_storage().unwrap();
//! TestExternalities::from(storage).execute_with(|| {
//!     let alice = genesis::substrate_accounts().remove(0);
//!     assert_eq!(Assets::balance(hub::USDC_ID, alice), genesis::ENDOWMENT_USD_UNITS);
//! });
//! ```
//!
//! Features: `std` (default) is native code; without it this is the source of the node's wasm, built by
//! `scripts/build-runtime`, never by a plain `cargo build`.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]

extern crate alloc;

mod construct;
pub mod genesis;
pub mod hub;
mod pallets;
pub mod weights;

use alloc::borrow::Cow;
use polkadot_sdk::{
    frame_support, frame_system, pallet_assets, pallet_assets_precompiles, pallet_balances, pallet_revive, pallet_sudo, pallet_timestamp,
    pallet_transaction_payment, pallet_utility,
    sp_runtime::{
        MultiAddress, MultiSignature, generic,
        traits::{BlakeTwo256, IdentifyAccount, InvalidVersion, Verify},
    },
    sp_version::{RuntimeVersion, runtime_version},
};

#[cfg(feature = "std")]
pub use apis::RuntimeApi;
pub use construct::*;
pub use pallet_assets::Instance1 as TrustBackedAssets;
pub use pallets::{BlockLength, BlockWeights};

/// A signature of a transaction: sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// 32 bytes. An Ethereum address is the account of its 20 bytes and twelve times `0xEE`.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Planck for the native token (10 decimals), units for an asset.
pub type Balance = u128;
/// Number of transactions an account has sent.
pub type Nonce = u32;
/// Block height.
pub type BlockNumber = u32;
/// A 32-byte hash.
pub type Hash = polkadot_sdk::sp_core::H256;
/// How an account is named in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block with transactions that this runtime understands.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Block whose transactions stay bytes: all that the node needs.
pub type OpaqueBlock = generic::Block<Header, polkadot_sdk::sp_runtime::OpaqueExtrinsic>;
/// A transaction as it comes in, a wrapped Ethereum transaction included.
pub type UncheckedExtrinsic = pallet_revive::evm::runtime::UncheckedExtrinsic<Address, Signature, EthExtra>;
/// Runs blocks and transactions; the sandbox may use it to apply real signed transactions.
pub type Executive = polkadot_sdk::frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// The version. `spec_version` and the committed wasm change together.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("rivulet-dev"),
    impl_name: Cow::Borrowed("rivulet-dev"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// What a transaction carries beside its call, in the Hub's order (without what only a parachain needs).
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    // After all that need a signed origin, for it replaces the origin.
    pallet_revive::evm::tx_extension::SetOrigin<Runtime>,
    // Last, so that it sees what the others refund.
    frame_system::WeightReclaim<Runtime>,
);

/// Supplies the extensions of a wrapped Ethereum transaction, which has none of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EthExtra;

impl pallet_revive::evm::runtime::EthExtra for EthExtra {
    type Config = Runtime;
    type ExtensionV0 = TxExtension;
    type ExtensionOtherVersions = InvalidVersion;

    fn get_eth_extension(nonce: u32, tip: Balance) -> Self::ExtensionV0 {
        (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(generic::Era::Immortal),
            frame_system::CheckNonce::from(nonce),
            frame_system::CheckWeight::new(),
            pallet_transaction_payment::ChargeTransactionPayment::from(tip),
            pallet_revive::evm::tx_extension::SetOrigin::new_from_eth_transaction(),
            frame_system::WeightReclaim::new(),
        )
    }
}
