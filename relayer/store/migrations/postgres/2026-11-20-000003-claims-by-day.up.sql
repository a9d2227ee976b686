-- What finalized blocks paid out of each book, by day (block time / 86400), whoever claimed. A day whose blocks the node had thrown away when they were missed
-- is not complete; the channels' own records always are.
CREATE TABLE claims_by_day (
    contract BIGINT NOT NULL,
    book     BIGINT NOT NULL,
    day      BIGINT NOT NULL,
    gain     NUMERIC(39, 0) NOT NULL, -- paid out, relay fees included
    fee      NUMERIC(39, 0) NOT NULL, -- of it, relay fees
    rows     BIGINT NOT NULL,         -- how many rows were claimed
    PRIMARY KEY (contract, book, day)
);

-- A payee's books: there are few of them, and its channels follow from them in order.
CREATE INDEX books_by_payee ON books (payee, contract, book);
