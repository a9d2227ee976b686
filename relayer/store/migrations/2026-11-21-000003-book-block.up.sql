-- What was read at an older block never overwrites what was read at a newer one, as for channels. 0: by a relayer that did not note it.
ALTER TABLE books ADD COLUMN seen_at_block INTEGER NOT NULL DEFAULT 0;
