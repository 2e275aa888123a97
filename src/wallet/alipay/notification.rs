//! Alipay's notifications: a signed form.
//!
//! Pure: whoever serves HTTP hands in the bytes and sends [`REPLY`] back. A notification comes again until it is
//! taken, eight times within a day and in any order, so its id is remembered where it is acted upon. Source: Alipay
//! open platform, "asynchronous notifications of face-to-face payments": `sign` and `sign_type` are left out,
//! everything else is signed as decoded once, in the order of the names, blank values included.
//!
//! Not here: serving HTTP; asking the wallet, which stays the first source of what happened.

use super::approval::approved;
use super::response::{Fields, clipped};
use super::trust::{NoKey, Trust};
use crate::money::Money;
use crate::wallet::{Answer, Doubt, OrderNumber};
use std::collections::BTreeMap;

/// What Alipay is answered when a notification is taken, also when it was taken before: these seven characters,
/// and nothing else. Anything else, such as [`REFUSAL`], makes it come again.
pub const REPLY: &str = "success";

/// What Alipay is answered when a notification is not believed or could not be kept.
pub const REFUSAL: &str = "failure";

/// The most that is read of a notification.
pub const NOTIFICATION_LIMIT_BYTES: usize = 64 * 1024;

/// The most fields; the longest real ones have about forty.
const MOST_FIELDS: usize = 128;

/// Why a notification says nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Untrusted {
    /// Not application/x-www-form-urlencoded in UTF-8 with unique names, or too long.
    #[error("it is not a form in UTF-8")]
    NotAForm,
    /// No signature, or one of the older kind.
    #[error("it has no RSA2 signature")]
    NoSignature,
    /// Nothing to verify it with.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// Not Alipay's.
    #[error("its signature is wrong")]
    WrongSignature,
    /// Signed, and still not what it should be.
    #[error("it is signed, but has no {0}")]
    Lacks(&'static str),
}

/// Whose notifications are ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The merchant's application.
    pub app_id: String,
    /// The merchant's own number at Alipay (`2088...`). Where it is not known the app alone decides: Alipay's key
    /// is one app's.
    pub seller_id: Option<String>,
}

/// A notification whose signature was right.
#[derive(PartialEq, Eq, Debug)]
pub struct Notification {
    fields: BTreeMap<String, String>,
    id: String,
    order: OrderNumber,
}

impl Notification {
    /// Verifies the signature over the decoded fields.
    ///
    /// # Errors
    /// [`Untrusted`]: answer with [`REFUSAL`], and change nothing.
    pub fn verify(body: &[u8], trust: &Trust) -> Result<Self, Untrusted> {
        if body.len() > NOTIFICATION_LIMIT_BYTES {
            return Err(Untrusted::NotAForm);
        }
        let mut fields = form(body).ok_or(Untrusted::NotAForm)?;
        if fields.get("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(Untrusted::NotAForm);
        }
        let sign = fields.remove("sign").filter(|sign| !sign.is_empty()).ok_or(Untrusted::NoSignature)?;
        let kind = fields.remove("sign_type");
        if kind.as_deref() != Some("RSA2") {
            return Err(Untrusted::NoSignature);
        }
        let key = trust.key(fields.get("alipay_cert_sn").map(String::as_str))?;
        key.verify(signed_text(&fields).as_bytes(), &sign).map_err(|_| Untrusted::WrongSignature)?;
        let id =
            fields.get("notify_id").filter(|id| !id.is_empty()).ok_or(Untrusted::Lacks("notify_id"))?.clone();
        let number = fields.get("out_trade_no").ok_or(Untrusted::Lacks("out_trade_no"))?;
        let order = OrderNumber::parse(number).map_err(|_| Untrusted::Lacks("out_trade_no of ours"))?;
        Ok(Self { id: clipped(&id), order, fields })
    }

    /// The same for every repetition: what was acted upon once is not acted upon again.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which order it is about; nobody has checked yet that it is ours.
    pub fn order(&self) -> &OrderNumber {
        &self.order
    }

    /// What it says of an order for which `total` was asked. Of another merchant, app, order or amount it says
    /// nothing.
    pub fn payment(&self, account: &Account, order: &OrderNumber, total: Money) -> Answer {
        let doubt = |why: &str| Answer::Unsure(Doubt { why: why.to_owned() });
        let text = |name: &str| self.fields.get(name).map(String::as_str);
        if text("app_id") != Some(account.app_id.as_str()) {
            return doubt("the notification is for another app");
        }
        if account.seller_id.is_some() && text("seller_id") != account.seller_id.as_deref() {
            return doubt("the notification is for another seller");
        }
        if &self.order != order {
            return doubt("the notification is about another order");
        }
        match text("trade_status") {
            Some("TRADE_SUCCESS" | "TRADE_FINISHED") => approved(&self.as_fields(), total),
            Some("TRADE_CLOSED") => Answer::Closed,
            Some("WAIT_BUYER_PAY") => Answer::Pending,
            Some(other) => doubt(&format!("unknown trade_status {}", clipped(other))),
            None => doubt("the notification has no trade_status"),
        }
    }

    /// The fields under the names that answers have; lists come as JSON in a text.
    fn as_fields(&self) -> Fields {
        let text = |name: &str| self.fields.get(name).cloned();
        let list = |name: &str| {
            self.fields.get(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
        };
        Fields {
            out_trade_no: text("out_trade_no"),
            trade_no: text("trade_no"),
            total_amount: text("total_amount"),
            receipt_amount: text("receipt_amount"),
            buyer_pay_amount: text("buyer_pay_amount"),
            point_amount: text("point_amount"),
            invoice_amount: text("invoice_amount"),
            buyer_logon_id: text("buyer_logon_id"),
            gmt_payment: text("gmt_payment"),
            fund_bill_list: list("fund_bill_list"),
            voucher_detail_list: list("voucher_detail_list"),
            ..Fields::default()
        }
    }
}

/// `name=value` joined by `&` in the order of the names.
fn signed_text(fields: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A form's fields, decoded once. Nothing when a name comes twice: then the reader and the signer may mean
/// different ones.
fn form(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decoded(halves.next()?)?;
        let value = decoded(halves.next().unwrap_or(b""))?;
        if fields.len() == MOST_FIELDS || fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn decoded(raw: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(digits[0])? << 4 | digit(digits[1])?);
                rest = after;
            }
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::wallet::signing::{SigningKey, VerifyingKey};

    fn vector(name: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_notify.json")).unwrap();
        file[name].as_str().unwrap().to_owned()
    }

    fn key(owner: &str, form: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
        file[owner][form].as_str().unwrap().to_owned()
    }

    fn gateway() -> Trust {
        VerifyingKey::read(&key("gateway", "spki_der")).unwrap().into()
    }

    fn ours() -> Account {
        Account { app_id: "2021000000000001".to_owned(), seller_id: Some("2088000000000001".to_owned()) }
    }

    fn yuan(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    /// The published notification with fields changed, signed again.
    fn sent(change: &[(&str, &str)]) -> Vec<u8> {
        let mut fields = form(vector("body").as_bytes()).unwrap();
        fields.remove("sign");
        fields.remove("sign_type");
        for (name, value) in change {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let sign =
            SigningKey::read(&key("gateway", "pkcs8_der")).unwrap().sign(signed_text(&fields).as_bytes());
        fields.insert("sign".to_owned(), sign.unwrap());
        fields.insert("sign_type".to_owned(), "RSA2".to_owned());
        let url = reqwest::Url::parse_with_params("http://127.0.0.1/", &fields).unwrap();
        url.query().unwrap().as_bytes().to_vec()
    }

    #[test]
    fn the_published_notification_is_verified_and_says_that_the_order_is_paid() {
        let mut fields = form(vector("body").as_bytes()).unwrap();
        fields.remove("sign");
        fields.remove("sign_type");
        assert_eq!(signed_text(&fields), vector("string_to_sign"));
        let told = Notification::verify(vector("body").as_bytes(), &gateway()).unwrap();
        assert_eq!(told.id(), "2024010200222030500012345678901234");
        assert_eq!(told.order().as_str(), "POS01_20240102_000001");
        let Answer::Approved(approval) = told.payment(&ours(), told.order(), yuan("0.01")) else { panic!() };
        assert_eq!(approval.trade_no, "2024010222001412345678901234");
        assert_eq!(approval.funds[0].channel, "ALIPAYACCOUNT");
        assert_eq!(approval.disagreement(), Ok(None));
        assert_eq!(REPLY, vector("reply"));
    }

    #[test]
    fn a_notification_for_somebody_else_says_nothing() {
        let told = Notification::verify(vector("body").as_bytes(), &gateway()).unwrap();
        let other = OrderNumber::parse("POS01_20240102_000002").unwrap();
        for (account, order, total) in [
            (Account { app_id: "1".to_owned(), ..ours() }, told.order(), "0.01"),
            (Account { seller_id: Some("1".to_owned()), ..ours() }, told.order(), "0.01"),
            (ours(), &other, "0.01"),
            (ours(), told.order(), "0.02"),
        ] {
            let said = told.payment(&account, order, yuan(total));
            assert!(matches!(said, Answer::Unsure(_)), "{account:?} {order:?} {total}: {said:?}");
        }
    }

    #[test]
    fn only_two_states_are_paid() {
        for (status, paid) in [
            ("TRADE_SUCCESS", true),
            ("TRADE_FINISHED", true),
            ("WAIT_BUYER_PAY", false),
            ("TRADE_CLOSED", false),
            ("NEW", false),
            ("", false),
        ] {
            let body = sent(&[("trade_status", status)]);
            let told = Notification::verify(&body, &gateway()).unwrap();
            let said = told.payment(&ours(), told.order(), yuan("0.01"));
            assert_eq!(matches!(said, Answer::Approved(_)), paid, "{status}: {said:?}");
        }
    }

    #[test]
    fn blank_values_are_part_of_what_is_signed() {
        let body = sent(&[("body", ""), ("passback_params", "a%3Db+c")]);
        let told = Notification::verify(&body, &gateway()).unwrap();
        assert_eq!(told.fields["passback_params"], "a%3Db+c", "decoded once");
        let dropped = String::from_utf8(body).unwrap().replace("body=&", "");
        assert_eq!(Notification::verify(dropped.as_bytes(), &gateway()), Err(Untrusted::WrongSignature));
    }

    #[test]
    fn an_unsigned_changed_or_doubled_notification_is_refused() {
        let good = vector("body");
        let cut =
            |name: &str| good.split('&').filter(|pair| !pair.starts_with(name)).collect::<Vec<_>>().join("&");
        for (body, told) in [
            (cut("sign="), Untrusted::NoSignature),
            (cut("sign_type="), Untrusted::NoSignature),
            (good.replace("sign_type=RSA2", "sign_type=RSA"), Untrusted::NoSignature),
            (good.replace("total_amount=0.01", "total_amount=0.02"), Untrusted::WrongSignature),
            (format!("{good}&extra=1"), Untrusted::WrongSignature),
            (format!("{good}&total_amount=0.01"), Untrusted::NotAForm),
            (good.replace("charset=utf-8", "charset=gbk"), Untrusted::NotAForm),
            ("%".to_owned(), Untrusted::NotAForm),
            ("a=%ff".to_owned(), Untrusted::NotAForm),
            ("a=%+1".to_owned(), Untrusted::NotAForm),
            (String::new(), Untrusted::NoSignature),
            ("a=1&".repeat(NOTIFICATION_LIMIT_BYTES), Untrusted::NotAForm),
        ] {
            let shown: String = body.chars().take(60).collect();
            assert_eq!(Notification::verify(body.as_bytes(), &gateway()), Err(told), "{shown}");
        }
        let nameless = sent(&[("out_trade_no", "a-b")]);
        assert!(matches!(Notification::verify(&nameless, &gateway()), Err(Untrusted::Lacks(_))));
        let merchant = Trust::from(VerifyingKey::read(&key("merchant", "spki_der")).unwrap());
        assert_eq!(Notification::verify(good.as_bytes(), &merchant), Err(Untrusted::WrongSignature));
    }

    proptest::proptest! {
        #[test]
        fn no_changed_byte_is_believed(at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8) {
            let mut body = vector("body").into_bytes();
            let place = at.index(body.len());
            body[place] = byte;
            if let (Ok(told), Some(fields)) = (Notification::verify(&body, &gateway()), form(vector("body").as_bytes())) {
                // Another spelling of the same fields: a digit of an escape in the other case, `+` or `%20`.
                for (name, value) in told.fields {
                    proptest::prop_assert_eq!(fields.get(&name), Some(&value));
                }
            }
        }

        #[test]
        fn whatever_comes_is_refused_without_a_panic(
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)
        ) {
            proptest::prop_assert!(Notification::verify(&body, &gateway()).is_err());
        }
    }
}
