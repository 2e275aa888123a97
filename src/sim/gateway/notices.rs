//! What merchants are told at their `notify_url`: when, how often, in which words.
//!
//! A notice is written in the same transaction as the money it speaks of, so it outlives a restart. It is sent at
//! once, and again on the wallet's schedule until the merchant takes it. Sources: Alipay open platform,
//! "Asynchronous notifications" (the reply is `success`, eight times within 25 hours); WeChat Pay APIv3, "Payment
//! notification" (200 or 204 within five seconds, sixteen times within a day). Deliberately not here: sending.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::{
    alipay, beijing,
    books::Books,
    chance,
    faults::{Fault, Target},
    http::RawRequest,
    keys::Signing,
    ledger::LedgerError,
    machine::Gateway,
    trade::{OrderKey, Status, Trade},
    verb::{Verb, Wallet},
    wechat,
    witness::Line,
};

/// After how many seconds each repetition follows the attempt before it.
const ALIPAY_S: [i64; 7] = [240, 600, 600, 3_600, 7_200, 21_600, 54_000];
const WECHAT_S: [i64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];
/// How long a merchant may take to answer.
pub(super) const PATIENCE_MS: u64 = 5_000;
/// Notices sent in one go; the next go has the rest.
const MAX_AT_ONCE: i64 = 64;

/// One attempt to tell a merchant something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for every attempt.
    pub id: i64,
    /// Whose notification it is.
    pub wallet: Wallet,
    /// The order it is about.
    pub out_trade_no: String,
    /// Where it goes: `http://` or `https://`.
    pub url: String,
    /// A `POST`; `target` is the address's path and query.
    pub request: RawRequest,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How often the network delivers it.
    pub copies: u32,
    /// The reply will be lost on its way.
    pub loses_reply: bool,
    /// Milliseconds that it is on its way.
    pub delay_ms: u64,
    fault: Option<Fault>,
}

/// A row of `notice`.
struct Due {
    id: i64,
    key: OrderKey,
    refund: Option<String>,
    url: String,
    sent: i64,
}

impl Gateway {
    /// What is to be told at `now_ms`, each counted as an attempt. Customers whose time has come act first.
    pub fn notices(&self, now_ms: i64) -> Result<Vec<Notice>, LedgerError> {
        let due = self.on_books(now_ms, |books| {
            books.ripen_all()?;
            let due = list_due(books)?;
            due.into_iter().map(|due| self.attempt(books, due)).collect::<rusqlite::Result<Vec<_>>>()
        })?;
        Ok(due.into_iter().flatten().collect())
    }

    /// When the next notice is due or the next customer acts, Unix milliseconds.
    pub fn next_act_ms(&self, now_ms: i64) -> Result<Option<i64>, LedgerError> {
        const SQL: &str = "SELECT min(at) FROM (
            SELECT min(due_ms) AS at FROM notice WHERE state = 'due'
            UNION ALL SELECT min(pays_ms) FROM trade WHERE captures = 0 AND pays_ms IS NOT NULL
            UNION ALL SELECT min(refuses_ms) FROM trade WHERE status = 'WAIT_BUYER_PAY')";
        self.on_books(now_ms, |books| books.transaction.query_row(SQL, [], |row| row.get(0)))
    }

    /// The merchant's reply to an attempt: status and body, or none. Whether it was taken.
    pub fn noticed(
        &self,
        notice: &Notice,
        reply: Option<(u16, &[u8])>,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        let is_taken = !notice.loses_reply
            && reply.is_some_and(|(status, body)| match notice.wallet {
                Wallet::Alipay => status == 200 && body == b"success",
                Wallet::Wechat => status == 200 || status == 204,
            });
        let answer = match reply {
            None => "no reply".to_owned(),
            Some(_) if is_taken => "taken".to_owned(),
            Some((status, _)) => format!("not taken, HTTP {status}"),
        };
        self.witness.see(Line {
            at_ms: now_ms,
            method: format!("{} (attempt {})", Verb::Notify.name(notice.wallet), notice.attempt),
            number: notice.out_trade_no.clone(),
            is_verified: true,
            fault: notice.fault.map(Fault::kind),
            answer: Some(answer),
        });
        if is_taken {
            self.on_books(now_ms, |books| {
                let sql = "UPDATE notice SET state = 'taken' WHERE id = ?1 AND state = 'due'";
                books.transaction.execute(sql, [notice.id])
            })?;
        }
        Ok(is_taken)
    }

    /// Counts an attempt and sets the next; the attempt itself, unless it gets lost.
    fn attempt(&self, books: &Books<'_>, due: Due) -> rusqlite::Result<Option<Notice>> {
        let Some(trade) = books.find(&due.key)? else { return Ok(None) };
        let schedule: &[i64] = match due.key.wallet {
            Wallet::Alipay => &ALIPAY_S,
            Wallet::Wechat => &WECHAT_S,
        };
        let next = usize::try_from(due.sent).ok().and_then(|sent| schedule.get(sent));
        let next_ms = next.map(|after_s| books.now_ms + after_s * 1_000 / i64::from(self.notify_speed));
        let sql = "UPDATE notice SET sent = sent + 1, due_ms = coalesce(?2, due_ms),
            state = CASE WHEN ?2 IS NULL THEN 'given_up' ELSE state END WHERE id = ?1";
        books.transaction.execute(sql, params![due.id, next_ms])?;

        let strike = self.faults.strike(&Target {
            wallet: due.key.wallet,
            verb: Verb::Notify,
            merchant: &due.key.merchant,
            number: &due.key.number,
            code: None,
            amount: Some(trade.total),
        });
        let line = strike.line;
        if line == Some(Fault::DropRequest) {
            self.witness.see(Line {
                at_ms: books.now_ms,
                method: Verb::Notify.name(due.key.wallet).to_owned(),
                number: due.key.number,
                is_verified: true,
                fault: Some("drop_request"),
                answer: None,
            });
            return Ok(None);
        }
        let signing = if line == Some(Fault::WrongSignature) {
            Signing::Wrong
        } else if line == Some(Fault::MissingSignature) {
            Signing::Missing
        } else {
            Signing::Right
        };
        let off_fen = if let Some(Fault::WrongAmount { by_fen }) = line { by_fen } else { 0 };
        let words = Words { id: due.id, refund: due.refund.as_deref(), signing, off_fen };
        let request = match due.key.wallet {
            Wallet::Alipay => self.alipay_notice(books, &trade, &words),
            Wallet::Wechat => self.wechat_notice(books, &trade, &words)?,
        };
        let Some(mut request) = request else { return Ok(None) };
        request.target = target_of(&due.url);
        Ok(Some(Notice {
            id: due.id,
            wallet: due.key.wallet,
            out_trade_no: due.key.number,
            url: due.url,
            request,
            attempt: u32::try_from(due.sent + 1).unwrap_or(u32::MAX),
            copies: if line == Some(Fault::Duplicate) { 2 } else { 1 },
            loses_reply: line == Some(Fault::DropAnswer),
            delay_ms: strike.delay.map_or(0, |(ms, _)| ms),
            fault: line.or(strike.delay.map(|(ms, stage)| Fault::Delay { ms, stage })),
        }))
    }

    /// A form whose signature leaves out `sign` and `sign_type`.
    fn alipay_notice(&self, books: &Books<'_>, trade: &Trade, words: &Words<'_>) -> Option<RawRequest> {
        let amount = |fen: i64| super::yuan::format((fen + words.off_fen).max(0));
        let mut fields = BTreeMap::from([
            ("app_id", trade.app_id.clone()),
            ("buyer_id", trade.buyer.clone().unwrap_or_default()),
            ("buyer_pay_amount", amount(trade.buyer_pays())),
            ("charset", "utf-8".to_owned()),
            ("fund_bill_list", alipay::notified_funds(trade)),
            ("gmt_create", beijing::format(trade.created_ms)),
            ("gmt_payment", trade.paid_ms.map(beijing::format).unwrap_or_default()),
            ("invoice_amount", amount(trade.invoice())),
            ("notify_id", chance::token(books.seed, &["notice", &words.id.to_string(), &trade.trade_no])),
            ("notify_time", beijing::format(books.now_ms)),
            ("notify_type", "trade_status_sync".to_owned()),
            ("out_trade_no", trade.key.number.clone()),
            ("point_amount", super::yuan::format(trade.discount.points)),
            ("receipt_amount", amount(trade.receipt())),
            ("seller_id", SELLER.to_owned()),
            ("subject", trade.subject.clone()),
            ("total_amount", amount(trade.total)),
            ("trade_no", trade.trade_no.clone()),
            ("trade_status", told_status(trade).to_owned()),
            ("version", "1.0".to_owned()),
        ]);
        if let Some(passback) = &trade.attach {
            fields.insert("passback_params", passback.clone());
        }
        if let Some(refund) = words.refund {
            fields.insert("out_biz_no", refund.to_owned());
            fields.insert("refund_fee", super::yuan::format(trade.refunded));
            fields.insert("gmt_refund", beijing::format(books.now_ms));
        }
        let signed: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let signature = self.keys.sign_as(signed.join("&").as_bytes(), words.signing).ok()?;
        fields.insert("sign_type", "RSA2".to_owned());
        if let Some(signature) = signature {
            fields.insert("sign", signature);
        }
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", super::phone::percent_encoded(value)))
            .collect();
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        Some(post(vec![("Content-Type".to_owned(), kind.to_owned())], pairs.join("&").into_bytes()))
    }

    /// JSON whose resource is sealed under the APIv3 key, signed in the headers.
    fn wechat_notice(
        &self,
        books: &Books<'_>,
        trade: &Trade,
        words: &Words<'_>,
    ) -> rusqlite::Result<Option<RawRequest>> {
        let (kind, event, summary, mut told) = match words.refund {
            None => ("transaction", "TRANSACTION.SUCCESS", "支付成功", wechat::transaction(books, trade)?),
            Some(number) => {
                let Some(refund) = books.refund_made(trade, number)? else { return Ok(None) };
                let told = wechat::describe_refund(trade, &refund, books.now_ms);
                let told = json!({
                    "mchid": trade.key.merchant,
                    "out_trade_no": told["out_trade_no"],
                    "transaction_id": told["transaction_id"],
                    "out_refund_no": told["out_refund_no"],
                    "refund_id": told["refund_id"],
                    "refund_status": told["status"],
                    "success_time": told["success_time"],
                    "user_received_account": told["user_received_account"],
                    "amount": {
                        "total": told["amount"]["total"],
                        "refund": told["amount"]["refund"],
                        "payer_total": told["amount"]["payer_total"],
                        "payer_refund": told["amount"]["payer_refund"],
                    },
                });
                ("refund", "REFUND.SUCCESS", "退款成功", told)
            }
        };
        for name in ["total", "payer_total"] {
            if let Some(right) = told["amount"][name].as_i64() {
                told["amount"][name] = Value::from((right + words.off_fen).max(0));
            }
        }
        let parts = ["notice", &words.id.to_string(), &books.now_ms.to_string()];
        let nonce = chance::token(books.seed, &parts);
        let mut bytes = [0; 12];
        bytes.copy_from_slice(&nonce.as_bytes()[..12]);
        let Ok(ciphertext) = self.keys.seal(bytes, kind, told.to_string().as_bytes()) else {
            return Ok(None);
        };
        let id = chance::token(books.seed, &["notice", &words.id.to_string(), &trade.trade_no]);
        let body = json!({
            "id": format!("EV-{id}"),
            "create_time": beijing::rfc3339(books.now_ms),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": {
                "original_type": kind,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": kind,
                "nonce": &nonce[..12],
            },
        });
        let body = body.to_string().into_bytes();
        let (key_id, now_ms) = (trade.key_id.as_deref(), books.now_ms);
        let headers = wechat::signature_headers(&body, &self.keys, key_id, words.signing, &nonce, now_ms);
        Ok(headers.map(|mut headers| {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            post(headers, body)
        }))
    }
}

/// The merchant's own account, which notifications name.
const SELLER: &str = "2088000000000001";

/// What a notification says beside its trade.
struct Words<'a> {
    id: i64,
    refund: Option<&'a str>,
    signing: Signing,
    off_fen: i64,
}

/// A full refund closes the trade; everything else that is told of is a success.
fn told_status(trade: &Trade) -> &'static str {
    match trade.status {
        Status::Waiting | Status::Paid => "TRADE_SUCCESS",
        Status::Finished => "TRADE_FINISHED",
        Status::Closed => "TRADE_CLOSED",
    }
}

fn post(headers: Vec<(String, String)>, body: Vec<u8>) -> RawRequest {
    RawRequest { method: "POST".to_owned(), target: String::new(), headers, body }
}

/// Path and query of an address.
fn target_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
}

fn list_due(books: &Books<'_>) -> rusqlite::Result<Vec<Due>> {
    let sql = "SELECT * FROM notice WHERE state = 'due' AND due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2";
    let mut statement = books.transaction.prepare_cached(sql)?;
    let rows = statement.query_map(params![books.now_ms, MAX_AT_ONCE], read_due)?;
    rows.collect()
}

fn read_due(row: &Row<'_>) -> rusqlite::Result<Due> {
    let wallet: String = row.get("wallet")?;
    Ok(Due {
        id: row.get("id")?,
        key: OrderKey {
            wallet: Wallet::named(&wallet).ok_or(rusqlite::Error::InvalidQuery)?,
            merchant: row.get("merchant")?,
            number: row.get("out_trade_no")?,
        },
        refund: row.get("out_request_no")?,
        url: row.get("url")?,
        sent: row.get("sent")?,
    })
}
