-- Campaigns with a quota: how often their offers are given in all shops together, and how much of it is let out
-- to tills and not given back. What is spent is let out for good.
CREATE TABLE campaign_quota (
    campaign INTEGER PRIMARY KEY,
    total INTEGER NOT NULL CHECK (total >= 0),
    let_out INTEGER NOT NULL DEFAULT 0 CHECK (let_out BETWEEN 0 AND total)
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
