//! Contracts' storage, raw: what invariants are checked on, and how tests make states that no call can reach.

use crate::{
    Sandbox,
    money::{account_of, h160},
};
use polkadot_sdk::{pallet_revive::AccountInfo, sp_io};
use rivulet_core::{
    host::Key,
    ids::{Address, Deployment},
};
use rivulet_runtime::{Balances, Revive, Runtime, hub};
use std::collections::BTreeMap;

/// Bytes of hash before the key of each cell in a contract's trie (`Blake2_128Concat`).
const HASH_BYTES: usize = 16;

impl Sandbox {
    /// Chain id and address, which ids and signatures are bound to.
    pub fn deployment(contract: Address) -> Deployment {
        Deployment { chain_id: hub::CHAIN_ID, contract }
    }

    /// One cell of a contract; `None` when it was never written or was cleared.
    ///
    /// # Panics
    ///
    /// When there is no contract.
    pub fn cell(&mut self, contract: Address, key: &Key) -> Option<Vec<u8>> {
        let key = key.bytes(&mut [0; Key::MAX_BYTES]).to_vec();
        self.with(|| Revive::get_storage_var_key(h160(contract), key)).expect("a contract has storage")
    }

    /// All cells of a contract, by the bytes of their keys.
    ///
    /// # Panics
    ///
    /// When there is no contract.
    pub fn cells(&mut self, contract: Address) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.with(|| {
            let info = AccountInfo::<Runtime>::load_contract(&h160(contract)).expect("a contract has storage");
            let (mut cells, mut at) = (BTreeMap::new(), Vec::new());
            while let Some(key) = sp_io::default_child_storage::next_key(&info.trie_id, &at) {
                if let (Some(bare), Some(value)) = (key.get(HASH_BYTES..), sp_io::default_child_storage::get(&info.trie_id, &key)) {
                    cells.insert(bare.to_vec(), value);
                }
                at = key;
            }
            cells
        })
    }

    /// Writes a cell past all rules.
    ///
    /// # Panics
    ///
    /// When there is no contract.
    pub fn set_cell(&mut self, contract: Address, key: &Key, value: &[u8]) {
        let key = key.bytes(&mut [0; Key::MAX_BYTES]).to_vec();
        self.with(|| Revive::set_storage_var_key(h160(contract), key, Some(value.to_vec()))).expect("a contract has storage");
    }

    /// What is held on a contract for its storage, in planck.
    pub fn held_deposit(&mut self, contract: Address) -> u128 {
        self.with(|| Balances::reserved_balance(account_of(contract)))
    }

    /// Gives a contract a second address with the same code and storage, so that vectors made for that address can be put to it.
    ///
    /// # Panics
    ///
    /// When there is no contract.
    pub fn mirror(&mut self, contract: Address, at: Address) {
        use polkadot_sdk::frame_support::traits::fungible::Mutate;
        self.with(|| {
            let info = AccountInfo::<Runtime>::load_contract(&h160(contract)).expect("a contract to mirror");
            AccountInfo::<Runtime>::insert_contract(&h160(at), info);
            <Balances as Mutate<_>>::mint_into(&account_of(at), hub::EXISTENTIAL_DEPOSIT).expect("the native token can be minted");
        });
    }
}
