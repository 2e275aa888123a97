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
