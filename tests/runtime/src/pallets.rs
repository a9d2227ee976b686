//! Configuration of the pallets: [`hub`]'s figures, the SDK's measured weights, and nothing of its own.

use crate::{hub, *};
use polkadot_sdk::{
    frame_support::{
        derive_impl,
        dispatch::DispatchClass,
        parameter_types,
        traits::{AsEnsureOriginWithArg, ConstBool, ConstU8, ConstU16, ConstU32, ConstU64, ConstU128, VariantCountOf},
        weights::{ConstantMultiplier, RuntimeDbWeight},
    },
    frame_system::{EnsureRoot, EnsureSigned, limits},
    pallet_assets_precompiles::{ERC20, InlineIdConfig},
    pallet_revive::{AccountId32Mapper, AutoMapper, evm::fees},
    pallet_transaction_payment::{FungibleAdapter, Multiplier, MultiplierUpdate},
    sp_runtime::{FixedPointNumber, FixedU128, Perbill, Perquintill, traits::Convert},
};

parameter_types! {
    /// Limits of a block's weight.
    pub BlockWeights: limits::BlockWeights = limits::BlockWeights::builder()
        .base_block(hub::BLOCK_EXECUTION_WEIGHT)
        .for_class(DispatchClass::all(), |class| class.base_extrinsic = hub::EXTRINSIC_BASE_WEIGHT)
        .for_class(DispatchClass::Normal, |class| {
            class.max_total = Some(hub::NORMAL_DISPATCH_RATIO * hub::MAXIMUM_BLOCK_WEIGHT);
        })
        .for_class(DispatchClass::Operational, |class| {
            class.max_total = Some(hub::MAXIMUM_BLOCK_WEIGHT);
            class.reserved = Some(hub::MAXIMUM_BLOCK_WEIGHT - hub::NORMAL_DISPATCH_RATIO * hub::MAXIMUM_BLOCK_WEIGHT);
        })
        .avg_block_initialization(hub::AVERAGE_ON_INITIALIZE_RATIO)
        .build_or_panic();
    /// Limits of a block's length.
    pub BlockLength: limits::BlockLength = limits::BlockLength::builder()
        .max_length(hub::MAXIMUM_BLOCK_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = hub::NORMAL_DISPATCH_RATIO * *max)
        .max_header_size(100 * 1024)
        .build();
    pub const Version: RuntimeVersion = VERSION;
    pub const DbWeight: RuntimeDbWeight = hub::DB_WEIGHT;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockWeights = BlockWeights;
    type BlockLength = BlockLength;
    type BlockHashCount = ConstU32<4096>;
    type DbWeight = DbWeight;
    type Version = Version;
    type SS58Prefix = ConstU16<0>;
    type MaxConsumers = ConstU32<64>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    // A new account can use contracts at once: nobody calls `map_account`.
    type OnNewAccount = AutoMapper<Runtime>;
    type OnKilledAccount = AutoMapper<Runtime>;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = ();
    // The Hub says 0. One millisecond makes the runtime refuse a clock that stands still, and allows any block time.
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<{ hub::EXISTENTIAL_DEPOSIT }>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type DustRemoval = ();
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

/// Leaves the fee multiplier as it is from block to block.
///
/// It starts at 1, as genesis says, and a test that wants another writes `TransactionPayment::NextFeeMultiplier`
/// (in the sandbox directly, on the node by `sudo(system.set_storage)`). Fees in tests are then the same every time.
pub struct KeepMultiplier;

impl Convert<Multiplier, Multiplier> for KeepMultiplier {
    fn convert(current: Multiplier) -> Multiplier {
        current
    }
}

impl MultiplierUpdate for KeepMultiplier {
    // The Hub's floor. pallet-revive refuses a runtime whose multiplier could be zero.
    fn min() -> Multiplier {
        Multiplier::saturating_from_rational(1, 10)
    }
    fn max() -> Multiplier {
        Multiplier::from_inner(u128::MAX)
    }
    fn target() -> Perquintill {
        Perquintill::zero()
    }
    fn variability() -> Multiplier {
        Multiplier::from_inner(0)
    }
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
    type WeightToFee = fees::BlockRatioFee<{ hub::FEE_NUMERATOR }, { hub::FEE_DENOMINATOR }, Runtime, Balance>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<{ hub::TRANSACTION_BYTE_FEE }>>;
    type FeeMultiplierUpdate = KeepMultiplier;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

impl pallet_assets::Config<TrustBackedAssets> for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Balance = Balance;
    type AssetId = u32;
    type AssetIdParameter = codec::Compact<u32>;
    type ReserveData = ();
    type Currency = Balances;
    type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type AssetDeposit = ConstU128<{ hub::deposit(1, 190) }>;
    type AssetAccountDeposit = ConstU128<{ hub::deposit(1, 16) }>;
    type MetadataDepositBase = ConstU128<{ hub::deposit(1, 68) }>;
    type MetadataDepositPerByte = ConstU128<{ hub::deposit(0, 1) }>;
    // Taken from the owner by every `approve`, through the precompile too.
    type ApprovalDeposit = ConstU128<{ hub::EXISTENTIAL_DEPOSIT }>;
    type StringLimit = ConstU32<50>;
    type RemoveItemsLimit = ConstU32<1000>;
    type Freezer = ();
    type Holder = ();
    type Extra = ();
    type CallbackHandle = ();
    // The Hub numbers new assets itself; tests choose their ids.
    type AssetIdAllocator = ();
    type WeightInfo = pallet_assets::weights::SubstrateWeight<Runtime>;
}

impl pallet_assets_precompiles::PermitConfig for Runtime {
    type ChainId = ConstU64<{ hub::CHAIN_ID }>;
    type WeightInfo = pallet_assets_precompiles::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    pub const CodeHashLockup: Perbill = hub::CODE_HASH_LOCKUP;
    pub const MaxEthExtrinsicWeight: FixedU128 = FixedU128::from_rational(5, 10);
}

impl pallet_revive::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type RuntimeOrigin = RuntimeOrigin;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Time = Timestamp;
    type Balance = Balance;
    type Currency = Balances;
    type OnBurn = ();
    type WeightInfo = weights::Revive;
    type Precompiles = (ERC20<Runtime, InlineIdConfig<{ hub::ERC20_PREFIX }>, TrustBackedAssets>,);
    // The node seals for nobody.
    type FindAuthor = ();
    type DepositPerByte = ConstU128<{ hub::deposit(0, 1) }>;
    type DepositPerItem = ConstU128<{ hub::deposit(1, 0) }>;
    type DepositPerChildTrieItem = ConstU128<{ hub::DEPOSIT_PER_CHILD_TRIE_ITEM }>;
    type CodeHashLockupDepositPercent = CodeHashLockup;
    type Deposit = ();
    type AddressMapper = AccountId32Mapper<Runtime>;
    type AutoMap = ConstBool<true>;
    type AllowEVMBytecode = ConstBool<true>;
    type UploadOrigin = EnsureSigned<AccountId>;
    type InstantiateOrigin = EnsureSigned<AccountId>;
    type RuntimeMemory = ConstU32<{ 128 * 1024 * 1024 }>;
    type PVFMemory = ConstU32<{ 512 * 1024 * 1024 }>;
    type ChainId = ConstU64<{ hub::CHAIN_ID }>;
    type NativeToEthRatio = ConstU32<{ hub::NATIVE_TO_ETH_RATIO }>;
    type GasScale = ConstU32<{ hub::GAS_SCALE }>;
    type FeeInfo = fees::Info<Address, Signature, EthExtra>;
    type MaxEthExtrinsicWeight = MaxEthExtrinsicWeight;
    // True would lift the limits on code size, which the Hub has.
    type DebugEnabled = ConstBool<false>;
}
