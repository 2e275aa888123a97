//! What Alipay's signed fields say about the money, checked against what was asked.
//!
//! **Invariant:** nothing is approved, cancelled or refunded whose number and amount are not the ones asked for.
//!
//! Not here: codes (their table stands by itself), signatures, HTTP.

use super::approval::approved;
use super::codes::{Method, Ruling, rule};
use super::response::{Fields, clipped};
use crate::money::{Currency, Money};
use crate::wallet::{
    Advice, Answer, CancelAction, CancelAnswer, Decline, Doubt, OrderNumber, PrecreateAnswer, RefundAnswer,
    RefundRequest,
};

/// The answer to a pay code.
pub(super) fn pay(fields: &Fields, order: &OrderNumber, total: Money) -> Answer {
    let ruling = ruling(Method::Pay, fields);
    if let Some(doubt) = mismatch(fields, order, ruling) {
        return Answer::Unsure(doubt);
    }
    match ruling {
        Ruling::Success => approved(fields, total),
        Ruling::InProcess => Answer::Pending,
        Ruling::Declined(advice) => Answer::Declined(decline(fields, advice)),
        Ruling::Closed => Answer::Closed,
        Ruling::NotFound | Ruling::Retry | Ruling::Unknown => Answer::Unsure(unclear(fields)),
    }
}

/// The answer to a question about an order: success means only that the question was answered.
pub(super) fn query(fields: &Fields, order: &OrderNumber, total: Money) -> Answer {
    let ruling = ruling(Method::Query, fields);
    if let Some(doubt) = mismatch(fields, order, ruling) {
        return Answer::Unsure(doubt);
    }
    match (ruling, fields.trade_status.as_deref()) {
        (Ruling::Success, Some("WAIT_BUYER_PAY")) => Answer::Pending,
        // Finished: paid, and too old for refunds.
        (Ruling::Success, Some("TRADE_SUCCESS" | "TRADE_FINISHED")) => approved(fields, total),
        (Ruling::Success, Some("TRADE_CLOSED")) => Answer::Closed,
        (Ruling::Success, Some(other)) => doubtful(format!("unknown trade_status {}", clipped(other))),
        (Ruling::Success, None) => doubtful("the answer has no trade_status".to_owned()),
        (Ruling::NotFound, _) => Answer::NotFound,
        (Ruling::InProcess | Ruling::Declined(_) | Ruling::Closed | Ruling::Retry | Ruling::Unknown, _) => {
            Answer::Unsure(unclear(fields))
        }
    }
}

/// The answer to an order that the customer is to scan.
pub(super) fn precreate(fields: &Fields, order: &OrderNumber) -> PrecreateAnswer {
    let ruling = ruling(Method::Precreate, fields);
    if let Some(doubt) = mismatch(fields, order, ruling) {
        return PrecreateAnswer::Unsure(doubt);
    }
    match ruling {
        Ruling::Success => match &fields.qr_code {
            Some(qr_text) if !qr_text.is_empty() => PrecreateAnswer::Ready { qr_text: qr_text.clone() },
            Some(_) | None => PrecreateAnswer::Unsure(Doubt { why: "the answer has no qr_code".to_owned() }),
        },
        Ruling::Declined(advice) => PrecreateAnswer::Declined(decline(fields, advice)),
        Ruling::Closed => PrecreateAnswer::Declined(decline(fields, Advice::TellShop)),
        Ruling::InProcess | Ruling::NotFound | Ruling::Retry | Ruling::Unknown => {
            PrecreateAnswer::Unsure(unclear(fields))
        }
    }
}

/// The answer to a cancellation.
pub(super) fn cancel(fields: &Fields, order: &OrderNumber) -> CancelAnswer {
    let ruling = ruling(Method::Cancel, fields);
    if let Some(doubt) = mismatch(fields, order, ruling) {
        return CancelAnswer::Unsure(doubt);
    }
    let again = fields.retry_flag.as_deref() == Some("Y");
    match ruling {
        Ruling::Declined(advice) => CancelAnswer::Declined(decline(fields, advice)),
        Ruling::NotFound => CancelAnswer::Cancelled { action: CancelAction::Nothing },
        Ruling::Retry => CancelAnswer::Retry,
        Ruling::Success | Ruling::InProcess | Ruling::Closed | Ruling::Unknown if again => {
            CancelAnswer::Retry
        }
        Ruling::Success => match fields.action.as_deref() {
            Some("close") => CancelAnswer::Cancelled { action: CancelAction::Closed },
            Some("refund") => CancelAnswer::Cancelled { action: CancelAction::Refunded },
            None | Some("") => CancelAnswer::Cancelled { action: CancelAction::Nothing },
            Some(other) => CancelAnswer::Unsure(Doubt { why: format!("unknown action {}", clipped(other)) }),
        },
        Ruling::InProcess | Ruling::Closed | Ruling::Unknown => CancelAnswer::Unsure(unclear(fields)),
    }
}

/// The answer to closing an order that nobody has paid.
pub(super) fn close(fields: &Fields, order: &OrderNumber) -> CancelAnswer {
    let ruling = ruling(Method::Close, fields);
    if let Some(doubt) = mismatch(fields, order, ruling) {
        return CancelAnswer::Unsure(doubt);
    }
    match ruling {
        Ruling::Success => CancelAnswer::Cancelled { action: CancelAction::Closed },
        Ruling::NotFound => CancelAnswer::Cancelled { action: CancelAction::Nothing },
        Ruling::Retry => CancelAnswer::Retry,
        Ruling::Declined(advice) => CancelAnswer::Declined(decline(fields, advice)),
        Ruling::InProcess | Ruling::Closed | Ruling::Unknown => CancelAnswer::Unsure(unclear(fields)),
    }
}

/// The answer to a refund. A success without a change of funds is either a repetition or nothing at all
/// (alipay.trade.refund, "judging success"): only the refund query tells.
pub(super) fn refund(fields: &Fields, request: &RefundRequest) -> RefundAnswer {
    let ruling = ruling(Method::Refund, fields);
    if let Some(doubt) = mismatch(fields, &request.order, ruling) {
        return RefundAnswer::Unsure(doubt);
    }
    match ruling {
        Ruling::Success if fields.fund_change.as_deref() == Some("Y") => RefundAnswer::Refunded,
        Ruling::Success => RefundAnswer::Unsure(Doubt {
            why: "no funds moved at this call: a repetition, or not done".to_owned(),
        }),
        Ruling::Declined(advice) => RefundAnswer::Declined(decline(fields, advice)),
        Ruling::InProcess | Ruling::NotFound | Ruling::Closed | Ruling::Retry | Ruling::Unknown => {
            RefundAnswer::Unsure(unclear(fields))
        }
    }
}

/// The answer to a question about a refund: success means only that the question was answered, the amount
/// of this very refund that it was paid out.
pub(super) fn refund_query(fields: &Fields, request: &RefundRequest) -> RefundAnswer {
    let doubt = |why: String| RefundAnswer::Unsure(Doubt { why });
    match ruling(Method::RefundQuery, fields) {
        Ruling::NotFound => return RefundAnswer::NotFound,
        Ruling::Success => {}
        Ruling::InProcess | Ruling::Declined(_) | Ruling::Closed | Ruling::Retry | Ruling::Unknown => {
            return RefundAnswer::Unsure(unclear(fields));
        }
    }
    let status = fields.refund_status.as_deref().unwrap_or("");
    let Some(amount) = fields.refund_amount.as_deref().filter(|amount| !amount.is_empty()) else {
        return if status.is_empty() {
            RefundAnswer::NotFound
        } else {
            doubt(format!("refund_status {} without an amount", clipped(status)))
        };
    };
    if let Some(doubt) = mismatch(fields, &request.order, Ruling::Success) {
        return RefundAnswer::Unsure(doubt);
    }
    if fields.out_request_no.as_deref() != Some(request.refund.as_str()) {
        return doubt("the answer is about another refund".to_owned());
    }
    if Money::parse(amount, Currency::CNY) != Ok(request.amount) {
        return doubt(format!(
            "the wallet refunded {}, not the {} asked for",
            clipped(amount),
            request.amount
        ));
    }
    if !matches!(status, "" | "REFUND_SUCCESS") {
        return doubt(format!("refund_status {}", clipped(status)));
    }
    RefundAnswer::Refunded
}

fn ruling(method: Method, fields: &Fields) -> Ruling {
    rule(method, &fields.code, &fields.sub_code)
}

/// A success must name the order; anything else may leave it out, but not name another.
fn mismatch(fields: &Fields, order: &OrderNumber, ruling: Ruling) -> Option<Doubt> {
    match fields.out_trade_no.as_deref() {
        Some(number) if number == order.as_str() => None,
        Some(_) => Some(Doubt { why: "the answer is about another order".to_owned() }),
        None if ruling == Ruling::Success => Some(Doubt { why: "the answer names no order".to_owned() }),
        None => None,
    }
}

fn unclear(fields: &Fields) -> Doubt {
    Doubt { why: clipped(&format!("{} {} {} {}", fields.code, fields.msg, fields.sub_code, fields.sub_msg)) }
}

fn doubtful(why: String) -> Answer {
    Answer::Unsure(Doubt { why })
}

fn decline(fields: &Fields, advice: Advice) -> Decline {
    let first = |one: &str, other: &str| clipped(if one.is_empty() { other } else { one });
    Decline {
        code: first(&fields.sub_code, &fields.code),
        advice,
        message: first(&fields.sub_msg, &fields.msg),
        left: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::RefundNumber;

    fn order() -> OrderNumber {
        OrderNumber::parse("A").unwrap()
    }

    fn yuan(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    fn approval(answer: Answer) -> crate::wallet::Approval {
        let Answer::Approved(approval) = answer else { panic!("{answer:?}") };
        approval
    }

    #[test]
    fn a_success_for_another_order_or_amount_is_not_believed() {
        for node in [
            r#"{"code":"10000","out_trade_no":"B","trade_no":"1","total_amount":"1.00"}"#,
            r#"{"code":"10000","trade_no":"1","total_amount":"1.00"}"#,
            r#"{"code":"10000","out_trade_no":"A","trade_no":"1","total_amount":"0.01"}"#,
            r#"{"code":"10000","out_trade_no":"A","trade_no":"1","total_amount":"one"}"#,
            r#"{"code":"10000","out_trade_no":"A","trade_no":"1"}"#,
            r#"{"code":"10000","out_trade_no":"A","total_amount":"1.00"}"#,
            r#"{"code":"10003","out_trade_no":"B"}"#,
            r#"{"code":"40004","sub_code":"ACQ.PAYMENT_FAIL","out_trade_no":"B"}"#,
        ] {
            let answer = pay(&fields(node), &order(), yuan("1.00"));
            assert!(matches!(answer, Answer::Unsure(_)), "{node}: {answer:?}");
        }
    }

    #[test]
    fn a_password_prompt_is_pending_and_a_no_comes_with_advice() {
        let pending = pay(&fields(r#"{"code":"10003","out_trade_no":"A"}"#), &order(), yuan("1.00"));
        assert_eq!(pending, Answer::Pending);
        let node = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.PAYMENT_AUTH_CODE_INVALID","sub_msg":"支付失败"}"#;
        let expected = Decline {
            code: "ACQ.PAYMENT_AUTH_CODE_INVALID".to_owned(),
            advice: Advice::NewCode,
            message: "支付失败".to_owned(),
            left: None,
        };
        assert_eq!(pay(&fields(node), &order(), yuan("1.00")), Answer::Declined(expected));
    }

    #[test]
    fn a_query_answers_by_the_trades_status() {
        let node = |status: &str| {
            fields(&format!(
                r#"{{"code":"10000","out_trade_no":"A","trade_no":"1","total_amount":"1.00",
                "send_pay_date":"2024-01-02 03:04:59"{status}}}"#
            ))
        };
        let ask = |status: &str| query(&node(status), &order(), yuan("1.00"));
        assert_eq!(ask(r#","trade_status":"WAIT_BUYER_PAY""#), Answer::Pending);
        assert_eq!(ask(r#","trade_status":"TRADE_CLOSED""#), Answer::Closed);
        for paid in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
            let told = approval(ask(&format!(r#","trade_status":"{paid}""#)));
            assert_eq!(told.paid_at.unwrap(), "2024-01-02 03:04:59");
        }
        for strange in [r#","trade_status":"NEW""#, ""] {
            assert!(matches!(ask(strange), Answer::Unsure(_)));
        }
        let unknown = fields(r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#);
        assert_eq!(query(&unknown, &order(), yuan("1.00")), Answer::NotFound);
    }

    #[test]
    fn a_cancellation_says_what_was_done_or_asks_to_be_repeated() {
        let done = |action| CancelAnswer::Cancelled { action };
        for (node, answer) in [
            (
                r#"{"code":"10000","out_trade_no":"A","retry_flag":"N","action":"close"}"#,
                done(CancelAction::Closed),
            ),
            (
                r#"{"code":"10000","out_trade_no":"A","retry_flag":"N","action":"refund"}"#,
                done(CancelAction::Refunded),
            ),
            (r#"{"code":"10000","out_trade_no":"A","retry_flag":"N"}"#, done(CancelAction::Nothing)),
            (r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#, done(CancelAction::Nothing)),
            (r#"{"code":"10000","out_trade_no":"A","retry_flag":"Y"}"#, CancelAnswer::Retry),
            (r#"{"code":"20000","sub_code":"aop.ACQ.SYSTEM_ERROR","retry_flag":"Y"}"#, CancelAnswer::Retry),
            (r#"{"code":"40004","sub_code":"AQC.SYSTEM_ERROR"}"#, CancelAnswer::Retry),
        ] {
            assert_eq!(cancel(&fields(node), &order()), answer, "{node}");
        }
        for node in [
            r#"{"code":"20000","retry_flag":"N"}"#,
            r#"{"code":"10000","retry_flag":"N","action":"close"}"#,
            r#"{"code":"10000","out_trade_no":"A","retry_flag":"N","action":"new"}"#,
        ] {
            assert!(matches!(cancel(&fields(node), &order()), CancelAnswer::Unsure(_)), "{node}");
        }
        let node = r#"{"code":"40004","sub_code":"ACQ.SELLER_BALANCE_NOT_ENOUGH","retry_flag":"Y"}"#;
        assert!(matches!(cancel(&fields(node), &order()), CancelAnswer::Declined(_)));
    }

    #[test]
    fn closing_does_not_end_what_was_paid() {
        let done = |action| CancelAnswer::Cancelled { action };
        for (node, answer) in [
            (r#"{"code":"10000","out_trade_no":"A","trade_no":"1"}"#, done(CancelAction::Closed)),
            (r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#, done(CancelAction::Nothing)),
            (r#"{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}"#, CancelAnswer::Retry),
        ] {
            assert_eq!(close(&fields(node), &order()), answer, "{node}");
        }
        for node in [r#"{"code":"10000"}"#, r#"{"code":"10000","out_trade_no":"B"}"#, r#"{"code":"20000"}"#] {
            assert!(matches!(close(&fields(node), &order()), CancelAnswer::Unsure(_)), "{node}");
        }
        let paid = r#"{"code":"40004","sub_code":"ACQ.REASON_TRADE_STATUS_INVALID"}"#;
        assert!(matches!(close(&fields(paid), &order()), CancelAnswer::Declined(_)));
    }

    #[test]
    fn a_refund_is_done_when_funds_moved_or_the_query_names_its_amount() {
        let request = RefundRequest {
            order: order(),
            refund: RefundNumber::parse("R1").unwrap(),
            amount: yuan("3.50"),
            reason: None,
        };
        let moved = fields(r#"{"code":"10000","out_trade_no":"A","fund_change":"Y","refund_fee":"9.00"}"#);
        assert_eq!(refund(&moved, &request), RefundAnswer::Refunded);
        for node in [
            r#"{"code":"10000","out_trade_no":"A","fund_change":"N"}"#,
            r#"{"code":"10000","out_trade_no":"A"}"#,
            r#"{"code":"10000","out_trade_no":"B","fund_change":"Y"}"#,
            r#"{"code":"20000"}"#,
            r#"{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}"#,
        ] {
            assert!(matches!(refund(&fields(node), &request), RefundAnswer::Unsure(_)), "{node}");
        }
        let node = |rest: &str| fields(&format!(r#"{{"code":"10000","out_trade_no":"A"{rest}}}"#));
        for (rest, answer) in [
            (r#","out_request_no":"R1","refund_amount":"3.50""#, RefundAnswer::Refunded),
            (
                r#","out_request_no":"R1","refund_amount":"3.50","refund_status":"REFUND_SUCCESS""#,
                RefundAnswer::Refunded,
            ),
            ("", RefundAnswer::NotFound),
        ] {
            assert_eq!(refund_query(&node(rest), &request), answer, "{rest}");
        }
        for rest in [
            r#","out_request_no":"R2","refund_amount":"3.50""#,
            r#","out_request_no":"R1","refund_amount":"3.51""#,
            r#","out_request_no":"R1","refund_amount":"3.50","refund_status":"REFUND_FAIL""#,
            r#","out_request_no":"R1","refund_status":"REFUND_PROCESSING""#,
        ] {
            assert!(matches!(refund_query(&node(rest), &request), RefundAnswer::Unsure(_)), "{rest}");
        }
    }
}
