//! What the books say of one order, for a judge who runs the gateway without a port.
//!
//! Deliberately not here: what a merchant is told; the books are another witness than the answers.

use super::{
    ledger::LedgerError,
    machine::Gateway,
    trade::{OrderKey, Refund, Status},
    verb::Wallet,
};

/// One order's money, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// What was ordered.
    pub total: i64,
    /// How often money was taken: 0 or 1, over all entries.
    pub captures: i64,
    /// What was taken, the sum of its entries.
    pub captured: i64,
    /// What was given back, the sum of its entries.
    pub refunded: i64,
    /// Whether it still waits for its buyer.
    pub is_waiting: bool,
    /// Whether its buyer will pay later although it was cancelled.
    pub will_pay: bool,
}

impl Gateway {
    /// The order's money at `now_ms`; none if the wallet has no trade of it. `merchant` is Alipay's app id or
    /// WeChat Pay's mchid.
    pub fn account(
        &self,
        wallet: Wallet,
        merchant: &str,
        out_trade_no: &str,
        now_ms: i64,
    ) -> Result<Option<Account>, LedgerError> {
        const SQL: &str = "SELECT count(*) FILTER (WHERE kind = 'capture'),
            coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0),
            coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)
            FROM event WHERE wallet = ?1 AND merchant = ?2 AND out_trade_no = ?3";
        let key = OrderKey { wallet, merchant: merchant.to_owned(), number: out_trade_no.to_owned() };
        self.on_books(now_ms, |books| {
            let Some(trade) = books.find(&key)? else { return Ok(None) };
            let sums = [wallet.name(), merchant, out_trade_no];
            books.transaction.query_row(SQL, sums, |row| {
                Ok(Some(Account {
                    total: trade.total,
                    captures: row.get(0)?,
                    captured: row.get(1)?,
                    refunded: row.get(2)?,
                    is_waiting: trade.status == Status::Waiting,
                    will_pay: trade.captures == 0 && trade.pays_ms.is_some(),
                }))
            })
        })
    }

    /// The numbers of all orders on the books, of either wallet and any merchant.
    pub fn orders(&self, now_ms: i64) -> Result<Vec<String>, LedgerError> {
        self.on_books(now_ms, |books| {
            let mut all =
                books.transaction.prepare("SELECT out_trade_no FROM trade ORDER BY out_trade_no")?;
            all.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Somebody gives back, on the wallet's own pages for merchants, all that an order still keeps. False: it keeps
    /// nothing.
    pub fn give_back(&self, out_trade_no: &str, now_ms: i64) -> Result<bool, LedgerError> {
        self.on_books(now_ms, |books| {
            let Some(mut trade) = books.find_by_number(out_trade_no)? else { return Ok(false) };
            let refund = Refund {
                number: format!("by hand:{out_trade_no}"),
                amount: trade.total - trade.refunded,
                reason: None,
                made_ms: now_ms,
                told_ms: now_ms,
            };
            books.refund(&mut trade, &refund, None)
        })
    }

    /// The buyer of a waiting order pays now, or says no. False: nothing of that number waits.
    pub fn decide(&self, out_trade_no: &str, answer: Decision, now_ms: i64) -> Result<bool, LedgerError> {
        self.on_books(now_ms, |books| {
            let found = books.find_by_number(out_trade_no)?;
            let Some(mut trade) = found.filter(|trade| trade.status == Status::Waiting) else {
                return Ok(false);
            };
            books.scanned(&mut trade)?;
            match answer {
                Decision::Pay => books.capture(&mut trade)?,
                Decision::Refuse => books.refuse(&mut trade)?,
            }
            Ok(true)
        })
    }
}

/// What a buyer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Pay,
    /// No.
    Refuse,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::gateway::{
        Manner,
        tests::merchant::{CODE, MCHID, Merchant},
    };

    #[test]
    fn the_books_tell_what_was_taken_and_given_back() {
        let shop = Merchant::new();
        let account = || {
            let now_ms = shop.now_ms.get();
            shop.gateway.account(Wallet::Wechat, MCHID, "A", now_ms).unwrap()
        };
        assert_eq!(account(), None);
        shop.gateway.customers().set_usual(Some(Manner::WalkAway));
        shop.pay("A", CODE, 100);
        assert!(account().unwrap().is_waiting);
        assert!(shop.gateway.decide("A", Decision::Pay, shop.now_ms.get()).unwrap());
        assert!(!shop.gateway.decide("A", Decision::Refuse, shop.now_ms.get()).unwrap());
        shop.refund("A", "R1", 30, 100);
        let expected = Account {
            total: 100,
            captures: 1,
            captured: 100,
            refunded: 30,
            is_waiting: false,
            will_pay: false,
        };
        assert_eq!(account(), Some(expected));
        assert_eq!(shop.gateway.orders(shop.now_ms.get()).unwrap(), ["A"]);
        assert!(shop.gateway.give_back("A", shop.now_ms.get()).unwrap());
        assert!(!shop.gateway.give_back("A", shop.now_ms.get()).unwrap(), "nothing is kept any more");
        assert_eq!(account(), Some(Account { refunded: 100, ..expected }));
    }
}
