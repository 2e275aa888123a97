//! Makes records of one step: numbers, hashes, salts and ids, each following from the one before.

use super::{Context, Till};
use crate::money::Money;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::header::{Epoch, Header, Mode};
use crate::record::ids::{SaleId, StaffId, StationId, TerminalId};
use crate::record::{FORMAT, Hash, Moment, Record};
use ring::digest;

/// Gathers the records of one step.
pub(super) struct Recorder<'a> {
    till: &'a Till,
    pub(super) cx: &'a Context<'a>,
    records: Vec<Record>,
    tip: Tip,
    ids: u32,
    staff: Option<StaffId>,
    approver: Option<StaffId>,
    station: Option<StationId>,
}

/// What a header says besides what the step itself says.
#[derive(Clone, Default)]
pub(super) struct About {
    pub(super) sale: Option<SaleId>,
    pub(super) amount: Option<Money>,
    pub(super) receipt: Option<u64>,
    pub(super) serial: Option<String>,
}

impl About {
    pub(super) fn sale(sale: SaleId) -> Self {
        Self { sale: Some(sale), ..Self::default() }
    }

    pub(super) fn amount(self, amount: Money) -> Self {
        Self { amount: Some(amount), ..self }
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(till: &'a Till, cx: &'a Context<'a>) -> Self {
        let tip = till.tip;
        Self { till, cx, records: vec![], tip, ids: 0, staff: None, approver: None, station: None }
    }

    /// The moment that counts for dates, also while the clock is not believed.
    pub(super) fn reckoned(&self) -> Moment {
        self.till.reckoned(self.cx)
    }

    /// Everything from here on happens at this station, by whoever is signed in there.
    pub(super) fn at(&mut self, station: &StationId) {
        self.station = Some(station.clone());
        self.staff = self.till.stations.get(station).and_then(|station| station.staff.clone());
    }

    /// Everything from here on is done by this person.
    pub(super) fn by(&mut self, staff: Option<StaffId>) {
        self.staff = staff;
    }

    /// Everything from here on is approved by this person.
    pub(super) fn approved_by(&mut self, approver: Option<StaffId>) {
        self.approver = approver;
    }

    /// The next random id: `draw` picks which sort.
    pub(super) fn id<T>(&mut self, draw: fn(&[u8; 32], u32) -> T) -> T {
        self.ids += 1;
        draw(&self.cx.draw, self.ids)
    }

    /// Records what belongs to no sale.
    pub(super) fn note(&mut self, body: Body) {
        self.push(body, About::default());
    }

    /// Records a fact.
    pub(super) fn push(&mut self, body: Body, about: About) {
        let header = Header {
            format: FORMAT,
            terminal: self.till.terminal.clone(),
            epoch: self.till.epoch,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: about.sale,
            station: self.station.clone(),
            moment: self.cx.moment,
            business_date: business_date(&self.reckoned(), self.cx),
            shift: self.till.shift.as_ref().map(|shift| shift.number),
            staff: self.staff.clone(),
            approver: self.approver.clone(),
            mode: Mode::Live,
            receipt: about.receipt,
            serial: about.serial,
            amount: about.amount,
            body_hash: Hash::NONE,
        };
        let record = Record::seal(header, body, salt(&self.cx.draw, self.tip.seq + 1));
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        self.records.push(record);
    }

    /// The records of the step.
    pub(super) fn finish(self) -> Vec<Record> {
        self.records
    }
}

/// The first record of an epoch.
pub(super) fn genesis(terminal: TerminalId, epoch: Epoch, body: Body, cx: &Context<'_>) -> Record {
    let header = Header {
        format: FORMAT,
        terminal,
        epoch,
        seq: 1,
        previous: Hash::NONE,
        kind: String::new(),
        kind_version: 0,
        sale: None,
        station: None,
        moment: cx.moment,
        business_date: business_date(&cx.moment, cx),
        shift: None,
        staff: None,
        approver: None,
        mode: Mode::Live,
        receipt: None,
        serial: None,
        amount: None,
        body_hash: Hash::NONE,
    };
    Record::seal(header, body, salt(&cx.draw, 1))
}

fn business_date(moment: &Moment, cx: &Context<'_>) -> jiff::civil::Date {
    moment.business_date(&cx.bundle.zone, cx.bundle.content.day_cut_minutes)
}

fn salt(draw: &[u8; 32], seq: u64) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"till/salt\n");
    context.update(&seq.to_be_bytes());
    context.update(draw);
    let mut salt = [0; 16];
    salt.copy_from_slice(&context.finish().as_ref()[..16]);
    salt
}
