//! A till of the simulation: a real journal and edge store, the edge that is sold, and a counter of a few lines.
//!
//! Not here: the line, and what is held against what at the end.

use super::super::super::{Blocking, Config, Doors, run_by};
use super::line::Line;
use super::{Dice, Member, START_MS, Timing, Way, till_clock};
use crate::cloud::handed_out::{redeemed, serial};
use crate::cloud::inside::Inside;
use crate::counter::event::Event;
use crate::inbox::{Board, Inbox, Reply};
use crate::journal::edge::EdgeStore;
use crate::journal::{Journal, Reader};
use crate::keys::DeviceKey;
use crate::keys::request::{Parameters, sign_request};
use crate::money::{Currency, Money};
use crate::record::body::{Body, MemberSource, Parent, Shutdown};
use crate::record::chain::Tip;
use crate::record::ids::{SaleId, TerminalId};
use crate::record::money_moves::Verdict;
use crate::record::{Epoch, FORMAT, Hash, Header, Mode, Moment, Record};
use crate::token::member_code;
use crate::view::View;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

pub(super) fn key(number: usize) -> DeviceKey {
    DeviceKey::from_seed(&[u8::try_from(number).unwrap() + 1; 32]).unwrap()
}

pub(super) fn id(number: usize) -> TerminalId {
    format!("till-{number}").parse().unwrap()
}

/// Empty books.
pub(super) fn make(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    Journal::open(dir).unwrap().close().unwrap();
    EdgeStore::open(dir).unwrap();
}

pub(super) async fn ask_to_be_paired(cloud: &Inside, number: usize) {
    let key = key(number);
    let body = serde_json::json!({
        "terminal": id(number), "name": "Counter", "public_key": BASE64.encode(key.public()),
    })
    .to_string();
    let parameters = Parameters {
        created: START_MS / 1000,
        nonce: format!("pairing-{number}"),
        keyid: id(number).to_string(),
    };
    let signed = sign_request("POST", "/v1/pairings", body.as_bytes(), &parameters, &key).unwrap();
    let request = Request::builder()
        .method("POST")
        .uri("/v1/pairings")
        .header("content-digest", signed.content_digest)
        .header("signature-input", signed.signature_input)
        .header("signature", signed.signature)
        .body(axum::body::Body::from(body))
        .unwrap();
    let answer = cloud.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 202);
}

/// What is written down at one counter; shared with the task that answers the edge.
struct Books {
    number: usize,
    journal: Journal,
    epoch: Epoch,
    tip: Tip,
    /// The last receipt of the epoch.
    receipt: u64,
    /// The last verdict that was taken.
    verdict: u64,
    began: Instant,
    view: watch::Sender<Arc<View>>,
}

impl Books {
    fn write(&mut self, body: Body, edit: impl FnOnce(&mut Header)) {
        let at_ms = START_MS + i64::try_from(self.began.elapsed().as_millis()).unwrap();
        let mut header = Header {
            format: FORMAT,
            terminal: id(self.number),
            epoch: self.epoch,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: None,
            moment: Moment { wall_ms: at_ms, ..Moment::default() },
            business_date: Date::constant(2026, 11, 18),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        };
        edit(&mut header);
        let record = Record::seal(header, body, [1; 16]);
        self.journal.append(std::slice::from_ref(&record)).unwrap();
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        self.view.send_replace(Arc::new(View { epoch: self.epoch, ..View::blank(self.tip) }));
    }

    fn begin(&mut self, epoch: Epoch) {
        let parent = (self.tip.seq > 0).then_some(Parent {
            epoch: self.epoch,
            seq: self.tip.seq,
            head: self.tip.head,
        });
        (self.epoch, self.tip, self.receipt) = (epoch, Tip::START, 0);
        let genesis = serde_json::json!({
            "kind": "genesis", "parent": parent, "currency": "CNY", "time_zone": "Asia/Shanghai",
            "day_cut_minutes": 0, "version": "0",
        });
        self.write(serde_json::from_value(genesis).unwrap(), |_| {});
    }

    /// A verdict is noted once, as the counter does it.
    fn note(&mut self, verdict: Verdict) {
        if verdict.number > self.verdict {
            self.verdict = verdict.number;
            self.write(Body::Noted { verdict }, |_| {});
        }
    }
}

pub(super) struct SimTill {
    pub(super) number: usize,
    pub(super) dir: PathBuf,
    pub(super) edge: EdgeStore,
    /// Receipts that were issued in all, and what they are worth.
    pub(super) receipts: (u64, i64),
    /// Coupons that were taken.
    pub(super) coupons: BTreeSet<usize>,
    /// Members who came, each time.
    pub(super) check_ins: Vec<usize>,
    books: Arc<Mutex<Books>>,
    board: Board,
    line: Arc<Line>,
    off_ms: Arc<AtomicI64>,
    dice: Dice,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl SimTill {
    pub(super) fn open(number: usize, dir: &Path, line: Arc<Line>, seed: u64) -> Self {
        let view = watch::Sender::new(Arc::new(View::blank(Tip::START)));
        let board = Board::new(view.subscribe(), watch::Sender::new(Arc::default()).subscribe());
        let mut dice = Dice(seed);
        let books = Books {
            number,
            journal: Journal::open(dir).unwrap(),
            epoch: Epoch(0),
            tip: Tip::START,
            receipt: 0,
            verdict: 0,
            began: Instant::now(),
            view,
        };
        let books = Arc::new(Mutex::new(books));
        books.lock().unwrap().begin(Epoch(dice.next()));
        let mut till = Self {
            number,
            dir: dir.to_owned(),
            edge: EdgeStore::open(dir).unwrap(),
            receipts: (0, 0),
            coupons: BTreeSet::new(),
            check_ins: vec![],
            books,
            board,
            line,
            off_ms: Arc::default(),
            dice,
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        };
        till.start();
        till
    }

    pub(super) fn start(&mut self) {
        let (inbox, letters) = Inbox::new();
        let books = Arc::clone(&self.books);
        self.tasks.spawn(async move {
            let mut quiet_ms = 1;
            loop {
                let mut any = false;
                while let Ok(letter) = letters.try_recv() {
                    any = true;
                    if let Event::Ruled(verdict) = letter.event {
                        books.lock().unwrap().note(verdict);
                    }
                    letter.reply.map(|reply| reply.send(Ok(Reply::default())));
                }
                quiet_ms = if any { 1 } else { (quiet_ms * 2).min(200) };
                sleep(Duration::from_millis(quiet_ms)).await;
            }
        });
        let began = self.books.lock().unwrap().began;
        let draws = Mutex::new(Dice(self.dice.next()));
        let chance = move || {
            let mut draw = [0; 32];
            let mut dice = draws.lock().unwrap();
            draw.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&dice.next().to_be_bytes()));
            draw
        };
        let doors = Doors {
            inbox,
            board: self.board.clone(),
            reader: Reader::open(&self.dir).unwrap(),
            edge: self.edge.clone(),
            now: till_clock(&self.off_ms, began),
            chance: Arc::new(chance),
        };
        let config = Config {
            url: "http://127.0.0.1".to_owned(),
            terminal: id(self.number),
            name: "Counter".to_owned(),
            device_key: Arc::new(key(self.number)),
            timing: Timing::default(),
        };
        self.stop.send_replace(false);
        let (way, stop) = (Way::new(&doors), self.stop.subscribe());
        let (_owes_nothing, duties) = mpsc::channel(1);
        let line = Arc::clone(&self.line);
        self.tasks.spawn(async move {
            run_by(line, Blocking::InPlace, config, doors, way, duties, stop).await.unwrap();
        });
    }

    /// The edge is gone at once, in the middle of whatever it does.
    pub(super) async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    pub(super) fn send_now(&self) {
        self.board.nudge.notify_one();
    }

    pub(super) fn jump_ms(&self, ms: i64) {
        self.off_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(super) fn begin_epoch(&mut self) {
        let epoch = Epoch(self.dice.next());
        self.books.lock().unwrap().begin(epoch);
    }

    /// Some records and a receipt.
    pub(super) fn sell(&mut self, records: u64) {
        let mut books = self.books.lock().unwrap();
        for _ in 1..records {
            books.write(Body::Booted { version: "0".to_owned(), shutdown: Shutdown::Clean }, |_| {});
        }
        let minor = 100 + i64::try_from(self.dice.below(10_000)).unwrap();
        let sale = SaleId([u8::try_from(self.dice.below(256)).unwrap(); 16]);
        books.receipt += 1;
        let (number, total) = (books.receipt, Money::new(minor, Currency::CNY));
        books.write(Body::ReceiptIssued { total }, |header| {
            (header.receipt, header.sale, header.amount) = (Some(number), Some(sale), Some(total));
        });
        self.receipts = (self.receipts.0 + 1, self.receipts.1 + minor);
    }

    pub(super) fn took(&self, coupon: usize) -> bool {
        self.coupons.contains(&coupon)
    }

    pub(super) fn take_coupon(&mut self, coupon: usize, token: &str) {
        let serial = serial(&self.dir.join("../cloud"), token, START_MS);
        self.books.lock().unwrap().write(redeemed(token), |header| {
            (header.sale, header.serial) = (Some(SaleId([9; 16])), Some(serial));
        });
        self.coupons.insert(coupon);
    }

    /// A member shows the code on the phone.
    pub(super) fn check_in(&mut self, member: usize, who: &Member) {
        let mut books = self.books.lock().unwrap();
        let at_ms = START_MS + i64::try_from(books.began.elapsed().as_millis()).unwrap();
        let code = member_code(who.reference, &who.secret, at_ms / 1000);
        let digits = code.rsplit('.').next().unwrap().to_owned();
        let member_ref = who.reference.to_string();
        let body = Body::MemberRecognised {
            member: member_ref,
            source: MemberSource::Code,
            code_proof: Some(digits),
        };
        books.write(body, |header| header.sale = Some(SaleId([8; 16])));
        self.check_ins.push(member);
    }

    /// How often batches were sent that nobody has confirmed.
    pub(super) fn tries(&self) -> u32 {
        let epoch = self.books.lock().unwrap().epoch;
        self.edge.attempts(epoch).unwrap().iter().map(|attempts| attempts.tries).sum()
    }

    /// What has not been brought or ruled on, in words; nothing when all is level.
    pub(super) fn left(&mut self) -> Option<String> {
        let books = self.books.lock().unwrap();
        let link = self.board.link.borrow().clone();
        let number = self.number;
        if !self.line.is_well() {
            return Some(format!("till {number} has not heard the cloud, and {link:?}"));
        }
        if (link.received, link.ruled) != (books.tip.seq, books.tip.seq) {
            return Some(format!("till {number} ends at {} of {}, and {link:?}", books.tip.seq, books.epoch));
        }
        let reader = Reader::open(&self.dir).unwrap();
        let behind = reader.epochs().unwrap().into_iter().find(|end| {
            let marks = (self.edge.watermark(end.epoch).unwrap(), self.edge.ruled(end.epoch).unwrap());
            marks != (end.tip, end.tip.seq)
        });
        behind
            .map(|end| format!("{} of till {number} is behind its {}, and {link:?}", end.epoch, end.tip.seq))
    }
}
