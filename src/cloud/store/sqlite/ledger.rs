//! Relayed payments and the ledger of stored value, in SQLite.

use super::Sqlite;
use super::rows::{all, first, money, parsed};
use super::terminals::put_notice;
use crate::cloud::judge::words;
use crate::cloud::store::ledger::{
    HouseBack, HousePaid, HousePay, HouseRow, HouseState, Known, LOADED, Ledger, LedgerCount, Movement,
    NewRelay, NewRelayedRefund, RefundLeave, Relayed, RelayedPayment, SPENT, member_account,
};
use crate::cloud::store::{NoticeBody, Reply, StoreError};
use crate::money::{Currency, Money};
use crate::record::ids::{IntentId, RefundId, TerminalId};
use crate::record::money_moves::ProviderName;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

impl Ledger for Sqlite {
    fn relay(&self, payment: NewRelay) -> Reply<'_, Relayed> {
        self.write(move |tx| {
            if put_relay(tx, &payment, "sent")? {
                return Ok(Relayed::First);
            }
            Ok(match relay_row(tx, payment.intent)? {
                Some(row) if !row.is_of(&payment) => Relayed::Taken,
                Some(row) if row.ruled_out => Relayed::RuledOut,
                Some(_) | None => Relayed::Again,
            })
        })
    }

    fn relayed(&self, terminal: TerminalId, intent: IntentId) -> Reply<'_, Known> {
        self.read(move |db| known(db, &terminal, intent))
    }

    fn rule_out(&self, payment: NewRelay) -> Reply<'_, Known> {
        self.write(move |tx| {
            put_relay(tx, &payment, "ruled_out")?;
            known(tx, &payment.terminal, payment.intent)
        })
    }

    fn relayed_by(&self, provider: ProviderName, intent: IntentId) -> Reply<'_, Option<RelayedPayment>> {
        self.read(move |db| {
            let Some(row) = relay_row(db, intent)? else { return Ok(None) };
            if row.ruled_out || row.provider != words::provider(provider) {
                return Ok(None);
            }
            let sql = "SELECT count(*) FROM payment_told WHERE intent = ?1";
            let told: i64 = db.prepare_cached(sql)?.query_row([intent.to_string()], |row| row.get(0))?;
            let terminal = parsed(&row.terminal)?;
            Ok(Some(RelayedPayment { intent, terminal, amount: row.amount, is_told: told > 0 }))
        })
    }

    fn tell_paid(&self, payment: RelayedPayment, notice: NoticeBody, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let sql = "INSERT INTO payment_told (intent, told_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let told = tx.execute(sql, params![payment.intent.to_string(), now_ms])? == 1;
            if told {
                put_notice(tx, &payment.terminal, &notice, now_ms)?;
            }
            Ok(told)
        })
    }

    fn relay_refund(&self, refund: NewRelayedRefund) -> Reply<'_, RefundLeave> {
        self.write(move |tx| relay_refund(tx, &refund))
    }

    fn refuse_refund(&self, refund: RefundId) -> Reply<'_, ()> {
        self.write(move |tx| {
            let sql = "UPDATE relayed_refund SET state = 'refused' WHERE refund = ?1 AND state = 'sent'";
            tx.execute(sql, [refund.to_string()])?;
            Ok(())
        })
    }

    fn house_pay(&self, payment: HousePay) -> Reply<'_, HousePaid> {
        self.write(move |tx| house_pay(tx, &payment))
    }

    fn house_payment(&self, intent: IntentId) -> Reply<'_, Option<HouseRow>> {
        self.read(move |db| match house_row(db, intent)? {
            Some((payer, row)) => with_balance(db, payer.as_deref(), row).map(Some),
            None => Ok(None),
        })
    }

    fn house_end(&self, intent: IntentId, now_ms: i64) -> Reply<'_, HouseBack> {
        self.write(move |tx| house_end(tx, intent, now_ms))
    }

    fn house_refund(
        &self,
        intent: IntentId,
        reference: String,
        amount: Money,
        now_ms: i64,
    ) -> Reply<'_, HouseBack> {
        self.write(move |tx| {
            let Some((Some(member), row)) = house_row(tx, intent)? else {
                return Ok(HouseBack::NoSuchPayment);
            };
            if transferred(tx, &reference)? {
                return Ok(HouseBack::Done);
            }
            let left = Money::new(row.amount.minor - row.refunded.minor, row.amount.currency);
            if amount.currency != left.currency || !amount.is_positive() || amount.minor > left.minor {
                return Ok(HouseBack::TooMuch { left });
            }
            give_back(tx, intent, &member, amount, &reference, now_ms)?;
            Ok(HouseBack::Done)
        })
    }

    fn house_refunded(&self, reference: String) -> Reply<'_, bool> {
        self.read(move |db| transferred(db, &reference))
    }

    fn load(&self, member: String, amount: Money, reference: String, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            if secret_of(tx, &member)?.is_none() {
                return Ok(false);
            }
            if !transferred(tx, &reference)? {
                let to = member_account(&member);
                let leg = Leg { reference: &reference, from: LOADED, to: &to, amount, words: "loaded" };
                transfer(tx, &leg, now_ms)?;
            }
            Ok(true)
        })
    }

    fn balance(&self, member: String, currency: Currency) -> Reply<'_, Option<Money>> {
        self.read(move |db| {
            if secret_of(db, &member)?.is_none() {
                return Ok(None);
            }
            balance(db, &member_account(&member), currency).map(Some)
        })
    }

    fn statement(&self, member: String, limit: u32) -> Reply<'_, Vec<Movement>> {
        self.read(move |db| {
            let account = member_account(&member);
            let sql = "SELECT * FROM transfer WHERE from_account = ?1 OR to_account = ?1
                       ORDER BY made_ms DESC, reference LIMIT ?2";
            all(&mut db.prepare_cached(sql)?, params![account, limit], |row| {
                let amount = money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?;
                let out = row.get::<_, String>("from_account")? == account;
                let signed = if out { -amount.minor } else { amount.minor };
                Ok(Movement {
                    reference: row.get("reference")?,
                    amount: Money::new(signed, amount.currency),
                    words: row.get("words")?,
                    made_ms: row.get("made_ms")?,
                })
            })
        })
    }

    fn count_ledger(&self) -> Reply<'_, LedgerCount> {
        self.read(count)
    }
}

struct RelayRow {
    terminal: String,
    provider: String,
    amount: Money,
    ruled_out: bool,
}

impl RelayRow {
    fn is_of(&self, payment: &NewRelay) -> bool {
        let same =
            self.terminal == payment.terminal.as_str() && self.provider == words::provider(payment.provider);
        same && (self.ruled_out || self.amount == payment.amount)
    }
}

fn put_relay(tx: &Transaction<'_>, payment: &NewRelay, state: &str) -> Result<bool, StoreError> {
    let inserted = tx
        .prepare_cached(
            "INSERT INTO relayed_payment (intent, terminal, provider, amount_minor, currency, state, made_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            payment.intent.to_string(),
            payment.terminal.as_str(),
            words::provider(payment.provider),
            payment.amount.minor,
            payment.amount.currency.code(),
            state,
            payment.now_ms
        ])?;
    Ok(inserted == 1)
}

fn relay_row(db: &Connection, intent: IntentId) -> Result<Option<RelayRow>, StoreError> {
    let sql = "SELECT * FROM relayed_payment WHERE intent = ?1";
    first(&mut db.prepare_cached(sql)?, [intent.to_string()], |row| {
        Ok(RelayRow {
            terminal: row.get("terminal")?,
            provider: row.get("provider")?,
            amount: money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?,
            ruled_out: row.get::<_, String>("state")? == "ruled_out",
        })
    })
}

fn known(db: &Connection, terminal: &TerminalId, intent: IntentId) -> Result<Known, StoreError> {
    Ok(match relay_row(db, intent)? {
        None => Known::Unheard,
        Some(row) if row.terminal != terminal.as_str() => Known::NotYours,
        Some(row) if row.ruled_out => Known::RuledOut,
        Some(row) => Known::Sent(row.amount),
    })
}

fn relay_refund(tx: &Transaction<'_>, new: &NewRelayedRefund) -> Result<RefundLeave, StoreError> {
    let sql = "SELECT * FROM relayed_refund WHERE refund = ?1";
    let before = first(&mut tx.prepare_cached(sql)?, [new.refund.to_string()], |row| {
        let amount = money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?;
        Ok((row.get::<_, String>("intent")?, amount, row.get::<_, String>("state")?))
    })?;
    if let Some((intent, amount, state)) = &before {
        if *intent != new.intent.to_string() || *amount != new.amount {
            return Ok(RefundLeave::Differs);
        }
        // What the wallet refused may be tried again under its number: the shop has filled its account since.
        if state != "refused" {
            return Ok(RefundLeave::Given);
        }
    }
    let paid = relay_row(tx, new.intent)?.map_or(Money::new(0, new.amount.currency), |row| row.amount);
    let sql =
        "SELECT coalesce(sum(amount_minor), 0) FROM relayed_refund WHERE intent = ?1 AND state = 'sent'";
    let given: i64 = tx.prepare_cached(sql)?.query_row([new.intent.to_string()], |row| row.get(0))?;
    let left = Money::new(paid.minor.saturating_sub(given), paid.currency);
    if new.amount.currency != left.currency || !new.amount.is_positive() || new.amount.minor > left.minor {
        return Ok(RefundLeave::TooMuch { left });
    }
    tx.prepare_cached(
        "INSERT INTO relayed_refund (refund, intent, amount_minor, currency, state, made_ms)
         VALUES (?1, ?2, ?3, ?4, 'sent', ?5) ON CONFLICT (refund) DO UPDATE SET state = 'sent'",
    )?
    .execute(params![
        new.refund.to_string(),
        new.intent.to_string(),
        new.amount.minor,
        new.amount.currency.code(),
        new.now_ms
    ])?;
    Ok(RefundLeave::Given)
}

fn house_pay(tx: &Transaction<'_>, pay: &HousePay) -> Result<HousePaid, StoreError> {
    let member = pay.code.member.to_string();
    if let Some((payer, row)) = house_row(tx, pay.intent)? {
        return Ok(match row.state {
            HouseState::Ended => HousePaid::Ended,
            HouseState::Paid if payer.as_deref() == Some(&member) && row.amount == pay.amount => {
                HousePaid::Paid(with_balance(tx, payer.as_deref(), row)?)
            }
            HouseState::Paid => HousePaid::Differs,
        });
    }
    let Some(secret) = secret_of(tx, &member)? else { return Ok(HousePaid::NoSuchMember) };
    let Ok(step) = pay.code.verify(&secret, pay.now_ms.div_euclid(1000)) else {
        return Ok(HousePaid::StaleCode);
    };
    let account = member_account(&member);
    let balance = balance(tx, &account, pay.amount.currency)?;
    if balance.minor < pay.amount.minor {
        return Ok(HousePaid::TooLittle { balance });
    }
    let fresh = tx
        .prepare_cached(
            "INSERT INTO member_code_spent (member, step, intent) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![member, step, pay.intent.to_string()])?;
    if fresh == 0 {
        return Ok(HousePaid::StaleCode);
    }
    let reference = format!("pay:{}", pay.intent);
    let words = format!("paid {}", pay.intent);
    let leg = Leg { reference: &reference, from: &account, to: SPENT, amount: pay.amount, words: &words };
    transfer(tx, &leg, pay.now_ms)?;
    put_house(tx, pay.intent, Some(&member), pay.amount, "paid", pay.now_ms)?;
    Ok(HousePaid::Paid(HouseRow {
        amount: pay.amount,
        refunded: Money::new(0, pay.amount.currency),
        state: HouseState::Paid,
        made_ms: pay.now_ms,
        balance: Some(Money::new(balance.minor - pay.amount.minor, balance.currency)),
    }))
}

/// A payment with what is on its payer's account now.
fn with_balance(db: &Connection, payer: Option<&str>, row: HouseRow) -> Result<HouseRow, StoreError> {
    let account = payer.map(member_account);
    let balance = account.map(|account| balance(db, &account, row.amount.currency)).transpose()?;
    Ok(HouseRow { balance, ..row })
}

fn house_end(tx: &Transaction<'_>, intent: IntentId, now_ms: i64) -> Result<HouseBack, StoreError> {
    match house_row(tx, intent)? {
        None => {
            // Nobody said how much it was to be: what stands here is that it is over.
            put_house(tx, intent, None, Money::new(0, Currency::CNY), "ended", now_ms)?;
            Ok(HouseBack::Nothing)
        }
        Some((_, HouseRow { state: HouseState::Ended, refunded, .. })) => {
            Ok(if refunded.is_positive() { HouseBack::Done } else { HouseBack::Nothing })
        }
        Some((member, row)) => {
            let left = Money::new(row.amount.minor - row.refunded.minor, row.amount.currency);
            if let (Some(member), true) = (member, left.is_positive()) {
                give_back(tx, intent, &member, left, &format!("end:{intent}"), now_ms)?;
            }
            tx.execute("UPDATE house_payment SET state = 'ended' WHERE intent = ?1", [intent.to_string()])?;
            Ok(HouseBack::Done)
        }
    }
}

fn give_back(
    tx: &Transaction<'_>,
    intent: IntentId,
    member: &str,
    amount: Money,
    reference: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (account, words) = (member_account(member), format!("given back {intent}"));
    transfer(tx, &Leg { reference, from: SPENT, to: &account, amount, words: &words }, now_ms)?;
    tx.prepare_cached("UPDATE house_payment SET refunded_minor = refunded_minor + ?2 WHERE intent = ?1")?
        .execute(params![intent.to_string(), amount.minor])?;
    Ok(())
}

fn put_house(
    tx: &Transaction<'_>,
    intent: IntentId,
    member: Option<&str>,
    amount: Money,
    state: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO house_payment (intent, member, amount_minor, currency, state, made_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        intent.to_string(),
        member,
        amount.minor,
        amount.currency.code(),
        state,
        now_ms
    ])?;
    Ok(())
}

/// Who pays, and where it stands.
type HouseFound = (Option<String>, HouseRow);

fn house_row(db: &Connection, intent: IntentId) -> Result<Option<HouseFound>, StoreError> {
    let sql = "SELECT * FROM house_payment WHERE intent = ?1";
    first(&mut db.prepare_cached(sql)?, [intent.to_string()], |row| {
        let currency: String = row.get("currency")?;
        let state = match row.get::<_, String>("state")?.as_str() {
            "paid" => HouseState::Paid,
            _ => HouseState::Ended,
        };
        let found = HouseRow {
            amount: money(row.get("amount_minor")?, &currency)?,
            refunded: money(row.get("refunded_minor")?, &currency)?,
            state,
            made_ms: row.get("made_ms")?,
            balance: None,
        };
        Ok((row.get("member")?, found))
    })
}

fn secret_of(db: &Connection, member: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT secret FROM member WHERE member = ?1";
    Ok(db.prepare_cached(sql)?.query_row([member], |row| row.get(0)).optional()?)
}

/// One transfer: out of one account, into another.
struct Leg<'a> {
    reference: &'a str,
    from: &'a str,
    to: &'a str,
    amount: Money,
    words: &'a str,
}

fn transfer(tx: &Transaction<'_>, leg: &Leg<'_>, now_ms: i64) -> Result<(), StoreError> {
    for (account, change) in [(leg.from, -leg.amount.minor), (leg.to, leg.amount.minor)] {
        // Only a member's account has a floor: it holds what was loaded and not spent.
        let floor = account.starts_with("member:").then_some(0_i64);
        tx.prepare_cached(
            "INSERT INTO account (account, currency, balance_minor, floor_minor) VALUES (?1, ?2, 0, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, leg.amount.currency.code(), floor])?;
        tx.prepare_cached(
            "UPDATE account SET balance_minor = balance_minor + ?3 WHERE account = ?1 AND currency = ?2",
        )?
        .execute(params![account, leg.amount.currency.code(), change])?;
    }
    tx.prepare_cached(
        "INSERT INTO transfer (reference, from_account, to_account, amount_minor, currency, words, made_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        leg.reference,
        leg.from,
        leg.to,
        leg.amount.minor,
        leg.amount.currency.code(),
        leg.words,
        now_ms
    ])?;
    Ok(())
}

fn transferred(db: &Connection, reference: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM transfer WHERE reference = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([reference], |row| row.get(0))?)
}

fn balance(db: &Connection, account: &str, currency: Currency) -> Result<Money, StoreError> {
    let sql = "SELECT balance_minor FROM account WHERE account = ?1 AND currency = ?2";
    let held: Option<i64> =
        db.prepare_cached(sql)?.query_row(params![account, currency.code()], |row| row.get(0)).optional()?;
    Ok(Money::new(held.unwrap_or(0), currency))
}

fn count(db: &Connection) -> Result<LedgerCount, StoreError> {
    let wrong = "SELECT account FROM account AS a WHERE balance_minor <> coalesce((
                     SELECT sum(CASE WHEN to_account = a.account THEN amount_minor ELSE -amount_minor END)
                     FROM transfer WHERE currency = a.currency AND a.account IN (from_account, to_account)), 0)
                 ORDER BY account";
    let uneven =
        "SELECT currency, sum(balance_minor) AS held FROM account GROUP BY currency HAVING held <> 0";
    let number = |sql: &str| -> Result<u64, StoreError> {
        super::rows::unsigned(db.query_row(sql, [], |row: &Row<'_>| row.get(0))?)
    };
    Ok(LedgerCount {
        accounts: number("SELECT count(*) FROM account")?,
        transfers: number("SELECT count(*) FROM transfer")?,
        wrong: all(&mut db.prepare_cached(wrong)?, [], |row| Ok(row.get(0)?))?,
        uneven: all(&mut db.prepare_cached(uneven)?, [], |row| {
            money(row.get("held")?, &row.get::<_, String>("currency")?)
        })?,
    })
}
