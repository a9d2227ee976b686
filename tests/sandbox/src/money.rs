//! Who has what.

use crate::{Party, Sandbox};
use polkadot_sdk::{
    frame_support::traits::{fungible, fungibles},
    pallet_revive::{AccountInfo, AddressMapper, Config},
    sp_core::H160,
};
use rivulet_core::ids::{Address, Token};
use rivulet_runtime::{AccountId, Assets, Balances, Revive, Runtime, System, hub};

/// The native token.
pub const NATIVE: Token = Address::ZERO;
/// USD Coin, by the ERC-20 precompile.
pub const USDC: Token = Address(hub::USDC.0);
/// Tether USD, by the ERC-20 precompile.
pub const USDT: Token = Address(hub::USDT.0);

const RATIO: u128 = hub::NATIVE_TO_ETH_RATIO as u128;

/// The address as the pallet has it.
pub(crate) fn h160(address: Address) -> H160 {
    H160(address.0)
}

/// The account of an address as things stand: a key's own if the chain knows it, else the address and twelve times `0xEE`.
pub(crate) fn account_of(address: Address) -> AccountId {
    <Runtime as Config>::AddressMapper::to_account_id(&h160(address))
}

/// The asset of a token.
fn asset_id(token: Token) -> u32 {
    let [a, b, c, d, ..] = token.0;
    let id = u32::from_be_bytes([a, b, c, d]);
    assert_eq!(hub::erc20_address(id).0, token.0, "{token} is no trust-backed asset");
    id
}

impl Sandbox {
    /// The party of a secret URI such as `//payer/1`; when new, with a thousand DOT and ten thousand USDC and USDT.
    pub fn party(&mut self, uri: &str) -> Party {
        let party = Party::from_uri(uri);
        if !self.exists(party.address) {
            self.endow(&party, NATIVE, Self::ENDOWMENT_WEI);
            self.endow(&party, USDC, Self::ENDOWMENT_UNITS);
            self.endow(&party, USDT, Self::ENDOWMENT_UNITS);
        }
        party
    }

    /// The party of a secret URI, as it is: without money or even an account.
    pub fn stranger(&self, uri: &str) -> Party {
        Party::from_uri(uri)
    }

    /// Makes money for a party, in its own account: wei, whole planck, or units.
    ///
    /// # Panics
    ///
    /// When the amount cannot exist: below the minimum balance, or not a whole planck.
    pub fn endow(&mut self, who: &Party, token: Token, amount: u128) {
        self.mint(&who.account, token, amount);
    }

    /// The same for an address. Of a party that has no account yet, this is not its own account but the address's, as it is for a contract that pays.
    ///
    /// # Panics
    ///
    /// As [`Self::endow`].
    pub fn fund(&mut self, token: Token, who: Address, amount: u128) {
        let account = self.with(|| account_of(who));
        self.mint(&account, token, amount);
    }

    fn mint(&mut self, account: &AccountId, token: Token, amount: u128) {
        let minted = self.with(|| {
            if token == NATIVE {
                assert_eq!(amount % RATIO, 0, "{amount} wei is no whole planck");
                <Balances as fungible::Mutate<_>>::mint_into(account, amount / RATIO)
            } else {
                <Assets as fungibles::Mutate<_>>::mint_into(asset_id(token), account, amount)
            }
        });
        assert!(minted.is_ok(), "{amount} of {token} cannot be minted: {minted:?}");
    }

    /// What an address holds, deposits held for storage excluded: wei of the native token (the existential deposit included), units of an asset.
    pub fn balance(&mut self, token: Token, who: Address) -> u128 {
        self.with(|| {
            let account = account_of(who);
            if token == NATIVE {
                let (_, dust) = AccountInfo::<Runtime>::total_balance(h160(who).into()).deconstruct();
                Balances::free_balance(&account) * RATIO + u128::from(dust)
            } else {
                Assets::balance(asset_id(token), &account)
            }
        })
    }

    /// What an address can spend, as contracts see it: without the existential deposit.
    pub fn spendable(&mut self, token: Token, who: Address) -> u128 {
        if token != NATIVE {
            return self.balance(token, who);
        }
        self.with(|| Revive::evm_balance(&h160(who)).as_u128())
    }

    /// True when the address has an account.
    pub fn exists(&mut self, who: Address) -> bool {
        self.with(|| System::account_exists(&account_of(who)))
    }

    /// All native money there is, in planck.
    pub fn native_issuance(&mut self) -> u128 {
        self.with(Balances::total_issuance)
    }
}
