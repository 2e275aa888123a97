//! Members who came by: each counts once a day, by a number that was the phone's at that time.

use super::{Place, Ruled, place_of};
use crate::cloud::store::StoreError;
use crate::cloud::store::sqlite::rows::int;
use crate::record::money_moves::Ruling;
use crate::token::MemberCode;
use rusqlite::{OptionalExtension, Transaction, params};

/// Why a visit does not count: nobody of that reference, or a number that was not the phone's then.
pub(super) fn doubt(
    tx: &Transaction<'_>,
    member: &str,
    totp: Option<u32>,
    at_s: i64,
) -> Result<Option<Ruled>, StoreError> {
    let secret: Option<Vec<u8>> = tx
        .prepare_cached("SELECT secret FROM member WHERE member = ?1")?
        .query_row([member], |row| row.get(0))
        .optional()?;
    let no = |code, words: &str| Ok(Some(Ruled { ruling: Ruling::Refused, code, words: words.to_owned() }));
    let Some(secret) = secret else {
        return no("member_unknown", "Nobody has this member code: the visit does not count.");
    };
    let (Ok(member), Some(totp)) = (member.parse(), totp) else {
        return no("member_code_wrong", "The member's number was missing: the visit does not count.");
    };
    match (MemberCode { member, totp }).verify(&secret, at_s) {
        Ok(_) => Ok(None),
        Err(_) => no(
            "member_code_wrong",
            "The member's number was not the phone's at that time: the visit does not count.",
        ),
    }
}

pub(super) fn check_in(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    member: &str,
    business_date: &str,
) -> Result<Ruled, StoreError> {
    let first = tx
        .prepare_cached(
            "INSERT INTO check_in (member, business_date, terminal, epoch, seq) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            member,
            business_date,
            place.terminal.as_str(),
            place.epoch.to_string(),
            int(place.seq)?
        ])?;
    let own = "SELECT terminal, epoch, seq FROM check_in WHERE member = ?1 AND business_date = ?2";
    let own = first == 0 && {
        let row = tx.prepare_cached(own)?.query_row(params![member, business_date], place_of)?;
        row == place.key()?
    };
    let (code, words) = if first == 1 || own {
        ("check_in_counted", "The visit counts.")
    } else {
        ("check_in_repeated", "The member was here today already: the visit counts once.")
    };
    Ok(Ruled { ruling: Ruling::Accepted, code, words: words.to_owned() })
}
