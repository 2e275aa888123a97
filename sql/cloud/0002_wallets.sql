-- Pay codes that tills send through the cloud, and stored value that the cloud keeps itself.

-- Payments that a till asked for: each is sent to its wallet at most once, and never after it was ruled out.
CREATE TABLE relayed_payment (
    intent TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    provider TEXT NOT NULL CHECK (provider IN ('alipay', 'wechat', 'house')),
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'ruled_out')),
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE relayed_refund (
    refund TEXT PRIMARY KEY,
    intent TEXT NOT NULL REFERENCES relayed_payment,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'refused')),
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX relayed_refund_of_intent ON relayed_refund (intent);

-- The ledger of stored value, by double entry: what an account holds is the sum of its transfers, and all
-- accounts together hold nothing. A member's account never falls below nothing.
CREATE TABLE account (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    balance_minor INTEGER NOT NULL,
    floor_minor INTEGER,
    PRIMARY KEY (account, currency),
    CHECK (floor_minor IS NULL OR balance_minor >= floor_minor)
) STRICT, WITHOUT ROWID;
CREATE TABLE transfer (
    reference TEXT PRIMARY KEY,
    from_account TEXT NOT NULL,
    to_account TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    words TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    FOREIGN KEY (from_account, currency) REFERENCES account,
    FOREIGN KEY (to_account, currency) REFERENCES account
) STRICT, WITHOUT ROWID;

-- Payments out of stored value, by intent. One that was given up unpaid stays, so that it is never paid later.
CREATE TABLE house_payment (
    intent TEXT PRIMARY KEY,
    member TEXT,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    state TEXT NOT NULL CHECK (state IN ('paid', 'ended')),
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A member's number pays once.
CREATE TABLE member_code_spent (
    member TEXT NOT NULL,
    step INTEGER NOT NULL,
    intent TEXT NOT NULL,
    PRIMARY KEY (member, step)
) STRICT, WITHOUT ROWID;
