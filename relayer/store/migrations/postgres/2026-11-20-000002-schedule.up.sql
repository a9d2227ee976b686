-- When a claim of a row was last sent, for payees that are claimed for on a schedule. A transaction that came to nothing takes its rows out again.
CREATE TABLE row_claims (
    contract BIGINT NOT NULL,
    book     BIGINT NOT NULL,
    serial   BIGINT NOT NULL,
    sent_at  BIGINT NOT NULL, -- the chain's clock when it was decided
    PRIMARY KEY (contract, book, serial)
);
