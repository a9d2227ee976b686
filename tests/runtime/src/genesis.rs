//! What exists at block 0: funded dev accounts, USDT and USDC, the sudo key.

use crate::{
    AccountId, AssetsConfig, Balance, BalancesConfig, Runtime, RuntimeGenesisConfig, SudoConfig, hub,
    pallet_revive::{AddressMapper, Config},
};
use alloc::{vec, vec::Vec};
use polkadot_sdk::{sp_core::H160, sp_genesis_builder, sp_keyring::Sr25519Keyring};

/// Name of the one genesis preset.
pub const PRESET: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// What each dev account starts with: a million DOT, in planck.
pub const ENDOWMENT: Balance = 1_000_000 * hub::DOT;
/// What each dev account starts with of USDT and of USDC: a million, in units.
pub const ENDOWMENT_USD_UNITS: Balance = 1_000_000 * 10u128.pow(hub::USD_DECIMALS as u32);

/// Addresses of the well-known Ethereum dev keys: alith, baltathar, charleth, dorothy, ethan.
pub const ETH_ADDRESSES: [H160; 5] = [
    H160(hex("f24FF3a9CF04c71Dbc94D0b566f7A27B94566cac")),
    H160(hex("3Cd0A705a2DC65e5b1E1205896BaA2be8A07c6e0")),
    H160(hex("798d4Ba9baf0064Ec19eB4F0a1a45785ae9D6DFc")),
    H160(hex("773539d4Ac0e786233D90A233654ccEE26a613D9")),
    H160(hex("Ff64d3F6efE2317EE2807d223a0Bdc4c0c49dfDB")),
];

/// Alice, Bob, Charlie, Dave, Eve, Ferdie, and their `//stash` accounts: sr25519.
pub fn substrate_accounts() -> Vec<AccountId> {
    Sr25519Keyring::well_known().map(|key| key.to_account_id()).collect()
}

/// Accounts of [`ETH_ADDRESSES`].
pub fn eth_accounts() -> Vec<AccountId> {
    ETH_ADDRESSES.iter().map(account_of).collect()
}

/// All funded accounts.
pub fn accounts() -> Vec<AccountId> {
    [substrate_accounts(), eth_accounts()].concat()
}

/// The account of an Ethereum address that has no other: its 20 bytes and twelve times `0xEE`.
pub fn account_of(address: &H160) -> AccountId {
    let mut bytes = [0xEE; 32];
    bytes[..20].copy_from_slice(address.as_bytes());
    bytes.into()
}

/// The genesis of the dev chain. `build_storage()` turns it into the storage of a sandbox.
pub fn development() -> RuntimeGenesisConfig {
    let alice = Sr25519Keyring::Alice.to_account_id();
    let asset = |id| (id, alice.clone(), true, hub::USD_MIN_BALANCE_UNITS);
    let holdings = |id| accounts().into_iter().map(move |who| (id, who, ENDOWMENT_USD_UNITS));

    RuntimeGenesisConfig {
        balances: BalancesConfig { balances: accounts().into_iter().map(|who| (who, ENDOWMENT)).collect(), ..Default::default() },
        assets: AssetsConfig {
            assets: vec![asset(hub::USDT_ID), asset(hub::USDC_ID)],
            metadata: vec![
                (hub::USDT_ID, b"Tether USD".to_vec(), b"USDt".to_vec(), hub::USD_DECIMALS),
                (hub::USDC_ID, b"USD Coin".to_vec(), b"USDC".to_vec(), hub::USD_DECIMALS),
            ],
            accounts: holdings(hub::USDT_ID).chain(holdings(hub::USDC_ID)).collect(),
            ..Default::default()
        },
        // Nothing for revive: balances at genesis map their accounts as any new account's do, and it funds its own
        // account with the existential deposit.
        sudo: SudoConfig { key: Some(alice) },
        ..Default::default()
    }
}

/// The H160 that contracts see for an account.
pub fn address_of(account: &AccountId) -> H160 {
    <Runtime as Config>::AddressMapper::to_address(account)
}

/// Twenty bytes from forty hex digits, at compile time.
const fn hex(digits: &str) -> [u8; 20] {
    const fn nibble(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' => digit - b'A' + 10,
            _ => panic!("not a hex digit"),
        }
    }
    let digits = digits.as_bytes();
    assert!(digits.len() == 40);
    let mut bytes = [0; 20];
    let mut i = 0;
    while i < 20 {
        bytes[i] = nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]);
        i += 1;
    }
    bytes
}
