//! What happens at the counter of the tests' shop, as records.

use super::{Shop, intent, refund, sale, trade_no};
use crate::record::ids::IntentId;
use crate::record::{Hash, Header};

fn cny(minor: i64) -> String {
    format!(r#"{{"minor":{minor},"currency":"CNY"}}"#)
}

fn settled(intent: IntentId, minor: i64) -> String {
    let (money, none, trade) = (cny(minor), cny(0), trade_no(intent));
    format!(
        r#"{{"trade":"{trade}","total":{money},"received":{money},"buyer_paid":{money},"invoice":{money},
        "merchant_funded":{none},"platform_funded":{none},"buyer":null}}"#
    )
}

impl Shop {
    pub(in crate::audit) fn open(&mut self, number: u8) {
        let fields = r#""sale_opened","sale_kind":"sale","place":"front""#;
        self.write(fields, |header| header.sale = Some(sale(number)));
    }

    pub(in crate::audit) fn fix(&mut self, number: u8, minor: i64) {
        self.fix_as(number, minor, minor + 100);
    }

    /// A total of one line, at `gross` less one yuan.
    pub(in crate::audit) fn fix_as(&mut self, number: u8, minor: i64, gross: i64) {
        let charged = gross - 100;
        let (total, gross, off) = (cny(minor), cny(gross), cny(100));
        let (base, tax) = (cny(charged - charged / 10), cny(charged / 10));
        let fields = format!(
            r#""total_fixed","lines":[{{"line":1,"gross":{gross},"discount":{off},
            "taxed":{{"base":{base},"tax":{tax}}}}}],"discounts":[{{"offer":"o","campaign":null,"serial":null,
            "name":"o","name_zh":null,"funder":"merchant","amount":{off},"shares":[]}}],
            "taxes":[{{"rate":{{"code":"A","rate_ppm":111111,"included":"price"}},"base":{base},"tax":{tax}}}],
            "total":{total},"bundle_version":1,"bundle_hash":"{}","engine":1"#,
            Hash::NONE
        );
        self.write(&fields, |header| header.sale = Some(sale(number)));
    }

    pub(in crate::audit) fn draw(&mut self, number: u8, of: u8, minor: i64) {
        self.draw_by(number, of, minor, r#"{"pay_code":{"keyed_hash":"00"}}"#);
    }

    pub(in crate::audit) fn draw_order(&mut self, number: u8, of: u8, minor: i64) {
        let carrier = r#"{"order":{"nonce":1,"issued_at_s":0,"desk":"d-1","bill_version":2}}"#;
        self.draw_by(number, of, minor, carrier);
    }

    fn draw_by(&mut self, number: u8, of: u8, minor: i64, carrier: &str) {
        let fields = format!(
            r#""intent_drawn","intent":"{}","provider":"alipay","amount":{},"carrier":{carrier},
            "settle_by":{{"boot":"00000000000000000000000000000000","monotonic_ms":0}}"#,
            intent(of),
            cny(minor)
        );
        self.money(number, &fields, minor);
    }

    /// A record about an intent; `{}` stands for its id.
    pub(in crate::audit) fn end(&mut self, number: u8, of: u8, fields: &str) {
        let fields = fields.replace("{}", &intent(of).to_string());
        self.write(&fields, |header| header.sale = Some(sale(number)));
    }

    pub(in crate::audit) fn approve(&mut self, number: u8, of: u8, minor: i64) {
        let of = intent(of);
        let fields = format!(r#""approved","intent":"{of}","settled":{}"#, settled(of, minor));
        self.money(number, &fields, minor);
    }

    pub(in crate::audit) fn pay_late(&mut self, number: u8, of: u8, minor: i64) {
        let of = intent(of);
        let fields = format!(r#""paid_late","intent":"{of}","settled":{}"#, settled(of, minor));
        self.money(number, &fields, minor);
    }

    pub(in crate::audit) fn draw_refund(&mut self, number: u8, id: u8, of: u8, minor: i64) {
        let (id, of, amount) = (refund(id), intent(of), cny(minor));
        let fields = format!(r#""refund_drawn","refund":"{id}","intent":"{of}","amount":{amount},"why":"w""#);
        self.money(number, &fields, minor);
    }

    pub(in crate::audit) fn refunded(&mut self, number: u8, id: u8) {
        let minor = if id == 1 { 300 } else { 700 };
        self.money(number, &format!(r#""refunded","refund":"{}""#, refund(id)), minor);
    }

    pub(in crate::audit) fn cash(&mut self, number: u8, received: i64, change: i64) {
        let fields = format!(r#""cash_taken","received":{},"change":{}"#, cny(received), cny(change));
        self.money(number, &fields, received - change);
    }

    fn money(&mut self, number: u8, fields: &str, minor: i64) {
        self.write(fields, |header| {
            header.sale = Some(sale(number));
            header.amount = Some(serde_json::from_str(&cny(minor)).unwrap());
        });
    }

    pub(in crate::audit) fn redeem(&mut self, number: u8, serial: &str) {
        let fields = format!(r#""coupon_redeemed","campaign":7,"discount":{},"token":"C1.X""#, cny(100));
        self.write(&fields, |header| {
            header.sale = Some(sale(number));
            header.serial = Some(serial.to_owned());
        });
    }

    pub(in crate::audit) fn issue(&mut self, number: u8, minor: i64) {
        self.receipt += 1;
        self.issue_as(number, Some(self.receipt), minor);
    }

    pub(in crate::audit) fn issue_as(&mut self, number: u8, receipt: Option<u64>, minor: i64) {
        let fields = format!(r#""receipt_issued","total":{}"#, cny(minor));
        self.write(&fields, |header| {
            header.sale = Some(sale(number));
            header.receipt = receipt;
        });
    }

    pub(in crate::audit) fn print(&mut self, number: u8) {
        let job = "0a".repeat(16);
        let about = |header: &mut Header| header.sale = Some(sale(number));
        self.write(&format!(r#""print_ordered","job":"{job}","paper":"receipt""#), about);
        self.write(&format!(r#""print_started","job":"{job}""#), about);
        self.write(&format!(r#""print_ended","job":"{job}","outcome":"confirmed","words":"""#), about);
    }
}
