-- Members who were forgotten, by a hash of their reference: what still comes of them is erased when it comes.
CREATE TABLE member_forgotten (
    mark TEXT PRIMARY KEY CHECK (length(mark) = 64),
    forgotten_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that name a member.
CREATE INDEX record_of_member ON record (terminal, epoch, seq)
WHERE kind IN ('member_recognised', 'member_forgotten');
