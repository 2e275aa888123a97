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
    // Nothing here has to survive a power cut.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
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
        shop.journal.execute_batch("PRAGMA application_id = 0x54696c4a; PRAGMA user_version = 2").unwrap();
        shop.cloud.execute_batch("PRAGMA user_version = 4").unwrap();
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
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0)";
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
