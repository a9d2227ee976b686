//! A chain in memory, only as much of one as the worker's states need. The real one, with a real node, is in `tests/e2e`.
#![allow(dead_code)]

pub mod schema;
pub mod world;

use rivulet_core::{
    SoftKeccak,
    blob::{Blob, Item, StreamRow, VoucherRow},
    fee::RelayTerms,
    ids::{Address, Number, StreamId},
    outcome::RowOutcome,
};
use rivulet_rules::{
    batch::gain,
    chain::{
        Account, BlockHead, BlockRef, BookState, ChainError, ChannelState, ChannelView, ClaimedRow, ContractEvent, ContractKind, DryRun, EventRecord,
        FeeModel, IncludedTx, SignedTx, StreamState, TxHash, Weight,
    },
    endpoint::EndpointReport,
    testing::{DEPLOYMENT, Key, channel_of, fees, payee},
};
use rivulet_server::{
    chain::{Ask, ChainAccess, Feed, Start, Turn},
    config::Config,
    network::{Network, TokenInfo},
    serve::{Relayer, Secrets},
};
use rivulet_store::{DeploymentId, SqliteStore, Store};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Notify;

/// Who claims.
pub const RELAYER: Address = Address([0xee; 20]);
/// Who signs, when a test says nothing else.
pub const SIGNER: Account = Account([7; 32]);
/// How long a transaction may wait, in blocks.
pub const MORTALITY: u64 = 8;
/// 0.01 of a native token: enough to be worth a row.
pub const CENT: u128 = 10_000_000_000_000_000;

#[derive(Clone)]
struct Block {
    head: BlockHead,
    events: Vec<EventRecord>,
    txs: Vec<(TxHash, Result<(), String>)>,
    /// The signers' nonces after it.
    nonces: BTreeMap<Account, u64>,
}

/// What the stand-in does wrong.
#[derive(Default, Clone)]
pub struct Faults {
    /// Transactions given to the pool are lost, though the pool says it has them.
    pub lose: bool,
    /// The node does not answer submissions.
    pub unreachable: bool,
    /// Transactions are included and fail.
    pub fail: bool,
    /// The dry run says this of these rows.
    pub dry: BTreeMap<Number, RowOutcome>,
    /// The contract refuses blobs with more rows than this.
    pub most_rows: Option<usize>,
    /// Signers that cannot pay the storage deposit of a dry run.
    pub cannot_lock: BTreeSet<Account>,
    /// Blocks below this number are gone.
    pub pruned_below: u64,
    /// Who asks for this channel waits until it is released.
    pub hold: Option<Number>,
    /// Other nodes contradict blocks from this number on.
    pub disputed_from: Option<u64>,
}

#[derive(Default)]
pub struct State {
    blocks: Vec<Block>,
    pub channels: BTreeMap<Number, ChannelState>,
    /// In blocks that are not final.
    pub unfinalized: BTreeMap<Number, ChannelState>,
    pub closed: BTreeSet<Number>,
    pub books: BTreeMap<(ContractKind, u32), BookState>,
    pub streams: BTreeMap<Number, StreamState>,
    waiting: Vec<EventRecord>,
    pool: BTreeMap<(Account, u64), (SignedTx, ContractKind, Vec<u8>)>,
    signed: BTreeMap<TxHash, (ContractKind, Vec<u8>)>,
    nonces: BTreeMap<Account, u64>,
    /// Who signs, best first; none: [`SIGNER`].
    pub signers: Vec<Account>,
    /// What they have, in planck; not listed: enough.
    pub balances: BTreeMap<Account, u128>,
    /// Other programs' transactions on their way to the next block, unknown to our node's pool: how many of each signer.
    pub foreign: BTreeMap<Account, u64>,
    pub faults: Faults,
    /// How often the chain was asked for a channel.
    pub channel_asks: usize,
    /// How often a transaction was given to the pool.
    pub submissions: usize,
    /// Paid out, by row: to see that nothing is paid twice.
    pub paid: BTreeMap<(ContractKind, Number), u128>,
    /// Transactions included.
    pub included: usize,
    /// The nodes behind it, as operators see them.
    pub endpoints: Vec<EndpointReport>,
}

#[derive(Clone, Default)]
pub struct FakeChain {
    state: Arc<Mutex<State>>,
    grown: Arc<Notify>,
    /// Told when somebody waits for the channel that is held.
    pub asked: Arc<Notify>,
    released: Arc<Notify>,
}

fn hash_of(n: u64, salt: u8) -> [u8; 32] {
    let mut hash = [salt; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    hash
}

impl State {
    fn emit(&mut self, contract: ContractKind, event: ContractEvent) {
        self.waiting.push(EventRecord { contract, extrinsic_index: Some(0), event });
    }

    fn rows(contract: ContractKind, blob: &[u8]) -> Vec<(Number, u128)> {
        let mut rows = Vec::new();
        match contract {
            ContractKind::Channels => {
                let mut reader = Blob::parse::<VoucherRow>(blob).unwrap().reader::<VoucherRow>();
                while let Some(item) = reader.next_item().unwrap() {
                    if let Item::Row(number, row) = item {
                        rows.push((number, row.cumulative_amount));
                    }
                }
            }
            ContractKind::Streams => {
                let mut reader = Blob::parse::<StreamRow>(blob).unwrap().reader::<StreamRow>();
                while let Some(item) = reader.next_item().unwrap() {
                    if let Item::Row(number, _) = item {
                        rows.push((number, 0));
                    }
                }
            }
        }
        rows
    }

    fn outcome(&self, contract: ContractKind, number: Number, total: u128) -> (RowOutcome, u128) {
        let gain = match contract {
            ContractKind::Channels => match self.channels.get(&number) {
                None if self.closed.contains(&number) => return (RowOutcome::Closed, 0),
                None => return (RowOutcome::Unknown, 0),
                Some(state) => gain(state, total),
            },
            ContractKind::Streams => self.streams.get(&number).map_or(0, |s| s.covered_debt),
        };
        if gain == 0 { (RowOutcome::Stale, 0) } else { (RowOutcome::Applied, gain) }
    }

    fn claim(&mut self, contract: ContractKind, blob: &[u8]) -> Vec<EventRecord> {
        let mut groups = BTreeMap::<u32, Vec<ClaimedRow>>::new();
        for (number, total) in Self::rows(contract, blob) {
            let (outcome, gain) = self.outcome(contract, number, total);
            *self.paid.entry((contract, number)).or_default() += gain;
            let total = match contract {
                ContractKind::Channels => self.channels.get_mut(&number).map_or(0, |s| {
                    s.claimed += gain;
                    s.claimed
                }),
                ContractKind::Streams => self.streams.get_mut(&number).map_or(0, |s| {
                    (s.paid, s.covered_debt) = (s.paid + gain, 0);
                    s.paid
                }),
            };
            groups.entry(number.book).or_default().push(ClaimedRow { serial: number.serial, outcome, total });
        }
        let event = |(book, rows)| EventRecord { contract, extrinsic_index: Some(7), event: ContractEvent::Claimed { book, gain: 0, fee: 0, rows } };
        groups.into_iter().map(event).collect()
    }

    fn produce(&mut self) {
        let number = self.blocks.len() as u64;
        let mut events = std::mem::take(&mut self.waiting);
        let mut txs = Vec::new();
        for (account, count) in std::mem::take(&mut self.foreign) {
            *self.nonces.entry(account).or_default() += count;
        }
        let nonces = self.nonces.clone();
        self.pool.retain(|(account, nonce), _| *nonce >= nonces.get(account).copied().unwrap_or(0));
        while let Some((tx, contract, blob)) = self.next_included() {
            *self.nonces.entry(tx.signer).or_default() += 1;
            self.included += 1;
            let result = if self.faults.fail { Err("OutOfGas".to_owned()) } else { Ok(()) };
            if result.is_ok() {
                events.extend(self.claim(contract, &blob));
            }
            txs.push((tx.hash, result));
        }
        self.pool.retain(|_, (tx, ..)| tx.valid_until_block > number);
        let head = BlockHead { block: BlockRef { number, hash: hash_of(number, 0xbb) }, now: 10_000 + number * 6 };
        self.blocks.push(Block { head, events, txs, nonces: self.nonces.clone() });
    }

    fn nonce(&self, account: &Account) -> u64 {
        self.nonces.get(account).copied().unwrap_or(0)
    }

    fn next_included(&mut self) -> Option<(SignedTx, ContractKind, Vec<u8>)> {
        let found = self.pool.keys().find(|(account, nonce)| *nonce == self.nonce(account)).copied()?;
        self.pool.remove(&found)
    }

    fn block(&self, number: u64) -> Result<&Block, ChainError> {
        if number < self.faults.pruned_below {
            return Err(ChainError::Pruned(format!("block {number}")));
        }
        self.blocks.get(number as usize).ok_or_else(|| ChainError::Unavailable(format!("no block {number}")))
    }
}

impl FakeChain {
    /// A chain with its genesis block.
    pub fn new() -> Self {
        let chain = Self::default();
        chain.produce();
        chain
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// One more finalized block, with what waits.
    pub fn produce(&self) {
        self.lock().produce();
        self.grown.notify_waiters();
    }

    /// A book of this payee whose fees are ours.
    pub fn book(&self, contract: ContractKind, book: u32) {
        let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 1_000, flat_fee: 0, min_gain: 0, until: u64::MAX >> 1 };
        let state = BookState { book, payee: payee(book as u8), token: Address::ZERO, next_serial: 100, terms };
        let mut chain = self.lock();
        chain.books.insert((contract, book), state);
        chain.emit(contract, ContractEvent::BookCreated { book, payee: state.payee, token: state.token });
        chain.emit(contract, ContractEvent::TermsSet { book, terms });
    }

    /// Tells of a book that is in the state already.
    pub fn book_created(&self, contract: ContractKind, book: u32) {
        let mut chain = self.lock();
        let BookState { payee, token, terms, .. } = chain.books[&(contract, book)];
        chain.emit(contract, ContractEvent::BookCreated { book, payee, token });
        chain.emit(contract, ContractEvent::TermsSet { book, terms });
    }

    /// An open channel whose vouchers `key` signs.
    pub fn open(&self, number: Number, key: &Key, deposit: u128) -> ChannelState {
        let state = channel_of(number, key, deposit, payee(number.book as u8), Address::ZERO);
        let channel_id = state.terms.channel_id(&DEPLOYMENT, &SoftKeccak);
        let mut chain = self.lock();
        chain.channels.insert(number, state);
        chain.emit(ContractKind::Channels, ContractEvent::ChannelOpened { terms: state.terms, channel_id, amount: deposit });
        state
    }

    pub fn request_close(&self, number: Number, due_at: u64) {
        let mut chain = self.lock();
        chain.channels.get_mut(&number).unwrap().close_due_at = Some(due_at);
        chain.emit(ContractKind::Channels, ContractEvent::CloseRequested { number, due_at });
    }

    pub fn request_refund(&self, number: Number, amount: u128, due_at: u64) {
        let mut chain = self.lock();
        let state = chain.channels.get_mut(&number).unwrap();
        (state.refund_requested, state.refund_due_at) = (amount, Some(due_at));
        chain.emit(ContractKind::Channels, ContractEvent::RefundRequested { number, amount, due_at });
    }

    /// What was asked for goes back to the payer.
    pub fn refund(&self, number: Number) {
        let mut chain = self.lock();
        let state = chain.channels.get_mut(&number).unwrap();
        let amount = std::mem::take(&mut state.refund_requested);
        state.deposit -= amount;
        state.refund_due_at = None;
        let deposit = state.deposit;
        chain.emit(ContractKind::Channels, ContractEvent::Refunded { number, amount, deposit });
    }

    /// Lets those go on that wait for the channel that is held.
    pub fn release(&self) {
        self.lock().faults.hold = None;
        self.released.notify_waiters();
    }

    pub fn stream(&self, number: Number, covered_debt: u128) {
        let stream_id = StreamId([number.serial as u8; 32]);
        let state = StreamState {
            number,
            stream_id,
            status: 1,
            payer: Address([0x11; 20]),
            payee: payee(number.book as u8),
            token: Address::ZERO,
            rate_per_second_scaled: 1,
            start_at: 0,
            end_at: 0,
            memo: [0; 32],
            deposit: covered_debt,
            paid: 0,
            covered_debt,
            depletes_at: 0,
        };
        let mut chain = self.lock();
        chain.streams.insert(number, state);
        let StreamState { payer, payee, token, memo, .. } = state;
        chain.emit(ContractKind::Streams, ContractEvent::StreamCreated { number, stream_id, payer, payee, token, memo });
    }
}

impl FakeChain {
    pub fn hand_over(&self, number: Number, new_number: Number) {
        let mut chain = self.lock();
        let state = chain.streams.remove(&number).unwrap();
        let (from, to) = (state.payee, payee(new_number.book as u8));
        chain.streams.insert(new_number, StreamState { number: new_number, payee: to, ..state });
        chain.emit(ContractKind::Streams, ContractEvent::StreamHandedOver { number, new_number, from, to });
    }
}

struct FakeFeed {
    chain: FakeChain,
    next: u64,
}

impl Feed for FakeFeed {
    fn next(&mut self) -> Ask<'_, BlockRef> {
        Box::pin(async move {
            loop {
                let grown = self.chain.grown.notified();
                let found = self.chain.lock().blocks.get(self.next as usize).map(|b| b.head.block);
                if let Some(block) = found {
                    self.next += 1;
                    return Ok(block);
                }
                grown.await;
            }
        })
    }
}

fn ready<'a, T: Send + 'a>(value: Result<T, ChainError>) -> Ask<'a, T> {
    Box::pin(std::future::ready(value))
}

impl ChainAccess for FakeChain {
    fn finalized_head(&self) -> Ask<'_, BlockHead> {
        ready(Ok(self.lock().blocks.last().unwrap().head))
    }
    fn confirm(&self, block: BlockRef) -> Ask<'_, ()> {
        ready(match self.lock().faults.disputed_from.filter(|from| block.number >= *from) {
            Some(_) => Err(ChainError::Disputed(format!("final block {}", block.number))),
            None => Ok(()),
        })
    }
    fn recorded(&self, block: BlockRef) -> Ask<'_, ()> {
        self.confirm(block)
    }
    fn endpoints(&self) -> Vec<EndpointReport> {
        self.lock().endpoints.clone()
    }
    fn head(&self, block: BlockRef) -> Ask<'_, BlockHead> {
        ready(Ok(self.lock().blocks[block.number as usize].head))
    }
    fn follow(&self, start: Start) -> Box<dyn Feed> {
        let next = match start {
            Start::After(block) => block.number + 1,
            Start::From(number) => number,
        };
        Box::new(FakeFeed { chain: self.clone(), next })
    }
    fn events(&self, block: BlockRef) -> Ask<'_, Vec<EventRecord>> {
        ready(self.lock().block(block.number).map(|b| b.events.clone()))
    }
    fn channel(&self, number: Number, _: BlockRef) -> Ask<'_, ChannelView> {
        Box::pin(async move {
            loop {
                let released = self.released.notified();
                if self.lock().faults.hold != Some(number) {
                    break;
                }
                self.asked.notify_one();
                released.await;
            }
            let mut chain = self.lock();
            chain.channel_asks += 1;
            let gone = if chain.closed.contains(&number) { ChannelView::Closed } else { ChannelView::Unknown };
            Ok(chain.channels.get(&number).map_or(gone, |s| ChannelView::Live(*s)))
        })
    }
    fn channel_at_best(&self, number: Number) -> Ask<'_, ChannelView> {
        ready(Ok(self.lock().unfinalized.get(&number).map_or(ChannelView::Unknown, |s| ChannelView::Live(*s))))
    }
    fn stream(&self, number: Number, _: BlockRef) -> Ask<'_, Option<StreamState>> {
        ready(Ok(self.lock().streams.get(&number).copied()))
    }
    fn book(&self, contract: ContractKind, book: u32, _: BlockRef) -> Ask<'_, Option<BookState>> {
        ready(Ok(self.lock().books.get(&(contract, book)).copied()))
    }
    fn books(&self, contract: ContractKind, _: BlockRef) -> Ask<'_, u32> {
        ready(Ok(self.lock().books.keys().filter(|(c, _)| *c == contract).map(|(_, b)| *b).max().unwrap_or(0)))
    }
    fn fee_model(&self, _: BlockRef) -> Ask<'_, FeeModel> {
        ready(Ok(fees()))
    }
    fn signers(&self) -> Vec<Account> {
        let signers = self.lock().signers.clone();
        if signers.is_empty() { vec![SIGNER] } else { signers }
    }
    fn dry_run<'a>(&'a self, contract: ContractKind, blob: &'a [u8], signer: Account, _: BlockRef) -> Ask<'a, DryRun> {
        let chain = self.lock();
        if chain.faults.cannot_lock.contains(&signer) {
            return ready(Err(ChainError::Unfunded("StorageDepositNotEnoughFunds".to_owned())));
        }
        let rows = State::rows(contract, blob);
        let outcome = |(number, total): &(Number, u128)| chain.faults.dry.get(number).copied().unwrap_or(chain.outcome(contract, *number, *total).0);
        let outcomes = match chain.faults.most_rows.filter(|most| rows.len() > *most) {
            Some(_) => Err("OutOfGas".to_owned()),
            None => Ok(rows.iter().map(outcome).collect()),
        };
        let weight = Weight { ref_time_ps: 1_000_000, proof_size_bytes: 1_000 };
        ready(Ok(DryRun { weight, storage_deposit_planck: 0, fee_planck: 1_000, outcomes }))
    }
    fn sign<'a>(&'a self, contract: ContractKind, blob: &'a [u8], _: &'a DryRun, _: &'a FeeModel, turn: Turn, birth: BlockRef) -> Ask<'a, SignedTx> {
        let mut chain = self.lock();
        let Turn { signer, nonce } = turn;
        let hash = TxHash(hash_of(birth.number * 1_000 + nonce, chain.signed.len() as u8));
        chain.signed.insert(hash, (contract, blob.to_vec()));
        let (valid_from_block, valid_until_block) = (birth.number, birth.number + MORTALITY);
        ready(Ok(SignedTx { bytes: hash.0.to_vec(), hash, signer, nonce, valid_from_block, valid_until_block }))
    }
    fn submit<'a>(&'a self, tx: &'a SignedTx) -> Ask<'a, ()> {
        let mut chain = self.lock();
        chain.submissions += 1;
        if chain.faults.unreachable {
            return ready(Err(ChainError::Unavailable("nobody there".to_owned())));
        }
        if tx.nonce < chain.nonce(&tx.signer) {
            return ready(Err(ChainError::NonceTaken("stale nonce".to_owned())));
        }
        if !chain.faults.lose {
            let (contract, blob) = chain.signed[&tx.hash].clone();
            chain.pool.entry((tx.signer, tx.nonce)).or_insert((tx.clone(), contract, blob));
        }
        ready(Ok(()))
    }
    fn find_tx(&self, hash: TxHash, from: u64, to: u64) -> Ask<'_, Option<IncludedTx>> {
        let chain = self.lock();
        for number in from..=to {
            let block = match chain.block(number) {
                Ok(block) => block,
                Err(e) => return ready(Err(e)),
            };
            if let Some((_, result)) = block.txs.iter().find(|(h, _)| *h == hash) {
                // All transactions of a block share its events here: numbers are unique, so each finds its own rows.
                let events = block.events.iter().map(|e| e.event.clone()).collect();
                let (block, result) = (block.head.block, result.clone());
                return ready(Ok(Some(IncludedTx { block, extrinsic_index: 7, result, fee_planck: Some(1_000), events })));
            }
        }
        ready(Ok(None))
    }
    fn next_nonce(&self, signer: Account) -> Ask<'_, u64> {
        let chain = self.lock();
        let mut nonce = chain.nonce(&signer);
        while chain.pool.contains_key(&(signer, nonce)) {
            nonce += 1;
        }
        ready(Ok(nonce))
    }
    fn nonce_at(&self, signer: Account, block: BlockRef) -> Ask<'_, u64> {
        ready(Ok(self.lock().blocks[block.number as usize].nonces.get(&signer).copied().unwrap_or(0)))
    }
    fn balance_at(&self, signer: Account, _: BlockRef) -> Ask<'_, u128> {
        ready(Ok(self.lock().balances.get(&signer).copied().unwrap_or(50_000_000_000)))
    }
}

pub fn network() -> Network {
    let token = |address, decimals| TokenInfo { address, decimals };
    Network {
        name: "test".to_owned(),
        deployment: DeploymentId { chain_id: DEPLOYMENT.chain_id, genesis_hash: [1; 32], channels: DEPLOYMENT.contract, streams: Address([3; 20]) },
        start_block: 0,
        tokens: [("native".to_owned(), token(Address::ZERO, 18)), ("usdc".to_owned(), token(Address([5; 20]), 6))].into(),
        fee_ceiling_bps: [1_000, 1_000],
        relayer_account: SIGNER,
        relayer_address: RELAYER,
    }
}

pub fn config(more: &str) -> Config {
    Config::parse(&format!("deployment = \"x\"\ndatabase = \"x\"\nsigner = {{ dev_uri = \"//Alice\" }}\n{more}")).unwrap()
}

/// A relayer on this chain with a database in `dir`.
pub fn relayer(dir: &Path, chain: &FakeChain, more: &str) -> Relayer {
    relayer_with(dir, chain, more, Secrets::default())
}

/// The same, with secrets.
pub fn relayer_with(dir: &Path, chain: &FakeChain, more: &str, secrets: Secrets) -> Relayer {
    relayer_on(Arc::new(SqliteStore::open(&dir.join("relayer.db"), &network().deployment).unwrap()), chain, more, secrets)
}

/// A relayer on this chain with this store.
pub fn relayer_on(store: Arc<dyn Store>, chain: &FakeChain, more: &str, secrets: Secrets) -> Relayer {
    Relayer::with_secrets(config(more), network(), store, Arc::new(chain.clone()), secrets).unwrap()
}
