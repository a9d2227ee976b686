-- How old this memory is: one row, compared at every start with the chain, so that an old copy put back is noticed.
CREATE TABLE marks (
    id               BIGINT PRIMARY KEY CHECK (id = 1),
    generation       BIGINT NOT NULL, -- raised at every start of a relayer
    last_accepted_ms BIGINT NOT NULL, -- when a voucher was last stored, written by backups alone: at work all relayers would wait for this row
    taken_ms         BIGINT           -- in what was put back from a backup, until its first start: when that was taken
);
INSERT INTO marks (id, generation, last_accepted_ms, taken_ms) VALUES (1, 0, 0, NULL);
