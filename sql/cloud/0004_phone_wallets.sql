-- Which wallet a phone pays with, and where the phone opens it: kept until the wallet has been called.
ALTER TABLE pay_request ADD COLUMN provider TEXT NOT NULL DEFAULT 'alipay'
    CHECK (provider IN ('alipay', 'wechat', 'house'));
ALTER TABLE pay_request ADD COLUMN opens TEXT;
ALTER TABLE order_claim ADD COLUMN provider TEXT NOT NULL DEFAULT 'alipay'
    CHECK (provider IN ('alipay', 'wechat', 'house'));
ALTER TABLE order_claim ADD COLUMN opens TEXT;
