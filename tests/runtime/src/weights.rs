//! What pallet-revive charges for its work: by the SDK's measured weights, or, in native code that asks for it, by those of Polkadot Hub today.
//!
//! The Hub's are the figures of polkadot-fellows/runtimes 2.3.2 (cb16c082), `asset-hub-polkadot/src/weights/pallet_revive.rs`, for everything that our contracts
//! make the pallet do. That runtime's pallet-revive (0.18) has no access list: each access to storage pays as if it were the first. The rest, and the other pallets, keep
//! the SDK's weights. Of what 0.20 adds on the first write to a cell that was read before (19 µs) nothing is taken back: figures of today are that much too high.

use crate::Runtime;
use polkadot_sdk::{frame_support::weights::Weight, frame_system, pallet_revive};

#[cfg(feature = "std")]
std::thread_local! {
    static TODAY: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// From now on this thread's calls are charged by the Hub's weights of today (true) or by the SDK's (false, the default). For measuring, in native code only.
#[cfg(feature = "std")]
pub fn charge_as_the_hub_today(today: bool) {
    TODAY.with(|t| t.set(today));
}

#[cfg(feature = "std")]
fn today() -> bool {
    TODAY.with(core::cell::Cell::get)
}
#[cfg(not(feature = "std"))]
fn today() -> bool {
    false
}

/// Picoseconds and bytes of proof.
fn at(ref_time_ps: u64, proof_bytes: u64) -> Sum {
    Sum(Weight::from_parts(ref_time_ps, proof_bytes))
}

struct Sum(Weight);

impl Sum {
    fn per(self, n: u32, ref_time_ps: u64, proof_bytes: u64) -> Self {
        self.and(Weight::from_parts(ref_time_ps, proof_bytes).saturating_mul(n.into()))
    }
    fn db(self, reads: u64, writes: u64) -> Self {
        let db = <Runtime as frame_system::Config>::DbWeight::get();
        self.and(db.reads(reads)).and(db.writes(writes))
    }
    fn and(self, more: Weight) -> Self {
        Self(self.0.saturating_add(more))
    }
    fn less(self, part: Weight) -> Self {
        Self(self.0.saturating_sub(part))
    }
}

/// The weights of the runtime.
pub struct Revive;
type Sdk = pallet_revive::weights::SubstrateWeight<Runtime>;

macro_rules! weights {
    (hub { $($hub:ident($($a:ident),*) = $today:expr;)* } sdk { $($sdk:ident($($b:ident),*);)* }) => {
        impl pallet_revive::WeightInfo for Revive {
            $(fn $hub($($a: u32),*) -> Weight {
                if today() { $today.0 } else { Sdk::$hub($($a),*) }
            })*
            $(fn $sdk($($b: u32),*) -> Weight {
                Sdk::$sdk($($b),*)
            })*
        }
    };
}

weights! {
    hub {
        call_with_pvm_code_per_byte(c) = at(143_804_261, 10_861).per(c, 977, 1).db(8, 2);
        instantiate(i) = at(170_267_810, 11_599).per(i, 3_305, 0).db(9, 4);
        call() = at(106_630_000, 11_507).db(8, 2);
        upload_code(c) = at(63_046_422, 6196).per(c, 11_055, 0).db(3, 3);
        noop_host_fn(r) = at(9_819_264, 0).per(r, 103_145, 0);
        seal_caller() = at(333_000, 0);
        seal_origin() = at(320_000, 0);
        seal_code_hash() = at(11_303_000, 4004).db(1, 0);
        seal_code_size() = at(14_817_000, 4073).db(2, 0);
        seal_address() = at(288_000, 0);
        seal_ref_time_left() = at(1_927_000, 0);
        seal_balance() = at(17_295_000, 0);
        seal_balance_of() = at(30_523_000, 7025).db(3, 0);
        seal_value_transferred() = at(240_000, 0);
        seal_return_data_size() = at(232_000, 0);
        seal_call_data_size() = at(235_000, 0);
        seal_now() = at(233_000, 0);
        seal_copy_to_contract(n) = at(578_643, 0).per(n, 170, 0);
        seal_call_data_load() = at(238_000, 0);
        seal_call_data_copy(n) = at(183_636, 0).per(n, 95, 0);
        seal_return(n) = at(401_734, 0).per(n, 169, 0);
        seal_deposit_event(t, n) = at(4_809_000, 0).per(n, 920, 0);
        get_storage_empty() = at(10_315_000, 653).db(1, 0);
        get_storage_full() = at(40_228_000, 10_663).db(1, 0);
        set_storage_empty() = at(11_197_000, 653).db(1, 1);
        set_storage_full() = at(41_415_000, 10_663).db(1, 1);
        overlay_probe_full(n) = at(0, 0);
        overlay_probe_empty(n) = at(0, 0);
        seal_set_storage(n, o) = at(11_893_251, 252).per(n, 644, 0).per(o, 723, 1).db(1, 1);
        seal_set_storage_hot(n, o) = at(0, 0).and(Self::seal_set_storage(n, o)).and(Self::set_storage_full()).less(Self::set_storage_empty());
        clear_storage(n) = at(14_210_576, 381).db(1, 1);
        clear_storage_hot(n) = at(0, 0).and(Self::clear_storage(n)).and(Self::set_storage_full()).less(Self::set_storage_empty());
        seal_get_storage(n) = at(11_587_044, 252).per(n, 1_486, 1).db(1, 0);
        seal_get_storage_hot(n) = at(0, 0).and(Self::seal_get_storage(n)).and(Self::get_storage_full()).less(Self::get_storage_empty());
        access_list_touch_cold_full() = at(0, 0);
        access_list_touch_hot_full() = at(0, 0);
        access_list_touch_cold_empty() = at(0, 0);
        access_list_touch_hot_single_element() = at(0, 0);
        access_list_rollback_amortization() = at(0, 0);
        seal_call(t, d, i) = at(84_575_168, 9023).per(t, 16_499_178, 0).per(d, 22_238_441, 0).per(i, 2, 0).db(5, 1 + u64::from(t));
        seal_call_precompile(d, i) = at(15_447_965, 2692).per(d, 15_751_675, 2692).per(i, 266, 0).db(2 * u64::from(d), d.into());
        seal_delegate_call() = at(35_151_000, 4796).db(3, 0);
        seal_hash_keccak_256(n) = at(1_778_812, 0).per(n, 3_017, 0);
        ecdsa_recover() = at(31_727_000, 0);
        instr(r) = at(20_949_693, 0).per(r, 49_401, 0);
        instr_empty_loop(r) = at(2_777_616, 0).per(r, 25_014, 0);
        on_finalize_per_event(e) = at(36_577_244, 5647).db(5, 5);
        on_finalize_per_event_data(d) = at(36_464_650, 5647).per(d, 7, 0).db(5, 5);
    }
    sdk {
        deletion_queue_batch(); deletion_queue_per_entry(); deletion_queue_per_trie_key(k); deletion_queue_per_native_deposit_key(k);
        call_with_evm_code_per_byte(c); basic_block_compilation(b); instantiate_with_code(c, i); eth_instantiate_with_code(c, i, d);
        deposit_eth_extrinsic_revert_event(); eth_call(d); eth_substrate_call(c); remove_code(); set_code(); map_account(); unmap_account();
        batch_map_accounts(a); dispatch_as_fallback_account(); to_account_id(); own_code_hash(); caller_is_origin(); caller_is_root();
        origin_is_root(); weight_left(); seal_get_immutable_data(n); seal_set_immutable_data(n); minimum_balance(); seal_gas_limit();
        seal_gas_price(); seal_base_fee(); seal_block_number(); seal_block_author(); seal_block_hash(); seal_terminate(r); seal_terminate_logic();
        contains_storage(n); contains_storage_hot(n); take_storage(n); take_storage_hot(n); set_transient_storage_empty();
        set_transient_storage_full(); get_transient_storage_empty(); get_transient_storage_full(); rollback_transient_storage();
        seal_set_transient_storage(n, o); seal_clear_transient_storage(n); seal_get_transient_storage(n); seal_contains_transient_storage(n);
        seal_take_transient_storage(n); seal_instantiate(t, d, i); evm_instantiate(t, d, i); sha2_256(n); identity(n); ripemd_160(n);
        hash_blake2_256(n); hash_blake2_128(n); seal_sr25519_verify(n); p256_verify(); bn128_add(); bn128_mul(); bn128_pairing(n); blake2f(n);
        seal_ecdsa_to_eth_address(); evm_opcode(r); evm_pop_opcode(r); evm_div_opcode(r); evm_div_opcode_one_limb_variant(r);
        evm_div_opcode_mixed_variant(r); evm_div_opcode_fixed_knuth_variant(r); evm_sdiv_opcode(r); evm_sdiv_opcode_one_limb_variant(r);
        evm_sdiv_opcode_mixed_variant(r); evm_sdiv_opcode_fixed_knuth_variant(r); evm_mod_opcode(r); evm_mod_opcode_one_limb_variant(r);
        evm_mod_opcode_mixed_variant(r); evm_mod_opcode_fixed_knuth_variant(r); evm_smod_opcode(r); evm_smod_opcode_one_limb_variant(r);
        evm_smod_opcode_mixed_variant(r); evm_smod_opcode_fixed_knuth_variant(r); evm_addmod_opcode(r); evm_addmod_opcode_one_limb_variant(r);
        evm_addmod_opcode_mixed_variant(r); evm_addmod_opcode_fixed_knuth_variant(r); evm_mulmod_opcode(r); extcodecopy(n); v1_migration_step();
        v2_migration_step(); v3_migration_step(); v4_code_upload_step(); v4_contract_step(); v4_deletion_queue_step(); on_finalize_per_transaction(n);
        on_finalize_per_transaction_data(d);
    }
}
