//! What keeps a payer and a payee from losing money: payees that could not get it, opens that were cut off, claims without a relayer.

use crate::node::{DOT, World};
use rivulet_chain::Standing;
use rivulet_client::{Error, OpenChannel, SignedVoucher};
use rivulet_core::{ids::Address, outcome::RowOutcome};
use rivulet_rules::chain::ContractKind;
use std::time::Duration;

fn wanted(payee: Address, amount: u128) -> OpenChannel {
    OpenChannel { payee, token: Address::ZERO, challenge_period_secs: 3600, amount }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_could_not_get_at_its_money_is_refused_until_its_account_is_there() {
    let world = World::new().await;
    let (chain, payer) = (&world.chain, world.payer("//Bob"));
    let nobody = world.payee("//Nobody");
    let block = chain.node().finalized().await.unwrap();
    assert_eq!(chain.node().standing(&nobody.address(), block).await.unwrap(), Standing::Unknown);
    let charlie = world.payee("//Charlie");
    assert_eq!(chain.node().standing(&charlie.address(), block).await.unwrap(), Standing::Mapped(charlie.lane().signer().account()));
    let contract = chain.contract(ContractKind::Channels);
    assert_eq!(chain.node().standing(&contract, block).await.unwrap(), Standing::Contract);

    let refused = payer.open(&wanted(nobody.address(), DOT)).await.unwrap_err();
    assert!(matches!(refused, Error::UnmappedPayee(a) if a == nobody.address()), "{refused}");
    payer.clone().paying_strangers().open(&wanted(nobody.address(), DOT)).await.unwrap();
    // It receives something, and the chain maps it: from then on anybody can pay it.
    let node = chain.node();
    let transfer = node.transfer(block, &nobody.lane().signer().account(), 10_000_000_000).await.unwrap();
    payer.lane().send(&transfer).await.unwrap().success().await.unwrap();
    payer.open(&wanted(nobody.address(), DOT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_that_was_cut_off_is_found_and_a_payee_claims_all_that_a_payer_kept() {
    let world = World::new().await;
    let (payer, payee) = (world.payer("//Bob"), world.payee("//Charlie"));
    let from = world.chain.node().finalized().await.unwrap().number;
    // Dropped once the pool has it: nobody waits for its block any more.
    let free = || async {
        let node = world.chain.node();
        node.account_next_nonce(&payer.lane().signer().account()).await.unwrap()
    };
    let before = free().await;
    {
        let one = wanted(payee.address(), DOT);
        let open = payer.open(&one);
        tokio::pin!(open);
        while free().await == before {
            let _ = tokio::time::timeout(Duration::from_millis(5), &mut open).await;
        }
    }
    let mut feed = world.chain.finalized_blocks(from);
    let mut lost = loop {
        feed.next().await.unwrap();
        if let Some(found) = payer.find_opened(from).await.unwrap().pop() {
            break found;
        }
    };
    assert_eq!((lost.terms.payee, lost.deposit, lost.promised), (payee.address(), DOT, 0));
    assert!(world.payer("//Bob").find_opened(from).await.unwrap().is_empty(), "another voucher key's are not ours");

    let mut second = payer.open(&wanted(payee.address(), 2 * DOT)).await.unwrap();
    let low = second.pay(payer.vouchers(), DOT).unwrap();
    let high = second.pay(payer.vouchers(), DOT).unwrap();
    let of_lost = lost.pay(payer.vouchers(), DOT / 2).unwrap();
    // As it went through a file.
    let vouchers = [high, low, of_lost].map(|v| serde_json::from_str::<SignedVoucher>(&serde_json::to_string(&v).unwrap()).unwrap());
    let claimed = payee.claim_all(&vouchers).await.unwrap();
    let outcomes: Vec<_> = claimed.rows.iter().map(|c| (c.voucher.number, c.outcome, c.total)).collect();
    assert_eq!(
        outcomes,
        [(lost.number(), RowOutcome::Applied, Some(DOT / 2)), (second.number(), RowOutcome::Applied, Some(2 * DOT))],
        "one row a channel, the highest"
    );
    assert_eq!(claimed.gains.iter().map(|gain| (gain.units, gain.fee)).collect::<Vec<_>>(), [(DOT / 2 + 2 * DOT, 0)]);
    let again = payee.claim_all(&vouchers).await.unwrap();
    assert!(again.rows.iter().all(|c| c.outcome == RowOutcome::Stale && c.total.is_none()), "nothing is sent that pays nothing");
    assert!(again.gains.is_empty());
}
