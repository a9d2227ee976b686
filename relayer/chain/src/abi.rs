//! The contracts' interface as Solidity sees it: `contracts/README.md`, line by line. Selectors and topics follow from it; `tests/vectors` checks them.
//!
//! Native amounts are wei (18 decimals), token amounts units, times Unix seconds.

// What the macro writes has no documentation of its own.
#![allow(missing_docs)]

use alloy_primitives::Address as SolAddress;
use alloy_sol_types::sol;
use rivulet_core::ids::Address;

/// Of both contracts.
#[allow(clippy::too_many_arguments)]
pub mod both {
    use super::sol;
    sol! {
        interface Both {
            constructor(address[] tokens, uint128[] seeds, uint32 minChallengePeriodSecs, uint32 maxChallengePeriodSecs, uint16 feeCeilingBps, address sweepTo);

            function setTerms(address token, address beneficiary, uint16 feeBps, uint128 flatFee, uint128 minGain, uint64 until);
            function setTermsFor(address payee, address token, address beneficiary, uint16 feeBps, uint128 flatFee, uint128 minGain, uint64 until, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS);
            function claimBatch(bytes blob) returns (bytes outcomes);
            function collect(address token, address to) returns (uint128 amount);
            function collectFor(address owner, address token, address to, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS) returns (uint128 amount);
            function push(address owner, address token) returns (uint128 amount);
            function sweep(address token) returns (uint128 amount);
            function revokeNonce(uint64 nonce);

            function isNonceUsed(address signer, uint64 nonce) view returns (bool used);
            function config() view returns (uint32 minChallengePeriodSecs, uint32 maxChallengePeriodSecs, uint16 feeCeilingBps, address sweepTo, uint32 books, uint32 tokens);
            function token(address token) view returns (bool listed, uint128 seed, uint128 owed);
            function tokenAt(uint32 index) view returns (address token);
            function bookOf(address payee, address token) view returns (uint32 book);
            function book(uint32 book) view returns (address payee, address token, uint32 nextSerial, address beneficiary, uint16 feeBps, uint128 flatFee, uint128 minGain, uint64 until);
            function creditOf(address owner, address token) view returns (uint128 amount);

            event BookCreated(uint32 indexed book, address indexed payee, address indexed token);
            event TermsSet(uint32 indexed book, address indexed beneficiary, uint16 feeBps, uint128 flatFee, uint128 minGain, uint64 until);
            event Claimed(uint32 indexed book, uint128 gain, uint128 fee, bytes rows);
            event Credited(address indexed owner, address indexed token, uint128 amount);
            event Collected(address indexed owner, address indexed token, address to, uint128 amount);
            event NonceUsed(address indexed signer, uint64 nonce);
            event Swept(address indexed token, address to, uint128 amount);
            event ToppedUp(uint32 indexed book, uint32 indexed serial, address from, uint128 amount, uint128 deposit);
            event Refunded(uint32 indexed book, uint32 indexed serial, uint128 amount, uint128 deposit);
        }
    }
}

/// Of channels.
#[allow(clippy::too_many_arguments)]
pub mod channels {
    use super::sol;
    sol! {
        interface Channels {
            function open(address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount) payable returns (uint32 book, uint32 serial, bytes32 channelId);
            function openWithPermit(address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount, uint64 permitDeadline, uint8 permitV, bytes32 permitR, bytes32 permitS) returns (uint32 book, uint32 serial, bytes32 channelId);
            function openFor(address payer, address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS) returns (uint32 book, uint32 serial, bytes32 channelId);
            function openForWithPermit(address payer, address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint128 amount, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS, uint64 permitDeadline, uint8 permitV, bytes32 permitR, bytes32 permitS) returns (uint32 book, uint32 serial, bytes32 channelId);
            function openMany(address token, uint32 challengePeriodSecs, address[] payees, address[] voucherSigners, uint128[] amounts) payable returns (uint32[] serials);
            function topUp(uint32 book, uint32 serial, bytes32 channelId, uint128 amount) payable;
            function claim(uint32 book, uint32 serial, uint128 cumulativeAmount, bytes32 r, bytes32 yParityAndS) returns (uint8 outcome, uint128 gain);
            function requestClose(uint32 book, uint32 serial) returns (uint64 dueAt);
            function requestRefund(uint32 book, uint32 serial, uint128 amount) returns (uint64 dueAt);
            function requestRefundFor(uint32 book, uint32 serial, uint128 amount, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS) returns (uint64 dueAt);
            function finish(uint32 book, uint32 serial);
            function close(uint32 book, uint32 serial, uint128 cumulativeAmount, bytes32 r, bytes32 yParityAndS);
            function closeFor(uint32 book, uint32 serial, uint128 cumulativeAmount, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS);

            function channel(uint32 book, uint32 serial) view returns (uint8 status, address payer, address payee, address voucherSigner, address token, uint32 challengePeriodSecs, uint64 openedAt, uint128 deposit, uint128 claimed, uint64 closeDueAt, uint128 refundRequested, uint64 refundDueAt);
            function channelId(uint32 book, uint32 serial) view returns (bytes32 id);
            function claimable(uint32 book, uint32 serial, uint128 cumulativeAmount) view returns (uint8 outcome, uint128 gain, uint128 fee);
            function cover(uint32 book, uint32 serial) view returns (uint128 total);
            function channels(uint32 book, uint32 from, uint32 count) view returns (uint32[] serials, uint32 next);

            event ChannelOpened(address indexed payer, address indexed payee, uint32 indexed book, uint32 serial, address voucherSigner, address token, uint32 challengePeriodSecs, uint64 openedAt, uint128 amount, bytes32 channelId);
            event CloseRequested(uint32 indexed book, uint32 indexed serial, uint64 dueAt);
            event RefundRequested(uint32 indexed book, uint32 indexed serial, uint128 amount, uint64 dueAt);
            event Closed(uint32 indexed book, uint32 indexed serial, uint128 claimed, uint128 refund);
        }
    }
}

/// Of streams.
#[allow(clippy::too_many_arguments)]
pub mod streams {
    use super::sol;
    sol! {
        interface Streams {
            function create(address payee, address token, uint128 ratePerSecondScaled, uint128 total, uint64 startAt, uint64 cliffAt, uint128 cliffAmount, uint64 endAt, uint8 flags, uint128 amount, uint128 committed, bytes32 memo) payable returns (uint32 book, uint32 serial, bytes32 streamId);
            function createMany(address token, uint64 startAt, uint64 cliffAt, uint64 endAt, uint8 flags, address[] payees, uint128[] ratesPerSecondScaled, uint128[] totals, uint128[] cliffAmounts, uint128[] amounts, uint128[] committed, bytes32[] memos) payable returns (uint32[] serials);
            function createFor(address payer, address payee, address token, uint128 ratePerSecondScaled, uint128 total, uint64 startAt, uint64 cliffAt, uint128 cliffAmount, uint64 endAt, uint8 flags, uint128 amount, uint128 committed, bytes32 memo, uint64 nonce, uint64 deadline, bytes32 r, bytes32 yParityAndS) returns (uint32 book, uint32 serial, bytes32 streamId);
            function topUp(uint32 book, uint32 serial, address payer, address payee, address token, uint128 amount) payable;
            function claim(uint32 book, uint32 serial, uint128 amount, address to) returns (uint128 gain);
            function adjustRate(uint32 book, uint32 serial, uint128 ratePerSecondScaled);
            function pause(uint32 book, uint32 serial);
            function resume(uint32 book, uint32 serial);
            function refund(uint32 book, uint32 serial, uint128 amount) returns (uint128 refunded);
            function cancel(uint32 book, uint32 serial);
            function renounce(uint32 book, uint32 serial);
            function void(uint32 book, uint32 serial);
            function handOver(uint32 book, uint32 serial, address to) returns (uint32 newBook, uint32 newSerial);
            function setDelegate(uint32 book, uint32 serial, address delegate, uint8 rights, uint128 rateCapScaled);

            function stream(uint32 book, uint32 serial) view returns (uint8 status, address payer, address payee, address token, uint128 ratePerSecondScaled, uint64 startAt, uint64 cliffAt, uint128 cliffAmount, uint64 endAt, uint8 flags, bytes32 memo, bytes32 streamId);
            function balances(uint32 book, uint32 serial) view returns (uint128 deposit, uint128 paid, uint128 committed, uint128 totalDebt, uint128 coveredDebt, uint128 uncoveredDebt, uint128 refundable, uint64 depletesAt);
            function claimable(uint32 book, uint32 serial) view returns (uint128 gain, uint128 fee);
            function delegate(uint32 book, uint32 serial) view returns (address delegate, uint8 rights, uint128 rateCapScaled);
            function streams(uint32 book, uint32 from, uint32 count) view returns (uint32[] serials, uint32 next);

            event StreamCreated(address indexed payer, address indexed payee, uint32 indexed book, uint32 serial, address token, uint128 ratePerSecondScaled, uint128 total, uint64 startAt, uint64 cliffAt, uint128 cliffAmount, uint64 endAt, uint8 flags, uint128 amount, uint128 committed, bytes32 memo, bytes32 streamId);
            event StreamPaused(uint32 indexed book, uint32 indexed serial);
            event StreamResumed(uint32 indexed book, uint32 indexed serial);
            event StreamCancelled(uint32 indexed book, uint32 indexed serial, address by, uint128 due, uint128 refund);
            event StreamEnded(uint32 indexed book, uint32 indexed serial, uint128 paid, uint128 remainder);
            event RateAdjusted(uint32 indexed book, uint32 indexed serial, uint128 ratePerSecondScaled, address by);
            event StreamRenounced(uint32 indexed book, uint32 indexed serial);
            event StreamVoided(uint32 indexed book, uint32 indexed serial, address by, uint128 due, uint128 writtenOff);
            event StreamHandedOver(uint32 indexed book, uint32 indexed serial, uint32 newBook, uint32 newSerial, address from, address to);
            event DelegateSet(uint32 indexed book, uint32 indexed serial, address delegate, uint8 rights, uint128 rateCapScaled);
        }
    }
}

/// Of an asset, through the assets precompile.
pub mod erc20 {
    use super::sol;
    sol! {
        interface Erc20 {
            function approve(address spender, uint256 amount) returns (bool);
            function transfer(address to, uint256 amount) returns (bool);
            function balanceOf(address owner) view returns (uint256);
            function decimals() view returns (uint8);
            function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s);
            function nonces(address owner) view returns (uint256);
            function DOMAIN_SEPARATOR() view returns (bytes32);
            function allowance(address owner, address spender) view returns (uint256);
        }
    }
}

/// Core's address as the ABI library's.
pub fn to_sol(address: &Address) -> SolAddress {
    SolAddress::new(address.0)
}

/// The ABI library's address as core's.
pub fn from_sol(address: &SolAddress) -> Address {
    Address(address.0.0)
}
