//! Who has how much, from finalized account balances: no contract is asked, no event believed for it.
//!
//! [`Ledger`] has a connection of its own and reads `System.Account`, `Assets.Account` and `Balances.TotalIssuance`. What transactions cost is read
//! from `TransactionFeePaid`, and only trusted because [`crate::story::audit`] finds the same sum missing from the total issuance; storage deposits from
//! `TransferAndHold` and `TransferOnHold`, because it finds the same sum reserved on the contracts.

// `Result` stays std's: the derive below writes it out.
use crate::{Context, Error};
use futures::{StreamExt, TryStreamExt, stream};
use rivulet_chain::Node;
use rivulet_rules::chain::{Account, BlockRef};
use std::collections::BTreeMap;
use subxt::{OnlineClient, SubstrateConfig, dynamic, ext::scale_decode::DecodeAsType, utils::H256};

/// USDC on Polkadot Hub and on the dev chain.
pub const USDC_ID: u32 = 1337;
/// Requests under way at once.
const AT_ONCE: usize = 32;

/// What one account has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Purse {
    /// Native, spendable or frozen, in planck.
    pub free: u128,
    /// Native, held or reserved (storage deposits on a contract, approval deposits), in planck.
    pub reserved: u128,
    /// USDC, in units.
    pub usdc: u128,
    /// Transactions sent.
    pub nonce: u32,
}

impl Purse {
    /// Native in all, in planck.
    pub fn native(&self) -> u128 {
        self.free.saturating_add(self.reserved)
    }
}

/// Some accounts at one finalized block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The block.
    pub block: BlockRef,
    /// What each account has; accounts that do not exist have nothing.
    pub purses: BTreeMap<Account, Purse>,
    /// All native money there is, in planck.
    pub issuance: u128,
}

impl Snapshot {
    /// An account's purse.
    pub fn of(&self, account: &Account) -> Purse {
        self.purses.get(account).copied().unwrap_or_default()
    }
}

/// What an account's transactions cost it between two snapshots.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paid {
    /// How many.
    pub transactions: u32,
    /// What they cost, in planck.
    pub fees: u128,
    /// Storage deposits paid less those given back, in planck.
    pub deposits: i128,
}

impl std::ops::AddAssign for Paid {
    fn add_assign(&mut self, more: Self) {
        self.transactions = self.transactions.saturating_add(more.transactions);
        self.fees = self.fees.saturating_add(more.fees);
        self.deposits = self.deposits.saturating_add(more.deposits);
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountInfo {
    nonce: u32,
    data: AccountData,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountData {
    free: u128,
    reserved: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AssetAccount {
    balance: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct HeldFor {
    source: [u8; 32],
    transferred: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct GivenBack {
    dest: [u8; 32],
    amount: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct FeePaid {
    who: [u8; 32],
    actual_fee: u128,
}

/// Reads balances.
#[derive(Clone)]
pub struct Ledger {
    api: OnlineClient<SubstrateConfig>,
    node: Node,
}

impl Ledger {
    /// Connects to the node that `node` is connected to.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn connect(url: &str, node: Node) -> Result<Self, Error> {
        Ok(Self { api: OnlineClient::from_insecure_url(url).await.doing("connecting to read balances")?, node })
    }

    /// What these accounts have at the newest finalized block.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn snapshot(&self, accounts: &[Account]) -> Result<Snapshot, Error> {
        let block = self.node.finalized().await?;
        let at = self.api.at_block_hash_and_number(H256(block.hash), block.number).await.doing("opening a block")?;
        let issuance = dynamic::storage::<(), u128>("Balances", "TotalIssuance");
        let issuance = at.storage().fetch(issuance, ()).await.doing("the total issuance")?.decode().doing("the total issuance")?;
        let read = |account: Account| {
            let at = &at;
            async move {
                let storage = at.storage();
                let entry = dynamic::storage::<([u8; 32],), AccountInfo>("System", "Account");
                let native = storage.try_fetch(entry, (account.0,)).await.doing("a native balance")?;
                let native = native.map(|value| value.decode()).transpose().doing("a native balance")?;
                let entry = dynamic::storage::<(u32, [u8; 32]), AssetAccount>("Assets", "Account");
                let usdc = storage.try_fetch(entry, (USDC_ID, account.0)).await.doing("a balance of USDC")?;
                let usdc = usdc.map(|value| value.decode()).transpose().doing("a balance of USDC")?;
                let mut purse = Purse { usdc: usdc.map_or(0, |a| a.balance), ..Purse::default() };
                if let Some(info) = native {
                    (purse.free, purse.reserved, purse.nonce) = (info.data.free, info.data.reserved, info.nonce);
                }
                Ok::<_, Error>((account, purse))
            }
        };
        let purses = stream::iter(accounts.iter().copied().map(read)).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(Snapshot { block, purses, issuance })
    }

    /// What every account's transactions cost it in the blocks after `from`, up to and with `to`.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn costs(&self, from: u64, to: u64) -> Result<BTreeMap<Account, Paid>, Error> {
        let of_block = |number: u64| async move {
            let at = self.api.at_block(number).await.doing("opening a block")?;
            let events = at.events().fetch().await.doing("a block's events")?;
            let mut paid = Vec::new();
            for event in events.iter() {
                let event = event.doing("an event")?;
                // Balances are far below 2^127.
                match (event.pallet_name(), event.event_name()) {
                    ("TransactionPayment", "TransactionFeePaid") => {
                        let fee: FeePaid = event.decode_fields_unchecked_as().doing("TransactionFeePaid")?;
                        paid.push((Account(fee.who), Paid { transactions: 1, fees: fee.actual_fee, deposits: 0 }));
                    }
                    ("Balances", "TransferAndHold") => {
                        let held: HeldFor = event.decode_fields_unchecked_as().doing("TransferAndHold")?;
                        paid.push((Account(held.source), Paid { deposits: held.transferred as i128, ..Paid::default() }));
                    }
                    ("Balances", "TransferOnHold") => {
                        let back: GivenBack = event.decode_fields_unchecked_as().doing("TransferOnHold")?;
                        paid.push((Account(back.dest), Paid { deposits: -(back.amount as i128), ..Paid::default() }));
                    }
                    _ => {}
                }
            }
            Ok::<_, Error>(paid)
        };
        let blocks: Vec<_> = stream::iter((from.saturating_add(1)..=to).map(of_block)).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut costs = BTreeMap::<Account, Paid>::new();
        for (account, more) in blocks.into_iter().flatten() {
            *costs.entry(account).or_default() += more;
        }
        Ok(costs)
    }
}
