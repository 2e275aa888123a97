//! The words on paper, in both languages.

use super::Lang;

/// A word that Till itself puts on paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Till,
    Number,
    Cashier,
    Subtotal,
    Total,
    Change,
    Rate,
    Net,
    Tax,
    WalletDiscount,
    Member,
    Original,
    PaidBy,
    Copy,
    Training,
    Refund,
    GivenBack,
    NoSale,
    PaidIn,
    PaidOut,
    ScanToPay,
    ToPay,
    GoodUntil,
    NotAReceipt,
    Balance,
    OnceNoChange,
}

impl Word {
    /// Chinese, English.
    fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::Till => ("收银机", "Till"),
            Self::Number => ("单号", "No."),
            Self::Cashier => ("收银员", "Cashier"),
            Self::Subtotal => ("小计", "Subtotal"),
            Self::Total => ("合计", "TOTAL"),
            Self::Change => ("找零", "Change"),
            Self::Rate => ("税率", "Rate"),
            Self::Net => ("不含税", "Net"),
            Self::Tax => ("税额", "Tax"),
            Self::WalletDiscount => ("钱包优惠", "Wallet discount"),
            Self::Member => ("会员", "Member"),
            Self::Original => ("原单", "Of receipt"),
            Self::PaidBy => ("原付款", "Paid by"),
            Self::Copy => ("副本", "COPY"),
            Self::Training => ("练习", "TRAINING"),
            Self::Refund => ("退款", "REFUND"),
            Self::GivenBack => ("已退", "Given back"),
            Self::NoSale => ("开钱箱", "NO SALE"),
            Self::PaidIn => ("存入", "PAID IN"),
            Self::PaidOut => ("取出", "PAID OUT"),
            Self::ScanToPay => ("扫码付款", "Scan to pay"),
            Self::ToPay => ("应付", "TO PAY"),
            Self::GoodUntil => ("有效期至", "Good until"),
            Self::NotAReceipt => ("不是收据", "Not a receipt"),
            Self::Balance => ("余额", "Balance"),
            Self::OnceNoChange => ("限用一次，不找零", "Once, and without change"),
        }
    }
}

/// Ways to pay by their names in a receipt, in Chinese and English.
const MEANS: [(&str, &str, &str); 6] = [
    ("cash", "现金", "Cash"),
    ("alipay", "支付宝", "Alipay"),
    ("wechat", "微信支付", "WeChat Pay"),
    ("house", "储值", "Stored value"),
    ("voucher", "代金券", "Voucher"),
    ("phone", "手机支付", "Phone"),
];

impl Lang {
    pub(super) fn say(self, word: Word) -> String {
        let (chinese, english) = word.both();
        self.name(english, Some(chinese))
    }

    /// A name in this language; one without a Chinese form is printed as it is.
    pub(super) fn name(self, name: &str, chinese: Option<&str>) -> String {
        match (self, chinese) {
            (Self::En, _) | (_, None) => name.to_owned(),
            (Self::ZhHans, Some(chinese)) => chinese.to_owned(),
            (Self::Both, Some(chinese)) if chinese == name => name.to_owned(),
            (Self::Both, Some(chinese)) => format!("{chinese} {name}"),
        }
    }

    pub(super) fn means(self, means: &str) -> String {
        match MEANS.iter().find(|known| known.0 == means) {
            Some((_, chinese, english)) => self.name(english, Some(chinese)),
            None => means.to_owned(),
        }
    }
}
