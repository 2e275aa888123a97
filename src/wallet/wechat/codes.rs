//! WeChat Pay's error codes and trade states, and what each says about the money.
//!
//! A code means "no money moved" only where it is listed here as such; every other one leaves the result unknown.
//! Source: WeChat Pay APIv3, error codes of codepay, native, query, reverse, close, refund and refund query
//! (pay.weixin.qq.com/docs/merchant/apis/code-payment-v3). Where the older interface documents the same refusal
//! under another spelling, both are listed: the gateway passes some through.
//!
//! Not here: reading answers. Only codes from answers with a right signature are judged.

use crate::wallet::Advice;

/// Which method a code answers: the same one means other things for a question than for an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Pay,
    Native,
    Query,
    Reverse,
    Close,
    Refund,
    RefundQuery,
}

/// What a refusal says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ruling {
    /// The customer is asked for the password.
    InProcess,
    /// Definite: nothing was carried out.
    Declined(Advice),
    /// No such order or refund.
    NotFound,
    /// The order is over.
    Closed,
    /// Not done, call again with the same parameters.
    Retry,
    /// Nothing is known.
    Unknown,
}

/// Rules on a signed refusal. The server's own errors (500 and up) never say that nothing happened.
pub(super) fn rule(method: Method, status: u16, code: &str) -> Ruling {
    let retry = match method {
        Method::Reverse | Method::Close => Ruling::Retry,
        Method::Pay | Method::Native | Method::Query | Method::Refund | Method::RefundQuery => {
            Ruling::Unknown
        }
    };
    match (status, code) {
        (500.., _) | (429, _) => retry,
        (_, "SYSTEM_ERROR" | "SYSTEMERROR" | "FREQUENCY_LIMITED" | "FREQUENCY_LIMIT_EXCEED") => retry,
        (400..500, code) => refusal(method, code),
        _ => Ruling::Unknown,
    }
}

fn refusal(method: Method, code: &str) -> Ruling {
    let (absent, over) = (ABSENT.contains(&code), OVER.contains(&code));
    match method {
        Method::Pay if code == "USERPAYING" => Ruling::InProcess,
        Method::Pay | Method::Native if over => Ruling::Closed,
        Method::Pay | Method::Native => listed(PAY, code),
        Method::Query | Method::RefundQuery if absent => Ruling::NotFound,
        Method::Query | Method::RefundQuery => Ruling::Unknown,
        Method::Reverse | Method::Close if absent => Ruling::NotFound,
        Method::Reverse | Method::Close if over => Ruling::Closed,
        // It cannot be ended while the customer types the password.
        Method::Reverse | Method::Close if code == "USERPAYING" => Ruling::Retry,
        Method::Reverse | Method::Close => listed(END, code),
        Method::Refund if absent => Ruling::Declined(Advice::TellShop),
        Method::Refund => listed(REFUND, code),
    }
}

fn listed(table: &[(&str, Advice)], code: &str) -> Ruling {
    let row = table.iter().chain(DOOR).find(|row| row.0 == code);
    row.map_or(Ruling::Unknown, |row| Ruling::Declined(row.1))
}

/// No such order, no such refund.
const ABSENT: &[&str] =
    &["ORDER_NOT_EXIST", "ORDERNOTEXIST", "TRADE_NOT_EXIST", "RESOURCE_NOT_EXISTS", "NOT_FOUND"];

/// The order is over and holds no money.
const OVER: &[&str] = &["ORDER_CLOSED", "ORDERCLOSED", "ORDER_REVERSED", "ORDERREVERSED"];

/// Refused at the gateway's door, whatever was asked for: the order behind it was not reached.
const DOOR: &[(&str, Advice)] = &[
    ("PARAM_ERROR", Advice::TellShop),
    ("INVALID_REQUEST", Advice::TellShop),
    ("SIGN_ERROR", Advice::TellShop),
    ("SIGNERROR", Advice::TellShop),
    ("NO_AUTH", Advice::TellShop),
    ("NOAUTH", Advice::TellShop),
    ("MCH_NOT_EXISTS", Advice::TellShop),
    ("MCHID_NOT_EXIST", Advice::TellShop),
    ("APPID_NOT_EXIST", Advice::TellShop),
    ("APPID_MCHID_NOT_MATCH", Advice::TellShop),
];

/// Definite refusals of a payment. Deliberately absent, because an earlier try under the same number may have
/// been paid, or because the bank has not said: ORDERPAID, OUT_TRADE_NO_USED, BUYER_MISMATCH, BANK_ERROR.
const PAY: &[(&str, Advice)] = &[
    ("AUTHCODEEXPIRE", Advice::NewCode),
    ("AUTHCODE_EXPIRE", Advice::NewCode),
    ("AUTH_CODE_EXPIRED", Advice::NewCode),
    ("AUTH_CODE_ERROR", Advice::NewCode),
    ("AUTH_CODE_INVALID", Advice::NewCode),
    ("TRADE_ERROR", Advice::NewCode),
    ("NOT_ENOUGH", Advice::OtherMeans),
    ("NOTENOUGH", Advice::OtherMeans),
    ("NOT_SUPPORT_CARD", Advice::OtherMeans),
    ("NOTSUPORTCARD", Advice::OtherMeans),
    ("ACCOUNT_ERROR", Advice::OtherMeans),
    ("ACCOUNTERROR", Advice::OtherMeans),
    ("RULE_LIMIT", Advice::OtherMeans),
    ("RULELIMIT", Advice::OtherMeans),
];

/// Definite refusals to end an order: it stands.
const END: &[(&str, Advice)] = &[
    ("ORDER_PAID", Advice::TellShop),
    ("ORDERPAID", Advice::TellShop),
    ("NOT_ENOUGH", Advice::TellShop),
    ("NOTENOUGH", Advice::TellShop),
    ("REVERSE_EXPIRE", Advice::TellShop),
    ("REVERSE_EXPIRED", Advice::TellShop),
    ("TRADE_STATE_ERROR", Advice::TellShop),
];

/// Definite refusals of a refund. BIZERR_NEED_RETRY is absent: it asks for the same call again.
const REFUND: &[(&str, Advice)] = &[
    ("NOT_ENOUGH", Advice::TellShop),
    ("NOTENOUGH", Advice::TellShop),
    ("USER_ACCOUNT_ABNORMAL", Advice::TellShop),
    ("ACCOUNT_ERROR", Advice::TellShop),
    ("REQUEST_BLOCKED", Advice::TellShop),
    ("TRADE_OVERDUE", Advice::TellShop),
    ("REFUND_FEE_MISMATCH", Advice::TellShop),
];

/// What a trade state says (query, `trade_state`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Paid.
    Paid,
    /// Not yet.
    Waiting,
    /// Over: closed, reversed, or given back.
    Over,
    /// The payment failed, and the wallet asks for a reverse: it does not promise that none can follow.
    Failed,
    /// Not in the manual.
    Strange,
}

pub(super) fn state(text: &str) -> State {
    match text {
        "SUCCESS" => State::Paid,
        "NOTPAY" | "USERPAYING" | "ACCEPT" => State::Waiting,
        "CLOSED" | "REVOKED" | "REFUND" => State::Over,
        "PAYERROR" => State::Failed,
        _ => State::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Method; 7] = [
        Method::Pay,
        Method::Native,
        Method::Query,
        Method::Reverse,
        Method::Close,
        Method::Refund,
        Method::RefundQuery,
    ];

    #[test]
    fn a_payment_is_refused_only_by_a_listed_code() {
        for (status, code, ruling) in [
            (400, "USERPAYING", Ruling::InProcess),
            (400, "AUTHCODEEXPIRE", Ruling::Declined(Advice::NewCode)),
            (400, "AUTH_CODE_INVALID", Ruling::Declined(Advice::NewCode)),
            (403, "TRADE_ERROR", Ruling::Declined(Advice::NewCode)),
            (403, "NOT_ENOUGH", Ruling::Declined(Advice::OtherMeans)),
            (403, "RULE_LIMIT", Ruling::Declined(Advice::OtherMeans)),
            (403, "ACCOUNT_ERROR", Ruling::Declined(Advice::OtherMeans)),
            (400, "PARAM_ERROR", Ruling::Declined(Advice::TellShop)),
            (401, "SIGN_ERROR", Ruling::Declined(Advice::TellShop)),
            (403, "NO_AUTH", Ruling::Declined(Advice::TellShop)),
            (400, "APPID_MCHID_NOT_MATCH", Ruling::Declined(Advice::TellShop)),
            (400, "ORDER_CLOSED", Ruling::Closed),
            (400, "ORDER_REVERSED", Ruling::Closed),
            (403, "OUT_TRADE_NO_USED", Ruling::Unknown),
            (400, "ORDERPAID", Ruling::Unknown),
            (400, "BANK_ERROR", Ruling::Unknown),
            (400, "SYSTEM_ERROR", Ruling::Unknown),
            (429, "FREQUENCY_LIMITED", Ruling::Unknown),
            (400, "NEW_TOMORROW", Ruling::Unknown),
            (400, "", Ruling::Unknown),
            (404, "ORDER_NOT_EXIST", Ruling::Unknown),
            (302, "PARAM_ERROR", Ruling::Unknown),
        ] {
            assert_eq!(rule(Method::Pay, status, code), ruling, "{status} {code}");
        }
    }

    #[test]
    fn a_servers_own_error_is_never_definite_whatever_it_says() {
        for method in EVERY {
            for code in ["SYSTEM_ERROR", "BANK_ERROR", "PARAM_ERROR", "NOT_ENOUGH", "ORDER_NOT_EXIST", ""] {
                for status in [500, 502, 503, 599] {
                    let ruling = rule(method, status, code);
                    assert!(matches!(ruling, Ruling::Unknown | Ruling::Retry), "{method:?} {status} {code}");
                }
            }
        }
        assert_eq!(rule(Method::Reverse, 500, "SYSTEM_ERROR"), Ruling::Retry);
    }

    #[test]
    fn a_refused_question_says_nothing_about_the_money() {
        for method in [Method::Query, Method::RefundQuery] {
            for code in ["PARAM_ERROR", "SIGN_ERROR", "NO_AUTH", "ORDER_CLOSED", "NOT_ENOUGH", "USERPAYING"] {
                assert_eq!(rule(method, 400, code), Ruling::Unknown, "{method:?} {code}");
            }
            for code in ABSENT {
                assert_eq!(rule(method, 404, code), Ruling::NotFound, "{method:?} {code}");
            }
        }
    }

    #[test]
    fn an_end_is_refused_repeated_or_needless() {
        for (code, ruling) in [
            ("ORDER_NOT_EXIST", Ruling::NotFound),
            ("ORDER_CLOSED", Ruling::Closed),
            ("ORDER_REVERSED", Ruling::Closed),
            ("USERPAYING", Ruling::Retry),
            ("FREQUENCY_LIMITED", Ruling::Retry),
            ("ORDERPAID", Ruling::Declined(Advice::TellShop)),
            ("REVERSE_EXPIRE", Ruling::Declined(Advice::TellShop)),
            ("BANK_ERROR", Ruling::Unknown),
        ] {
            assert_eq!(rule(Method::Reverse, 400, code), ruling, "{code}");
            assert_eq!(rule(Method::Close, 400, code), ruling, "{code}");
        }
    }

    #[test]
    fn a_refund_that_may_be_repeated_is_not_refused() {
        for (status, code, ruling) in [
            (500, "BIZERR_NEED_RETRY", Ruling::Unknown),
            (400, "BIZERR_NEED_RETRY", Ruling::Unknown),
            (429, "FREQUENCY_LIMITED", Ruling::Unknown),
            (403, "NOT_ENOUGH", Ruling::Declined(Advice::TellShop)),
            (403, "USER_ACCOUNT_ABNORMAL", Ruling::Declined(Advice::TellShop)),
            (404, "RESOURCE_NOT_EXISTS", Ruling::Declined(Advice::TellShop)),
            (400, "INVALID_REQUEST", Ruling::Declined(Advice::TellShop)),
        ] {
            assert_eq!(rule(Method::Refund, status, code), ruling, "{status} {code}");
        }
    }

    #[test]
    fn every_trade_state_of_the_manual_has_a_meaning() {
        for (text, meaning) in [
            ("SUCCESS", State::Paid),
            ("REFUND", State::Over),
            ("NOTPAY", State::Waiting),
            ("CLOSED", State::Over),
            ("REVOKED", State::Over),
            ("USERPAYING", State::Waiting),
            ("PAYERROR", State::Failed),
            ("ACCEPT", State::Waiting),
            ("success", State::Strange),
            ("", State::Strange),
        ] {
            assert_eq!(state(text), meaning, "{text}");
        }
    }
}
