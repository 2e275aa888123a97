-- What the migrations beside this file lead to, for readers; a test compares the two. Never run by Till.

-- Which migrations made this file, with the SHA-256 of their text.
CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- The journal: every durable fact of a till, in the order in which it was written, never changed.
--
-- `head`, `salt` and `body` are the record itself (docs/PROTOCOL.md, "The record"). The columns before
-- them are copies of header fields for queries; where they differ from `head`, `head` is right.

CREATE TABLE record (
    position     INTEGER PRIMARY KEY,  -- order of writing over all epochs, without gaps from what was brought forward on
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
    body         BLOB    NOT NULL,     -- sealed: nonce, text and tag of salt and body (docs/PROTOCOL.md, "At rest")
    sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1)),
    UNIQUE (epoch, seq)
) STRICT;

-- A sale's records, in order.
CREATE INDEX record_by_sale ON record (sale) WHERE sale IS NOT NULL;

-- No receipt number is issued twice in its series.
CREATE UNIQUE INDEX record_by_receipt ON record (epoch, receipt, training) WHERE kind = 'receipt_issued';

-- The epochs, in order.
CREATE INDEX record_genesis ON record (position) WHERE kind = 'genesis';

-- What a person calls an item on its way to head office, so that a long queue is looked through without reading it.
-- The kinds are those of `queue::RECORD_KINDS`.
CREATE INDEX record_item ON record (epoch, seq, kind, wall_ms, amount_minor, currency)
WHERE kind IN ('receipt_issued', 'coupon_redeemed', 'voucher_redeemed', 'voucher_taken', 'member_recognised',
    'refund_drawn', 'paid_late', 'shift_closed', 'queue_acted');

-- What head office and managers said about single records.
CREATE INDEX record_ruling ON record (position) WHERE kind IN ('noted', 'queue_acted');

-- REPLACE would delete without asking the trigger below, so a row may only come after all others.
CREATE TRIGGER record_is_appended BEFORE INSERT ON record
WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM record)
    OR EXISTS (SELECT 1 FROM record WHERE epoch = NEW.epoch AND seq = NEW.seq)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record comes after all others');
END;

-- Sealing is the one thing that may happen to a record: the same bytes, put away.
CREATE TRIGGER record_is_not_changed BEFORE UPDATE ON record
WHEN OLD.sealed <> 0 OR NEW.sealed <> 1 OR NEW.position <> OLD.position OR NEW.epoch <> OLD.epoch
    OR NEW.seq <> OLD.seq OR NEW.kind <> OLD.kind OR NEW.sale IS NOT OLD.sale OR NEW.wall_ms <> OLD.wall_ms
    OR NEW.training <> OLD.training OR NEW.receipt IS NOT OLD.receipt OR NEW.serial IS NOT OLD.serial
    OR NEW.amount_minor IS NOT OLD.amount_minor OR NEW.currency IS NOT OLD.currency OR NEW.hash <> OLD.hash
    OR NEW.head <> OLD.head OR NEW.salt <> zeroblob(16)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is never changed');
END;

-- Records of closed days may leave the journal once head office has ruled on them. What they came to is brought forward:
-- a state of the till after the record at `position`, sealed and bound to that record. It is read at a start as if it
-- stood in the place of all records before it.
CREATE TABLE brought_forward (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL CHECK (position >= 1),
    state    BLOB    NOT NULL
) STRICT;

CREATE TRIGGER brought_forward_to_a_record BEFORE INSERT ON brought_forward
WHEN NOT EXISTS (SELECT 1 FROM record WHERE position = NEW.position)
    OR NEW.position < (SELECT max(position) FROM brought_forward)
BEGIN
    SELECT raise(ABORT, 'what is brought forward stands at a record, and never goes back');
END;

CREATE TRIGGER brought_forward_is_not_changed BEFORE UPDATE ON brought_forward
WHEN NEW.position < OLD.position OR NOT EXISTS (SELECT 1 FROM record WHERE position = NEW.position)
BEGIN
    SELECT raise(ABORT, 'what is brought forward stands at a record, and never goes back');
END;

CREATE TRIGGER brought_forward_is_not_deleted BEFORE DELETE ON brought_forward
BEGIN
    SELECT raise(ABORT, 'what is brought forward is never deleted: the records before it are gone');
END;

-- What is not carried by that state stays: how each epoch began and was adopted, where it ended, and who works here.
CREATE TRIGGER record_is_not_deleted BEFORE DELETE ON record
WHEN OLD.position >= coalesce((SELECT position FROM brought_forward), 0)
    OR OLD.kind IN ('genesis', 'epoch_adopted', 'staff_added')
    OR NOT EXISTS (SELECT 1 FROM record WHERE epoch = OLD.epoch AND seq = OLD.seq + 1)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is deleted only before what is brought forward');
END;

-- Which secret they lie under: a mark that tells it from another and says nothing of it.
CREATE TABLE seal (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mark BLOB    NOT NULL CHECK (length(mark) = 32)
) STRICT;

-- What an older Till wrote in the clear, until the first start has sealed it.
CREATE INDEX record_in_the_clear ON record (position) WHERE sealed = 0;

-- For people with a SQLite shell. Bodies are read with `till journal show`.
CREATE VIEW readable AS
SELECT position, epoch, seq, kind, lower(hex(sale)) AS sale, datetime(wall_ms / 1000, 'unixepoch') AS at_utc,
    training, receipt, serial, amount_minor, currency, lower(hex(hash)) AS hash, sealed,
    CASE sealed WHEN 0 THEN CAST(body AS TEXT) END AS body
FROM record;
