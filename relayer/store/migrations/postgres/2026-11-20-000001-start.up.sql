-- The relayer's memory, shared by any number of relayers. Of all this only vouchers, intents and totals are its own; the rest is a cache of the chain.
--
-- The same tables as SQLite's of the same name. Plain SQL: no extension, no trigger, no sequence, no server-side code.
-- Amounts are NUMERIC(39, 0), which holds all of u128. Addresses are 20 bytes, hashes and accounts 32. Books and serials are below 2^32.
-- Times are Unix seconds (_at) or milliseconds (_ms); a time beyond 2^63 − 1 is stored as that. contract: 0 channels, 1 streams.

-- Whose memory: one row, written once, compared at every start. Locked by whoever takes in finalized blocks, so that one does after the other.
CREATE TABLE deployment (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    chain_id     BIGINT NOT NULL,
    genesis_hash BYTEA NOT NULL CHECK (length(genesis_hash) = 32),
    channels     BYTEA NOT NULL CHECK (length(channels) = 20), -- the contract's address
    streams      BYTEA NOT NULL CHECK (length(streams) = 20)   -- the contract's address
);

-- The last finalized block whose events have been taken in, by whichever relayer was first. It only moves forward.
CREATE TABLE cursor (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    block_number BIGINT NOT NULL,
    block_hash   BYTEA NOT NULL,
    block_at     BIGINT NOT NULL
);

-- Who may do what only one relayer at a time may do: claim.
CREATE TABLE leases (
    name     TEXT PRIMARY KEY,
    holder   TEXT NOT NULL,   -- a relayer's run
    fence    BIGINT NOT NULL, -- raised at every change of holder, checked in the transaction that opens an intent
    until_ms BIGINT NOT NULL  -- by the database's clock; then anyone may take it
);

CREATE TABLE books (
    contract    BIGINT NOT NULL,
    book        BIGINT NOT NULL,
    payee       BYTEA NOT NULL,
    token       BYTEA NOT NULL,
    next_serial BIGINT NOT NULL,
    beneficiary BYTEA NOT NULL, -- zero: no terms
    fee_bps     BIGINT NOT NULL,
    flat_fee    NUMERIC(39, 0) NOT NULL,
    min_gain    NUMERIC(39, 0) NOT NULL,
    until_at    BIGINT NOT NULL,
    PRIMARY KEY (contract, book)
);

CREATE TABLE channels (
    book                  BIGINT NOT NULL,
    serial                BIGINT NOT NULL,
    channel_id            BYTEA NOT NULL,
    payer                 BYTEA NOT NULL,
    payee                 BYTEA NOT NULL,
    voucher_signer        BYTEA NOT NULL,
    token                 BYTEA NOT NULL,
    challenge_period_secs BIGINT NOT NULL,
    opened_at             BIGINT NOT NULL,
    deposit               NUMERIC(39, 0) NOT NULL,
    claimed               NUMERIC(39, 0) NOT NULL,
    close_due_at          BIGINT,          -- NULL: no close was requested
    refund_requested      NUMERIC(39, 0) NOT NULL,
    refund_due_at         BIGINT,          -- NULL: no refund was requested
    is_closed             BOOLEAN NOT NULL, -- the record on the chain is gone, the rest is as last seen
    seen_at_block         BIGINT NOT NULL, -- what was read at an older block never overwrites what was read at a newer one
    PRIMARY KEY (book, serial)
);
CREATE INDEX channels_by_payee ON channels (payee, token);
-- Looked through at every block: those whose payer has asked for money back.
CREATE INDEX channels_closing ON channels (book, serial) WHERE NOT is_closed AND (close_due_at IS NOT NULL OR refund_due_at IS NOT NULL);

-- The best voucher of each channel.
CREATE TABLE vouchers (
    book              BIGINT NOT NULL,
    serial            BIGINT NOT NULL,
    channel_id        BYTEA NOT NULL, -- what was signed; a number may be another channel's after a reorg
    cumulative_amount NUMERIC(39, 0) NOT NULL,
    signature         BYTEA NOT NULL CHECK (length(signature) = 64),
    accepted_ms       BIGINT NOT NULL,
    set_aside         TEXT,           -- why it is not claimed; a higher voucher clears it
    PRIMARY KEY (book, serial)
);

-- What was accepted, by day (accepted_ms / 86400000).
CREATE TABLE totals (
    payee    BYTEA NOT NULL,
    token    BYTEA NOT NULL,
    day      BIGINT NOT NULL,
    accepted NUMERIC(39, 0) NOT NULL, -- sum of the growth
    vouchers BIGINT NOT NULL,         -- how many grew it
    PRIMARY KEY (payee, token, day)
);

CREATE TABLE streams (
    book      BIGINT NOT NULL,
    serial    BIGINT NOT NULL,
    stream_id BYTEA NOT NULL,
    is_ended  BOOLEAN NOT NULL,
    set_aside TEXT,
    PRIMARY KEY (book, serial)
);

-- What was about to be sent, written before it was sent.
CREATE TABLE intents (
    id                BIGINT PRIMARY KEY, -- counted under the lease's lock
    contract          BIGINT NOT NULL,
    signer            BYTEA NOT NULL,     -- 32-byte account
    nonce             BIGINT NOT NULL,
    valid_from_block  BIGINT NOT NULL,
    valid_until_block BIGINT NOT NULL,    -- the last block that can include it
    tx_hash           BYTEA NOT NULL UNIQUE,
    tx_bytes          BYTEA NOT NULL,     -- sent again as they are: the same bytes can only be included once
    blob              BYTEA NOT NULL,     -- the calldata
    state             TEXT NOT NULL CHECK (state IN ('open', 'finalized', 'failed', 'expired')),
    created_ms        BIGINT NOT NULL,
    block_number      BIGINT,             -- where it was finalized
    block_hash        BYTEA,
    fee_planck        NUMERIC(39, 0),
    reason            TEXT                -- why it failed or expired
);
CREATE INDEX intents_open ON intents (state) WHERE state = 'open';

CREATE TABLE intent_rows (
    intent_id         BIGINT NOT NULL REFERENCES intents (id),
    contract          BIGINT NOT NULL,
    book              BIGINT NOT NULL,
    serial            BIGINT NOT NULL,
    cumulative_amount NUMERIC(39, 0) NOT NULL, -- zero for streams
    gain              NUMERIC(39, 0) NOT NULL, -- what it was expected to pay out
    is_open           BOOLEAN NOT NULL,
    outcome           BIGINT,                  -- code of the row's outcome, once finalized
    total             NUMERIC(39, 0),          -- claimed or paid so far, as the event said
    PRIMARY KEY (intent_id, book, serial)
);
-- No two open intents carry the same row.
CREATE UNIQUE INDEX intent_rows_open ON intent_rows (contract, book, serial) WHERE is_open;
