use crate::node::{DOT, USDC, World, options};
use rivulet_chain::{Chain, Error, Refusal, Signer, Submitted, abi::erc20::Erc20, abi::to_sol, claim_limits};
use rivulet_client::{Error as ClientError, OpenChannel, SignedVoucher};
use rivulet_core::{
    amount::NATIVE_GRAIN,
    blob::{VoucherRow, encode},
    fee::RelayTerms,
    ids::Address,
    outcome::RowOutcome,
};
use rivulet_rules::chain::{ChannelView, ContractEvent, ContractKind};
use std::collections::BTreeMap;

const CHANNELS: ContractKind = ContractKind::Channels;

fn blob(vouchers: &[SignedVoucher]) -> Vec<u8> {
    let mut groups = BTreeMap::<u32, (bool, BTreeMap<u32, VoucherRow>)>::new();
    for v in vouchers {
        let row = VoucherRow { cumulative_amount: v.cumulative_amount, signature: v.signature };
        groups.entry(v.number.book).or_default().1.insert(v.number.serial, row);
    }
    encode(&groups)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_opened_paid_claimed_and_closed_in_both_tokens() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let relayer = Signer::from_uri("//Dave").unwrap();
    let usdc = world.token("usdc");

    // What the deployment says is what the contract says.
    let head = chain.finalized_head().await.unwrap();
    let config = chain.config(CHANNELS, head.block).await.unwrap();
    assert_eq!((config.books, config.tokens, config.fee_ceiling_bps), (0, 2, 1_000));
    let state = chain.token(CHANNELS, &usdc, head.block).await.unwrap();
    assert_eq!((state.listed, state.seed, state.owed), (true, 10_000, 0));

    let wanted = |token, amount| OpenChannel { payee: payee.address(), token, challenge_period_secs: 3600, amount };
    let mut dots = payer.open(&wanted(Address::ZERO, 5 * DOT)).await.unwrap();
    let mut dollars = payer.open(&wanted(usdc, 20 * USDC)).await.unwrap();
    let block = chain.node().finalized().await.unwrap();
    for channel in [&dots, &dollars] {
        let ChannelView::Live(state) = chain.channel(channel.number(), block).await.unwrap() else { panic!("not live") };
        assert_eq!((state.terms, state.deposit, state.claimed), (channel.terms, channel.deposit, 0));
        assert_eq!(chain.channel_id(channel.number(), block).await.unwrap(), Some(channel.id));
        assert_eq!(payer.find(channel.number()).await.unwrap(), Some(*channel));
    }
    assert_eq!(chain.token(CHANNELS, &Address::ZERO, block).await.unwrap().owed, 5 * DOT);
    payer.top_up(&mut dots, DOT).await.unwrap();

    // A batch with a paying row in each book and, in one, a signature by the wrong key.
    let bad = payer.open(&wanted(Address::ZERO, DOT)).await.unwrap();
    let stranger = world.payer("//Eve");
    let vouchers = [
        dots.pay(payer.vouchers(), 2 * DOT).unwrap(),
        dollars.pay(payer.vouchers(), 3 * USDC).unwrap(),
        stranger.vouchers().sign(bad.number(), bad.id, DOT),
    ];
    let blob = blob(&vouchers);
    let head = chain.finalized_head().await.unwrap();
    let fees = chain.fee_model(head.block).await.unwrap();
    let dry = chain.dry_run_claim(CHANNELS, &blob, &relayer.account(), head.block).await.unwrap();
    let outcomes = dry.outcomes.clone().unwrap();
    assert_eq!(outcomes, [RowOutcome::Applied, RowOutcome::BadSignature, RowOutcome::Applied]);

    let limits = claim_limits(&dry, &fees);
    let nonce = chain.account_next_nonce(&relayer.account()).await.unwrap();
    let tx = chain.prepare_claim(CHANNELS, &blob, limits, &relayer, nonce, head.block).await.unwrap();
    // The fee by the model is the runtime's own to a twentieth: the model adds up what the runtime takes the larger of.
    let modelled = fees.fee_planck(dry.weight, tx.bytes.len());
    assert!(modelled.abs_diff(dry.fee_planck) < dry.fee_planck / 20, "modelled {modelled}, queried {}", dry.fee_planck);

    let before = chain.node().free_balance_planck(&relayer.account(), head.block).await.unwrap();
    assert_eq!(chain.submit(&tx).await.unwrap(), Submitted::Accepted);
    assert!(matches!(chain.submit(&tx).await, Ok(Submitted::AlreadyKnown) | Err(Error::Refused(Refusal::StaleNonce | Refusal::Banned))));
    let mut feed = chain.finalized_after(head.block);
    let included = loop {
        let block = feed.next().await.unwrap();
        if let Some(found) = chain.find_tx(tx.hash, block.number, block.number).await.unwrap() {
            break found;
        }
        assert!(block.number < tx.valid_until_block);
    };
    assert_eq!(included.result, Ok(()));
    let paid = included.fee_planck.unwrap();
    eprintln!("claim of 3 rows: paid {paid} planck, dry run {}, modelled {modelled}, {:?}, {} bytes", dry.fee_planck, dry.weight, tx.bytes.len());
    assert!(paid <= dry.fee_planck, "what is used is no more than what is required");
    assert!(dry.fee_planck - paid < paid / 4, "paid {paid}, expected {}", dry.fee_planck);
    let after = chain.node().free_balance_planck(&relayer.account(), included.block).await.unwrap();
    assert_eq!(before - after, paid, "a claim costs its submitter nothing but the fee");
    let gains: Vec<_> = included.events.iter().filter_map(|e| if let ContractEvent::Claimed { gain, .. } = e { Some(*gain) } else { None }).collect();
    assert_eq!(gains, [2 * DOT, 3 * USDC]);
    let recorded = chain.events(included.block).await.unwrap();
    assert!(recorded.iter().all(|r| r.contract == CHANNELS && r.extrinsic_index == Some(included.extrinsic_index)));
    assert_eq!(recorded.into_iter().map(|r| r.event).collect::<Vec<_>>(), included.events);
    let error = chain.submit(&tx).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refusal::StaleNonce | Refusal::Banned)), "{error}");
    assert_eq!(chain.find_tx(tx.hash, head.block.number, head.block.number).await.unwrap(), None);

    // The payee closes one with a later voucher; the payer the other, after the challenge period.
    let last = dots.pay(payer.vouchers(), DOT).unwrap();
    payee.close(&last).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    assert_eq!(chain.channel(dots.number(), at).await.unwrap(), ChannelView::Closed);
    payer.request_close(&dollars).await.unwrap();
    let early = payer.finish(&dollars).await.unwrap_err();
    assert!(matches!(&early, ClientError::Chain(Error::Reverted(r)) if r.is("NotDue")), "{early}");
    world.node.advance_time(3600).await;
    // The clock of dry runs is that of the finalized block: one with the new time must come first.
    let mut feed = chain.finalized_blocks(chain.node().finalized().await.unwrap().number + 1);
    feed.next().await.unwrap();
    feed.next().await.unwrap();
    payer.finish(&dollars).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    assert_eq!(chain.channel(dollars.number(), at).await.unwrap(), ChannelView::Closed);
    let balance = Erc20::balanceOfCall { owner: to_sol(&payee.address()) };
    let dollars_now = chain.node().view(&usdc, &balance, at).await.unwrap();
    assert_eq!(dollars_now.to::<u128>(), 1_000_003 * USDC);
    let owed = chain.token(CHANNELS, &Address::ZERO, at).await.unwrap().owed;
    assert_eq!(owed, DOT, "what is left is the deposit of the third channel");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_named_and_cost_nothing() {
    let world = World::new().await;
    let (chain, payer, payee) = (&world.chain, world.payer("//Bob"), world.payee("//Charlie"));
    let wanted = OpenChannel { payee: payee.address(), token: Address::ZERO, challenge_period_secs: 60, amount: DOT };

    let dust = payer.open(&OpenChannel { amount: DOT + 1, ..wanted }).await.unwrap_err();
    assert!(matches!(dust, ClientError::NotMovable { grain: NATIVE_GRAIN, .. }), "{dust}");
    let before = chain.node().account_next_nonce(&payer.lane().signer().account()).await.unwrap();
    let unlisted = Address([9; 20]);
    for (bad, name) in [
        (OpenChannel { token: rivulet_chain::deploy::asset_address(7), ..wanted }, None),
        (OpenChannel { challenge_period_secs: 0, ..wanted }, Some("BadPeriod")),
        (OpenChannel { payee: payer.address(), ..wanted }, Some("BadParty")),
        (OpenChannel { token: unlisted, ..wanted }, None),
    ] {
        let error = payer.open(&bad).await.unwrap_err();
        if let Some(name) = name {
            assert!(matches!(&error, ClientError::Chain(Error::Reverted(r)) if r.is(name)), "expected {name}: {error}");
        }
        eprintln!("refused: {error}");
    }
    let after = chain.node().account_next_nonce(&payer.lane().signer().account()).await.unwrap();
    assert_eq!(before, after, "nothing was sent");

    let channel = payer.open(&wanted).await.unwrap();
    let stranger = world.payer("//Eve");
    let error = stranger.request_close(&channel).await.unwrap_err().to_string();
    assert!(error.contains("NotAllowed") && error.contains(&payer.address().to_string()), "{error}");

    // A blob that is not canonical is refused whole, and the dry run says so without being an error.
    let head = chain.finalized_head().await.unwrap();
    let dry = chain.dry_run_claim(CHANNELS, &[1, 0], &stranger.lane().signer().account(), head.block).await.unwrap();
    assert!(dry.outcomes.as_ref().is_err_and(|reason| reason.contains("BadBlob")), "{dry:?}");

    // Terms cannot be worsened for the beneficiary before their time.
    let terms = RelayTerms { beneficiary: stranger.address(), fee_bps: 100, flat_fee: 0, min_gain: 0, until: head.now + 1_000_000 };
    payee.set_terms(CHANNELS, &Address::ZERO, &terms).await.unwrap();
    let at = chain.node().finalized().await.unwrap();
    let book = chain.book_of(CHANNELS, &payee.address(), &Address::ZERO, at).await.unwrap().unwrap();
    assert_eq!(chain.book(CHANNELS, book, at).await.unwrap().unwrap().terms, terms);
    assert_eq!(chain.books(CHANNELS, at).await.unwrap(), 1);
    assert_eq!(chain.book(CHANNELS, 2, at).await.unwrap(), None);
    let worse = payee.set_terms(CHANNELS, &Address::ZERO, &RelayTerms { fee_bps: 50, ..terms }).await.unwrap_err().to_string();
    assert!(worse.contains("TermsHeld"), "{worse}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_contract_or_chain_is_refused() {
    let world = World::new().await;
    let right = world.chain.deployment().clone();
    let url = [world.node.url()];

    let mut swapped = right.clone();
    swapped.contracts.channels.code_hash.0[0] ^= 1;
    let error = Chain::connect(&url, &swapped, options()).await.unwrap_err();
    assert!(matches!(error, Error::WrongCode { contract: "channels", .. }), "{error}");

    let mut nothing = right.clone();
    nothing.contracts.streams.address.0 = Address([9; 20]);
    let error = Chain::connect(&url, &nothing, options()).await.unwrap_err().to_string();
    assert!(error.contains("no code"), "{error}");

    let mut other_id = right.clone();
    other_id.chain_id = 420_420_419;
    let error = Chain::connect(&url, &other_id, options()).await.unwrap_err().to_string();
    assert!(error.contains("chain id: expected 420420419, found 420420420"), "{error}");

    let mut other = right;
    other.genesis_hash.0[0] ^= 1;
    let error = Chain::connect(&url, &other, options()).await.unwrap_err();
    assert!(matches!(error, Error::WrongGenesis { .. }), "{error}");
}
