//! The phone page's words in English and in Chinese: a missing one does not compile.

use axum::http::{HeaderMap, header};

pub(crate) struct Words {
    pub(crate) lang: &'static str,
    pub(crate) bill: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) to_pay: &'static str,
    pub(crate) pay: &'static str,
    pub(crate) subtotal: &'static str,
    pub(crate) coupon: &'static str,
    pub(crate) coupon_code: &'static str,
    pub(crate) coupon_use: &'static str,
    pub(crate) coupon_missing: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) wallet_again: &'static str,
    pub(crate) paid: &'static str,
    pub(crate) receipt: &'static str,
    pub(crate) receipt_coming: &'static str,
    pub(crate) counter: &'static str,
    pub(crate) other_phone: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) not_paid: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) coupon_unreadable: &'static str,
    pub(crate) coupon_used: &'static str,
    pub(crate) coupon_taken: &'static str,
    pub(crate) coupon_waiting: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    bill: "Your bill",
    empty: "There is no bill here yet. Order at the counter, and it appears by itself.",
    to_pay: "To pay",
    pay: "Pay",
    subtotal: "Subtotal",
    coupon: "Coupon",
    coupon_code: "Coupon code",
    coupon_use: "Use coupon",
    coupon_missing: "missing to use it",
    waiting: "Waiting for your payment in the wallet.",
    wallet_again: "Open the wallet again",
    paid: "Paid. Thank you!",
    receipt: "Receipt",
    receipt_coming: "Your receipt is being printed.",
    counter: "Please pay at the counter.",
    other_phone: "Another phone is paying this bill.",
    stale: "This page is old; here is the current bill.",
    not_paid: "Nothing was paid. You can try again, or pay at the counter.",
    unknown: "There is nothing at this address. Scan the code on the desk again, or ask at the counter.",
    coupon_unreadable: "This is not one of our coupons, or it has expired.",
    coupon_used: "This coupon was used already.",
    coupon_taken: "The coupon is on the bill.",
    coupon_waiting: "The till has not taken the coupon. Please ask at the counter.",
};

const CHINESE: Words = Words {
    lang: "zh-Hans",
    bill: "您的账单",
    empty: "这里还没有账单。请在柜台点单，账单会自动出现。",
    to_pay: "应付",
    pay: "付款",
    subtotal: "小计",
    coupon: "优惠券",
    coupon_code: "优惠券码",
    coupon_use: "使用优惠券",
    coupon_missing: "还差",
    waiting: "请在钱包中完成付款。",
    wallet_again: "重新打开钱包",
    paid: "已付款，谢谢！",
    receipt: "小票",
    receipt_coming: "正在打印小票。",
    counter: "请到柜台付款。",
    other_phone: "另一部手机正在支付此账单。",
    stale: "页面已过期，这是当前账单。",
    not_paid: "没有扣款。您可以重试，或到柜台付款。",
    unknown: "此地址没有内容。请重新扫描桌上的二维码，或到柜台询问。",
    coupon_unreadable: "这不是本店的优惠券，或已过期。",
    coupon_used: "此优惠券已被使用。",
    coupon_taken: "优惠券已用于账单。",
    coupon_waiting: "收银台尚未接受此优惠券，请到柜台询问。",
};

impl Words {
    /// The first language of the phone that we speak.
    pub(crate) fn of(headers: &HeaderMap) -> &'static Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        for language in wanted.split(',') {
            let language = language.trim().to_ascii_lowercase();
            if language.starts_with("zh") {
                return &CHINESE;
            }
            if language.starts_with("en") {
                return &ENGLISH;
            }
        }
        &ENGLISH
    }

    /// The name in the phone's language.
    pub(crate) fn name(&self, name: &str, name_zh: Option<&str>) -> String {
        name_zh.filter(|_| self.lang.starts_with("zh")).unwrap_or(name).to_owned()
    }
}
