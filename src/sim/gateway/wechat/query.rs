//! What became of an order, and the platform certificate.
//!
//! Sources: WeChat Pay APIv3, "Query an order" and "Platform certificates".

use serde_json::json;

use super::{answer::Reply, order::transaction, request::Call};
use crate::sim::gateway::{
    books::Books,
    certificate::{NOT_AFTER, NOT_BEFORE},
    chance,
    keys::Keys,
    trade::Trade,
    verb::Wallet,
};

/// The order, whatever its state.
pub(super) fn query(books: &Books<'_>, call: &Call) -> rusqlite::Result<Reply> {
    if call.query_parameter("mchid").is_none() {
        return Ok(Reply::wrong_parameter("mchid", "mchid is missing from the query"));
    }
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    books.count_query(&mut trade)?;
    transaction(books, &trade).map(Reply::ok)
}

/// The merchant's order under either number.
pub(super) fn find(books: &Books<'_>, call: &Call) -> rusqlite::Result<Option<Trade>> {
    let id = call.transaction_id.clone().or_else(|| call.text(&["transaction_id"]));
    let found = match id {
        Some(id) => books.find_by_trade_no(Wallet::Wechat, &id)?,
        None => books.find(&call.key())?,
    };
    Ok(found.filter(|trade| trade.key.merchant == call.mchid))
}

pub(super) fn unknown() -> Reply {
    Reply::error(404, "ORDER_NOT_EXIST", "订单不存在")
}

/// The certificate that answers are signed with, sealed under the APIv3 key.
pub(super) fn certificates(books: &Books<'_>, keys: &Keys) -> Reply {
    let nonce = chance::token(books.seed, &["certificate", &books.now_ms.to_string()]);
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&nonce.as_bytes()[..12]);
    let certificate = &keys.certificates.gateway;
    match keys.seal(bytes, "certificate", certificate.pem.as_bytes()) {
        Ok(ciphertext) => Reply::ok(json!({
            "data": [{
                "serial_no": certificate.serial_hex(),
                "effective_time": NOT_BEFORE,
                "expire_time": NOT_AFTER,
                "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM",
                    "nonce": &nonce[..12],
                    "associated_data": "certificate",
                    "ciphertext": ciphertext,
                },
            }],
        })),
        Err(_) => Reply::unavailable(),
    }
}
