-- The cloud's store. Every invariant is a key or a guarded UPDATE. Times are Unix milliseconds, hashes and
-- ids lower-case hexadecimal, amounts minor units beside their currency.

-- Tills that may send, each with the device key it was paired with.
CREATE TABLE terminal (
    terminal TEXT PRIMARY KEY,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    name TEXT NOT NULL,
    paired_ms INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that ask to be a till, and what a manager decided.
CREATE TABLE pairing (
    terminal TEXT NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused')),
    asked_ms INTEGER NOT NULL,
    decided_ms INTEGER,
    PRIMARY KEY (terminal, public_key)
) STRICT, WITHOUT ROWID;

-- High-watermark and head of each stream, how far its records have been judged, and how it began. A branch is the
-- other side of a fork: a stream under an epoch that is made from the first record that differs (branch_seq).
CREATE TABLE stream (
    terminal TEXT NOT NULL REFERENCES terminal,
    epoch TEXT NOT NULL,
    high INTEGER NOT NULL CHECK (high >= judged),
    head TEXT NOT NULL,
    judged INTEGER NOT NULL DEFAULT 0,
    receipts INTEGER NOT NULL DEFAULT 0,
    opened_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, standing TEXT NOT NULL DEFAULT 'regular'
    CHECK (standing IN ('regular', 'provisional', 'adopted')), parent TEXT, parent_seq INTEGER, branch_of TEXT, branch_seq INTEGER,
    PRIMARY KEY (terminal, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_unjudged ON stream (terminal, epoch) WHERE judged < high;

-- Records, verbatim.
CREATE TABLE record (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    sale TEXT,
    head BLOB NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 16),
    body BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_of_sale ON record (sale, terminal, epoch, seq) WHERE sale IS NOT NULL;

-- The other side of forks that came before branches were streams of their own.
CREATE TABLE fork (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    head BLOB NOT NULL,
    salt BLOB NOT NULL,
    body BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch, seq, hash)
) STRICT, WITHOUT ROWID;

-- Sales as the streams tell of them, and where they stand.
CREATE TABLE sale (
    sale TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    records INTEGER NOT NULL,
    desk TEXT,
    placed_ms INTEGER NOT NULL,
    placed_seq INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_at_desk ON sale (desk, placed_ms, placed_seq) WHERE desk IS NOT NULL;

-- Business answers to records that are safely received: one at most for a record and a code each time that somebody
-- asks; asked is the number of the manager's act that did, or nothing.
CREATE TABLE "verdict" (
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

-- Records that a manager holds back: received, and without effect until they are released.
CREATE TABLE hold (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'released', 'resolved')),
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch, seq)
) STRICT, WITHOUT ROWID;

-- What a till is to be told, numbered for each till, at least once.
CREATE TABLE notice (
    terminal TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    until_ms INTEGER,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, number)
) STRICT, WITHOUT ROWID;

-- What needs a manager. The subject keeps one matter from becoming two tasks.
CREATE TABLE task (
    task INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    words TEXT NOT NULL,
    terminal TEXT,
    raised_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    UNIQUE (code, subject)
) STRICT;

-- Coupons handed out, and coupons spent: the first writer wins.
CREATE TABLE coupon (
    serial TEXT PRIMARY KEY,
    campaign INTEGER NOT NULL,
    issued_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE coupon_redemption (
    serial TEXT PRIMARY KEY,
    campaign INTEGER NOT NULL,
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sale TEXT,
    at_ms INTEGER NOT NULL,
    at_words TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Members, each with the secret that its phone's one-time numbers come from. Tills never hold one.
CREATE TABLE member (
    member TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 20),
    joined_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Members who were forgotten, by a hash of their reference: what still comes of them is erased when it comes.
CREATE TABLE member_forgotten (
    mark TEXT PRIMARY KEY CHECK (length(mark) = 64),
    forgotten_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that name a member.
CREATE INDEX record_of_member ON record (terminal, epoch, seq)
WHERE kind IN ('member_recognised', 'member_forgotten');

-- A member counts once a day.
CREATE TABLE check_in (
    member TEXT NOT NULL,
    business_date TEXT NOT NULL,
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (member, business_date)
) STRICT, WITHOUT ROWID;

-- Attempts to move money as the tills tell of them.
CREATE TABLE payment (
    intent TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    sale TEXT,
    provider TEXT NOT NULL,
    carrier TEXT NOT NULL CHECK (carrier IN ('pay_code', 'order')),
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    trade TEXT,
    received_minor INTEGER,
    changed_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE payment_refund (
    refund TEXT PRIMARY KEY,
    intent TEXT NOT NULL,
    terminal TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('drawn', 'refunded', 'refused'))
) STRICT, WITHOUT ROWID;

-- Receipts: no number twice within (terminal, epoch).
CREATE TABLE receipt (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    number INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    sale TEXT,
    business_date TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (terminal, epoch, number)
) STRICT, WITHOUT ROWID;

-- A phone that asks to pay a bill: one phone for each version of a bill.
CREATE TABLE pay_request (
    sale TEXT NOT NULL,
    version INTEGER NOT NULL,
    terminal TEXT NOT NULL,
    desk TEXT NOT NULL,
    phone TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'answered', 'given_up')),
    asked_ms INTEGER NOT NULL, provider TEXT NOT NULL DEFAULT 'alipay'
    CHECK (provider IN ('alipay', 'wechat', 'house')), opens TEXT,
    PRIMARY KEY (sale, version)
) STRICT, WITHOUT ROWID;

-- Orders that tills signed for a phone to pay: each is claimed once. The sale is an empty text until its till has
-- said which: a phone may bring the order first.
CREATE TABLE order_claim (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    nonce TEXT NOT NULL,
    intent TEXT NOT NULL UNIQUE,
    sale TEXT NOT NULL,
    order_text TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    issued_at_s INTEGER NOT NULL,
    desk TEXT,
    phone TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'starting', 'started', 'withdrawing', 'paid',
        'withdrawn', 'ended', 'paid_late', 'refunded')),
    asker TEXT NOT NULL DEFAULT 'cloud' CHECK (asker IN ('cloud', 'till')),
    words TEXT NOT NULL DEFAULT '',
    qr_text TEXT,
    settled TEXT,
    proof TEXT,
    changed_ms INTEGER NOT NULL,
    started_ms INTEGER,
    due_ms INTEGER, provider TEXT NOT NULL DEFAULT 'alipay'
    CHECK (provider IN ('alipay', 'wechat', 'house')), opens TEXT,
    PRIMARY KEY (terminal, epoch, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_due ON order_claim (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX order_of_sale ON order_claim (sale, changed_ms);

-- Refunds that tills ask the cloud for.
CREATE TABLE refund (
    refund TEXT PRIMARY KEY,
    intent TEXT NOT NULL,
    terminal TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'refunded', 'refused')),
    words TEXT NOT NULL DEFAULT '',
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_of_intent ON refund (intent);

-- Bundles: versions never fall, because each is one more than the last, and its number is a key.
CREATE TABLE bundle (
    version INTEGER PRIMARY KEY,
    payload BLOB NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    published_ms INTEGER NOT NULL
) STRICT;

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

-- Payments of which a till was told because their wallet reported them: each is told once.
CREATE TABLE payment_told (
    intent TEXT PRIMARY KEY REFERENCES relayed_payment,
    told_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Campaigns with a quota: how often their offers are given in all shops together, and how much of it is let out
-- to tills and not given back. What is spent is let out for good.
CREATE TABLE campaign_quota (
    campaign INTEGER PRIMARY KEY,
    total INTEGER NOT NULL CHECK (total >= 0),
    granted INTEGER NOT NULL DEFAULT 0,
    let_out INTEGER NOT NULL DEFAULT 0 CHECK (let_out BETWEEN 0 AND granted)
) STRICT;

-- Parts of a quota in the hands of tills. A lease of a till that is lost stays spent.
CREATE TABLE lease (
    terminal TEXT NOT NULL,
    epoch TEXT NOT NULL,
    campaign INTEGER NOT NULL REFERENCES campaign_quota,
    number INTEGER NOT NULL CHECK (number >= 1),
    uses INTEGER NOT NULL CHECK (uses >= 1),
    used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    returned INTEGER NOT NULL DEFAULT 0 CHECK (returned >= 0 AND used + returned <= uses),
    until_s INTEGER NOT NULL,
    granted_ms INTEGER NOT NULL,
    lost_ms INTEGER,
    PRIMARY KEY (terminal, epoch, campaign, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_of_campaign ON lease (campaign);

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
