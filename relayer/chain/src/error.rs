//! What can go wrong between here and the chain.

use crate::revert::Revert;
use rivulet_core::ids::Address;
use rivulet_rules::chain::ChainError;

/// Why a call on the chain did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answered within the time allowed. Trying again may help.
    #[error("no node answered: {0}")]
    Unavailable(String),
    /// The node answered with an error.
    #[error("the node refused the request: {message} ({code})")]
    Node {
        /// JSON-RPC error code.
        code: i32,
        /// The node's words.
        message: String,
    },
    /// The node has thrown this block's state away, or never had it.
    #[error("the node no longer has the state of this block: {0}")]
    Pruned(String),
    /// Another chain than the deployment's.
    #[error("{url} is another chain: expected genesis {expected}, found {found}")]
    WrongGenesis {
        /// Which node.
        url: String,
        /// The deployment's genesis hash.
        expected: String,
        /// The node's.
        found: String,
    },
    /// A figure of the chain is not what the deployment or this program was made for.
    #[error("wrong {what}: expected {expected}, found {found}")]
    WrongChain {
        /// Which figure.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What the chain says.
        found: String,
    },
    /// There is no contract, or another one, at a deployment's address.
    #[error("the {contract} contract at {address} is another one: expected code {expected}, found {found}")]
    WrongCode {
        /// `channels` or `streams`.
        contract: &'static str,
        /// Where.
        address: Address,
        /// The code hash of the deployment.
        expected: String,
        /// The code hash on the chain, or `no code`.
        found: String,
    },
    /// The answer cannot be understood: another runtime or contract than this program was built for.
    #[error("cannot understand {what}: {detail}")]
    Decode {
        /// What was being read.
        what: &'static str,
        /// Why it failed.
        detail: String,
    },
    /// The contract refused the call.
    #[error("the contract refused the call: {0}")]
    Reverted(Revert),
    /// The chain refused the call before or while the contract ran (out of gas, no funds, no such contract).
    #[error("the call failed: {0}")]
    Failed(String),
    /// The transaction was not taken into the pool.
    #[error("the transaction was refused: {0}")]
    Refused(#[from] Refusal),
    /// The transaction did not get into a block in its time. It never will.
    #[error("transaction {hash} was in no block up to {valid_until_block}, the last that could include it")]
    Expired {
        /// Its hash.
        hash: String,
        /// The last block that could include it.
        valid_until_block: u64,
    },
    /// A finalized block is not the child of the one before: the chain was wiped, or it is another one.
    #[error("finalized block {number} does not follow the one seen before: expected parent {expected}, found {found}")]
    FinalityBroken {
        /// Which block.
        number: u64,
        /// Hash of the block seen before.
        expected: String,
        /// Its parent as the node says.
        found: String,
    },
    /// Nodes contradict each other, or what was recorded: nothing may be done on what they say.
    #[error("no node can be believed: {0}")]
    Disputed(String),
    /// A key that cannot be read. The key is not repeated here.
    #[error("not a usable key: {0}")]
    BadKey(String),
    /// A deployment file or bundle that cannot be used.
    #[error(transparent)]
    Deployment(#[from] crate::deployment::DeploymentError),
}

/// Why the pool did not take a transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Its nonce was used: by itself (already in a block) or by another transaction.
    #[error("its nonce was used before")]
    StaleNonce,
    /// Its mortality has run out, or its birth block is not on this chain.
    #[error("it has expired, or was made for another fork")]
    Expired,
    /// The signer cannot pay the fee.
    #[error("its signer cannot pay the fee")]
    Payment,
    /// The signature is not good: another key, another runtime version, or another genesis.
    #[error("its signature is not good on this chain: another key, runtime version or genesis")]
    BadProof,
    /// It asks for more than a block has.
    #[error("it asks for more weight or length than one transaction may have")]
    TooLarge,
    /// It was refused, dropped or included shortly before; the node looks at it again after a while. Look for it in the blocks first.
    #[error("the node has banned it for a while: it was refused, dropped or included before")]
    Banned,
    /// Another transaction with this nonce is in the pool already and pays as much.
    #[error("another transaction with its nonce is in the pool already")]
    Occupied,
    /// The pool is full.
    #[error("the pool is full")]
    PoolFull,
    /// Anything else, in the node's words.
    #[error("{0}")]
    Other(String),
}

impl Refusal {
    /// True when sending the same bytes again later may work.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Banned | Self::PoolFull)
    }
}

impl Error {
    pub(crate) fn decode(what: &'static str, detail: impl ToString) -> Self {
        Self::Decode { what, detail: detail.to_string() }
    }

    /// True when trying again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused(r) => r.is_retryable(),
            _ => false,
        }
    }
}

impl From<Error> for ChainError {
    fn from(e: Error) -> Self {
        match e {
            e if e.is_retryable() => Self::Unavailable(e.to_string()),
            Error::Pruned(block) => Self::Pruned(block),
            Error::Disputed(reason) => Self::Disputed(reason),
            Error::Refused(Refusal::StaleNonce | Refusal::Occupied) => Self::NonceTaken(e.to_string()),
            Error::Refused(Refusal::Payment) => Self::Unfunded(e.to_string()),
            Error::Refused(_) | Error::Expired { .. } | Error::Reverted(_) | Error::Failed(_) => Self::Refused(e.to_string()),
            e => Self::Unexpected(e.to_string()),
        }
    }
}

impl From<subxt::rpcs::Error> for Error {
    fn from(e: subxt::rpcs::Error) -> Self {
        use subxt::rpcs::Error as Rpc;
        match e {
            // "UnknownBlock: State already discarded for …" and "Header was not found in the database: …".
            Rpc::User(u) if u.message.contains("State already discarded") || u.message.contains("UnknownBlock") => Self::Pruned(u.message),
            Rpc::User(u) => Self::Node { code: u.code, message: u.message },
            Rpc::Client(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Unavailable(other.to_string()),
            },
            Rpc::Deserialization(e) => Self::decode("an answer of the node", e),
            Rpc::Decode(e) => Self::decode("an answer of the node", e),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<subxt::error::BackendError> for Error {
    fn from(e: subxt::error::BackendError) -> Self {
        use subxt::error::{BackendError, RpcError};
        match e {
            BackendError::Rpc(RpcError::ClientError(e)) => e.into(),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<subxt::error::OnlineClientAtBlockError> for Error {
    fn from(e: subxt::error::OnlineClientAtBlockError) -> Self {
        use subxt::error::OnlineClientAtBlockError as At;
        match e {
            At::CannotGetCurrentBlock { reason }
            | At::CannotGetBlockHash { reason, .. }
            | At::CannotGetBlockHeader { reason, .. }
            | At::CannotGetSpecVersion { reason, .. } => reason.into(),
            // subxt gives only the text of what happened here; a lost connection is by far the likeliest.
            At::CannotGetMetadata { reason, .. } => Self::Unavailable(reason),
            other => Self::decode("the runtime's metadata", other),
        }
    }
}

impl From<subxt::error::RuntimeApiError> for Error {
    fn from(e: subxt::error::RuntimeApiError) -> Self {
        match e {
            subxt::error::RuntimeApiError::CannotCallApi(e) => e.into(),
            other => Self::decode("a runtime API", other),
        }
    }
}

impl From<subxt::error::StorageError> for Error {
    fn from(e: subxt::error::StorageError) -> Self {
        use subxt::error::StorageError as S;
        match e {
            S::CannotFetchValue(e) | S::CannotIterateValues(e) | S::StreamFailure(e) => e.into(),
            other => Self::decode("the chain's storage", other),
        }
    }
}

impl From<subxt::error::StorageValueError> for Error {
    fn from(e: subxt::error::StorageValueError) -> Self {
        Self::decode("the chain's storage", e)
    }
}

impl From<subxt::error::EventsError> for Error {
    fn from(e: subxt::error::EventsError) -> Self {
        match e {
            subxt::error::EventsError::CannotFetchEventBytes(e) => e.into(),
            other => Self::decode("a block's events", other),
        }
    }
}

impl From<subxt::error::ConstantError> for Error {
    fn from(e: subxt::error::ConstantError) -> Self {
        Self::decode("a constant of the runtime", e)
    }
}

impl From<subxt::error::ExtrinsicError> for Error {
    fn from(e: subxt::error::ExtrinsicError) -> Self {
        Self::decode("a transaction for this runtime", e)
    }
}
