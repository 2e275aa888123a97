//! Forgetting a member: bodies that speak of the member are emptied, with their salts, and headers stay.
//!
//! What is not judged yet is erased when it has been judged: its effects are part of the books. A member who was
//! forgotten is known by a hash of the reference alone (80 random bits, which nobody finds by trying), so that what
//! an offline till brings later is erased too. Not here: which tills are told how (`tills::notices`).

use super::rows::int;
use super::terminals::put_notice;
use super::{BUSY, truncate_log};
use crate::cloud::store::ledger::member_account;
use crate::cloud::store::{Forgot, NoticeBody, StoreError};
use crate::money::{Currency, Money};
use crate::record::Epoch;
use crate::record::ids::{TerminalId, hex};
use ring::digest;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// A record that names a member.
struct Named {
    terminal: String,
    epoch: String,
    seq: i64,
    kind: String,
    sale: Option<String>,
    body: Vec<u8>,
}

const NAMED: &str = "SELECT record.terminal, record.epoch, record.seq, record.kind, record.sale, record.body
    FROM record JOIN stream USING (terminal, epoch)
    WHERE record.kind IN ('member_recognised', 'member_forgotten') AND record.seq <= stream.judged
        AND length(record.body) > 0";

/// Bodies of a sale that may say who its customer is.
const ERASE_SALE: &str = "UPDATE record SET body = x'', salt = zeroblob(16)
    WHERE terminal = ?1 AND epoch = ?2 AND sale = ?3 AND length(body) > 0
        AND kind IN ('member_recognised', 'approved', 'paid_late')
        AND seq <= (SELECT judged FROM stream WHERE terminal = ?1 AND epoch = ?2)";

const ERASE_ONE: &str = "UPDATE record SET body = x'', salt = zeroblob(16)
    WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3 AND length(body) > 0";

/// Approvals that came after the member of their sale was erased.
const ERASE_LATE: &str = "UPDATE record SET body = x'', salt = zeroblob(16)
    WHERE terminal = ?1 AND epoch = ?2 AND seq > ?3 AND seq <= ?4 AND kind IN ('approved', 'paid_late')
        AND length(body) > 0 AND EXISTS (SELECT 1 FROM record AS who WHERE who.sale = record.sale
            AND who.terminal = ?1 AND who.epoch = ?2 AND who.kind = 'member_recognised'
            AND length(who.body) = 0)";

/// Forgets a member and tells every till. What was overwritten is gone from its page and from the log.
pub(super) fn forget(connection: &mut Connection, member: &str, now_ms: i64) -> Result<Forgot, StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(money) = held(&tx, member)? {
        return Ok(Forgot::Holds(money));
    }
    let mark = mark(member);
    let gone = tx.execute("DELETE FROM member WHERE member = ?1", [member])?;
    if gone == 0 && !is_forgotten(&tx, &mark)? {
        return Ok(Forgot::Nobody);
    }
    tx.execute("INSERT INTO member_forgotten VALUES (?1, ?2) ON CONFLICT DO NOTHING", params![mark, now_ms])?;
    tx.execute("DELETE FROM check_in WHERE member = ?1", [member])?;
    tx.execute("DELETE FROM member_code_spent WHERE member = ?1", [member])?;
    tx.execute("UPDATE house_payment SET member = NULL WHERE member = ?1", [member])?;
    rename_account(&tx, member)?;
    let mut erased = 0;
    for named in all_named(&tx)? {
        if named.member().as_deref() == Some(member) {
            erased += erase(&tx, &named)?;
        }
    }
    let sql = "UPDATE fork SET body = x'', salt = zeroblob(16) WHERE instr(CAST(body AS TEXT), ?1) > 0";
    erased += tx.execute(sql, [member])?;
    let mut tills = 0;
    for terminal in terminals(&tx)? {
        put_notice(&tx, &terminal, &NoticeBody::member_forgotten(member), now_ms)?;
        tills += 1;
    }
    tx.commit()?;
    // Another process may read at this moment: it is waited for. Where it reads on, the next call here tries again, and
    // so does whoever opens the store next.
    truncate_log(connection, BUSY)?;
    Ok(Forgot::Done { erased, tills })
}

/// What was done about members who were forgotten.
pub(super) struct Swept {
    /// Notices that went out.
    pub(super) notices: usize,
    /// Rows that held a member's reference and do so no more.
    pub(super) erased: usize,
}

/// Looks through records that were just judged for members who were forgotten.
pub(super) fn sweep(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    epoch: Epoch,
    (from, to): (u64, u64),
    now_ms: i64,
) -> Result<Swept, StoreError> {
    let mut swept = Swept { notices: 0, erased: 0 };
    let mut any = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM member_forgotten)")?;
    if !any.query_row([], |row| row.get::<_, bool>(0))? {
        return Ok(swept);
    }
    let (name, from, to) = (epoch.to_string(), int(from)?, int(to)?);
    let sql = format!(
        "{NAMED} AND record.terminal = ?1 AND record.epoch = ?2 AND record.seq > ?3 AND record.seq <= ?4
         ORDER BY record.seq"
    );
    let found: Vec<Named> = {
        let mut statement = tx.prepare_cached(&sql)?;
        statement
            .query_map(params![terminal.as_str(), name, from, to], Named::read)?
            .collect::<Result<_, _>>()?
    };
    for named in found {
        let Some(member) = named.member() else { continue };
        if !is_forgotten(tx, &mark(&member))? {
            continue;
        }
        swept.erased += erase(tx, &named)?;
        if named.kind == "member_forgotten" {
            swept.erased += told(tx, terminal, &member)?;
        } else {
            put_notice(tx, terminal, &NoticeBody::member_forgotten(&member), now_ms)?;
            swept.notices += 1;
        }
    }
    swept.erased += tx.prepare_cached(ERASE_LATE)?.execute(params![terminal.as_str(), name, from, to])?;
    Ok(swept)
}

impl Named {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            terminal: row.get(0)?,
            epoch: row.get(1)?,
            seq: row.get(2)?,
            kind: row.get(3)?,
            sale: row.get(4)?,
            body: row.get(5)?,
        })
    }

    fn member(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        body["member"].as_str().map(str::to_owned)
    }
}

fn all_named(tx: &Transaction<'_>) -> Result<Vec<Named>, StoreError> {
    let mut statement = tx.prepare(NAMED)?;
    Ok(statement.query_map([], Named::read)?.collect::<Result<_, _>>()?)
}

fn erase(tx: &Transaction<'_>, named: &Named) -> Result<usize, StoreError> {
    let Named { terminal, epoch, seq, sale, .. } = named;
    let of_sale = match sale {
        Some(sale) => tx.prepare_cached(ERASE_SALE)?.execute(params![terminal, epoch, sale])?,
        None => 0,
    };
    Ok(of_sale + tx.prepare_cached(ERASE_ONE)?.execute(params![terminal, epoch, seq])?)
}

/// The till has done it: the notice need not say any more whom it was about. Its number stays.
fn told(tx: &Transaction<'_>, terminal: &TerminalId, member: &str) -> Result<usize, StoreError> {
    let sql = "UPDATE notice SET body = '{}', until_ms = 0
        WHERE terminal = ?1 AND kind = 'member_forgotten' AND instr(body, ?2) > 0";
    Ok(tx.prepare_cached(sql)?.execute(params![terminal.as_str(), member])?)
}

fn terminals(tx: &Transaction<'_>) -> Result<Vec<TerminalId>, StoreError> {
    let mut statement = tx.prepare("SELECT terminal FROM terminal ORDER BY terminal")?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let read = |name: String| name.parse().map_err(|_| StoreError::Damaged(format!("the till {name:?}")));
    names.into_iter().map(read).collect()
}

/// What the member's account still holds, if it holds something.
fn held(tx: &Transaction<'_>, member: &str) -> Result<Option<Money>, StoreError> {
    let sql = "SELECT balance_minor, currency FROM account WHERE account = ?1 AND balance_minor <> 0 LIMIT 1";
    let found: Option<(i64, String)> =
        tx.query_row(sql, [member_account(member)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((minor, code)) = found else { return Ok(None) };
    let currency =
        Currency::by_code(&code).map_err(|_| StoreError::Damaged(format!("the currency {code:?}")))?;
    Ok(Some(Money::new(minor, currency)))
}

/// The account's transfers stay, so that the ledger still adds up, under a name that says nothing.
fn rename_account(tx: &Transaction<'_>, member: &str) -> Result<(), StoreError> {
    let account = member_account(member);
    let name: String =
        tx.query_row("SELECT 'member:forgotten-' || lower(hex(randomblob(8)))", [], |row| row.get(0))?;
    tx.execute(
        "INSERT INTO account SELECT ?2, currency, balance_minor, floor_minor FROM account WHERE account = ?1",
        params![account, name],
    )?;
    tx.execute("UPDATE transfer SET from_account = ?2 WHERE from_account = ?1", params![account, name])?;
    tx.execute("UPDATE transfer SET to_account = ?2 WHERE to_account = ?1", params![account, name])?;
    tx.execute("DELETE FROM account WHERE account = ?1", [account])?;
    Ok(())
}

fn is_forgotten(tx: &Transaction<'_>, mark: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM member_forgotten WHERE mark = ?1)";
    Ok(tx.prepare_cached(sql)?.query_row([mark], |row| row.get(0))?)
}

/// What a forgotten member is known by.
fn mark(member: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"till/member-forgotten/1\n");
    context.update(member.as_bytes());
    hex(context.finish().as_ref())
}
