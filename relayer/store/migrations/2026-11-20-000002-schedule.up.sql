-- When a claim of a row was last sent, for payees that are claimed for on a schedule. A transaction that came to nothing takes its rows out again.
CREATE TABLE row_claims (
    contract INTEGER NOT NULL,
    book     INTEGER NOT NULL,
    serial   INTEGER NOT NULL,
    sent_at  INTEGER NOT NULL, -- the chain's clock when it was decided
    PRIMARY KEY (contract, book, serial)
) STRICT, WITHOUT ROWID;
