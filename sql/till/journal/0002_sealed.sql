-- Bodies lie sealed (docs/PROTOCOL.md, "At rest"): `body` is then the sealed salt and body, and `salt` is zeros.
ALTER TABLE record ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1));

-- Which secret they lie under: a mark that tells it from another and says nothing of it.
CREATE TABLE seal (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mark BLOB    NOT NULL CHECK (length(mark) = 32)
) STRICT;

-- What an older Till wrote in the clear, until the first start has sealed it.
CREATE INDEX record_in_the_clear ON record (position) WHERE sealed = 0;

-- Sealing is the one thing that may happen to a record: the same bytes, put away.
DROP TRIGGER record_is_not_changed;
CREATE TRIGGER record_is_not_changed BEFORE UPDATE ON record
WHEN OLD.sealed <> 0 OR NEW.sealed <> 1 OR NEW.position <> OLD.position OR NEW.epoch <> OLD.epoch
    OR NEW.seq <> OLD.seq OR NEW.kind <> OLD.kind OR NEW.sale IS NOT OLD.sale OR NEW.wall_ms <> OLD.wall_ms
    OR NEW.training <> OLD.training OR NEW.receipt IS NOT OLD.receipt OR NEW.serial IS NOT OLD.serial
    OR NEW.amount_minor IS NOT OLD.amount_minor OR NEW.currency IS NOT OLD.currency OR NEW.hash <> OLD.hash
    OR NEW.head <> OLD.head OR NEW.salt <> zeroblob(16)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is never changed');
END;

-- For people with a SQLite shell. Bodies are read with `till journal show`.
DROP VIEW readable;
CREATE VIEW readable AS
SELECT position, epoch, seq, kind, lower(hex(sale)) AS sale, datetime(wall_ms / 1000, 'unixepoch') AS at_utc,
    training, receipt, serial, amount_minor, currency, lower(hex(hash)) AS hash, sealed,
    CASE sealed WHEN 0 THEN CAST(body AS TEXT) END AS body
FROM record;
