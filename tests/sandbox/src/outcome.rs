//! What became of a call.

use crate::{Cost, Failure};
use alloy_primitives::B256;
use alloy_sol_types::{SolCall, SolEvent};
use rivulet_core::{error::Error, ids::Address};

/// A contract's event, as it stands in the block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Who logged it.
    pub contract: Address,
    /// The event's topic, then its indexed fields.
    pub topics: Vec<[u8; 32]>,
    /// The other fields.
    pub data: Vec<u8>,
}

impl Log {
    /// The event, if it is an `E`.
    pub fn decode<E: SolEvent>(&self) -> Option<E> {
        E::decode_raw_log(self.topics.iter().map(|t| B256::from(*t)), &self.data).ok()
    }
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What the contract returned. A deployment returns nothing.
    pub result: Result<Vec<u8>, Failure>,
    /// The contract that was called or deployed.
    pub contract: Address,
    /// Events of contracts and precompiles, in order.
    pub logs: Vec<Log>,
    /// What it cost who sent it.
    pub cost: Cost,
    /// The least weight limit with which it goes through, in picoseconds and bytes of proof: more than was used, for calls with limits are charged before.
    pub required: (u64, u64),
}

impl Outcome {
    /// What the call returned.
    ///
    /// # Panics
    ///
    /// When it failed.
    #[track_caller]
    pub fn ok<C: SolCall>(&self) -> C::Return {
        C::abi_decode_returns(self.bytes()).unwrap_or_else(|e| panic!("{} returned something else: {e}", C::SIGNATURE))
    }

    /// The bytes that the call returned.
    ///
    /// # Panics
    ///
    /// When it failed.
    #[track_caller]
    pub fn bytes(&self) -> &[u8] {
        match &self.result {
            Ok(bytes) => bytes,
            Err(e) => panic!("the call failed: {e:?}"),
        }
    }

    /// The error by which the contract refused.
    ///
    /// # Panics
    ///
    /// When it did not, or failed in another way.
    #[track_caller]
    pub fn refusal(&self) -> Error {
        match &self.result {
            Err(Failure::Refused(error)) => *error,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// All events of one kind, in order.
    pub fn events<E: SolEvent>(&self) -> Vec<E> {
        self.logs.iter().filter_map(Log::decode).collect()
    }

    /// The one event of its kind.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one.
    #[track_caller]
    pub fn event<E: SolEvent>(&self) -> E {
        let mut found = self.events::<E>();
        assert_eq!(found.len(), 1, "{} of {}", found.len(), E::SIGNATURE);
        found.remove(0)
    }
}
