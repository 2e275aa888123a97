//! Labels that other programs write on receipts, said in the language of the paper.
//!
//! Only what is known is said otherwise; names, numbers and anything else stay as they are.

use super::Lang;

/// Chinese, and the ways English writes it; the first one is printed.
const LABELS: [(&str, &[&str]); 19] = [
    ("小计", &["Subtotal", "Sub-total", "Sub total"]),
    ("合计", &["TOTAL", "Grand total", "Amount due", "To pay"]),
    ("增值税", &["VAT"]),
    ("税额", &["Tax", "Sales tax"]),
    ("商品税", &["GST"]),
    ("优惠", &["Discount", "Savings"]),
    ("优惠券", &["Coupon"]),
    ("服务费", &["Service", "Service charge"]),
    ("押金", &["Deposit"]),
    ("小费", &["Tip"]),
    ("抹零", &["Rounding"]),
    ("现金", &["Cash"]),
    ("银行卡", &["Card"]),
    ("支付宝", &["Alipay"]),
    ("微信支付", &["WeChat Pay"]),
    ("已付", &["Paid", "Received", "Tendered"]),
    ("找零", &["Change"]),
    ("退款", &["Refund"]),
    ("谢谢惠顾", &["Thank you", "Thanks", "Thank you!", "Thank you for your purchase"]),
];

impl Lang {
    /// A label in this language, with whatever number or code follows it: `VAT 20%` is `增值税 20%`. English
    /// that was written is kept as it was written.
    pub(super) fn label(self, text: &str) -> String {
        let Some((label, (chinese, english))) = known(text) else { return text.to_owned() };
        let rest = &text[label.len()..];
        let english = if label == chinese { english[0] } else { label };
        match self {
            Self::En => format!("{english}{rest}"),
            Self::ZhHans => format!("{chinese}{rest}"),
            Self::Both => format!("{chinese} {english}{rest}"),
        }
    }
}

type Label = (&'static str, &'static [&'static str]);

/// The longest known label that a text begins with, as written there.
fn known(text: &str) -> Option<(&str, Label)> {
    let begins = |words: &str| {
        let start = text.get(..words.len())?;
        (start.eq_ignore_ascii_case(words) && is_tail(&text[words.len()..])).then_some(start)
    };
    let all = LABELS.iter().flat_map(|label| {
        let ways = std::iter::once(label.0).chain(label.1.iter().copied());
        ways.filter_map(begins).map(|start| (start, *label))
    });
    all.max_by_key(|(start, _)| start.len())
}

/// Whether this may follow a label: nothing, or a rate, an amount or a currency's code. Other words make it
/// another label: `Total savings` is no total.
fn is_tail(rest: &str) -> bool {
    let words = rest.strip_prefix([' ', ':', '(']).or(rest.is_empty().then_some(rest));
    words
        .is_some_and(|words| !words.chars().any(|c| c.is_lowercase() || (c.is_alphabetic() && !c.is_ascii())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_labels_are_said_in_the_language_of_the_paper_and_others_stay() {
        for (text, chinese, both) in [
            ("Subtotal", "小计", "小计 Subtotal"),
            ("VAT 20%", "增值税 20%", "增值税 VAT 20%"),
            ("TOTAL", "合计", "合计 TOTAL"),
            ("Total CNY", "合计 CNY", "合计 Total CNY"),
            ("Thank you", "谢谢惠顾", "谢谢惠顾 Thank you"),
            ("Total savings", "Total savings", "Total savings"),
            ("Cashew nuts", "Cashew nuts", "Cashew nuts"),
            ("Cash Smith", "Cash Smith", "Cash Smith"),
            ("", "", ""),
            ("é", "é", "é"),
        ] {
            assert_eq!((Lang::ZhHans.label(text).as_str(), Lang::Both.label(text).as_str()), (chinese, both));
            assert_eq!(Lang::En.label(text), text);
        }
    }

    #[test]
    fn chinese_labels_are_said_in_english_too() {
        assert_eq!(Lang::En.label("合计 CNY"), "TOTAL CNY");
        assert_eq!(Lang::Both.label("小计"), "小计 Subtotal");
        assert_eq!(Lang::ZhHans.label("小计"), "小计");
    }
}
