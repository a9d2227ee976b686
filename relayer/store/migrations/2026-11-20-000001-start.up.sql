-- The relayer's memory. Of all this only vouchers, intents and totals are its own; the rest is a cache of the chain.
--
-- Amounts are 16-byte big-endian blobs: they compare as numbers (memcmp) and hold all of u128, which INTEGER does not and TEXT does not compare.
-- Addresses are 20 bytes, hashes and accounts 32. Times are Unix seconds (_at) or milliseconds (_ms); a time beyond 2^63 − 1 is stored as that.
-- contract: 0 channels, 1 streams.

-- Whose memory: one row, written once, compared at every start.
CREATE TABLE deployment (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id     INTEGER NOT NULL,
    genesis_hash BLOB NOT NULL CHECK (length(genesis_hash) = 32),
    channels     BLOB NOT NULL CHECK (length(channels) = 20), -- the contract's address
    streams      BLOB NOT NULL CHECK (length(streams) = 20)   -- the contract's address
) STRICT;

-- The last finalized block whose events have been taken in.
CREATE TABLE cursor (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    block_number INTEGER NOT NULL,
    block_hash   BLOB NOT NULL,
    block_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE books (
    contract    INTEGER NOT NULL,
    book        INTEGER NOT NULL,
    payee       BLOB NOT NULL,
    token       BLOB NOT NULL,
    next_serial INTEGER NOT NULL,
    beneficiary BLOB NOT NULL, -- zero: no terms
    fee_bps     INTEGER NOT NULL,
    flat_fee    BLOB NOT NULL,
    min_gain    BLOB NOT NULL,
    until_at    INTEGER NOT NULL,
    PRIMARY KEY (contract, book)
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
    book                  INTEGER NOT NULL,
    serial                INTEGER NOT NULL,
    channel_id            BLOB NOT NULL,
    payer                 BLOB NOT NULL,
    payee                 BLOB NOT NULL,
    voucher_signer        BLOB NOT NULL,
    token                 BLOB NOT NULL,
    challenge_period_secs INTEGER NOT NULL,
    opened_at             INTEGER NOT NULL,
    deposit               BLOB NOT NULL,
    claimed               BLOB NOT NULL,
    close_due_at          INTEGER,          -- NULL: no close was requested
    refund_requested      BLOB NOT NULL,
    refund_due_at         INTEGER,          -- NULL: no refund was requested
    is_closed             INTEGER NOT NULL, -- 1: the record on the chain is gone, the rest is as last seen
    seen_at_block         INTEGER NOT NULL, -- what was read at an older block never overwrites what was read at a newer one
    PRIMARY KEY (book, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX channels_by_payee ON channels (payee, token);
-- Looked through at every block: those whose payer has asked for money back.
CREATE INDEX channels_closing ON channels (book, serial) WHERE is_closed = 0 AND (close_due_at IS NOT NULL OR refund_due_at IS NOT NULL);

-- The best voucher of each channel.
CREATE TABLE vouchers (
    book              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    channel_id        BLOB NOT NULL, -- what was signed; a number may be another channel's after a reorg
    cumulative_amount BLOB NOT NULL,
    signature         BLOB NOT NULL CHECK (length(signature) = 64),
    accepted_ms       INTEGER NOT NULL,
    set_aside         TEXT,          -- why it is not claimed; a higher voucher clears it
    PRIMARY KEY (book, serial)
) STRICT, WITHOUT ROWID;

-- What was accepted, by day (accepted_ms / 86400000).
CREATE TABLE totals (
    payee    BLOB NOT NULL,
    token    BLOB NOT NULL,
    day      INTEGER NOT NULL,
    accepted BLOB NOT NULL,    -- sum of the growth
    vouchers INTEGER NOT NULL, -- how many grew it
    PRIMARY KEY (payee, token, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE streams (
    book          INTEGER NOT NULL,
    serial        INTEGER NOT NULL,
    stream_id     BLOB NOT NULL,
    is_ended      INTEGER NOT NULL,
    set_aside     TEXT,
    PRIMARY KEY (book, serial)
) STRICT, WITHOUT ROWID;

-- What was about to be sent, written before it was sent.
CREATE TABLE intents (
    id                INTEGER PRIMARY KEY,
    contract          INTEGER NOT NULL,
    signer            BLOB NOT NULL,    -- 32-byte account
    nonce             INTEGER NOT NULL,
    valid_from_block  INTEGER NOT NULL,
    valid_until_block INTEGER NOT NULL, -- the last block that can include it
    tx_hash           BLOB NOT NULL UNIQUE,
    tx_bytes          BLOB NOT NULL,    -- sent again as they are: the same bytes can only be included once
    blob              BLOB NOT NULL,    -- the calldata
    state             TEXT NOT NULL CHECK (state IN ('open', 'finalized', 'failed', 'expired')),
    created_ms        INTEGER NOT NULL,
    block_number      INTEGER,          -- where it was finalized
    block_hash        BLOB,
    fee_planck        BLOB,
    reason            TEXT              -- why it failed or expired
) STRICT;
CREATE INDEX intents_open ON intents (state) WHERE state = 'open';

CREATE TABLE intent_rows (
    intent_id         INTEGER NOT NULL REFERENCES intents (id),
    contract          INTEGER NOT NULL,
    book              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    cumulative_amount BLOB NOT NULL,   -- zero for streams
    gain              BLOB NOT NULL,   -- what it was expected to pay out
    is_open           INTEGER NOT NULL,
    outcome           INTEGER,         -- code of the row's outcome, once finalized
    total             BLOB,            -- claimed or paid so far, as the event said
    PRIMARY KEY (intent_id, book, serial)
) STRICT, WITHOUT ROWID;
-- No two open intents carry the same row.
CREATE UNIQUE INDEX intent_rows_open ON intent_rows (contract, book, serial) WHERE is_open = 1;
