//! The runtime has the Hub's figures, and its dev accounts can be used as they are.

use polkadot_sdk::{
    frame_support::{
        dispatch::{DispatchClass, GetDispatchInfo},
        traits::{Hooks, IntegrityTest, fungible::Inspect},
        weights::Weight,
    },
    frame_system,
    pallet_revive::{self, AddressMapper, ExecConfig, TransactionLimits},
    pallet_transaction_payment::{Multiplier, NextFeeMultiplier},
    sp_core::{H160, U256},
    sp_io::TestExternalities,
    sp_runtime::{BuildStorage, FixedPointNumber},
};
use rivulet_runtime::{
    AccountId, Assets, Balances, Executive, Revive, Runtime, RuntimeCall, RuntimeOrigin, System, Timestamp, TransactionPayment, genesis, hub,
};

fn development() -> TestExternalities {
    TestExternalities::from(genesis::development().build_storage().expect("the genesis builds"))
}

/// `left` is `right` to within one part in `precision`.
fn assert_about(left: u128, right: u128, precision: u128) {
    assert!(left.abs_diff(right) * precision <= right, "{left} is not about {right}");
}

#[test]
fn fees_come_out_as_the_hubs_figures() {
    development().execute_with(|| {
        let millisecond = TransactionPayment::weight_to_fee(Weight::from_parts(1_000_000_000, 0));
        assert_about(millisecond, hub::DOT * 397 / 1_000_000, 1000);
        let proof = TransactionPayment::weight_to_fee(Weight::from_parts(0, 100 * 1024));
        assert_about(proof, hub::DOT * 775 / 100_000, 1000);
        // The larger of the two parts, not their sum.
        assert_eq!(TransactionPayment::weight_to_fee(Weight::from_parts(1_000_000_000, 100 * 1024)), proof);
        assert_eq!(TransactionPayment::length_to_fee(1), 50_000);
        assert_about(TransactionPayment::weight_to_fee(hub::EXTRINSIC_BASE_WEIGHT), hub::DOT * 5 / 100_000, 100);
    });
}

#[test]
fn the_fee_multiplier_is_one_and_stays_where_a_test_puts_it() {
    development().execute_with(|| {
        assert_eq!(NextFeeMultiplier::<Runtime>::get(), Multiplier::from(1));
        let low = Multiplier::saturating_from_rational(1, 10);
        NextFeeMultiplier::<Runtime>::put(low);
        TransactionPayment::on_finalize(1);
        assert_eq!(NextFeeMultiplier::<Runtime>::get(), low);
    });
}

#[test]
fn the_multiplier_moves_the_weight_part_of_a_fee_only() {
    development().execute_with(|| {
        let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![0; 1000] });
        let info = call.get_dispatch_info();
        let full = TransactionPayment::compute_fee_details(1000, &info, 0).inclusion_fee.expect("remark pays");
        NextFeeMultiplier::<Runtime>::put(Multiplier::saturating_from_rational(1, 10));
        let low = TransactionPayment::compute_fee_details(1000, &info, 0).inclusion_fee.expect("remark pays");
        assert_eq!((full.base_fee, full.len_fee), (low.base_fee, low.len_fee));
        assert_about(low.adjusted_weight_fee * 10, full.adjusted_weight_fee, 1000);
    });
}

#[test]
fn deposits_are_the_hubs() {
    assert_eq!(hub::deposit(1, 0), hub::DOT / 5);
    assert_eq!(hub::deposit(0, 1), hub::DOT / 100_000);
    assert_eq!(hub::DEPOSIT_PER_CHILD_TRIE_ITEM, hub::DOT / 500);
    assert_eq!(hub::EXISTENTIAL_DEPOSIT, hub::DOT / 100);
}

#[test]
fn a_transaction_may_fill_the_part_of_a_block_that_the_hub_allows() {
    development().execute_with(|| {
        let limits = <Runtime as frame_system::Config>::BlockWeights::get();
        let max = limits.get(DispatchClass::Normal).max_extrinsic.expect("normal transactions are limited");
        // 85 % of 2 s and of 10 MiB, less 5 % for initialization and the base weight.
        assert_about(max.ref_time().into(), 1_600_000_000_000, 500);
        assert_about(max.proof_size().into(), 8_388_608, 500);
    });
}

#[test]
fn dev_accounts_are_endowed_and_mapped() {
    development().execute_with(|| {
        assert_eq!(genesis::accounts().len(), 17);
        for who in genesis::accounts() {
            assert_eq!(Balances::balance(&who), genesis::ENDOWMENT);
            assert_eq!(Assets::balance(hub::USDT_ID, &who), genesis::ENDOWMENT_USD_UNITS);
            assert_eq!(Assets::balance(hub::USDC_ID, &who), genesis::ENDOWMENT_USD_UNITS);
            assert!(<Runtime as pallet_revive::Config>::AddressMapper::is_mapped(&who));
            // And back: money sent to the address reaches the account.
            let address = genesis::address_of(&who);
            assert_eq!(<Runtime as pallet_revive::Config>::AddressMapper::to_account_id(&address), who);
        }
        assert_eq!(genesis::address_of(&genesis::eth_accounts()[0]), genesis::ETH_ADDRESSES[0]);
        assert_eq!(Balances::balance(&Revive::account_id()), hub::EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn an_account_that_appears_later_is_mapped_at_once() {
    development().execute_with(|| {
        System::set_block_number(1);
        let newcomer = AccountId::from([7; 32]);
        let alice = genesis::substrate_accounts().remove(0);
        Balances::transfer_keep_alive(RuntimeOrigin::signed(alice), newcomer.clone().into(), hub::DOT).expect("Alice has money");
        assert!(<Runtime as pallet_revive::Config>::AddressMapper::is_mapped(&newcomer));
    });
}

#[test]
fn dollar_assets_have_their_real_minimum_balance_and_suffice_for_an_account() {
    development().execute_with(|| {
        for id in [hub::USDT_ID, hub::USDC_ID] {
            let asset = polkadot_sdk::pallet_assets::Asset::<Runtime, rivulet_runtime::TrustBackedAssets>::get(id).expect("it exists at genesis");
            assert_eq!(asset.min_balance, 10_000);
            assert!(asset.is_sufficient);
        }
    });
}

#[test]
fn the_erc20_precompile_answers_for_an_asset() {
    let mut ext = development();
    ext.execute_with(|| {
        System::set_block_number(1);
        assert_eq!(format!("{:?}", hub::USDC), "0x0000053900000000000000000000000001200000");
        let alice = genesis::substrate_accounts().remove(0);
        let call = |data: Vec<u8>| {
            let result = Revive::bare_call(
                RuntimeOrigin::signed(alice.clone()),
                hub::USDC,
                U256::zero(),
                TransactionLimits::WeightAndDeposit { weight_limit: Weight::MAX, deposit_limit: u128::MAX },
                data,
                &ExecConfig::new_substrate_tx(),
            );
            let output = result.result.expect("the call goes through");
            assert!(!output.did_revert());
            output.data
        };
        // decimals(), then balanceOf(alith)
        assert_eq!(U256::from_big_endian(&call(vec![0x31, 0x3c, 0xe5, 0x67])), U256::from(hub::USD_DECIMALS));
        let alith: H160 = genesis::ETH_ADDRESSES[0];
        let balance_of = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], alith.as_bytes()].concat();
        assert_eq!(U256::from_big_endian(&call(balance_of)), U256::from(genesis::ENDOWMENT_USD_UNITS));
    });
}

#[test]
fn the_genesis_preset_is_the_native_genesis() {
    let preset = serde_json::to_value(genesis::development()).expect("a genesis config is JSON");
    let read_back: rivulet_runtime::RuntimeGenesisConfig = serde_json::from_value(preset).expect("and back");
    let (native, read_back) = (genesis::development().build_storage(), read_back.build_storage());
    assert_eq!(native.expect("it builds").top, read_back.expect("it builds").top);
}

#[test]
fn time_may_jump_but_never_stands_still() {
    let block = |number, ms| {
        System::initialize(&number, &Default::default(), &Default::default());
        Timestamp::set(RuntimeOrigin::none(), ms)
    };
    development().execute_with(|| {
        block(1, 1_000).expect("the first block may say anything");
        Timestamp::on_finalize(1);
        block(2, 1_001).expect("a millisecond is enough");
        Timestamp::on_finalize(2);
        block(3, 1_001 + 365 * 86_400_000).expect("a year is not too much");
        Timestamp::on_finalize(3);
    });
    let stood_still = std::panic::catch_unwind(|| {
        development().execute_with(|| {
            block(1, 1_000).expect("the first block may say anything");
            Timestamp::on_finalize(1);
            block(2, 1_000).expect("unreachable: the pallet panics");
        });
    });
    assert!(stood_still.is_err());
}

#[test]
fn the_runtime_holds_its_pallets_conditions() {
    development().execute_with(rivulet_runtime::AllPalletsWithSystem::integrity_test);
    // The type that the sandbox applies signed transactions with.
    let _ = Executive::initialize_block;
}
