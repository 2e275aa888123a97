-- What the migrations beside this file lead to, for readers; a test compares the two. Never run by Till.

-- Which migrations made this file, with the SHA-256 of their text.
CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- What a till's edges remember between starts and what is no history: it can be fetched or made again.

-- How far the cloud has each epoch of the journal.
CREATE TABLE watermark (
    epoch TEXT    PRIMARY KEY CHECK (length(epoch) = 16),
    seq   INTEGER NOT NULL CHECK (seq >= 0),
    head  BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT, WITHOUT ROWID;

-- The bundle in force: its version, its exact bytes and the envelope that signs them, together or not at all.
CREATE TABLE bundle (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    version  INTEGER NOT NULL CHECK (version >= 0),
    bytes    BLOB    NOT NULL,
    envelope BLOB    NOT NULL
) STRICT;

-- The last notice taken from the cloud.
CREATE TABLE cursor (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT;

-- What pairing with a cloud left behind.
CREATE TABLE pairing (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    bytes BLOB    NOT NULL
) STRICT;

-- People signed in at a screen. The token itself is with the browser alone.
CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    staff      TEXT    NOT NULL,
    station    TEXT    NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Wrong PINs in a row.
CREATE TABLE failed_pin (
    staff           TEXT    PRIMARY KEY,
    attempts        INTEGER NOT NULL CHECK (attempts >= 1),
    locked_until_ms INTEGER
) STRICT, WITHOUT ROWID;

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
