//! What the cloud of the tests' shop receives, and what it makes of it.

use super::{EPOCH, Shop, intent, sale};
use crate::record::ids::IntentId;
use crate::record::money_moves::Carrier;
use crate::record::{Body, Mode, Record};
use rusqlite::params;

impl Shop {
    pub(in crate::audit) fn bring(&self, record: &Record) {
        let (epoch, hash) = (record.header.epoch.to_string(), record.hash.to_string());
        let seq = i64::try_from(record.header.seq).unwrap();
        let sale = record.header.sale.map(|sale| sale.to_string());
        let (kind, head, salt, body) = (&record.header.kind, &record.head, record.salt, &record.bytes);
        let sql = "INSERT INTO record (terminal, epoch, seq, hash, kind, sale, head, salt, body, received_ms)
             VALUES ('till-3', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)";
        self.cloud.execute(sql, params![epoch, seq, hash, kind, sale, head, salt, body]).unwrap();
        let sql = "INSERT INTO stream (terminal, epoch, high, head, judged, receipts, opened_ms, received_ms)
             VALUES ('till-3', ?1, ?2, ?3, ?2, 0, 0, 0)
            ON CONFLICT DO UPDATE SET high = ?2, head = ?3, judged = ?2";
        self.cloud.execute(sql, params![epoch, seq, hash]).unwrap();
    }

    /// What the cloud makes of a record.
    #[expect(clippy::wildcard_enum_match_arm, reason = "it books only what these tests ask for")]
    pub(in crate::audit) fn book(&self, record: &Record) {
        let header = &record.header;
        if header.mode == Mode::Training {
            return;
        }
        let (epoch, seq) = (header.epoch.to_string(), i64::try_from(header.seq).unwrap());
        let sale = header.sale.map(|sale| sale.to_string());
        let book = |sql: &str, values: &[&dyn rusqlite::ToSql]| self.cloud.execute(sql, values).unwrap();
        let state = |intent: &IntentId| {
            let sql = "UPDATE payment SET state = ?2, changed_seq = ?3 WHERE intent = ?1";
            book(sql, params![intent.to_string(), header.kind, seq]);
        };
        match &record.body {
            Body::IntentDrawn { intent, amount, carrier, .. } => {
                let carrier = if matches!(carrier, Carrier::Order(_)) { "order" } else { "pay_code" };
                let sql = "INSERT OR IGNORE INTO payment VALUES
                    (?1, 'till-3', ?2, ?3, 'alipay', ?4, ?5, 'CNY', 'drawn', NULL, NULL, ?6)";
                book(sql, params![intent.to_string(), epoch, sale, carrier, amount.minor, seq]);
            }
            Body::Approved { intent, settled } | Body::PaidLate { intent, settled } => {
                state(intent);
                let sql = "UPDATE payment SET trade = ?2, received_minor = ?3 WHERE intent = ?1";
                book(sql, params![intent.to_string(), settled.trade, settled.received.minor]);
            }
            Body::Declined { intent, .. }
            | Body::Cancelling { intent, .. }
            | Body::Cancelled { intent, .. }
            | Body::Tombstoned { intent }
            | Body::Abandoned { intent, .. } => state(intent),
            Body::RefundDrawn { refund, intent, amount, .. } => {
                let sql = "INSERT INTO payment_refund VALUES (?1, ?2, 'till-3', ?3, 'CNY', 'drawn')";
                book(sql, params![refund.to_string(), intent.to_string(), amount.minor]);
            }
            Body::Refunded { refund } => {
                let sql = "UPDATE payment_refund SET state = 'refunded' WHERE refund = ?1";
                book(sql, params![refund.to_string()]);
            }
            Body::RefundRefused { refund, .. } => {
                let sql = "UPDATE payment_refund SET state = 'refused' WHERE refund = ?1";
                book(sql, params![refund.to_string()]);
            }
            Body::CouponRedeemed { campaign, .. } => {
                let sql =
                    "INSERT OR IGNORE INTO coupon_redemption VALUES (?1, ?2, 'till-3', ?3, ?4, ?5, 0, '')";
                book(sql, params![header.serial, campaign, epoch, seq, sale]);
            }
            Body::MemberRecognised { member, .. } => {
                let sql = "INSERT OR IGNORE INTO check_in VALUES (?1, ?2, 'till-3', ?3, ?4)";
                book(sql, params![member, header.business_date.to_string(), epoch, seq]);
            }
            Body::ReceiptIssued { total } => {
                let number = header.receipt.map(|number| i64::try_from(number).unwrap());
                let sql = "INSERT OR IGNORE INTO receipt VALUES ('till-3', ?1, ?2, ?3, ?4, '2026-11-22', ?5, 'CNY')";
                book(sql, params![epoch, number, seq, sale, total.minor]);
            }
            _ => {}
        }
    }

    pub(in crate::audit) fn order(&self, of: u8, number: u8, minor: i64, state: &str) {
        let sql = "INSERT INTO order_claim (terminal, epoch, nonce, intent, sale, order_text, amount_minor,
            currency, issued_at_s, state, changed_ms)
            VALUES ('till-3', ?1, ?2, ?2, ?3, 'O1', ?4, 'CNY', 0, ?5, 0)";
        let values =
            params![EPOCH.to_string(), intent(of).to_string(), sale(number).to_string(), minor, state];
        self.cloud.execute(sql, values).unwrap();
    }
}
