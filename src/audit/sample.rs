//! A small shop for the tests of this room: the three databases of one till, written row by row.
//!
//! Every record goes to the journal and to the cloud, and what the cloud would make of it is put into its
//! tables. Money moves at the gateway only where a test says so.

mod acts;
mod cloud;
mod gateway;

use super::{Paths, Report};
use crate::record::chain::Tip;
use crate::record::ids::{IntentId, RefundId, SaleId};
use crate::record::{Body, Epoch, FORMAT, Hash, Header, Mode, Moment, Record};
use jiff::civil::Date;
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

pub(super) const EPOCH: Epoch = Epoch(0x0123_4567_89ab_cdef);

const JOURNAL: &str = include_str!("../../sql/till/journal/schema.sql");
const CLOUD: &str = include_str!("../../sql/cloud/schema.sql");
/// The gateway keeps its tables in its source: they are cut out of its text.
const GATEWAY: &str = include_str!("../sim/gateway/ledger.rs");

pub(super) struct Shop {
    pub(super) dir: tempfile::TempDir,
    pub(super) journal: Connection,
    pub(super) gateway: Connection,
    pub(super) cloud: Connection,
    pub(super) tip: Tip,
    pub(super) mode: Mode,
    position: i64,
    receipt: u64,
}

fn database(path: &Path, schema: &str) -> Connection {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    connection.execute_batch(schema).unwrap();
    connection
}

pub(super) fn intent(number: u8) -> IntentId {
    IntentId([number; 16])
}

pub(super) fn refund(number: u8) -> RefundId {
    RefundId([number; 16])
}

pub(super) fn sale(number: u8) -> SaleId {
    SaleId([number; 16])
}

/// The wallet's own number for a trade.
pub(super) fn trade_no(intent: IntentId) -> String {
    format!("2026{intent}")
}

impl Shop {
    /// A shop that has only opened.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let schema = GATEWAY.split_once("SCHEMA: &str = \"").unwrap().1.split_once("\";").unwrap().0;
        let mut shop = Self {
            journal: database(&dir.path().join("till/journal.db"), JOURNAL),
            gateway: database(&dir.path().join("gateway/gateway.db"), schema),
            cloud: database(&dir.path().join("cloud/cloud.db"), CLOUD),
            dir,
            tip: Tip::START,
            mode: Mode::Live,
            position: 0,
            receipt: 0,
        };
        shop.journal.execute_batch("PRAGMA application_id = 0x54696c4a; PRAGMA user_version = 1").unwrap();
        shop.cloud.execute_batch("PRAGMA user_version = 1").unwrap();
        let till = "INSERT INTO terminal VALUES ('till-3', zeroblob(32), 'Till 3', 0, 0)";
        shop.cloud.execute_batch(till).unwrap();
        let genesis = r#""genesis","parent":null,"currency":"CNY","time_zone":"Asia/Shanghai",
            "day_cut_minutes":240,"version":"0.1.0""#;
        shop.write(genesis, |_| ());
        shop
    }

    /// A shop after a morning in which every sort of thing happened and everything agrees.
    pub(super) fn after_a_morning() -> Self {
        let mut shop = Self::new();
        // A coupon and a wallet; part of it went back later.
        shop.open(1);
        shop.write(r#""member_recognised","member":"m-1","source":"code","code_proof":null"#, |_| ());
        shop.fix(1, 1280);
        shop.draw(1, 1, 1280);
        shop.capture(1, 1280);
        shop.approve(1, 1, 1280);
        shop.redeem(1, "C-77");
        shop.issue(1, 1280);
        shop.print(1);
        shop.draw_refund(1, 1, 1, 300);
        shop.give_back(1, 300);
        shop.refunded(1, 1);
        // Cash.
        shop.open(2);
        shop.fix(2, 500);
        shop.cash(2, 1000, 500);
        shop.issue(2, 500);
        // A phone at a desk, after a code that was refused and one that was taken back.
        shop.open(3);
        shop.fix(3, 900);
        shop.draw(3, 2, 900);
        shop.trade(2, 900);
        shop.end(3, 2, r#""declined","intent":"{}","code":"C","words":"no","advice":"new_code""#);
        shop.draw(3, 3, 900);
        shop.capture(3, 900);
        shop.give_back(3, 900);
        shop.end(3, 3, r#""cancelling","intent":"{}","why":"slow""#);
        shop.end(3, 3, r#""cancelled","intent":"{}","action":"refund""#);
        shop.end(3, 3, r#""tombstoned","intent":"{}""#);
        shop.draw_order(3, 4, 900);
        shop.capture(4, 900);
        shop.approve(3, 4, 900);
        shop.order(4, 3, 900, "paid");
        shop.issue(3, 900);
        // Given up, and paid after that.
        shop.open(4);
        shop.fix(4, 700);
        shop.draw(4, 5, 700);
        shop.capture(5, 700);
        shop.end(4, 5, r#""cancelling","intent":"{}","why":"slow""#);
        shop.end(4, 5, r#""cancelled","intent":"{}","action":"close""#);
        shop.pay_late(4, 5, 700);
        shop.draw_refund(4, 2, 5, 700);
        shop.give_back(5, 700);
        shop.refunded(4, 2);
        // Nothing of it ever reached the wallet.
        shop.draw(4, 6, 700);
        shop.end(4, 6, r#""abandoned","intent":"{}","why":"the till gave it up""#);
        shop.write(r#""sale_voided","reason":"gone""#, |header| header.sale = Some(sale(4)));
        shop
    }

    pub(super) fn paths(&self) -> Paths {
        Paths::kept_in(self.dir.path())
    }

    pub(super) fn audit(&self) -> Report {
        super::run(&self.paths()).unwrap()
    }

    /// The codes that an audit finds, each once.
    #[track_caller]
    pub(super) fn finds(&self, codes: &[&str]) {
        let report = self.audit();
        let mut found: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
        found.sort_unstable();
        found.dedup();
        let mut expected = codes.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "\n{}", report.to_text());
    }

    /// Seals the next record without writing it anywhere.
    pub(super) fn seal(&self, fields: &str, fill: impl FnOnce(&mut Header)) -> Record {
        let json = format!(r#"{{"kind":{fields}}}"#);
        let body: Body = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let mut header = Header {
            format: FORMAT,
            terminal: "till-3".parse().unwrap(),
            epoch: EPOCH,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: None,
            moment: Moment::default(),
            business_date: Date::constant(2026, 11, 22),
            shift: None,
            staff: None,
            approver: None,
            mode: self.mode,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        };
        fill(&mut header);
        Record::seal(header, body, [7; 16])
    }

    /// Writes the next record to the journal and brings it to the cloud.
    pub(super) fn write(&mut self, fields: &str, fill: impl FnOnce(&mut Header)) {
        let record = self.seal(fields, fill);
        self.put(&record);
        self.bring(&record);
        self.book(&record);
    }

    pub(super) fn put(&mut self, record: &Record) {
        self.position += 1;
        let header = &record.header;
        let sql =
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let values = params![
            self.position,
            header.epoch.to_string(),
            i64::try_from(header.seq).unwrap(),
            header.kind,
            header.sale.map(|sale| sale.0),
            header.moment.wall_ms,
            i64::from(header.mode == Mode::Training),
            header.receipt.map(|number| i64::try_from(number).unwrap()),
            header.serial,
            header.amount.map(|amount| amount.minor),
            header.amount.map(|amount| amount.currency.code()),
            record.hash.0,
            record.salt,
            record.head,
            record.bytes,
        ];
        self.journal.execute(sql, values).unwrap();
        self.tip = Tip { seq: header.seq, head: record.hash };
    }

<<<<<<< HEAD
    pub(super) fn bring(&self, record: &Record) {
        let (epoch, hash) = (record.header.epoch.to_string(), record.hash.to_string());
        let seq = i64::try_from(record.header.seq).unwrap();
        let sale = record.header.sale.map(|sale| sale.to_string());
        let (kind, head, salt, body) = (&record.header.kind, &record.head, record.salt, &record.bytes);
        let sql = "INSERT INTO record VALUES ('till-3', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)";
        self.cloud.execute(sql, params![epoch, seq, hash, kind, sale, head, salt, body]).unwrap();
        let sql = "INSERT INTO stream VALUES ('till-3', ?1, ?2, ?3, ?2, 0, 0, 0)
            ON CONFLICT DO UPDATE SET high = ?2, head = ?3, judged = ?2";
        self.cloud.execute(sql, params![epoch, seq, hash]).unwrap();
    }

    /// What the cloud makes of a record.
    fn book(&self, record: &Record) {
        let header = &record.header;
        if header.mode == Mode::Training {
            return;
        }
        let (epoch, seq) = (header.epoch.to_string(), i64::try_from(header.seq).unwrap());
        let sale = header.sale.map(|sale| sale.to_string());
        let book = |sql: &str, values: &[&dyn rusqlite::ToSql]| self.cloud.execute(sql, values).unwrap();
        let state = |intent: &IntentId| {
            let sql = "UPDATE payment SET state = ?2, changed_seq = ?3 WHERE intent = ?1";
            book(sql, params![intent.to_string(), header.kind, seq]);
        };
        match &record.body {
            Body::IntentDrawn { intent, amount, carrier, .. } => {
                let carrier = if matches!(carrier, Carrier::Order(_)) { "order" } else { "pay_code" };
                let sql = "INSERT OR IGNORE INTO payment VALUES
                    (?1, 'till-3', ?2, ?3, 'alipay', ?4, ?5, 'CNY', 'drawn', NULL, NULL, ?6)";
                book(sql, params![intent.to_string(), epoch, sale, carrier, amount.minor, seq]);
            }
            Body::Approved { intent, settled } | Body::PaidLate { intent, settled } => {
                state(intent);
                let sql = "UPDATE payment SET trade = ?2, received_minor = ?3 WHERE intent = ?1";
                book(sql, params![intent.to_string(), settled.trade, settled.received.minor]);
            }
            Body::Declined { intent, .. }
            | Body::Cancelling { intent, .. }
            | Body::Cancelled { intent, .. }
            | Body::Tombstoned { intent }
            | Body::Abandoned { intent, .. } => state(intent),
            Body::RefundDrawn { refund, intent, amount, .. } => {
                let sql = "INSERT INTO payment_refund VALUES (?1, ?2, 'till-3', ?3, 'CNY', 'drawn')";
                book(sql, params![refund.to_string(), intent.to_string(), amount.minor]);
            }
            Body::Refunded { refund } => {
                let sql = "UPDATE payment_refund SET state = 'refunded' WHERE refund = ?1";
                book(sql, params![refund.to_string()]);
            }
            Body::RefundRefused { refund, .. } => {
                let sql = "UPDATE payment_refund SET state = 'refused' WHERE refund = ?1";
                book(sql, params![refund.to_string()]);
            }
            Body::CouponRedeemed { campaign, .. } => {
                let sql =
                    "INSERT OR IGNORE INTO coupon_redemption VALUES (?1, ?2, 'till-3', ?3, ?4, ?5, 0, '')";
                book(sql, params![header.serial, campaign, epoch, seq, sale]);
            }
            Body::MemberRecognised { member, .. } => {
                let sql = "INSERT OR IGNORE INTO check_in VALUES (?1, ?2, 'till-3', ?3, ?4)";
                book(sql, params![member, header.business_date.to_string(), epoch, seq]);
            }
            Body::ReceiptIssued { total } => {
                let number = header.receipt.map(|number| i64::try_from(number).unwrap());
                let sql = "INSERT OR IGNORE INTO receipt VALUES ('till-3', ?1, ?2, ?3, ?4, '2026-11-22', ?5, 'CNY')";
                book(sql, params![epoch, number, seq, sale, total.minor]);
            }
            _ => {}
        }
    }

    pub(super) fn open(&mut self, number: u8) {
        let fields = r#""sale_opened","sale_kind":"sale","place":"front""#;
        self.write(fields, |header| header.sale = Some(sale(number)));
    }

    pub(super) fn fix(&mut self, number: u8, minor: i64) {
        self.fix_as(number, minor, minor + 100);
    }

    /// A total of one line, at `gross` less one yuan.
    pub(super) fn fix_as(&mut self, number: u8, minor: i64, gross: i64) {
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

    pub(super) fn draw(&mut self, number: u8, of: u8, minor: i64) {
        self.draw_by(number, of, minor, r#"{"pay_code":{"keyed_hash":"00"}}"#);
    }

    pub(super) fn draw_order(&mut self, number: u8, of: u8, minor: i64) {
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
    pub(super) fn end(&mut self, number: u8, of: u8, fields: &str) {
        let fields = fields.replace("{}", &intent(of).to_string());
        self.write(&fields, |header| header.sale = Some(sale(number)));
    }

    pub(super) fn approve(&mut self, number: u8, of: u8, minor: i64) {
        let of = intent(of);
        let fields = format!(r#""approved","intent":"{of}","settled":{}"#, settled(of, minor));
        self.money(number, &fields, minor);
    }

    pub(super) fn pay_late(&mut self, number: u8, of: u8, minor: i64) {
        let of = intent(of);
        let fields = format!(r#""paid_late","intent":"{of}","settled":{}"#, settled(of, minor));
        self.money(number, &fields, minor);
    }

    pub(super) fn draw_refund(&mut self, number: u8, id: u8, of: u8, minor: i64) {
        let (id, of, amount) = (refund(id), intent(of), cny(minor));
        let fields = format!(r#""refund_drawn","refund":"{id}","intent":"{of}","amount":{amount},"why":"w""#);
        self.money(number, &fields, minor);
    }

    pub(super) fn refunded(&mut self, number: u8, id: u8) {
        let minor = if id == 1 { 300 } else { 700 };
        self.money(number, &format!(r#""refunded","refund":"{}""#, refund(id)), minor);
    }

    pub(super) fn cash(&mut self, number: u8, received: i64, change: i64) {
        let fields = format!(r#""cash_taken","received":{},"change":{}"#, cny(received), cny(change));
        self.money(number, &fields, received - change);
    }

    fn money(&mut self, number: u8, fields: &str, minor: i64) {
        self.write(fields, |header| {
            header.sale = Some(sale(number));
            header.amount = Some(serde_json::from_str(&cny(minor)).unwrap());
        });
    }

    pub(super) fn redeem(&mut self, number: u8, serial: &str) {
        let fields = format!(r#""coupon_redeemed","campaign":7,"discount":{},"token":"C1.X""#, cny(100));
        self.write(&fields, |header| {
            header.sale = Some(sale(number));
            header.serial = Some(serial.to_owned());
        });
    }

    pub(super) fn issue(&mut self, number: u8, minor: i64) {
        self.receipt += 1;
        self.issue_as(number, Some(self.receipt), minor);
    }

    pub(super) fn issue_as(&mut self, number: u8, receipt: Option<u64>, minor: i64) {
        let fields = format!(r#""receipt_issued","total":{}"#, cny(minor));
        self.write(&fields, |header| {
            header.sale = Some(sale(number));
            header.receipt = receipt;
        });
    }

    fn print(&mut self, number: u8) {
        let job = "0a".repeat(16);
        let about = |header: &mut Header| header.sale = Some(sale(number));
        self.write(&format!(r#""print_ordered","job":"{job}","paper":"receipt""#), about);
        self.write(&format!(r#""print_started","job":"{job}""#), about);
        self.write(&format!(r#""print_ended","job":"{job}","outcome":"confirmed","words":"""#), about);
    }

    /// A trade that waits for its buyer.
    pub(super) fn trade(&self, of: u8, minor: i64) {
        let sql =
            "INSERT INTO trade (out_trade_no, trade_no, app_id, origin, subject, total, currency, status,
            created_ms, expires_ms) VALUES (?1, ?2, 'app', 'pay', 's', ?3, 'CNY', 'WAIT_BUYER_PAY', 0, 0)";
        self.at_gateway(sql, params![intent(of).to_string(), trade_no(intent(of)), minor]);
    }

    pub(super) fn capture(&self, of: u8, minor: i64) {
        self.trade(of, minor);
        self.at_gateway(
            "UPDATE trade SET status = 'TRADE_SUCCESS', captures = 1, paid_ms = 0 WHERE out_trade_no = ?1",
            [intent(of).to_string()],
        );
        self.entry(of, "capture", minor);
    }

    pub(super) fn give_back(&self, of: u8, minor: i64) {
        let number = intent(of).to_string();
        self.at_gateway(
            "UPDATE trade SET refunded = refunded + ?2 WHERE out_trade_no = ?1",
            params![number, minor],
        );
        let sql = "INSERT INTO refund VALUES (?1, 'cancel:' || ?1, ?2, 0)";
        self.at_gateway(sql, params![number, minor]);
        self.entry(of, "refund", minor);
    }

    pub(super) fn entry(&self, of: u8, kind: &str, minor: i64) {
        let sql = "INSERT INTO event (at_ms, out_trade_no, kind, amount) VALUES (0, ?1, ?2, ?3)";
        self.at_gateway(sql, params![intent(of).to_string(), kind, minor]);
    }

    fn at_gateway(&self, sql: &str, values: impl Params) {
        self.gateway.execute(sql, values).unwrap();
    }

    pub(super) fn order(&self, of: u8, number: u8, minor: i64, state: &str) {
        let sql = "INSERT INTO order_claim (terminal, epoch, nonce, intent, sale, order_text, amount_minor,
            currency, issued_at_s, state, changed_ms)
            VALUES ('till-3', ?1, ?2, ?2, ?3, 'O1', ?4, 'CNY', 0, ?5, 0)";
        let values =
            params![EPOCH.to_string(), intent(of).to_string(), sale(number).to_string(), minor, state];
        self.cloud.execute(sql, values).unwrap();
    }

=======
>>>>>>> audit
    /// Changes the journal as only a stranger would.
    pub(super) fn tamper(&self, sql: &str) {
        let triggers =
            "DROP TRIGGER IF EXISTS record_is_not_changed; DROP TRIGGER IF EXISTS record_is_not_deleted;";
        self.journal.execute_batch(triggers).unwrap();
        assert!(self.journal.execute(sql, []).unwrap() > 0, "{sql}");
    }

    /// Changes one row or more of the cloud.
    pub(super) fn at_cloud(&self, sql: &str) {
        assert!(self.cloud.execute(sql, []).unwrap() > 0, "{sql}");
    }
}
