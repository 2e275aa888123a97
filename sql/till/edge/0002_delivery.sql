-- Delivery of the journal: what was sent and not yet confirmed, what the cloud has signed, how far it has ruled.

-- Batches that left, or were about to, and that no answer has confirmed.
CREATE TABLE attempt (
    epoch     TEXT    NOT NULL CHECK (length(epoch) = 16),
    first_seq INTEGER NOT NULL CHECK (first_seq >= 1),
    last_seq  INTEGER NOT NULL CHECK (last_seq >= first_seq),
    tries     INTEGER NOT NULL CHECK (tries >= 1),
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    words     TEXT,
    PRIMARY KEY (epoch, first_seq, last_seq)
) STRICT, WITHOUT ROWID;

-- Heads of the journal as the cloud has signed them, at its own time: so that a cut tail shows.
CREATE TABLE received_head (
    epoch     TEXT    NOT NULL CHECK (length(epoch) = 16),
    seq       INTEGER NOT NULL CHECK (seq >= 1),
    head      BLOB    NOT NULL CHECK (length(head) = 32),
    at_ms     INTEGER NOT NULL,
    key_id    BLOB    NOT NULL CHECK (length(key_id) = 4),
    signature BLOB    NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (epoch, seq, head)
) STRICT, WITHOUT ROWID;

-- How far the cloud has ruled on each epoch, all verdicts of it taken.
CREATE TABLE ruled (
    epoch TEXT    PRIMARY KEY CHECK (length(epoch) = 16),
    seq   INTEGER NOT NULL CHECK (seq >= 0)
) STRICT, WITHOUT ROWID;
