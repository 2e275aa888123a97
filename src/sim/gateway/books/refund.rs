//! Money that goes back: made once for its number, and never more than was taken.
//!
//! Deliberately not here: whether a wallet's rules allow it.

use rusqlite::{OptionalExtension, Row, params};

use super::{
    super::{
        trade::{OrderKey, Refund, Status, Trade},
        verb::Wallet,
    },
    Books,
};

impl Books<'_> {
    /// Gives money back if that much is left. False: nothing was done.
    pub(in crate::sim::gateway) fn refund(
        &self,
        trade: &mut Trade,
        refund: &Refund,
        notify_url: Option<&str>,
    ) -> rusqlite::Result<bool> {
        let key = trade.key.clone();
        let changed = self.transaction.execute(
            "UPDATE trade SET refunded = refunded + ?4,
                status = CASE WHEN refunded + ?4 = total THEN 'TRADE_CLOSED' ELSE status END
             WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND status = 'TRADE_SUCCESS'
                AND ?4 > 0 AND refunded + ?4 <= total",
            params![key.wallet.name(), key.merchant, key.number, refund.amount],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.transaction.execute(
            "INSERT INTO refund (wallet, merchant, out_trade_no, out_request_no, amount, reason, refunded_ms, told_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                key.wallet.name(),
                key.merchant,
                key.number,
                refund.number,
                refund.amount,
                refund.reason,
                refund.made_ms,
                refund.told_ms
            ],
        )?;
        self.note(&key, "refund", refund.amount)?;
        trade.refunded += refund.amount;
        if trade.refunded == trade.total {
            trade.status = Status::Closed;
        }
        if let Some(url) = notify_url {
            self.announce_to(trade, url, Some(&refund.number), refund.told_ms.max(self.now_ms))?;
        }
        Ok(true)
    }

    /// The refund made under this request number.
    pub(in crate::sim::gateway) fn refund_made(
        &self,
        trade: &Trade,
        number: &str,
    ) -> rusqlite::Result<Option<Refund>> {
        let sql = "SELECT * FROM refund
            WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND out_request_no = ?4";
        let key = [trade.key.wallet.name(), &trade.key.merchant, &trade.key.number, number];
        self.transaction.query_row(sql, key, read_refund).optional()
    }

    /// The refund and its trade, by the refund's number alone: WeChat Pay's are unique for a merchant.
    pub(in crate::sim::gateway) fn refund_of(
        &self,
        wallet: Wallet,
        merchant: &str,
        number: &str,
    ) -> rusqlite::Result<Option<(Trade, Refund)>> {
        let sql = "SELECT * FROM refund WHERE wallet = ?1 AND merchant = ?2 AND out_request_no = ?3";
        let key = [wallet.name(), merchant, number];
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>("out_trade_no")?, read_refund(row)?));
        let Some((number, refund)) = self.transaction.query_row(sql, key, read).optional()? else {
            return Ok(None);
        };
        let trade = self.find(&OrderKey { wallet, merchant: merchant.to_owned(), number })?;
        Ok(trade.map(|trade| (trade, refund)))
    }
}

fn read_refund(row: &Row<'_>) -> rusqlite::Result<Refund> {
    Ok(Refund {
        number: row.get("out_request_no")?,
        amount: row.get("amount")?,
        reason: row.get("reason")?,
        made_ms: row.get("refunded_ms")?,
        told_ms: row.get("told_ms")?,
    })
}
