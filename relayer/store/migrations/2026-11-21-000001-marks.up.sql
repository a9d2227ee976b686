-- How old this memory is: one row, compared at every start with the mark beside the database and with the chain, so that an old copy put back is noticed.
CREATE TABLE marks (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    generation       INTEGER NOT NULL, -- raised at every start
    last_accepted_ms INTEGER NOT NULL, -- when a voucher was last stored; 0: never
    taken_ms         INTEGER           -- in a backup, and in what was put back from one until its first start: when it was taken
) STRICT;
INSERT INTO marks (id, generation, last_accepted_ms, taken_ms) SELECT 1, 0, ifnull(max(accepted_ms), 0), NULL FROM vouchers;
