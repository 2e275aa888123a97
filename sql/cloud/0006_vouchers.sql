-- Value vouchers handed out, and spent: the first writer wins.
CREATE TABLE voucher (
    serial TEXT PRIMARY KEY,
    value_minor INTEGER NOT NULL CHECK (value_minor > 0),
    currency TEXT NOT NULL,
    issued_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE voucher_redemption (
    serial TEXT PRIMARY KEY REFERENCES voucher,
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sale TEXT,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    at_words TEXT NOT NULL
) STRICT, WITHOUT ROWID;
