//! What is on disk and on paper, read by statements of its own: the journal's records, the gateway's entries,
//! the numbers on receipts.
//!
//! Not here: comparing the databases with each other, which `till audit` does and the tests ask it for.

use hardware::sim::Paper;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use till::journal::Reader;
use till::record::Record;

/// Dots across the virtual printer's paper.
const WIDTH_DOTS: u32 = 512;

/// The files of one shop.
pub(crate) struct Books {
    dir: PathBuf,
}

/// One piece of paper that carries a receipt's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slip {
    pub(crate) number: u64,
    /// Whether COPY stands above the number.
    pub(crate) copy: bool,
}

impl Books {
    pub(crate) fn of(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Kinds of all records, oldest first.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.rows("till/journal.db", "SELECT kind FROM record ORDER BY position")
    }

    /// Kinds of all records of sales but those about paper, which comes when it comes.
    pub(crate) fn kinds_of_sales(&self) -> Vec<String> {
        let sql = "SELECT kind FROM record WHERE sale IS NOT NULL AND kind NOT LIKE 'print%'
                   AND kind NOT LIKE 'drawer%' ORDER BY position";
        self.rows("till/journal.db", sql)
    }

    /// Kinds of one sale's records, oldest first.
    pub(crate) fn kinds_of_sale(&self, sale: &str) -> Vec<String> {
        let sql =
            format!("SELECT kind FROM record WHERE lower(hex(sale)) = '{}' ORDER BY position", plain(sale));
        self.rows("till/journal.db", &sql)
    }

    /// Bodies of all records of a kind, oldest first.
    pub(crate) fn bodies(&self, kind: &str) -> Vec<Value> {
        let bytes = self.records(kind).into_iter().map(|record| record.bytes);
        bytes.map(|body| serde_json::from_slice(&body).unwrap_or(Value::Null)).collect()
    }

    /// Records of a kind with their bodies, which lie sealed and are opened by the journal's own reader.
    fn records(&self, kind: &str) -> Vec<Record> {
        let sql = format!("SELECT epoch || ' ' || seq FROM record WHERE kind = '{kind}' ORDER BY position");
        let reader = Reader::open(&self.dir.join("till")).unwrap();
        let read = |place: String| {
            let (epoch, seq) = place.split_once(' ').unwrap();
            reader.records(epoch.parse().unwrap(), seq.parse().unwrap(), 1, 0).unwrap().remove(0)
        };
        self.rows::<String>("till/journal.db", &sql).into_iter().map(read).collect()
    }

    /// How the daemon found the journal at its last start: `clean` or `unclean`.
    pub(crate) fn last_boot(&self) -> String {
        self.bodies("booted").last().unwrap()["shutdown"].as_str().unwrap().to_owned()
    }

    /// Receipt numbers in the order in which they were issued.
    pub(crate) fn receipts(&self) -> Vec<u64> {
        let sql = "SELECT receipt FROM record WHERE kind = 'receipt_issued' ORDER BY position";
        self.rows::<i64>("till/journal.db", sql).into_iter().map(|n| u64::try_from(n).unwrap()).collect()
    }

    /// Each sale's intents.
    pub(crate) fn intents_by_sale(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_sale: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in self.records("intent_drawn") {
            let body: Value = serde_json::from_slice(&record.bytes).unwrap();
            let (sale, intent) = (record.header.sale.unwrap(), body["intent"].as_str().unwrap());
            by_sale.entry(sale.to_string()).or_default().push(intent.to_owned());
        }
        by_sale
    }

    /// What the gateway did for an intent: `capture 400`, `refund 400`, oldest first.
    pub(crate) fn money_of(&self, intent: &str) -> Vec<String> {
        let sql = format!(
            "SELECT kind || ' ' || amount FROM event
             WHERE out_trade_no = '{}' AND kind IN ('capture', 'refund') ORDER BY id",
            plain(intent)
        );
        self.rows("gateway/gateway.db", &sql)
    }

    /// How often the gateway was asked to work on an intent by a method that may move money.
    pub(crate) fn requests_of(&self, intent: &str, method: &str) -> usize {
        let sql = format!(
            "SELECT id FROM event WHERE out_trade_no = '{}' AND kind = 'request' AND method = '{method}'",
            plain(intent)
        );
        self.rows::<i64>("gateway/gateway.db", &sql).len()
    }

    /// Every capture in the gateway's ledger that was not given back, as order numbers.
    pub(crate) fn captures_kept(&self) -> Vec<String> {
        let sql = "SELECT out_trade_no FROM event WHERE kind = 'capture'
                   AND out_trade_no NOT IN (SELECT out_trade_no FROM event WHERE kind = 'refund')";
        self.rows("gateway/gateway.db", sql)
    }

    /// Every capture in the gateway's ledger, as order numbers.
    pub(crate) fn captures(&self) -> Vec<String> {
        self.rows("gateway/gateway.db", "SELECT out_trade_no FROM event WHERE kind = 'capture'")
    }

    /// Receipts on all paper that left the printer, in order. A number that was never reached is not here.
    pub(crate) fn slips(&self) -> Vec<Slip> {
        let bytes = std::fs::read(self.dir.join("devices/printed.bin")).unwrap();
        let paper = Paper::read(&bytes, WIDTH_DOTS);
        let mut slips = Vec::new();
        for sheet in &paper.sheets {
            let mut copy = false;
            for line in sheet.text_lines(WIDTH_DOTS) {
                copy |= line.contains("COPY");
                if let Some(number) = number_on(&line) {
                    slips.push(Slip { number, copy });
                    copy = false;
                }
            }
        }
        slips
    }

    fn rows<T: rusqlite::types::FromSql>(&self, file: &str, sql: &str) -> Vec<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.dir.join(file), flags).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// An id as it may stand in a statement.
fn plain(id: &str) -> &str {
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{id:?} is no id");
    id
}

/// The number in a line such as `… 单号 No. 9f3c-004217`.
fn number_on(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("No. ")?;
    let (_, number) = rest.split_whitespace().next()?.split_once('-')?;
    number.parse().ok()
}
