//! The phone page's words in English and in Chinese: a missing one does not compile.

use super::cookie;
use crate::locales::Lang;
use crate::offer::Funder;
use crate::record::money_moves::ProviderName;
use axum::http::{HeaderMap, header};

pub(crate) struct Words {
    pub(crate) lang: &'static str,
    pub(crate) bill: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) to_pay: &'static str,
    pub(crate) pay_alipay: &'static str,
    pub(crate) pay_wechat: &'static str,
    pub(crate) pay_house: &'static str,
    /// The other language, as its speakers call it, and its tag.
    pub(crate) other_language: &'static str,
    pub(crate) other_lang: &'static str,
    pub(crate) subtotal: &'static str,
    pub(crate) coupon: &'static str,
    pub(crate) coupon_code: &'static str,
    pub(crate) coupon_use: &'static str,
    /// With `{}` for the amount.
    pub(crate) coupon_missing: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) wallet_again: &'static str,
    pub(crate) paid: &'static str,
    pub(crate) receipt: &'static str,
    pub(crate) receipt_coming: &'static str,
    pub(crate) show_cashier: &'static str,
    pub(crate) or_digits: &'static str,
    pub(crate) will_show: &'static str,
    pub(crate) total: &'static str,
    /// Before the name of a wallet.
    pub(crate) paid_by: &'static str,
    pub(crate) charged: &'static str,
    pub(crate) wallet_discount: &'static str,
    pub(crate) from_shop: &'static str,
    pub(crate) from_wallet: &'static str,
    pub(crate) from_bank: &'static str,
    pub(crate) from_brand: &'static str,
    pub(crate) alipay: &'static str,
    pub(crate) wechat: &'static str,
    pub(crate) house: &'static str,
    pub(crate) cash: &'static str,
    pub(crate) voucher: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) no_wallet_here: &'static str,
    pub(crate) script_needed: &'static str,
    pub(crate) counter: &'static str,
    pub(crate) other_phone: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) not_paid: &'static str,
    pub(crate) goes_back: &'static str,
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
    pay_alipay: "Pay with Alipay",
    pay_wechat: "Pay with WeChat Pay",
    pay_house: "Pay with your balance",
    other_language: "中文",
    other_lang: "zh-Hans",
    subtotal: "Subtotal",
    coupon: "Coupons",
    coupon_code: "Have a coupon? Enter its code",
    coupon_use: "Use coupon",
    coupon_missing: "{} more on the bill to use it",
    waiting: "Waiting for your payment in the wallet.",
    wallet_again: "Open the wallet again",
    paid: "Paid. Thank you!",
    receipt: "Receipt",
    receipt_coming: "Your receipt appears here in a moment.",
    show_cashier: "Show this to the cashier: the till is off line and has not heard yet.",
    or_digits: "Or read these digits out:",
    will_show: "The till is off line just now. Pay here; then show the cashier the code that appears on this page.",
    total: "Total",
    paid_by: "Paid by ",
    charged: "Charged to you",
    wallet_discount: "Wallet discount",
    from_shop: "from the shop",
    from_wallet: "from the wallet",
    from_bank: "from the bank",
    from_brand: "from the brand",
    alipay: "Alipay",
    wechat: "WeChat Pay",
    house: "Stored value",
    cash: "Cash",
    voucher: "Voucher",
    phone: "Phone",
    no_wallet_here: "This bill cannot be paid in this app. Please pay at the counter.",
    script_needed: "WeChat Pay opens with scripts only. Please pay at the counter.",
    counter: "Please pay at the counter.",
    other_phone: "Another phone is paying this bill.",
    stale: "This page is old; here is the current bill.",
    not_paid: "Nothing was paid. You can try again, or pay at the counter.",
    goes_back: "Your payment came after the bill was given up. It goes back to you by itself.",
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
    pay_alipay: "支付宝付款",
    pay_wechat: "微信支付付款",
    pay_house: "储值余额付款",
    other_language: "English",
    other_lang: "en",
    subtotal: "小计",
    coupon: "优惠券",
    coupon_code: "有优惠券？输入券码",
    coupon_use: "使用优惠券",
    coupon_missing: "再消费 {} 可用",
    waiting: "请在钱包中完成付款。",
    wallet_again: "重新打开钱包",
    paid: "已付款，谢谢！",
    receipt: "小票",
    receipt_coming: "小票马上显示在这里。",
    show_cashier: "请将此页出示给收银员：收银机离线，尚未收到付款通知。",
    or_digits: "或读出以下数字：",
    will_show: "收银机暂时离线。请在此付款，然后将本页出现的码出示给收银员。",
    total: "合计",
    paid_by: "支付方式：",
    charged: "实付",
    wallet_discount: "钱包优惠",
    from_shop: "商家承担",
    from_wallet: "钱包承担",
    from_bank: "银行承担",
    from_brand: "品牌承担",
    alipay: "支付宝",
    wechat: "微信支付",
    house: "储值",
    cash: "现金",
    voucher: "代金券",
    phone: "手机支付",
    no_wallet_here: "无法在此应用中付款，请到柜台付款。",
    script_needed: "微信支付需要启用脚本，请到柜台付款。",
    counter: "请到柜台付款。",
    other_phone: "另一部手机正在支付此账单。",
    stale: "页面已过期，这是当前账单。",
    not_paid: "没有扣款。您可以重试，或到柜台付款。",
    goes_back: "您的付款在账单取消后才到账，将自动退回。",
    unknown: "此地址没有内容。请重新扫描桌上的二维码，或到柜台询问。",
    coupon_unreadable: "这不是本店的优惠券，或已过期。",
    coupon_used: "此优惠券已被使用。",
    coupon_taken: "优惠券已用于账单。",
    coupon_waiting: "收银台尚未接受此优惠券，请到柜台询问。",
};

/// The cookie with a language that was chosen.
const COOKIE: &str = "till_lang";

impl Words {
    /// The language that was chosen on a page, or the first one of the phone that we speak.
    pub(crate) fn of(headers: &HeaderMap) -> &'static Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let chosen = cookie(headers, COOKIE).and_then(Lang::by_tag);
        Self::in_language(chosen.or_else(|| Lang::accepted(wanted)).unwrap_or_default())
    }

    /// Words of the language with that tag; English for one that we do not speak.
    pub(crate) fn by_tag(tag: &str) -> &'static Self {
        Self::in_language(Lang::by_tag(tag).unwrap_or_default())
    }

    fn in_language(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &ENGLISH,
            Lang::ZhHans => &CHINESE,
        }
    }

    /// What remembers this language in the browser.
    pub(crate) fn cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax", self.lang)
    }

    /// The name in the phone's language.
    pub(crate) fn name(&self, name: &str, name_zh: Option<&str>) -> String {
        name_zh.filter(|_| self.lang.starts_with("zh")).unwrap_or(name).to_owned()
    }

    /// Why a coupon takes nothing off.
    pub(crate) fn missing(&self, amount: &str) -> String {
        self.coupon_missing.replace("{}", amount)
    }

    /// The text of a wallet's button.
    pub(crate) fn pay_with(&self, wallet: ProviderName) -> &'static str {
        match wallet {
            ProviderName::Alipay => self.pay_alipay,
            ProviderName::Wechat => self.pay_wechat,
            ProviderName::House => self.pay_house,
        }
    }

    /// What a receipt says of a tender.
    pub(crate) fn means(&self, means: &str) -> &'static str {
        match means {
            "alipay" => self.alipay,
            "wechat" => self.wechat,
            "house" => self.house,
            "voucher" => self.voucher,
            "phone" => self.phone,
            _ => self.cash,
        }
    }

    /// Who bears a discount.
    pub(crate) fn funder(&self, funder: Funder) -> &'static str {
        match funder {
            Funder::Merchant => self.from_shop,
            Funder::Platform => self.from_wallet,
            Funder::Bank => self.from_bank,
            Funder::Brand => self.from_brand,
        }
    }
}
