//! Records as a till writes them: a chain that goes on for as long as it is asked to.

use jiff::civil::Date;
use till::money::{Currency, Money};
use till::record::chain::Tip;
use till::record::ids::SaleId;
use till::record::moment::{BootId, Moment};
use till::record::{Body, Epoch, FORMAT, Hash, Header, Mode, Record};

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

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// The next record: a genesis, then what a sale has, with a body of about `length` bytes more.
    pub(crate) fn next(&mut self, length: u64) -> Record {
        let seq = self.tip.seq + 1;
        let json = if seq == 1 {
            r#"{"kind":"genesis","parent":null,"currency":"CNY","time_zone":"Asia/Shanghai","day_cut_minutes":240,"version":"0.1.0"}"#.to_owned()
        } else if seq.is_multiple_of(5) {
            r#"{"kind":"receipt_issued","total":{"minor":1280,"currency":"CNY"}}"#.to_owned()
        } else {
            let words = "a tale told by a till ".repeat(usize::try_from(length / 22 + 1).unwrap());
            format!(r#"{{"kind":"sale_voided","reason":"{words}"}}"#)
        };
        let body: Body = serde_json::from_str(&json).unwrap();
        let mut sale = [0x5a; 16];
        sale[8..].copy_from_slice(&(seq / 5).to_be_bytes());
        let receipt = (seq > 1 && seq.is_multiple_of(5)).then_some(seq / 5);
        let header = Header {
            format: FORMAT,
            terminal: "till-3".parse().unwrap(),
            epoch: self.epoch,
            seq,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: (seq > 1).then_some(SaleId(sale)),
            station: None,
            moment: Moment {
                wall_ms: 1_795_312_800_000 + i64::try_from(1000 * seq).unwrap(),
                boot: BootId([0xb0; 16]),
                monotonic_ms: 60_000 + 1000 * seq,
                cloud_offset_ms: None,
            },
            business_date: Date::constant(2026, 11, 22),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt,
            serial: None,
            amount: receipt.map(|_| Money::new(1280, Currency::CNY)),
            body_hash: Hash::NONE,
        };
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.epoch.0.to_be_bytes());
        salt[8..].copy_from_slice(&seq.to_be_bytes());
        let record = Record::seal(header, body, salt);
        self.tip.follow(self.epoch, &record).unwrap();
        record
    }

    pub(crate) fn many(&mut self, count: u64, length: u64) -> Vec<Record> {
        (0..count).map(|_| self.next(length)).collect()
    }
}
