-- Payments of which a till was told because their wallet reported them: each is told once.
CREATE TABLE payment_told (
    intent TEXT PRIMARY KEY REFERENCES relayed_payment,
    told_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
