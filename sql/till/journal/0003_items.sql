-- What a person calls an item on its way to head office, so that a long queue is looked through without reading it.
-- The kinds are those of `queue::RECORD_KINDS`.
CREATE INDEX record_item ON record (epoch, seq, kind, wall_ms, amount_minor, currency)
WHERE kind IN ('receipt_issued', 'coupon_redeemed', 'voucher_redeemed', 'voucher_taken', 'member_recognised',
    'refund_drawn', 'paid_late', 'shift_closed', 'queue_acted');

-- What head office and managers said about single records.
CREATE INDEX record_ruling ON record (position) WHERE kind IN ('noted', 'queue_acted');
