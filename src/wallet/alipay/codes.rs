//! Alipay's result codes, and what each says about the money.
//!
//! A code means "no money moved" only where it is listed here as such; every other one leaves the result
//! unknown. Source: Alipay open platform, common error codes, and the error codes of alipay.trade.pay,
//! .precreate, .query, .cancel, .close, .refund and .fastpay.refund.query.
//!
//! Not here: reading answers. Only codes from answers with a right signature are judged.

use crate::wallet::Advice;

/// Which method a code answers: the same one means other things for a question than for an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Pay,
    Precreate,
    Query,
    Cancel,
    Close,
    Refund,
    RefundQuery,
}

impl Method {
    /// Its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pay => "alipay.trade.pay",
            Self::Precreate => "alipay.trade.precreate",
            Self::Query => "alipay.trade.query",
            Self::Cancel => "alipay.trade.cancel",
            Self::Close => "alipay.trade.close",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
        }
    }
}

/// What a code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ruling {
    /// The call worked; the fields say what happened.
    Success,
    /// The customer is asked for the password.
    InProcess,
    /// Definite: nothing was carried out.
    Declined(Advice),
    /// No such order.
    NotFound,
    /// The order is over.
    Closed,
    /// Not done, call again with the same parameters.
    Retry,
    /// Nothing is known.
    Unknown,
}

/// Rules on a signed answer's code and sub-code.
pub(super) fn rule(method: Method, code: &str, sub_code: &str) -> Ruling {
    match code {
        "10000" => Ruling::Success,
        "10003" => Ruling::InProcess,
        // The gateway's own doors: token, missing or invalid parameters, permission. The order behind them
        // was never reached. A closed door says nothing about an order that is only asked about.
        "20001" | "40006" => refused_at_the_door(method),
        "40001" | "40002" if sub_code.starts_with("isv.") => refused_at_the_door(method),
        "40004" => business(method, without_prefix(sub_code)),
        _ => Ruling::Unknown,
    }
}

fn refused_at_the_door(method: Method) -> Ruling {
    match method {
        Method::Pay | Method::Precreate | Method::Cancel | Method::Close | Method::Refund => {
            Ruling::Declined(Advice::TellShop)
        }
        Method::Query | Method::RefundQuery => Ruling::Unknown,
    }
}

/// Sub-codes come as `ACQ.X`, some with `aop.` in front, and `AQC.SYSTEM_ERROR` is spelled so in the manual.
fn without_prefix(sub_code: &str) -> &str {
    let sub_code = sub_code.strip_prefix("aop.").unwrap_or(sub_code);
    sub_code.strip_prefix("ACQ.").or_else(|| sub_code.strip_prefix("AQC.")).unwrap_or(sub_code)
}

fn business(method: Method, sub_code: &str) -> Ruling {
    match (method, sub_code) {
        (Method::Query | Method::Cancel | Method::Close | Method::RefundQuery, "TRADE_NOT_EXIST") => {
            Ruling::NotFound
        }
        (Method::Pay | Method::Precreate, "TRADE_HAS_CLOSE") => Ruling::Closed,
        (Method::Cancel | Method::Close, "SYSTEM_ERROR") => Ruling::Retry,
        (Method::Pay | Method::Precreate, _) => listed(PAY, sub_code),
        (Method::Cancel, _) => listed(CANCEL, sub_code),
        (Method::Close, _) => listed(CLOSE, sub_code),
        (Method::Refund, _) => listed(REFUND, sub_code),
        (Method::Query | Method::RefundQuery, _) => Ruling::Unknown,
    }
}

fn listed(table: &[(&str, Advice)], sub_code: &str) -> Ruling {
    let row = table.iter().find(|row| row.0 == sub_code);
    row.map_or(Ruling::Unknown, |row| Ruling::Declined(row.1))
}

/// Definite refusals of a payment. Deliberately absent, because an earlier try under the same number may
/// have been paid: SYSTEM_ERROR, TRADE_HAS_SUCCESS, CONTEXT_INCONSISTENT, TRADE_BUYER_NOT_MATCH.
const PAY: &[(&str, Advice)] = &[
    ("PAYMENT_AUTH_CODE_INVALID", Advice::NewCode),
    ("SOUNDWAVE_PARSER_FAIL", Advice::NewCode),
    ("PAYMENT_FAIL", Advice::NewCode),
    ("PULL_MOBILE_CASHIER_FAIL", Advice::NewCode),
    ("BUYER_BALANCE_NOT_ENOUGH", Advice::OtherMeans),
    ("BUYER_BANKCARD_BALANCE_NOT_ENOUGH", Advice::OtherMeans),
    ("BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", Advice::OtherMeans),
    ("BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", Advice::OtherMeans),
    ("NO_PAYMENT_INSTRUMENTS_AVAILABLE", Advice::OtherMeans),
    ("USER_FACE_PAYMENT_SWITCH_OFF", Advice::OtherMeans),
    ("MOBILE_PAYMENT_SWITCH_OFF", Advice::OtherMeans),
    ("ERROR_BALANCE_PAYMENT_DISABLE", Advice::OtherMeans),
    ("ERROR_BUYER_CERTIFY_LEVEL_LIMIT", Advice::OtherMeans),
    ("PAYMENT_REQUEST_HAS_RISK", Advice::OtherMeans),
    ("BUYER_ENABLE_STATUS_FORBID", Advice::OtherMeans),
    ("BUYER_SELLER_EQUAL", Advice::OtherMeans),
    ("INVALID_PARAMETER", Advice::TellShop),
    ("ACCESS_FORBIDDEN", Advice::TellShop),
    ("EXIST_FORBIDDEN_WORD", Advice::TellShop),
    ("INVALID_STORE_ID", Advice::TellShop),
    ("TOTAL_FEE_EXCEED", Advice::TellShop),
    ("PARTNER_ERROR", Advice::TellShop),
    ("SELLER_BEEN_BLOCKED", Advice::TellShop),
    ("BEYOND_PAY_RESTRICTION", Advice::TellShop),
    ("BEYOND_PER_RECEIPT_RESTRICTION", Advice::TellShop),
];

/// Definite refusals of a cancellation: the order stands.
const CANCEL: &[(&str, Advice)] = &[
    ("INVALID_PARAMETER", Advice::TellShop),
    ("SELLER_BALANCE_NOT_ENOUGH", Advice::TellShop),
    ("REASON_TRADE_BEEN_FREEZEN", Advice::TellShop),
    ("REASON_TRADE_REFUND_FEE_ERR", Advice::TellShop),
    ("TRADE_CANCEL_TIME_OUT", Advice::TellShop),
    ("TRADE_HAS_FINISHED", Advice::TellShop),
    ("CANCEL_NOT_ALLOWED", Advice::TellShop),
];

/// Definite refusals to close an order: it is paid, or over already; a question tells which.
const CLOSE: &[(&str, Advice)] = &[
    ("INVALID_PARAMETER", Advice::TellShop),
    ("REASON_TRADE_STATUS_INVALID", Advice::TellShop),
    ("REASON_ILLEGAL_STATUS", Advice::TellShop),
    ("TRADE_STATUS_ERROR", Advice::TellShop),
];

/// Definite refusals of a refund. DISCORDANT_REPEAT_REQUEST and TRADE_STATUS_ERROR are absent: an earlier
/// try of the same refund may have been paid out.
const REFUND: &[(&str, Advice)] = &[
    ("INVALID_PARAMETER", Advice::TellShop),
    ("SELLER_BALANCE_NOT_ENOUGH", Advice::TellShop),
    ("REFUND_AMT_NOT_EQUAL_TOTAL", Advice::TellShop),
    ("REASON_TRADE_REFUND_FEE_ERR", Advice::TellShop),
    ("REASON_TRADE_BEEN_FREEZEN", Advice::TellShop),
    ("TRADE_NOT_EXIST", Advice::TellShop),
    ("TRADE_HAS_FINISHED", Advice::TellShop),
    ("TRADE_NOT_ALLOW_REFUND", Advice::TellShop),
];

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Method; 7] = [
        Method::Pay,
        Method::Precreate,
        Method::Query,
        Method::Cancel,
        Method::Close,
        Method::Refund,
        Method::RefundQuery,
    ];

    #[test]
    fn a_payment_is_refused_only_by_a_listed_code() {
        for (code, sub_code, ruling) in [
            ("10000", "", Ruling::Success),
            ("10003", "", Ruling::InProcess),
            ("20000", "aop.ACQ.SYSTEM_ERROR", Ruling::Unknown),
            ("20000", "isp.unknow-error", Ruling::Unknown),
            ("20001", "aop.invalid-auth-token", Ruling::Declined(Advice::TellShop)),
            ("40001", "isv.missing-method", Ruling::Declined(Advice::TellShop)),
            ("40002", "isv.invalid-signature", Ruling::Declined(Advice::TellShop)),
            ("40002", "", Ruling::Unknown),
            ("40006", "isv.insufficient-isv-permissions", Ruling::Declined(Advice::TellShop)),
            ("40004", "ACQ.SYSTEM_ERROR", Ruling::Unknown),
            ("40004", "ACQ.TRADE_HAS_SUCCESS", Ruling::Unknown),
            ("40004", "ACQ.CONTEXT_INCONSISTENT", Ruling::Unknown),
            ("40004", "ACQ.TRADE_BUYER_NOT_MATCH", Ruling::Unknown),
            ("40004", "ACQ.NEW_TOMORROW", Ruling::Unknown),
            ("40004", "", Ruling::Unknown),
            ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", Ruling::Declined(Advice::NewCode)),
            ("40004", "aop.ACQ.PAYMENT_FAIL", Ruling::Declined(Advice::NewCode)),
            ("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH", Ruling::Declined(Advice::OtherMeans)),
            ("40004", "ACQ.ACCESS_FORBIDDEN", Ruling::Declined(Advice::TellShop)),
            ("40004", "ACQ.TRADE_HAS_CLOSE", Ruling::Closed),
            ("", "", Ruling::Unknown),
            ("99999", "", Ruling::Unknown),
        ] {
            assert_eq!(rule(Method::Pay, code, sub_code), ruling, "{code} {sub_code}");
        }
    }

    #[test]
    fn a_refused_question_says_nothing_about_the_money() {
        for method in [Method::Query, Method::RefundQuery] {
            for (code, sub_code) in [
                ("40002", "isv.invalid-signature"),
                ("40006", "isv.insufficient-isv-permissions"),
                ("20001", "aop.invalid-auth-token"),
                ("40004", "ACQ.INVALID_PARAMETER"),
                ("40004", "ACQ.SYSTEM_ERROR"),
            ] {
                assert_eq!(rule(method, code, sub_code), Ruling::Unknown, "{method:?} {sub_code}");
            }
            assert_eq!(rule(method, "40004", "ACQ.TRADE_NOT_EXIST"), Ruling::NotFound);
        }
    }

    #[test]
    fn a_system_error_is_never_definite() {
        for method in EVERY {
            for sub_code in ["ACQ.SYSTEM_ERROR", "AQC.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR"] {
                let ruling = rule(method, "40004", sub_code);
                assert!(matches!(ruling, Ruling::Unknown | Ruling::Retry), "{method:?}: {ruling:?}");
            }
        }
        assert_eq!(rule(Method::Cancel, "40004", "AQC.SYSTEM_ERROR"), Ruling::Retry);
    }

    #[test]
    fn a_refund_under_a_used_number_is_asked_for() {
        assert_eq!(rule(Method::Refund, "40004", "ACQ.DISCORDANT_REPEAT_REQUEST"), Ruling::Unknown);
        let refused = Ruling::Declined(Advice::TellShop);
        assert_eq!(rule(Method::Refund, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), refused);
        assert_eq!(rule(Method::Refund, "40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"), refused);
    }
}
