//! Orders and refunds, in SQLite.
//!
//! Not here: what phones wish for (`wishes`).

mod wishes;

use super::Sqlite;
use super::publish::put_task;
use super::rows::{all, first, money, parsed, parsed_option};
use super::terminals::put_notice;
use crate::cloud::judge::words;
use crate::cloud::store::{
    Advance, GivenUp, LATE_REFUSED, NewOrder, NewRefund, NewRequest, NoticeBody, OrderRow, OrderState,
    Orders, PendingRefund, RefundRow, RefundState, Registered, Reply, Requested, Reserved, StoreError,
};
use crate::money::Money;
use crate::record::Epoch;
use crate::record::ids::{IntentId, RefundId, SaleId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::wallet::PhoneBrowser;
use rusqlite::{Connection, Row, Transaction, params};

impl Orders for Sqlite {
    fn request_payment(&self, request: NewRequest) -> Reply<'_, Requested> {
        self.write(move |tx| wishes::request_payment(tx, &request))
    }

    fn offer(&self, terminal: TerminalId, offered: NoticeBody, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| wishes::offer(tx, &terminal, &offered, now_ms))
    }

    fn give_up_request(&self, given_up: GivenUp) -> Reply<'_, bool> {
        self.write(move |tx| wishes::give_up(tx, &given_up))
    }

    fn register_order(&self, order: NewOrder) -> Reply<'_, Registered> {
        self.write(move |tx| register(tx, &order))
    }

    fn order(&self, intent: IntentId) -> Reply<'_, Option<OrderRow>> {
        self.read(move |db| by_intent(db, intent))
    }

    fn order_by_text(&self, text: String) -> Reply<'_, Option<OrderRow>> {
        self.read(move |db| {
            let sql = "SELECT * FROM order_claim WHERE order_text = ?1";
            first(&mut db.prepare_cached(sql)?, [text], order)
        })
    }

    fn order_of_sale(&self, sale: SaleId) -> Reply<'_, Option<OrderRow>> {
        self.read(move |db| {
            // Of two orders of one second, the one that still lives.
            let sql = "SELECT * FROM order_claim WHERE sale = ?1 ORDER BY issued_at_s DESC,
                           state IN ('withdrawn', 'ended', 'paid_late', 'refunded'), changed_ms DESC LIMIT 1";
            first(&mut db.prepare_cached(sql)?, [sale.to_string()], order)
        })
    }

    fn orders_due(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<OrderRow>> {
        self.read(move |db| {
            let sql = "SELECT * FROM order_claim WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2";
            all(&mut db.prepare_cached(sql)?, params![now_ms, limit], order)
        })
    }

    fn put_off(&self, intent: IntentId, state: OrderState, due_ms: Option<i64>) -> Reply<'_, bool> {
        self.write(move |tx| {
            let sql = "UPDATE order_claim SET due_ms = ?3 WHERE intent = ?1 AND state = ?2";
            Ok(tx.prepare_cached(sql)?.execute(params![intent.to_string(), state.word(), due_ms])? == 1)
        })
    }

    fn advance(&self, step: Advance) -> Reply<'_, bool> {
        self.write(move |tx| advance(tx, &step))
    }

    fn reserve_refund(&self, refund: NewRefund) -> Reply<'_, Reserved> {
        self.write(move |tx| reserve(tx, &refund))
    }

    fn pending_refunds(&self, intent: IntentId) -> Reply<'_, Vec<PendingRefund>> {
        self.read(move |db| {
            let sql = "SELECT refund, amount_minor, currency, why FROM refund
                       WHERE intent = ?1 AND state = 'pending' ORDER BY refund";
            all(&mut db.prepare_cached(sql)?, [intent.to_string()], |row| {
                Ok(PendingRefund {
                    refund: parsed(&row.get::<_, String>("refund")?)?,
                    amount: money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?,
                    why: row.get("why")?,
                })
            })
        })
    }

    fn late_is_dealt_with(&self, intent: IntentId) -> Reply<'_, bool> {
        self.read(move |db| late_is_dealt_with(db, intent))
    }

    fn end_refund(&self, refund: RefundId, state: RefundState, words: String, now_ms: i64) -> Reply<'_, ()> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE refund SET state = ?2, words = ?3, changed_ms = ?4 WHERE refund = ?1 AND state = 'pending'",
                params![refund.to_string(), state.word(), words, now_ms],
            )?;
            Ok(())
        })
    }
}

fn register(tx: &Transaction<'_>, new: &NewOrder) -> Result<Registered, StoreError> {
    // What its till has given up no phone may pay, also where that was heard first.
    let over = "SELECT count(*) FROM payment WHERE intent = ?1 AND terminal = ?2
                AND state IN ('abandoned', 'declined', 'cancelled', 'tombstoned')";
    let given_up: i64 = tx
        .prepare_cached(over)?
        .query_row(params![new.intent.to_string(), new.terminal.as_str()], |row| row.get(0))?;
    let is_over = new.state == OrderState::Open && given_up > 0;
    let state = if is_over { OrderState::Withdrawn } else { new.state };
    // Nothing said is an empty text: the column is older than orders that phones bring.
    let sale = new.sale.map_or_else(String::new, |sale| sale.to_string());
    let inserted = tx
        .prepare_cached(
            "INSERT INTO order_claim (terminal, epoch, nonce, intent, sale, order_text, amount_minor, currency,
                 issued_at_s, state, asker, changed_ms, due_ms, provider)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            new.terminal.as_str(),
            new.epoch.to_string(),
            Epoch(new.nonce).to_string(),
            new.intent.to_string(),
            sale,
            new.order_text,
            new.amount.minor,
            new.amount.currency.code(),
            new.issued_at_s,
            state.word(),
            if state == OrderState::Open { "cloud" } else { "till" },
            new.now_ms,
            if state == OrderState::Open { Some(new.due_ms) } else { None },
            words::provider(new.provider)
        ])?;
    // What is shown at the counter answers no phone: it belongs to whoever scans it.
    if inserted == 1 && state == OrderState::Open && new.sale.is_some() && new.answers.is_some() {
        wishes::answer_phone(tx, new, &sale)?;
    }
    if inserted == 0 && new.sale.is_some() {
        let sql = "UPDATE order_claim SET sale = ?3 WHERE intent = ?1 AND terminal = ?2 AND sale = ''";
        tx.prepare_cached(sql)?.execute(params![new.intent.to_string(), new.terminal.as_str(), sale])?;
    }
    match by_intent(tx, new.intent)? {
        Some(known) if known.terminal == new.terminal && known.order_text == new.order_text => {
            Ok(Registered::Known(Box::new(known)))
        }
        Some(_) | None => Ok(Registered::Taken),
    }
}

fn advance(tx: &Transaction<'_>, step: &Advance) -> Result<bool, StoreError> {
    let Some(known) = by_intent(tx, step.intent)? else { return Ok(false) };
    if !step.from.contains(&known.state) {
        return Ok(false);
    }
    if (known.state, step.to) == (OrderState::Paid, OrderState::PaidLate) {
        // The till has asked for it: what it asked for goes back, and nothing besides. Or it gave goods for it. Of what is
        // pending nobody knows yet, and the settler finds out.
        let sql = "SELECT (SELECT count(*) FROM refund WHERE intent = ?1 AND state = 'pending'),
                       (SELECT count(*) FROM refund
                           WHERE intent = ?1 AND (state = 'refunded' OR (state = 'refused' AND NOT ?2)))
                       + (SELECT count(*) FROM payment WHERE intent = ?1 AND state = 'approved')";
        let (pending, is_not_owed): (i64, i64) = tx
            .prepare_cached(sql)?
            .query_row(params![step.intent.to_string(), step.despite_refused.is_some()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if pending + is_not_owed > 0 {
            let due_ms = step.due_ms.filter(|_| pending > 0);
            let sql = "UPDATE order_claim SET due_ms = ?2 WHERE intent = ?1";
            tx.prepare_cached(sql)?.execute(params![step.intent.to_string(), due_ms])?;
            return Ok(false);
        }
    }
    let settled = step.settled.as_ref().map(|(settled, _)| serde_json::to_string(settled));
    let settled = settled.transpose().map_err(|_| StoreError::Damaged("a settlement".to_owned()))?;
    let opens = step.phone.as_ref().map(|(_, opens)| browser_text(opens)).transpose()?;
    let changed = tx
        .prepare_cached(
            "UPDATE order_claim SET state = ?3, words = coalesce(?4, words), qr_text = coalesce(?5, qr_text),
                 settled = coalesce(?6, settled), proof = coalesce(?7, proof),
                 asker = CASE WHEN ?8 THEN 'till' ELSE asker END, phone = coalesce(?9, phone),
                 started_ms = coalesce(?10, started_ms), due_ms = ?11, changed_ms = ?12,
                 opens = CASE WHEN ?3 IN ('claimed', 'starting') THEN coalesce(?13, opens) END,
                 provider = coalesce(?14, provider)
             WHERE intent = ?1 AND state = ?2",
        )?
        .execute(params![
            step.intent.to_string(),
            known.state.word(),
            step.to.word(),
            step.words,
            step.qr_text,
            settled,
            step.settled.as_ref().map(|(_, proof)| proof),
            step.asked_by_till.is_some(),
            step.phone.as_ref().map(|(phone, _)| phone),
            step.started_ms,
            step.due_ms,
            step.now_ms,
            opens,
            step.provider.map(words::provider)
        ])?;
    if changed != 1 {
        return Ok(false);
    }
    if let Some(notice) = &step.notice {
        put_notice(tx, &known.terminal, notice, step.now_ms)?;
    }
    if let Some(task) = &step.task {
        put_task(tx, task, step.now_ms)?;
    }
    Ok(true)
}

fn reserve(tx: &Transaction<'_>, new: &NewRefund) -> Result<Reserved, StoreError> {
    let sql =
        "SELECT intent, amount_minor, currency, state, words FROM refund WHERE refund = ?1 AND terminal = ?2";
    let read = |row: &Row<'_>| {
        let state: String = row.get("state")?;
        Ok(RefundRow {
            intent: parsed(&row.get::<_, String>("intent")?)?,
            amount: money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?,
            state: RefundState::of_word(&state)
                .ok_or_else(|| StoreError::Damaged(format!("the refund state {state:?}")))?,
            words: row.get("words")?,
        })
    };
    let parameters = params![new.refund.to_string(), new.terminal.as_str()];
    let known = first(&mut tx.prepare_cached(sql)?, parameters, read)?;
    // What the wallet refused may be tried again under its number: the shop has filled its account since.
    let again = |known: &RefundRow| {
        known.state == RefundState::Refused && known.intent == new.intent && known.amount == new.amount
    };
    let is_known = match known {
        Some(known) if !again(&known) => return Ok(Reserved::Known(known)),
        known => known.is_some(),
    };
    let order = by_intent(tx, new.intent)?.filter(|order| order.terminal == new.terminal);
    // The till and the cloud may both find out that a payment came too late: it goes back once.
    match order.as_ref().map(|order| (order.state, order.amount == new.amount)) {
        Some((OrderState::PaidLate, true)) => {
            let over = late_is_dealt_with(tx, new.intent)?;
            let state = if over { RefundState::Refused } else { RefundState::Pending };
            return Ok(Reserved::GoesBack(state));
        }
        Some((OrderState::Refunded, true)) => return Ok(Reserved::GoesBack(RefundState::Refunded)),
        Some(_) | None => {}
    }
    let paid = order.filter(|order| order.state == OrderState::Paid);
    let Some(paid) = paid else { return Ok(Reserved::NoSuchPayment) };
    let sql = "SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE intent = ?1 AND state <> 'refused'";
    let before: i64 = tx.prepare_cached(sql)?.query_row([new.intent.to_string()], |row| row.get(0))?;
    let left = Money::new(paid.amount.minor.saturating_sub(before), paid.amount.currency);
    if new.amount.currency != left.currency || !new.amount.is_positive() || new.amount.minor > left.minor {
        return Ok(Reserved::TooMuch { left });
    }
    if is_known {
        let sql = "UPDATE refund SET state = 'pending', words = '', changed_ms = ?2 WHERE refund = ?1";
        tx.prepare_cached(sql)?.execute(params![new.refund.to_string(), new.now_ms])?;
    } else {
        tx.prepare_cached(
            "INSERT INTO refund (refund, intent, terminal, amount_minor, currency, why, state, changed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7)",
        )?
        .execute(params![
            new.refund.to_string(),
            new.intent.to_string(),
            new.terminal.as_str(),
            new.amount.minor,
            new.amount.currency.code(),
            new.why,
            new.now_ms
        ])?;
    }
    Ok(Reserved::Known(RefundRow {
        intent: new.intent,
        amount: new.amount,
        state: RefundState::Pending,
        words: String::new(),
    }))
}

fn late_is_dealt_with(db: &Connection, intent: IntentId) -> Result<bool, StoreError> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM task WHERE code = ?1 AND subject = ?2 AND settled_ms IS NOT NULL)";
    Ok(db.prepare_cached(sql)?.query_row(params![LATE_REFUSED, intent.to_string()], |row| row.get(0))?)
}

fn browser_text(opens: &PhoneBrowser) -> Result<String, StoreError> {
    serde_json::to_string(opens).map_err(|_| StoreError::Damaged("where a phone pays".to_owned()))
}

fn browser(text: &str) -> Result<PhoneBrowser, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("where a phone pays".to_owned()))
}

fn provider(word: &str) -> Result<ProviderName, StoreError> {
    words::provider_of(word).ok_or_else(|| StoreError::Damaged(format!("the wallet {word:?}")))
}

fn by_intent(db: &Connection, intent: IntentId) -> Result<Option<OrderRow>, StoreError> {
    let sql = "SELECT * FROM order_claim WHERE intent = ?1";
    first(&mut db.prepare_cached(sql)?, [intent.to_string()], order)
}

fn order(row: &Row<'_>) -> Result<OrderRow, StoreError> {
    let state: String = row.get("state")?;
    let settled: Option<String> = row.get("settled")?;
    Ok(OrderRow {
        terminal: parsed(&row.get::<_, String>("terminal")?)?,
        epoch: parsed(&row.get::<_, String>("epoch")?)?,
        nonce: parsed::<Epoch>(&row.get::<_, String>("nonce")?)?.0,
        intent: parsed(&row.get::<_, String>("intent")?)?,
        sale: parsed_option(row.get::<_, Option<String>>("sale")?.filter(|sale| !sale.is_empty()))?,
        order_text: row.get("order_text")?,
        amount: money(row.get("amount_minor")?, &row.get::<_, String>("currency")?)?,
        issued_at_s: row.get("issued_at_s")?,
        provider: provider(&row.get::<_, String>("provider")?)?,
        desk: parsed_option(row.get("desk")?)?,
        phone: row.get("phone")?,
        opens: row.get::<_, Option<String>>("opens")?.map(|text| browser(&text)).transpose()?,
        state: OrderState::of_word(&state)
            .ok_or_else(|| StoreError::Damaged(format!("the order state {state:?}")))?,
        asked_by_till: row.get::<_, String>("asker")? == "till",
        words: row.get("words")?,
        qr_text: row.get("qr_text")?,
        settled: settled
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| StoreError::Damaged("a settlement".to_owned()))?,
        proof: row.get("proof")?,
        changed_ms: row.get("changed_ms")?,
        started_ms: row.get("started_ms")?,
    })
}
