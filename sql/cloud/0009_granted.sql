-- How many uses of a quota were ever let out, tills' own records of leases among them that a store has forgotten which
-- was put back to an earlier day. What is out may then be more than the quota: it is counted, and nothing more is let out.
ALTER TABLE lease RENAME TO lease_before;
ALTER TABLE campaign_quota RENAME TO campaign_quota_before;
CREATE TABLE campaign_quota (
    campaign INTEGER PRIMARY KEY,
    total INTEGER NOT NULL CHECK (total >= 0),
    granted INTEGER NOT NULL DEFAULT 0,
    let_out INTEGER NOT NULL DEFAULT 0 CHECK (let_out BETWEEN 0 AND granted)
) STRICT;
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
INSERT INTO campaign_quota (campaign, total, granted, let_out)
    SELECT campaign, total, max(let_out, (SELECT coalesce(sum(uses), 0) FROM lease_before AS l
        WHERE l.campaign = q.campaign)), let_out FROM campaign_quota_before AS q;
INSERT INTO lease SELECT * FROM lease_before;
DROP TABLE lease_before;
DROP TABLE campaign_quota_before;
CREATE INDEX lease_of_campaign ON lease (campaign);
