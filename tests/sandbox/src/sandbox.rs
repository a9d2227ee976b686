//! The chain: genesis, blocks, time, snapshots.

use codec::Encode;
use polkadot_sdk::{
    frame_system, pallet_timestamp,
    sp_core::Blake2Hasher,
    sp_io::TestExternalities,
    sp_runtime::{BuildStorage, generic::UncheckedExtrinsic as Generic, traits::Header as _},
    sp_state_machine::InMemoryBackend,
};
use rivulet_runtime::{Executive, Hash, Header, RuntimeCall, System, UncheckedExtrinsic, genesis, hub};

/// A chain in memory, with one block always open: what happens next, happens in it.
pub struct Sandbox {
    ext: TestExternalities,
    parent: Hash,
    now_ms: u64,
}

/// The whole state at one moment.
#[derive(Clone)]
pub struct Snapshot {
    backend: InMemoryBackend<Blake2Hasher>,
    parent: Hash,
    now_ms: u64,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Time of block 1 of [`Self::new`], Unix seconds.
    pub const START_SECS: u64 = 1_700_000_000;
    /// What a new party has of the native token: a thousand DOT, in wei.
    pub const ENDOWMENT_WEI: u128 = 1_000 * hub::DOT * hub::NATIVE_TO_ETH_RATIO as u128;
    /// What a new party has of USDC and of USDT: ten thousand, in units.
    pub const ENDOWMENT_UNITS: u128 = 10_000 * 1_000_000;

    /// The development genesis, block 1 open at [`Self::START_SECS`].
    pub fn new() -> Self {
        Self::starting_at(Self::START_SECS)
    }

    /// The development genesis, block 1 open at this time.
    ///
    /// # Panics
    ///
    /// When the genesis does not build.
    pub fn starting_at(secs: u64) -> Self {
        let storage = genesis::development().build_storage().expect("the genesis builds");
        let mut chain = Self { ext: storage.into(), parent: Hash::default(), now_ms: secs * 1_000 };
        // Everything signed is bound to the hash of block 0, which genesis does not know.
        chain.parent = chain.with(|| System::block_hash(0));
        chain.open_block(1);
        chain
    }

    /// Time that the next transaction sees, Unix seconds.
    pub fn now(&self) -> u64 {
        self.now_ms / 1_000
    }

    /// The height of the open block.
    pub fn block(&mut self) -> u32 {
        self.with(System::block_number)
    }

    /// Seals the open block and opens one this many seconds later.
    pub fn advance(&mut self, secs: u64) {
        let to_ms = (self.now_ms / 1_000 + secs) * 1_000;
        self.next_block(to_ms.max(self.now_ms + 1));
    }

    /// Keeps the state for [`Self::restore`].
    pub fn snapshot(&mut self) -> Snapshot {
        self.commit();
        Snapshot { backend: self.ext.backend.clone(), parent: self.parent, now_ms: self.now_ms }
    }

    /// Puts the chain back.
    pub fn restore(&mut self, to: &Snapshot) {
        self.ext.reset_overlay();
        self.ext.backend = to.backend.clone();
        (self.parent, self.now_ms) = (to.parent, to.now_ms);
    }

    /// Runs something on the chain's state: pallets can be read, and changed, from within.
    pub fn with<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.ext.execute_with(f)
    }

    /// Runs something and undoes whatever it did.
    pub fn without_trace<R>(&mut self, f: impl FnOnce() -> R) -> R {
        use polkadot_sdk::frame_support::storage::{TransactionOutcome, with_transaction_unchecked};
        self.with(|| with_transaction_unchecked(|| TransactionOutcome::Rollback(f())))
    }

    /// Seals the open block and opens the next, a millisecond later.
    pub(crate) fn seal(&mut self) {
        self.next_block(self.now_ms + 1);
    }

    fn next_block(&mut self, at_ms: u64) {
        let sealed: Header = self.with(Executive::finalize_block);
        self.commit();
        self.parent = sealed.hash();
        self.now_ms = at_ms;
        self.open_block(*sealed.number() + 1);
    }

    fn open_block(&mut self, number: u32) {
        let header = Header::new(number, Default::default(), Default::default(), self.parent, Default::default());
        let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: self.now_ms });
        let inherent: UncheckedExtrinsic = Generic::new_bare(time).into();
        self.with(|| {
            Executive::initialize_block(&header);
            match Executive::apply_extrinsic(inherent) {
                Ok(Ok(())) => {}
                other => panic!("block {number} cannot have its time: {other:?}"),
            }
        });
    }

    /// The overlay goes to the backend, so that neither reading nor sealing slows down with the chain's length.
    fn commit(&mut self) {
        self.ext.commit_all().expect("no storage transaction is left open");
    }
}

impl Snapshot {
    /// Hash of all state, for comparing two moments.
    pub fn root(&self) -> Hash {
        *self.backend.root()
    }
}

/// Bytes of a signed transaction.
pub(crate) fn length(tx: &UncheckedExtrinsic) -> u64 {
    tx.encoded_size() as u64
}

/// The events of the transaction with this index in the open block, bare.
pub(crate) fn events_of(index: u32) -> Vec<rivulet_runtime::RuntimeEvent> {
    let of = frame_system::Phase::ApplyExtrinsic(index);
    System::read_events_no_consensus().filter(|record| record.phase == of).map(|record| record.event).collect()
}
