//! Made-up records for the tests of this room: a chain that goes on as long as it is asked to.

use super::End;
use crate::money::{Currency, Money};
use crate::record::chain::Tip;
use crate::record::ids::SaleId;
use crate::record::moment::{BootId, Moment};
use crate::record::{Body, Epoch, FORMAT, Hash, Header, Mode, Record};
use jiff::civil::Date;

/// Writes the next record, and the next.
pub(crate) struct Pen {
    epoch: Epoch,
    tip: Tip,
}

impl Pen {
    /// A fresh epoch.
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch: Epoch(epoch), tip: Tip::START }
    }

    pub(super) fn end(&self) -> End {
        End { epoch: self.epoch, tip: self.tip }
    }

    /// A record of `json`, its header filled in by `fill`. Every clock moves by a second.
    pub(crate) fn write(&mut self, json: &str, fill: impl FnOnce(&mut Header)) -> Record {
        let body: Body = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let seq = self.tip.seq + 1;
        let tick = i64::try_from(seq).unwrap();
        let mut header = Header {
            format: FORMAT,
            terminal: "till-3".parse().unwrap(),
            epoch: self.epoch,
            seq,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: None,
            moment: Moment {
                wall_ms: 1_795_312_800_000 + 1000 * tick,
                boot: BootId([0xb0; 16]),
                monotonic_ms: 60_000 + 1000 * seq,
                cloud_offset_ms: None,
            },
            business_date: Date::constant(2026, 11, 22),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        };
        fill(&mut header);
        let record = Record::seal(header, body, salt(self.epoch, seq));
        self.tip.follow(self.epoch, &record).unwrap();
        record
    }

    pub(crate) fn genesis(&mut self) -> Record {
        let json = r#"{"kind":"genesis","parent":null,"currency":"CNY","time_zone":"Asia/Shanghai",
            "day_cut_minutes":240,"version":"0.1.0"}"#;
        self.write(json, |_| ())
    }

    /// A line of a sale.
    pub(super) fn moved(&mut self, sale: SaleId) -> Record {
        self.write(r#"{"kind":"sale_moved","place":"held"}"#, |header| header.sale = Some(sale))
    }

    /// A receipt for a sale.
    pub(crate) fn receipt(&mut self, sale: SaleId, number: u64, minor: i64) -> Record {
        let total = Money::new(minor, Currency::CNY);
        let json =
            format!(r#"{{"kind":"receipt_issued","total":{}}}"#, serde_json::to_string(&total).unwrap());
        self.write(&json, |header| {
            header.sale = Some(sale);
            header.receipt = Some(number);
            header.amount = Some(total);
        })
    }

    /// Somebody begins to work here.
    pub(super) fn staff(&mut self) -> Record {
        let json = r#"{"kind":"staff_added","staff":"mia","name":"Mia","role":"manager",
            "pin":{"salt":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"rounds":600000,"hash":[2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2]}}"#;
        self.write(json, |_| ())
    }

    pub(super) fn stopped(&mut self) -> Record {
        self.write(r#"{"kind":"stopped"}"#, |_| ())
    }

    /// A genesis and `count` records more, two to a sale.
    pub(crate) fn many(&mut self, count: u64) -> Vec<Record> {
        let mut records = vec![self.genesis()];
        for number in 0..count {
            records.push(self.moved(sale(number / 2)));
        }
        records
    }
}

/// The sale of that number.
pub(crate) fn sale(number: u64) -> SaleId {
    let mut id = [0x5a; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    SaleId(id)
}

fn salt(epoch: Epoch, seq: u64) -> [u8; 16] {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&epoch.0.to_be_bytes());
    salt[8..].copy_from_slice(&seq.to_be_bytes());
    salt
}
