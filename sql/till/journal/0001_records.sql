-- The journal: every durable fact of a till, in the order in which it was written, never changed.
--
-- `head`, `salt` and `body` are the record itself (docs/PROTOCOL.md, "The record"). The columns before
-- them are copies of header fields for queries; where they differ from `head`, `head` is right.

CREATE TABLE record (
    position     INTEGER PRIMARY KEY,  -- order of writing over all epochs, from 1, without gaps
    epoch        TEXT    NOT NULL CHECK (length(epoch) = 16),  -- 64 bits in lower-case hexadecimal
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    kind         TEXT    NOT NULL,
    sale         BLOB    CHECK (length(sale) = 16),
    wall_ms      INTEGER NOT NULL,
    training     INTEGER NOT NULL CHECK (training IN (0, 1)),
    receipt      INTEGER CHECK (receipt >= 1),
    serial       TEXT,
    amount_minor INTEGER,
    currency     TEXT    CHECK ((currency IS NULL) = (amount_minor IS NULL)),
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    salt         BLOB    NOT NULL CHECK (length(salt) = 16),
    head         BLOB    NOT NULL,
    body         BLOB    NOT NULL,
    UNIQUE (epoch, seq)
) STRICT;

-- A sale's records, in order.
CREATE INDEX record_by_sale ON record (sale) WHERE sale IS NOT NULL;

-- No receipt number is issued twice in its series.
CREATE UNIQUE INDEX record_by_receipt ON record (epoch, receipt, training) WHERE kind = 'receipt_issued';

-- The epochs, in order.
CREATE INDEX record_genesis ON record (position) WHERE kind = 'genesis';

-- REPLACE would delete without asking the trigger below, so a row may only come after all others.
CREATE TRIGGER record_is_appended BEFORE INSERT ON record
WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM record)
    OR EXISTS (SELECT 1 FROM record WHERE epoch = NEW.epoch AND seq = NEW.seq)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record comes after all others');
END;

CREATE TRIGGER record_is_not_changed BEFORE UPDATE ON record
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is never changed');
END;

CREATE TRIGGER record_is_not_deleted BEFORE DELETE ON record
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is never deleted');
END;

-- For people with a SQLite shell.
CREATE VIEW readable AS
SELECT position, epoch, seq, kind, lower(hex(sale)) AS sale, datetime(wall_ms / 1000, 'unixepoch') AS at_utc,
    training, receipt, serial, amount_minor, currency, lower(hex(hash)) AS hash, CAST(body AS TEXT) AS body
FROM record;
