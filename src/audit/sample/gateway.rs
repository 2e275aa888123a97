//! Money that moves at the gateway of the tests' shop.

use super::{Shop, intent, trade_no};
use rusqlite::{Params, params};

impl Shop {
    /// A trade that waits for its buyer.
    pub(in crate::audit) fn trade(&self, of: u8, minor: i64) {
        let sql =
            "INSERT INTO trade (out_trade_no, trade_no, app_id, origin, subject, total, currency, status,
            created_ms, expires_ms) VALUES (?1, ?2, 'app', 'pay', 's', ?3, 'CNY', 'WAIT_BUYER_PAY', 0, 0)";
        self.at_gateway(sql, params![intent(of).to_string(), trade_no(intent(of)), minor]);
    }

    pub(in crate::audit) fn capture(&self, of: u8, minor: i64) {
        self.trade(of, minor);
        self.at_gateway(
            "UPDATE trade SET status = 'TRADE_SUCCESS', captures = 1, paid_ms = 0 WHERE out_trade_no = ?1",
            [intent(of).to_string()],
        );
        self.entry(of, "capture", minor);
    }

    pub(in crate::audit) fn give_back(&self, of: u8, minor: i64) {
        let number = intent(of).to_string();
        self.at_gateway(
            "UPDATE trade SET refunded = refunded + ?2 WHERE out_trade_no = ?1",
            params![number, minor],
        );
        let sql = "INSERT INTO refund (out_trade_no, out_request_no, amount, refunded_ms)
            VALUES (?1, 'cancel:' || ?1, ?2, 0)";
        self.at_gateway(sql, params![number, minor]);
        self.entry(of, "refund", minor);
    }

    pub(in crate::audit) fn entry(&self, of: u8, kind: &str, minor: i64) {
        let sql = "INSERT INTO event (at_ms, out_trade_no, kind, amount) VALUES (0, ?1, ?2, ?3)";
        self.at_gateway(sql, params![intent(of).to_string(), kind, minor]);
    }

    fn at_gateway(&self, sql: &str, values: impl Params) {
        self.gateway.execute(sql, values).unwrap();
    }
}
