-- How a stream began, and which side of a fork it is. A branch is a stream of its own, under an epoch that is made from
-- the first record that differs; the branch_seq is that record's number.
ALTER TABLE stream ADD COLUMN standing TEXT NOT NULL DEFAULT 'regular'
    CHECK (standing IN ('regular', 'provisional', 'adopted'));
ALTER TABLE stream ADD COLUMN parent TEXT;
ALTER TABLE stream ADD COLUMN parent_seq INTEGER;
ALTER TABLE stream ADD COLUMN branch_of TEXT;
ALTER TABLE stream ADD COLUMN branch_seq INTEGER;

-- Records that a manager holds back: received, and without effect until they are released.
CREATE TABLE hold (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'released', 'resolved')),
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch, seq)
) STRICT, WITHOUT ROWID;

-- A record may be ruled on again when a manager asks: one verdict at most for each time that it was asked for.
CREATE TABLE verdict_again (
    terminal TEXT NOT NULL,
    number INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sale TEXT,
    ruling TEXT NOT NULL CHECK (ruling IN ('accepted', 'refused')),
    code TEXT NOT NULL,
    words TEXT NOT NULL,
    ruled_ms INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (terminal, number),
    UNIQUE (terminal, epoch, seq, code, asked)
) STRICT, WITHOUT ROWID;
INSERT INTO verdict_again (terminal, number, epoch, seq, sale, ruling, code, words, ruled_ms)
    SELECT terminal, number, epoch, seq, sale, ruling, code, words, ruled_ms FROM verdict;
DROP TABLE verdict;
ALTER TABLE verdict_again RENAME TO verdict;
