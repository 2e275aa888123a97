//! A trade in the books and the few steps that change it, each guarded by the state it starts from.
//!
//! `WAIT_BUYER_PAY` goes to `TRADE_SUCCESS` or `TRADE_CLOSED`; `TRADE_SUCCESS` to `TRADE_FINISHED`, or to
//! `TRADE_CLOSED` when all of it was refunded. Source: Alipay open platform, alipay.trade.query,
//! `trade_status`. Deliberately not here: what a merchant is told.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{beijing, chance, request::Method};

/// `trade_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Waiting,
    Paid,
    Finished,
    Closed,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Waiting => "WAIT_BUYER_PAY",
            Status::Paid => "TRADE_SUCCESS",
            Status::Finished => "TRADE_FINISHED",
            Status::Closed => "TRADE_CLOSED",
        }
    }

    fn named(name: &str) -> Option<Status> {
        [Status::Waiting, Status::Paid, Status::Finished, Status::Closed]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// One row of `trade`.
#[derive(Debug, Clone)]
pub(super) struct Trade {
    pub(super) out_trade_no: String,
    pub(super) trade_no: String,
    pub(super) app_id: String,
    pub(super) subject: String,
    pub(super) total: i64,
    pub(super) status: Status,
    pub(super) buyer: Option<String>,
    pub(super) auth_code_hash: Option<String>,
    pub(super) qr_token: Option<String>,
    pub(super) scanned_ms: Option<i64>,
    pub(super) expires_ms: i64,
    pub(super) paid_ms: Option<i64>,
    pub(super) queries_left: Option<i64>,
    pub(super) captures: i64,
    pub(super) refunded: i64,
}

/// How a trade begins.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A pay code was presented; its hash.
    PayCode(String),
    /// A code to be scanned by the buyer.
    Precreated,
}

/// What a merchant ordered.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) out_trade_no: String,
    pub(super) app_id: String,
    pub(super) subject: String,
    pub(super) total: i64,
    pub(super) expires_ms: i64,
}

/// The books within one transaction, at one moment.
pub(super) struct Books<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) now_ms: i64,
    pub(super) seed: u64,
}

impl Books<'_> {
    /// The trade with this order number, closed first if its time is over.
    pub(super) fn find(&self, out_trade_no: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where("out_trade_no = ?1", out_trade_no)
    }

    pub(super) fn find_by_trade_no(&self, trade_no: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where("trade_no = ?1", trade_no)
    }

    pub(super) fn find_by_token(&self, token: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where("qr_token = ?1", token)
    }

    /// Every trade, the newest first, at most `limit`.
    pub(super) fn newest(&self, limit: i64) -> rusqlite::Result<Vec<Trade>> {
        let sql = "SELECT out_trade_no FROM trade ORDER BY created_ms DESC, rowid DESC LIMIT ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let numbers = statement.query_map([limit], |row| row.get::<_, String>(0))?;
        let numbers = numbers.collect::<rusqlite::Result<Vec<_>>>()?;
        numbers.iter().filter_map(|number| self.find(number).transpose()).collect()
    }

    fn find_where(&self, condition: &str, value: &str) -> rusqlite::Result<Option<Trade>> {
        let sql = format!("SELECT * FROM trade WHERE {condition}");
        let found = self.transaction.prepare_cached(&sql)?.query_row([value], read_trade).optional()?;
        let Some(mut trade) = found else { return Ok(None) };
        if trade.status == Status::Waiting && trade.expires_ms <= self.now_ms {
            self.close(&mut trade)?;
        }
        Ok(Some(trade))
    }

    /// Writes a trade that waits for its buyer.
    pub(super) fn open(&self, order: &Order, origin: &Origin) -> rusqlite::Result<Trade> {
        let number = &order.out_trade_no;
        let serial = chance::draw(self.seed, &["trade", number]) % 1_000_000_000_000_000;
        let trade_no = format!("{}22001{serial:015}", beijing::day(self.now_ms));
        let (kind, hash, token, scanned) = match origin {
            Origin::PayCode(hash) => ("pay", Some(hash.clone()), None, Some(self.now_ms)),
            Origin::Precreated => ("precreate", None, Some(chance::token(self.seed, &["qr", number])), None),
        };
        self.transaction.execute(
            "INSERT INTO trade (out_trade_no, trade_no, app_id, origin, subject, total, currency, status,
                auth_code_hash, qr_token, created_ms, scanned_ms, expires_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'CNY', 'WAIT_BUYER_PAY', ?7, ?8, ?9, ?10, ?11)",
            params![
                number,
                trade_no,
                order.app_id,
                kind,
                order.subject,
                order.total,
                hash,
                token,
                self.now_ms,
                scanned,
                order.expires_ms
            ],
        )?;
        Ok(Trade {
            out_trade_no: number.clone(),
            trade_no,
            app_id: order.app_id.clone(),
            subject: order.subject.clone(),
            total: order.total,
            status: Status::Waiting,
            buyer: None,
            auth_code_hash: hash,
            qr_token: token,
            scanned_ms: scanned,
            expires_ms: order.expires_ms,
            paid_ms: None,
            queries_left: None,
            captures: 0,
            refunded: 0,
        })
    }

    /// Takes the money of a waiting trade. Of any other it takes nothing.
    pub(super) fn capture(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let payer = trade.auth_code_hash.as_deref().or(trade.qr_token.as_deref()).unwrap_or_default();
        let buyer = format!("2088{:012}", chance::draw(self.seed, &["buyer", payer]) % 1_000_000_000_000);
        let changed = self.transaction.execute(
            "UPDATE trade SET status = 'TRADE_SUCCESS', captures = captures + 1, paid_ms = ?2, buyer = ?3,
                queries_left = NULL
             WHERE out_trade_no = ?1 AND status = 'WAIT_BUYER_PAY'",
            params![trade.out_trade_no, self.now_ms, buyer],
        )?;
        if changed == 1 {
            self.note(&trade.out_trade_no, "capture", trade.total)?;
            trade.status = Status::Paid;
            trade.captures += 1;
            trade.paid_ms = Some(self.now_ms);
            trade.buyer = Some(buyer);
            trade.queries_left = None;
        }
        Ok(())
    }

    /// Ends a waiting trade unpaid. Any other stays as it is.
    pub(super) fn close(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let changed = self.transaction.execute(
            "UPDATE trade SET status = 'TRADE_CLOSED', queries_left = NULL
             WHERE out_trade_no = ?1 AND status = 'WAIT_BUYER_PAY'",
            [&trade.out_trade_no],
        )?;
        if changed == 1 {
            self.note(&trade.out_trade_no, "close", trade.total)?;
            trade.status = Status::Closed;
            trade.queries_left = None;
        }
        Ok(())
    }

    /// Gives `amount` back if that much is left. False: nothing was done.
    pub(super) fn refund(&self, trade: &mut Trade, request_no: &str, amount: i64) -> rusqlite::Result<bool> {
        let changed = self.transaction.execute(
            "UPDATE trade SET refunded = refunded + ?2,
                status = CASE WHEN refunded + ?2 = total THEN 'TRADE_CLOSED' ELSE status END
             WHERE out_trade_no = ?1 AND status = 'TRADE_SUCCESS' AND ?2 > 0 AND refunded + ?2 <= total",
            params![trade.out_trade_no, amount],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.transaction.execute(
            "INSERT INTO refund (out_trade_no, out_request_no, amount, refunded_ms) VALUES (?1, ?2, ?3, ?4)",
            params![trade.out_trade_no, request_no, amount, self.now_ms],
        )?;
        self.note(&trade.out_trade_no, "refund", amount)?;
        trade.refunded += amount;
        if trade.refunded == trade.total {
            trade.status = Status::Closed;
        }
        Ok(true)
    }

    /// The amount and the moment of a refund made under this request number.
    pub(super) fn refund_made(
        &self,
        trade: &Trade,
        request_no: &str,
    ) -> rusqlite::Result<Option<(i64, i64)>> {
        let sql = "SELECT amount, refunded_ms FROM refund WHERE out_trade_no = ?1 AND out_request_no = ?2";
        let key = [trade.out_trade_no.as_str(), request_no];
        self.transaction.query_row(sql, key, |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// No refund of this trade can follow. Only a paid trade finishes.
    pub(super) fn finish(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let sql =
            "UPDATE trade SET status = 'TRADE_FINISHED' WHERE out_trade_no = ?1 AND status = 'TRADE_SUCCESS'";
        if self.transaction.execute(sql, [&trade.out_trade_no])? == 1 {
            trade.status = Status::Finished;
        }
        Ok(())
    }

    /// A phone has opened the code.
    pub(super) fn scanned(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let sql = "UPDATE trade SET scanned_ms = ?2 WHERE out_trade_no = ?1 AND scanned_ms IS NULL";
        self.transaction.execute(sql, params![trade.out_trade_no, self.now_ms])?;
        trade.scanned_ms = trade.scanned_ms.or(Some(self.now_ms));
        Ok(())
    }

    /// The buyer is typing a password for this many more queries; -1: until a person says so.
    pub(super) fn wait_for(&self, trade: &mut Trade, queries: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE trade SET queries_left = ?2 WHERE out_trade_no = ?1 AND status = 'WAIT_BUYER_PAY'";
        self.transaction.execute(sql, params![trade.out_trade_no, queries])?;
        trade.queries_left = Some(queries);
        Ok(())
    }

    pub(super) fn bury(&self, out_trade_no: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO tombstone (out_trade_no, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.transaction.execute(sql, params![out_trade_no, self.now_ms])?;
        Ok(())
    }

    pub(super) fn is_buried(&self, out_trade_no: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tombstone WHERE out_trade_no = ?1)";
        self.transaction.query_row(sql, [out_trade_no], |row| row.get(0))
    }

    /// Uses a pay code up. False: it was used before.
    pub(super) fn use_code(&self, hash: &str, out_trade_no: &str) -> rusqlite::Result<bool> {
        let changed = self.transaction.execute(
            "INSERT INTO pay_code (code_hash, used_ms, out_trade_no) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET used_ms = ?2, out_trade_no = ?3 WHERE used_ms IS NULL",
            params![hash, self.now_ms, out_trade_no],
        )?;
        Ok(changed == 1)
    }

    /// Notes a request that may move money, before it is worked on.
    pub(super) fn note_request(
        &self,
        out_trade_no: &str,
        method: Method,
        amount: i64,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO event (at_ms, out_trade_no, kind, method, amount) VALUES (?1, ?2, 'request', ?3, ?4)";
        self.transaction.execute(sql, params![self.now_ms, out_trade_no, method.name(), amount])?;
        Ok(())
    }

    pub(super) fn note(&self, out_trade_no: &str, kind: &str, amount: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO event (at_ms, out_trade_no, kind, amount) VALUES (?1, ?2, ?3, ?4)";
        self.transaction.execute(sql, params![self.now_ms, out_trade_no, kind, amount])?;
        Ok(())
    }
}

fn read_trade(row: &Row<'_>) -> rusqlite::Result<Trade> {
    let status: String = row.get("status")?;
    let status = Status::named(&status).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Trade {
        out_trade_no: row.get("out_trade_no")?,
        trade_no: row.get("trade_no")?,
        app_id: row.get("app_id")?,
        subject: row.get("subject")?,
        total: row.get("total")?,
        status,
        buyer: row.get("buyer")?,
        auth_code_hash: row.get("auth_code_hash")?,
        qr_token: row.get("qr_token")?,
        scanned_ms: row.get("scanned_ms")?,
        expires_ms: row.get("expires_ms")?,
        paid_ms: row.get("paid_ms")?,
        queries_left: row.get("queries_left")?,
        captures: row.get("captures")?,
        refunded: row.get("refunded")?,
    })
}
