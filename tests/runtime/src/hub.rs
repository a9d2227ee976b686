//! Polkadot Hub's figures.
//!
//! From polkadot-fellows/runtimes 2.3.2 (cb16c082): `system-parachains/constants/src/polkadot.rs` and
//! `asset-hub-polkadot/src/{lib.rs,weights}`.
//!
//! # Fees
//!
//! A fee is `base + length + multiplier · max(ref time part, proof part)`. The Hub fixes the ref time part so that
//! a relay-chain extrinsic's base weight (126,045 ns) costs 1/200 cent of DOT:
//!
//! ```text
//! 1 ms of ref time  = 1e9 ps · FEE_NUMERATOR / FEE_DENOMINATOR          = 3,966,837 planck = 0.000397 DOT
//! 100 KiB of proof  = the same, at 2 s = 10 MiB (max_block): 19.53125 ms = 77,477,289 planck = 0.00775 DOT
//! base extrinsic    = 125 µs                                            =   495,854 planck = 0.00005 DOT
//! one byte of length                                                    =    50,000 planck = 0.000005 DOT
//! ```
//!
//! `BlockRatioFee` takes the larger of the two parts, which is why the proof, not the work, is what a contract pays for.
//! The multiplier moves only the weight part, never base or length.

use crate::Balance;
use polkadot_sdk::{
    frame_support::weights::{
        RuntimeDbWeight, Weight,
        constants::{WEIGHT_REF_TIME_PER_NANOS, WEIGHT_REF_TIME_PER_SECOND},
    },
    sp_core::H160,
    sp_runtime::Perbill,
};

/// One DOT in planck: 10 decimals.
pub const DOT: Balance = 10_000_000_000;
/// A hundredth of a DOT.
pub const CENT: Balance = DOT / 100;
/// A hundred-thousandth of a DOT.
pub const MILLICENT: Balance = CENT / 1_000;

/// What an account must hold to exist: 0.01 DOT.
pub const EXISTENTIAL_DEPOSIT: Balance = CENT;

/// Wei per planck inside contracts: 18 decimals there, 10 here.
pub const NATIVE_TO_ETH_RATIO: u32 = 100_000_000;
/// Ethereum gas price and gas are scaled by this; the product, the fee, is not.
pub const GAS_SCALE: u32 = 80_000;
/// Chain id of dev chains. The Hub's is 420,420,419.
pub const CHAIN_ID: u64 = 420_420_420;

/// Storage deposit of `items` entries and `bytes` bytes in the main trie.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
    items as Balance * 20 * CENT + bytes as Balance * MILLICENT
}
/// Storage deposit of one entry in a contract's own trie, without its bytes: 0.002 DOT.
pub const DEPOSIT_PER_CHILD_TRIE_ITEM: Balance = deposit(1, 0) / 100;
/// Part of a code's deposit that each instance locks.
pub const CODE_HASH_LOCKUP: Perbill = Perbill::from_percent(30);

/// Planck of fee per picosecond of ref time: this over [`FEE_DENOMINATOR`].
pub const FEE_NUMERATOR: u128 = CENT;
/// 200 base weights of a relay-chain extrinsic, in picoseconds.
pub const FEE_DENOMINATOR: u128 = 200 * 126_045 * WEIGHT_REF_TIME_PER_NANOS as u128;
/// Fee of one byte of an encoded transaction, not multiplied: 0.000005 DOT.
pub const TRANSACTION_BYTE_FEE: Balance = MILLICENT / 2;

/// A block: 2 s of ref time and 10 MiB of proof.
pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2), 10 * 1024 * 1024);
/// Part of a block that ordinary transactions may fill.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(85);
/// Part of a block that is set aside for its initialization.
pub const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(5);
/// Bytes of a block, of which ordinary transactions may take [`NORMAL_DISPATCH_RATIO`].
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;
/// Work of a block without transactions.
pub const BLOCK_EXECUTION_WEIGHT: Weight = Weight::from_parts(5_000_000 * WEIGHT_REF_TIME_PER_NANOS, 0);
/// Work of a transaction that does nothing.
pub const EXTRINSIC_BASE_WEIGHT: Weight = Weight::from_parts(125_000 * WEIGHT_REF_TIME_PER_NANOS, 0);

/// Cost of database access. The Hub's, measured in the memory of a validation function: the SDK's pallet weights name
/// only how often they read and write and take the time from here, and `RocksDbWeight` (25 and 100 µs) is that of a
/// solo chain with a disk.
pub const DB_WEIGHT: RuntimeDbWeight = RuntimeDbWeight { read: 13_701 * WEIGHT_REF_TIME_PER_NANOS, write: 33_060 * WEIGHT_REF_TIME_PER_NANOS };

/// Prefix of the ERC-20 precompile of trust-backed assets.
pub const ERC20_PREFIX: u16 = 0x0120;
/// Tether USD.
pub const USDT_ID: u32 = 1984;
/// USD Coin.
pub const USDC_ID: u32 = 1337;
/// Decimals of both.
pub const USD_DECIMALS: u8 = 6;
/// Least amount of either that an account may hold, in units: 0.01.
pub const USD_MIN_BALANCE_UNITS: Balance = 10_000;
/// ERC-20 address of USDT.
pub const USDT: H160 = erc20_address(USDT_ID);
/// ERC-20 address of USDC.
pub const USDC: H160 = erc20_address(USDC_ID);

/// Address of the ERC-20 precompile of a trust-backed asset: its id, twelve zero bytes, the prefix, two zero bytes.
pub const fn erc20_address(asset_id: u32) -> H160 {
    let [a, b, c, d] = asset_id.to_be_bytes();
    let [p, q] = ERC20_PREFIX.to_be_bytes();
    H160([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, p, q, 0, 0])
}
