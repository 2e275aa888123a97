//! The few steps that change a trade, each guarded by the state it starts from, within one transaction.
//!
//! What the customer does by the clock happens whenever the trade is next looked at, with the time at which it
//! was due. Deliberately not here: what a merchant may ask and is told.

mod refund;

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    beijing, chance,
    customer::Manner,
    trade::{Buyer, End, Order, OrderKey, Origin, Status, Trade, read_trade},
    verb::{Verb, Wallet},
};

/// Trades whose customers act in one sweep; the next sweep has the rest.
const MAX_RIPE: i64 = 1_000;

/// The books within one transaction, at one moment.
pub(super) struct Books<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) now_ms: i64,
    pub(super) seed: u64,
}

impl Books<'_> {
    /// The trade of this order, as the clock has made it.
    pub(super) fn find(&self, key: &OrderKey) -> rusqlite::Result<Option<Trade>> {
        let sql = "SELECT * FROM trade WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3";
        self.find_where(sql, &[key.wallet.name(), &key.merchant, &key.number])
    }

    pub(super) fn find_by_trade_no(&self, wallet: Wallet, trade_no: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where("SELECT * FROM trade WHERE wallet = ?1 AND trade_no = ?2", &[wallet.name(), trade_no])
    }

    pub(super) fn find_by_token(&self, token: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where("SELECT * FROM trade WHERE qr_token = ?1", &[token])
    }

    /// The newest trade under this order number, whoever's it is: for people, who name no merchant.
    pub(super) fn find_by_number(&self, number: &str) -> rusqlite::Result<Option<Trade>> {
        self.find_where(
            "SELECT * FROM trade WHERE out_trade_no = ?1 ORDER BY created_ms DESC LIMIT 1",
            &[number],
        )
    }

    /// Every trade, the newest first, at most `limit`.
    pub(super) fn newest(&self, limit: i64) -> rusqlite::Result<Vec<Trade>> {
        self.list("SELECT * FROM trade ORDER BY created_ms DESC, rowid DESC LIMIT ?1", params![limit])
    }

    /// Lets every customer act whose time has come.
    pub(super) fn ripen_all(&self) -> rusqlite::Result<()> {
        let sql = "SELECT * FROM trade WHERE captures = 0 AND status IN ('WAIT_BUYER_PAY', 'TRADE_CLOSED')
            AND (pays_ms <= ?1 OR (status = 'WAIT_BUYER_PAY' AND (refuses_ms <= ?1 OR expires_ms <= ?1)))
            LIMIT ?2";
        self.list(sql, params![self.now_ms, MAX_RIPE]).map(|_| ())
    }

    fn list(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<Vec<Trade>> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let trades = statement.query_map(values, read_trade)?.collect::<rusqlite::Result<Vec<_>>>()?;
        trades.into_iter().map(|trade| self.ripen(trade)).collect()
    }

    fn find_where(&self, sql: &str, values: &[&str]) -> rusqlite::Result<Option<Trade>> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let found = statement.query_row(rusqlite::params_from_iter(values), read_trade).optional()?;
        found.map(|trade| self.ripen(trade)).transpose()
    }

    /// What the customer and the clock have done since anybody looked.
    fn ripen(&self, mut trade: Trade) -> rusqlite::Result<Trade> {
        let is_due = |at: Option<i64>| at.filter(|at| *at <= self.now_ms);
        let is_open = trade.status == Status::Waiting;
        let pays = is_due(trade.pays_ms).filter(|at| !is_open || *at < trade.expires_ms);
        if let Some(at_ms) = pays.filter(|_| trade.captures == 0) {
            self.capture_at(&mut trade, at_ms)?;
        } else if is_open && is_due(trade.refuses_ms).is_some() {
            self.refuse(&mut trade)?;
        } else if is_open && trade.expires_ms <= self.now_ms {
            self.end(&mut trade, End::Time)?;
        }
        Ok(trade)
    }

    /// Writes a trade that waits for its buyer, who behaves as `buyer` says.
    pub(super) fn open(&self, order: &Order, origin: &Origin, buyer: &Buyer) -> rusqlite::Result<Trade> {
        let OrderKey { wallet, merchant, number } = &order.key;
        let parts = ["trade", wallet.name(), merchant, number];
        let serial = chance::draw(self.seed, &parts) % 1_000_000_000_000_000;
        let day = beijing::day(self.now_ms);
        let trade_no = match wallet {
            Wallet::Alipay => format!("{day}22001{serial:015}"),
            Wallet::Wechat => format!("42000{day}{serial:015}"),
        };
        let (kind, hash, token, scanned) = match origin {
            Origin::PayCode(hash) => ("pay", Some(hash.clone()), None, Some(self.now_ms)),
            Origin::Precreated | Origin::OnPhone(_) => {
                let letters = if let Origin::OnPhone(letters) = origin { letters } else { "" };
                let token = chance::token(self.seed, &["qr", wallet.name(), merchant, number]);
                ("precreate", None, Some(format!("{letters}{token}")), None)
            }
        };
        let mut plan = Plan::of(buyer.manner, self.now_ms);
        if wallet == &Wallet::Alipay && plan.pays_ms.is_some() && scanned.is_none() {
            plan.scanned_ms = Some(self.now_ms);
        }
        let discount = buyer.discount.within(order.total);
        self.transaction.execute(
            "INSERT INTO trade (wallet, merchant, out_trade_no, trade_no, app_id, origin, subject, attach, total,
                currency, status, auth_code_hash, qr_token, notify_url, key_id, created_ms, scanned_ms, expires_ms,
                pays_ms, refuses_ms, late_ms, queries_left, merchant_discount, platform_discount, points)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'CNY', 'WAIT_BUYER_PAY', ?10, ?11, ?12, ?13, ?14, ?15,
                ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
            params![
                wallet.name(),
                merchant,
                number,
                trade_no,
                order.app_id,
                kind,
                order.subject,
                order.attach,
                order.total,
                hash,
                token,
                order.notify_url,
                order.key_id,
                self.now_ms,
                scanned.or(plan.scanned_ms),
                order.expires_ms,
                plan.pays_ms,
                plan.refuses_ms,
                plan.late_ms,
                plan.queries_left,
                discount.merchant,
                discount.platform,
                discount.points,
            ],
        )?;
        // Found again, so that a customer whose time is now has acted.
        self.find(&order.key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Takes the money of a waiting trade now. Of any other it takes nothing.
    pub(super) fn capture(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        if trade.status == Status::Waiting { self.capture_at(trade, self.now_ms) } else { Ok(()) }
    }

    fn capture_at(&self, trade: &mut Trade, at_ms: i64) -> rusqlite::Result<()> {
        let payer = trade.auth_code_hash.as_deref().or(trade.qr_token.as_deref()).unwrap_or_default();
        let person = chance::draw(self.seed, &["buyer", payer]);
        let buyer = match trade.key.wallet {
            Wallet::Alipay => format!("2088{:012}", person % 1_000_000_000_000),
            Wallet::Wechat => format!("oUpF8u{:022}", person),
        };
        let changed = self.transaction.execute(
            "UPDATE trade SET status = 'TRADE_SUCCESS', captures = captures + 1, paid_ms = ?4, buyer = ?5,
                queries_left = NULL, pays_ms = NULL, refuses_ms = NULL, late_ms = NULL, ended_by = NULL
             WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND captures = 0
                AND (status = 'WAIT_BUYER_PAY' OR (status = 'TRADE_CLOSED' AND pays_ms IS NOT NULL))",
            params![trade.key.wallet.name(), trade.key.merchant, trade.key.number, at_ms, buyer],
        )?;
        if changed == 1 {
            self.note(&trade.key, "capture", trade.total)?;
            self.announce(trade)?;
            *trade = Trade {
                status: Status::Paid,
                ended_by: None,
                captures: 1,
                paid_ms: Some(at_ms),
                buyer: Some(buyer),
                queries_left: None,
                pays_ms: None,
                refuses_ms: None,
                late_ms: None,
                ..trade.clone()
            };
        }
        Ok(())
    }

    /// Ends a waiting trade unpaid. Any other stays as it is. A customer who pays late does so from now on.
    pub(super) fn end(&self, trade: &mut Trade, why: End) -> rusqlite::Result<()> {
        let late = trade.late_ms.filter(|_| matches!(why, End::Cancel | End::Close));
        let pays_ms = late.map(|after_ms| self.now_ms.saturating_add(after_ms));
        let changed = self.transaction.execute(
            "UPDATE trade SET status = 'TRADE_CLOSED', ended_by = ?4, queries_left = NULL, refuses_ms = NULL,
                pays_ms = ?5, late_ms = NULL
             WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND status = 'WAIT_BUYER_PAY'",
            params![trade.key.wallet.name(), trade.key.merchant, trade.key.number, why.name(), pays_ms],
        )?;
        if changed == 1 {
            self.note(&trade.key, "close", trade.total)?;
            trade.status = Status::Closed;
            trade.ended_by = Some(why);
            (trade.queries_left, trade.refuses_ms, trade.late_ms, trade.pays_ms) =
                (None, None, None, pays_ms);
        }
        Ok(())
    }

    /// The buyer says no to a waiting trade.
    pub(super) fn refuse(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        self.note(&trade.key, "refuse", trade.total)?;
        self.end(trade, End::Buyer)
    }

    /// Of a trade that ended unpaid: from now on it ended for this reason.
    pub(super) fn end_again(&self, trade: &mut Trade, why: End) -> rusqlite::Result<()> {
        let sql = "UPDATE trade SET ended_by = ?4
            WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND status = 'TRADE_CLOSED' AND captures = 0";
        let key = &trade.key;
        self.transaction.execute(sql, params![key.wallet.name(), key.merchant, key.number, why.name()])?;
        trade.ended_by = Some(why);
        Ok(())
    }

    /// No refund of this trade can follow. Only a paid trade finishes.
    pub(super) fn finish(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let sql = "UPDATE trade SET status = 'TRADE_FINISHED'
            WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND status = 'TRADE_SUCCESS'";
        let key = &trade.key;
        if self.transaction.execute(sql, params![key.wallet.name(), key.merchant, key.number])? == 1 {
            trade.status = Status::Finished;
        }
        Ok(())
    }

    /// A phone has opened the code.
    pub(super) fn scanned(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        let sql = "UPDATE trade SET scanned_ms = ?4
            WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND scanned_ms IS NULL";
        let key = &trade.key;
        self.transaction.execute(sql, params![key.wallet.name(), key.merchant, key.number, self.now_ms])?;
        trade.scanned_ms = trade.scanned_ms.or(Some(self.now_ms));
        Ok(())
    }

    /// One of the queries that the buyer's typing takes. The money moves with the one after the last.
    pub(super) fn count_query(&self, trade: &mut Trade) -> rusqlite::Result<()> {
        match (trade.status, trade.queries_left) {
            (Status::Waiting, Some(0)) => self.capture(trade),
            (Status::Waiting, Some(left @ 1..)) => {
                let sql = "UPDATE trade SET queries_left = ?4
                    WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3 AND status = 'WAIT_BUYER_PAY'";
                let key = &trade.key;
                self.transaction
                    .execute(sql, params![key.wallet.name(), key.merchant, key.number, left - 1])?;
                trade.queries_left = Some(left - 1);
                Ok(())
            }
            (Status::Waiting | Status::Paid | Status::Finished | Status::Closed, _) => Ok(()),
        }
    }

    pub(super) fn bury(&self, key: &OrderKey) -> rusqlite::Result<()> {
        let sql = "INSERT INTO tombstone (wallet, merchant, out_trade_no, at_ms) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO NOTHING";
        self.transaction.execute(sql, params![key.wallet.name(), key.merchant, key.number, self.now_ms])?;
        Ok(())
    }

    pub(super) fn is_buried(&self, key: &OrderKey) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tombstone
            WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3)";
        self.transaction.query_row(sql, [key.wallet.name(), &key.merchant, &key.number], |row| row.get(0))
    }

    /// Uses a pay code up. False: it was used before.
    pub(super) fn use_code(&self, hash: &str, key: &OrderKey) -> rusqlite::Result<bool> {
        let changed = self.transaction.execute(
            "INSERT INTO pay_code (code_hash, wallet, used_ms, out_trade_no) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET used_ms = ?3, out_trade_no = ?4 WHERE used_ms IS NULL",
            params![hash, key.wallet.name(), self.now_ms, key.number],
        )?;
        Ok(changed == 1)
    }

    /// Notes a request that may move money, before it is worked on.
    pub(super) fn note_request(&self, key: &OrderKey, verb: Verb, amount: i64) -> rusqlite::Result<()> {
        self.note_event(key, "request", Some(verb.name(key.wallet)), amount)
    }

    pub(super) fn note(&self, key: &OrderKey, kind: &str, amount: i64) -> rusqlite::Result<()> {
        self.note_event(key, kind, None, amount)
    }

    fn note_event(
        &self,
        key: &OrderKey,
        kind: &str,
        method: Option<&str>,
        amount: i64,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO event (at_ms, wallet, merchant, out_trade_no, kind, method, amount)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![self.now_ms, key.wallet.name(), key.merchant, key.number, kind, method, amount];
        self.transaction.execute(sql, values)?;
        Ok(())
    }

    fn announce(&self, trade: &Trade) -> rusqlite::Result<()> {
        match &trade.notify_url {
            Some(url) => self.announce_to(trade, url, None, self.now_ms),
            None => Ok(()),
        }
    }

    fn announce_to(
        &self,
        trade: &Trade,
        url: &str,
        refund: Option<&str>,
        due_ms: i64,
    ) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO notice (wallet, merchant, out_trade_no, out_request_no, url, created_ms, due_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let key = &trade.key;
        let values = params![key.wallet.name(), key.merchant, key.number, refund, url, self.now_ms, due_ms];
        self.transaction.execute(sql, values)?;
        Ok(())
    }
}

/// A manner as times in a trade's row.
#[derive(Debug, Default)]
struct Plan {
    scanned_ms: Option<i64>,
    pays_ms: Option<i64>,
    refuses_ms: Option<i64>,
    late_ms: Option<i64>,
    queries_left: Option<i64>,
}

impl Plan {
    fn of(manner: Option<Manner>, now_ms: i64) -> Plan {
        let at = |after_ms: i64| Some(now_ms.saturating_add(after_ms));
        match manner {
            None | Some(Manner::Pay | Manner::Refuse | Manner::WalkAway) => Plan::default(),
            Some(Manner::ConfirmAfter { after_ms }) => Plan { pays_ms: at(after_ms), ..Plan::default() },
            Some(Manner::RefuseAfter { after_ms }) => Plan { refuses_ms: at(after_ms), ..Plan::default() },
            Some(Manner::PayAfterCancel { after_ms }) => Plan { late_ms: Some(after_ms), ..Plan::default() },
            Some(Manner::Password { after_queries }) => {
                Plan { queries_left: Some(after_queries.map_or(-1, i64::from)), ..Plan::default() }
            }
        }
    }
}
