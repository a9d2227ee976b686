-- What the paywall must not forget. Amounts are 16 bytes, big-endian, in the token's smallest unit; times are Unix seconds.

-- Whose money it is: a store belongs to one payee on one deployment.
CREATE TABLE IF NOT EXISTS owner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema_version INTEGER NOT NULL,
    chain_id INTEGER NOT NULL,
    channels BLOB NOT NULL,           -- the contract
    payee BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS channels (
    channel_id BLOB PRIMARY KEY,
    book INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    payer BLOB NOT NULL,
    token BLOB NOT NULL,
    accepted BLOB NOT NULL,           -- the highest total that the relayer accepted
    signature BLOB,                   -- the payer's, of that total: enough to claim it without a relayer
    charged BLOB NOT NULL,            -- begins with what had been accepted before the channel was first seen here
    returned BLOB NOT NULL,           -- of what was charged
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS channels_by_number ON channels (book, serial);

CREATE TABLE IF NOT EXISTS purchases (
    channel_id BLOB NOT NULL,
    nonce BLOB NOT NULL,              -- the payer's name for this purchase
    request TEXT NOT NULL,            -- what was signed for: method, host, path and query
    budget BLOB NOT NULL,             -- the most that may be charged
    charged BLOB NOT NULL,            -- what was charged and not given back
    requests INTEGER NOT NULL,        -- how often it was asked for
    valid_until INTEGER NOT NULL,
    bought_at INTEGER NOT NULL,
    PRIMARY KEY (channel_id, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS purchases_by_time ON purchases (bought_at);
