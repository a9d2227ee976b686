ALTER TABLE books DROP COLUMN seen_at_block;
