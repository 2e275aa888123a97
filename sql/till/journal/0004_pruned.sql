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
DROP TRIGGER record_is_not_deleted;
CREATE TRIGGER record_is_not_deleted BEFORE DELETE ON record
WHEN OLD.position >= coalesce((SELECT position FROM brought_forward), 0)
    OR OLD.kind IN ('genesis', 'epoch_adopted', 'staff_added')
    OR NOT EXISTS (SELECT 1 FROM record WHERE epoch = OLD.epoch AND seq = OLD.seq + 1)
BEGIN
    SELECT raise(ABORT, 'the journal is append-only: a record is deleted only before what is brought forward');
END;
